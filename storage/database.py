"""One SQLite file or one PostgreSQL database: engine, transactions, migrations.

SQLite: write-ahead log, every commit synced, one writer at a time and that one also the checkpointer; reads go
through a small pool beside it. No memory mapping. PostgreSQL: a small pool; a closed connection is noticed before it
is handed out. No parameter is ever logged. Foreign errors leave as StorageError.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
import structlog
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import TableClause, event, func, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import sqlite_driver
from storage.errors import StorageError
from storage.translation import commit_translation, translated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection

Insert: TypeAlias = Callable[[TableClause], Any]

log = structlog.get_logger(__name__)

PATIENCE: Final = timedelta(seconds=5)
"""How long a statement waits for somebody else's lock before the database counts as busy."""

_READERS: Final = 4
_CONNECTIONS: Final = 10
_STATEMENT_SECONDS: Final = 60
_MIGRATION_SECONDS: Final = 600
_ID_CHARACTERS: Final = 64
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_SAFE_CHECKPOINTS: Final = (3, 51, 3)


def new_id() -> str:
    """An id nobody can guess; later ids sort later, so that rows of one time stand together."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def is_id(found: str) -> bool:
    """Whether a text could be an id: one from a payload may hold what no database takes as text."""
    return 0 < len(found) <= _ID_CHARACTERS and found.isascii() and found.isprintable()


def id_time(made: str) -> datetime:
    """When `new_id` made this id."""
    return datetime.fromtimestamp(int(made[:12], 16) / 1000, UTC)


class Database:
    """Sessions on one database. Build it with `open`, leave it with `close`."""

    def __init__(self, url: str, patience: timedelta) -> None:
        self._url: Final = url
        self._patience: Final = patience
        self.is_sqlite: Final = _scheme(url) == "sqlite"
        if self.is_sqlite:
            self._writer = _sqlite_engine(url, patience, "BEGIN IMMEDIATE", _WRITER_PRAGMAS, pool_size=1)
            self._reader = _sqlite_engine(url, patience, "BEGIN", _READER_PRAGMAS, pool_size=_READERS)
        else:
            self._writer = self._reader = _postgresql_engine(
                url, patience, _STATEMENT_SECONDS, pool_size=_CONNECTIONS
            )
        # The database's own INSERT, the one that knows ON CONFLICT.
        self.insert: Final[Insert] = sqlite.insert if self.is_sqlite else postgresql.insert
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if self.is_sqlite else nullcontext()

    def __repr__(self) -> str:
        return f"Database({'sqlite' if self.is_sqlite else 'postgresql'})"

    @classmethod
    async def open(cls, url: str, *, patience: timedelta = PATIENCE) -> Database:
        """Connect once, so that a wrong or unreachable database is known at start.

        Args:
            url: of SQLite with a file (its folder is made) or of PostgreSQL as libpq reads it; a driver after "+"
                is accepted and ignored.
            patience: how long to wait for a lock before StorageBusy.

        Raises:
            ValueError: the URL is neither; the sentence does not repeat it.
        """
        database = cls(url, patience)
        if database.is_sqlite:
            await asyncio.to_thread(_prepare_file, url, patience)
        try:
            with translated():
                async with database._writer.connect():
                    return database
        except BaseException:
            await database.close()
            raise

    async def migrate(self) -> None:
        """Bring the tables forward to this release; harmless when they are, safe with several processes at once.

        Raises:
            StorageError: a newer release has been here; nothing was changed.
        """
        engine = self._migration_engine()
        try:
            with translated():
                async with engine.begin() as connection:
                    if self.is_sqlite:
                        await connection.execute(text("SELECT 1"))  # the lock comes with the first statement
                    else:
                        await connection.execute(text("SET LOCAL lock_timeout = 0"))
                        await connection.execute(
                            text("SELECT pg_advisory_xact_lock(hashtextextended('migrate', 0))")
                        )
                    await connection.run_sync(_upgrade)
        except CommandError as error:
            raise StorageError("The tables are of a newer release than this one.") from error
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session for reading; whatever it changes is undone."""
        with translated():
            async with AsyncSession(self._reader, expire_on_commit=False, autoflush=False) as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction, committed when the block ends without an error. Never open one inside another.

        Raises:
            StorageBusy: locked or unreachable; nothing was written.
            OutcomeUnknown: COMMIT was not answered: read back before repeating.
        """
        async with self._turn:
            with translated():
                async with AsyncSession(self._writer, expire_on_commit=False) as session:
                    yield session
                    await session.flush()
                    await _commit(session)

    async def serialise(self, session: AsyncSession, *names: str) -> None:
        """Until this transaction ends, no other one passes here with the same names."""
        if not self.is_sqlite:  # SQLite has one writer anyway
            name = func.hashtextextended("\x1f".join(names), 1)
            await session.exec(select(func.pg_advisory_xact_lock(name)))

    async def check(self) -> None:
        """Read one row; StorageError when the database does not answer."""
        async with self.read() as session:
            await (await session.connection()).execute(text("SELECT version_num FROM alembic_version"))

    async def checkpoint(self) -> None:
        """Move SQLite's log into the file and cut it to nothing, so that erased octets do not linger there."""
        if not self.is_sqlite:
            return
        async with self._turn:
            with translated():
                async with self._writer.connect() as connection:
                    await _truncate_log((await connection.get_raw_connection()).driver_connection)

    async def close(self) -> None:
        """Close every connection."""
        await self._reader.dispose()
        await self._writer.dispose()

    def _migration_engine(self) -> AsyncEngine:
        if self.is_sqlite:
            # Foreign keys off: Alembic rebuilds tables, and dropping the old one would take its children along.
            patience = timedelta(seconds=_MIGRATION_SECONDS)
            return _sqlite_engine(
                self._url, patience, "BEGIN IMMEDIATE", _MIGRATION_PRAGMAS, poolclass=NullPool
            )
        return _postgresql_engine(self._url, self._patience, _MIGRATION_SECONDS, poolclass=NullPool)


async def _commit(session: AsyncSession) -> None:
    try:
        await session.commit()
    except (SQLAlchemyError, OSError, sqlite3.Error) as error:
        raise commit_translation(error) from error


def _scheme(url: str) -> str:
    scheme = url.partition(":")[0].partition("+")[0]
    if "://" not in url or scheme not in {"sqlite", "postgresql", "postgres"}:
        raise ValueError("The database URL must begin with sqlite:/// or postgresql://.")
    return scheme


def _upgrade(connection: Connection) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


# SQLite

_WRITER_PRAGMAS: Final = (
    "synchronous=FULL",  # a power cut takes no commit back
    "foreign_keys=ON",
    "secure_delete=ON",
    "mmap_size=0",
)
_READER_PRAGMAS: Final = ("query_only=ON", "mmap_size=0")
_MIGRATION_PRAGMAS: Final = ("synchronous=FULL", "foreign_keys=OFF", "secure_delete=ON", "mmap_size=0")


def _sqlite_file(url: str) -> str:
    try:
        path = make_url(url).database
    except ArgumentError:
        path = None
    if not path or path == ":memory:":
        raise ValueError("The SQLite URL must name a file, such as sqlite:///mailbox.db.")
    return path


def _prepare_file(url: str, patience: timedelta) -> None:
    """Folder and file for the owner's eyes, with a write-ahead log; SQLite gives its other files the same rights."""
    path = Path(_sqlite_file(url))
    with translated():
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        _enable_log(path, time.monotonic() + patience.total_seconds())
    if sqlite3.sqlite_version_info < _SAFE_CHECKPOINTS:
        # Two checkpointers at once could corrupt the log before 3.51.3; we have one per process.
        log.warning("sqlite_wants_one_process", version=sqlite3.sqlite_version)


def _enable_log(path: Path, deadline: float) -> None:
    """Once for ever; of several processes that do so at once, SQLite lets none wait for the other."""
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return


def _sqlite_engine(
    url: str, patience: timedelta, begin: str, pragmas: tuple[str, ...], **pool: Any
) -> AsyncEngine:
    file = _sqlite_file(url)
    target = make_url("sqlite+aiosqlite://").set(database=file)
    if "pool_size" in pool:
        pool["max_overflow"] = 0

    async def connect() -> Any:
        is_reader = pragmas is _READER_PRAGMAS
        seconds = patience.total_seconds()
        return await sqlite_driver.Connection(file, seconds, begin, pragmas, is_reader=is_reader)

    engine = create_async_engine(target, async_creator=connect, hide_parameters=True, **pool)

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        driver.begin()

    return engine


async def _truncate_log(driver: Any) -> None:
    async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
        is_busy, *_ = await cursor.fetchone()
    if is_busy:
        log.info("checkpoint_waits_for_readers")


# PostgreSQL


def _postgresql_engine(url: str, patience: timedelta, seconds: int, **pool: Any) -> AsyncEngine:
    dsn = f"postgresql{url[url.index('://') :]}"
    settings = {
        "application_name": "mailbox",
        "lock_timeout": str(int(patience.total_seconds() * 1000)),
        "idle_in_transaction_session_timeout": str(_MIGRATION_SECONDS * 1000),
    }

    # asyncpg reads the URL as libpq does, sslmode and several hosts included; SQLAlchemy's own reading does not.
    async def connect() -> Any:
        return await asyncpg.connect(dsn, timeout=10, command_timeout=seconds, server_settings=settings)

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, hide_parameters=True, pool_recycle=1800, **pool
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_closed(_: DBAPIConnection, record: Any, __: object) -> None:
        # The driver knows of a server's goodbye without a round trip; the pool then connects anew.
        if record.driver_connection.is_closed():
            raise DisconnectionError

    return engine
