"""The mailboxes: what their owners set, and who polls them now.

Everything a person typed is sealed; only state is in clear. A poll holds a lease and a fencing number; every change
by the owner raises the number and ends the lease, so that a running poll can write nothing more.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
import structlog
from sqlalchemy import func
from sqlmodel import col, select

from storage.calm import calm_columns, choose, reschedule
from storage.database import new_id
from storage.deletion import watch_at
from storage.ending import columns, finish
from storage.errors import KeyUnknown, LeaseLost, NotFound, NotPermitted, SealBroken
from storage.facts import grants_in, lock_sharing
from storage.fencing import (
    ANY_CLAIM,
    ANY_DM,
    FREED,
    is_claimed,
    is_free,
    this_claim,
    this_owner,
    update_held,
)
from storage.managing import admit, note, retention_words
from storage.old_mail import bring, forget_wanted
from storage.overdue import spread
from storage.owing import owe
from storage.owned import RAISED, due_if_polled, is_of, owned, raised
from storage.records import Claim, Health, Passwords, Retention
from storage.sealing import Seals, mailbox_record
from storage.seen import delete_after_all, knows_any, skip_uids, stop_deleting
from storage.statements import plain, update_rows
from storage.switching import activate, make_room
from storage.tables import MailboxRow
from storage.vault import master_key_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.delivery import Chosen, Held
    from storage.managing import Manager
    from storage.records import Mailbox, NewMailbox, Person, PollResult, Profile, Secret
    from storage.sharing import Grant, Room
    from storage.vault import Vault

    Judge = Callable[[Sequence[Grant], int], Room]

log = structlog.get_logger(__name__)


class Mailboxes:
    """The store of mailboxes."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    # Owners

    async def add(
        self, new: NewMailbox, now: datetime, *, most: int | None = 1, judge: Judge | None = None
    ) -> Mailbox:
        """Store a tested mailbox, due at once when it is active; an owner's first one always is.

        The same form again gives the mailbox it made.

        Args:
            most: so many may be active; None for no limit.
            judge: says so instead, by the grants of the transaction and the number of mailboxes there are.

        Raises:
            NotPermitted: the judge said no.
        """
        async with self._database.write() as session:
            if judge is not None:
                await lock_sharing(self._database, session, new.owner.workspace)
            await self._database.serialise(session, new.owner.workspace, new.owner.user)
            existing = (await session.exec(select(MailboxRow).where(is_of(new.owner)))).all()
            again = next((row for row in existing if row.form_id == new.form_id), None)
            if again is not None:
                return self._record(again)
            if judge is not None:
                most = await self._judged(session, new.owner, judge, len(existing))
            row = self._new_row(new, now, is_active=new.make_active or not existing)
            if row.is_active:
                await make_room(session, new.owner, most)
            session.add(row)
            await session.flush()
            await skip_uids(self._database, session, row.id, new.skip, now)
            mailbox = self._record(row)
            await bring(self._database, session, mailbox, new.old, now)
            return mailbox

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
            delete_days=new.delete_days,
            is_active=is_active,
            is_paused=False,
            health=Health.NEW,
            has_alarm=False,
            failures=0,
            created_at=now,
            due_at=now if is_active else None,
            polled_at=None,
            last_success_at=None,
            last_mail_at=None,
            watched_seconds=0,
            tail_number=None,
            tail_uid=None,
            listed_at=None,
            listed=0,
            capabilities=None,
            one_by_one=False,
            **calm_columns(new.calm, new.zone, now),
            activated_at=now if is_active else None,
            suspension=None,
            suspended_administrator=None,
            suspended_role=None,
            suspended_deactivated=None,
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
            return self._record(await owned(session, owner, mailbox_id))

    async def passwords(self, owner: Person, mailbox_id: str) -> Passwords:
        """The stored passwords, opened."""
        async with self._database.read() as session:
            row = await owned(session, owner, mailbox_id)
        return self._seals(row).opened_passwords(row)

    async def change(
        self,
        owner: Person,
        mailbox_id: str,
        *,
        profile: Profile,
        passwords: Passwords,
        retention: Retention,
        delete_days: int | None,
        listing: Sequence[bytes] | None,
        skip: Sequence[bytes],
        old: Sequence[bytes] = (),
        chosen: Chosen | None = None,
        now: datetime,
    ) -> Mailbox:
        """Replace settings and passwords that passed their test; the next poll lists everything anew.

        Args:
            listing: the UIDs the test saw. When none of them is known here, another maildrop stands behind the new
                settings. None where it is the same one for certain.
            skip: those of them that then count as seen from the start.
            old: those that then are brought bit by bit.
            chosen: when to post from now on; None leaves that as it is.
        """
        async with self._database.write() as session:
            row = await owned(session, owner, mailbox_id, is_locked=True)
            if listing is not None and not await knows_any(session, mailbox_id, listing):
                row.listed = 0
                await skip_uids(self._database, session, mailbox_id, skip, now)
                if old:
                    await forget_wanted(session, mailbox_id, now)
                    await bring(self._database, session, self._record(row), old, now)
            await _take_retention(session, row, retention, delete_days, now)
            seals = self._seals(row)
            changes: dict[str, Any] = {
                "profile": seals.profile(profile),
                **seals.passwords(passwords),
                "retention": retention,
                "delete_days": delete_days,
                "failures": 0,
                "tail_number": None,
                "tail_uid": None,
                "listed_at": None,
                "capabilities": None,
                "one_by_one": False,
                "polled_at": now,  # the test was a session too: the provider's minimum begins anew
            }
            if chosen is not None:
                changes |= await choose(session, row, chosen, now)
            raised(row, **changes)
            row.due_at = due_if_polled(row, now)
            return self._record(row)

    async def change_retention(
        self,
        owner: Person,
        mailbox_id: str,
        retention: Retention,
        delete_days: int | None,
        now: datetime,
        *,
        manager: Manager | None = None,
    ) -> Mailbox:
        """Replace the delete setting alone; the server is one that can carry it out."""
        async with self._database.write() as session:
            await admit(self._database, session, mailbox_id, manager)
            row = await owned(session, owner, mailbox_id, is_locked=True)
            before = retention_words(Retention(row.retention), row.delete_days)
            after = retention_words(retention, delete_days)
            if before != after:
                await _take_retention(session, row, retention, delete_days, now)
                raised(row, retention=retention, delete_days=delete_days)
                await note(
                    self._database,
                    session,
                    owner,
                    mailbox_id,
                    manager,
                    before=before,
                    after=after,
                    telling="retention",
                )
            return self._record(row)

    async def change_outgoing_password(self, owner: Person, mailbox_id: str, password: Secret) -> Mailbox:
        """Replace the outgoing password alone; a poll that runs goes on."""
        async with self._database.write() as session:
            row = await owned(session, owner, mailbox_id, is_locked=True)
            seals = self._seals(row)
            sealed = seals.passwords(Passwords(seals.opened_passwords(row).incoming, password))
            row.password_outgoing = sealed["password_outgoing"]
            return self._record(row)

    async def activate(
        self,
        owner: Person,
        mailbox_id: str,
        now: datetime,
        *,
        most: int | None = 1,
        judge: Judge | None = None,
    ) -> tuple[Mailbox, list[Mailbox]]:
        """Make a mailbox active; it, and those that give way, which keep their settings and their place.

        Args:
            most: so many may be active, those of the oldest choice give way; None for no limit.
            judge: says so instead, by the grants of the transaction.
        """
        async with self._database.write() as session:
            if judge is not None:
                await lock_sharing(self._database, session, owner.workspace)
                most = await self._judged(session, owner, judge, 0)
            row, rested = await activate(self._database, session, owner, mailbox_id, most=most, now=now)
            return self._record(row), [self._record(other) for other in rested]

    async def _judged(self, session: AsyncSession, owner: Person, judge: Judge, held: int) -> int | None:
        """How many mailboxes may be active; NotPermitted where the judge says no."""
        room = judge(await grants_in(session, owner.workspace), held)
        if not room.may or room.active == 0:
            raise NotPermitted("This person may not do so.")
        return room.active

    async def pause(
        self,
        owner: Person,
        mailbox_id: str,
        now: datetime,
        held: Held | None = None,
        *,
        manager: Manager | None = None,
    ) -> Mailbox:
        """Stop polling; `now` is when that was said, `held` until when what is held back waits then."""
        return await self._set_paused(owner, mailbox_id, now, is_paused=True, held=held, manager=manager)

    async def resume(
        self, owner: Person, mailbox_id: str, now: datetime, *, manager: Manager | None = None
    ) -> Mailbox:
        """Poll again, at once, unless the mailbox is not active or its login was refused."""
        return await self._set_paused(owner, mailbox_id, now, is_paused=False, manager=manager)

    async def _set_paused(
        self,
        owner: Person,
        mailbox_id: str,
        now: datetime,
        *,
        is_paused: bool,
        held: Held | None = None,
        manager: Manager | None,
    ) -> Mailbox:
        async with self._database.write() as session:
            await admit(self._database, session, mailbox_id, manager)
            row = await owned(session, owner, mailbox_id, is_locked=True)
            if row.is_paused != is_paused:
                row.is_paused = is_paused
                raised(row, due_at=due_if_polled(row, now))
                before, after = ("fetched", "paused") if is_paused else ("paused", "fetched")
                telling = after if is_paused else ""
                await note(
                    self._database,
                    session,
                    owner,
                    mailbox_id,
                    manager,
                    before=before,
                    after=after,
                    telling=telling,
                )
                if held is not None:
                    await reschedule(session, owner, mailbox_id, held, now)
            return self._record(row)

    async def check_now(
        self, owner: Person, mailbox_id: str, due_at: datetime, *, manager: Manager | None = None
    ) -> Mailbox:
        """Let a mailbox that is polled at all be due at `due_at`; a poll that runs goes on, another follows it."""
        async with self._database.write() as session:
            await admit(self._database, session, mailbox_id, manager)
            row = await owned(session, owner, mailbox_id, is_locked=True)
            if row.due_at is not None:
                row.due_at = due_at
                await note(
                    self._database, session, owner, mailbox_id, manager, before="", after="check asked"
                )
            return self._record(row)

    async def count_by_health(self) -> dict[Health, int]:
        """How many mailboxes are polled, by health; everybody's, for whoever runs the bot."""
        is_polled = col(MailboxRow.is_active) & col(MailboxRow.is_paused).is_(False)
        is_polled &= col(MailboxRow.suspension).is_(None)
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
        query = query.where(col(MailboxRow.suspension).is_(None))
        if busy:
            query = query.where(col(MailboxRow.id).not_in(busy))
        query = query.order_by(col(MailboxRow.due_at)).limit(limit).with_for_update(skip_locked=True)
        async with self._database.write() as session:
            rows = (await session.exec(query)).all()
            if rows:
                ids = [row.id for row in rows]
                values = {**RAISED, "lease_owner": worker, "lease_until": now + lease}
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
        values = {**this_claim(claim), **FREED, **columns(result), **due}
        async with self._database.write() as session:
            finished = await session.exec(finish(stops=result.due_at is None), params=values)
            if finished.rowcount != 1:
                raise LeaseLost("The lease is another's now.")
            if result.notice is not None:
                due_at = claim.mailbox.due_at or claim.mailbox.created_at
                until = result.notice_until
                await owe(
                    self._database, session, claim.mailbox, now=due_at, notice=result.notice, not_before=until
                )

    async def put_off(self, claim: Claim, until: datetime) -> None:
        """End the lease without a poll; due again then, or sooner if the owner asked meanwhile.

        Raises:
            LeaseLost: the claim no longer holds.
        """
        due = {"decided": until, "claimed_due": claim.mailbox.due_at}
        async with self._database.write() as session:
            ended = await session.exec(finish(stops=False), params={**this_claim(claim), **FREED, **due})
            if ended.rowcount != 1:
                raise LeaseLost("The lease is another's now.")

    async def spread(
        self, now: datetime, farthest: datetime, times: Callable[[int], Sequence[datetime]]
    ) -> int:
        """Give overdue mailboxes new times in their order, as `storage.overdue.spread` says; how many those are."""
        return await spread(self._database, now, farthest, times)

    async def release(self, worker: str) -> None:
        """At start: end the leases a dead predecessor of this name held."""
        async with self._database.write() as session:
            await update_rows(session, MailboxRow, col(MailboxRow.lease_owner) == worker, RAISED)

    # Rows and records

    def _seals(self, row: Any) -> Seals:
        if row.wrapped_key is None:
            raise NotFound("The mailbox is being removed.")
        return Seals(self._vault.data_key(row.wrapped_key, row.workspace, row.id), row.workspace, row.id)

    def _record(self, row: Any) -> Mailbox:
        return mailbox_record(row, self._seals(row))


async def _take_retention(
    session: AsyncSession, row: MailboxRow, retention: Retention, delete_days: int | None, now: datetime
) -> None:
    """What a delete setting means for what the one before began; the row itself is still to be changed."""
    is_other = (retention, delete_days) != (row.retention, row.delete_days)
    # What a setting began another one does not finish; what its owner asked for, any that deletes.
    if retention is Retention.LEAVE or (is_other and row.retention != Retention.DELETE_ASKED):
        await stop_deleting(session, row.id)
    watch = watch_at(timedelta(seconds=row.watched_seconds), row.polled_at, now)
    await delete_after_all(session, row.id, watch)


# Statements that every poll and every post runs, built once.


@cache
def _rows_of_owner() -> Any:
    mailbox = plain(MailboxRow)
    return sqlalchemy.select(mailbox).where(is_of(ANY_DM.owner)).order_by(mailbox.c.created_at, mailbox.c.id)


@cache
def _claimed_row() -> Any:
    return sqlalchemy.select(plain(MailboxRow)).where(is_claimed(ANY_CLAIM))
