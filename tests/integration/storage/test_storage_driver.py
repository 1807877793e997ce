"""SQLite's connections, which go to their thread once for each statement."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.errors import StorageError
from storage.sqlite_driver import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ROWS = 1_800


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Database]:
    """A database with a table of numbers."""
    database = await Database.open(f"sqlite:///{tmp_path / 'driver.db'}")
    async with database.write() as session:
        connection = await session.connection()
        await connection.execute(text("CREATE TABLE number (value INTEGER PRIMARY KEY)"))
        values = [{"value": value} for value in range(ROWS)]
        await connection.execute(text("INSERT INTO number VALUES (:value)"), values)
    yield database
    await database.close()


async def values(database: Database) -> list[int]:
    """All numbers there are."""
    async with database.read() as session:
        found = await (await session.connection()).execute(text("SELECT value FROM number ORDER BY value"))
        return [int(value) for (value,) in found]


async def insert(database: Database, *numbers: int) -> None:
    """Add numbers, a statement each, in one transaction."""
    async with database.write() as session:
        connection = await session.connection()
        for number in numbers:
            await connection.execute(text("INSERT INTO number VALUES (:value)"), {"value": number})


async def test_rows_beyond_the_first_ones_come_too(sqlite: Database) -> None:
    """A statement with more rows than come along with it gives all of them, in order."""
    assert await values(sqlite) == list(range(ROWS))


async def test_rows_are_streamed_in_order(sqlite: Database) -> None:
    """Read piece by piece, nothing is left out and nothing comes twice."""
    async with sqlite.read() as session:
        rows = await (await session.connection()).stream(text("SELECT value FROM number ORDER BY value"))
        assert [value async for (value,) in rows] == list(range(ROWS))


async def test_a_stream_may_be_left(sqlite: Database) -> None:
    """Whoever reads a part of the rows leaves the connection fit for the next."""
    async with sqlite.read() as session:
        rows = await (await session.connection()).stream(text("SELECT value FROM number ORDER BY value"))
        assert await rows.fetchone() == (0,)

    assert len(await values(sqlite)) == ROWS


async def test_what_fails_leaves_no_transaction(sqlite: Database) -> None:
    """After a refused statement nothing of its transaction is there, and the next one goes well."""
    with pytest.raises(StorageError):
        await insert(sqlite, -1, 0)

    await insert(sqlite, -2)
    assert (await values(sqlite))[:2] == [-2, 0]


async def test_a_transaction_without_a_statement_locks_nothing(sqlite: Database, tmp_path: Path) -> None:
    """Beside a write that has said nothing yet another process may write."""
    other = await Database.open(f"sqlite:///{tmp_path / 'driver.db'}")

    async with sqlite.write(), other.write() as session:
        await (await session.connection()).execute(text("INSERT INTO number VALUES (-1)"))

    await other.close()
    assert (await values(sqlite))[0] == -1


async def test_reads_of_one_block_see_one_state(sqlite: Database) -> None:
    """What is committed between two reads of a block is not seen by the second."""
    count = text("SELECT count(*) FROM number")
    async with sqlite.read() as session:
        connection = await session.connection()
        before = (await connection.execute(count)).scalar_one()
        async with sqlite.write() as other:
            await (await other.connection()).execute(text("DELETE FROM number"))
        assert (await connection.execute(count)).scalar_one() == before

    assert await values(sqlite) == []


async def test_who_is_cancelled_leaves_nothing_behind(sqlite: Database) -> None:
    """A write that is cancelled while its statement runs changes nothing and holds up nobody."""
    slow = text(
        "INSERT INTO number WITH RECURSIVE up(n) AS (SELECT -1 UNION ALL SELECT n - 1 FROM up WHERE n > -400000)"
        " SELECT n FROM up"
    )

    async def write() -> None:
        async with sqlite.write() as session:
            connection = await session.connection()
            begun.set()
            await connection.execute(slow)
            await asyncio.Event().wait()

    begun = asyncio.Event()
    writing = asyncio.create_task(write())
    await begun.wait()
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)

    await insert(sqlite, 5000)
    assert await values(sqlite) == [*range(ROWS), 5000]


async def test_a_closed_database_leaves_no_thread(tmp_path: Path) -> None:
    """Every connection's thread ends with the database."""
    before = threading.active_count()
    database = await Database.open(f"sqlite:///{tmp_path / 'threads.db'}")
    async with database.read() as session:
        await (await session.connection()).execute(text("SELECT 1"))

    await database.close()

    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 5)
    assert threading.active_count() <= before + 1  # the one that joined


@pytest.mark.parametrize("opens_first", [True, False])
async def test_who_is_cancelled_while_connecting_leaves_nothing_open(
    tmp_path: Path, *, opens_first: bool
) -> None:
    """What the thread opens for nobody is closed there, whether the cancelling comes before or after."""
    connection = Connection(str(tmp_path / "nobody.db"), 5, "BEGIN", (), is_reader=False)
    connecting = asyncio.ensure_future(connection)
    await asyncio.sleep(0)
    while opens_first and not connection._raw:
        pass  # the loop stands still, so that nobody takes what is there

    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    await asyncio.to_thread(connection._thread.join, 30)

    assert connecting.cancelled()
    (raw,) = connection._raw
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        raw.execute("SELECT 1")
