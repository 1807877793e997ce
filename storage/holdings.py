"""What is stored about one person: counted, laid open to them, destroyed.

Destroying goes in one order: the data keys, and with them whatever else names the person but holds nothing sealed, by
a commit of their own; then the rows, in pieces; then SQLite's log. A mailbox without its key is one whose end has
begun: nobody sees it any more, and the next start finishes what a crash left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import col, select

from storage.attempts import count_of, forget
from storage.audits import add_audit
from storage.counting import AttemptKind
from storage.database import is_id
from storage.dossier import Dossier, Holding, Post, Remembered
from storage.errors import Changed, NotFound
from storage.facts import lock_sharing
from storage.farewells import say_farewell
from storage.fencing import FREED, is_dm_of
from storage.named import count_named, forget_named, named_in
from storage.owned import is_ever_of, is_of
from storage.rules import Rules
from storage.sending_tables import OutgoingRow
from storage.sent import count_sent, forget_sender, sent_of
from storage.statements import plain, update_rows
from storage.tables import ConversationRow, DmRow, EntryRow, MailboxRow, MessageRow, OriginalRow, SeenRow
from storage.withdrawing import forget_copies, withdraw_copies

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Person
    from storage.sharing import AuditEntry
    from storage.vault import Vault

_POSTS: Final = 500
_KEYLESS: Final = {
    **FREED,
    "fence": col(MailboxRow.fence) + 1,
    "wrapped_key": None,
    "key_id": None,
    "is_active": False,
    "due_at": None,
}


class Holdings:
    """The store of what others hold, seen by whose it is."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    async def count(self, owner: Person, mailbox_id: str | None = None) -> Holding:
        """How much is stored: under one mailbox, NotFound when they have no such one, or of the whole person."""
        async with self._database.read() as session:
            return await self._count(session, owner, mailbox_id)

    async def dossier(self, owner: Person, most: int) -> Dossier:
        """What is stored besides settings.

        Args:
            most: posts in all, the newest of each mailbox first; what is beyond is counted only.
        """
        async with self._database.read() as session:
            mailboxes: dict[str, Remembered] = {}
            ids = await _ids(session, owner)
            for mailbox_id in ids:
                remembered = await _remembered(session, mailbox_id, most)
                mailboxes[mailbox_id] = remembered
                most -= len(remembered.posts)
            dm = (await session.exec(select(DmRow).where(is_dm_of(owner)))).first()
            tests = await count_of(session, self._vault, owner, AttemptKind.TEST)
            named = await named_in(session, owner)
            sent = await sent_of(session, self._vault, owner, ids)
        rules = tuple(await Rules(self._database, self._vault).of(owner))
        channel, last_ts = (None, None) if dm is None else (dm.channel, dm.last_ts)
        return Dossier(mailboxes, channel, last_ts, tests, rules, named, sent)

    # Destroying

    async def remove(
        self, owner: Person, mailbox_id: str, now: datetime, audit: AuditEntry | None = None
    ) -> Holding:
        """Destroy one mailbox; what it held. NotFound when they have no such one.

        Args:
            audit: what is recorded with it, where somebody else than the owner does it.
        """
        async with self._database.write() as session:
            await self._database.serialise(session, owner.workspace, owner.user)
            held = await self._count(session, owner, mailbox_id)
            await lock_sharing(self._database, session, owner.workspace)
            await withdraw_copies(self._database, session, mailbox_id=mailbox_id, now=now)
            why, place = "" if audit is None else "administrator", owner.workspace
            await say_farewell(self._database, session, place, [mailbox_id], who=owner.user, why=why, now=now)
            await add_audit(session, *([] if audit is None else [audit]))
            await update_rows(session, MailboxRow, col(MailboxRow.id) == mailbox_id, _KEYLESS)
            # A delivery that runs may hold one of the entries that go now.
            freed = {**FREED, "fence": col(DmRow.fence) + 1}
            await update_rows(session, DmRow, is_dm_of(owner), freed)
        await self._delete_rows(mailbox_id)
        await self._database.checkpoint()
        return held

    async def erase(self, owner: Person, asked_at: datetime, now: datetime) -> Holding:
        """Destroy all that is stored about a person; what there was.

        Args:
            asked_at: when they were told what would go.

        Raises:
            Changed: they have added a mailbox since; nothing was destroyed.
        """
        async with self._database.write() as session:
            await self._database.serialise(session, owner.workspace, owner.user)
            fresh = select(MailboxRow.id).where(is_ever_of(owner), col(MailboxRow.created_at) > asked_at)
            if (await session.exec(fresh.limit(1))).first() is not None:
                raise Changed("A mailbox was added meanwhile.")
            held = await self._count(session, owner, None)
            ids = await _ids(session, owner)
            await forget_copies(self._database, session, owner, ids, now)
            await say_farewell(self._database, session, owner.workspace, ids, who="", now=now)
            await forget_sender(session, owner, ids, now)
            await update_rows(session, MailboxRow, is_ever_of(owner), _KEYLESS)
            # Without its row nothing is posted into the DM, and nothing can be owed to it: that takes a mailbox.
            await session.exec(delete(DmRow).where(is_dm_of(owner)))
            # Those of their own mailboxes follow in pieces.
            is_elsewhere = col(EntryRow.mailbox_id).is_(None) | col(EntryRow.mailbox_id).not_in(ids)
            await session.exec(delete(EntryRow).where(_mine(owner), is_elsewhere))
            await forget(session, self._vault, owner)
            await forget_named(self._database, session, owner, now)
        for mailbox_id in ids:
            await self._delete_rows(mailbox_id)
        await self._database.checkpoint()
        return held

    async def finish(self, *, is_start: bool = False) -> int:
        """End what a crash, or a database that was busy, broke off; how many mailboxes were still to go."""
        async with self._database.read() as session:
            begun = select(MailboxRow.id).where(col(MailboxRow.wrapped_key).is_(None))
            ids = (await session.exec(begun)).all()
        for mailbox_id in ids:
            await self._delete_rows(mailbox_id)
        if ids or is_start:  # a crash may have come between the last row and the log
            await self._database.checkpoint()
        return len(ids)

    async def _delete_rows(self, mailbox_id: str) -> None:
        """In pieces, so that nobody waits long for the database."""
        await self._delete_all(EntryRow, EntryRow.id, mailbox_id, 1_000)
        await self._delete_all(OutgoingRow, OutgoingRow.id, mailbox_id, 5)  # with all their octets
        await self._delete_all(MessageRow, MessageRow.id, mailbox_id, 50)  # with theirs
        await self._delete_all(SeenRow, SeenRow.uid, mailbox_id, 1_000)
        await self._delete_all(ConversationRow, ConversationRow.id, mailbox_id, 200)  # with what finds them
        async with self._database.write() as session:
            await session.exec(delete(MailboxRow).where(col(MailboxRow.id) == mailbox_id))

    async def _delete_all(
        self,
        table: type[EntryRow | OutgoingRow | MessageRow | SeenRow | ConversationRow],
        key: Any,
        mailbox_id: str,
        batch: int,
    ) -> None:
        mine = col(table.mailbox_id) == mailbox_id
        while True:
            async with self._database.write() as session:
                keys = (await session.exec(select(key).where(mine).limit(batch))).all()
                if not keys:
                    return
                await session.exec(delete(table).where(mine, col(key).in_(keys)))

    # Counting

    async def _count(self, session: AsyncSession, owner: Person, mailbox_id: str | None) -> Holding:
        """Mailboxes whose end has begun count for nothing: their owner was told of that."""
        mine = is_of(owner)
        if mailbox_id is not None:
            if not is_id(mailbox_id):
                raise NotFound("This person has no such mailbox.")
            mine &= col(MailboxRow.id) == mailbox_id
        ids = (await session.exec(select(MailboxRow.id).where(mine))).all()
        if mailbox_id is not None and not ids:
            raise NotFound("This person has no such mailbox.")
        is_open = _mine(owner) & col(EntryRow.finished_at).is_(None) & col(EntryRow.mailbox_id).in_(ids)
        copies = col(MessageRow.mailbox_id).in_(ids) & col(MessageRow.purged_at).is_(None)
        sent, unsent = await count_sent(session, ids, None if mailbox_id else owner)
        return Holding(
            mailboxes=len(ids),
            copies=await _number(session, MessageRow, copies),
            waiting=await _number(session, EntryRow, is_open),
            uids=await _number(session, SeenRow, col(SeenRow.mailbox_id).in_(ids)),
            others=0 if mailbox_id else await self._others(session, owner),
            sent=sent,
            unsent=unsent,
        )

    async def _others(self, session: AsyncSession, owner: Person) -> int:
        counted = await count_of(session, self._vault, owner) + await count_named(session, owner)
        return await _number(session, DmRow, is_dm_of(owner)) + counted


async def _remembered(session: AsyncSession, mailbox_id: str, most: int) -> Remembered:
    """Numbers, and metadata of the newest messages."""
    uids, entries = col(SeenRow.mailbox_id) == mailbox_id, col(EntryRow.mailbox_id) == mailbox_id
    columns = (
        MessageRow.uid, MessageRow.shape, MessageRow.octets, MessageRow.received_at, MessageRow.purged_at,
        EntryRow.state, EntryRow.ts, EntryRow.done_at, OriginalRow.state,
    )  # fmt: skip
    message, entry, original = plain(MessageRow), plain(EntryRow), plain(OriginalRow)
    joined = message.outerjoin(entry, entry.c.message_id == message.c.id)
    joined = joined.outerjoin(original, original.c.message_id == message.c.id)
    query = select(*columns).select_from(joined).where(col(MessageRow.mailbox_id) == mailbox_id)  # type: ignore[call-overload] # more columns than its overloads have
    newest = query.order_by(col(MessageRow.id).desc()).limit(max(most, 0))
    posts: list[Post] = []
    async for rows in (await session.stream(newest.execution_options(yield_per=_POSTS))).partitions():
        posts += [Post(*row) for row in rows]  # some at a time: thousands at once would hold up everything
    return Remembered(
        uids=await _by(session, SeenRow, SeenRow.state, uids),
        entries=await _by(session, EntryRow, EntryRow.state, entries),
        messages=await _number(session, MessageRow, col(MessageRow.mailbox_id) == mailbox_id),
        posts=tuple(posts),
    )


async def _ids(session: AsyncSession, owner: Person) -> Sequence[str]:
    query = select(MailboxRow.id).where(is_ever_of(owner))
    return (await session.exec(query.order_by(col(MailboxRow.created_at), col(MailboxRow.id)))).all()


async def _number(session: AsyncSession, table: Any, which: ColumnElement[bool]) -> int:
    return int((await session.exec(select(func.count()).select_from(table).where(which))).one())


async def _by(session: AsyncSession, table: Any, state: Any, which: ColumnElement[bool]) -> dict[str, int]:
    query = select(state, func.count()).select_from(table).where(which).group_by(state).order_by(state)
    return dict((await session.exec(query)).all())


def _mine(owner: Person) -> ColumnElement[bool]:
    entry = plain(EntryRow).c
    return (entry.workspace == owner.workspace) & (entry.owner == owner.user)
