"""Shares of owners, the facts that decisions stand on, and the messages that viewers page through.

What changes a share reads the facts, asks the judge, and writes the effect, the audit entry, the end of the copies and
what the people concerned are told, all in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import text

from storage.audits import add_audit, share_words
from storage.copied import Telling, TellingKind
from storage.database import is_id, new_id
from storage.errors import NotFound, NotPermitted, TooMany
from storage.facts import facts_in, facts_where, listed, lock_sharing, message_in, share_of
from storage.records import EntryState, Shape
from storage.sharing import Act, AudienceKind, AuditEntry, GrantKind, Level
from storage.sharing_tables import ENDING, IN_FORCE, GrantRow, ShareRow
from storage.statements import insert_rows, plain, update_rows
from storage.tables import EntryRow, MailboxRow, MessageRow
from storage.tellings import tell, tell_audience
from storage.withdrawing import withdraw_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Person
    from storage.sharing import Audience, Facts, ListedMessage, Share

MOST_SHARES: Final = 50
"""In force of one mailbox as a whole."""

MOST_SINGLE: Final = 200
"""In force of single messages of one mailbox."""

_OVERDUE: Final = 500


@dataclass(frozen=True, slots=True)
class _Deed:
    """One change of a share: of which mailbox, by whom (None for Mailbox itself), what, when."""

    facts: Facts
    actor: Person | None
    act: Act
    now: datetime


class Shares:
    """The store of shares."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    # Facts

    async def facts(self, mailbox_id: str) -> Facts:
        """What decisions about a mailbox stand on.

        Raises:
            NotFound: it is gone.
        """
        async with self._database.read() as session:
            return await facts_in(session, mailbox_id)

    async def facts_of_message(self, message_id: str) -> tuple[Facts, ListedMessage]:
        """What decisions about a message stand on, and the message.

        Raises:
            NotFound: it is gone, or its owner keeps it out of Slack.
        """
        async with self._database.read() as session:
            message = await message_in(session, message_id)
            return await facts_in(session, message.mailbox_id), message

    async def facts_of(self, owner: Person) -> list[Facts]:
        """Those of all mailboxes of a person, in the order they were added."""
        async with self._database.read() as session:
            return await facts_where(session, owner.workspace, plain(MailboxRow).c.owner == owner.user)

    async def all_facts(self, workspace: str) -> list[Facts]:
        """Those of all mailboxes of which something may be shared: by a share in force, or by any FIXED grant."""
        mailbox, grant, share = plain(MailboxRow).c, plain(GrantRow).c, plain(ShareRow).c
        fixed = (grant.workspace == workspace) & (grant.kind == GrantKind.FIXED)
        in_force = sqlalchemy.select(share.mailbox_id).where(text(IN_FORCE))
        which = mailbox.id.in_(in_force) | sqlalchemy.exists().where(fixed)
        async with self._database.read() as session:
            return await facts_where(session, workspace, which)

    async def facts_with(self, workspace: str, audience: Audience) -> list[Facts]:
        """Those of all mailboxes that are shared with an audience, whole or a message of them, or by a FIXED grant."""
        mailbox, grant, share = plain(MailboxRow).c, plain(GrantRow).c, plain(ShareRow).c
        is_granted = (grant.audience_kind == audience.kind) & (grant.audience_id == audience.id)
        fixed = sqlalchemy.exists().where(grant.workspace == workspace, is_granted)
        is_shared = (share.audience_kind == audience.kind) & (share.audience_id == audience.id)
        shared = sqlalchemy.select(share.mailbox_id).where(is_shared, text(IN_FORCE))
        async with self._database.read() as session:
            return await facts_where(session, workspace, mailbox.id.in_(shared) | fixed)

    async def channels(self, workspace: str) -> list[str]:
        """The channels that shares in force and FIXED grants name, sorted."""
        mailbox, grant, share = plain(MailboxRow), plain(GrantRow).c, plain(ShareRow)
        joined = share.join(mailbox, mailbox.c.id == share.c.mailbox_id)
        shared: Any = sqlalchemy.select(share.c.audience_id).select_from(joined).distinct()
        shared = shared.where(mailbox.c.workspace == workspace, mailbox.c.wrapped_key.is_not(None))
        shared = shared.where(share.c.audience_kind == AudienceKind.CHANNEL.value, text(IN_FORCE))
        granted: Any = sqlalchemy.select(grant.audience_id).where(
            grant.workspace == workspace, grant.audience_kind == AudienceKind.CHANNEL.value
        )
        async with self._database.read() as session:
            found = [*(await session.exec(shared)).scalars(), *(await session.exec(granted)).scalars()]
        return sorted(set(found))

    async def overdue(self, workspace: str, now: datetime) -> list[Share]:
        """Shares whose end has come and that nobody ended yet; some hundred at most."""
        mailbox, share = plain(MailboxRow), plain(ShareRow)
        joined = share.join(mailbox, mailbox.c.id == share.c.mailbox_id)
        ripe = (mailbox.c.workspace == workspace, share.c.until <= now, text(ENDING))
        query: Any = sqlalchemy.select(share).select_from(joined).where(*ripe)
        async with self._database.read() as session:
            rows = (await session.exec(query.order_by(share.c.until).limit(_OVERDUE))).all()
        return [share_of(row) for row in rows]

    # Changes

    async def open(
        self, actor: Person, new: Sequence[Share], now: datetime, permits: Callable[[Facts], bool]
    ) -> list[Share]:
        """Open shares of one mailbox, all or none; as stored.

        Where the same audience has a share of the same in force, that one takes on what the new one says; it keeps
        its id and its beginning. What it opens no more is withdrawn.

        Args:
            new: their ids count for nothing.
            permits: asked about the facts before.

        Raises:
            NotFound: the mailbox or a message is gone, or of another workspace.
            NotPermitted: the judge said no; nothing was written.
            TooMany: there would be more in force than there may be.
        """
        if not new:
            return []
        (mailbox_id,) = {share.mailbox_id for share in new}
        async with self._database.write() as session:
            await lock_sharing(self._database, session, actor.workspace)
            facts = await facts_in(session, mailbox_id)
            if facts.owner.workspace != actor.workspace:
                raise NotFound("There is no such mailbox.")
            if not permits(facts):
                raise NotPermitted("These shares may not be opened.")
            await _check_messages(session, mailbox_id, new)
            deed = _Deed(facts, actor, Act.SHARE_OPENED, now)
            opened = [await self._put(session, deed, share) for share in _last_of_each(new)]
            await _check_room(session, mailbox_id, now)
        return opened

    async def _put(self, session: AsyncSession, deed: _Deed, share: Share) -> Share:
        """Open one share, or change the one its audience has."""
        now = deed.now
        before = next((each for each in deed.facts.shares if _key(each) == _key(share)), None)
        if before is not None and before.until is not None and before.until <= now:
            # It is over, though nobody ended it yet: what came in between was never meant for the audience.
            await self._finish(session, _Deed(deed.facts, None, Act.SHARE_ENDED, now), before)
            before = None
        if before is None:
            kind = TellingKind.SHARED_WITH_YOU
            opened = replace(share, id=new_id(), ended_at=None, is_fixed=False)
            await insert_rows(session, ShareRow, [_row(opened)])
        else:
            kind = TellingKind.SHARE_CHANGED
            opened = replace(share, id=before.id, created_at=before.created_at, ended_at=None, is_fixed=False)
            await update_rows(session, ShareRow, plain(ShareRow).c.id == before.id, _row(opened))
            if opened.level < Level.OPEN or (before.history and not opened.history):
                await self._withdraw(session, opened, now)
        if before is None or before.level is not opened.level:
            await self._tell(session, deed, opened, kind)
        await _note(session, deed, opened, before=before, after=opened)
        return opened

    async def end(
        self,
        share_id: str,
        actor: Person | None,
        now: datetime,
        act: Act,
        permits: Callable[[Facts], bool],
    ) -> Share:
        """End a share; ending it twice does nothing more.

        Args:
            actor: None for Mailbox itself.
            act: SHARE_REVOKED or SHARE_ENDED.

        Raises:
            NotFound: it is gone with its mailbox, or of another workspace.
            NotPermitted: the judge said no; nothing was written.
        """
        async with self._database.write() as session:
            facts, share = await self._locked(session, share_id)
            if actor is not None and actor.workspace != facts.owner.workspace:
                raise NotFound("There is no such share.")
            if not permits(facts):
                raise NotPermitted("This share may not be ended.")
            if share.ended_at is not None:
                return share
            return await self._finish(session, _Deed(facts, actor, act, now), share)

    async def cut(self, share_id: str, level: Level, now: datetime) -> Share | None:
        """Lower a share for good, to NONE means to end it; None where it is gone, over, or no higher than that."""
        async with self._database.write() as session:
            try:
                facts, share = await self._locked(session, share_id)
            except NotFound:
                return None
            if share.ended_at is not None or share.level <= level:
                return None
            if level is Level.NONE:
                return await self._finish(session, _Deed(facts, None, Act.SHARE_ENDED, now), share)
            lower = replace(share, level=level)
            await update_rows(session, ShareRow, plain(ShareRow).c.id == share.id, {"level": int(level)})
            if level < Level.OPEN:
                await self._withdraw(session, lower, now)
            deed = _Deed(facts, None, Act.SHARE_CUT, now)
            await self._tell(session, deed, lower, TellingKind.SHARE_CHANGED)
            await _note(session, deed, lower, before=share, after=lower)
        return lower

    async def _locked(self, session: AsyncSession, share_id: str) -> tuple[Facts, Share]:
        """A share with its facts, after nobody else may change either."""
        if not is_id(share_id):
            raise NotFound("There is no such share.")
        mailbox, share = plain(MailboxRow), plain(ShareRow)
        joined = share.join(mailbox, mailbox.c.id == share.c.mailbox_id)
        place: Any = sqlalchemy.select(mailbox.c.id, mailbox.c.workspace).select_from(joined)
        found = (await session.exec(place.where(share.c.id == share_id))).first()
        if found is None:
            raise NotFound("There is no such share.")
        await lock_sharing(self._database, session, found.workspace)
        facts = await facts_in(session, found.id)
        this: Any = sqlalchemy.select(share).where(share.c.id == share_id)
        row = (await session.exec(this)).first()
        if row is None:
            raise NotFound("There is no such share.")
        return facts, share_of(row)

    async def _finish(self, session: AsyncSession, deed: _Deed, share: Share) -> Share:
        """All that the end of a share brings with it."""
        ended = replace(share, ended_at=deed.now)
        await update_rows(session, ShareRow, plain(ShareRow).c.id == share.id, {"ended_at": deed.now})
        await self._withdraw(session, ended, deed.now)
        await self._tell(session, deed, ended, TellingKind.SHARE_ENDED)
        await _note(session, deed, ended, before=share, after=None)
        return ended

    async def _withdraw(self, session: AsyncSession, share: Share, now: datetime) -> None:
        await withdraw_copies(self._database, session, share_id=share.id, now=now)

    async def _tell(self, session: AsyncSession, deed: _Deed, share: Share, kind: TellingKind) -> None:
        """Tell the audience, and the owner of what is allowed no more."""
        owner, is_by_date = deed.facts.owner, share.until is not None and share.until <= deed.now
        level = Level.NONE if share.ended_at is not None else share.level
        telling = Telling(kind, owner.user, level, share.until, share.id, message_id=share.message_id or "")
        await tell_audience(self._database, session, owner.workspace, share, telling, now=deed.now)
        if deed.actor is None and not is_by_date:
            cut = Telling(TellingKind.SHARE_CUT, level=level, share_id=share.id, audience=share.audience)
            cut = replace(cut, message_id=telling.message_id)
            await tell(self._database, session, owner, share.mailbox_id, cut, now=deed.now)

    # Messages

    async def messages(
        self, mailbox_id: str, limit: int, *, before: str | None = None
    ) -> list[ListedMessage]:
        """Messages of a mailbox that are or were in Slack, the newest first.

        Args:
            before: those that follow the message of this id in the list.
        """
        if before is not None and not is_id(before):
            return []
        entry, message = plain(EntryRow), plain(MessageRow)
        joined = entry.join(message, message.c.id == entry.c.message_id)
        which = [
            entry.c.mailbox_id == mailbox_id,
            entry.c.ts.is_not(None),
            entry.c.state != EntryState.MUTED,
            message.c.shape != Shape.REFUSED,
        ]
        if before is not None:
            number: Any = sqlalchemy.select(entry.c.number).where(entry.c.message_id == before)
            which.append(entry.c.number < number.scalar_subquery())
        query: Any = sqlalchemy.select(message).select_from(joined).where(*which)
        async with self._database.read() as session:
            # Entries are numbered in the order their messages were kept.
            rows = (await session.exec(query.order_by(entry.c.number.desc()).limit(limit))).all()
        return [listed(row) for row in rows]


def _key(share: Share) -> tuple[object, ...]:
    return share.audience, share.message_id


def _last_of_each(new: Sequence[Share]) -> list[Share]:
    return list({_key(share): share for share in new}.values())


async def _check_messages(session: AsyncSession, mailbox_id: str, new: Sequence[Share]) -> None:
    for message_id in {share.message_id for share in new if share.message_id is not None}:
        if (await message_in(session, message_id)).mailbox_id != mailbox_id:
            raise NotFound("There is no such message.")


async def _check_room(session: AsyncSession, mailbox_id: str, now: datetime) -> None:
    share = plain(ShareRow).c
    until = share.until.is_(None) | (share.until > now)
    query: Any = sqlalchemy.select(share.message_id).where(
        share.mailbox_id == mailbox_id, text(IN_FORCE), until
    )
    found = (await session.exec(query)).scalars().all()
    single = sum(message_id is not None for message_id in found)
    if len(found) - single > MOST_SHARES or single > MOST_SINGLE:
        raise TooMany("The mailbox has too many shares.")


async def _note(
    session: AsyncSession, deed: _Deed, share: Share, *, before: Share | None, after: Share | None
) -> None:
    owner = deed.facts.owner
    entry = AuditEntry(
        at=deed.now,
        workspace=owner.workspace,
        actor=None if deed.actor is None else deed.actor.user,
        act=deed.act,
        owner=owner.user,
        mailbox_id=deed.facts.mailbox_id,
        subject=f"share:{share.id}",
        before=share_words(before),
        after=share_words(after),
    )
    await add_audit(session, entry)


def _row(share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "mailbox_id": share.mailbox_id,
        "message_id": share.message_id,
        "audience_kind": share.audience.kind,
        "audience_id": share.audience.id,
        "level": int(share.level),
        "created_at": share.created_at,
        "history": share.history,
        "until": share.until,
        "was_private": share.was_private,
        "ended_at": share.ended_at,
    }
