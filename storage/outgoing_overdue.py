"""Mail that waited for somebody too long: for another password, or for the end of a suspension. It is ended, not sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy

from storage.errors import KeyUnknown, NotFound, SealBroken
from storage.letters import key_of, outgoing_record
from storage.outgoing_posts import owe_news
from storage.outgoing_rows import RAISED, change, row_of
from storage.sending import OutgoingState, Trouble
from storage.sending_tables import OutgoingRow
from storage.statements import plain
from storage.tables import MailboxRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.vault import Vault

_WAITS = (OutgoingState.WAITING.value, OutgoingState.HELD.value)


async def end_overdue(database: Database, vault: Vault, until: datetime, now: datetime, limit: int) -> None:
    """End what was begun before `until` and still waits, so that it is not kept for ever; its senders are owed news."""
    row = plain(OutgoingRow).c
    overdue = (row.finished_at.is_(None), row.state.in_(_WAITS), row.begun_at <= until)
    query: Any = sqlalchemy.select(row.id, row.mailbox_id).where(*overdue).order_by(row.begun_at)
    async with database.read() as session:
        found = (await session.exec(query.limit(limit))).all()
    for each in found:
        async with database.write() as session:
            await _end(database, session, vault, each, until, now)


async def _end(  # noqa: PLR0917 - one of a batch
    database: Database, session: AsyncSession, vault: Vault, which: Any, until: datetime, now: datetime
) -> None:
    mailbox = plain(MailboxRow).c
    # The mailbox before its mails: whoever mends its login comes in that order too.
    this: Any = sqlalchemy.select(mailbox.id).where(mailbox.id == which.mailbox_id)
    await session.exec(this.with_for_update(key_share=True))
    try:
        row = await row_of(session, which.id, is_locked=True)
    except NotFound:
        return
    if row.state not in _WAITS or row.begun_at > until:
        return
    state = OutgoingState.SENT if _is_with_some(row, vault) else OutgoingState.FAILED
    ended = {"state": state, "trouble": Trouble.TOO_LONG, "due_at": None, "finished_at": now}
    await change(session, which.id, {**RAISED, **ended})
    await owe_news(database, session, [which.id], now)


def _is_with_some(row: Any, vault: Vault) -> bool:
    """Whether some of its recipients have the mail already."""
    try:
        return outgoing_record(row, key_of(vault, row)).is_with_some
    except (KeyUnknown, SealBroken):
        return False
