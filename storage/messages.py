"""UIDs seen, and the sealed octets of messages.

A message is kept in one transaction: its UID, its octets, its place in the outbox. What a UID became outlives the
octets, so that nothing comes twice. Writes go through a Claim and check its fencing number.
"""

from __future__ import annotations

import asyncio
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, delete, text, update
from sqlmodel import col, select

from storage.calm import digest_for
from storage.chunks import is_on_its_way, write_chunks
from storage.database import new_id
from storage.deletion import DELETION_TRIES, watch_at
from storage.errors import LeaseLost, NotFound
from storage.fencing import check_claim, is_claimed
from storage.old_mail import note_missing, thread_of
from storage.owing import owe
from storage.pieces import MESSAGE_CHUNKS, opened_pieces
from storage.records import SeenState, Shape, StoredMessage
from storage.seen import (
    SEEN,
    add_unseen,
    ask_uids,
    count_asked,
    deletable,
    move_settled,
    note_undeleted,
    seconds,
    seen,
    unseen,
)
from storage.spool import Spool
from storage.statements import in_batches, insert_rows, plain
from storage.tables import DELETABLE, ChunkRow, MailboxRow, MessageRow, SeenRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta
    from pathlib import Path

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Claim, Mailbox, Seen
    from storage.vault import DataKey, Vault

_LISTED_BATCH: Final = 1_000
_PURGE_BATCH: Final = 50
_KEYS_AT_HAND: Final = 256
_THREAD_OCTETS: Final = 1024 * 1024
_IN_HAND: Final = (SeenState.KEPT, SeenState.DELETING)


class Messages:
    """The store of UIDs and messages.

    Args:
        spool_folder: where large messages wait for their transaction, sealed and unnamed.
    """

    def __init__(self, database: Database, vault: Vault, spool_folder: Path) -> None:
        self._database: Final = database
        self._vault: Final = vault
        self._folder: Final = spool_folder
        self._keys: Final[dict[tuple[str, int], DataKey]] = {}

    # Keeping

    def spool(self, claim: Claim, message_id: str | None = None) -> Spool:
        """Where a message of this mailbox is written while it arrives; close it whatever happens.

        Args:
            message_id: of one that is stored already and comes again.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Spool(
            message_id or new_id(),
            claim.mailbox.owner.workspace,
            self._folder,
            partial(self._claimed_key, claim),
        )

    async def keep(
        self, claim: Claim, uid: bytes, spool: Spool, *, shape: Shape, listed_octets: int, now: datetime
    ) -> bool:
        """Store a message, its UID and its outbox entry, all or nothing.

        A UID that was deleted and is listed again comes back as it was when its content is the same; other content
        is another message. A UID that is doubted counts as kept when the mailbox has a message of the same content.

        Returns:
            Whether a new message was stored; False when it was kept already.

        Raises:
            LeaseLost: the claim no longer holds.
        """
        fingerprint = await spool.finish()
        row = {
            "id": spool.message_id,
            "mailbox_id": claim.mailbox.id,
            "uid": uid,
            "fingerprint": fingerprint,
            "shape": shape,
            "octets": spool.octets,
            "listed_octets": listed_octets,
            "received_at": now,
        }
        async with self._database.write() as session:
            await check_claim(session, claim)
            known = await self._known(session, claim.mailbox.id, uid, now)
            is_old = known is not None and known.state == SeenState.OLD
            parent = await thread_of(session, claim.mailbox.id) if is_old else None
            if known is not None and not await _admit(session, claim.mailbox, known, fingerprint, now):
                return False
            await insert_rows(session, MessageRow, [row])
            await write_chunks(session, spool)
            until = None
            if not is_old:
                parent, until = await digest_for(self._database, session, claim, now)
            await owe(
                self._database,
                session,
                claim.mailbox,
                now=now,
                message_id=spool.message_id,
                parent=parent,
                not_before=until,
            )
        return True

    async def _known(
        self, session: AsyncSession, mailbox_id: str, uid: bytes, now: datetime
    ) -> SeenRow | None:
        """The row of a UID met before; None for a new one, which is marked as kept."""
        if await add_unseen(self._database, session, unseen(mailbox_id, uid, SeenState.KEPT, now)):
            return None
        return await session.get_one(SeenRow, (mailbox_id, uid))

    async def _claimed_key(self, claim: Claim) -> DataKey:
        """The mailbox's key, looked up once in a claim."""
        holder = claim.mailbox.id, claim.fence
        if holder not in self._keys:
            async with self._database.read() as session:
                wrapped = (
                    await session.exec(select(MailboxRow.wrapped_key).where(is_claimed(claim)))
                ).first()
            if wrapped is None:
                raise LeaseLost("The mailbox is another's to poll now.")
            if len(self._keys) >= _KEYS_AT_HAND:
                self._keys.clear()
            self._keys[holder] = self._vault.data_key(
                wrapped, claim.mailbox.owner.workspace, claim.mailbox.id
            )
        return self._keys[holder]

    # UIDs

    async def seen(
        self, mailbox_id: str, due_until: int = -1, *, with_deleted: bool = True
    ) -> dict[bytes, Seen]:
        """Every UID known of a mailbox.

        Args:
            due_until: settled at this watch or before means due to be deleted; by default nothing is.
            with_deleted: those too that are gone from the server; in years they become many more than all others.
        """
        query = SEEN.where(col(SeenRow.mailbox_id) == mailbox_id)
        if not with_deleted:
            query = query.where(col(SeenRow.state) != SeenState.DELETED)
        found: dict[bytes, Seen] = {}
        async with self._database.read() as session:
            streamed = query.execution_options(yield_per=_LISTED_BATCH)
            result = await session.stream(streamed, {"due_until": due_until})
            async for rows in result.partitions():
                found.update({uid: seen(*rest) for uid, *rest in rows})
        return found

    async def seen_among(self, mailbox_id: str, uids: Collection[bytes]) -> dict[bytes, Seen]:
        """Those of the given UIDs that are known of a mailbox."""
        found: dict[bytes, Seen] = {}
        async with self._database.read() as session:
            for batch in in_batches(uids):
                query = SEEN.where(col(SeenRow.mailbox_id) == mailbox_id, col(SeenRow.uid).in_(batch))
                rows = await session.exec(query, params={"due_until": -1})
                found.update({uid: seen(*rest) for uid, *rest in rows})
        return found

    async def note_failure(self, claim: Claim, uid: bytes, now: datetime) -> int:
        """Count one more failed attempt to fetch this UID; how many there are by now."""
        async with self._database.write() as session:
            await check_claim(session, claim)
            await add_unseen(self._database, session, unseen(claim.mailbox.id, uid, SeenState.FAILED, now))
            row = await session.get_one(SeenRow, (claim.mailbox.id, uid))
            row.attempts += 1
            row.changed_at = now
            return row.attempts

    async def ask(self, claim: Claim, uids: Collection[bytes], now: datetime) -> None:
        """Record UIDs that look new and are not fetched before their owner has said what they are."""
        async with self._database.write() as session:
            await check_claim(session, claim)
            await ask_uids(self._database, session, claim.mailbox.id, uids, now)

    async def note_missing(self, claim: Claim, count: int) -> None:
        """So many UIDs of old mail to come were not in a whole listing."""
        async with self._database.write() as session:
            await check_claim(session, claim)
            await note_missing(session, claim.mailbox.id, count)

    async def count_asked(self, mailbox_id: str) -> int:
        """Of how many messages their owner was asked and has not yet said what they are."""
        async with self._database.read() as session:
            return await count_asked(session, mailbox_id)

    # Deleting on the server

    async def has_deletions(self, claim: Claim, due_until: int = -1) -> bool:
        """Whether a deletion in this maildrop was begun, or is due; `due_until` as in `seen`."""
        asked = {"mailbox": claim.mailbox.id, "due_until": due_until}
        async with self._database.read() as session:
            return bool((await session.exec(deletable(), params=asked)).scalar())

    async def mark_deleting(self, claim: Claim, uids: Collection[bytes]) -> None:
        """Commit the intent to DELE these UIDs: all of them or, when one is not settled, none.

        Raises:
            NotFound: a UID is not known as kept and settled.
            LeaseLost: the claim no longer holds.
        """
        wanted = set(uids)
        async with self._database.write() as session:
            await check_claim(session, claim)
            marked = await move_settled(session, claim.mailbox.id, wanted, _IN_HAND, SeenState.DELETING)
            if marked != len(wanted):
                raise NotFound("A UID to delete is not settled.")

    async def confirm_deleted(self, claim: Claim, uids: Collection[bytes]) -> None:
        """The server has none of these UIDs any more: those being deleted are gone."""
        async with self._database.write() as session:
            await check_claim(session, claim)
            await move_settled(session, claim.mailbox.id, uids, (SeenState.DELETING,), SeenState.DELETED)

    async def note_undeleted(self, claim: Claim, uids: Collection[bytes], *, is_final: bool = False) -> int:
        """The server did not delete these UIDs, once more; how many of them are left alone from now on."""
        async with self._database.write() as session:
            await check_claim(session, claim)
            return await note_undeleted(session, claim.mailbox.id, uids, is_final=is_final)

    async def undeleted(self, claim: Claim, least: int) -> set[bytes]:
        """The UIDs being deleted that the server did not delete at least so many times."""
        begun = (col(SeenRow.mailbox_id) == claim.mailbox.id) & (col(SeenRow.state) == SeenState.DELETING)
        query = select(SeenRow.uid).where(begun, text(DELETABLE), col(SeenRow.attempts) >= least)
        async with self._database.read() as session:
            return set((await session.exec(query)).all())

    async def is_newest(self, claim: Claim, uid: bytes, fingerprint: bytes) -> bool:
        """Whether this is the content of the message that was last kept under this UID."""
        async with self._database.read() as session:
            return await _newest_fingerprint(session, claim.mailbox.id, uid) == fingerprint

    async def check(self, claim: Claim) -> None:
        """LeaseLost when the claim no longer holds."""
        async with self._database.read() as session:
            await check_claim(session, claim)

    # Octets

    async def load(self, message_id: str) -> tuple[StoredMessage, bytes]:
        """A message with its octets.

        Raises:
            NotFound: it is purged or removed.
            SealBroken: its octets were changed, reordered or cut.
        """
        message, chunks = _loaded()
        async with self._database.read() as session:
            row = (await session.exec(message, params={"message": message_id})).first()
            sealed = (await session.exec(chunks, params={"message": message_id})).scalars().all()
        if row is None or row.wrapped_key is None:
            raise NotFound("The message is not stored any more.")
        key = self._vault.data_key(row.wrapped_key, row.workspace, row.mailbox_id)
        work = partial(opened_pieces, key, row.workspace, MESSAGE_CHUNKS, message_id, sealed)
        octets = await asyncio.to_thread(work) if row.octets > _THREAD_OCTETS else work()
        return stored(row), octets

    async def purge(self, now: datetime, keep: timedelta, limit: int = 500) -> int:
        """Drop the octets of messages that were settled longer than `keep` ago; that they were seen stays known.

        Returns:
            How many messages lost their octets, at most `limit`.
        """
        count = 0
        while count < limit:
            purged = await self._purge_some(now, now - keep, min(_PURGE_BATCH, limit - count))
            count += purged
            if purged < _PURGE_BATCH:
                break
        return count

    async def _purge_some(self, now: datetime, settled_until: datetime, limit: int) -> int:
        async with self._database.write() as session:
            ripe = (col(MessageRow.settled_at) <= settled_until) & col(MessageRow.purged_at).is_(None)
            query = (
                select(MessageRow.id)
                .where(ripe, ~is_on_its_way())
                .order_by(col(MessageRow.settled_at))
                .limit(limit)
            )
            ids = (await session.exec(query.with_for_update(skip_locked=True))).all()
            if ids:
                await session.exec(delete(ChunkRow).where(col(ChunkRow.message_id).in_(ids)))
                await session.exec(
                    update(MessageRow).where(col(MessageRow.id).in_(ids)).values(purged_at=now)
                )
            return len(ids)


async def _admit(
    session: AsyncSession, mailbox: Mailbox, row: SeenRow, fingerprint: bytes, now: datetime
) -> bool:
    """Mark a UID met before as kept; False when its message is stored already, or not wanted any more."""
    if row.state in _IN_HAND or row.state == SeenState.SKIPPED:
        return False
    before = row.state
    row.state, row.changed_at = SeenState.KEPT, now
    is_same = (
        before == SeenState.DELETED
        and await _newest_fingerprint(session, row.mailbox_id, row.uid) == fingerprint
    )
    # What was deleted and is there again was not deleted; else what was counted were failures to fetch it.
    row.attempts = row.attempts + 1 if is_same else 0
    if before == SeenState.DOUBTED:
        watch = watch_at(mailbox.watched, mailbox.polled_at, now)
        return not await _renamed(session, row, fingerprint, watch)
    row.is_settled = row.is_settled and is_same
    if not row.is_settled or row.attempts >= DELETION_TRIES:
        row.settled_watch = None
    return not is_same


@cache
def _loaded() -> tuple[Any, Any]:
    """A message with what opens it, and its pieces in order."""
    message, mailbox, chunk = plain(MessageRow), plain(MailboxRow), plain(ChunkRow).c
    rows = message.join(mailbox, mailbox.c.id == message.c.mailbox_id)
    query = sqlalchemy.select(message, mailbox.c.wrapped_key, mailbox.c.workspace).select_from(rows)
    query = query.where(message.c.id == bindparam("message"), message.c.purged_at.is_(None))
    chunks = sqlalchemy.select(chunk.octets).where(chunk.message_id == bindparam("message"))
    return query, chunks.order_by(chunk.number)


async def _renamed(session: AsyncSession, row: SeenRow, fingerprint: bytes, watch: timedelta) -> bool:
    """Whether a message of this content is stored; it bears this UID from now on. Nothing is no content."""
    query = select(MessageRow).where(
        MessageRow.mailbox_id == row.mailbox_id, MessageRow.fingerprint == fingerprint, MessageRow.octets > 0
    )
    message = (await session.exec(query.order_by(col(MessageRow.id)).limit(1))).first()
    if message is None:
        return False
    before = await session.get_one(SeenRow, (row.mailbox_id, message.uid))
    message.uid = row.uid
    row.is_settled = before.is_settled
    row.settled_watch = seconds(watch) if row.is_settled else None
    return True


async def _newest_fingerprint(session: AsyncSession, mailbox_id: str, uid: bytes) -> bytes | None:
    query = select(MessageRow.fingerprint).where(MessageRow.mailbox_id == mailbox_id, MessageRow.uid == uid)
    return (await session.exec(query.order_by(col(MessageRow.id).desc()).limit(1))).first()


def stored(row: Any) -> StoredMessage:
    """The record of a message's row."""
    return StoredMessage(
        id=row.id,
        mailbox_id=row.mailbox_id,
        shape=Shape(row.shape),
        octets=row.octets,
        listed_octets=row.listed_octets,
        received_at=row.received_at,
    )
