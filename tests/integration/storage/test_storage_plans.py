"""What runs every second stays cheap however much lies in the tables."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from storage.answers import Answers
from storage.clues import Clues
from storage.counting import AttemptKind, Counted, Limit
from storage.database import Database
from storage.delivery import Held
from storage.marks import Marks
from storage.originals import Originals
from storage.records import EntryState, Person, SeenState
from storage.rules import Rules
from storage.wishes import RuleKind
from tests.integration.storage.stores import NOW, OK, OWNER, Stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.records import Claim
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
    clues = Clues("own@x", ("other@x",), "lunch", ("ada@x",), is_answer=True)
    place = await stores.conversations.place(entry, clues, NOW)
    dm = await stores.outbox.record(dms[0], replace(entry, state=EntryState.SETTLED), now=NOW, place=place)
    await stores.conversations.of(entry.message_id or "")
    await stores.conversations.purge(NOW + timedelta(days=1_000))
    await stores.outbox.release(dm)
    await stores.outbox.waiting(OWNER)
    await stores.messages.has_deletions(claim)
    await stores.messages.ask(claim, [b"u2"], NOW)
    await stores.messages.count_asked(claim.mailbox.id)
    await Answers(stores.database).delete(OWNER, entry.message_id or "", NOW)
    await stores.messages.seen(claim.mailbox.id)
    await stores.messages.seen_among(claim.mailbox.id, [b"u1"])
    await stores.messages.mark_deleting(claim, [b"u1"])
    await stores.messages.note_undeleted(claim, [b"u1"])
    await stores.messages.undeleted(claim, 1)
    await stores.messages.check(claim)
    await stores.messages.confirm_deleted(claim, [b"u1"])
    await use_what_posts_offer(stores, claim, entry.message_id or "")
    await use_a_digest(stores, replace(claim, held_until=NOW))
    await stores.mailboxes.finish(claim, OK)
    await Answers(stores.database).answer(OWNER, claim.mailbox.id, SeenState.DOUBTED, NOW, due_at=NOW)
    await stores.zones.due(NOW, 5)
    await stores.mailboxes.claim_due(NOW, lease=timedelta(1), worker="w", limit=5, busy=["x"])
    await stores.mailboxes.of(OWNER)
    await stores.messages.purge(NOW + timedelta(days=9), timedelta())
    refusal = Counted(Limit(AttemptKind.REFUSED_LOGIN, 3, timedelta(hours=1)), ("pop.example.org",))
    taken = await stores.attempts.take([refusal], NOW)
    assert isinstance(taken, dict)
    await stores.attempts.give_back(taken.values())
    await stores.attempts.purge(NOW)


async def use_what_posts_offer(stores: Stores, claim: Claim, message_id: str) -> None:
    """Rules, a post marked as done, a message wanted as it came."""
    mailbox_id, marks, originals = claim.mailbox.id, Marks(stores.database), Originals(stores.database)
    rules = Rules(stores.database, stores.messages._vault)
    rule = await rules.add(OWNER, mailbox_id, RuleKind.SENDER, "a@b.example", label="a", now=NOW)
    (await rules.sieve(mailbox_id)).match("a@b.example", "c1")
    await rules.of(OWNER)
    await rules.remove(OWNER, rule.id)
    await marks.mark(OWNER, message_id, NOW)
    await marks.count_open(OWNER)
    await marks.newest_open(OWNER, mailbox_id, 5)
    original = await originals.want(claim.mailbox, message_id, NOW, again=True)
    await originals.wanted(mailbox_id)
    (dm,) = await stores.outbox.claim_due(NOW, lease=timedelta(1), worker="w", limit=5)
    entry = await stores.head(dm)
    assert (await originals.brought_by(entry.id)).message_id == original.message_id
    await stores.outbox.release(
        await stores.outbox.record(dm, replace(entry, state=EntryState.SETTLED), now=NOW)
    )


async def use_a_digest(stores: Stores, claim: Claim) -> None:
    """Two messages held back, let go, named by a digest and one of them dissolved from it."""
    for uid in (b"d1", b"d2"):
        await stores.keep(claim, uid)
    await stores.digests.end_hold(claim, Held(NOW, NOW), NOW - timedelta(1))
    (dm,) = await stores.outbox.claim_due(NOW, lease=timedelta(1), worker="w", limit=5)
    digest = await stores.head(dm)
    gathered = await stores.digests.gathered(digest, 5)
    await stores.digests.head(gathered.message_ids[0])
    await stores.outbox.waiting(OWNER)
    await stores.digests.dissolve(dm, digest, NOW)


def is_expensive(plan: list[str]) -> bool:
    """A scan of a whole table, or a sort of what an index could have ordered; one person's mailboxes are few."""
    is_scan = any(step.startswith("SCAN") and "CONSTANT ROW" not in step for step in plan)
    is_sort = "USE TEMP B-TREE FOR ORDER BY" in plan and not any("owner=?" in step for step in plan)
    return is_scan or is_sort
