"""Rows of mailboxes, found by their owner, and how a change of theirs ends a poll that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlmodel import col, select

from storage.database import is_id
from storage.errors import NotFound, NotPermitted
from storage.fencing import FREED
from storage.records import Health
from storage.statements import plain
from storage.tables import MailboxRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.records import Person

RAISED: Final = {**FREED, "fence": col(MailboxRow.fence) + 1}

_REFUSED: Final = frozenset({Health.LOGIN_REFUSED, Health.PASSWORD_ERASED})


def is_ever_of(owner: Person) -> ColumnElement[bool]:
    """A person's mailboxes, with those whose removal has begun."""
    mailbox = plain(MailboxRow).c
    return (mailbox.workspace == owner.workspace) & (mailbox.owner == owner.user)


def is_of(owner: Person) -> ColumnElement[bool]:
    """A person's mailboxes, those apart whose removal has begun."""
    return is_ever_of(owner) & plain(MailboxRow).c.wrapped_key.is_not(None)


async def owned(
    session: AsyncSession, owner: Person, mailbox_id: str, *, is_locked: bool = False
) -> MailboxRow:
    """One mailbox of this person; NotFound when it is gone or somebody else's."""
    if not is_id(mailbox_id):
        raise NotFound("This person has no such mailbox.")
    query = select(MailboxRow).where(is_of(owner), MailboxRow.id == mailbox_id)
    row = (await session.exec(query.with_for_update(key_share=True) if is_locked else query)).first()
    if row is None:
        raise NotFound("This person has no such mailbox.")
    return row


async def unsuspended(session: AsyncSession, owner: Person, mailbox_id: str) -> MailboxRow:
    """The same, locked.

    Raises:
        NotPermitted: it is suspended.
    """
    row = await owned(session, owner, mailbox_id, is_locked=True)
    if row.suspension is not None:
        raise NotPermitted("The mailbox is suspended.")
    return row


def raised(row: MailboxRow, **changes: Any) -> MailboxRow:
    """Change a locked row so that whoever polls it now can write nothing more."""
    for name, value in {**FREED, **changes}.items():
        setattr(row, name, value)
    row.fence += 1
    return row


def due_if_polled(row: MailboxRow, now: datetime) -> datetime | None:
    """When a mailbox is due that may be polled at once; None for one that rests."""
    # New settings leave the health for the next poll to judge and set the failures back: such a login may be tried.
    is_refused = row.health in _REFUSED and row.failures > 0
    rests = row.is_paused or row.suspension is not None or is_refused
    return now if row.is_active and not rests else None
