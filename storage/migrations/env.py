"""Alembic's environment. `Database.migrate` hands in its connection, transaction begun and lock held.

Without one (`alembic revision --autogenerate` by a developer) it connects by itself to the URL given as `-x url=…`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

from storage import sending_tables, sharing_tables
from storage.tables import Table

if TYPE_CHECKING:
    from sqlalchemy import Connection

_KNOWN = (sending_tables, sharing_tables)
"""Modules whose tables count as well: they are known once they are imported."""


def _run(connection: Connection) -> None:
    # Batch mode: SQLite changes a table by building another one.
    context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_run(url: str) -> None:
    engine = create_async_engine(url, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


if (given := context.config.attributes.get("connection")) is not None:
    _run(given)
else:
    asyncio.run(_connect_and_run(context.get_x_argument(as_dictionary=True)["url"]))
