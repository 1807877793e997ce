"""Messages as they came, wanted in the thread of their post: what was asked for, what the server is asked, what came.

A message is wanted once. While its octets are kept whole its file is owed at once; else the next polls look for it on
the server. Whatever comes of that stands in the thread: an entry of the outbox brings it, exactly once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import delete, text
from sqlmodel import col, select

from storage.answers import of_owner
from storage.chunks import write_chunks
from storage.errors import NotFound
from storage.fencing import check_claim
from storage.owing import owe
from storage.records import EntryState, Notice, Shape
from storage.statements import plain, update_rows
from storage.tables import LOOKED_FOR, ChunkRow, EntryRow, MailboxRow, MessageRow, OriginalRow
from storage.wishes import Original, OriginalState, Wanted

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Claim, Mailbox
    from storage.spool import Spool

MOST_AT_ONCE: Final = 10
"""So many are looked for in one session."""


class Originals:
    """The store of messages wanted as they came."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def want(
        self, mailbox: Mailbox, message_id: str, now: datetime, *, again: bool, stands_in: bool = False
    ) -> Original:
        """Want a message of a person's mailbox as it came. What is on its way, or was brought, stays as it is.

        Args:
            again: what the server did not have, or would not hand over, is looked for once more.
            stands_in: it comes in place of its post, not in the thread of that.

        Raises:
            NotFound: the message is gone, or of another mailbox.
        """
        async with self._database.write() as session:
            message = await _message(session, mailbox, message_id)
            row = await session.get(OriginalRow, message_id)
            if row is not None:
                found = await _known(session, row)
                is_open = found.state in {OriginalState.ASKED, OriginalState.HERE} and not found.is_there
                is_lost = found.state is OriginalState.HERE and await _is_given_up(session, row)
                if (found.is_there or is_open or not again) and not is_lost:
                    return found
                await session.delete(row)
                await session.flush()
            return await self._want(session, mailbox, message, now, stands_in=stands_in)

    async def _want(
        self, session: AsyncSession, mailbox: Mailbox, message: MessageRow, now: datetime, *, stands_in: bool
    ) -> Original:
        is_kept = message.purged_at is None and message.shape == Shape.WHOLE
        state = OriginalState.HERE if is_kept else OriginalState.ASKED
        entry_id = None
        if is_kept:
            entry_id = await self._owe(session, mailbox, message.id, now, stands_in=stands_in)
        session.add(
            OriginalRow(
                message_id=message.id,
                mailbox_id=mailbox.id,
                state=state,
                entry_id=entry_id,
                attempts=0,
                asked_at=now,
            )
        )
        return Original(message.id, state)

    async def _owe(
        self,
        session: AsyncSession,
        mailbox: Mailbox,
        message_id: str,
        now: datetime,
        *,
        stands_in: bool = False,
    ) -> str:
        """The entry that brings it, in the thread its post stands in or begins; by itself where Slack took none."""
        query = select(EntryRow).where(EntryRow.message_id == message_id)
        post = (await session.exec(query)).first()
        if post is None:
            raise NotFound("The message was never owed.")
        is_alone = stands_in or post.state == EntryState.GIVEN_UP
        parent = None if is_alone else post.parent or post.id
        return await owe(self._database, session, mailbox, now=now, notice=Notice.ORIGINAL, parent=parent)

    async def brought_by(self, entry_id: str) -> Original:
        """What an entry brings into its thread.

        Raises:
            NotFound: it is not wanted any more.
        """
        query = select(OriginalRow).where(OriginalRow.entry_id == entry_id)
        async with self._database.read() as session:
            row = (await session.exec(query)).first()
            if row is None:
                raise NotFound("No such message is wanted.")
            post = select(EntryRow.ts).where(EntryRow.message_id == row.message_id)
            has_post = (await session.exec(post)).first() is not None
        return Original(row.message_id, OriginalState(row.state), stands_in=not has_post)

    # Polls

    async def wanted(self, mailbox_id: str) -> dict[bytes, Wanted]:
        """The UIDs a poll is to look for, those asked for longest."""
        original, message = plain(OriginalRow), plain(MessageRow)
        rows = original.join(message, message.c.id == original.c.message_id)
        columns = (message.c.uid, message.c.id, message.c.shape, message.c.octets, message.c.fingerprint)
        query: Any = sqlalchemy.select(*columns).select_from(rows)
        query = query.where(original.c.mailbox_id == mailbox_id, text(LOOKED_FOR))
        async with self._database.read() as session:
            found = (await session.exec(query.order_by(original.c.asked_at).limit(MOST_AT_ONCE))).all()
        return {row.uid: Wanted(row.id, Shape(row.shape), row.octets, row.fingerprint) for row in found}

    async def bring(self, claim: Claim, spool: Spool, now: datetime) -> None:
        """Keep the whole message that was looked for, and owe it; its octets count from now on as posted.

        Its fingerprint stays that of what was fetched first, by which its UID is known.

        Raises:
            LeaseLost: the claim no longer holds.
        """
        await spool.finish()
        async with self._database.write() as session:
            await check_claim(session, claim)
            row = await _looked_for(session, spool.message_id)
            if row is None:
                return
            await session.exec(delete(ChunkRow).where(col(ChunkRow.message_id) == spool.message_id))
            await write_chunks(session, spool)
            values = {
                "shape": Shape.WHOLE, "octets": spool.octets, "settled_at": now, "purged_at": None,
            }  # fmt: skip
            await update_rows(session, MessageRow, col(MessageRow.id) == spool.message_id, values)
            row.entry_id = await self._owe(session, claim.mailbox, spool.message_id, now)
            row.state = OriginalState.HERE

    async def lose(self, claim: Claim, message_id: str, state: OriginalState, now: datetime) -> None:
        """The server did not bring it; an entry says why, in the thread.

        Raises:
            LeaseLost: the claim no longer holds.
        """
        async with self._database.write() as session:
            await check_claim(session, claim)
            row = await _looked_for(session, message_id)
            if row is not None:
                row.state = state
                row.entry_id = await self._owe(session, claim.mailbox, message_id, now)

    async def note_failure(self, claim: Claim, message_id: str) -> int:
        """Count one more failed attempt to fetch it; how many there are by now."""
        async with self._database.write() as session:
            await check_claim(session, claim)
            row = await _looked_for(session, message_id)
            if row is None:
                return 0
            row.attempts += 1
            return row.attempts


async def _message(session: AsyncSession, mailbox: Mailbox, message_id: str) -> MessageRow:
    """The message, its mailbox locked: two clicks come one after the other."""
    mine = select(MailboxRow.id).where(*of_owner(mailbox.owner), MailboxRow.id == mailbox.id)
    is_there = (await session.exec(mine.with_for_update(key_share=True))).first() is not None
    message = await session.get(MessageRow, message_id) if is_there else None
    if message is None or message.mailbox_id != mailbox.id:
        raise NotFound("This person has no such message.")
    return message


async def _looked_for(session: AsyncSession, message_id: str) -> OriginalRow | None:
    row = await session.get(OriginalRow, message_id)
    return row if row is not None and row.state == OriginalState.ASKED else None


async def _known(session: AsyncSession, row: OriginalRow) -> Original:
    state = OriginalState(row.state)
    query = select(EntryRow.state).where(EntryRow.id == row.entry_id)
    is_settled = (await session.exec(query)).first() == EntryState.SETTLED
    return Original(row.message_id, state, is_there=state is OriginalState.HERE and is_settled)


async def _is_given_up(session: AsyncSession, row: OriginalRow) -> bool:
    query = select(EntryRow.state).where(EntryRow.id == row.entry_id)
    return (await session.exec(query)).first() in {EntryState.GIVEN_UP, None}
