"""Mail that a person sent, or that was sent from their mailboxes: counted, told to them, forgotten with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import func, or_

from storage.audits import ERASED
from storage.dossier import Sent
from storage.letters import key_of, outgoing_record
from storage.outgoing import forget_letters
from storage.outgoing_rows import FINISHED, RAISED, change_all, selected
from storage.sending import OutgoingState
from storage.sending_tables import OutgoingRow
from storage.statements import in_batches, plain, update_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.records import Person
    from storage.vault import Vault

MOST_SENT: Final = 1_000
"""In one file; the newest."""

_AT_ONCE: Final = 50
_UNSENT: Final = (OutgoingState.WAITING.value, OutgoingState.HELD.value)


async def sent_of(
    session: AsyncSession, vault: Vault, person: Person, mailbox_ids: Sequence[str]
) -> tuple[Sent, ...]:
    """The newest mails that went out of a person's mailboxes or that they sent from others', the newest first."""
    row = plain(OutgoingRow).c
    query = selected().where(_of(person, mailbox_ids)).order_by(row.id.desc()).limit(MOST_SENT)
    found: list[Sent] = []
    # Some at a time: letters may be long, and of them no more than who got them is told.
    async for rows in (await session.stream(query.execution_options(yield_per=_AT_ONCE))).partitions():
        found += [_sent(each, vault) for each in rows]
    return tuple(found)


async def count_sent(
    session: AsyncSession, mailbox_ids: Sequence[str], person: Person | None = None
) -> tuple[int, int]:
    """How many mails there are of these mailboxes, or that somebody sent from others', and how many of them wait."""
    row = plain(OutgoingRow).c
    which = row.mailbox_id.in_(mailbox_ids) if person is None else _of(person, mailbox_ids)
    query: Any = sqlalchemy.select(row.state, func.count()).where(which).group_by(row.state)
    counts = dict((await session.exec(query)).all())
    return sum(counts.values()), sum(counts.get(state, 0) for state in _UNSENT)


async def forget_sender(
    session: AsyncSession, person: Person, mailbox_ids: Sequence[str], now: datetime
) -> None:
    """Take a person out of what they sent from others' mailboxes: what waits is not sent, and no letter stays.

    That a mail went out of the mailbox stays known to its owner.

    Args:
        mailbox_ids: their own, which take all of their mail along.
    """
    row = plain(OutgoingRow).c
    theirs = (row.workspace == person.workspace) & (row.actor == person.user)
    theirs &= row.mailbox_id.not_in(mailbox_ids)
    ended = {"state": OutgoingState.UNDONE, "trouble": None, "due_at": None, "finished_at": now}
    await change_all(session, theirs & row.state.in_(_UNSENT), {**RAISED, **ended})
    # Of one that is about to go out, whoever waits for the answer still needs to know its recipients.
    over = theirs & row.state.in_([state.value for state in FINISHED])
    query: Any = sqlalchemy.select(row.id).where(over, row.letter.is_not(None))
    for some in in_batches((await session.exec(query)).scalars().all()):
        await forget_letters(session, some)
    await update_rows(session, OutgoingRow, theirs, {"actor": ERASED, "form_id": row.id})


def _of(person: Person, mailbox_ids: Sequence[str]) -> ColumnElement[bool]:
    row = plain(OutgoingRow).c
    theirs = (row.workspace == person.workspace) & (row.actor == person.user)
    return or_(row.mailbox_id.in_(mailbox_ids), theirs)


def _sent(row: Any, vault: Vault) -> Sent:
    outgoing = outgoing_record(row, key_of(vault, row))
    recipients = () if outgoing.letter is None else outgoing.letter.recipients
    return Sent(
        id=outgoing.id,
        mailbox_id=outgoing.mailbox_id,
        owner=outgoing.owner.user,
        actor=outgoing.actor.user,
        state=outgoing.state,
        created_at=outgoing.created_at,
        finished_at=outgoing.finished_at,
        octets=outgoing.octets,
        recipients=tuple((each.address, str(each.field), str(each.state)) for each in recipients),
    )
