"""What several stores say to the database."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import insert, update

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import ColumnElement, TableClause
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.tables import Table

T = TypeVar("T")

_SIZE: Final = 500


def in_batches(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in order, at most 500 at a time, so that a statement can hold them."""
    rest = iter(values)
    while batch := list(islice(rest, _SIZE)):
        yield batch


def plain(table: type[Table]) -> TableClause:
    """The bare table: inserting there skips the objects, twice as fast."""
    return table.metadata.tables[str(table.__tablename__)]


async def insert_rows(session: AsyncSession, table: type[Table], rows: list[dict[str, Any]]) -> None:
    """Insert rows given by column."""
    await session.exec(insert(plain(table)), params=rows)


async def update_rows(
    session: AsyncSession, table: type[Table], which: ColumnElement[bool], values: dict[str, Any]
) -> int:
    """Change all rows for which `which` is true; how many. Rows the session has loaded keep their old values."""
    result = await session.exec(update(plain(table)).where(which).values(values))
    return result.rowcount
