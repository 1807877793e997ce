"""What is to come into channels: messages that came since a share began and of which no copy was made there.

Only what is in its owner's DM comes; what a rule keeps out of Slack does not, nor old mail that is brought bit by bit.
Each look goes back little more than a day, so a channel that was closed for longer is not flooded.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.copies import Fresh
from storage.records import EntryState, Person
from storage.sharing import AudienceKind
from storage.sharing_tables import CopyRow, ShareRow
from storage.statements import in_batches, plain
from storage.tables import EntryRow, MailboxRow, MessageRow, OldMailRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from storage.database import Database

LOOK_BACK: Final = timedelta(hours=26)
"""A day, and what a daily digest takes to come to Slack."""

MOST_AT_ONCE: Final = 200


class Spreading:
    """Reads what is to come into channels."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    async def fresh(self, now: datetime) -> list[Fresh]:
        """What shares of owners are to bring into channels, the oldest first, some at a time."""
        values = {"now": now, "since": now - LOOK_BACK, "first_id": first_id(now - LOOK_BACK)}
        async with self._database.read() as session:
            rows = [
                *(await session.exec(_of_mailboxes(), params=values)).all(),
                *(await session.exec(_of_messages(), params=values)).all(),
            ]
        return [
            Fresh(row.mailbox_id, row.id, Person(row.workspace, row.audience_id), row.share) for row in rows
        ]

    async def owners(self, workspace: str, now: datetime) -> dict[str, str]:
        """Mailboxes to which mail came lately, and the user whose each is."""
        mailbox = plain(MailboxRow).c
        which = (mailbox.workspace == workspace) & (mailbox.last_mail_at >= now - LOOK_BACK)
        query: Any = sqlalchemy.select(mailbox.id, mailbox.owner).where(
            which, mailbox.wrapped_key.is_not(None)
        )
        async with self._database.read() as session:
            return {row.id: row.owner for row in (await session.exec(query)).all()}

    async def fresh_of(
        self, mailbox_ids: Collection[str], channel: Person, since: datetime, now: datetime
    ) -> list[Fresh]:
        """What a FIXED grant that is in force since then is to bring from these mailboxes into a channel."""
        message, copy = plain(MessageRow).c, plain(CopyRow).c
        begin = max(since, now - LOOK_BACK)
        made = sqlalchemy.exists().where(
            copy.message_id == message.id,
            copy.workspace == channel.workspace,
            copy.destination == channel.user,
        )
        query: Any = sqlalchemy.select(message.mailbox_id, message.id).select_from(_in_slack())
        query = query.where(
            message.id >= first_id(begin), message.received_at >= begin, *_is_shown(), ~_is_old(), ~made
        )
        found: list[Fresh] = []
        async with self._database.read() as session:
            for some in in_batches(mailbox_ids):
                mine = query.where(message.mailbox_id.in_(some)).order_by(message.id)
                rows = (await session.exec(mine.limit(MOST_AT_ONCE))).all()
                found += [Fresh(row.mailbox_id, row.id, channel) for row in rows]
        return found


def first_id(time: datetime) -> str:
    """The least id that `new_id` makes at a time or later, a minute off for clocks."""
    return f"{max(0, int((time - timedelta(minutes=1)).timestamp() * 1000)):012x}"


@cache
def _of_mailboxes() -> Any:
    message, share = plain(MessageRow).c, plain(ShareRow).c
    came = (message.received_at >= share.created_at) & (message.id >= bindparam("first_id"))
    return _shared(share.mailbox_id == message.mailbox_id).where(share.message_id.is_(None), came, ~_is_old())


@cache
def _of_messages() -> Any:
    message, share = plain(MessageRow).c, plain(ShareRow).c
    begun = share.created_at >= bindparam("since", type_=UTCDateTime())
    return _shared(share.message_id == message.id).where(begun)


def _shared(which: Any) -> Any:
    message, share, mailbox, copy = plain(MessageRow), plain(ShareRow), plain(MailboxRow), plain(CopyRow).c
    rows = share.join(mailbox, mailbox.c.id == share.c.mailbox_id)
    rows = rows.join(message, which).join(plain(EntryRow), plain(EntryRow).c.message_id == message.c.id)
    columns = (
        message.c.mailbox_id, message.c.id, mailbox.c.workspace, share.c.audience_id, share.c.id.label("share"),
    )  # fmt: skip
    is_open = share.c.until.is_(None) | (share.c.until > bindparam("now", type_=UTCDateTime()))
    in_force = (share.c.audience_kind == AudienceKind.CHANNEL.value, share.c.ended_at.is_(None), is_open)
    made = sqlalchemy.exists().where(
        copy.message_id == message.c.id,
        copy.workspace == mailbox.c.workspace,
        copy.destination == share.c.audience_id,
    )
    query = sqlalchemy.select(*columns).select_from(rows).where(*in_force, *_is_shown(), ~made)
    return query.order_by(message.c.id).limit(MOST_AT_ONCE)


def _in_slack() -> Any:
    message, entry = plain(MessageRow), plain(EntryRow)
    return message.join(entry, entry.c.message_id == message.c.id)


def _is_shown() -> tuple[Any, ...]:
    entry = plain(EntryRow).c
    return entry.ts.is_not(None), entry.state != EntryState.MUTED.value


def _is_old() -> Any:
    entry, old = plain(EntryRow).c, plain(OldMailRow).c
    return sqlalchemy.exists().where(old.id == entry.parent).correlate(plain(EntryRow))
