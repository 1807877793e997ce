"""Which mailboxes of a person are active: as many as they may have, those of the oldest choice give way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from storage.owned import due_if_polled, is_of, owned, raised
from storage.tables import MailboxRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Person


async def activate(
    database: Database,
    session: AsyncSession,
    owner: Person,
    mailbox_id: str,
    *,
    most: int | None,
    now: datetime,
) -> tuple[MailboxRow, list[MailboxRow]]:
    """Make a mailbox active.

    Args:
        most: so many may be active, at least 1; None for no limit.

    Returns:
        It, and those that gave way.
    """
    await database.serialise(session, owner.workspace, owner.user)
    row = await owned(session, owner, mailbox_id, is_locked=True)
    if row.is_active:
        return row, []
    rested = await make_room(session, owner, most)
    row.is_active, row.activated_at = True, now
    return raised(row, due_at=due_if_polled(row, now)), rested


async def make_room(session: AsyncSession, owner: Person, most: int | None) -> list[MailboxRow]:
    """Let rest what is active the longest, until there is room for one more; call it serialised on the owner."""
    if most is None:
        return []
    active = await _active(session, owner)
    return _rest(active[: max(0, len(active) - most + 1)])


async def keep_active(
    database: Database, session: AsyncSession, owner: Person, most: int
) -> list[MailboxRow]:
    """Let rest what is more than so many; those that are active the longest stay."""
    await database.serialise(session, owner.workspace, owner.user)
    return _rest((await _active(session, owner))[most:])


async def _active(session: AsyncSession, owner: Person) -> list[MailboxRow]:
    """Longest active first, locked."""
    query = select(MailboxRow).where(is_of(owner), col(MailboxRow.is_active))
    order = (col(MailboxRow.activated_at), col(MailboxRow.created_at), col(MailboxRow.id))
    return list((await session.exec(query.order_by(*order).with_for_update(key_share=True))).all())


def _rest(rows: list[MailboxRow]) -> list[MailboxRow]:
    return [raised(row, is_active=False, activated_at=None, due_at=None) for row in rows]
