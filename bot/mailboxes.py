"""Use case: test, add and change mailboxes for their owners.

Every call names the person who acts, verified by Slack, and touches only what is theirs: the stores look records up
by owner, so an id from a payload routes and never authorises.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot import backlog, calm, pace, plan
from bot.errors import BotError, NoSuchMailbox, ServerUnreachable, Step, TooOften
from bot.mail.arrivals import HEADS, recent_numbers
from bot.mail.turns import in_turns
from bot.retention import without_recent
from bot.slack.views.values import OldMailComing, Progress, Report, Tested, outcome
from storage.delivery import AT_ONCE
from storage.errors import NotFound
from storage.records import (
    Mailbox,
    NewMailbox,
    OldMail,
    Passwords,
    Person,
    Profile,
    Retention,
    Secret,
    ServerAddress,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.guard import Guard, Refusals
    from bot.mail.pop3_client import Session
    from bot.pace import Pace
    from bot.plan import Listed
    from storage.delivery import Calm
    from storage.mailboxes import Mailboxes
    from storage.old_mail import OldMails
    from storage.outbox import Outbox
    from storage.records import Bringing

    Connect = Callable[[ServerAddress, Callable[[Step], None]], Awaitable[Session]]
    Submit = Callable[[ServerAddress, str, Secret, Callable[[Step], None]], Awaitable[None]]

log = structlog.get_logger(__name__)

UNREACHABLE_SECONDS = 10.0
"""What a connection attempt may take at most, and so what every one that reaches nobody takes."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a connection test found: the report people see, and what lies in the maildrop.

    `recent` are the numbers of what came in the last seven days; None when nobody asked, or the server does not tell.
    """

    report: Report
    listing: Sequence[Listed] = ()
    recent: frozenset[int] | None = None


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


async def _even(error: BotError, began: float) -> None:
    """Let every unreachable server take the same time, so that the answer maps nobody's network.

    Closed, filtered, not allowed and "not a mail server" share their words; without this their timing would tell.
    """
    if isinstance(error, ServerUnreachable):
        await asyncio.sleep(began + UNREACHABLE_SECONDS - asyncio.get_running_loop().time())


class Registrar:
    """Tests, adds and changes mailboxes.

    Args:
        connect: opens a POP3 session, reporting each step as it begins.
        submit: tests a submission server, sending nothing.
        bounds: how often a mailbox may be polled.
        nudge: called when something became due.
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
    ) -> None:
        self._mailboxes = mailboxes
        self._outbox = outbox
        self._old_mails = old_mails
        self._guard = guard
        self._connect = connect
        self._submit = submit
        self.bounds = bounds
        self._clock = clock
        self._nudge = nudge

    # Testing

    async def check(
        self,
        owner: Person,
        profile: Profile,
        passwords: Passwords,
        progress: Progress | None = None,
        *,
        old_mail: OldMail = OldMail.NONE,
    ) -> Checked:
        """Test the incoming server and, once that passes, the outgoing one; stores and sends nothing.

        The second waits for the first, so a wrong password costs one refused login, not two. A person, or a server,
        that has had enough of tests for now gets none: the report says when to try again.

        Args:
            progress: takes the steps as they begin.
            old_mail: what the form asks for; some of it takes a look at dates.
        """
        progress = progress or Progress()
        try:
            async with self._guard.test(owner, profile) as refusals:
                return await self._check(profile, passwords, refusals, progress, old_mail=old_mail)
        except TooOften as error:
            return Checked(Report(outcome((Step.TURN,), error)))

    async def check_outgoing(self, owner: Person, profile: Profile, password: Secret) -> Report:
        """Test a new password of the outgoing server alone; the incoming one is left in peace."""
        passwords = Passwords(Secret(""), password)
        try:
            async with self._guard.test(owner, profile) as refusals:
                return Report(Tested(()), await self._check_outgoing(profile, passwords, refusals, []))
        except TooOften as error:
            return Report(Tested(()), outcome((Step.TURN,), error))

    async def _check(
        self,
        profile: Profile,
        passwords: Passwords,
        refusals: Refusals,
        progress: Progress,
        *,
        old_mail: OldMail,
    ) -> Checked:
        found = await self._check_incoming(profile, passwords, refusals, progress.incoming, old_mail=old_mail)
        if found.report.incoming.failed is not None:
            return found
        outgoing = await self._check_outgoing(profile, passwords, refusals, progress.outgoing)
        return replace(found, report=replace(found.report, outgoing=outgoing, messages=len(found.listing)))

    async def _check_incoming(
        self,
        profile: Profile,
        passwords: Passwords,
        refusals: Refusals,
        begun: list[Step],
        *,
        old_mail: OldMail,
    ) -> Checked:
        began = asyncio.get_running_loop().time()
        try:
            session = await self._reached(profile.incoming, begun.append)
            try:
                begun.append(Step.LOGIN)
                await session.login(profile.username, passwords.incoming)
                begun.append(Step.UIDL)
                listing = await in_turns(plan.keyed_in_steps(await session.uidl()))
                recent = await self._recent(session, listing) if old_mail is OldMail.LAST_7_DAYS else None
                await session.quit(wait=False)
            finally:
                session.abort()
        except BotError as error:
            refusals.note(profile.incoming, begun, error)
            await _even(error, began)
            log.info("incoming_test_failed", step=begun[-1:], error=type(error).__name__, detail=error.detail)
            return Checked(Report(outcome(begun, error)))
        return Checked(Report(outcome(begun)), listing, recent)

    async def _recent(self, session: Session, listing: Sequence[Listed]) -> frozenset[int] | None:
        """What came in the last seven days; a server that breaks over the question counts as one that does not tell."""
        try:
            return await recent_numbers(session, [line.number for line in listing[-HEADS:]], self._clock())
        except BotError as error:
            log.info("dates_not_told", error=type(error).__name__, detail=error.detail)
            return None

    async def _reached(self, server: ServerAddress, on_step: Callable[[Step], None]) -> Session:
        """A session, or the one answer for every server that does not become one in time."""
        try:
            async with asyncio.timeout(UNREACHABLE_SECONDS):
                return await self._connect(server, on_step)
        except TimeoutError as error:
            raise ServerUnreachable("not ready in time") from error

    async def _check_outgoing(
        self, profile: Profile, passwords: Passwords, refusals: Refusals, begun: list[Step]
    ) -> Tested | None:
        if profile.outgoing is None:
            return None
        began = asyncio.get_running_loop().time()
        username = profile.outgoing_username or without_recent(profile.username)
        try:
            await self._submitted(
                profile.outgoing, username, passwords.outgoing or passwords.incoming, begun.append
            )
        except BotError as error:
            refusals.note(profile.outgoing, begun, error)
            await _even(error, began)
            log.info("outgoing_test_failed", step=begun[-1:], error=type(error).__name__, detail=error.detail)
            return outcome(begun, error)
        return outcome(begun)

    async def _submitted(
        self, server: ServerAddress, username: str, password: Secret, on_step: Callable[[Step], None]
    ) -> None:
        """The same for submission, which tests itself as a whole: it has its login in hand in time, or is no server."""
        try:
            async with asyncio.timeout(UNREACHABLE_SECONDS) as until_ready:

                def begin(step: Step) -> None:
                    on_step(step)
                    if step is Step.LOGIN:
                        until_ready.reschedule(None)

                await self._submit(server, username, password, begin)
        except TimeoutError as error:
            raise ServerUnreachable("not ready in time") from error

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
        mailbox = await self._mailboxes.add(new, self._clock())
        log.info("mailbox_added", mailbox=mailbox.id, is_active=mailbox.is_active)
        self._nudge()
        return mailbox

    async def change(self, owner: Person, mailbox_id: str, order: Order, checked: Checked) -> Mailbox:
        """Store changed settings and passwords, tested before.

        Another maildrop behind the new settings is treated like a new mailbox: its old mail is not poured out. The same
        server and user name are the same maildrop, also while nothing of it has been seen: all that lies there is new.
        """
        before = await self.get(owner, mailbox_id)
        is_same = is_same_maildrop(before.profile, order.profile)
        skip = () if is_same else _old_mail_to_skip(checked, order)
        mailbox = await self._call(
            self._mailboxes.change(
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
            )
        )
        log.info("mailbox_changed", mailbox=mailbox.id)
        self._nudge()
        return mailbox

    async def change_outgoing_password(self, owner: Person, mailbox_id: str, password: Secret) -> Mailbox:
        """Store a new outgoing password, tested before; what is fetched, and when, stays as it is."""
        changed = await self._call(self._mailboxes.change_outgoing_password(owner, mailbox_id, password))
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

    async def activate(self, owner: Person, mailbox_id: str) -> Mailbox:
        """Make this the active mailbox; the others keep their settings and their place."""
        return await self._done(
            "mailbox_activated", self._mailboxes.activate(owner, mailbox_id, self._clock())
        )

    async def pause(self, owner: Person, mailbox_id: str) -> Mailbox:
        """Stop fetching; a poll that runs ends before it writes anything more."""
        mailbox, now = await self.get(owner, mailbox_id), self._clock()
        held = calm.still_held(replace(mailbox, is_paused=True), now)
        return await self._done("mailbox_paused", self._mailboxes.pause(owner, mailbox_id, now, held))

    async def resume(self, owner: Person, mailbox_id: str) -> Mailbox:
        """Fetch again, and at once."""
        return await self._done("mailbox_resumed", self._mailboxes.resume(owner, mailbox_id, self._clock()))

    async def check_now(self, owner: Person, mailbox_id: str) -> Mailbox:
        """Fetch now, or as soon as the provider's minimum between two polls has passed."""
        mailbox = await self.get(owner, mailbox_id)
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
