"""Foreign database errors become the StorageError family here, and nowhere else.

The words of a driver never enter our messages: PostgreSQL repeats column values in them. The cause stays chained.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from storage.errors import OutcomeUnknown, StorageBusy, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SQLITE_BUSY: Final = frozenset({
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
})  # fmt: skip
# Classes 08 connection, 53 out of resources, 57P shut down or starting, 58 input or output; serialisation failure,
# deadlock, lock not available, query cancelled, read-only standby after a failover.
_POSTGRESQL_BUSY: Final = ("08", "53", "57P", "58", "40001", "40P01", "55P03", "57014", "25006")
_POSTGRESQL_LOST: Final = ("08", "57P")

Foreign: TypeAlias = SQLAlchemyError | OSError | sqlite3.Error


@contextmanager
def translated() -> Iterator[None]:
    """Errors of SQLAlchemy, the drivers and the operating system leave as StorageError."""
    try:
        yield
    except (SQLAlchemyError, OSError, sqlite3.Error) as error:
        raise translation(error) from error


def translation(error: Foreign) -> StorageError:
    """The StorageError for an error before COMMIT: nothing was written."""
    name = type(_origin(error)).__name__
    if _is_lost(error) or isinstance(error, PoolTimeoutError) or _is_busy(error):
        return StorageBusy(f"The database is locked or unreachable ({name}).")
    return StorageError(f"The database refused a statement ({name}).")


def commit_translation(error: Foreign) -> StorageError:
    """The StorageError for an error of COMMIT itself, which may have taken effect when no answer came."""
    if _is_lost(error) or _sqlite_code(error) == sqlite3.SQLITE_IOERR:
        return OutcomeUnknown(f"COMMIT was not answered ({type(_origin(error)).__name__}).")
    return translation(error)


def _origin(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig else error


def _is_lost(error: Foreign) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _sqlstate(error).startswith(_POSTGRESQL_LOST)
    return isinstance(error, OSError)


def _is_busy(error: Foreign) -> bool:
    return _sqlite_code(error) in _SQLITE_BUSY or _sqlstate(error).startswith(_POSTGRESQL_BUSY)


def _sqlite_code(error: BaseException) -> int | None:
    """The primary result code, extended codes folded into it."""
    code = getattr(_origin(error), "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _sqlstate(error: BaseException) -> str:
    return getattr(_origin(error), "sqlstate", None) or ""
