"""The outbox: what is owed to each DM, in order, and who delivers it now.

No entry leaves without a state. A DM is leased as a whole, so its posts keep their order; every write checks the
fencing number of the lease.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import ColumnElement, bindparam, func, outerjoin, tuple_, update
from sqlmodel import col, select

from storage.calm import is_held_back, wake
from storage.conversations import note
from storage.database import id_time
from storage.deletion import watch_at
from storage.entries import FINISHED, is_intent, save, save_intent
from storage.errors import LeaseLost
from storage.fencing import (
    ANY_DM,
    FREED,
    held_dm,
    is_dm_of,
    is_free,
    is_held,
    this_dm,
    this_owner,
    update_held,
)
from storage.records import Dm, Entry, EntryState, Notice, Person, Shape
from storage.seen import seconds
from storage.statements import plain, update_rows
from storage.tables import DmRow, EntryRow, MailboxRow, MessageRow, OldMailRow, SeenRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.conversations import Place
    from storage.database import Database

_NO_ALARMS: Final = (
    Notice.ALL_CLEAR, Notice.OLD_MAIL, Notice.ORIGINAL, Notice.DIGEST, Notice.COPY, Notice.TOLD, Notice.OUTGOING,
    Notice.OUTGOING_REFUSED, Notice.OUTGOING_NEWS,
)  # fmt: skip
_RAISED: Final = {**FREED, "fence": col(DmRow.fence) + 1}


@dataclass(frozen=True, slots=True)
class Depth:
    """What the outbox holds: unfinished entries, since when the oldest of them, since when the longest due DM.

    `oldest_due` moves on while a DM is held and may lie ahead; `oldest` does not.
    """

    entries: int
    oldest: datetime | None
    oldest_due: datetime | None


class Outbox:
    """The store of entries and DMs."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def claim_due(
        self, now: datetime, *, lease: timedelta, worker: str, limit: int, busy: Collection[Person] = ()
    ) -> list[Dm]:
        """Lease DMs that are owed something which may be attended to now, longest due first; what was held is let go.

        Args:
            busy: people whose DM the worker still has in hand.
        """
        query = select(DmRow).where(col(DmRow.due_at) <= now, is_free(DmRow, now))
        if busy:
            query = query.where(_key().not_in([(person.workspace, person.user) for person in busy]))
        query = query.order_by(col(DmRow.due_at)).limit(limit).with_for_update(skip_locked=True)
        async with self._database.write() as session:
            await wake(session, now)
            rows = (await session.exec(query)).all()
            if rows:
                keys = [(row.workspace, row.owner) for row in rows]
                values = {**_RAISED, "lease_owner": worker, "lease_until": now + lease}
                await update_rows(session, DmRow, _key().in_(keys), values)
        return [_dm(row, row.fence + 1) for row in rows]

    async def head(self, dm: Dm) -> Entry | None:
        """The unfinished entry whose turn it is; LeaseLost when the DM is another's by now.

        That is the oldest, but what stands in threads gives way: old mail holds up no new one.
        """
        async with self._database.read() as session:
            row = (await session.exec(_held_head(), params=this_dm(dm))).first()
        if row is None:
            raise LeaseLost("The DM is another's to post into now.")
        return None if row.number is None else _entry(row)

    async def record(
        self,
        dm: Dm,
        entry: Entry,
        *,
        now: datetime,
        error: str | None = None,
        held_until: datetime | None = None,
        lease_until: datetime | None = None,
        place: Place | None = None,
    ) -> Dm:
        """Record where an entry stands and what that means for its DM, all or nothing.

        Repeating the same call changes nothing more. A settled message is settled for the delete setting too.

        Args:
            error: Slack's code, never its words: they may repeat the post.
            held_until: nothing goes to this DM before; None leaves a hold as it is.
            lease_until: the lease's new end; None leaves it.
            place: where the entry's mail goes, when that is new.

        Raises:
            LeaseLost: the DM is another's by now, or the entry's mailbox was removed.
        """
        async with self._database.write() as session:
            if is_intent(entry) and held_until is None and error is None:
                await save_intent(session, dm, entry, now, lease_until)
                if place is not None:
                    await note(self._database, session, entry, place, now)
                return replace(dm, channel=entry.channel or dm.channel)
            row = await held_dm(session, dm)
            await save(session, entry, now, error)
            if place is not None:
                await note(self._database, session, entry, place, now)
            if entry.state is EntryState.SETTLED and entry.message_id is not None:
                await _settle(session, entry.message_id, now)
            if entry.state in {EntryState.MUTED, EntryState.GIVEN_UP} and entry.message_id is not None:
                # Its octets go in time, its UID is not settled: it is not in Slack.
                await session.exec(_settle_message(), params={"this_id": entry.message_id, "settled_at": now})
            if entry.state in FINISHED and entry.parent is not None:
                await session.exec(_change_thread(), params={"parent": entry.parent})
            until = held_until or row.held_until
            changes = {
                "channel": entry.channel or row.channel,
                "last_ts": max(row.last_ts, entry.ts, key=_age),
                "held_until": until,
                "lease_until": lease_until or row.lease_until,
                "due_at": _due_at(await _head(session, dm.owner), until, now),
            }
            await session.exec(_change(), params={**this_owner(dm.owner), **changes})
        return replace(dm, channel=changes["channel"], last_ts=changes["last_ts"])

    async def thread(self, entry: Entry) -> str | None:
        """The `ts` of the post in whose thread an entry goes; None when that post was given up."""
        query = select(EntryRow.ts).where(EntryRow.id == entry.parent)
        async with self._database.read() as session:
            return (await session.exec(query)).first()

    async def newest_reply(self, entry: Entry) -> str | None:
        """The `ts` of the newest acknowledged post in that thread."""
        query = select(EntryRow.ts).where(EntryRow.parent == entry.parent, col(EntryRow.ts).is_not(None))
        async with self._database.read() as session:
            return (await session.exec(query.order_by(col(EntryRow.number).desc()).limit(1))).first()

    async def reopen(self, dm: Dm, entry: Entry, now: datetime) -> None:
        """The post in whose thread a waiting entry goes is gone from Slack: it is owed anew, and comes first.

        Raises:
            LeaseLost: the DM is another's by now, or the entry's mailbox was removed.
        """
        again = {"state": EntryState.WAITING, "ts": None, "attempts": 0, "plain": False, "finished_at": None}
        async with self._database.write() as session:
            await held_dm(session, dm)
            await save(session, entry, now, None)
            await update_rows(session, EntryRow, col(EntryRow.id) == entry.parent, again)

    async def renew(self, dm: Dm, until: datetime) -> None:
        """Hold the lease until then; LeaseLost when it is another's by now."""
        async with self._database.write() as session:
            await update_held(session, DmRow, is_held(dm), {"lease_until": until})

    async def release(self, dm: Dm, held_until: datetime | None = None) -> None:
        """End the lease; with `held_until` nothing goes to this DM before that."""
        async with self._database.write() as session:
            row = await held_dm(session, dm)
            # Entries may have gone with their mailbox: a DM that stayed due for none of them would come again for ever.
            due_at = row.due_at if await _head(session, dm.owner) is not None else None
            changes = {**FREED, "fence": row.fence + 1, "due_at": due_at}
            if held_until is not None:
                changes |= {"held_until": held_until, "due_at": due_at and max(due_at, held_until)}
            await session.exec(_change(), params={**this_owner(dm.owner), **changes})

    async def release_worker(self, worker: str) -> None:
        """At start: end the leases a dead predecessor of this name held."""
        async with self._database.write() as session:
            await update_rows(session, DmRow, col(DmRow.lease_owner) == worker, _RAISED)

    async def caught_up(self, entry: Entry) -> int:
        """How many messages of a notice's mailbox were kept since the alarm before it; old mail apart."""
        own = (col(EntryRow.mailbox_id) == entry.mailbox_id) & (col(EntryRow.number) < entry.order)
        alarms = select(func.max(EntryRow.number)).where(own, col(EntryRow.notice).not_in(_NO_ALARMS))
        since = col(EntryRow.number) > func.coalesce(alarms.correlate(None).scalar_subquery(), 0)
        digests = select(EntryRow.id).where(own, EntryRow.notice == Notice.DIGEST).correlate(None)
        is_new = col(EntryRow.gives_way).is_(False) | col(EntryRow.parent).in_(digests)
        mails = own & col(EntryRow.message_id).is_not(None) & is_new & (EntryRow.state != EntryState.MUTED)
        async with self._database.read() as session:
            return (await session.exec(select(func.count()).select_from(EntryRow).where(mails, since))).one()

    async def held(self, owner: Person) -> tuple[datetime | None, str | None]:
        """Until when nothing goes to this person's DM, and what Slack last said against a post there."""
        query = select(DmRow.held_until, DmRow.error).where(is_dm_of(owner))
        async with self._database.read() as session:
            row = (await session.exec(query)).first()
        return (None, None) if row is None else (row[0], row[1])

    async def waiting(self, owner: Person) -> dict[str, int]:
        """How many entries are unfinished, by mailbox id: held back or not, but for digests of which they are."""
        counts: Counter[str] = Counter()
        is_digest = col(EntryRow.notice).is_not_distinct_from(Notice.DIGEST)
        async with self._database.read() as session:
            for which in (_is_open(owner), is_held_back(owner)):
                query = select(EntryRow.mailbox_id, func.count()).where(which, ~is_digest)
                for mailbox_id, count in (await session.exec(query.group_by(col(EntryRow.mailbox_id)))).all():
                    counts[mailbox_id or ""] += count
        del counts[""]
        return dict(counts)

    async def depth(self) -> Depth:
        """How much is owed now and since when; reads that by its index, and nothing finished or held back."""
        number, finished_at = col(EntryRow.number), col(EntryRow.finished_at)
        due_at = col(DmRow.due_at)
        owed = select(func.count().label("entries"), func.min(number).label("first"))
        owed_now = owed.where(finished_at.is_(None), col(EntryRow.not_before).is_(None)).subquery()
        oldest_due = select(func.min(due_at)).where(due_at.is_not(None)).scalar_subquery()
        query = select(owed_now.c.entries, EntryRow.id, oldest_due).select_from(
            outerjoin(owed_now, plain(EntryRow), number == owed_now.c.first)
        )
        async with self._database.read() as session:
            entries, first, due = (await session.exec(query)).one()
        return Depth(entries, id_time(first) if first else None, due)


async def _settle(session: AsyncSession, message_id: str, now: datetime) -> None:
    """The post is in Slack and recorded: from this commit on the delete setting may act.

    On whole messages only: of any other the server holds the one copy, and its card says that it stays there.
    """
    settled = (
        await session.exec(_settle_message(), params={"this_id": message_id, "settled_at": now})
    ).first()
    if settled is not None and settled.shape == Shape.WHOLE:
        watch = watch_at(timedelta(seconds=settled.watched_seconds), settled.polled_at, now)
        this = {"this_mailbox": settled.mailbox_id, "this_uid": settled.uid}
        await session.exec(
            _settle_uid(), params={**this, "is_settled": True, "settled_watch": seconds(watch)}
        )


async def refresh_due(session: AsyncSession, owner: Person, now: datetime) -> None:
    """Keep a DM's time right after some of its entries were finished outside of it."""
    row = (await session.exec(select(DmRow).where(is_dm_of(owner)).with_for_update(key_share=True))).one()
    due_at = _due_at(await _head(session, owner), row.held_until, now)
    await session.exec(_change(), params={**this_owner(owner), "due_at": due_at})


async def _head(session: AsyncSession, owner: Person) -> Any:
    """When the oldest unfinished entry may be looked up; None without such an entry."""
    return (await session.exec(_oldest(), params=this_owner(owner))).first()


# Statements that every post runs, built once; an UPDATE sets the columns it is given.


@cache
def _held_head() -> Any:
    dm, entry = plain(DmRow), plain(EntryRow)
    query = sqlalchemy.select(entry).select_from(dm.outerjoin(entry, _is_open(ANY_DM.owner)))
    return query.where(is_held(ANY_DM)).order_by(entry.c.gives_way, entry.c.number).limit(1)


@cache
def _oldest() -> Any:
    entry = plain(EntryRow).c
    query = sqlalchemy.select(entry.lookup_after).where(_is_open(ANY_DM.owner))
    return query.order_by(entry.gives_way, entry.number).limit(1)


@cache
def _change() -> Any:
    return update(plain(DmRow)).where(is_dm_of(ANY_DM.owner))


@cache
def _change_thread() -> Any:
    old = plain(OldMailRow)
    return update(old).where(old.c.id == bindparam("parent")).values(changes=old.c.changes + 1)


@cache
def _settle_message() -> Any:
    message, mailbox = plain(MessageRow), plain(MailboxRow).c
    fresh = (message.c.id == bindparam("this_id")) & message.c.settled_at.is_(None)
    mine = mailbox.id == message.c.mailbox_id
    watch = [
        sqlalchemy.select(column).where(mine).scalar_subquery().label(column.name)
        for column in (mailbox.watched_seconds, mailbox.polled_at)
    ]
    columns = (message.c.mailbox_id, message.c.uid, message.c.shape)
    return update(message).where(fresh).returning(*columns, *watch)


@cache
def _settle_uid() -> Any:
    seen = plain(SeenRow)
    this = (seen.c.mailbox_id == bindparam("this_mailbox")) & (seen.c.uid == bindparam("this_uid"))
    return update(seen).where(this)


def _key() -> Any:
    return tuple_(col(DmRow.workspace), col(DmRow.owner))


def _is_open(owner: Person) -> ColumnElement[bool]:
    entry = plain(EntryRow).c
    mine = (entry.workspace == owner.workspace) & (entry.owner == owner.user)
    return mine & entry.finished_at.is_(None) & entry.not_before.is_(None)


def _due_at(head: Any, held_until: datetime | None, now: datetime) -> datetime | None:
    if head is None:
        return None
    return max(moment for moment in (now, held_until, head.lookup_after) if moment is not None)


def _age(ts: str | None) -> tuple[int, str]:
    """Sorts Slack's times, numbers written out, without trusting them to be numbers."""
    return (len(ts.partition(".")[0]), ts) if ts else (0, "")


def _dm(row: DmRow, fence: int) -> Dm:
    return Dm(owner=Person(row.workspace, row.owner), channel=row.channel, last_ts=row.last_ts, fence=fence)


def _entry(row: Any) -> Entry:
    return Entry(
        id=row.id,
        order=row.number,
        mailbox_id=row.mailbox_id,
        owner=Person(row.workspace, row.owner),
        message_id=row.message_id,
        parent=row.parent or None,
        notice=None if row.notice is None else Notice(row.notice),
        state=EntryState(row.state),
        attempts=row.attempts,
        intended_at=row.intended_at,
        lookup_after=row.lookup_after,
        channel=row.channel,
        ts=row.ts,
        file_ids=tuple(json.loads(row.file_ids)),
        plain=row.plain,
        gives_way=row.gives_way,
        conversation=row.conversation,
        muted_by=row.muted_by,
    )
