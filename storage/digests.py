"""Digests: what they hold when they are posted, and those that are none after all.

A digest is an entry of its own, in whose thread its messages stand. What its post says is read from those messages each
time, so that a crash between the post and them costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, delete, func, text
from sqlmodel import col

from storage.calm import reschedule
from storage.errors import NotFound
from storage.fencing import check_claim, held_dm
from storage.messages import stored
from storage.outbox import refresh_due
from storage.pieces import MESSAGE_CHUNKS, chunk_place
from storage.statements import plain, update_rows
from storage.tables import ChunkRow, EntryRow, MailboxRow, MessageRow

if TYPE_CHECKING:
    from datetime import datetime

    from storage.database import Database
    from storage.delivery import Held
    from storage.records import Claim, Dm, Entry, StoredMessage
    from storage.vault import Vault

_IN_THREAD: Final = "parent <> ''"
"""As the index has it; without these words SQLite does not take it."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The messages of a digest: how many there are, and the ids of the first of them, in order of arrival."""

    count: int
    message_ids: tuple[str, ...]


class Digests:
    """The store of digests."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    async def gathered(self, entry: Entry, most: int) -> Gathered:
        """What stands under a digest, in Slack already or not; at most so many are named."""
        values = {"digest": entry.id}
        async with self._database.read() as session:
            count = (await session.exec(_count(), params=values)).scalar_one()
            ids = (await session.exec(_first().limit(most), params=values)).scalars().all()
        return Gathered(count, tuple(ids))

    async def head(self, message_id: str) -> tuple[StoredMessage, bytes]:
        """A message with its first octets, which hold its header whatever its size.

        Raises:
            NotFound: it is purged or removed.
            SealBroken: its octets were changed or cut.
        """
        async with self._database.read() as session:
            row = (await session.exec(_head(), params={"message": message_id})).first()
        if row is None or row.wrapped_key is None:
            raise NotFound("The message is not stored any more.")
        key = self._vault.data_key(row.wrapped_key, row.workspace, row.mailbox_id)
        place = chunk_place(row.workspace, MESSAGE_CHUNKS, message_id, 0, is_last=not row.has_more)
        return stored(row), key.open(row.sealed, place)

    async def dissolve(self, dm: Dm, entry: Entry, now: datetime) -> None:
        """A digest is not posted after all: what was to stand in its thread comes by itself, in the same order.

        Raises:
            LeaseLost: the DM is another's by now.
        """
        waits = (col(EntryRow.parent) == entry.id) & text(_IN_THREAD) & col(EntryRow.finished_at).is_(None)
        async with self._database.write() as session:
            await held_dm(session, dm)
            await update_rows(session, EntryRow, waits, {"parent": "", "gives_way": False})
            await session.exec(delete(EntryRow).where(col(EntryRow.number) == entry.order))
            await refresh_due(session, dm.owner, now)

    async def end_hold(self, claim: Claim, held: Held, now: datetime) -> None:
        """A session that brought much is over: what it held back is held until then instead, or let go.

        Raises:
            LeaseLost: the claim no longer holds.
        """
        async with self._database.write() as session:
            await check_claim(session, claim)
            await reschedule(session, claim.mailbox.owner, claim.mailbox.id, held, now)


@cache
def _count() -> Any:
    entry = plain(EntryRow).c
    return sqlalchemy.select(func.count(entry.message_id)).where(_is_in_digest())


@cache
def _first() -> Any:
    entry = plain(EntryRow).c
    query = sqlalchemy.select(entry.message_id).where(_is_in_digest(), entry.message_id.is_not(None))
    return query.order_by(entry.number)


@cache
def _head() -> Any:
    """A message with what opens it, and the first of its pieces."""
    message, mailbox, chunk = plain(MessageRow), plain(MailboxRow), plain(ChunkRow)
    more = chunk.alias("more")
    has_more = sqlalchemy.exists().where(more.c.message_id == message.c.id, more.c.number == 1)
    rows = message.join(mailbox, mailbox.c.id == message.c.mailbox_id)
    rows = rows.join(chunk, (chunk.c.message_id == message.c.id) & (chunk.c.number == 0))
    columns = (message, mailbox.c.wrapped_key, mailbox.c.workspace, chunk.c.octets.label("sealed"))
    query = sqlalchemy.select(*columns, has_more.label("has_more")).select_from(rows)
    return query.where(message.c.id == bindparam("message"), message.c.purged_at.is_(None))


def _is_in_digest() -> Any:
    return (plain(EntryRow).c.parent == bindparam("digest")) & text(_IN_THREAD)
