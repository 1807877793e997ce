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

from storage.database import new_id
from storage.errors import LeaseLost, NotFound, SealBroken
from storage.fencing import check_claim, is_claimed
from storage.owing import owe
from storage.records import Retention, SeenState, Shape, StoredMessage
from storage.seen import SEEN, add_unseen, move_settled, seen, unseen
from storage.spool import Spool, chunk_place
from storage.statements import in_batches, insert_rows, plain
from storage.tables import DELETABLE, ChunkRow, MailboxRow, MessageRow, SeenRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Claim, Seen
    from storage.vault import DataKey, Vault

_LISTED_BATCH: Final = 5_000
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

    def spool(self, claim: Claim) -> Spool:
        """Where a message of this mailbox is written while it arrives; close it whatever happens."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Spool(new_id(), claim.mailbox.owner.workspace, self._folder, partial(self._claimed_key, claim))

    async def keep(
        self, claim: Claim, uid: bytes, spool: Spool, *, shape: Shape, listed_octets: int, now: datetime
    ) -> bool:
        """Store a message, its UID and its outbox entry, all or nothing.

        A UID that was deleted and is listed again comes back as it was when its content is the same; other content
        is another message.

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
            if not await self._admit(session, claim.mailbox.id, uid, fingerprint, now):
                return False
            await insert_rows(session, MessageRow, [row])
            await _write_chunks(session, spool)
            await owe(self._database, session, claim.mailbox, now=now, message_id=spool.message_id)
        return True

    async def _admit(
        self, session: AsyncSession, mailbox_id: str, uid: bytes, fingerprint: bytes, now: datetime
    ) -> bool:
        """Mark the UID as kept; False when its message is stored already."""
        if await add_unseen(self._database, session, unseen(mailbox_id, uid, SeenState.KEPT, now)):
            return True
        row = await session.get_one(SeenRow, (mailbox_id, uid))
        if row.state in _IN_HAND:
            return False
        is_same = row.state == SeenState.DELETED and await _newest_fingerprint(session, row) == fingerprint
        row.state, row.changed_at = SeenState.KEPT, now
        row.is_settled = row.is_settled and is_same
        return not is_same

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

    async def seen(self, mailbox_id: str) -> dict[bytes, Seen]:
        """Every UID known of a mailbox."""
        query = SEEN.where(col(SeenRow.mailbox_id) == mailbox_id)
        found: dict[bytes, Seen] = {}
        async with self._database.read() as session:
            result = await session.stream(query.execution_options(yield_per=_LISTED_BATCH))
            async for rows in result.partitions():
                found.update(
                    {uid: seen(state, attempts, is_settled) for uid, state, attempts, is_settled in rows}
                )
        return found

    async def seen_among(self, mailbox_id: str, uids: Collection[bytes]) -> dict[bytes, Seen]:
        """Those of the given UIDs that are known of a mailbox."""
        found: dict[bytes, Seen] = {}
        async with self._database.read() as session:
            for batch in in_batches(uids):
                query = SEEN.where(col(SeenRow.mailbox_id) == mailbox_id, col(SeenRow.uid).in_(batch))
                rows = await session.exec(query)
                found.update(
                    {uid: seen(state, attempts, is_settled) for uid, state, attempts, is_settled in rows}
                )
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

    # Deleting on the server

    async def has_deletions(self, claim: Claim) -> bool:
        """Whether the delete setting has work in this maildrop, begun or due."""
        async with self._database.read() as session:
            row = (await session.exec(_deletable(), params={"mailbox": claim.mailbox.id})).first()
        found = row and row.state
        return found == SeenState.DELETING or (
            found is not None and claim.mailbox.retention is not Retention.LEAVE
        )

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
        """A later listing no longer held these UIDs: those being deleted are gone."""
        async with self._database.write() as session:
            await check_claim(session, claim)
            await move_settled(session, claim.mailbox.id, uids, (SeenState.DELETING,), SeenState.DELETED)

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
        work = partial(_open_chunks, key, row.workspace, message_id, sealed)
        octets = await asyncio.to_thread(work) if row.octets > _THREAD_OCTETS else work()
        return _stored(row), octets

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
            query = select(MessageRow.id).where(ripe).order_by(col(MessageRow.settled_at)).limit(limit)
            ids = (await session.exec(query.with_for_update(skip_locked=True))).all()
            if ids:
                await session.exec(delete(ChunkRow).where(col(ChunkRow.message_id).in_(ids)))
                await session.exec(
                    update(MessageRow).where(col(MessageRow.id).in_(ids)).values(purged_at=now)
                )
            return len(ids)


@cache
def _deletable() -> Any:
    # By state, "deleting" first; the order also leads SQLite to the small index.
    seen = plain(SeenRow).c
    query = sqlalchemy.select(seen.state).where(seen.mailbox_id == bindparam("mailbox"), text(DELETABLE))
    return query.order_by(seen.state).limit(1)


@cache
def _loaded() -> tuple[Any, Any]:
    """A message with what opens it, and its pieces in order."""
    message, mailbox, chunk = plain(MessageRow), plain(MailboxRow), plain(ChunkRow).c
    rows = message.join(mailbox, mailbox.c.id == message.c.mailbox_id)
    query = sqlalchemy.select(message, mailbox.c.wrapped_key, mailbox.c.workspace).select_from(rows)
    query = query.where(message.c.id == bindparam("message"), message.c.purged_at.is_(None))
    chunks = sqlalchemy.select(chunk.octets).where(chunk.message_id == bindparam("message"))
    return query, chunks.order_by(chunk.number)


async def _write_chunks(session: AsyncSession, spool: Spool) -> None:
    """A few pieces at a time: the message is never in memory as a whole."""
    async for batch in spool.batches():
        rows = [
            {"message_id": spool.message_id, "number": number, "octets": sealed} for number, sealed in batch
        ]
        await insert_rows(session, ChunkRow, rows)


async def _newest_fingerprint(session: AsyncSession, row: SeenRow) -> bytes | None:
    query = select(MessageRow.fingerprint).where(
        MessageRow.mailbox_id == row.mailbox_id, MessageRow.uid == row.uid
    )
    return (await session.exec(query.order_by(col(MessageRow.id).desc()).limit(1))).first()


def _stored(row: Any) -> StoredMessage:
    return StoredMessage(
        id=row.id,
        mailbox_id=row.mailbox_id,
        shape=Shape(row.shape),
        octets=row.octets,
        listed_octets=row.listed_octets,
        received_at=row.received_at,
    )


def _open_chunks(key: DataKey, workspace: str, message_id: str, sealed: Sequence[bytes]) -> bytes:
    if not sealed:
        raise SealBroken("A stored message has no octets.")
    last = len(sealed) - 1
    places = (
        chunk_place(workspace, message_id, number, is_last=number == last) for number in range(len(sealed))
    )
    return b"".join(key.open(chunk, place) for chunk, place in zip(sealed, places, strict=True))
