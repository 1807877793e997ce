"""The rows of mail that is sent, as several stores read and change them inside their transactions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, update
from sqlmodel import col

from storage.database import is_id
from storage.errors import NotFound
from storage.fencing import FREED
from storage.letters import key_of, outgoing_record
from storage.sending import OutgoingState
from storage.sending_tables import OutgoingChunkRow, OutgoingPostRow, OutgoingRow
from storage.statements import in_batches, insert_rows, plain, update_rows
from storage.tables import MailboxRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.sending import NewOutgoing, Outgoing
    from storage.vault import Vault

RAISED: Final = {**FREED, "fence": col(OutgoingRow.fence) + 1}
"""Whoever has the mail in hand can write nothing more."""

_PIECES: Final = 4

FINISHED: Final = frozenset(
    {OutgoingState.SENT, OutgoingState.UNKNOWN, OutgoingState.FAILED, OutgoingState.UNDONE}
)


def selected(*more: Any, beside: Any = None, on: Any = None) -> Any:
    """Mails with what opens them; those of mailboxes apart whose removal has begun.

    Args:
        more: columns of `beside`, which is joined by `on`.
    """
    outgoing, mailbox = plain(OutgoingRow), plain(MailboxRow)
    rows = outgoing.join(mailbox, mailbox.c.id == outgoing.c.mailbox_id)
    if beside is not None:
        rows = rows.join(beside, on)
    columns = (mailbox.c.owner, mailbox.c.workspace.label("mailbox_workspace"), mailbox.c.wrapped_key)
    query = sqlalchemy.select(outgoing, *columns, *more).select_from(rows)
    return query.where(mailbox.c.wrapped_key.is_not(None))


@cache
def _one() -> Any:
    return selected().where(plain(OutgoingRow).c.id == bindparam("outgoing"))


@cache
def _one_locked() -> Any:
    return _one().with_for_update(key_share=True, of=plain(OutgoingRow))


async def row_of(session: AsyncSession, outgoing_id: str, *, is_locked: bool = False) -> Any:
    """A mail's row with its mailbox's key.

    Raises:
        NotFound: it is gone.
    """
    if not is_id(outgoing_id):
        raise NotFound("There is no such mail.")
    query = _one_locked() if is_locked else _one()
    row = (await session.exec(query, params={"outgoing": outgoing_id})).first()
    if row is None:
        raise NotFound("There is no such mail.")
    return row


async def outgoing_of(session: AsyncSession, vault: Vault, outgoing_id: str) -> Outgoing:
    """A mail as it stands in this transaction.

    Raises:
        NotFound: it is gone.
    """
    row = await row_of(session, outgoing_id)
    return outgoing_record(row, key_of(vault, row))


def columns_of(new: NewOutgoing, outgoing_id: str, now: datetime, *, state: OutgoingState) -> dict[str, Any]:
    """A new mail's row but for its letter."""
    return {
        "id": outgoing_id,
        "mailbox_id": new.mailbox_id,
        "workspace": new.actor.workspace,
        "actor": new.actor.user,
        "form_id": new.form_id,
        "answers": new.answers,
        "state": state,
        "octets": len(new.octets),
        "attempts": 0,
        "created_at": now,
        "begun_at": now,
        "due_at": now + new.undo,
        "is_left": False,
        "fence": 0,
    }


async def write_pieces(session: AsyncSession, outgoing_id: str, pieces: Sequence[bytes]) -> None:
    """Store a mail's sealed octets, a few pieces at a time."""
    for first in range(0, len(pieces), _PIECES):
        rows = [
            {"outgoing_id": outgoing_id, "number": first + number, "octets": sealed}
            for number, sealed in enumerate(pieces[first : first + _PIECES])
        ]
        await insert_rows(session, OutgoingChunkRow, rows)


async def change(session: AsyncSession, outgoing_id: str, values: dict[str, Any]) -> None:
    """Change a locked row; its posts no longer say how far it is."""
    await update_rows(session, OutgoingRow, col(OutgoingRow.id) == outgoing_id, values)
    await note_change(session, [outgoing_id])


async def change_all(session: AsyncSession, which: ColumnElement[bool], values: dict[str, Any]) -> list[str]:
    """Change all rows for which `which` is true, and their posts; the ids of those."""
    outgoing = plain(OutgoingRow)
    changed = await session.exec(update(outgoing).where(which).values(values).returning(outgoing.c.id))
    ids = list(changed.scalars().all())
    await note_change(session, ids)
    return ids


async def note_change(session: AsyncSession, outgoing_ids: Collection[str]) -> None:
    """The posts of these mails are behind from now on."""
    post = plain(OutgoingPostRow).c
    for some in in_batches(outgoing_ids):
        await update_rows(session, OutgoingPostRow, post.outgoing_id.in_(some), {"changes": post.changes + 1})


async def note_standstill(session: AsyncSession, mailbox_id: str) -> None:
    """Mail of this mailbox is sent no more, or again: the posts of what waits say so."""
    row = plain(OutgoingRow).c
    waits = row.state.in_([OutgoingState.WAITING.value, OutgoingState.HELD.value])
    query: Any = sqlalchemy.select(row.id).where(row.mailbox_id == mailbox_id, waits)
    await note_change(session, (await session.exec(query)).scalars().all())
