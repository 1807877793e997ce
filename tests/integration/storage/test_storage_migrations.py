"""Bringing the tables forward."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from storage.counting import AttemptKind, Counted, Limit
from storage.database import Database
from storage.delivery import Delivery
from storage.errors import StorageError
from storage.originals import Originals
from storage.records import EntryState, Health, Notice, Retention, SeenState, Shape
from storage.rules import Rules
from storage.tables import Table
from storage.wishes import OriginalState, RuleKind
from tests.integration.storage.stores import NOW, Stores

if TYPE_CHECKING:
    from enum import StrEnum
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.fakes.postgres import Server

MIGRATE = """
import asyncio, sys
from storage.database import Database

async def main():
    database = await Database.open(sys.argv[1])
    await database.migrate()
    await database.close()

asyncio.run(main())
"""

CHECK = """
import sys
from argparse import Namespace
from alembic import command
from alembic.config import Config

config = Config(cmd_opts=Namespace(x=["url=" + sys.argv[1]]))
config.set_main_option("script_location", "storage:migrations")
command.check(config)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Server = request.getfixturevalue("postgres_server")
    name = f"mailbox_empty_{tmp_path.name}".lower().replace("[", "_").replace("]", "_")
    request.addfinalizer(lambda: asyncio.run(server.drop(name)))  # noqa: PT021 - only for one of the kinds
    return asyncio.run(server.create(name))


async def test_models_and_migrations_agree(database: Database) -> None:
    """What the migrations build is what the code expects."""
    async with database.read() as session:
        connection = await session.connection()
        assert await connection.run_sync(differences) == []


def differences(connection: Connection) -> list[object]:
    """What autogenerate would change."""
    settings = {"compare_type": True, "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=settings), Table.metadata))


async def test_the_next_migration_is_written_from_all_tables(tmp_path: Path) -> None:
    """Alembic's command line, which imports what its environment does and nothing more, finds nothing to change."""
    path = tmp_path / "current.db"
    database = await Database.open(f"sqlite:///{path}")
    await database.migrate()
    await database.close()

    check = await asyncio.create_subprocess_exec(sys.executable, "-c", CHECK, f"sqlite+aiosqlite:///{path}")

    assert await check.wait() == 0


async def test_migrating_again_with_rows_changes_nothing(stores: Stores) -> None:
    """A restart with data in the tables leaves the data alone."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u1", b"octets")

    await stores.database.migrate()

    assert await stores.mailbox(claim.mailbox.id) == claim.mailbox
    entry = await stores.head(await stores.dm())
    assert entry.message_id is not None
    assert (await stores.messages.load(entry.message_id))[1] == b"octets"


async def test_newer_release_is_left_alone(database: Database) -> None:
    """A database that a newer release has migrated is refused, not touched."""
    async with database.write() as session:
        await (await session.connection()).execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StorageError, match="newer"):
        await database.migrate()


async def test_instances_migrate_at_once(empty_url: str) -> None:
    """Several instances that start on an empty database at the same moment build the tables once."""
    databases = await asyncio.gather(*(Database.open(empty_url) for _ in range(6)))

    await asyncio.gather(*(database.migrate() for database in databases))

    async with databases[0].read() as session:
        versions = (
            await (await session.connection()).execute(text("SELECT version_num FROM alembic_version"))
        ).all()
    assert len(versions) == 1
    await asyncio.gather(*(database.close() for database in databases))


async def test_processes_migrate_at_once(empty_url: str) -> None:
    """So do several processes."""
    command = (sys.executable, "-W", "error", "-c", MIGRATE, empty_url)
    processes = [
        await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE) for _ in range(3)
    ]

    outputs = await asyncio.gather(*(process.communicate() for process in processes))

    assert [(process.returncode, output[1]) for process, output in zip(processes, outputs, strict=True)] == [
        (0, b"")
    ] * 3


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("mailbox", "health", Health),
        ("mailbox", "retention", Retention),
        ("mailbox", "delivery", Delivery),
        ("seen", "state", SeenState),
        ("message", "shape", Shape),
        ("entry", "state", EntryState),
        ("entry", "notice", Notice),
        ("attempt", "kind", AttemptKind),
        ("rule", "kind", RuleKind),
        ("original", "state", OriginalState),
    ],
)
async def test_every_word_may_be_stored(
    stores: Stores, table: str, column: str, words: type[StrEnum]
) -> None:
    """The database takes every value the code knows for a column, and no other."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u1", now=NOW)
    message_id = (await stores.head(await stores.dm())).message_id or ""
    await Originals(stores.database).want(claim.mailbox, message_id, NOW, again=False)
    rules = Rules(stores.database, stores.messages._vault)
    await rules.add(claim.mailbox.owner, claim.mailbox.id, RuleKind.SENDER, "a@b.example", label="a", now=NOW)
    await stores.attempts.note(Counted(Limit(AttemptKind.TEST, 1, timedelta(hours=1)), ("T1", "U1")), NOW)

    async with stores.database.write() as session:
        connection = await session.connection()
        for word in words:
            await connection.execute(text(f"UPDATE {table} SET {column} = :word"), {"word": word})
        with pytest.raises(Exception, match=f"ck_{table}_{column}"):
            await connection.execute(text(f"UPDATE {table} SET {column} = 'other'"))
        await session.rollback()
