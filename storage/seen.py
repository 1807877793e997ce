"""The rows of UIDs seen, as the stores of mailboxes and of messages change them inside their transactions."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, func, text
from sqlmodel import col, select

from storage.deletion import DELETION_TRIES, watch_at
from storage.records import Retention, Seen, SeenState
from storage.statements import in_batches, plain, update_rows
from storage.tables import DELETABLE, OPEN, SeenRow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database, Insert
    from storage.tables import MailboxRow

IS_ASKED: Final = f"{OPEN} AND state = 'asked'"

_row: Final[Any] = plain(SeenRow).c
SEEN: Final[Any] = sqlalchemy.select(
    _row.uid,
    _row.state,
    _row.attempts,
    _row.is_settled,
    (_row.settled_watch <= bindparam("due_until")).label("is_due"),
)


@cache
def seen(state: str, attempts: int, is_settled: bool, is_due: bool | None) -> Seen:  # noqa: FBT001 - as in SEEN
    """One value for all rows that say the same: a maildrop has up to 500,000 of them."""
    return Seen(SeenState(state), attempts, is_settled, bool(is_due))


def seconds(watch: timedelta) -> int:
    """A watch as a row holds when its message was settled; never early by a part of a second."""
    return ceil(watch.total_seconds())


def unseen(mailbox_id: str, uid: bytes, state: SeenState, now: datetime) -> dict[str, Any]:
    """The columns of a UID met for the first time."""
    return {
        "mailbox_id": mailbox_id,
        "uid": uid,
        "state": state,
        "attempts": 0,
        "is_settled": False,
        "settled_watch": None,
        "changed_at": now,
    }


async def add_unseen(database: Database, session: AsyncSession, row: dict[str, Any]) -> bool:
    """Insert a row unless its UID is known; whether it was not."""
    result = await session.exec(_insert_unseen(database.insert), params=row)
    return bool(result.rowcount)


async def knows_any(session: AsyncSession, mailbox_id: str, uids: Collection[bytes]) -> bool:
    """Whether at least one of the UIDs is known of this mailbox."""
    for batch in in_batches(uids):
        query = select(SeenRow.uid).where(SeenRow.mailbox_id == mailbox_id, col(SeenRow.uid).in_(batch))
        if (await session.exec(query.limit(1))).first() is not None:
            return True
    return False


async def skip_uids(
    database: Database, session: AsyncSession, mailbox_id: str, uids: Collection[bytes], now: datetime
) -> None:
    """Record UIDs as old mail nobody asked for; those known already stay as they are."""
    await add_uids(database, session, (unseen(mailbox_id, uid, SeenState.SKIPPED, now) for uid in uids))


async def add_uids(database: Database, session: AsyncSession, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows of UIDs; those known already stay as they are."""
    for batch in in_batches(rows):
        await session.exec(_insert_unseen(database.insert), params=batch)


async def ask_uids(
    database: Database, session: AsyncSession, mailbox_id: str, uids: Collection[bytes], now: datetime
) -> None:
    """Record UIDs that their owner is asked about; of those known, the deleted ones only."""
    asked = {"state": SeenState.ASKED, "attempts": 0, "is_settled": False, "settled_watch": None}
    for batch in in_batches(uids):
        mine = (col(SeenRow.mailbox_id) == mailbox_id) & col(SeenRow.uid).in_(batch)
        again = mine & (col(SeenRow.state) == SeenState.DELETED)
        await update_rows(session, SeenRow, again, {**asked, "changed_at": now})
        rows = [unseen(mailbox_id, uid, SeenState.ASKED, now) for uid in batch]
        await session.exec(_insert_unseen(database.insert), params=rows)


async def count_asked(session: AsyncSession, mailbox_id: str) -> int:
    """Of how many UIDs the owner was asked and has not yet said what they are."""
    query = select(func.count()).select_from(SeenRow)
    return (await session.exec(query.where(SeenRow.mailbox_id == mailbox_id, text(IS_ASKED)))).one()


async def answer_uids(session: AsyncSession, mailbox_id: str, becomes: SeenState, now: datetime) -> int:
    """Give all UIDs their owner was asked about the state of the answer; how many there were."""
    asked = (col(SeenRow.mailbox_id) == mailbox_id) & text(IS_ASKED)
    return await update_rows(session, SeenRow, asked, {"state": becomes, "changed_at": now})


async def stop_deleting(session: AsyncSession, mailbox_id: str) -> None:
    """What was to be deleted on the server stays there, unless the server has carried it out."""
    begun = (
        (col(SeenRow.mailbox_id) == mailbox_id) & text(DELETABLE) & (col(SeenRow.state) == SeenState.DELETING)
    )
    await update_rows(session, SeenRow, begun, {"state": SeenState.KEPT})


@cache
def deletable() -> Any:
    """Whether a deletion was begun in a `mailbox`, or is due at the watch `due_until`."""
    row = sqlalchemy.select(1).where(_row.mailbox_id == bindparam("mailbox"), text(DELETABLE))
    is_begun = row.where(_row.state == SeenState.DELETING).exists()
    is_due = row.where(_row.state == SeenState.KEPT, _row.settled_watch <= bindparam("due_until")).exists()
    return sqlalchemy.select(is_begun | is_due)


async def note_undeleted(
    session: AsyncSession, mailbox_id: str, uids: Collection[bytes], *, is_final: bool
) -> int:
    """The server did not delete these UIDs, once more; how many of them are left alone from now on.

    Those are kept and settled without a time, so that no delete setting finds them due.
    """
    count, more = 0, DELETION_TRIES if is_final else 1
    begun = (col(SeenRow.mailbox_id) == mailbox_id) & (col(SeenRow.state) == SeenState.DELETING)
    for batch in in_batches(uids):
        mine = begun & col(SeenRow.uid).in_(batch)
        await update_rows(session, SeenRow, mine, {"attempts": col(SeenRow.attempts) + more})
        is_over = mine & (col(SeenRow.attempts) >= DELETION_TRIES)
        count += await update_rows(
            session, SeenRow, is_over, {"state": SeenState.KEPT, "settled_watch": None}
        )
    return count


async def delete_after_all(session: AsyncSession, mailbox_id: str, watch: timedelta) -> None:
    """What the server would not delete is asked for once more, as if it had been settled at this watch."""
    kept = (col(SeenRow.mailbox_id) == mailbox_id) & text(DELETABLE) & (col(SeenRow.state) == SeenState.KEPT)
    left = kept & col(SeenRow.settled_watch).is_(None)
    await update_rows(session, SeenRow, left, {"attempts": 0, "settled_watch": seconds(watch)})


async def take_retention(
    session: AsyncSession, row: MailboxRow, retention: Retention, delete_days: int | None, now: datetime
) -> None:
    """What a delete setting means for what the one before began; the mailbox's row itself is still to be changed."""
    is_other = (retention, delete_days) != (row.retention, row.delete_days)
    # What a setting began another one does not finish; what its owner asked for, any that deletes.
    if retention is Retention.LEAVE or (is_other and row.retention != Retention.DELETE_ASKED):
        await stop_deleting(session, row.id)
    watch = watch_at(timedelta(seconds=row.watched_seconds), row.polled_at, now)
    await delete_after_all(session, row.id, watch)


async def move_settled(
    session: AsyncSession,
    mailbox_id: str,
    uids: Collection[bytes],
    before: Sequence[SeenState],
    after: SeenState,
) -> int:
    """Move settled UIDs from one of the states to the next; how many."""
    count = 0
    for batch in in_batches(uids):
        mine = (col(SeenRow.mailbox_id) == mailbox_id) & col(SeenRow.uid).in_(batch)
        ready = mine & col(SeenRow.is_settled) & col(SeenRow.state).in_(before)
        count += await update_rows(session, SeenRow, ready, {"state": after})
    return count


@cache
def _insert_unseen(insert: Insert) -> Any:
    return insert(plain(SeenRow)).on_conflict_do_nothing()
