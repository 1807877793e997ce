"""Conversations: which mails of a mailbox answer each other, and in whose thread they stand.

A mail is found by its own id, by the ids it refers to, and by its subject with a participant, all of them digests
under the mailbox's own key: no id, subject or address stands here, and none is found from another mailbox. What is
found is decided upon here and written by the transaction that commits the intent to post.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, case, delete
from sqlmodel import col, select

from storage.errors import NotFound
from storage.records import KeyKind
from storage.statements import plain
from storage.tables import ConversationKeyRow, ConversationRow, EntryRow, MailboxRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.clues import Clues
    from storage.database import Database, Insert
    from storage.records import Entry
    from storage.vault import DataKey, Vault

KEPT: Final = timedelta(days=365)
"""A conversation in which nothing came for so long is forgotten; a later answer begins a new one."""

SUBJECT_COUNTS: Final = timedelta(days=14)
"""So long after the last mail of a conversation an answer that bears no ids may join it by its subject."""

_PURGE_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail goes.

    Attributes:
        conversation: by the delivery id of its first mail, which may be this one.
        root: the delivery id in whose thread it goes; None when it begins a thread itself.
        keys: by what later mails will find it, new ones only.
    """

    conversation: str
    root: str | None
    keys: tuple[tuple[bytes, KeyKind], ...] = ()


class Conversations:
    """The store of conversations."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    async def of(self, message_id: str) -> str | None:
        """The conversation a stored message belongs to; None when it is gone, not placed yet, or bears no clue."""
        query = select(EntryRow.conversation).where(EntryRow.message_id == message_id)
        async with self._database.read() as session:
            return (await session.exec(query)).first()

    async def place(self, entry: Entry, clues: Clues, now: datetime, key: DataKey | None = None) -> Place:
        """Where the mail of an entry goes. Nothing is written: who posts it does that, in one with the intent.

        The first that is known counts: an id it refers to, its own id, its subject. A mail whose own id only later
        mails named so far is the one they answer. One that bears the id of another mail belongs to it when the
        subject is the same too, as a copy that came another way; else its sender gives every mail the same id.

        Args:
            key: the mailbox's, where it was looked up already.

        Raises:
            NotFound: its mailbox is gone.
        """
        assert entry.mailbox_id is not None
        async with self._database.read() as session:
            key = key or await self._key(session, entry.mailbox_id)
            return await place_in(session, key, entry.mailbox_id, clues, entry_id=entry.id, now=now)

    async def purge(self, now: datetime, limit: int = 1_000) -> int:
        """Forget conversations in which nothing came for long; how many, at most `limit`."""
        count = 0
        while count < limit:
            purged = await self._purge_some(now - KEPT, min(_PURGE_BATCH, limit - count))
            count += purged
            if purged < _PURGE_BATCH:
                break
        return count

    async def _purge_some(self, until: datetime, limit: int) -> int:
        changed_at = col(ConversationRow.changed_at)
        oldest = select(ConversationRow.id).where(changed_at <= until).order_by(changed_at).limit(limit)
        async with self._database.write() as session:
            ids = (await session.exec(oldest.with_for_update(skip_locked=True))).all()
            if ids:
                await session.exec(delete(ConversationRow).where(col(ConversationRow.id).in_(ids)))
            return len(ids)

    async def _key(self, session: AsyncSession, mailbox_id: str) -> DataKey:
        query = select(MailboxRow.wrapped_key, MailboxRow.workspace).where(MailboxRow.id == mailbox_id)
        row = (await session.exec(query)).first()
        if row is None or row[0] is None:
            raise NotFound("The mailbox is being removed.")
        return self._vault.data_key(row[0], row[1], mailbox_id)


async def place_in(
    session: AsyncSession,
    key: DataKey,
    mailbox_id: str,
    clues: Clues,
    *,
    entry_id: str,
    answers: str | None = None,
    now: datetime,
) -> Place:
    """The same inside a transaction.

    Args:
        key: the mailbox's.
        answers: the stored message that the mail answers; the conversation of that comes before all clues.
    """
    digests = _digests(key, clues)
    asked = {"mailbox": mailbox_id, "digests": digests.all()}
    rows = (await session.exec(_found(), params=asked)).all()
    known = {row.digest: row for row in rows}
    found = None
    if answers is not None:
        found = (await session.exec(_of_message(), params={"message": answers})).first()
    if found is None:
        found = _chosen(digests, known, clues, now)
    conversation = entry_id if found is None else str(found.conversation)
    keys = tuple(_new_keys(digests, clues, known, conversation))
    return Place(conversation, found.root if found is not None and found.is_posted else None, keys)


@dataclass(frozen=True, slots=True)
class _Digests:
    own: bytes
    refers_to: tuple[bytes, ...]
    subjects: tuple[bytes, ...]
    sent: tuple[bytes, ...]

    def all(self) -> list[bytes]:
        return [self.own, *self.refers_to, *self.subjects, *self.sent]


def _digests(key: DataKey, clues: Clues) -> _Digests:
    """Under what a mail is known; `sent` are subjects of mail that went out from here, and of what may answer it."""
    may_be_sent = clues.is_sent or (clues.is_answer and clues.refers_to)
    return _Digests(
        own=key.digest("id", clues.own_id),
        refers_to=tuple(key.digest("id", one) for one in clues.refers_to),
        subjects=tuple(key.digest("subject", clues.subject, person) for person in clues.people),
        sent=tuple(
            key.digest("sent", clues.subject, person)
            for person in clues.people
            if may_be_sent and clues.subject
        ),
    )


def _chosen(digests: _Digests, known: Mapping[bytes, Any], clues: Clues, now: datetime) -> Any:
    """The known row that says where a mail belongs; None when none does."""
    for digest in digests.refers_to:
        if digest in known:
            return known[digest]
    same = [known[digest] for digest in digests.subjects if digest in known]
    own = known.get(digests.own)
    if own is not None and (
        own.kind == KeyKind.REFERRED or any(row.conversation == own.conversation for row in same)
    ):
        return own
    if not clues.is_answer or not clues.subject:
        return None
    if digests.refers_to:
        # Some servers give what they send an id of their own, and nobody here knows that which answers bear then.
        same = [known[digest] for digest in digests.sent if digest in known]
    return next((row for row in same if now - row.changed_at <= SUBJECT_COUNTS), None)


def _new_keys(
    digests: _Digests, clues: Clues, known: Mapping[bytes, Any], conversation: str
) -> Sequence[tuple[bytes, KeyKind]]:
    """What is to be remembered of a mail: an id counts as it was met first, a subject as it was met last."""
    own = known.get(digests.own)
    keys = [(digests.own, KeyKind.OWN)] if own is None or own.kind != KeyKind.OWN else []
    keys += [(digest, KeyKind.REFERRED) for digest in digests.refers_to if digest not in known]
    for digest in (*digests.subjects, *(digests.sent if clues.is_sent else ())):
        if digest not in known or known[digest].conversation != conversation:
            keys.append((digest, KeyKind.SUBJECT))
    return list(dict.fromkeys(keys))


async def note(database: Database, session: AsyncSession, entry: Entry, place: Place, now: datetime) -> None:
    """Write where an entry's mail goes; it is the root when it is a post of its own. Repeating it changes nothing."""
    assert entry.mailbox_id is not None
    root = entry.id if entry.parent is None else ""
    await note_place(database, session, entry.mailbox_id, place, root=root, now=now)


async def note_place(
    database: Database, session: AsyncSession, mailbox_id: str, place: Place, *, root: str, now: datetime
) -> None:
    """The same of a mail that is not owed yet; `root` is empty where it is no post of its own."""
    row = {"id": place.conversation, "mailbox_id": mailbox_id, "root": root, "changed_at": now}
    await session.exec(_note_conversation(database.insert), params=row)
    keys = [
        {
            "mailbox_id": mailbox_id,
            "digest": digest,
            "kind": kind,
            "conversation": place.conversation,
        }
        for digest, kind in place.keys
    ]
    if keys:
        await session.exec(_note_keys(database.insert), params=keys)


# Statements that every post of a mail runs, built once.


@cache
def _found() -> Any:
    key, conversation, entry = plain(ConversationKeyRow), plain(ConversationRow), plain(EntryRow)
    rows = key.join(conversation, conversation.c.id == key.c.conversation).outerjoin(
        entry, entry.c.id == conversation.c.root
    )
    query = sqlalchemy.select(
        key.c.digest,
        key.c.kind,
        key.c.conversation,
        conversation.c.root,
        conversation.c.changed_at,
        entry.c.ts.is_not(None).label("is_posted"),
    )
    mine = key.c.mailbox_id == bindparam("mailbox")
    return query.select_from(rows).where(mine, key.c.digest.in_(bindparam("digests", expanding=True)))


@cache
def _of_message() -> Any:
    """The conversation of a stored message, and whether its root is posted."""
    entry, conversation = plain(EntryRow), plain(ConversationRow)
    root = entry.alias()
    rows = entry.join(conversation, conversation.c.id == entry.c.conversation).outerjoin(
        root, root.c.id == conversation.c.root
    )
    query = sqlalchemy.select(
        conversation.c.id.label("conversation"),
        conversation.c.root,
        root.c.ts.is_not(None).label("is_posted"),
    )
    return query.select_from(rows).where(entry.c.message_id == bindparam("message"))


@cache
def _note_conversation(insert: Insert) -> Any:
    conversation = plain(ConversationRow)
    statement = insert(conversation)
    new = statement.excluded
    root = case((new.root != "", new.root), else_=conversation.c.root)
    changes = {"root": root, "changed_at": new.changed_at}
    return statement.on_conflict_do_update(index_elements=["id"], set_=changes)


@cache
def _note_keys(insert: Insert) -> Any:
    key = plain(ConversationKeyRow)
    statement = insert(key)
    new = statement.excluded
    kind = case((new.kind == KeyKind.REFERRED, key.c.kind), else_=new.kind)
    last = case((new.kind == KeyKind.SUBJECT, new.conversation), else_=key.c.conversation)
    changes = {"kind": kind, "conversation": last}
    return statement.on_conflict_do_update(index_elements=["mailbox_id", "digest"], set_=changes)
