"""The posts that say how far a mail is that somebody sends: owed with it, and brought up to date as it goes on."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
import structlog
from sqlalchemy import bindparam, func, text
from sqlmodel import col

from storage.conversations import note_place, place_in
from storage.database import new_id
from storage.errors import KeyUnknown, SealBroken
from storage.letters import key_of, outgoing_record
from storage.outgoing_rows import selected
from storage.owing import owe_to
from storage.records import Notice, Person
from storage.sending import OutgoingPost, OutgoingState
from storage.sending_tables import POST_BEHIND, OutgoingPostRow, OutgoingRow
from storage.sharing_tables import CopyRow
from storage.statements import in_batches, insert_rows, plain, update_rows
from storage.tables import EntryRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.sending import NewOutgoing, Outgoing
    from storage.vault import DataKey, Vault

log = structlog.get_logger(__name__)

_NEVER_BEHIND: Final = 2_000_000_000
"""`told` of a post that is not changed whatever becomes of its mail."""


class OutgoingPosts:
    """The store of posts about mail that is sent."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    async def behind(self, limit: int, after: str = "") -> tuple[list[OutgoingPost], str]:
        """Posts that stand in Slack and no longer say how far their mail is, by id; what does not open is left out.

        Args:
            after: what the call before returned, "" to begin.

        Returns:
            The posts, and after which id to go on, "" after the last one.
        """
        asked = {"after": after, "most": limit}
        async with self._database.read() as session:
            rows = (await session.exec(_behind(), params=asked)).all()
        last = str(rows[-1].entry_id) if len(rows) == limit else ""
        return [post for row in rows if (post := self._post(row))], last

    async def told(self, entry_id: str, changes: int, *, is_over: bool = False) -> None:
        """A post says what `behind` gave; what changed since then remains to be told, unless it `is_over`."""
        async with self._database.write() as session:
            this = col(OutgoingPostRow.entry_id) == entry_id
            await update_rows(session, OutgoingPostRow, this, {"told": _NEVER_BEHIND if is_over else changes})

    async def waiting(self, mailbox_id: str) -> int:
        """How many mails of a mailbox are still to go out by themselves."""
        row = plain(OutgoingRow).c
        waits = (row.mailbox_id == mailbox_id) & (row.state == OutgoingState.WAITING.value)
        query: Any = sqlalchemy.select(func.count()).select_from(plain(OutgoingRow)).where(waits)
        async with self._database.read() as session:
            return int((await session.exec(query)).scalar_one())

    def _post(self, row: Any) -> OutgoingPost | None:
        """One mail that does not open holds up no other's posts."""
        try:
            outgoing = outgoing_record(row, key_of(self._vault, row))
        except (KeyUnknown, SealBroken) as error:
            log.error("outgoing_does_not_open", outgoing=row.id, error=type(error).__name__)  # noqa: TRY400 - no traceback
            return None
        to = Person(row.post_workspace, row.post_owner)
        is_alarm = row.notice == Notice.OUTGOING_REFUSED
        return OutgoingPost(row.entry_id, outgoing, row.channel, row.ts, row.changes, to, is_alarm)


async def owe_posts(
    database: Database,
    session: AsyncSession,
    key: DataKey,
    outgoing_id: str,
    new: NewOutgoing,
    *,
    owner: Person,
    now: datetime,
) -> None:
    """Owe a mail's posts and remember by what its answers are found, inside the transaction that saves it.

    The owner's stands in the thread of what the mail answers, or begins a thread itself, in which the answers go then.
    An actor who is somebody else has one as well, in the thread of their copy.
    """
    entry_id = new_id()
    place = await place_in(
        session, key, new.mailbox_id, new.clues, entry_id=entry_id, answers=new.answers, now=now
    )
    await owe_to(
        database,
        session,
        owner,
        new.mailbox_id,
        now=now,
        notice=Notice.OUTGOING,
        parent=place.root,
        entry_id=entry_id,
        conversation=place.conversation,
    )
    root = entry_id if place.root is None else ""
    await note_place(database, session, new.mailbox_id, place, root=root, now=now)
    ids = [entry_id]
    if new.actor != owner:
        parent = await _copy_of(session, new)
        ids.append(
            await owe_to(
                database,
                session,
                new.actor,
                new.mailbox_id,
                now=now,
                notice=Notice.OUTGOING,
                parent=parent,
            )
        )
    rows = [{"entry_id": each, "outgoing_id": outgoing_id, "changes": 0, "told": 0} for each in ids]
    await insert_rows(session, OutgoingPostRow, rows)


async def owe_alarm(database: Database, session: AsyncSession, outgoing: Outgoing, now: datetime) -> None:
    """Owe the owner of a mailbox the post that its outgoing password is refused; it says so when that is over."""
    notice = Notice.OUTGOING_REFUSED
    entry_id = await owe_to(database, session, outgoing.owner, outgoing.mailbox_id, now=now, notice=notice)
    alarm = {"entry_id": entry_id, "outgoing_id": outgoing.id, "changes": 0, "told": 0}
    await insert_rows(session, OutgoingPostRow, [alarm])


async def owe_news(
    database: Database, session: AsyncSession, outgoing_ids: Collection[str], now: datetime
) -> None:
    """Owe the senders of mails that came to a bad end one post more each, in the thread where the mail's own stands.

    A post that is changed calls nobody; a new one does. It says so once, and is not changed any more.
    """
    for some in in_batches(outgoing_ids):
        for row in (await session.exec(_of_senders(), params={"outgoings": list(some)})).all():
            entry_id = await owe_to(
                database,
                session,
                Person(row.workspace, row.owner),
                row.mailbox_id,
                now=now,
                notice=Notice.OUTGOING_NEWS,
                parent=row.parent or row.id,
            )
            news = {"entry_id": entry_id, "outgoing_id": row.outgoing_id, "changes": 0, "told": _NEVER_BEHIND}
            await insert_rows(session, OutgoingPostRow, [news])


@cache
def _of_senders() -> Any:
    """The posts of mails in their senders' DMs."""
    post, entry, outgoing = plain(OutgoingPostRow), plain(EntryRow), plain(OutgoingRow)
    rows = post.join(entry, entry.c.id == post.c.entry_id).join(outgoing, outgoing.c.id == post.c.outgoing_id)
    columns = (
        entry.c.id,
        entry.c.parent,
        entry.c.workspace,
        entry.c.owner,
        outgoing.c.mailbox_id,
        post.c.outgoing_id,
    )
    theirs = (entry.c.workspace == outgoing.c.workspace) & (entry.c.owner == outgoing.c.actor)
    these = post.c.outgoing_id.in_(bindparam("outgoings", expanding=True))
    query = sqlalchemy.select(*columns).select_from(rows)
    return query.where(these, theirs, entry.c.notice == Notice.OUTGOING.value).order_by(entry.c.owner)


async def _copy_of(session: AsyncSession, new: NewOutgoing) -> str | None:
    """The post in whose thread the actor's copy of the answered message stands, or which it is."""
    copy, entry = plain(CopyRow), plain(EntryRow)
    query: Any = sqlalchemy.select(entry.c.id, entry.c.parent).select_from(
        copy.join(entry, entry.c.id == copy.c.entry_id)
    )
    theirs = (copy.c.workspace == new.actor.workspace) & (copy.c.destination == new.actor.user)
    is_there = copy.c.withdrawn_at.is_(None) & entry.c.ts.is_not(None)
    found = (await session.exec(query.where(copy.c.message_id == new.answers, theirs, is_there))).first()
    return None if found is None else str(found.parent or found.id)


@cache
def _behind() -> Any:
    post, entry = plain(OutgoingPostRow), plain(EntryRow)
    columns = (
        post.c.entry_id, post.c.changes, entry.c.channel, entry.c.ts,
        entry.c.workspace.label("post_workspace"), entry.c.owner.label("post_owner"), entry.c.notice,
    )  # fmt: skip
    posts = post.join(entry, entry.c.id == post.c.entry_id)
    query = selected(*columns, beside=posts, on=post.c.outgoing_id == plain(OutgoingRow).c.id)
    query = query.where(text(POST_BEHIND), entry.c.ts.is_not(None), post.c.entry_id > bindparam("after"))
    return query.order_by(post.c.entry_id).limit(bindparam("most"))
