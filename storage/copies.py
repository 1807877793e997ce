"""Copies: messages that the bot posts for others than their owner, once for each destination.

A copy is an entry of the outbox, so it is posted, looked up and filed as any other. That it may be posted is decided in
the transaction that owes it and afresh when it is delivered; when its right ends, `withdraw_copies` takes it back in the
transaction of that end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import delete
from sqlmodel import col

from storage.audits import add_audit
from storage.copied import Copy, is_channel
from storage.errors import NotFound, NotPermitted
from storage.facts import facts_in, lock_sharing, message_in
from storage.fencing import held_dm, is_dm_of
from storage.outbox import refresh_due
from storage.owing import owe_to
from storage.records import EntryState, Notice, Person
from storage.sharing import Act, AuditEntry, Level
from storage.sharing_tables import CopyRow
from storage.statements import in_batches, insert_rows, plain, update_rows
from storage.tables import DmRow, EntryRow
from storage.withdrawing import withdraw_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Dm, Entry
    from storage.sharing import Facts


@dataclass(frozen=True, slots=True)
class Fresh:
    """A message that is to come into a channel, and the share that says so; "" where a FIXED grant does."""

    mailbox_id: str
    message_id: str
    to: Person
    share: str = ""


class Copies:
    """The store of copies."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def owe(
        self,
        mailbox_id: str,
        message_id: str,
        to: Person,
        now: datetime,
        permits: Callable[[Facts], bool],
        *,
        share: str = "",
    ) -> str:
        """Owe a message to a viewer, or to a channel by its id; the entry that brings it.

        What is owed or posted there and was not called back stays the one.

        Args:
            share: what gives the right, so that the copy goes with it. Without one it goes with the end of any share of
                the mailbox.

        Raises:
            NotFound: mailbox or message is gone, or the owner keeps the message out of Slack.
            NotPermitted: the judge said no; nothing was written.
        """
        async with self._database.write() as session:
            await lock_sharing(self._database, session, to.workspace)
            facts = await facts_in(session, mailbox_id)
            if not permits(facts):
                raise NotPermitted("This message may not be copied there.")
            if (await message_in(session, message_id)).mailbox_id != mailbox_id:
                raise NotFound("There is no such message.")
            before = await _copy_row(session, message_id, to)
            entry_id = await self._owe(session, Fresh(mailbox_id, message_id, to, share), now)
            if not is_channel(to.user) and (before is None or str(before.entry_id) != entry_id):
                await _note(session, facts, message_id, to, now)
            return entry_id

    async def spread(self, fresh: Sequence[Fresh], now: datetime) -> int:
        """Owe messages to channels whose shares bring them, each once for ever; how many were not owed before.

        Whether they may be posted is decided when they are delivered.
        """
        count = 0
        for batch in in_batches(fresh):
            async with self._database.write() as session:
                for workspace in sorted({each.to.workspace for each in batch}):
                    await lock_sharing(self._database, session, workspace)
                for each in batch:
                    if await _copy_row(session, each.message_id, each.to) is None and await _is_there(
                        session, each
                    ):
                        await self._owe(session, each, now)
                        count += 1
        return count

    async def _owe(self, session: AsyncSession, fresh: Fresh, now: datetime) -> str:
        row = await _copy_row(session, fresh.message_id, fresh.to)
        if row is not None:
            is_lost = row.state == EntryState.GIVEN_UP and row.ts is None
            if row.withdrawn_at is None and not is_lost:
                return str(row.entry_id)
            await session.exec(delete(CopyRow).where(col(CopyRow.entry_id) == row.entry_id))
        entry_id = await owe_to(
            self._database, session, fresh.to, fresh.mailbox_id, now=now, notice=Notice.COPY
        )
        values = {
            "entry_id": entry_id,
            "mailbox_id": fresh.mailbox_id,
            "message_id": fresh.message_id,
            "share_id": fresh.share,
            "workspace": fresh.to.workspace,
            "destination": fresh.to.user,
            # Of what is not posted yet no more than that can be missed; what is about to be is noted before.
            "level": int(Level.SEE),
            "withdrawn_at": None,
        }
        await insert_rows(session, CopyRow, [values])
        return entry_id

    async def get(self, entry_id: str) -> Copy:
        """What an entry brings.

        Raises:
            NotFound: it is gone, called back or given up.
        """
        found = await self._where(col(CopyRow.entry_id) == entry_id)
        if not found:
            raise NotFound("There is no such copy.")
        return found[0]

    async def of_viewer(self, viewer: Person) -> list[Copy]:
        """What is owed or posted to somebody, or to a channel, and was not called back; the newest first."""
        row = plain(CopyRow).c
        return await self._where((row.workspace == viewer.workspace) & (row.destination == viewer.user))

    async def of_mailbox(self, mailbox_id: str) -> list[Copy]:
        """The same of one mailbox, to whomever."""
        return await self._where(plain(CopyRow).c.mailbox_id == mailbox_id)

    async def mailboxes(self, workspace: str) -> list[str]:
        """The mailboxes of which something is owed or posted to others and was not called back."""
        row = plain(CopyRow).c
        query: Any = sqlalchemy.select(row.mailbox_id).distinct()
        async with self._database.read() as session:
            found = await session.exec(query.where(row.workspace == workspace, row.withdrawn_at.is_(None)))
        return sorted(found.scalars().all())

    async def _where(self, which: ColumnElement[bool]) -> list[Copy]:
        row, entry = plain(CopyRow), plain(EntryRow)
        is_alive = (entry.c.state != EntryState.GIVEN_UP.value) | entry.c.ts.is_not(None)
        query: Any = sqlalchemy.select(row).select_from(row.join(entry, entry.c.id == row.c.entry_id))
        query = query.where(which, row.c.withdrawn_at.is_(None), is_alive)
        async with self._database.read() as session:
            rows = (await session.exec(query.order_by(row.c.entry_id.desc()))).all()
        return [_copy(each) for each in rows]

    async def note_level(self, entry_id: str, level: Level) -> None:
        """Record what is about to be posted of a copy: a card, or the whole message."""
        async with self._database.write() as session:
            which = col(CopyRow.entry_id) == entry_id
            await update_rows(session, CopyRow, which, {"level": int(min(level, Level.OPEN))})

    async def put_off(self, dm: Dm, entry: Entry, until: datetime, now: datetime) -> None:
        """Nobody can say now whether a copy may be posted: it waits apart, and holds up nothing else.

        Raises:
            LeaseLost: the DM is another's by now.
        """
        async with self._database.write() as session:
            row = await held_dm(session, dm)
            await update_rows(session, EntryRow, col(EntryRow.number) == entry.order, {"not_before": until})
            wake_at = until if row.wake_at is None else min(until, row.wake_at)
            await update_rows(session, DmRow, is_dm_of(dm.owner), {"wake_at": wake_at})
            await refresh_due(session, dm.owner, now)

    async def withdraw(self, entry_ids: Collection[str], now: datetime) -> int:
        """Call copies back; how many were owed or posted still."""
        count = 0
        for batch in in_batches(entry_ids):
            async with self._database.write() as session:
                count += await withdraw_copies(self._database, session, entry_ids=batch, now=now)
        return count


async def _note(session: AsyncSession, facts: Facts, message_id: str, to: Person, now: datetime) -> None:
    """That somebody asked for a copy of their own."""
    subject = f"message:{message_id}"
    entry = AuditEntry(now, to.workspace, to.user, Act.COPY_SENT, facts.owner.user, facts.mailbox_id, subject)
    await add_audit(session, entry)


async def _copy_row(session: AsyncSession, message_id: str, to: Person) -> Any:
    """A message's copy there with the state of its entry; None where there is none."""
    copy, entry = plain(CopyRow), plain(EntryRow)
    columns = (copy.c.entry_id, copy.c.withdrawn_at, entry.c.state, entry.c.ts)
    query: Any = sqlalchemy.select(*columns).select_from(copy.join(entry, entry.c.id == copy.c.entry_id))
    this = (copy.c.workspace == to.workspace) & (copy.c.destination == to.user)
    return (await session.exec(query.where(copy.c.message_id == message_id, this))).first()


async def _is_there(session: AsyncSession, fresh: Fresh) -> bool:
    """Whether mailbox and message are still there: either may have gone since they were read."""
    try:
        await facts_in(session, fresh.mailbox_id)
        message = await message_in(session, fresh.message_id)
    except NotFound:
        return False
    return message.mailbox_id == fresh.mailbox_id


def _copy(row: Any) -> Copy:
    return Copy(
        entry_id=row.entry_id,
        mailbox_id=row.mailbox_id,
        message_id=row.message_id,
        to=Person(row.workspace, row.destination),
        share=row.share_id,
        level=Level(row.level),
    )
