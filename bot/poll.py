"""Use case: one session with one maildrop, from claim to result.

The order is what keeps mail safe: each message is committed (UID, sealed octets, outbox entry) before the next one
is asked for and before QUIT; DELE goes out only for messages whose post is settled and only after that intent is
committed; it counts with the server's +OK to QUIT, or once a later listing no longer holds the UID.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

import structlog

from bot import lease, plan
from bot.errors import (
    BotError,
    CertificateInvalid,
    CommandRefused,
    ConnectionLost,
    LoginRejected,
    MaildropBusy,
    MessageTooLarge,
    RemoteProtocolError,
    ServerUnreachable,
    TlsUnavailable,
)
from bot.metrics import BROKEN, SUPERSEDED
from storage.errors import LeaseLost
from storage.records import Claim, Health, Mailbox, Notice, PollResult, ServerAddress, Shape, Tail

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime, timedelta

    from bot.mail.pop3_client import Incoming, Session
    from bot.metrics import Metrics
    from bot.plan import Listed
    from storage.mailboxes import Mailboxes
    from storage.messages import Messages

log = structlog.get_logger(__name__)

SESSIONS_PER_HOST = 10
TOP_LINES = 60
HEAD_OCTETS = 32 * 1024
"""How much of a message that breaks off is kept for its card."""

HEALTH_OF: tuple[tuple[type[BotError], Health], ...] = (
    (LoginRejected, Health.LOGIN_REFUSED),
    (MaildropBusy, Health.MAILDROP_BUSY),
    (CertificateInvalid, Health.CERTIFICATE_INVALID),
    (TlsUnavailable, Health.CERTIFICATE_INVALID),
    (ServerUnreachable, Health.UNREACHABLE),
    (ConnectionLost, Health.UNREACHABLE),
    (BotError, Health.SERVER_FAULT),
)


class Connect(Protocol):
    """Opens a session; everything but the server and what is remembered of it is bound by the composition root."""

    def __call__(
        self, server: ServerAddress, *, remembered: frozenset[str] | None, pipelining: bool
    ) -> Awaitable[Session]:
        """See `bot.mail.pop3_client.connect`."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a session saw of the maildrop. `listed_at` is set by a full listing only."""

    lines: tuple[Listed, ...]
    delete: tuple[Listed, ...]
    tail: Tail | None
    listed_at: datetime | None


class Poller:
    """Polls claimed mailboxes.

    Args:
        interval: how often a mailbox is to be polled.
        message_octets: larger messages become a card.
        stopping: once set, the message at hand is finished and the session ends.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        messages: Messages,
        connect: Connect,
        *,
        interval: Callable[[Mailbox], timedelta],
        message_octets: int,
        clock: Callable[[], datetime],
        stopping: asyncio.Event,
        metrics: Metrics,
    ) -> None:
        self._mailboxes = mailboxes
        self._messages = messages
        self._connect = connect
        self._interval = interval
        self._message_octets = message_octets
        self._clock = clock
        self._stopping = stopping
        self._metrics = metrics
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def poll(self, claim: Claim) -> bool:
        """Fetch what is new, delete what is due, record how it went and when to come again.

        Returns:
            Whether something new stands in the outbox.
        """
        host = self._hosts.setdefault(
            claim.mailbox.profile.incoming.host, asyncio.Semaphore(SESSIONS_PER_HOST)
        )
        outcome, started = BROKEN, time.monotonic()
        has_to_wait = host.locked()
        try:
            # The lease is kept from here on, also while other sessions with the same host come first.
            async with lease.kept(partial(self._mailboxes.renew, claim), self._clock), host:
                if has_to_wait and self._stopping.is_set():
                    outcome = SUPERSEDED
                    return False
                result, has_mail = await self._outcome(claim)
            await self._mailboxes.finish(claim, result)
            outcome = result.health
        except LeaseLost:
            outcome = SUPERSEDED
            log.info("poll_superseded", mailbox=claim.mailbox.id)
            return False
        finally:
            self._metrics.polls.labels(outcome).inc()
            self._metrics.poll_seconds.observe(time.monotonic() - started)
        return has_mail or result.notice is not None

    async def _outcome(self, claim: Claim) -> tuple[PollResult, bool]:
        try:
            found, capabilities = await self._session(claim)
        except BotError as error:
            log.info("poll_failed", mailbox=claim.mailbox.id, error=type(error).__name__, detail=error.detail)
            return self._failed(claim.mailbox, error), True
        return self._succeeded(claim.mailbox, found, capabilities), bool(found.lines)

    async def _session(self, claim: Claim) -> tuple[_Found, frozenset[str]]:
        profile = claim.mailbox.profile
        session = await self._connect(
            profile.incoming,
            remembered=claim.mailbox.capabilities,
            pipelining=not claim.mailbox.one_by_one,
        )
        try:
            passwords = await self._mailboxes.claimed_passwords(claim)
            await session.login(profile.username, passwords.incoming)
            found = await self._look(session, claim)
            is_complete = await self._fetch(session, claim, found.lines)
            await self._delete(session, claim, found.delete)
        except MessageTooLarge:
            is_complete = False  # its card is kept, the session ended with it; the rest comes next time
        finally:
            session.abort()
        if not is_complete or found.delete:
            found = _Found(found.lines, found.delete, tail=None, listed_at=found.listed_at)
        return found, session.capabilities

    # What is there?

    async def _look(self, session: Session, claim: Claim) -> _Found:
        mailbox = claim.mailbox
        has_deletions = await self._messages.has_deletions(claim)
        tail = mailbox.tail
        if tail and plan.may_probe(tail, mailbox.listed_at, self._clock(), has_deletions=has_deletions):
            found = await self._probe(session, claim, tail)
            if found is not None:
                return found
        return await self._list(session, claim)

    async def _probe(self, session: Session, claim: Claim, tail: Tail) -> _Found | None:
        """New mail by asking for the end of the list only; None when that does not tell."""
        answer = await session.probe(plan.probe_numbers(tail))
        numbers = plan.probed(tail, answer.count, answer.uids)
        if numbers is None:
            return None
        if not numbers:
            return _Found((), (), tail, None)
        uids = {**answer.uids, **(await session.probe(numbers[1:])).uids}
        fresh = [(number, uid) for number in numbers if (uid := uids.get(number)) is not None]
        known = await self._messages.seen_among(claim.mailbox.id, [uid for _, uid in fresh])
        lines = plan.keyed(fresh)
        if known or len(fresh) != len(numbers) or any(line.is_ambiguous for line in lines):
            return None
        return _Found(lines, (), Tail(*fresh[-1]), None)

    async def _list(self, session: Session, claim: Claim) -> _Found:
        lines = plan.keyed(await session.uidl())
        seen = await self._messages.seen(claim.mailbox.id)
        todo = plan.session_plan(lines, seen, claim.mailbox.retention)
        if todo.gone:
            await self._messages.confirm_deleted(claim, todo.gone)
        tail = Tail(lines[-1].number, lines[-1].key) if lines and not lines[-1].is_ambiguous else None
        return _Found(todo.fetch, todo.delete, tail, self._clock())

    # Fetching

    async def _fetch(self, session: Session, claim: Claim, lines: Sequence[Listed]) -> bool:
        """Bring messages in, in order; False when some were left for a later session."""
        if not lines:
            return True
        sizes = await session.sizes([line.number for line in lines])
        is_complete = True
        for is_large, run in itertools.groupby(
            lines, lambda line: sizes.get(line.number, 0) > self._message_octets
        ):
            take = self._take_tops if is_large else self._take_whole
            is_complete &= await take(session, claim, tuple(run), sizes)
            if self._stopping.is_set():
                return False
        return is_complete

    async def _take_whole(
        self, session: Session, claim: Claim, lines: Sequence[Listed], sizes: dict[int, int]
    ) -> bool:
        by_number = {line.number: line for line in lines}
        waiting = list(lines)
        is_complete = True
        try:
            async for incoming in session.retr([line.number for line in lines]):
                line = by_number[incoming.number]
                is_complete &= await self._take_one(claim, line, incoming, sizes.get(line.number, 0))
                waiting.remove(line)
                if self._stopping.is_set():
                    return False
        except (ConnectionLost, CommandRefused, RemoteProtocolError):
            if waiting:
                await self._note_failure(claim, waiting[0], was_refused=False)
            raise
        return is_complete

    async def _take_one(self, claim: Claim, line: Listed, incoming: Incoming, listed_octets: int) -> bool:
        """Stream one message into the store; False when the server would not hand it over yet."""
        if incoming.refused is not None:
            log.info("message_refused", mailbox=claim.mailbox.id, reason=incoming.refused)
            return await self._note_failure(claim, line, was_refused=True)
        spool = self._messages.spool(claim)
        head = bytearray()
        try:
            async for chunk in incoming.chunks:
                head += chunk[: HEAD_OCTETS - len(head)]
                await spool.write(chunk)
            is_new = await self._messages.keep(
                claim, line.key, spool, shape=Shape.WHOLE, listed_octets=spool.octets, now=self._clock()
            )
            self._metrics.messages.labels(Shape.WHOLE).inc(is_new)
        except MessageTooLarge:
            await self._keep_octets(
                claim, line, Shape.TOP, bytes(head), max(listed_octets, self._message_octets + 1)
            )
            raise
        finally:
            self._metrics.octets.inc(spool.octets)
            await spool.close()
        return True

    async def _take_tops(
        self, session: Session, claim: Claim, lines: Sequence[Listed], sizes: dict[int, int]
    ) -> bool:
        """Messages above the size limit come as header and first lines."""
        for line in lines:
            try:
                octets = await session.top(line.number, TOP_LINES)
                shape = Shape.WHOLE if plan.is_whole(octets, TOP_LINES) else Shape.TOP
            except CommandRefused:
                octets, shape = b"", Shape.REFUSED
            except (ConnectionLost, RemoteProtocolError):
                await self._note_failure(claim, line, was_refused=False)
                raise
            self._metrics.octets.inc(len(octets))
            listed_octets = len(octets) if shape is Shape.WHOLE else sizes[line.number]
            await self._keep_octets(claim, line, shape, octets, listed_octets)
        return True

    async def _note_failure(self, claim: Claim, line: Listed, *, was_refused: bool) -> bool:
        """Count a message that did not come; True when it now stands in the outbox as a card."""
        attempts = await self._messages.note_failure(claim, line.key, self._clock())
        if not plan.should_give_up(attempts, was_refused=was_refused):
            return False
        await self._keep_octets(claim, line, Shape.REFUSED, b"", 0)
        return True

    async def _keep_octets(
        self, claim: Claim, line: Listed, shape: Shape, octets: bytes, listed_octets: int
    ) -> None:
        spool = self._messages.spool(claim)
        try:
            await spool.write(octets)
            is_new = await self._messages.keep(
                claim, line.key, spool, shape=shape, listed_octets=listed_octets, now=self._clock()
            )
            self._metrics.messages.labels(shape).inc(is_new)
        finally:
            await spool.close()

    # Deleting and leaving

    async def _delete(self, session: Session, claim: Claim, lines: Sequence[Listed]) -> None:
        if not lines or self._stopping.is_set():
            await session.quit(wait=False)
            return
        await self._messages.mark_deleting(claim, [line.key for line in lines])
        accepted = set(await session.dele([line.number for line in lines]))
        if not await session.quit():
            log.info("quit_unanswered", mailbox=claim.mailbox.id)
            return
        # From now on the server may give these UIDs to other messages: what bears one is fetched and compared first.
        await self._messages.confirm_deleted(claim, [line.key for line in lines if line.number in accepted])

    # How it went

    def _succeeded(self, mailbox: Mailbox, found: _Found, capabilities: frozenset[str]) -> PollResult:
        now = self._clock()
        due_at = plan.next_poll(now, self._interval(mailbox), 0, random.random())  # noqa: S311 - spread, no secret
        return PollResult(
            health=Health.OK,
            due_at=now
            if self._stopping.is_set()
            else due_at,  # what was left unfetched comes first after the restart
            failures=0,
            last_success_at=now,
            tail=found.tail,
            listed_at=found.listed_at or mailbox.listed_at,
            capabilities=plan.remembered(capabilities),
            one_by_one=mailbox.one_by_one,
            notice=Notice.ALL_CLEAR if mailbox.has_alarm else None,
        )

    def _failed(self, mailbox: Mailbox, error: BotError) -> PollResult:
        now = self._clock()
        health = health_after(mailbox, error)
        stops = health is Health.LOGIN_REFUSED
        failures = mailbox.failures + 1
        backoff = 0 if health is Health.LOGIN_DOUBTED else failures
        chance = random.random()  # noqa: S311 - spread, no secret
        return PollResult(
            health=health,
            due_at=None if stops else plan.next_poll(now, self._interval(mailbox), backoff, chance),
            failures=failures,
            last_success_at=mailbox.last_success_at,
            tail=None,
            listed_at=mailbox.listed_at,
            capabilities=None,
            one_by_one=plan.goes_one_by_one(
                was=mailbox.one_by_one,
                failures=mailbox.failures,
                is_broken_off=isinstance(error, ConnectionLost | RemoteProtocolError),
            ),
            notice=Notice.LOGIN_REFUSED if stops and not mailbox.has_alarm else None,
        )


def health_after(mailbox: Mailbox, error: BotError) -> Health:
    """The state that a failed poll leaves; a login refused without `[AUTH]` after it had worked is tried once more."""
    health = next(health for family, health in HEALTH_OF if isinstance(error, family))
    if not isinstance(error, LoginRejected) or error.is_certain:
        return health
    has_worked = mailbox.last_success_at is not None
    was_told = mailbox.health in {Health.LOGIN_DOUBTED, Health.LOGIN_REFUSED}
    return Health.LOGIN_DOUBTED if has_worked and not was_told else health
