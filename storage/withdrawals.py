"""Posts that are called back: which are due, how far each is, and the report once all of a batch are done.

A row hangs on nothing, so that it survives the mailbox, the entry and the person it was about; it goes when its batch is
reported. What is done here may be repeated: Slack deletes a post once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, case, delete, func, text, update
from sqlmodel import col
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.audits import add_audit
from storage.copied import Telling, TellingKind, Withdrawal, WithdrawalState
from storage.records import Person
from storage.sharing import Act, AuditEntry
from storage.sharing_tables import UNDONE, WithdrawalRow
from storage.statements import plain
from storage.tellings import tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database


class Withdrawals:
    """The store of posts that are called back."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def due(self, now: datetime, limit: int) -> list[Withdrawal]:
        """What may be attended to now: what still says something before what is blank, of each the newest first."""
        row = plain(WithdrawalRow)
        is_blank = case((row.c.state == WithdrawalState.BLANKED.value, 1), else_=0)
        query: Any = sqlalchemy.select(row).where(text(UNDONE), row.c.due_at <= now)
        async with self._database.read() as session:
            rows = (await session.exec(query.order_by(is_blank, row.c.entry_id.desc()).limit(limit))).all()
        return [_withdrawal(each) for each in rows]

    async def record(self, changed: Sequence[Withdrawal], now: datetime) -> None:
        """Record how far some are; once the last of a batch is done, report that."""
        if not changed:
            return
        values = [
            {
                "this": each.entry_id,
                "ts": each.ts,
                "file_ids": json.dumps(each.file_ids),
                "state": each.state,
                "attempts": each.attempts,
                "due_at": each.due_at,
                "lost_files": each.lost_files,
                "done_at": now if each.is_done else None,
            }
            for each in changed
        ]
        async with self._database.write() as session:
            connection = await session.connection()
            await connection.execute(_save(), values)
            batches = {each.batch for each in changed if each.is_done}
            for batch in sorted(batches):
                await self._report(session, batch, now)

    async def _report(self, session: AsyncSession, batch: str, now: datetime) -> None:
        """Who withdrew how much, and what could not be; only when nothing of the batch is left to do."""
        row = plain(WithdrawalRow)
        lost = case((row.c.state == WithdrawalState.LOST.value, 1), (row.c.lost_files > 0, 1), else_=0)
        query: Any = sqlalchemy.select(
            row.c.workspace, row.c.owner, row.c.mailbox_id, func.count().label("posts"),
            func.count(row.c.done_at).label("done"), func.sum(lost).label("lost"),
        ).where(row.c.batch == batch).group_by(row.c.workspace, row.c.owner, row.c.mailbox_id)  # fmt: skip
        found = (await session.exec(query)).all()
        if any(each.done < each.posts for each in found):
            return
        await session.exec(delete(WithdrawalRow).where(col(WithdrawalRow.batch) == batch))
        for each in found:
            await self._say(session, each, now)

    async def _say(self, session: AsyncSession, found: Any, now: datetime) -> None:
        lost = int(found.lost or 0)
        entry = AuditEntry(
            at=now,
            workspace=found.workspace,
            actor=None,
            act=Act.COPIES_WITHDRAWN,
            owner=found.owner or None,
            mailbox_id=found.mailbox_id,
            subject=f"mailbox:{found.mailbox_id}",
            before=f"{found.posts} posts",
            after=f"{found.posts - lost} called back, {lost} not called back",
        )
        await add_audit(session, entry)
        if lost and found.owner:
            telling = Telling(TellingKind.NOT_CALLED_BACK, count=lost)
            owner = Person(found.workspace, found.owner)
            await tell(self._database, session, owner, found.mailbox_id, telling, now=now)


def _save() -> Any:
    row = plain(WithdrawalRow)
    names = ("ts", "file_ids", "state", "attempts", "lost_files")
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    values |= {name: bindparam(name, type_=UTCDateTime()) for name in ("due_at", "done_at")}
    return update(row).where(row.c.entry_id == bindparam("this")).values(values)


def _withdrawal(row: Any) -> Withdrawal:
    return Withdrawal(
        entry_id=row.entry_id,
        batch=row.batch,
        workspace=row.workspace,
        channel=row.channel,
        ts=row.ts,
        file_ids=tuple(json.loads(row.file_ids)),
        look_from=row.look_from,
        asked_at=row.asked_at,
        state=WithdrawalState(row.state),
        attempts=row.attempts,
        due_at=row.due_at,
        lost_files=row.lost_files,
    )
