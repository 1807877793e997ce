"""The mailboxes: what their owners set, and who polls them now.

Everything a person typed is sealed; only state is in clear. A poll holds a lease and a fencing number; every change
by the owner raises the number and ends the lease, so that a running poll can write nothing more.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
import structlog
from sqlalchemy import bindparam, case, delete, func, update
from sqlmodel import col, select
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.database import new_id
from storage.errors import KeyUnknown, LeaseLost, NotFound, SealBroken
from storage.fencing import (
    ANY_CLAIM,
    ANY_DM,
    FREED,
    is_claimed,
    is_dm_of,
    is_free,
    this_claim,
    this_owner,
    update_held,
)
from storage.owing import owe
from storage.records import Claim, Health, Notice
from storage.sealing import Seals, mailbox_record, packed_capabilities
from storage.seen import knows_any, skip_uids
from storage.statements import plain, update_rows
from storage.tables import DmRow, EntryRow, MailboxRow, MessageRow, SeenRow
from storage.vault import master_key_id

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Mailbox, NewMailbox, Passwords, Person, PollResult, Profile, Retention
    from storage.vault import Vault

log = structlog.get_logger(__name__)

_RAISED: Final = {**FREED, "fence": col(MailboxRow.fence) + 1}


class Mailboxes:
    """The store of mailboxes."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    # Owners

    async def add(self, new: NewMailbox, now: datetime) -> Mailbox:
        """Store a tested mailbox, due at once when it is active; an owner's first one always is.

        The same form again gives the mailbox it made.
        """
        async with self._database.write() as session:
            await self._database.serialise(session, new.owner.workspace, new.owner.user)
            existing = (await session.exec(select(MailboxRow).where(_of(new.owner)))).all()
            again = next((row for row in existing if row.form_id == new.form_id), None)
            if again is not None:
                return self._record(again)
            row = self._new_row(new, now, is_active=new.make_active or not existing)
            if row.is_active:
                await _deactivate_others(session, new.owner, row.id)
            session.add(row)
            await session.flush()
            await skip_uids(self._database, session, row.id, new.skip, now)
            return self._record(row)

    def _new_row(self, new: NewMailbox, now: datetime, *, is_active: bool) -> MailboxRow:
        mailbox_id, workspace = new_id(), new.owner.workspace
        wrapped = self._vault.new_data_key(workspace, mailbox_id)
        seals = Seals(self._vault.data_key(wrapped, workspace, mailbox_id), workspace, mailbox_id)
        return MailboxRow(
            id=mailbox_id,
            workspace=workspace,
            owner=new.owner.user,
            form_id=new.form_id,
            key_id=master_key_id(wrapped),
            wrapped_key=wrapped,
            profile=seals.profile(new.profile),
            **seals.passwords(new.passwords),
            retention=new.retention,
            is_active=is_active,
            is_paused=False,
            health=Health.NEW,
            has_alarm=False,
            failures=0,
            created_at=now,
            due_at=now if is_active else None,
            last_success_at=None,
            tail_number=None,
            tail_uid=None,
            listed_at=None,
            capabilities=None,
            one_by_one=False,
            lease_owner=None,
            lease_until=None,
            fence=0,
        )

    async def of(self, owner: Person) -> list[Mailbox]:
        """A person's mailboxes, oldest first."""
        async with self._database.read() as session:
            rows = (await session.exec(_rows_of_owner(), params=this_owner(owner))).all()
        return [self._record(row) for row in rows]

    async def get(self, owner: Person, mailbox_id: str) -> Mailbox:
        """One mailbox of this person; NotFound when it is gone or somebody else's."""
        async with self._database.read() as session:
            return self._record(await _owned(session, owner, mailbox_id))

    async def passwords(self, owner: Person, mailbox_id: str) -> Passwords:
        """The stored passwords, opened."""
        async with self._database.read() as session:
            row = await _owned(session, owner, mailbox_id)
        return self._seals(row).opened_passwords(row)

    async def change(
        self,
        owner: Person,
        mailbox_id: str,
        *,
        profile: Profile,
        passwords: Passwords,
        retention: Retention,
        listing: Sequence[bytes],
        skip: Sequence[bytes],
        now: datetime,
    ) -> Mailbox:
        """Replace settings and passwords that passed their test; the next poll lists everything anew.

        Args:
            listing: the UIDs the test saw. When none of them is known here, another maildrop stands behind the new
                settings.
            skip: those of them that then count as seen from the start.
        """
        async with self._database.write() as session:
            row = await _owned(session, owner, mailbox_id, is_locked=True)
            if not await knows_any(session, mailbox_id, listing):
                await skip_uids(self._database, session, mailbox_id, skip, now)
            seals = self._seals(row)
            changes: dict[str, Any] = {
                "profile": seals.profile(profile),
                **seals.passwords(passwords),
                "retention": retention,
                "failures": 0,
                "tail_number": None,
                "tail_uid": None,
                "listed_at": None,
                "capabilities": None,
                "one_by_one": False,
                "due_at": now if row.is_active and not row.is_paused else None,
            }
            return self._record(_raised(row, **changes))

    async def activate(self, owner: Person, mailbox_id: str, now: datetime) -> Mailbox:
        """Make this the owner's active mailbox; the others keep their settings and their place."""
        async with self._database.write() as session:
            await self._database.serialise(session, owner.workspace, owner.user)
            row = await _owned(session, owner, mailbox_id, is_locked=True)
            if not row.is_active:
                await _deactivate_others(session, owner, mailbox_id)
                row.is_active = True
                _raised(row, due_at=_due_if_polled(row, now))
            return self._record(row)

    async def pause(self, owner: Person, mailbox_id: str, now: datetime) -> Mailbox:
        """Stop polling; `now` is when the owner said so."""
        return await self._set_paused(owner, mailbox_id, now, is_paused=True)

    async def resume(self, owner: Person, mailbox_id: str, now: datetime) -> Mailbox:
        """Poll again, at once, unless the mailbox is not active or its login was refused."""
        return await self._set_paused(owner, mailbox_id, now, is_paused=False)

    async def _set_paused(self, owner: Person, mailbox_id: str, now: datetime, *, is_paused: bool) -> Mailbox:
        async with self._database.write() as session:
            row = await _owned(session, owner, mailbox_id, is_locked=True)
            if row.is_paused != is_paused:
                row.is_paused = is_paused
                _raised(row, due_at=_due_if_polled(row, now))
            return self._record(row)

    async def check_now(self, owner: Person, mailbox_id: str, due_at: datetime) -> Mailbox:
        """Let a mailbox that is polled at all be due at `due_at`; a poll that runs goes on, another follows it."""
        async with self._database.write() as session:
            row = await _owned(session, owner, mailbox_id, is_locked=True)
            if row.due_at is not None:
                row.due_at = due_at
            return self._record(row)

    # Removing

    async def remove(self, owner: Person, mailbox_id: str) -> None:
        """Destroy the data key, by a commit of its own; then the rows; then SQLite's log."""
        async with self._database.write() as session:
            row = await _owned(session, owner, mailbox_id, is_locked=True)
            _raised(row, wrapped_key=None, key_id=None, is_active=False, due_at=None)
            # A delivery that runs may hold one of the entries that go now.
            await update_rows(session, DmRow, is_dm_of(owner), {**FREED, "fence": col(DmRow.fence) + 1})
        await self._delete_rows(mailbox_id)
        await self._database.checkpoint()

    async def _delete_rows(self, mailbox_id: str) -> None:
        """In pieces, so that nobody waits long for the database."""
        await self._delete_all(EntryRow, EntryRow.id, mailbox_id, 1_000)
        await self._delete_all(MessageRow, MessageRow.id, mailbox_id, 50)  # with all their octets
        await self._delete_all(SeenRow, SeenRow.uid, mailbox_id, 1_000)
        async with self._database.write() as session:
            await session.exec(delete(MailboxRow).where(col(MailboxRow.id) == mailbox_id))

    async def _delete_all(
        self, table: type[EntryRow | MessageRow | SeenRow], key: Any, mailbox_id: str, batch: int
    ) -> None:
        mine = col(table.mailbox_id) == mailbox_id
        while True:
            async with self._database.write() as session:
                keys = (await session.exec(select(key).where(mine).limit(batch))).all()
                if not keys:
                    return
                await session.exec(delete(table).where(mine, col(key).in_(keys)))

    async def count_by_health(self) -> dict[Health, int]:
        """How many mailboxes are polled, by health; everybody's, for whoever runs the bot."""
        is_polled = col(MailboxRow.is_active) & col(MailboxRow.is_paused).is_(False)
        query = select(MailboxRow.health, func.count()).where(is_polled).group_by(col(MailboxRow.health))
        async with self._database.read() as session:
            return {Health(health): count for health, count in (await session.exec(query)).all()}

    # Pollers

    async def claim_due(
        self, now: datetime, *, lease: timedelta, worker: str, limit: int, busy: Collection[str] = ()
    ) -> list[Claim]:
        """Lease mailboxes that are due and that nobody polls, oldest first.

        Args:
            busy: ids the worker still has in hand.
        """
        query = select(MailboxRow).where(col(MailboxRow.due_at) <= now, is_free(MailboxRow, now))
        if busy:
            query = query.where(col(MailboxRow.id).not_in(busy))
        query = query.order_by(col(MailboxRow.due_at)).limit(limit).with_for_update(skip_locked=True)
        async with self._database.write() as session:
            rows = (await session.exec(query)).all()
            if rows:
                ids = [row.id for row in rows]
                values = {**_RAISED, "lease_owner": worker, "lease_until": now + lease}
                await update_rows(session, MailboxRow, col(MailboxRow.id).in_(ids), values)
        return [claim for row in rows if (claim := self._claim(row))]

    def _claim(self, row: MailboxRow) -> Claim | None:
        """One mailbox that does not open holds up no other; its lease keeps it from coming back at once."""
        try:
            return Claim(self._record(row), row.fence + 1)
        except (KeyUnknown, SealBroken) as error:
            log.error("mailbox_does_not_open", mailbox=row.id, error=type(error).__name__)  # noqa: TRY400 - no traceback
            return None

    async def renew(self, claim: Claim, until: datetime) -> None:
        """Hold the lease until then; LeaseLost when it is another's by now."""
        async with self._database.write() as session:
            await update_held(session, MailboxRow, is_claimed(claim), {"lease_until": until})

    async def claimed_passwords(self, claim: Claim) -> Passwords:
        """The passwords for the login at hand; LeaseLost when the claim no longer holds."""
        async with self._database.read() as session:
            row = (await session.exec(_claimed_row(), params=this_claim(claim))).first()
        if row is None:
            raise LeaseLost("The mailbox is another's to poll now.")
        return self._seals(row).opened_passwords(row)

    async def finish(self, claim: Claim, result: PollResult) -> None:
        """Record how a poll went, owe its notice, end the lease; LeaseLost when the claim no longer holds."""
        due = {} if result.due_at is None else {"decided": result.due_at, "claimed_due": claim.mailbox.due_at}
        values = {**this_claim(claim), **FREED, **_columns(result), **due}
        async with self._database.write() as session:
            finished = await session.exec(_finish(stops=result.due_at is None), params=values)
            if finished.rowcount != 1:
                raise LeaseLost("The lease is another's now.")
            if result.notice is not None:
                due_at = claim.mailbox.due_at or claim.mailbox.created_at
                await owe(self._database, session, claim.mailbox, now=due_at, notice=result.notice)

    async def release(self, worker: str) -> None:
        """At start: end the leases a dead predecessor of this name held, and removals it did not finish."""
        async with self._database.write() as session:
            await update_rows(session, MailboxRow, col(MailboxRow.lease_owner) == worker, _RAISED)
            erased = (
                await session.exec(select(MailboxRow.id).where(col(MailboxRow.wrapped_key).is_(None)))
            ).all()
        for mailbox_id in erased:
            await self._delete_rows(mailbox_id)
        if erased:
            await self._database.checkpoint()

    # Rows and records

    def _seals(self, row: Any) -> Seals:
        if row.wrapped_key is None:
            raise NotFound("The mailbox is being removed.")
        return Seals(self._vault.data_key(row.wrapped_key, row.workspace, row.id), row.workspace, row.id)

    def _record(self, row: Any) -> Mailbox:
        return mailbox_record(row, self._seals(row))


def _of(owner: Person) -> ColumnElement[bool]:
    """A person's mailboxes, those apart whose removal has begun."""
    return _rows_of(owner) & plain(MailboxRow).c.wrapped_key.is_not(None)


def _rows_of(owner: Person) -> ColumnElement[bool]:
    mailbox = plain(MailboxRow).c
    return (mailbox.workspace == owner.workspace) & (mailbox.owner == owner.user)


async def _owned(
    session: AsyncSession, owner: Person, mailbox_id: str, *, is_locked: bool = False
) -> MailboxRow:
    query = select(MailboxRow).where(_of(owner), MailboxRow.id == mailbox_id)
    row = (await session.exec(query.with_for_update(key_share=True) if is_locked else query)).first()
    if row is None:
        raise NotFound("This person has no such mailbox.")
    return row


async def _deactivate_others(session: AsyncSession, owner: Person, mailbox_id: str) -> None:
    others = _rows_of(owner) & col(MailboxRow.is_active) & (col(MailboxRow.id) != mailbox_id)
    await update_rows(session, MailboxRow, others, {**_RAISED, "is_active": False, "due_at": None})


def _raised(row: MailboxRow, **changes: Any) -> MailboxRow:
    """Change a locked row so that whoever polls it now can write nothing more."""
    for name, value in {**FREED, **changes}.items():
        setattr(row, name, value)
    row.fence += 1
    return row


def _due_if_polled(row: MailboxRow, now: datetime) -> datetime | None:
    # New settings leave the health for the next poll to judge and set the failures back: such a login may be tried.
    is_refused = row.health == Health.LOGIN_REFUSED and row.failures > 0
    return now if row.is_active and not row.is_paused and not is_refused else None


def _columns(result: PollResult) -> dict[str, Any]:
    told = {} if result.notice is None else {"has_alarm": result.notice is Notice.LOGIN_REFUSED}
    return {
        "health": result.health,
        "failures": result.failures,
        "last_success_at": result.last_success_at,
        "tail_number": result.tail and result.tail.number,
        "tail_uid": result.tail and result.tail.uid,
        "listed_at": result.listed_at,
        "capabilities": packed_capabilities(result.capabilities),
        "one_by_one": result.one_by_one,
        **told,
    }


# Statements that every poll and every post runs, built once.


@cache
def _rows_of_owner() -> Any:
    mailbox = plain(MailboxRow)
    return sqlalchemy.select(mailbox).where(_of(ANY_DM.owner)).order_by(mailbox.c.created_at, mailbox.c.id)


@cache
def _claimed_row() -> Any:
    return sqlalchemy.select(plain(MailboxRow)).where(is_claimed(ANY_CLAIM))


@cache
def _finish(*, stops: bool) -> Any:
    """The poll's word, unless the owner asked for a sooner check while it ran: it may have listed before that."""
    mailbox = plain(MailboxRow)
    stored, decided = mailbox.c.due_at, bindparam("decided", type_=UTCDateTime())
    is_same = stored.is_not_distinct_from(bindparam("claimed_due", type_=UTCDateTime()))
    is_ours = is_same | (stored > decided)
    due_at = None if stops else case((is_ours, decided), else_=stored)
    raised = {"fence": mailbox.c.fence + 1, "due_at": due_at}
    return update(mailbox).where(is_claimed(ANY_CLAIM)).values(raised)
