"""Mail that people send: saved once, called back, sent again, let be.

A mail is saved in one transaction: that it may be sent, its sealed letter and octets, the entries of its posts, by what
its answers are found. That somebody may send is decided by the judge who is handed in, on what that transaction reads.
Only the actor and the mailbox's owner find a mail, so an id from a payload routes and never authorises.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, delete, text
from sqlmodel import col, select

from storage.audits import add_audit
from storage.database import new_id
from storage.errors import NotFound
from storage.facts import lock_sharing, message_in, sending_facts_in
from storage.letters import key_of, outgoing_record, sealed_letter
from storage.mending import mend
from storage.outgoing_overdue import end_overdue
from storage.outgoing_posts import owe_news, owe_posts
from storage.outgoing_rows import (
    RAISED,
    change,
    columns_of,
    outgoing_of,
    row_of,
    selected,
    write_pieces,
)
from storage.pieces import OUTGOING_CHUNKS, THREAD_OCTETS, sealed_pieces
from storage.sending import OutgoingState, RecipientState
from storage.sending_tables import (
    PURGEABLE,
    OutgoingChunkRow,
    OutgoingPostRow,
    OutgoingRow,
    WrittenDomainRow,
)
from storage.sharing import Act, AuditEntry
from storage.statements import insert_rows, plain, update_rows
from storage.tables import MailboxRow
from storage.writing_on import give_way

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime, timedelta

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Person
    from storage.sending import Letter, NewOutgoing, Outgoing, Source
    from storage.sharing import Facts
    from storage.vault import DataKey, Vault

_PURGE_BATCH: Final = 20


class Outgoings:
    """The store of mail that is sent, as people see it."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    # Saving

    async def save(
        self,
        new: NewOutgoing,
        now: datetime,
        permits: Callable[[Facts], bool],
        source: Source | None = None,
    ) -> Outgoing:
        """Save a mail, due once it can be undone no more, and owe its posts; HELD where the outgoing login is refused.

        The same form again gives the mail it made.

        Raises:
            NotFound: the mailbox, or the message that is answered, is gone.
            NotPermitted: a judge said no, or a mailbox is suspended; nothing was written.
            Changed: another mail took the place already that this one is to take; nothing was written.
        """
        async with self._database.read() as session:
            known = await self._known(session, new.mailbox_id, new.actor, new.form_id)
            if known is not None:
                return known
            mailbox = (await session.exec(_mailbox(), params={"mailbox": new.mailbox_id})).first()
        if mailbox is None:
            raise NotFound("There is no such mailbox.")
        key, workspace = key_of(self._vault, mailbox), mailbox.mailbox_workspace
        outgoing_id = new_id()
        work = partial(sealed_pieces, key, workspace, OUTGOING_CHUNKS, outgoing_id, new.octets)
        pieces = await asyncio.to_thread(work) if len(new.octets) > THREAD_OCTETS else work()
        async with self._database.write() as session:
            await lock_sharing(self._database, session, workspace)
            facts = await sending_facts_in(session, new.mailbox_id, permits, source)
            known = await self._known(session, new.mailbox_id, new.actor, new.form_id)
            if known is not None:
                return known
            if new.answers is not None and (
                (await message_in(session, new.answers)).mailbox_id != new.mailbox_id
            ):
                raise NotFound("There is no such message.")
            row = columns_of(new, outgoing_id, now, state=await _first_state(session, new.mailbox_id))
            await give_way(session, self._vault, new.actor, new.instead)
            row["letter"] = sealed_letter(key, workspace, outgoing_id, new.letter)
            await insert_rows(session, OutgoingRow, [row])
            await write_pieces(session, outgoing_id, pieces)
            await owe_posts(self._database, session, key, outgoing_id, new, owner=facts.owner, now=now)
            return await outgoing_of(session, self._vault, outgoing_id)

    async def _known(
        self, session: AsyncSession, mailbox_id: str, actor: Person, form_id: str
    ) -> Outgoing | None:
        form = {
            "mailbox": mailbox_id, "workspace": actor.workspace, "actor": actor.user, "form": form_id,
        }  # fmt: skip
        row = (await session.exec(_of_form(), params=form)).first()
        return None if row is None else outgoing_record(row, key_of(self._vault, row))

    # Seeing

    async def get(self, actor: Person, outgoing_id: str) -> Outgoing:
        """A mail that somebody sent, or that was sent from their mailbox.

        Raises:
            NotFound: it is gone, or somebody else's.
        """
        async with self._database.read() as session:
            return self._theirs(await row_of(session, outgoing_id), actor)

    async def of_entry(self, entry_id: str) -> Outgoing:
        """The mail that an entry tells of.

        Raises:
            NotFound: it is gone.
        """
        async with self._database.read() as session:
            row = (await session.exec(_of_entry(), params={"entry": entry_id})).first()
        if row is None:
            raise NotFound("There is no such mail.")
        return outgoing_record(row, key_of(self._vault, row))

    async def of_form(self, mailbox_id: str, actor: Person, form_id: str) -> Outgoing | None:
        """What somebody's form made; None where it made nothing yet."""
        async with self._database.read() as session:
            return await self._known(session, mailbox_id, actor, form_id)

    async def latest_form(
        self, mailbox_id: str, actor: Person, prefix: str
    ) -> tuple[str, OutgoingState] | None:
        """The newest of somebody's forms whose id begins so, with what became of its mail."""
        row = plain(OutgoingRow).c
        mine = (row.workspace == actor.workspace) & (row.actor == actor.user)
        query: Any = sqlalchemy.select(row.form_id, row.state).where(
            row.mailbox_id == mailbox_id, mine, row.form_id.startswith(prefix, autoescape=True)
        )
        async with self._database.read() as session:
            found = (await session.exec(query.order_by(row.created_at.desc()).limit(1))).first()
        return None if found is None else (found.form_id, OutgoingState(found.state))

    def _theirs(self, row: Any, actor: Person) -> Outgoing:
        is_sender = (row.workspace, row.actor) == (actor.workspace, actor.user)
        is_owner = (row.mailbox_workspace, row.owner) == (actor.workspace, actor.user)
        if not is_sender and not is_owner:
            raise NotFound("This person has no such mail.")
        return outgoing_record(row, key_of(self._vault, row))

    async def new_domains(self, mailbox_id: str, domains: Collection[str]) -> set[str]:
        """Those of the domains to which no mail of this mailbox went so far.

        Raises:
            NotFound: the mailbox is gone.
        """
        async with self._database.read() as session:
            mailbox = (await session.exec(_mailbox(), params={"mailbox": mailbox_id})).first()
            if mailbox is None:
                raise NotFound("There is no such mailbox.")
            key = key_of(self._vault, mailbox)
            digests = {domain_digest(key, domain): domain for domain in domains}
            row = plain(WrittenDomainRow).c
            query: Any = sqlalchemy.select(row.digest).where(
                row.mailbox_id == mailbox_id, row.digest.in_(list(digests))
            )
            known = set((await session.exec(query)).scalars().all())
        return {domain for domain in domains if domain_digest(key, domain) not in known}

    # Deciding

    async def undo(self, actor: Person, outgoing_id: str, now: datetime) -> Outgoing:
        """Call a mail back; one that is past that, or that somebody has already, comes back as it is.

        Its sender is owed that news when somebody else does. Whoever is about to send it writes nothing more.

        Raises:
            NotFound: it is gone, or somebody else's.
        """
        async with self._database.write() as session:
            row = await row_of(session, outgoing_id, is_locked=True)
            outgoing = self._theirs(row, actor)
            if not _may_be_undone(outgoing):
                return outgoing
            ended = {"state": OutgoingState.UNDONE, "trouble": None, "due_at": None, "finished_at": now}
            await change(session, outgoing_id, {**RAISED, **ended})
            if outgoing.actor != actor:
                await owe_news(self._database, session, [outgoing_id], now)
            return await outgoing_of(session, self._vault, outgoing_id)

    async def leave(self, actor: Person, outgoing_id: str, now: datetime) -> Outgoing:
        """Let it be unknown whether a mail was taken: it stays so, and nobody is asked any more.

        Raises:
            NotFound: it is gone, or somebody else's.
        """
        async with self._database.write() as session:
            outgoing = self._theirs(await row_of(session, outgoing_id, is_locked=True), actor)
            if outgoing.state is not OutgoingState.UNKNOWN or outgoing.is_left:
                return outgoing
            await change(session, outgoing_id, {"is_left": True, "finished_at": now})
            return await outgoing_of(session, self._vault, outgoing_id)

    async def send_again(
        self,
        actor: Person,
        outgoing_id: str,
        now: datetime,
        permits: Callable[[Facts], bool],
        source: Source | None = None,
    ) -> Outgoing:
        """Send once more what nobody knows of, or what failed; any other comes back as it is.

        It goes to those who are still owed it; to those who refused it only where nobody else is left.

        Raises:
            NotFound: it is gone, somebody else's, or past its time.
            NotPermitted: a judge said no, or a mailbox is suspended; nothing was written.
        """
        workspace = (await self.get(actor, outgoing_id)).owner.workspace
        async with self._database.write() as session:
            await lock_sharing(self._database, session, workspace)
            row = await row_of(session, outgoing_id, is_locked=True)
            outgoing = self._theirs(row, actor)
            has_ended_badly = outgoing.state in {OutgoingState.UNKNOWN, OutgoingState.FAILED}
            if not has_ended_badly or outgoing.is_written_on:
                return outgoing
            await sending_facts_in(session, outgoing.mailbox_id, permits, source)
            if outgoing.letter is None:
                raise NotFound("The mail is past its time.")
            letter = _owed_again(outgoing.letter)
            state = await _first_state(session, outgoing.mailbox_id)
            sealed = sealed_letter(key_of(self._vault, row), workspace, outgoing_id, letter)
            begun = {"state": state, "trouble": None, "letter": sealed, "attempts": 0, "begun_at": now}
            begun |= {"due_at": now, "finished_at": None, "is_left": False}
            await change(session, outgoing_id, {**RAISED, **begun})
            await add_audit(session, _asked_again(outgoing, actor, now))
            return await outgoing_of(session, self._vault, outgoing_id)

    async def mended(self, mailbox_id: str, now: datetime) -> int:
        """The outgoing login works again: what was held is due; how many mails that are."""
        async with self._database.write() as session:
            this = col(MailboxRow.id) == mailbox_id
            await update_rows(session, MailboxRow, this, {"outgoing_refused_at": None})
            return await mend(session, self._vault, mailbox_id, now)

    # Forgetting

    async def purge(self, now: datetime, keep: timedelta, limit: int = 500) -> int:
        """Drop letters and octets of mails that ended longer than `keep` ago; that there were such stays known.

        What waited so long for somebody to act ends first.

        Returns:
            How many mails lost them, at most `limit`.
        """
        await end_overdue(self._database, self._vault, now - keep, now, limit)
        count = 0
        while count < limit:
            purged = await self._purge_some(now - keep, min(_PURGE_BATCH, limit - count))
            count += purged
            if purged < _PURGE_BATCH:
                break
        return count

    async def _purge_some(self, until: datetime, limit: int) -> int:
        finished_at = col(OutgoingRow.finished_at)
        ripe = select(OutgoingRow.id).where(text(PURGEABLE), finished_at <= until).order_by(finished_at)
        async with self._database.write() as session:
            ids = (await session.exec(ripe.limit(limit).with_for_update(skip_locked=True))).all()
            if ids:
                await forget_letters(session, ids)
            return len(ids)


def domain_digest(key: DataKey, domain: str) -> bytes:
    """By what a domain that mail went to is known."""
    return key.digest("domain", domain.lower())


async def forget_letters(session: AsyncSession, outgoing_ids: Sequence[str]) -> None:
    """Drop what mails say, inside a transaction; their rows stay."""
    await session.exec(delete(OutgoingChunkRow).where(col(OutgoingChunkRow.outgoing_id).in_(outgoing_ids)))
    await update_rows(session, OutgoingRow, col(OutgoingRow.id).in_(outgoing_ids), {"letter": None})


async def _first_state(session: AsyncSession, mailbox_id: str) -> OutgoingState:
    """Whether a mail of this mailbox is tried at all; who says that its login is refused comes before or after."""
    mailbox = plain(MailboxRow).c
    query: Any = sqlalchemy.select(mailbox.outgoing_refused_at).where(mailbox.id == mailbox_id)
    refused_at = (await session.exec(query.with_for_update(read=True))).scalar()
    return OutgoingState.WAITING if refused_at is None else OutgoingState.HELD


def _may_be_undone(outgoing: Outgoing) -> bool:
    return outgoing.state in {OutgoingState.WAITING, OutgoingState.HELD} and not outgoing.is_with_some


def _owed_again(letter: Letter) -> Letter:
    """A letter whose recipients are owed it; all of them where every one refused it."""
    if any(each.state is not RecipientState.REFUSED for each in letter.recipients):
        return replace(letter, said="")
    again = (replace(each, state=RecipientState.OWED, code=0, words="") for each in letter.recipients)
    return replace(letter, recipients=tuple(again), said="")


def _asked_again(outgoing: Outgoing, actor: Person, now: datetime) -> AuditEntry:
    return AuditEntry(
        at=now,
        workspace=outgoing.owner.workspace,
        actor=actor.user,
        act=Act.SENT,
        owner=outgoing.owner.user,
        mailbox_id=outgoing.mailbox_id,
        subject=f"outgoing:{outgoing.id}",
        before=str(outgoing.state),
        after="to be sent again",
    )


@cache
def _mailbox() -> Any:
    mailbox = plain(MailboxRow).c
    columns = (
        mailbox.id.label("mailbox_id"), mailbox.workspace.label("mailbox_workspace"), mailbox.wrapped_key,
    )  # fmt: skip
    this = mailbox.id == bindparam("mailbox")
    return sqlalchemy.select(*columns).where(this, mailbox.wrapped_key.is_not(None))


@cache
def _of_form() -> Any:
    row = plain(OutgoingRow).c
    mine = (row.workspace == bindparam("workspace")) & (row.actor == bindparam("actor"))
    return selected().where(row.mailbox_id == bindparam("mailbox"), mine, row.form_id == bindparam("form"))


@cache
def _of_entry() -> Any:
    post = plain(OutgoingPostRow)
    query = selected(beside=post, on=post.c.outgoing_id == plain(OutgoingRow).c.id)
    return query.where(post.c.entry_id == bindparam("entry"))
