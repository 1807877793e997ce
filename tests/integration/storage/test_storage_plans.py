"""What runs every second stays cheap however much lies in the tables."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from storage.answers import Answers
from storage.counting import AttemptKind, Counted, Limit
from storage.database import Database
from storage.records import EntryState, Person, SeenState
from tests.integration.storage.stores import NOW, OK, OWNER, Stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.vault import Vault


@contextmanager
def recorded(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The statements that reach the database, with one set of parameters each."""
    statements: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, ___: object, is_many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's call
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            statements.append((statement, parameters[0] if is_many else parameters))

    engines = {database._reader.sync_engine, database._writer.sync_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


async def test_ticks_and_deliveries_scan_no_table(sqlite_url: str, vault: Vault, tmp_path: Path) -> None:
    """Claiming, keeping, posting, deleting and purging find their rows by an index."""
    database = await Database.open(sqlite_url)
    stores = Stores.on(database, vault, tmp_path)
    with recorded(database) as statements:
        await use_what_runs_often(stores)

    async with database.read() as session:
        connection = await session.connection()
        plans = {statement: await plan_of(connection, statement, values) for statement, values in statements}
    await database.close()

    assert len(plans) > 25
    assert "ix_seen_deletable" in str(plans)
    assert {statement: plan for statement, plan in plans.items() if is_expensive(plan)} == {}


async def test_taking_stock_reads_only_what_is_unfinished(
    sqlite_url: str, vault: Vault, tmp_path: Path
) -> None:
    """The outbox's depth comes from the two small indexes, not from the finished entries beside them."""
    database = await Database.open(sqlite_url)
    stores = Stores.on(database, vault, tmp_path)
    with recorded(database) as statements:
        await stores.outbox.depth()

    async with database.read() as session:
        ((statement, values),) = statements
        plan = await plan_of(await session.connection(), statement, values)
    await database.close()

    read = [step for step in plan if step.startswith(("SCAN entry", "SCAN dm", "SEARCH"))]
    assert len(read) == 3
    assert all("ix_entry_open" in step or "ix_dm_due" in step or "PRIMARY KEY" in step for step in read), plan


async def plan_of(connection: AsyncConnection, statement: str, values: Any) -> list[str]:
    """SQLite's plan for a statement, step by step."""
    steps = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
    return [step["detail"] for step in steps.mappings()]


async def use_what_runs_often(stores: Stores) -> None:
    """One poll, one delivery, one deletion, one purge."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u1")
    dms = await stores.outbox.claim_due(NOW, lease=timedelta(1), worker="w", limit=5, busy=[Person("T", "U")])
    entry = await stores.head(dms[0])
    await stores.messages.load(entry.message_id or "")
    dm = await stores.outbox.record(dms[0], replace(entry, state=EntryState.SETTLED), now=NOW)
    await stores.outbox.release(dm)
    await stores.outbox.waiting(OWNER)
    await stores.messages.has_deletions(claim)
    await stores.messages.ask(claim, [b"u2"], NOW)
    await stores.messages.count_asked(claim.mailbox.id)
    await Answers(stores.database).delete(OWNER, entry.message_id or "", NOW)
    await stores.messages.seen(claim.mailbox.id)
    await stores.messages.seen_among(claim.mailbox.id, [b"u1"])
    await stores.messages.mark_deleting(claim, [b"u1"])
    await stores.messages.confirm_deleted(claim, [b"u1"])
    await stores.mailboxes.finish(claim, OK)
    await Answers(stores.database).answer(OWNER, claim.mailbox.id, SeenState.DOUBTED, NOW, due_at=NOW)
    await stores.mailboxes.claim_due(NOW, lease=timedelta(1), worker="w", limit=5, busy=["x"])
    await stores.mailboxes.of(OWNER)
    await stores.messages.purge(NOW + timedelta(days=9), timedelta())
    refusal = Counted(Limit(AttemptKind.REFUSED_LOGIN, 3, timedelta(hours=1)), ("pop.example.org",))
    taken = await stores.attempts.take([refusal], NOW)
    assert isinstance(taken, dict)
    await stores.attempts.give_back(taken.values())
    await stores.attempts.purge(NOW)


def is_expensive(plan: list[str]) -> bool:
    """A scan of a whole table, or a sort of what an index could have ordered; one person's mailboxes are few."""
    is_scan = any(step.startswith("SCAN") and "CONSTANT ROW" not in step for step in plan)
    is_sort = "USE TEMP B-TREE FOR ORDER BY" in plan and not any("owner=?" in step for step in plan)
    return is_scan or is_sort
