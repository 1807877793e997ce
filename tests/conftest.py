"""Fixtures that every folder of tests may ask for: an empty, migrated database of either kind, and a vault."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
from typing import TYPE_CHECKING

import pytest
import uvloop

from storage.database import Database
from storage.tables import Table
from storage.vault import MasterKeys, Vault, new_master_key
from tests.fakes import postgres
from tests.fakes.tasks import end_the_rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test runs on the event loop the bot runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest-xdist 3.8 writes the group of a test to where pytest 9.2 no longer looks: without this there are none."""
    for item in items:
        grouped = vars(item).get("_nodeid")
        if grouped:
            item._id = type(item.id).parse(grouped)


def pytest_collection_finish() -> None:
    """Thousands of tests and all they import stay: a search for garbage that looks through them takes a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for this worker; skips where none can be had, except in CI."""
    try:
        with postgres.server() as server:
            yield server
    except postgres.Unavailable as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs a PostgreSQL: {reason}")
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def postgres_database(postgres_server: postgres.Server) -> Iterator[str]:
    """The name of a migrated database; one for all tests, since to copy it for each takes longer than most of them."""
    name = f"mailbox_{os.getpid()}"
    asyncio.run(_migrated(asyncio.run(postgres_server.create(name))))
    yield name
    asyncio.run(postgres_server.drop(name))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("template") / "mailbox.db"
    asyncio.run(_migrated(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """An empty, migrated SQLite database of the test's own."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'mailbox.db')}"


@pytest.fixture
def postgresql_url(postgres_server: postgres.Server, postgres_database: str) -> str:
    """An empty, migrated PostgreSQL database. What a test changes of its schema, it changes back."""
    rows_go = ";".join(f"DELETE FROM {table.name}" for table in reversed(Table.metadata.sorted_tables))
    asyncio.run(postgres_server.empty(postgres_database, rows_go))
    return postgres_server.url(postgres_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty, migrated database, once of each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The same, opened."""
    database = await Database.open(database_url)
    yield database
    await end_the_rest()
    await database.close()


@pytest.fixture
def vault() -> Vault:
    """A vault under a key of its own."""
    return Vault(MasterKeys.parse(new_master_key()))


async def _migrated(url: str) -> None:
    database = await Database.open(url)
    await database.migrate()
    await database.checkpoint()
    await database.close()
