"""The mailboxes: what their owners set.

Everything a person typed is sealed; only state is in clear. Every change by the owner raises the fencing number and
ends the lease, so that a running poll can write nothing more; who polls is in `storage.polled_mailboxes`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlmodel import select

from storage.calm import calm_columns, choose, reschedule
from storage.database import new_id
from storage.errors import NotPermitted
from storage.facts import grants_in, lock_sharing
from storage.fencing import ANY_DM, this_owner
from storage.managing import admit, note, retention_words
from storage.mending import mend, together
from storage.old_mail import bring, forget_wanted
from storage.owned import due_if_polled, is_of, owned, raised, unsuspended
from storage.polled_mailboxes import PolledMailboxes
from storage.records import Health, Passwords, Retention
from storage.sealing import Seals, sending_as
from storage.seen import knows_any, skip_uids, take_retention
from storage.statements import plain
from storage.switching import activate, make_room
from storage.tables import MailboxRow
from storage.vault import master_key_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.delivery import Chosen, Held
    from storage.managing import Manager
    from storage.mending import Spaced
    from storage.records import Mailbox, NewMailbox, Person, Profile, Secret
    from storage.sharing import Grant, Room

    Judge = Callable[[Sequence[Grant], int], Room]


class Mailboxes(PolledMailboxes):
    """The store of mailboxes."""

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
            listed=len(new.skip) + len(new.old),
            capabilities=None,
            one_by_one=False,
            **calm_columns(new.calm, new.zone, now),
            activated_at=now if is_active else None,
            suspension=None,
            suspended_administrator=None,
            suspended_rank=None,
            suspended_role=None,
            suspended_deactivated=None,
            outgoing_refused_at=None,
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
        return (await self.opened(owner, mailbox_id))[1]

    async def opened(self, owner: Person, mailbox_id: str) -> tuple[Mailbox, Passwords]:
        """One mailbox with its passwords, as they belong together; NotFound as in `get`."""
        async with self._database.read() as session:
            row = await owned(session, owner, mailbox_id)
        return self._record(row), self._seals(row).opened_passwords(row)

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
        judge: Judge | None = None,
        spaced: Spaced = together,
    ) -> Mailbox:
        """Replace settings and passwords that passed their test; the next poll lists everything anew.

        What `set_sending` set stays as it is. Mail that waited for another outgoing password is sent.

        Args:
            listing: the UIDs the test saw. When none of them is known here, another maildrop stands behind the new
                settings. None where it is the same one for certain.
            skip: those of them that then count as seen from the start.
            old: those that then are brought bit by bit.
            chosen: when to post from now on; None leaves that as it is.
            judge: says by the grants of the transaction whether they may hold such a mailbox.
            spaced: when what waited is sent.

        Raises:
            NotPermitted: the judge said no, or the mailbox is suspended; nothing was written.
        """
        async with self._database.write() as session:
            if judge is not None:
                await lock_sharing(self._database, session, owner.workspace)
                if not judge(await grants_in(session, owner.workspace), 0).may:
                    raise NotPermitted("This person may not do so.")
            row = await unsuspended(session, owner, mailbox_id)
            if listing is not None and not await knows_any(session, mailbox_id, listing):
                await self._begin_anew(session, row, skip, old, now)
            await take_retention(session, row, retention, delete_days, now)
            seals = self._seals(row)
            changes: dict[str, Any] = {
                "profile": seals.profile(sending_as(seals.opened_profile(row), profile)),
                **seals.passwords(passwords),
                "retention": retention,
                "delete_days": delete_days,
                "failures": 0,
                "tail_number": None,
                "tail_uid": None,
                "listed_at": None,
                "capabilities": None,
                "one_by_one": False,
                "outgoing_refused_at": None,
                "polled_at": now,  # the test was a session too: the provider's minimum begins anew
            }
            if chosen is not None:
                changes |= await choose(session, row, chosen, now)
            raised(row, **changes)
            row.due_at = due_if_polled(row, now)
            await mend(session, self._vault, mailbox_id, now, spaced)
            return self._record(row)

    async def _begin_anew(
        self,
        session: AsyncSession,
        row: MailboxRow,
        skip: Sequence[bytes],
        old: Sequence[bytes],
        now: datetime,
    ) -> None:
        row.listed = len(skip) + len(old)
        await skip_uids(self._database, session, row.id, skip, now)
        if old:
            await forget_wanted(session, row.id, now)
            await bring(self._database, session, self._record(row), old, now)

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
                await take_retention(session, row, retention, delete_days, now)
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

    async def change_outgoing_password(
        self,
        owner: Person,
        mailbox_id: str,
        password: Secret,
        username: str,
        *,
        now: datetime,
        spaced: Spaced = together,
    ) -> Mailbox:
        """Replace the outgoing password alone; a poll that runs goes on, and mail that waited for it is sent.

        Args:
            username: the outgoing one from now on.
            spaced: when that mail is sent.

        Raises:
            NotPermitted: the mailbox is suspended.
        """
        async with self._database.write() as session:
            row = await unsuspended(session, owner, mailbox_id)
            seals = self._seals(row)
            sealed = seals.passwords(Passwords(seals.opened_passwords(row).incoming, password))
            row.password_outgoing = sealed["password_outgoing"]
            row.profile = seals.changed_profile(row, outgoing_username=username)
            row.outgoing_refused_at = None
            await mend(session, self._vault, mailbox_id, now, spaced)
            return self._record(row)

    async def set_sending(
        self, owner: Person, mailbox_id: str, sender_name: str, signature: str, undo_seconds: int
    ) -> Mailbox:
        """Replace what mail bears that is sent, and how long it waits before that; a poll that runs goes on."""
        async with self._database.write() as session:
            row = await owned(session, owner, mailbox_id, is_locked=True)
            sending = {"sender_name": sender_name, "signature": signature, "undo_seconds": undo_seconds}
            row.profile = self._seals(row).changed_profile(row, **sending)
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


# Statements that every poll and every post runs, built once.


@cache
def _rows_of_owner() -> Any:
    mailbox = plain(MailboxRow)
    return sqlalchemy.select(mailbox).where(is_of(ANY_DM.owner)).order_by(mailbox.c.created_at, mailbox.c.id)
