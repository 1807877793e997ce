"""Statements compiled once for all tests: each test opens engines of its own, and to compile takes longer than to run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


class _Compiled(dict[tuple[Any, ...], Any]):
    """What SQLAlchemy compiled, for every dialect of one name where it keeps it for each engine's own."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(_key(key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(_key(key), compiled)


@contextmanager
def compiled_once() -> Iterator[None]:
    """For connections of every engine, as long as it lasts."""
    compiled = _Compiled()

    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=compiled)

    event.listen(Engine, "engine_connect", share)
    yield
    event.remove(Engine, "engine_connect", share)


def _key(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *statement = key
    return (dialect.name, dialect.driver, *statement)
