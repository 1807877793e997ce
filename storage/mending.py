"""What follows for waiting mail when an outgoing server or its password is another one: it goes out, some at a time."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, update
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.errors import KeyUnknown, SealBroken
from storage.letters import key_of, outgoing_record
from storage.outgoing_rows import RAISED, note_change, selected
from storage.records import Notice, Person
from storage.sending import OutgoingState, RecipientState, WaitingMail
from storage.sending_tables import OutgoingPostRow, OutgoingRow
from storage.statements import plain, update_rows
from storage.tables import EntryRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.vault import Vault

    Spaced = Callable[[Sequence[WaitingMail], datetime], Sequence[datetime]]
    """When each of these mails of one mailbox is due, in their order."""

_AT_ONCE: Final = 20


def together(waiting: Sequence[WaitingMail], now: datetime) -> Sequence[datetime]:
    """All of them as soon as they may be sent."""
    return [max(now, each.not_before or now) for each in waiting]


async def mend(
    session: AsyncSession, vault: Vault, mailbox_id: str, now: datetime, spaced: Spaced = together
) -> int:
    """The outgoing server or its password is another one: what was held goes, what failed is tried anew.

    A try that runs with what was before ends without effect, unless the last dot was about to go out: then its password
    was taken. That the password is refused is said no longer. The mailbox's own row is the caller's to change.

    Returns:
        How many mails were held.
    """
    row = plain(OutgoingRow).c
    mine = row.mailbox_id == mailbox_id
    waiting = await _waiting(session, vault, mailbox_id, now)
    running = mine & (row.state == OutgoingState.WAITING.value) & row.lease_until.is_not(None)
    await update_rows(session, OutgoingRow, running, RAISED)
    times = spaced([mail for _, mail in waiting], now)
    values = [{"this": outgoing_id, "at": at} for (outgoing_id, _), at in zip(waiting, times, strict=True)]
    if values:
        await session.exec(_due_at(), params=values)
        await note_change(session, [outgoing_id for outgoing_id, _ in waiting])
    await update_rows(
        session,
        OutgoingPostRow,
        plain(OutgoingPostRow).c.entry_id.in_(_alarms(mailbox_id)),
        {"changes": plain(OutgoingPostRow).c.changes + 1},
    )
    return sum(mail.is_held for _, mail in waiting)


async def _waiting(
    session: AsyncSession, vault: Vault, mailbox_id: str, now: datetime
) -> list[tuple[str, WaitingMail]]:
    """What is held or was tried before, longest due first."""
    found: list[tuple[str, WaitingMail]] = []
    # Letters may be long: some at a time.
    query = _unsent().execution_options(yield_per=_AT_ONCE)
    async for rows in (await session.stream(query, {"mailbox": mailbox_id})).partitions():
        found += [(row.id, _of(row, vault, now)) for row in rows]
    return found


def _of(row: Any, vault: Vault, now: datetime) -> WaitingMail:
    is_held = row.state == OutgoingState.HELD
    not_before = row.due_at if is_held and row.due_at is not None and row.due_at > now else None
    return WaitingMail(Person(row.workspace, row.actor), _owed(row, vault), is_held, not_before)


def _owed(row: Any, vault: Vault) -> int:
    """How many recipients a mail still goes to; one that does not open counts as going to one."""
    try:
        letter = outgoing_record(row, key_of(vault, row)).letter
    except (KeyUnknown, SealBroken):
        return 1
    recipients = () if letter is None else letter.recipients
    return max(1, sum(each.state is RecipientState.OWED for each in recipients))


@cache
def _unsent() -> Any:
    row = plain(OutgoingRow).c
    is_held = row.state == OutgoingState.HELD.value
    was_tried = (row.state == OutgoingState.WAITING.value) & (row.attempts > 0)
    query = selected().where(row.mailbox_id == bindparam("mailbox"), is_held | was_tried)
    return query.order_by(row.due_at, row.id)


@cache
def _due_at() -> Any:
    """Begun anew then; what was called back meanwhile, or is about to go out, is left alone."""
    row, at = plain(OutgoingRow).c, bindparam("at", type_=UTCDateTime())
    waits = (row.state == OutgoingState.HELD.value) | (row.state == OutgoingState.WAITING.value)
    anew = {**RAISED, "state": OutgoingState.WAITING.value, "trouble": None, "attempts": 0}
    statement = update(plain(OutgoingRow)).where(row.id == bindparam("this"), waits)
    return statement.values({**anew, "begun_at": at, "due_at": at})


def _alarms(mailbox_id: str) -> Any:
    """The posts that say that the password is refused."""
    row, post, entry = plain(OutgoingRow), plain(OutgoingPostRow), plain(EntryRow)
    posts = row.join(post, post.c.outgoing_id == row.c.id).join(entry, entry.c.id == post.c.entry_id)
    query: Any = sqlalchemy.select(post.c.entry_id).select_from(posts)
    return query.where(row.c.mailbox_id == mailbox_id, entry.c.notice == Notice.OUTGOING_REFUSED.value)
