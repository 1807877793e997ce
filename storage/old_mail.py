"""Old mail that is brought bit by bit: the UIDs that wait, and the notice that tells how far it is.

Its messages stand in the thread of that notice. How many are in Slack, on their way and still to come is counted
from the tables that hold them, so that a crash makes no number wrong.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, text, update
from sqlmodel import col, select

from storage.database import is_id
from storage.errors import NotFound
from storage.fencing import FREED, is_dm_of
from storage.outbox import refresh_due
from storage.owing import owe
from storage.records import Bringing, EntryState, Notice, Person, SeenState
from storage.seen import add_uids, unseen
from storage.statements import insert_rows, plain, update_rows
from storage.tables import (
    BEHIND,
    OPEN,
    ChunkRow,
    DmRow,
    EntryRow,
    MailboxRow,
    MessageRow,
    OldMailRow,
    SeenRow,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Mailbox

_STOPPED: Final = "stopped"
_DROPPED_BATCH: Final = 50


class OldMails:
    """The store of old mail on its way."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def get(self, entry_id: str) -> Bringing:
        """How far the old mail under this notice is; NotFound when it went with its mailbox."""
        async with self._database.read() as session:
            row = await session.get(OldMailRow, entry_id)
            if row is None:
                raise NotFound("There is no such old mail.")
            return await _bringing(session, row)

    async def behind(self, after: str, limit: int) -> list[Bringing]:
        """Old mail whose notice stands in Slack and no longer says how far it is, by id.

        Args:
            after: the last id of the call before, "" to begin.
        """
        is_posted = exists().where(col(EntryRow.id) == OldMailRow.id, col(EntryRow.ts).is_not(None))
        query = select(OldMailRow).where(text(BEHIND), col(OldMailRow.id) > after, is_posted)
        async with self._database.read() as session:
            rows = (await session.exec(query.order_by(col(OldMailRow.id)).limit(limit))).all()
            return [await _bringing(session, row) for row in rows]

    async def told(self, bringing: Bringing) -> None:
        """The notice says this now; what changed since then remains to be told."""
        async with self._database.write() as session:
            await update_rows(
                session, OldMailRow, col(OldMailRow.id) == bringing.id, {"told": bringing.changes}
            )

    async def stop(self, owner: Person, entry_id: str, now: datetime) -> Bringing:
        """Bring no more of it: neither what is still on the server nor what waits to be posted; once is enough.

        Nothing of it is deleted on the server: what was fetched and not posted is never settled.

        Raises:
            NotFound: it is somebody else's, or gone.
        """
        if not is_id(entry_id):
            raise NotFound("This person has no such old mail.")
        async with self._database.write() as session:
            mine = (col(MailboxRow.workspace) == owner.workspace) & (col(MailboxRow.owner) == owner.user)
            query = select(MailboxRow.id).join(OldMailRow, col(OldMailRow.mailbox_id) == MailboxRow.id)
            query = query.where(mine, OldMailRow.id == entry_id)
            if (
                await session.exec(query.with_for_update(key_share=True, of=plain(MailboxRow)))
            ).first() is None:
                raise NotFound("This person has no such old mail.")
            row = await session.get_one(OldMailRow, entry_id)
            before = await _bringing(session, row)
            if not before.is_stopped and before.left:
                await _stop(session, row, before, now)
            stopped = await _bringing(session, row)
        await self._drop_octets(entry_id, now)
        return stopped

    async def _drop_octets(self, entry_id: str, now: datetime) -> None:
        """Of what was fetched and will not be posted, in pieces."""
        query = select(EntryRow.message_id).where(EntryRow.parent == entry_id, EntryRow.error == _STOPPED)
        async with self._database.read() as session:
            ids = (await session.exec(query)).all()
        for number in range(0, len(ids), _DROPPED_BATCH):
            these = ids[number : number + _DROPPED_BATCH]
            async with self._database.write() as session:
                await session.exec(delete(ChunkRow).where(col(ChunkRow.message_id).in_(these)))
                await update_rows(session, MessageRow, col(MessageRow.id).in_(these), {"purged_at": now})


async def bring(
    database: Database, session: AsyncSession, mailbox: Mailbox, uids: Collection[bytes], now: datetime
) -> None:
    """Record UIDs as old mail to come, and owe the notice in whose thread it will stand."""
    if not uids:
        return
    await add_uids(database, session, (unseen(mailbox.id, uid, SeenState.OLD, now) for uid in uids))
    entry_id = await owe(database, session, mailbox, now=now, notice=Notice.OLD_MAIL)
    row = {"id": entry_id, "mailbox_id": mailbox.id, "missing": 0, "changes": 0, "told": 0}
    await insert_rows(session, OldMailRow, [row])


async def forget_wanted(session: AsyncSession, mailbox_id: str, now: datetime) -> None:
    """Another maildrop took the place of this one: what is still on the old server does not come any more."""
    query = select(OldMailRow).where(
        OldMailRow.mailbox_id == mailbox_id, col(OldMailRow.stopped_of).is_(None)
    )
    for row in (await session.exec(query)).all():
        await _skip_wanted(session, row, await _bringing(session, row), now)


async def thread_of(session: AsyncSession, mailbox_id: str) -> str | None:
    """The notice in whose thread a mailbox's old mail goes now; it will tell that there is more of it."""
    entry_id: str | None = (await session.exec(_enter(), params={"mailbox": mailbox_id})).scalar()
    return entry_id


async def note_missing(session: AsyncSession, mailbox_id: str, count: int) -> None:
    """So many of the UIDs wanted were not listed this time."""
    ours = (col(OldMailRow.mailbox_id) == mailbox_id) & col(OldMailRow.stopped_of).is_(None)
    changed = ours & (col(OldMailRow.missing) != count)
    await update_rows(
        session, OldMailRow, changed, {"missing": count, "changes": col(OldMailRow.changes) + 1}
    )


async def _stop(session: AsyncSession, row: OldMailRow, before: Bringing, now: datetime) -> None:
    await _skip_wanted(session, row, before, now)
    waits = (col(EntryRow.parent) == row.id) & (col(EntryRow.state) == EntryState.WAITING)
    given_up = {"state": EntryState.GIVEN_UP, "error": _STOPPED, "finished_at": now}
    # A delivery that runs may have one of them in hand: it begins nothing more.
    await update_rows(session, DmRow, is_dm_of(before.owner), {**FREED, "fence": col(DmRow.fence) + 1})
    await update_rows(session, EntryRow, waits, given_up)
    await refresh_due(session, before.owner, now)


async def _skip_wanted(session: AsyncSession, row: OldMailRow, before: Bringing, now: datetime) -> None:
    values = {"state": SeenState.SKIPPED, "changed_at": now}
    await update_rows(session, SeenRow, _is_wanted(row.mailbox_id), values)
    row.stopped_of = before.total
    row.changes += 1
    await session.flush()


def _is_wanted(mailbox_id: str) -> ColumnElement[bool]:
    seen = plain(SeenRow).c
    return (seen.mailbox_id == mailbox_id) & text(OPEN) & (seen.state == SeenState.OLD)


async def _bringing(session: AsyncSession, row: OldMailRow) -> Bringing:
    entry = (await session.exec(select(EntryRow).where(EntryRow.id == row.id))).one()
    counts = select(func.count(), func.count(col(EntryRow.ts)), func.count(col(EntryRow.finished_at)))
    mails = counts.where(EntryRow.parent == row.id, col(EntryRow.message_id).is_not(None))
    mails = mails.where(EntryRow.state != EntryState.MUTED)  # kept out by its owner, so nothing is missing
    fetched, brought, finished = (await session.exec(mails)).one()
    wanted = select(func.count()).select_from(SeenRow).where(_is_wanted(row.mailbox_id))
    waiting = (await session.exec(wanted)).one() if row.stopped_of is None else 0
    to_come = max(0, waiting - row.missing)
    return Bringing(
        id=row.id,
        mailbox_id=row.mailbox_id,
        owner=Person(entry.workspace, entry.owner),
        total=fetched + to_come if row.stopped_of is None else row.stopped_of,
        brought=brought,
        left=fetched - finished + to_come,
        is_stopped=row.stopped_of is not None,
        channel=entry.channel,
        ts=entry.ts,
        changes=row.changes,
    )


@cache
def _enter() -> Any:
    old = plain(OldMailRow)
    is_open = (old.c.mailbox_id == bindparam("mailbox")) & old.c.stopped_of.is_(None)
    return update(old).where(is_open).values(changes=old.c.changes + 1).returning(old.c.id)
