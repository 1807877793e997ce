"""How things are with single messages, and which of their posts are marked as done.

Every call finds the message by its owner, so an id from a payload routes and never authorises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import func, text
from sqlmodel import col

from storage.answers import message_of, place_of
from storage.records import Retention, Shape
from storage.statements import plain, update_rows
from storage.tables import NOT_DONE, EntryRow, MessageRow
from storage.wishes import OpenPost, OriginalState, Standing

if TYPE_CHECKING:
    from datetime import datetime

    from storage.database import Database
    from storage.records import Person


class Marks:
    """The store of what owners noted about their posts."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def standing(self, owner: Person, message_id: str) -> Standing:
        """How things are with a message.

        Raises:
            NotFound: it is gone, or somebody else's.
        """
        async with self._database.read() as session:
            return _standing(await message_of(session, owner, message_id))

    async def mark(self, owner: Person, message_id: str, done_at: datetime | None) -> Standing:
        """Mark a message's post as done, or, with None, as not done; once is enough.

        Raises:
            NotFound: it is gone, or somebody else's.
        """
        async with self._database.write() as session:
            await message_of(session, owner, message_id, is_locked=True)
            this = col(EntryRow.message_id) == message_id
            await update_rows(session, EntryRow, this, {"done_at": done_at})
            return _standing(await message_of(session, owner, message_id))

    async def count_open(self, owner: Person) -> dict[str, int]:
        """How many posts are not marked as done, by mailbox id."""
        entry = plain(EntryRow).c
        query: Any = sqlalchemy.select(entry.mailbox_id, func.count()).where(*_open(owner))
        async with self._database.read() as session:
            rows = (await session.exec(query.group_by(entry.mailbox_id))).all()
        return {mailbox_id: count for mailbox_id, count in rows if mailbox_id is not None}

    async def newest_open(self, owner: Person, mailbox_id: str, limit: int) -> list[OpenPost]:
        """The newest posts of a mailbox that are not marked as done, the newest first."""
        entry, message = plain(EntryRow), plain(MessageRow)
        rows = entry.join(message, message.c.id == entry.c.message_id)
        columns = (message.c.id, message.c.received_at, entry.c.channel, entry.c.ts)
        query: Any = sqlalchemy.select(*columns).select_from(rows)
        query = query.where(*_open(owner), entry.c.mailbox_id == mailbox_id)
        async with self._database.read() as session:
            found = (await session.exec(query.order_by(entry.c.number.desc()).limit(limit))).all()
        return [OpenPost(*row) for row in found]


def _open(owner: Person) -> tuple[Any, ...]:
    entry = plain(EntryRow).c
    return entry.workspace == owner.workspace, entry.owner == owner.user, text(NOT_DONE)


def _standing(found: Any) -> Standing:
    return Standing(
        message_id=found.id,
        mailbox_id=found.mailbox_id,
        shape=Shape(found.shape),
        retention=Retention(found.retention),
        octets=found.octets,
        listed_octets=found.listed_octets,
        received_at=found.received_at,
        is_kept=found.purged_at is None,
        is_done=found.done_at is not None,
        place=place_of(found),
        original=None if found.original is None else OriginalState(found.original),
    )
