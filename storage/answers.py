"""What owners say about the mail on their servers: what UIDs are that look new, and which message shall go.

Every call finds what it is about by its owner, so an id from a payload routes and never authorises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlmodel import col, select

from storage.database import is_id
from storage.errors import NotFound
from storage.fencing import FREED
from storage.records import Health, Retention, SeenState, Shape
from storage.seen import answer_uids
from storage.statements import plain, update_rows
from storage.tables import EntryRow, MailboxRow, MessageRow, OriginalRow, SeenRow
from storage.wishes import OnServer

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Person


_COLUMNS: Final = (
    "id", "mailbox_id", "uid", "shape", "octets", "listed_octets", "received_at", "purged_at",
)  # fmt: skip


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
            query = select(MailboxRow).where(*of_owner(owner), MailboxRow.id == mailbox_id)
            row = (await session.exec(query.with_for_update(key_share=True))).first()
            if row is None:
                raise NotFound("This person has no such mailbox.")
            if not await answer_uids(session, mailbox_id, becomes, now):
                return False
            changes: dict[str, Any] = {**FREED, "fence": row.fence + 1}
            if row.health == Health.ASKED:
                due = due_at if row.is_active and row.suspension is None else None
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
            found = await message_of(session, owner, message_id, is_locked=True)
            place = place_of(found)
            if place is OnServer.MAY_GO:
                place = OnServer.WANTED_GONE
                this = (col(SeenRow.mailbox_id) == found.mailbox_id) & (col(SeenRow.uid) == found.uid)
                await update_rows(
                    session, SeenRow, this, {"state": SeenState.DELETING, "attempts": 0, "changed_at": now}
                )
        return found.mailbox_id, place

    async def is_gone(self, owner: Person, message_id: str) -> bool:
        """Whether a message that was wanted gone is."""
        async with self._database.read() as session:
            return place_of(await message_of(session, owner, message_id)) is OnServer.GONE


def of_owner(owner: Person) -> tuple[Any, ...]:
    """The mailboxes of a person, those that are being removed apart."""
    mailbox = plain(MailboxRow).c
    return mailbox.workspace == owner.workspace, mailbox.owner == owner.user, mailbox.wrapped_key.is_not(None)


async def message_of(
    session: AsyncSession, owner: Person, message_id: str, *, is_locked: bool = False
) -> Any:
    """A message with its UID's row, its post and what else was wanted of it.

    `is_newest`: its UID was not given to another one since.

    Raises:
        NotFound: the message is gone, or somebody else's.
    """
    if not is_id(message_id):
        raise NotFound("This person has no such message.")
    message, mailbox, seen = plain(MessageRow), plain(MailboxRow), plain(SeenRow)
    entry, original, newer = plain(EntryRow), plain(OriginalRow), message.alias()
    is_same_uid = (newer.c.mailbox_id == message.c.mailbox_id) & (newer.c.uid == message.c.uid)
    is_newest = ~sqlalchemy.exists().where(is_same_uid, newer.c.id > message.c.id)
    rows = (
        message.join(mailbox, mailbox.c.id == message.c.mailbox_id)
        .join(seen, (seen.c.mailbox_id == message.c.mailbox_id) & (seen.c.uid == message.c.uid))
        .outerjoin(entry, entry.c.message_id == message.c.id)
        .outerjoin(original, original.c.message_id == message.c.id)
    )
    query: Any = sqlalchemy.select(
        *(message.c[name] for name in _COLUMNS),
        mailbox.c.retention,
        seen.c.state,
        seen.c.is_settled,
        is_newest.label("is_newest"),
        entry.c.done_at,
        original.c.state.label("original"),
    ).select_from(rows)
    query = query.where(message.c.id == message_id, *of_owner(owner))
    found = (await session.exec(query.with_for_update(of=seen) if is_locked else query)).first()
    if found is None:
        raise NotFound("This person has no such message.")
    return found


def place_of(found: Any) -> OnServer:
    """Where such a message stands on its server."""
    if not found.is_newest or found.state == SeenState.DELETED:
        return OnServer.GONE
    if found.state == SeenState.DELETING:
        return OnServer.WANTED_GONE
    may_go = found.is_settled and found.shape == Shape.WHOLE and found.retention != Retention.LEAVE
    return OnServer.MAY_GO if may_go and found.state == SeenState.KEPT else OnServer.STAYS
