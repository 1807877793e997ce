"""What owners say about the mail on their servers: what UIDs are that look new, and which message shall go.

Every call finds what it is about by its owner, so an id from a payload routes and never authorises.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlmodel import col, select

from storage.errors import NotFound
from storage.fencing import FREED
from storage.records import Health, Retention, SeenState, Shape
from storage.seen import answer_uids
from storage.statements import plain, update_rows
from storage.tables import MailboxRow, MessageRow, SeenRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Person


class OnServer(StrEnum):
    """Where a message stands on its server, once its owner wanted it deleted there."""

    WANTED_GONE = "wanted_gone"  # a poll deletes it, as soon as there is one
    GONE = "gone"
    STAYS = "stays"  # the delete setting leaves mail on the server, or it is not whole in Slack


class Answers:
    """The store of what owners answer."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def answer(
        self, owner: Person, mailbox_id: str, becomes: SeenState, now: datetime, *, due_at: datetime
    ) -> bool:
        """What the messages are that the owner was asked about; a mailbox that stopped for it is due at `due_at`.

        Returns:
            Whether the question was open; False when it was answered before, and nothing changed.

        Raises:
            NotFound: the mailbox is gone, or somebody else's.
        """
        async with self._database.write() as session:
            query = select(MailboxRow).where(*_of(owner), MailboxRow.id == mailbox_id)
            row = (await session.exec(query.with_for_update(key_share=True))).first()
            if row is None:
                raise NotFound("This person has no such mailbox.")
            if not await answer_uids(session, mailbox_id, becomes, now):
                return False
            changes: dict[str, Any] = {**FREED, "fence": row.fence + 1}
            if row.health == Health.ASKED:
                due = due_at if row.is_active else None
                changes |= {"health": Health.OK, "is_paused": False, "due_at": due}
            await update_rows(session, MailboxRow, col(MailboxRow.id) == mailbox_id, changes)
        return True

    async def delete(self, owner: Person, message_id: str, now: datetime) -> tuple[str, OnServer]:
        """Want one message gone from its server; once is enough.

        Returns:
            Its mailbox, and where it stands now.

        Raises:
            NotFound: the message is gone, or somebody else's.
        """
        async with self._database.write() as session:
            found = await _message(session, owner, message_id)
            place = _place(found)
            if found.state == SeenState.KEPT and place is OnServer.WANTED_GONE:
                this = (col(SeenRow.mailbox_id) == found.mailbox_id) & (col(SeenRow.uid) == found.uid)
                await update_rows(
                    session, SeenRow, this, {"state": SeenState.DELETING, "attempts": 0, "changed_at": now}
                )
        return found.mailbox_id, place

    async def is_gone(self, owner: Person, message_id: str) -> bool:
        """Whether a message that was wanted gone is."""
        async with self._database.read() as session:
            return _place(await _message(session, owner, message_id)) is OnServer.GONE


def _of(owner: Person) -> tuple[Any, ...]:
    mailbox = plain(MailboxRow).c
    return mailbox.workspace == owner.workspace, mailbox.owner == owner.user, mailbox.wrapped_key.is_not(None)


async def _message(session: AsyncSession, owner: Person, message_id: str) -> Any:
    """A message with its UID's row; `is_newest`: its UID was not given to another one since."""
    message, mailbox, seen = plain(MessageRow), plain(MailboxRow), plain(SeenRow)
    newer = message.alias()
    is_same_uid = (newer.c.mailbox_id == message.c.mailbox_id) & (newer.c.uid == message.c.uid)
    is_newest = ~sqlalchemy.exists().where(is_same_uid, newer.c.id > message.c.id)
    rows = message.join(mailbox, mailbox.c.id == message.c.mailbox_id).join(
        seen, (seen.c.mailbox_id == message.c.mailbox_id) & (seen.c.uid == message.c.uid)
    )
    columns = (message.c.mailbox_id, message.c.uid, message.c.shape, mailbox.c.retention, seen.c.state)
    query: Any = sqlalchemy.select(*columns, seen.c.is_settled, is_newest.label("is_newest")).select_from(
        rows
    )
    query = query.where(message.c.id == message_id, *_of(owner))
    found = (await session.exec(query.with_for_update(of=seen))).first()
    if found is None:
        raise NotFound("This person has no such message.")
    return found


def _place(found: Any) -> OnServer:
    if not found.is_newest or found.state == SeenState.DELETED:
        return OnServer.GONE
    if found.state == SeenState.DELETING:
        return OnServer.WANTED_GONE
    may_go = found.is_settled and found.shape == Shape.WHOLE and found.retention != Retention.LEAVE
    return OnServer.WANTED_GONE if may_go and found.state == SeenState.KEPT else OnServer.STAYS
