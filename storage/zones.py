"""The time zones of people, as Slack last told them: kept beside their mailboxes, where it matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlmodel import col, select

from storage.calm import reschedule
from storage.owned import is_ever_of
from storage.records import Person
from storage.statements import update_rows
from storage.tables import MailboxRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from storage.database import Database
    from storage.delivery import Held


class Zones:
    """The store of time zones."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def due(self, now: datetime, limit: int) -> list[Person]:
        """People whose zone is to be asked for, longest due first; at most one for each mailbox looked at."""
        due = col(MailboxRow.zone_due)
        query = select(MailboxRow.workspace, MailboxRow.owner).where(due.is_not(None), due <= now)
        async with self._database.read() as session:
            rows = (await session.exec(query.order_by(due).limit(limit))).all()
        return [Person(*row) for row in dict.fromkeys(rows)]

    async def learn(
        self,
        owner: Person,
        zone: str | None,
        ask_again: datetime,
        held: Mapping[str, Held],
        now: datetime,
    ) -> None:
        """What Slack said of a person's zone; None when it did not, and what was known stays.

        Args:
            held: by mailbox id, until when all of it waits now.
        """
        async with self._database.write() as session:
            if zone is not None:
                await update_rows(session, MailboxRow, is_ever_of(owner), {"zone": zone})
            where_it_matters = is_ever_of(owner) & col(MailboxRow.zone_due).is_not(None)
            await update_rows(session, MailboxRow, where_it_matters, {"zone_due": ask_again})
            for mailbox_id, until in held.items():
                await reschedule(session, owner, mailbox_id, until, now)
