"""The sealed pieces of messages, as several stores write and drop them inside their transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy

from storage.statements import insert_rows, plain
from storage.tables import ChunkRow, EntryRow, MessageRow, OriginalRow

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.spool import Spool


async def write_chunks(session: AsyncSession, spool: Spool) -> None:
    """Store a message's pieces, a few at a time: the message is never in memory as a whole."""
    async for batch in spool.batches():
        rows = [
            {"message_id": spool.message_id, "number": number, "octets": sealed} for number, sealed in batch
        ]
        await insert_rows(session, ChunkRow, rows)


def is_on_its_way() -> Any:
    """A message whose octets are about to be brought into the thread of its post."""
    original, entry, message = plain(OriginalRow).c, plain(EntryRow).c, plain(MessageRow).c
    return (
        sqlalchemy.exists()
        .where(original.message_id == message.id, entry.id == original.entry_id)
        .where(entry.finished_at.is_(None))
        .correlate(plain(MessageRow))
    )
