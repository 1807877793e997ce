"""The outbox: what is owed to each DM, in order, and who delivers it now.

No entry leaves without a state. A DM is leased as a whole, so its posts keep their order; every write checks the
fencing number of the lease.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, func, outerjoin, tuple_, update
from sqlmodel import col, select

from storage.database import id_time
from storage.errors import LeaseLost
from storage.fencing import FREED, held_dm, is_free, is_held, update_held
from storage.records import Depth, Dm, Entry, EntryState, Notice, Person, Shape
from storage.statements import plain, update_rows
from storage.tables import DmRow, EntryRow, MessageRow, SeenRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database

_FINISHED: Final = frozenset({EntryState.SETTLED, EntryState.GIVEN_UP})
_RAISED: Final = {**FREED, "fence": col(DmRow.fence) + 1}


class Outbox:
    """The store of entries and DMs."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def claim_due(
        self, now: datetime, *, lease: timedelta, worker: str, limit: int, busy: Collection[Person] = ()
    ) -> list[Dm]:
        """Lease DMs that are owed something which may be attended to now, longest due first.

        Args:
            busy: people whose DM the worker still has in hand.
        """
        query = select(DmRow).where(col(DmRow.due_at) <= now, is_free(DmRow, now))
        if busy:
            query = query.where(_key().not_in([(person.workspace, person.user) for person in busy]))
        query = query.order_by(col(DmRow.due_at)).limit(limit).with_for_update(skip_locked=True)
        async with self._database.write() as session:
            rows = (await session.exec(query)).all()
            if rows:
                keys = [(row.workspace, row.owner) for row in rows]
                values = {**_RAISED, "lease_owner": worker, "lease_until": now + lease}
                await update_rows(session, DmRow, _key().in_(keys), values)
        return [_dm(row, row.fence + 1) for row in rows]

    async def head(self, dm: Dm) -> Entry | None:
        """The oldest unfinished entry; LeaseLost when the DM is another's by now."""
        query = select(DmRow.fence, EntryRow).outerjoin(EntryRow, _is_open(dm.owner)).where(is_held(dm))
        async with self._database.read() as session:
            found = (await session.exec(query.order_by(col(EntryRow.number)).limit(1))).first()
        if found is None:
            raise LeaseLost("The DM is another's to post into now.")
        row: EntryRow | None = found[1]
        return None if row is None else _entry(row)

    async def record(
        self,
        dm: Dm,
        entry: Entry,
        *,
        now: datetime,
        error: str | None = None,
        held_until: datetime | None = None,
        lease_until: datetime | None = None,
    ) -> Dm:
        """Record where an entry stands and what that means for its DM, all or nothing.

        Repeating the same call changes nothing more. A settled message is settled for the delete setting too.

        Args:
            error: Slack's code, never its words: they may repeat the post.
            held_until: nothing goes to this DM before; None leaves a hold as it is.
            lease_until: the lease's new end; None leaves it.

        Raises:
            LeaseLost: the DM is another's by now, or the entry's mailbox was removed.
        """
        async with self._database.write() as session:
            row = await held_dm(session, dm)
            await _save(session, entry, now, error)
            if entry.state is EntryState.SETTLED and entry.message_id is not None:
                await _settle(session, entry.message_id, now)
            row.channel = entry.channel or row.channel
            row.last_ts = max(row.last_ts, entry.ts, key=_age)
            row.held_until = held_until or row.held_until
            row.lease_until = lease_until or row.lease_until
            row.due_at = _due_at(await _head(session, dm.owner), row.held_until, now)
            return _dm(row, row.fence)

    async def renew(self, dm: Dm, until: datetime) -> None:
        """Hold the lease until then; LeaseLost when it is another's by now."""
        async with self._database.write() as session:
            await update_held(session, DmRow, is_held(dm), {"lease_until": until})

    async def release(self, dm: Dm, held_until: datetime | None = None, error: str | None = None) -> None:
        """End the lease; with `held_until` nothing goes to this DM before that."""
        async with self._database.write() as session:
            row = await held_dm(session, dm)
            row.lease_owner = row.lease_until = None
            row.fence += 1
            row.error = error or row.error
            if held_until is not None:
                row.held_until = held_until
                row.due_at = row.due_at and max(row.due_at, held_until)

    async def release_worker(self, worker: str) -> None:
        """At start: end the leases a dead predecessor of this name held."""
        async with self._database.write() as session:
            await update_rows(session, DmRow, col(DmRow.lease_owner) == worker, _RAISED)

    async def waiting(self, owner: Person) -> dict[str, int]:
        """How many entries are unfinished, by mailbox id."""
        query = select(EntryRow.mailbox_id, func.count()).where(
            _is_open(owner), col(EntryRow.mailbox_id).is_not(None)
        )
        async with self._database.read() as session:
            rows = (await session.exec(query.group_by(col(EntryRow.mailbox_id)))).all()
        return {mailbox_id: count for mailbox_id, count in rows if mailbox_id is not None}

    async def depth(self) -> Depth:
        """How much is owed and since when; reads what is unfinished by its index, and nothing finished."""
        number, finished_at = col(EntryRow.number), col(EntryRow.finished_at)
        due_at = col(DmRow.due_at)
        owed = select(func.count().label("entries"), func.min(number).label("first"))
        owed_now = owed.where(finished_at.is_(None)).subquery()
        oldest_due = select(func.min(due_at)).where(due_at.is_not(None)).scalar_subquery()
        query = select(owed_now.c.entries, EntryRow.id, oldest_due).select_from(
            outerjoin(owed_now, plain(EntryRow), number == owed_now.c.first)
        )
        async with self._database.read() as session:
            entries, first, due = (await session.exec(query)).one()
        return Depth(entries, id_time(first) if first else None, due)


async def _save(session: AsyncSession, entry: Entry, now: datetime, error: str | None) -> None:
    values: dict[str, Any] = {
        "state": entry.state,
        "attempts": entry.attempts,
        "intended_at": entry.intended_at,
        "lookup_after": entry.lookup_after,
        "channel": entry.channel,
        "ts": entry.ts,
        "file_ids": json.dumps(entry.file_ids),
        "plain": entry.plain,
        "error": error,
        "finished_at": now if entry.state in _FINISHED else None,
    }
    this = (col(EntryRow.number) == entry.order) & (col(EntryRow.id) == entry.id)
    if await update_rows(session, EntryRow, this, values) != 1:
        raise LeaseLost("The entry went with its mailbox.")


async def _settle(session: AsyncSession, message_id: str, now: datetime) -> None:
    """The post is in Slack and recorded: from this commit on the delete setting may act.

    On whole messages only: of any other the server holds the one copy, and its card says that it stays there.
    """
    fresh = (col(MessageRow.id) == message_id) & col(MessageRow.settled_at).is_(None)
    statement = update(plain(MessageRow)).where(fresh).values(settled_at=now)
    statement = statement.returning(col(MessageRow.mailbox_id), col(MessageRow.uid), col(MessageRow.shape))
    settled = (await session.exec(statement)).first()
    if settled is not None and settled[2] == Shape.WHOLE:
        mailbox_id, uid, _ = settled
        its_uid = (col(SeenRow.mailbox_id) == mailbox_id) & (col(SeenRow.uid) == uid)
        await update_rows(session, SeenRow, its_uid, {"is_settled": True})


async def _head(session: AsyncSession, owner: Person) -> EntryRow | None:
    query = select(EntryRow).where(_is_open(owner)).order_by(col(EntryRow.number)).limit(1)
    return (await session.exec(query)).first()


def _key() -> Any:
    return tuple_(col(DmRow.workspace), col(DmRow.owner))


def _is_open(owner: Person) -> ColumnElement[bool]:
    mine = (col(EntryRow.workspace) == owner.workspace) & (col(EntryRow.owner) == owner.user)
    return mine & col(EntryRow.finished_at).is_(None)


def _due_at(head: EntryRow | None, held_until: datetime | None, now: datetime) -> datetime | None:
    if head is None:
        return None
    return max(moment for moment in (now, held_until, head.lookup_after) if moment is not None)


def _age(ts: str | None) -> tuple[int, str]:
    """Sorts Slack's times, numbers written out, without trusting them to be numbers."""
    return (len(ts.partition(".")[0]), ts) if ts else (0, "")


def _dm(row: DmRow, fence: int) -> Dm:
    return Dm(owner=Person(row.workspace, row.owner), channel=row.channel, last_ts=row.last_ts, fence=fence)


def _entry(row: EntryRow) -> Entry:
    assert row.number is not None
    return Entry(
        id=row.id,
        order=row.number,
        mailbox_id=row.mailbox_id,
        owner=Person(row.workspace, row.owner),
        message_id=row.message_id,
        notice=None if row.notice is None else Notice(row.notice),
        state=EntryState(row.state),
        attempts=row.attempts,
        intended_at=row.intended_at,
        lookup_after=row.lookup_after,
        channel=row.channel,
        ts=row.ts,
        file_ids=tuple(json.loads(row.file_ids)),
        plain=row.plain,
    )
