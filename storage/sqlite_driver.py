"""SQLite's connections: one visit to a connection's thread for each statement and its rows.

The driver underneath goes there four times, for a cursor, the statement, the rows and the cursor's end, and once more
for the beginning of a transaction; each way there and back costs more than a small statement does. Here a transaction
begins with its first statement, in the same visit, and one that never had a statement is ended without any.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Self, TypeVar

import aiosqlite

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

P = ParamSpec("P")
T = TypeVar("T")

_AT_ONCE: Final = 500
"""So many rows come along with their statement; those beyond are fetched as they are asked for."""


class Connection(aiosqlite.Connection):
    """A connection as SQLAlchemy's adapter drives it.

    Args:
        begin: the statement that begins each transaction.
        is_reader: its transactions change nothing, so nobody waits for their end.
    """

    def __init__(
        self, file: str, seconds: float, begin: str, pragmas: Sequence[str], *, is_reader: bool
    ) -> None:
        self._raw: Final[
            list[sqlite3.Connection]
        ] = []  # filled in the thread; no method of ours, or it would hold itself
        super().__init__(partial(_opened, self._raw, file, seconds, pragmas), _AT_ONCE)
        self._thread.daemon = True  # a process that ends does not wait for a connection nobody closed
        self._begin: Final = begin
        self._is_reader: Final = is_reader
        self._is_begun = False
        self._asked = self._answered = 0

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread; what it opened is closed there first, also where nobody waited for it any more."""
        if self._connection is None:  # or theirs closes it
            self._tx.put_nowait((None, partial(_close_all, self._raw)))
        return super().stop()

    def begin(self) -> None:
        """The next statement begins a transaction."""
        self._is_begun = True

    def cursor(self) -> Cursor:  # type: ignore[override] # theirs goes to the thread for it
        """A cursor, made without a visit."""
        return Cursor(self)

    async def commit(self) -> None:
        """End the transaction; nothing is to be done when it had no statement."""
        if self._has_work():
            await super().commit()

    async def rollback(self) -> None:
        """End the transaction; what follows on this connection comes after it in any case."""
        if not self._has_work():
            return
        if self._is_reader:
            self._tx.put_nowait((None, self._conn.rollback))
        else:
            await super().rollback()

    async def visit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of work done in the connection's thread, after the transaction was begun if need be."""
        before, self._is_begun = self._begin if self._is_begun else "", False
        self._asked += 1
        task = partial(work, *args, **kwargs)
        return await self._execute(self._worked, before, task)  # type: ignore[no-any-return,no-untyped-call] # aiosqlite leaves it bare

    def _worked(self, before: str, work: Callable[[], T]) -> T:
        try:
            if before:
                self._conn.execute(before)
            return work()
        finally:
            self._answered += 1

    def _has_work(self) -> bool:
        """Whether a transaction runs, or may yet: the work of whoever was cancelled here goes on there."""
        self._is_begun = False
        return self._asked != self._answered or self.in_transaction


def _opened(
    made: list[sqlite3.Connection], file: str, seconds: float, pragmas: Sequence[str]
) -> sqlite3.Connection:
    """A prepared connection, or none: a file that is no database shows itself only now.

    Args:
        made: takes it too: who asked may have been cancelled meanwhile, and would leave it open.
    """
    connection = sqlite3.connect(file, timeout=seconds, check_same_thread=False)
    try:
        connection.isolation_level = None  # the driver begins nothing by itself
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    made.append(connection)
    return connection


def _close_all(connections: Sequence[sqlite3.Connection]) -> None:
    for connection in connections:
        connection.close()


class Cursor:
    """One statement at a time; its first rows come along with it."""

    def __init__(self, connection: Connection) -> None:
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._connection: Final = connection
        self._rows: list[Any] = []
        self._raw: sqlite3.Cursor | None = None

    async def __aenter__(self) -> Self:
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        row = await self.fetchone()
        if row is None:
            raise StopAsyncIteration
        return row

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Self:
        """Run a statement."""
        return await self._connection.visit(self._run, statement, parameters)

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> Self:
        """Run a statement with each of the parameters."""
        return await self._connection.visit(self._run_many, statement, parameters)

    async def fetchone(self) -> Any:
        """The next row, or None."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows."""
        wanted = size or self.arraysize
        if len(self._rows) < wanted and self._raw is not None:
            await self._connection.visit(self._more, max(wanted, _AT_ONCE))
        rows, self._rows = self._rows[:wanted], self._rows[wanted:]
        return rows

    async def fetchall(self) -> list[Any]:
        """All rows that are left."""
        if self._raw is not None:
            await self._connection.visit(self._more, None)
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Forget the rows that are left."""
        self._rows = []
        if self._raw is not None:
            raw, self._raw = self._raw, None
            await self._connection.visit(raw.close)

    # In the connection's thread

    def _run(self, statement: str, parameters: Sequence[Any]) -> Self:
        self._took(self._connection._conn.execute(statement, parameters))  # noqa: SLF001 - aiosqlite's own name for it
        return self

    def _run_many(self, statement: str, parameters: Sequence[Sequence[Any]]) -> Self:
        self._took(self._connection._conn.executemany(statement, parameters))  # noqa: SLF001 - the same
        return self

    def _took(self, raw: sqlite3.Cursor) -> None:
        self._raw, self._rows = raw, []
        self.description = raw.description
        self._more(_AT_ONCE)
        self.rowcount, self.lastrowid = raw.rowcount, raw.lastrowid

    def _more(self, size: int | None) -> None:
        assert self._raw is not None
        rows = self._raw.fetchall() if size is None else self._raw.fetchmany(size)
        self._rows += rows
        if size is None or len(rows) < size:
            self._raw.close()
            self._raw = None
