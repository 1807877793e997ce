"""Mail that is sent, as whoever brings it to its server sees it: claimed, about to go out, settled.

A mail holds a lease and a fencing number. Until the intent of the last dot is committed, it may be called back, and
whoever has it in hand may die: nothing was sent. After that commit only the server's answer says whether it has it;
where none came, or whoever waited for it died, that is unknown, and it is not sent again by itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
import structlog
from sqlalchemy import ColumnElement, bindparam, func, text, update
from sqlmodel import col
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.audits import ERASED, add_audit
from storage.errors import KeyUnknown, LeaseLost, NotFound, SealBroken
from storage.facts import lock_sharing, sending_facts_in
from storage.letters import key_of, outgoing_record, sealed_letter
from storage.outgoing import domain_digest, forget_letters
from storage.outgoing_posts import owe_alarm, owe_news
from storage.outgoing_rows import FINISHED, RAISED, change, change_all, outgoing_of, row_of, selected
from storage.pieces import OUTGOING_CHUNKS, THREAD_OCTETS, opened_pieces
from storage.sending import OutgoingState, OutgoingStock, RecipientState, Submission
from storage.sending_tables import (
    DUE,
    LEASED,
    UNDER_WAY,
    OutgoingChunkRow,
    OutgoingRow,
    WrittenDomainRow,
)
from storage.sharing import Act, AuditEntry
from storage.statements import in_batches, plain, update_rows
from storage.tables import MailboxRow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.sending import Outgoing, Source, Tried
    from storage.sharing import Facts
    from storage.vault import DataKey, Vault

log = structlog.get_logger(__name__)

_UNOPENED: Final = timedelta(hours=1)
"""A mail that does not open is looked at again after so long: its master key may be given by then."""

_NEXT: Final[Mapping[OutgoingState, frozenset[OutgoingState]]] = {
    OutgoingState.WAITING: frozenset({OutgoingState.WAITING, OutgoingState.HELD, OutgoingState.FAILED}),
    OutgoingState.SENDING: frozenset(OutgoingState) - {OutgoingState.SENDING, OutgoingState.UNDONE},
}
"""What may come of a try, before the intent of the last dot and after it."""


class Submissions:
    """The store of mail that is sent, as the submitter sees it."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    # Claiming

    async def claim_due(
        self, now: datetime, *, lease: timedelta, worker: str, limit: int, busy: Collection[str] = ()
    ) -> list[Submission]:
        """Lease mails that are due, longest due first and one of a mailbox at a time; nothing of suspended ones.

        What somebody died over after its intent becomes UNKNOWN.

        Args:
            busy: ids of mailboxes of which the worker still has one in hand, whose leases do not end here.
        """
        row = plain(OutgoingRow).c
        async with self._database.write() as session:
            # Two workers at once could each take a mail of the same mailbox.
            await self._database.serialise(session, "submissions")
            # What the worker itself still waits for is known to it, however long the database was away.
            await self._lapse(session, now, (row.lease_until <= now) & row.mailbox_id.not_in(list(busy)))
            asked = {"now": now, "most": limit, "busy": list(busy)}
            ids = (await session.exec(_due(), params=asked)).scalars().all()
            found = await self._opened(session, ids, now) if ids else {}
            # One that was called back since it was read is left alone.
            is_due = text(DUE) & (row.lease_until.is_(None) | (row.lease_until <= now))
            leased = {**RAISED, "lease_owner": worker, "lease_until": now + lease}
            which = row.id.in_(list(found)) & is_due
            claim = update(plain(OutgoingRow)).where(which).values(leased)
            taken = (await session.exec(claim.returning(row.id, row.fence))).all() if found else []
        fences = {each.id: each.fence for each in taken}
        return [Submission(found[each], fences[each]) for each in ids if each in fences]

    async def _opened(
        self, session: AsyncSession, ids: Collection[str], now: datetime
    ) -> dict[str, Outgoing]:
        """Mails by their ids; one that does not open holds up no other."""
        found: dict[str, Outgoing] = {}
        query = selected().where(plain(OutgoingRow).c.id.in_(ids))
        for row in (await session.exec(query)).all():
            try:
                found[row.id] = outgoing_record(row, key_of(self._vault, row))
            except (KeyUnknown, SealBroken) as error:
                log.error("outgoing_does_not_open", outgoing=row.id, error=type(error).__name__)  # noqa: TRY400 - no traceback
                later = {"due_at": now + _UNOPENED}
                await update_rows(session, OutgoingRow, col(OutgoingRow.id) == row.id, later)
        return found

    async def renew(self, submission: Submission, until: datetime) -> None:
        """Hold the lease until then; LeaseLost when it holds no longer."""
        async with self._database.write() as session:
            held = await update_rows(session, OutgoingRow, _is_held(submission), {"lease_until": until})
            if held != 1:
                raise LeaseLost("The mail is another's to send now.")

    async def release(self, worker: str, now: datetime) -> None:
        """At start: end the leases a dead predecessor of this name held; what it was about to send is UNKNOWN."""
        row = plain(OutgoingRow).c
        async with self._database.write() as session:
            await self._lapse(session, now, row.lease_owner == worker)
            await update_rows(session, OutgoingRow, text(LEASED) & (row.lease_owner == worker), RAISED)

    async def octets(self, submission: Submission) -> bytes:
        """What goes to the server.

        Raises:
            NotFound: it is gone.
            SealBroken: it was changed, reordered or cut.
        """
        chunk, outgoing_id = plain(OutgoingChunkRow).c, submission.outgoing.id
        query: Any = sqlalchemy.select(chunk.octets).where(chunk.outgoing_id == outgoing_id)
        async with self._database.read() as session:
            row = await row_of(session, outgoing_id)
            sealed = (await session.exec(query.order_by(chunk.number))).scalars().all()
        key = key_of(self._vault, row)
        work = partial(opened_pieces, key, row.mailbox_workspace, OUTGOING_CHUNKS, outgoing_id, sealed)
        return await asyncio.to_thread(work) if row.octets > THREAD_OCTETS else work()

    # Sending

    async def intend(
        self,
        submission: Submission,
        now: datetime,
        permits: Callable[[Facts], bool],
        source: Source | None = None,
    ) -> None:
        """Commit that the last dot goes out now, and note who sends as whom. From here on nobody calls it back.

        Raises:
            LeaseLost: the mail was called back or is gone, or the lease holds no longer.
            NotPermitted: a judge said no, or a mailbox is suspended; nothing was written.
        """
        outgoing = submission.outgoing
        async with self._database.write() as session:
            await lock_sharing(self._database, session, outgoing.owner.workspace)
            row = await _held_row(session, submission)
            if row.state != OutgoingState.WAITING or row.lease_until <= now:
                raise LeaseLost("The mail is another's to send now.")
            try:
                facts = await sending_facts_in(session, outgoing.mailbox_id, permits, source)
            except NotFound:
                raise LeaseLost("The mailbox is being removed.") from None
            await change(session, outgoing.id, {"state": OutgoingState.SENDING, "trouble": None})
            await add_audit(session, _sent(outgoing, facts, now))

    async def settle(self, submission: Submission, tried: Tried, now: datetime) -> Outgoing:
        """Record what came of a try and end the lease.

        HELD lets every mail of the mailbox wait, and owes its owner one notice until that is mended. Of a bad end the
        sender is owed news. That the server took it is recorded also where the lease ran out meanwhile and the mail was
        called unknown for that: by its fence it is the same try, about which nobody has decided anything since.

        Raises:
            LeaseLost: the mail was called back or is gone, or the lease holds no longer; nothing was written.
        """
        outgoing_id = submission.outgoing.id
        async with self._database.write() as session:
            if tried.state is OutgoingState.HELD or _is_bad_news(tried):
                await _lock_mailbox(session, submission.outgoing.mailbox_id)
            row = await _tried_row(session, submission, tried)
            if not _may_come(OutgoingState(row.state), submission.outgoing, tried):
                raise ValueError(f"{tried.state} does not come of {row.state}.")
            key = key_of(self._vault, row)
            await change(session, outgoing_id, _settled(row, key, submission.outgoing, tried, now))
            await self._note_domains(session, key, row.mailbox_id, tried)
            if tried.state is OutgoingState.HELD:
                await self._hold(session, submission.outgoing, now)
            if _is_bad_news(tried):
                await owe_news(self._database, session, [outgoing_id], now)
            if row.actor == ERASED:
                await _end_erased(session, outgoing_id, tried, now)
            return await outgoing_of(session, self._vault, outgoing_id)

    async def _note_domains(self, session: AsyncSession, key: DataKey, mailbox_id: str, tried: Tried) -> None:
        """Remember where mail of this mailbox goes."""
        taken = (each.address for each in tried.recipients if each.state is RecipientState.TAKEN)
        domains = {address.rpartition("@")[2] for address in taken}
        digests = sorted({domain_digest(key, domain) for domain in domains})
        if digests:
            rows = [{"mailbox_id": mailbox_id, "digest": digest} for digest in digests]
            statement = self._database.insert(plain(WrittenDomainRow)).on_conflict_do_nothing()
            await session.exec(statement, params=rows)

    async def _hold(self, session: AsyncSession, outgoing: Outgoing, now: datetime) -> None:
        """Nothing of this mailbox is tried until its owner has mended the login."""
        mailbox, row = plain(MailboxRow).c, plain(OutgoingRow).c
        waits = (row.mailbox_id == outgoing.mailbox_id) & (row.state == OutgoingState.WAITING.value)
        await change_all(session, waits, {**RAISED, "state": OutgoingState.HELD, "trouble": None})
        is_news = (mailbox.id == outgoing.mailbox_id) & mailbox.outgoing_refused_at.is_(None)
        if await update_rows(session, MailboxRow, is_news, {"outgoing_refused_at": now}):
            await owe_alarm(self._database, session, outgoing, now)

    async def _lapse(self, session: AsyncSession, now: datetime, which: ColumnElement[bool]) -> None:
        """What was about to go out when its lease ended may be with its server or not; its sender is owed that news."""
        is_gone = text(LEASED) & (plain(OutgoingRow).c.state == OutgoingState.SENDING.value) & which
        ended = {"state": OutgoingState.UNKNOWN, "trouble": None, "due_at": None, "finished_at": now}
        ids = await change_all(session, is_gone, {**RAISED, **ended})
        await owe_news(self._database, session, ids, now)
        row = plain(OutgoingRow).c
        for some in in_batches(ids):
            erased: Any = sqlalchemy.select(row.id).where(row.id.in_(some), row.actor == ERASED)
            await forget_letters(session, (await session.exec(erased)).scalars().all())

    async def stock(self) -> OutgoingStock:
        """How much is under way, and since when the longest waiting one is due."""
        row, mailbox = plain(OutgoingRow), plain(MailboxRow)
        counts: Any = sqlalchemy.select(row.c.state, func.count()).where(text(UNDER_WAY))
        rows = row.join(mailbox, mailbox.c.id == row.c.mailbox_id)
        oldest: Any = sqlalchemy.select(func.min(row.c.due_at)).select_from(rows)
        oldest = oldest.where(text(f"outgoing.{DUE}"), mailbox.c.suspension.is_(None))
        async with self._database.read() as session:
            found = (await session.exec(counts.group_by(row.c.state))).all()
            due_at = (await session.exec(oldest)).scalar()
        return OutgoingStock({OutgoingState(state): count for state, count in found}, due_at)


async def _end_erased(session: AsyncSession, outgoing_id: str, tried: Tried, now: datetime) -> None:
    """Of a sender who had everything erased while it went out no letter stays, so nothing is tried again."""
    if tried.state not in FINISHED:
        is_with_some = any(each.state is RecipientState.TAKEN for each in tried.recipients)
        state = OutgoingState.SENT if is_with_some else OutgoingState.FAILED
        await change(session, outgoing_id, {"state": state, "due_at": None, "finished_at": now})
    await forget_letters(session, [outgoing_id])


async def _held_row(session: AsyncSession, submission: Submission) -> Any:
    """A mail's row, locked; LeaseLost when the submission no longer holds."""
    row = await _locked_row(session, submission)
    if row.fence != submission.fence:
        raise LeaseLost("The mail is another's to send now.")
    return row


async def _tried_row(session: AsyncSession, submission: Submission, tried: Tried) -> Any:
    """The same of a try that ended, or one that only ran out of its lease before the server took the mail.

    Whatever else changes a mail after its intent raises the fence once more: sending it again above all.
    """
    row = await _locked_row(session, submission)
    has_lapsed = row.fence == submission.fence + 1 and row.state == OutgoingState.UNKNOWN
    if row.fence == submission.fence or (
        has_lapsed and row.letter is not None and _is_taken(submission.outgoing, tried)
    ):
        return row
    raise LeaseLost("The mail is another's to send now.")


async def _locked_row(session: AsyncSession, submission: Submission) -> Any:
    try:
        return await row_of(session, submission.outgoing.id, is_locked=True)
    except NotFound:
        raise LeaseLost("The mail is gone.") from None


def _is_taken(outgoing: Outgoing, tried: Tried) -> bool:
    """Whether a try brought the mail to its end, and the server said that it has it."""
    assert outgoing.letter is not None
    before = {each.address for each in outgoing.letter.recipients if each.state is RecipientState.TAKEN}
    taken = {each.address for each in tried.recipients if each.state is RecipientState.TAKEN}
    return tried.state is OutgoingState.SENT and not taken <= before


async def _lock_mailbox(session: AsyncSession, mailbox_id: str) -> None:
    """The mailbox before its mails: whoever mends its login comes in that order too."""
    mailbox = plain(MailboxRow).c
    query: Any = sqlalchemy.select(mailbox.id).where(mailbox.id == mailbox_id)
    await session.exec(query.with_for_update(key_share=True))


def _may_come(state: OutgoingState, outgoing: Outgoing, tried: Tried) -> bool:
    """Whether a try ends so; of a mail that some have already, one before the intent may be the last."""
    if tried.state is OutgoingState.SENT:
        # Of an unknown one it is the answer, come late.
        return outgoing.is_with_some or state in {OutgoingState.SENDING, OutgoingState.UNKNOWN}
    return tried.state in _NEXT.get(state, ())


def _is_bad_news(tried: Tried) -> bool:
    """Whether a mail ended so that its sender has to know."""
    if tried.state is OutgoingState.SENT:
        return any(each.state is RecipientState.REFUSED for each in tried.recipients)
    return tried.state in {OutgoingState.FAILED, OutgoingState.UNKNOWN}


def _settled(row: Any, key: DataKey, outgoing: Outgoing, tried: Tried, now: datetime) -> dict[str, Any]:
    assert outgoing.letter is not None
    letter = replace(outgoing.letter, recipients=tried.recipients, said=tried.said)
    is_finished = tried.state in FINISHED
    return {
        **RAISED,
        "state": tried.state,
        "trouble": tried.trouble,
        "letter": sealed_letter(key, row.mailbox_workspace, row.id, letter),
        "attempts": row.attempts + 1,
        "due_at": None if is_finished else tried.due_at or now,
        "finished_at": now if is_finished else None,
    }


def _is_held(submission: Submission) -> ColumnElement[bool]:
    row = plain(OutgoingRow).c
    is_held: ColumnElement[bool] = (row.id == submission.outgoing.id) & (row.fence == submission.fence)
    return is_held


def _sent(outgoing: Outgoing, facts: Facts, now: datetime) -> AuditEntry:
    recipients = () if outgoing.letter is None else outgoing.letter.recipients
    owed = sum(each.state is RecipientState.OWED for each in recipients)
    return AuditEntry(
        at=now,
        workspace=facts.owner.workspace,
        actor=outgoing.actor.user,
        act=Act.SENT,
        owner=facts.owner.user,
        mailbox_id=facts.mailbox_id,
        subject=f"outgoing:{outgoing.id}",
        after=f"to {owed} recipients" if owed != 1 else "to 1 recipient",
    )


@cache
def _due() -> Any:
    """The first mail of every mailbox that may be sent, longest due first."""
    row, mailbox = plain(OutgoingRow), plain(MailboxRow)
    now, other = bindparam("now", type_=UTCDateTime()), row.alias()
    is_in_hand = sqlalchemy.exists().where(other.c.mailbox_id == row.c.mailbox_id, other.c.lease_until > now)
    place = func.row_number().over(partition_by=row.c.mailbox_id, order_by=(row.c.due_at, row.c.id))
    rows = row.join(mailbox, mailbox.c.id == row.c.mailbox_id)
    may = (mailbox.c.suspension.is_(None), mailbox.c.wrapped_key.is_not(None), ~is_in_hand)
    free = row.c.mailbox_id.not_in(bindparam("busy", expanding=True))
    due = sqlalchemy.select(row.c.id, row.c.due_at, place.label("place")).select_from(rows)
    first = due.where(text(f"outgoing.{DUE}"), row.c.due_at <= now, *may, free).subquery("first")
    query = sqlalchemy.select(first.c.id).where(first.c.place == 1)
    return query.order_by(first.c.due_at, first.c.id).limit(bindparam("most"))
