"""Transactions on both kinds of database, and how they fail."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlmodel import select

from storage.database import Database
from storage.errors import OutcomeUnknown, StorageBusy, StorageError
from storage.tables import KeyCheckRow
from tests.fakes.postgres import proxied

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fakes.postgres import Server


def row(key_id: str) -> KeyCheckRow:
    """A row of the plainest table."""
    return KeyCheckRow(key_id=key_id, sealed=b"\0sealed")


async def write(database: Database, key_id: str) -> None:
    """Commit one row."""
    async with database.write() as session:
        session.add(row(key_id))


async def rows(database: Database) -> set[str]:
    """What is committed."""
    async with database.read() as session:
        return set((await session.exec(select(KeyCheckRow.key_id))).all())


@asynccontextmanager
async def opened(url: str, patience: timedelta = timedelta(seconds=5)) -> AsyncIterator[Database]:
    """A database for a while."""
    database = await Database.open(url, patience=patience)
    try:
        yield database
    finally:
        await database.close()


async def test_written_is_read(database: Database) -> None:
    """What one transaction wrote the next one reads."""
    await write(database, "a")

    assert await rows(database) == {"a"}


async def test_error_undoes_everything(database: Database) -> None:
    """A block that ends with an error leaves nothing behind, and its error comes out as it is."""

    async def fail() -> None:
        async with database.write() as session:
            session.add(row("a"))
            await session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await rows(database) == set()


async def test_cancelled_write_leaves_the_database_usable(database: Database) -> None:
    """A task that is cancelled inside its transaction leaves nothing behind and blocks nobody."""
    inside = asyncio.Event()

    async def hang() -> None:
        async with database.write() as session:
            session.add(row("a"))
            await session.flush()
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    await write(database, "b")
    assert await rows(database) == {"b"}


async def test_many_tasks_write_at_once(database: Database) -> None:
    """Tasks that write and read at the same moment wait for each other; none fails."""
    await asyncio.gather(
        *(write(database, f"k{number}") for number in range(40)), *(rows(database) for _ in range(40))
    )

    assert len(await rows(database)) == 40


async def test_reading_writes_nothing(database: Database) -> None:
    """What a reading session changes is not kept, whether the database says so or not."""
    try:
        async with database.read() as session:
            session.add(row("a"))
            await session.flush()
    except StorageError:
        pass

    assert await rows(database) == set()


async def test_broken_rule_is_a_storage_error(database: Database) -> None:
    """A refused statement becomes one of our errors, permanent, without the driver's words."""
    await write(database, "canary")

    with pytest.raises(StorageError) as caught:
        await write(database, "canary")

    assert not caught.value.temporary
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+aiosqlite"])
async def test_sqlite_urls(scheme: str, tmp_path: Path) -> None:
    """Both spellings of a SQLite URL open a file, whose folder is made and which is the owner's alone."""
    path = tmp_path / "new folder" / "mail box.db"
    async with opened(f"{scheme}:///{path}") as database:
        await database.migrate()
        await write(database, "a")

        assert rights_in(path.parent) == dict.fromkeys(
            ("mail box.db", "mail box.db-wal", "mail box.db-shm"), 0o600
        )


def rights_in(folder: Path) -> dict[str, int]:
    """The files of a folder, and who may read and write them."""
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_postgresql_urls(scheme: str, postgresql_url: str) -> None:
    """All spellings of a PostgreSQL URL are understood."""
    async with opened(f"{scheme}:{postgresql_url.partition(':')[2]}") as database:
        await write(database, "a")


@pytest.mark.parametrize(
    "url", ["", "mailbox.db", "mysql://u:canary@h/d", "sqlite://", "sqlite:///:memory:", "postgresql:canary"]
)
async def test_unusable_url_is_refused_without_repeating_it(url: str) -> None:
    """A URL that names no usable database is refused in a sentence without the password in it."""
    with pytest.raises(ValueError, match="URL") as caught:
        await Database.open(url)

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://u:canary@127.0.0.1:1/d", "sqlite:////proc/nowhere/canary.db"])
async def test_unreachable_database_is_busy(url: str) -> None:
    """A database that is not there counts as busy, at once and without repeating the URL."""
    with pytest.raises(StorageBusy) as caught:
        await Database.open(url)

    assert "canary" not in str(caught.value)


async def test_file_of_another_kind_is_an_error(tmp_path: Path) -> None:
    """A file that is no database is not overwritten."""
    path = tmp_path / "notes.db"
    path.write_bytes(b"my notes" * 1_000)

    with pytest.raises(StorageError):
        await Database.open(f"sqlite:///{path}")

    assert path.read_bytes() == b"my notes" * 1_000


async def test_sqlite_is_set_for_durability(sqlite_url: str) -> None:
    """Every commit is synced, the log is ahead, keys are checked, deleted octets are overwritten, nothing is mapped."""
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "mmap_size": 0}

    async with opened(sqlite_url) as database, database.write() as session:
        connection = await session.connection()
        found = {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in wanted}
        patience = (await connection.execute(text("PRAGMA busy_timeout"))).scalar()

    assert found == wanted
    assert patience == 5_000


async def test_sqlite_locked_by_another_process_is_busy(sqlite_url: str) -> None:
    """While another process writes, ours waits, then says busy, and works again afterwards."""
    async with opened(sqlite_url, timedelta(milliseconds=20)) as database:
        other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StorageBusy):
            await write(database, "a")

        other.execute("ROLLBACK")
        other.close()
        await write(database, "b")
        assert await rows(database) == {"b"}


async def test_full_disk_is_busy(sqlite_url: str) -> None:
    """When the disk is full nothing is half-written, and with room again it works."""
    async with opened(sqlite_url) as database:
        await limit_pages(database, 1)
        with pytest.raises(StorageBusy):
            await fill(database)
        assert await rows(database) == set()

        await limit_pages(database, 1_000_000)
        await fill(database)


async def limit_pages(database: Database, pages: int) -> None:
    """Let the file be no larger than that, nor smaller than it is."""
    async with database.write() as session:
        await (await session.connection()).execute(text(f"PRAGMA max_page_count={pages}"))


async def fill(database: Database) -> None:
    """Write a megabyte."""
    async with database.write() as session:
        session.add(KeyCheckRow(key_id="large", sealed=bytes(1_000_000)))


async def test_checkpoint_empties_the_log(sqlite_url: str) -> None:
    """After a checkpoint the log is empty, and all that was in it is still there."""
    async with opened(sqlite_url) as database:
        await write(database, "a")
        before = log_octets(sqlite_url)

        await database.checkpoint()

        assert (before > 0, log_octets(sqlite_url)) == (True, 0)
        assert await rows(database) == {"a"}


async def test_checkpoint_beside_a_reader_waits_for_another_time(sqlite_url: str) -> None:
    """A checkpoint that a reader keeps from finishing is no error, and the next one finishes."""
    async with opened(sqlite_url, timedelta(milliseconds=20)) as database:
        async with database.read() as session:
            await session.exec(select(KeyCheckRow))
            await write(database, "a")
            await database.checkpoint()
        assert log_octets(sqlite_url) > 0

        await database.checkpoint()

        assert log_octets(sqlite_url) == 0


def log_octets(url: str) -> int:
    """How long SQLite's log is."""
    return Path(f"{url.removeprefix('sqlite:///')}-wal").stat().st_size


async def test_checkpoint_on_postgresql_does_nothing(postgresql_url: str) -> None:
    """PostgreSQL looks after its log itself."""
    async with opened(postgresql_url) as database:
        await database.checkpoint()


async def test_lost_connection_is_busy_and_recovers(postgresql_url: str, postgres_server: Server) -> None:
    """A connection cut in the middle of a transaction makes it fail as busy; the next one works."""
    async with opened(postgresql_url) as database:

        async def write_while_cut() -> None:
            async with database.write() as session:
                session.add(row("b"))
                await session.flush()
                await cut_all(postgres_server, postgresql_url)
                await session.exec(select(KeyCheckRow))

        await write(database, "a")
        with pytest.raises(StorageBusy):
            await write_while_cut()

        await write(database, "c")
        assert await rows(database) == {"a", "c"}


async def cut_all(server: Server, url: str) -> None:
    """End all connections to a database, from the server's side."""
    name = url.partition("?")[0].rpartition("/")[2]
    await server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


async def test_restarted_server_is_found_again(postgresql_url: str, postgres_server: Server) -> None:
    """After a crash and restart of the server work goes on, at the latest at the second try."""
    if not postgres_server.can_restart:
        pytest.skip("the server given by TEST_DATABASE_URL is not ours to restart")
    async with opened(postgresql_url) as database:
        await asyncio.gather(*(write(database, f"k{number}") for number in range(5)))
        await asyncio.to_thread(postgres_server.restart)

        try:
            await write(database, "first")
        except StorageBusy:
            await write(database, "first")
        assert len(await rows(database)) == 6


async def test_unanswered_commit_is_unknown(postgresql_url: str) -> None:
    """A COMMIT whose answer is lost is neither success nor failure: reading back tells."""
    async with proxied(postgresql_url) as proxy, opened(proxy.url) as database:
        await write(database, "a")
        proxy.lose_answer_to = b"COMMIT"
        with pytest.raises(OutcomeUnknown):
            await write(database, "b")

        proxy.lose_answer_to = None
        assert await rows(database) == {"a", "b"}


async def test_connection_lost_before_commit_wrote_nothing(postgresql_url: str) -> None:
    """A statement whose answer is lost is busy, not unknown: without COMMIT nothing is there."""
    async with proxied(postgresql_url) as proxy, opened(proxy.url) as database:
        await write(database, "a")
        proxy.lose_answer_to = b"\0sealed"
        with pytest.raises(StorageBusy):
            await write(database, "b")

        proxy.lose_answer_to = None
        assert await rows(database) == {"a"}
