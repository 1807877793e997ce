"""Mailboxes that are overdue after a start or a sleep, and the times that are given to them instead."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, update
from sqlmodel import col, select
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.fencing import is_free
from storage.statements import in_batches, plain
from storage.tables import MailboxRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from storage.database import Database


async def spread(
    database: Database, now: datetime, farthest: datetime, times: Callable[[int], Sequence[datetime]]
) -> int:
    """Give the mailboxes that are overdue and not being polled new times, in their order; how many those are.

    Args:
        farthest: a mailbox that is due later than this is overdue too: a clock that ran ahead planned it.
        times: when so many come, in order.
    """
    due_at = col(MailboxRow.due_at)
    is_due = due_at.is_not(None) & ((due_at <= now) | (due_at > farthest))
    query = select(MailboxRow.id).where(is_due, is_free(MailboxRow, now)).order_by(due_at)
    async with database.read() as session:
        overdue = (await session.exec(query)).all()
    rows = [
        {"spread_id": mailbox_id, "spread_due": due}
        for mailbox_id, due in zip(overdue, times(len(overdue)), strict=True)
    ]
    for batch in in_batches(rows):
        async with database.write() as session:
            await session.exec(_new_time(), params=batch)
    return len(overdue)


@cache
def _new_time() -> Any:
    mailbox = plain(MailboxRow)
    is_meant = (mailbox.c.id == bindparam("spread_id")) & mailbox.c.due_at.is_not(None)
    return update(mailbox).where(is_meant).values(due_at=bindparam("spread_due", type_=UTCDateTime()))
