"""Use case: test, add and change mailboxes for their owners.

Every call names the person who acts, verified by Slack, and touches only what is theirs: the stores look records up
by owner, so an id from a payload routes and never authorises.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot import plan
from bot.errors import BotError, NoSuchMailbox, ServerUnreachable, Step
from bot.slack.views.values import Report, Tested, outcome
from storage.errors import NotFound
from storage.records import Health, Mailbox, NewMailbox, Passwords, Person, Profile, Retention, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime, timedelta

    from bot.mail.hosts import Hosts
    from bot.mail.pop3_client import Session
    from bot.mail.providers import Providers
    from bot.plan import Listed
    from storage.mailboxes import Mailboxes
    from storage.outbox import Outbox
    from storage.records import OldMail, Secret

    Connect = Callable[[ServerAddress, Callable[[Step], None]], Awaitable[Session]]
    Submit = Callable[[ServerAddress, str, Secret, Callable[[Step], None]], Awaitable[None]]

log = structlog.get_logger(__name__)

UNREACHABLE_SECONDS = 10.0
"""What a connection attempt may take at most, and so what every one that reaches nobody takes."""

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a connection test found: the report people see, and what lies in the maildrop."""

    report: Report
    listing: tuple[Listed, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """What a checked form asks to be stored."""

    profile: Profile
    passwords: Passwords
    retention: Retention
    old_mail: OldMail
    make_active: bool


def interval_for(mailbox: Mailbox, hosts: Hosts, providers: Providers, default: timedelta) -> timedelta:
    """How often a mailbox is polled: the default, never under the house's or its provider's floor.

    Hosts that the operator allowed by name are their own affair, so there the default counts as it is.
    """
    host = mailbox.profile.incoming.host
    if hosts.is_allowed(host):
        return default
    provider = providers.by_host(host)
    wishes = (provider.min_poll, provider.suggested_poll) if provider else ()
    return max(default, plan.FLOOR, *(wish for wish in wishes if wish))


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
        interval: how often a mailbox is polled.
        nudge: called when something became due.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        outbox: Outbox,
        *,
        connect: Connect,
        submit: Submit,
        providers: Providers,
        interval: Callable[[Mailbox], timedelta],
        clock: Callable[[], datetime],
        nudge: Callable[[], None],
    ) -> None:
        self._mailboxes = mailboxes
        self._outbox = outbox
        self._connect = connect
        self._submit = submit
        self._providers = providers
        self.interval = interval
        self._clock = clock
        self._nudge = nudge

    # Testing

    async def check(self, profile: Profile, passwords: Passwords) -> Checked:
        """Test the incoming server and, once that passes, the outgoing one; stores and sends nothing.

        The second waits for the first, so a wrong password costs one refused login, not two.
        """
        incoming, listing = await self._check_incoming(profile, passwords)
        if incoming.failed is not None:
            return Checked(Report(incoming))
        outgoing = await self._check_outgoing(profile, passwords)
        return Checked(Report(incoming, outgoing, messages=len(listing)), listing)

    async def _check_incoming(
        self, profile: Profile, passwords: Passwords
    ) -> tuple[Tested, tuple[Listed, ...]]:
        begun: list[Step] = []
        began = asyncio.get_running_loop().time()
        try:
            session = await self._reached(profile.incoming, begun.append)
            try:
                begun.append(Step.LOGIN)
                await session.login(profile.username, passwords.incoming)
                begun.append(Step.UIDL)
                listing = plan.keyed(await session.uidl())
                await session.quit(wait=False)
            finally:
                session.abort()
        except BotError as error:
            await _even(error, began)
            log.info("incoming_test_failed", step=begun[-1:], error=type(error).__name__, detail=error.detail)
            return outcome(begun, error), ()
        return outcome(begun), listing

    async def _reached(self, server: ServerAddress, on_step: Callable[[Step], None]) -> Session:
        """A session, or the one answer for every server that does not become one in time."""
        try:
            async with asyncio.timeout(UNREACHABLE_SECONDS):
                return await self._connect(server, on_step)
        except TimeoutError as error:
            raise ServerUnreachable("not ready in time") from error

    async def _check_outgoing(self, profile: Profile, passwords: Passwords) -> Tested | None:
        if profile.outgoing is None:
            return None
        begun: list[Step] = []
        began = asyncio.get_running_loop().time()
        username = profile.outgoing_username or profile.username
        try:
            await self._submit(
                profile.outgoing, username, passwords.outgoing or passwords.incoming, begun.append
            )
        except BotError as error:
            await _even(error, began)
            log.info("outgoing_test_failed", step=begun[-1:], error=type(error).__name__, detail=error.detail)
            return outcome(begun, error)
        return outcome(begun)

    # Storing

    async def add(self, owner: Person, order: Order, checked: Checked, form_id: str) -> Mailbox:
        """Store a tested mailbox; the same form again gives the same mailbox.

        What the test listed and the owner did not ask for counts as seen from now on; all that comes later is new.
        """
        new = NewMailbox(
            owner=owner,
            profile=order.profile,
            passwords=order.passwords,
            retention=order.retention,
            skip=plan.old_mail_to_skip(checked.listing, order.old_mail),
            make_active=order.make_active,
            form_id=form_id,
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
        stored = (await self.get(owner, mailbox_id)).profile
        is_same = (stored.incoming.host, stored.username) == (
            order.profile.incoming.host,
            order.profile.username,
        )
        mailbox = await self._call(
            self._mailboxes.change(
                owner,
                mailbox_id,
                profile=order.profile,
                passwords=order.passwords,
                retention=order.retention,
                listing=tuple(line.key for line in checked.listing),
                skip=() if is_same else plan.old_mail_to_skip(checked.listing, order.old_mail),
                now=self._clock(),
            )
        )
        log.info("mailbox_changed", mailbox=mailbox.id)
        self._nudge()
        return mailbox

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
        return await self._done("mailbox_paused", self._mailboxes.pause(owner, mailbox_id, self._clock()))

    async def resume(self, owner: Person, mailbox_id: str) -> Mailbox:
        """Fetch again, and at once."""
        return await self._done("mailbox_resumed", self._mailboxes.resume(owner, mailbox_id, self._clock()))

    async def check_now(self, owner: Person, mailbox_id: str) -> Mailbox:
        """Fetch now, or as soon as the provider's minimum between two polls has passed."""
        mailbox = await self.get(owner, mailbox_id)
        now = self._clock()
        provider = self._providers.by_host(mailbox.profile.incoming.host)
        due_at = now
        if provider and provider.min_poll and mailbox.last_success_at and mailbox.health is Health.OK:
            due_at = max(now, mailbox.last_success_at + provider.min_poll)
        return await self._done("mailbox_check_asked", self._mailboxes.check_now(owner, mailbox_id, due_at))

    async def remove(self, owner: Person, mailbox_id: str) -> None:
        """Destroy the mailbox's key, then its records; posts in Slack and mail on the server stay."""
        await self._call(self._mailboxes.remove(owner, mailbox_id))
        log.info("mailbox_removed", mailbox=mailbox_id)

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
