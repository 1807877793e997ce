"""Use case: test, add and change mailboxes for their owners.

Every call names the person who acts, verified by Slack, and touches only what is theirs: the stores look records up
by owner, so an id from a payload routes and never authorises.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot import backlog, calm, limits, pace, plan
from bot.errors import NoSuchMailbox, Suspended
from bot.retention import sends_as
from bot.slack.views.values import OldMailComing
from bot.testing import UNREACHABLE_SECONDS, Checked, Tester
from storage.delivery import AT_ONCE
from storage.errors import NotFound, NotPermitted
from storage.mending import together
from storage.records import (
    Mailbox,
    NewMailbox,
    OldMail,
    Passwords,
    Person,
    Profile,
    Retention,
    Secret,
)
from storage.sharing import Suspension

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.guard import Guard
    from bot.holders import Holders, Judged
    from bot.pace import Pace
    from bot.testing import Connect, Submit
    from storage.delivery import Calm
    from storage.mailboxes import Mailboxes
    from storage.old_mail import OldMails
    from storage.outbox import Outbox
    from storage.records import Bringing


__all__ = ["UNREACHABLE_SECONDS", "Checked", "Order", "Registrar", "is_same_maildrop"]

log = structlog.get_logger(__name__)

Found = TypeVar("Found")

ASK_SECONDS = 1.5
"""What Slack may take to say who somebody is before their form opens without that."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a checked form asks to be stored; `calm` is None where it leaves that as it is."""

    profile: Profile
    passwords: Passwords
    retention: Retention
    delete_days: int | None
    old_mail: OldMail
    make_active: bool
    calm: Calm | None = None
    zone: str | None = None


def is_same_maildrop(one: Profile, other: Profile) -> bool:
    """Whether two settings lead to the same maildrop."""
    return (one.incoming.host, one.username) == (other.incoming.host, other.username)


def _old_mail_to_skip(checked: Checked, order: Order) -> tuple[bytes, ...]:
    """The keys of what the test listed and the owner does not want."""
    return plan.old_mail_to_skip(checked.listing, order.old_mail, checked.recent)


class Registrar:
    """Tests, adds and changes mailboxes.

    Args:
        connect: opens a POP3 session, reporting each step as it begins.
        submit: tests a submission server, sending nothing.
        bounds: how often a mailbox may be polled.
        nudge: called when something became due.
        holders: who may have which mailboxes; None where nobody is asked: one is active then, without other limits.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        outbox: Outbox,
        old_mails: OldMails,
        guard: Guard,
        *,
        connect: Connect,
        submit: Submit,
        bounds: Callable[[Mailbox], Pace],
        clock: Callable[[], datetime],
        nudge: Callable[[], None],
        holders: Holders | None = None,
    ) -> None:
        self._mailboxes = mailboxes
        self._outbox = outbox
        self._old_mails = old_mails
        self._tester = tester = Tester(guard, connect=connect, submit=submit, clock=clock)
        self.check = tester.check
        self.check_outgoing = tester.check_outgoing
        self._holders = holders
        self.bounds = bounds
        self._clock = clock
        self._nudge = nudge

    # Storing

    async def add(self, owner: Person, order: Order, checked: Checked, form_id: str) -> Mailbox:
        """Store a tested mailbox; the same form again gives the same mailbox.

        What the test listed and the owner did not ask for counts as seen from now on; all that comes later is new.
        """
        skip = _old_mail_to_skip(checked, order)
        new = NewMailbox(
            owner=owner,
            profile=order.profile,
            passwords=order.passwords,
            retention=order.retention,
            delete_days=order.delete_days,
            old=backlog.in_pieces(checked.listing, skip),
            skip=skip,
            make_active=order.make_active,
            form_id=form_id,
            calm=order.calm or AT_ONCE,
            zone=order.zone,
        )
        judge = None if self._holders is None else await self._holders.adding(owner, order.profile)
        call = self._mailboxes.add(new, self._clock(), judge=judge)
        mailbox = await self._allowed(owner, judge, call)
        log.info("mailbox_added", mailbox=mailbox.id, is_active=mailbox.is_active)
        self._nudge()
        return mailbox

    async def change(self, owner: Person, mailbox_id: str, order: Order, checked: Checked) -> Mailbox:
        """Store changed settings and passwords, tested before.

        Another maildrop behind the new settings is treated like a new mailbox: its old mail is not poured out. The same
        server and user name are the same maildrop, also while nothing of it has been seen: all that lies there is new.
        """
        before, judge = await self._open(owner, mailbox_id), None
        if self._holders is not None:
            judge = await self._holders.changing(owner, order.profile, before.profile)
        is_same = is_same_maildrop(before.profile, order.profile)
        skip = () if is_same else _old_mail_to_skip(checked, order)
        call = self._mailboxes.change(
            owner,
            mailbox_id,
            profile=order.profile,
            passwords=order.passwords,
            retention=order.retention,
            delete_days=order.delete_days,
            listing=None if is_same else tuple(line.key for line in checked.listing),
            skip=skip,
            old=() if is_same else backlog.in_pieces(checked.listing, skip),
            chosen=calm.chosen(before, order.calm, order.zone, self._clock()),
            now=self._clock(),
            judge=judge,
            spaced=together if order.profile.outgoing is None else limits.spaced,
        )
        mailbox = await self._allowed(owner, judge, self._call(call), mailbox_id)
        log.info("mailbox_changed", mailbox=mailbox.id)
        self._nudge()
        return mailbox

    async def change_outgoing_password(self, owner: Person, mailbox_id: str, password: Secret) -> Mailbox:
        """Store a new outgoing password, tested before; what is fetched, and when, stays as it is."""
        profile = (await self._open(owner, mailbox_id)).profile
        # Where one pair of credentials served both servers, the user name stays, and the password is its own from now on.
        username = sends_as(profile)
        call = self._mailboxes.change_outgoing_password(
            owner, mailbox_id, password, username, now=self._clock(), spaced=limits.spaced
        )
        changed = await self._allowed(owner, None, self._call(call), mailbox_id)
        log.info("outgoing_password_changed", mailbox=mailbox_id)
        return changed

    def old_mail_coming(self, mailbox: Mailbox, order: Order, checked: Checked) -> OldMailComing:
        """How much old mail comes to a mailbox that was just added, and about how long that takes."""
        skip = _old_mail_to_skip(checked, order)
        count = len(checked.listing) - len(skip)
        takes = backlog.takes(count, backlog.rest(self.bounds(mailbox)))
        has_no_dates = order.old_mail is OldMail.LAST_7_DAYS and checked.recent is None
        return OldMailComing(count, takes, is_in_pieces=count > backlog.AT_ONCE, has_no_dates=has_no_dates)

    # Reading

    async def of(self, owner: Person) -> list[tuple[Mailbox, int]]:
        """A person's mailboxes, oldest first, each with the number of messages on their way to Slack."""
        waiting = await self._outbox.waiting(owner)
        return [(mailbox, waiting.get(mailbox.id, 0)) for mailbox in await self._mailboxes.of(owner)]

    async def get(self, owner: Person, mailbox_id: str) -> Mailbox:
        """One mailbox of this person.

        Raises:
            NoSuchMailbox: it is gone, or somebody else's.
        """
        return await self._call(self._mailboxes.get(owner, mailbox_id))

    async def passwords(self, owner: Person, mailbox_id: str) -> Passwords:
        """The stored passwords, for a test of changed settings; never shown to anyone."""
        return await self._call(self._mailboxes.passwords(owner, mailbox_id))

    # Switching

    async def allow(self, owner: Person, profile: Profile, mailbox_id: str = "") -> None:
        """Before anything is tested: may they have a mailbox with these servers?

        Args:
            mailbox_id: the one that is changed; "" where one more is wanted.

        Raises:
            NotAllowed, RoleUnknown: with the reason.
        """
        if self._holders is None:
            return
        if mailbox_id:
            before = await self._open(owner, mailbox_id)
            await self._holders.check_change(owner, profile, before.profile)
        else:
            await self._holders.check_add(owner, profile, len(await self._mailboxes.of(owner)))

    async def refusal(self, owner: Person) -> tuple[str, tuple[str, ...]]:
        """Why they may not add a mailbox, "" for nothing, and the administrators to ask.

        A form must open within three seconds: while Slack does not say who they are it does, and is refused when it is
        sent, with everything typed still there.
        """
        if self._holders is None:
            return "", ()
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await self._holders.standing(owner, len(await self._mailboxes.of(owner)))
        except TimeoutError:
            return "", ()

    async def allows_plain(self, owner: Person) -> bool:
        """Whether their grants allow any server without encryption; what is not known counts as no."""
        return self._holders is not None and await self._holders.allows_plain(owner)

    async def offers_plain(self, owner: Person) -> bool:
        """The same for a form that opens, which waits no longer."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await self.allows_plain(owner)
        except TimeoutError:
            return False

    async def most_active(self, owner: Person) -> int | None:
        """How many of their mailboxes may be active, None for no limit; for a form, which waits no longer for Slack."""
        if self._holders is None:
            return 1
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await self._holders.most_active(owner)
        except TimeoutError:
            return 1

    async def activate(self, owner: Person, mailbox_id: str) -> tuple[Mailbox, list[Mailbox]]:
        """Make a mailbox active; it, and those that give way: they keep their settings and their place."""
        await self._open(owner, mailbox_id)
        judge = None if self._holders is None else await self._holders.activating(owner)
        call = self._call(self._mailboxes.activate(owner, mailbox_id, self._clock(), judge=judge))
        mailbox, rested = await self._allowed(owner, judge, call, mailbox_id)
        log.info("mailbox_activated", mailbox=mailbox.id)
        self._nudge()
        return mailbox, rested

    async def _open(self, owner: Person, mailbox_id: str) -> Mailbox:
        """A mailbox that is not suspended."""
        mailbox = await self.get(owner, mailbox_id)
        if mailbox.suspension is not None:
            raise Suspended(mailbox.suspension)
        return mailbox

    async def _allowed(
        self, owner: Person, judge: Judged | None, call: Awaitable[Found], mailbox_id: str | None = None
    ) -> Found:
        try:
            return await call
        except NotPermitted as error:
            if mailbox_id is not None:
                await self._open(owner, mailbox_id)
            if judge is None or self._holders is None:
                raise Suspended(Suspension.ADMINISTRATOR) from error  # and lifted again by now
            raise await self._holders.refused(owner, judge, mailbox_id) from error

    async def pause(self, owner: Person, mailbox_id: str) -> Mailbox:
        """Stop fetching; a poll that runs ends before it writes anything more."""
        mailbox, now = await self.get(owner, mailbox_id), self._clock()
        held = calm.still_held(replace(mailbox, is_paused=True), now)
        return await self._done("mailbox_paused", self._mailboxes.pause(owner, mailbox_id, now, held))

    async def resume(self, owner: Person, mailbox_id: str) -> Mailbox:
        """Fetch again, and at once."""
        await self._open(owner, mailbox_id)
        return await self._done("mailbox_resumed", self._mailboxes.resume(owner, mailbox_id, self._clock()))

    async def check_now(self, owner: Person, mailbox_id: str) -> Mailbox:
        """Fetch now, or as soon as the provider's minimum between two polls has passed."""
        mailbox = await self._open(owner, mailbox_id)
        due_at = pace.earliest(mailbox, self.bounds(mailbox), self._clock())
        return await self._done("mailbox_check_asked", self._mailboxes.check_now(owner, mailbox_id, due_at))

    async def stop_old_mail(self, owner: Person, entry_id: str) -> Bringing:
        """Bring no more of the old mail under this post; it stays on the server. Saying so twice changes nothing more.

        Raises:
            NoSuchMailbox: its mailbox is gone, or somebody else's.
        """
        bringing = await self._call(self._old_mails.stop(owner, entry_id, self._clock()))
        log.info("old_mail_stopped", mailbox=bringing.mailbox_id, brought=bringing.brought)
        return bringing

    async def _done(self, event: str, change: Awaitable[Mailbox]) -> Mailbox:
        mailbox = await self._call(change)
        log.info(event, mailbox=mailbox.id)
        self._nudge()
        return mailbox

    @staticmethod
    async def _call(call: Awaitable[Found]) -> Found:
        try:
            return await call
        except NotFound as error:
            raise NoSuchMailbox from error
