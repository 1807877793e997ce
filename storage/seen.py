"""The rows of UIDs seen, as the stores of mailboxes and of messages change them inside their transactions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlmodel import col, select

from storage.records import Seen, SeenState
from storage.statements import in_batches, plain, update_rows
from storage.tables import SeenRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database, Insert

SEEN: Final = select(SeenRow.uid, SeenRow.state, SeenRow.attempts, SeenRow.is_settled)


@cache
def seen(state: str, attempts: int, is_settled: bool) -> Seen:  # noqa: FBT001 - columns in the order of SEEN
    """One value for all rows that say the same: a maildrop has up to 500,000 of them."""
    return Seen(SeenState(state), attempts, is_settled)


def unseen(mailbox_id: str, uid: bytes, state: SeenState, now: datetime) -> dict[str, Any]:
    """The columns of a UID met for the first time."""
    return {
        "mailbox_id": mailbox_id,
        "uid": uid,
        "state": state,
        "attempts": 0,
        "is_settled": False,
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
    for batch in in_batches(uids):
        rows = [unseen(mailbox_id, uid, SeenState.SKIPPED, now) for uid in batch]
        await session.exec(_insert_unseen(database.insert), params=rows)


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
