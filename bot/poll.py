"""Use case: one session with one maildrop, from claim to result.

The order is what keeps mail safe: each message is committed (UID, sealed octets, outbox entry) before the next one
is asked for and before QUIT; DELE goes out only for messages whose post is settled and only after that intent is
committed; it counts with the server's +OK to QUIT, or once a later listing no longer holds the UID.
"""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from bot import lease, pace, plan
from bot.crowd import Crowd
from bot.deleting import Deleter
from bot.errors import (
    BotError,
    CommandRefused,
    ConnectionLost,
    MessageTooLarge,
    RemoteProtocolError,
    TooOften,
)
from bot.mail.turns import in_turns
from bot.metrics import BROKEN, PUT_OFF, SUPERSEDED
from bot.polled import Found, after_failure, after_success
from bot.unfinished import Unfinished
from bot.wanted import numbered_in_steps
from storage.errors import LeaseLost
from storage.records import Claim, Health, Mailbox, PollResult, Seen, ServerAddress, Shape, Tail

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from bot.crowd import Host
    from bot.floods import Floods
    from bot.guard import Guard
    from bot.mail.pop3_client import Incoming, Session
    from bot.metrics import Metrics
    from bot.pace import Pace
    from bot.plan import Listed
    from bot.wanted import WantedMail
    from storage.mailboxes import Mailboxes
    from storage.messages import Messages
    from storage.wishes import Wanted

log = structlog.get_logger(__name__)

TOP_LINES = 60
HEAD_OCTETS = 32 * 1024
"""How much of a message that breaks off is kept for its card."""


class Connect(Protocol):
    """Opens a session; everything but the server and what is remembered of it is bound by the composition root."""

    def __call__(
        self, server: ServerAddress, *, remembered: frozenset[str] | None, pipelining: bool
    ) -> Awaitable[Session]:
        """See `bot.mail.pop3_client.connect`."""


class Poller:
    """Polls claimed mailboxes.

    Args:
        bounds: how often a mailbox may be polled.
        lists_all: whether the server lists every message each time, so that UIDs which look new are news.
        message_octets: larger messages become a card.
        stopping: once set, the message at hand is finished and the session ends.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        messages: Messages,
        connect: Connect,
        guard: Guard,
        wanted: WantedMail,
        *,
        floods: Floods,
        bounds: Callable[[Mailbox], Pace],
        lists_all: Callable[[Mailbox], bool],
        message_octets: int,
        clock: Callable[[], datetime],
        stopping: asyncio.Event,
        metrics: Metrics,
    ) -> None:
        self._mailboxes = mailboxes
        self._messages = messages
        self._deleter = Deleter(messages)
        self._connect = connect
        self._guard = guard
        self._wanted = wanted
        self._floods = floods
        self._bounds = bounds
        self._lists_all = lists_all
        self._message_octets = message_octets
        self._clock = clock
        self._stopping = stopping
        self._metrics = metrics
        self._crowd = Crowd()
        self._unfinished = Unfinished()

    @property
    def waiting(self) -> int:
        """How many polls wait for other sessions with the same host."""
        return self._crowd.waiting

    async def poll(self, claim: Claim) -> bool:
        """Fetch what is new, delete what is due, record how it went and when to come again.

        Returns:
            Whether something new stands in the outbox.
        """
        outcome, started = BROKEN, time.monotonic()
        try:
            outcome, has_mail = await self._turn(claim)
        except LeaseLost:
            outcome = SUPERSEDED
            log.info("poll_superseded", mailbox=claim.mailbox.id)
            return False
        finally:
            self._metrics.polls.labels(outcome).inc()
            if outcome != PUT_OFF:
                self._metrics.poll_seconds.observe(time.monotonic() - started)
        return has_mail

    async def _turn(self, claim: Claim) -> tuple[str, bool]:
        """One session with its result recorded, or none: what the metrics call it, and whether the outbox has more."""
        host = self._crowd.host(claim.mailbox.profile.incoming.host)
        try:
            self._check_turn(claim.mailbox, host)
            # The lease is kept from here on, also while other sessions with the same host come first.
            async with (
                lease.kept(partial(self._mailboxes.renew, claim), self._clock),
                self._crowd.session(host) as has_waited,
            ):
                if has_waited and self._stopping.is_set():
                    return SUPERSEDED, False
                result, has_mail = await self._outcome(claim)
        except TooOften as wait:
            await self._mailboxes.put_off(claim, wait.until)
            return PUT_OFF, False
        await self._mailboxes.finish(claim, result)
        self._unfinished.end(claim.mailbox)
        return result.health, has_mail or result.notice is not None

    def _check_turn(self, mailbox: Mailbox, host: Host) -> None:
        """TooOften when the provider allows no session yet, or too many wait for this host already."""
        now, bounds = self._clock(), self._bounds(mailbox)
        earliest = self._unfinished.earliest(mailbox, bounds, now)
        if earliest > now:
            raise TooOften(earliest, "the provider allows no session yet")
        if Crowd.is_full(host, is_asked_for=pace.is_asked_for(mailbox, bounds)):
            usual = pace.wanted(bounds, pace.quiet_for(mailbox, now))
            until = pace.put_off(now, usual, random.random())  # noqa: S311 - spread, no secret
            raise TooOften(until, "too many wait for this host")

    async def _outcome(self, claim: Claim) -> tuple[PollResult, bool]:
        try:
            found, capabilities = await self._session(claim)
        except TooOften:
            raise
        except BotError as error:
            log.info("poll_failed", mailbox=claim.mailbox.id, error=type(error).__name__, detail=error.detail)
            return self._failed(claim.mailbox, error), True
        has_mail = bool(found.lines or found.wanted)
        return self._succeeded(claim.mailbox, found, capabilities), has_mail

    async def _session(self, claim: Claim) -> tuple[Found, frozenset[str]]:
        session = await self._logged_in(claim)
        try:
            found = await self._look(session, claim)
            async with self._floods.together(claim, len(found.lines) - found.old) as held:
                is_complete = await self._fetch(session, held, found.lines)
            if found.wanted:
                await self._wanted.bring(session, claim, found.wanted)
            await self._delete(session, claim, found.delete)
        except MessageTooLarge:
            is_complete = False  # its card is kept, the session ended with it; the rest comes next time
        finally:
            session.abort()
        if not is_complete or found.delete:
            found = replace(found, tail=None)
        return found, session.capabilities

    async def _logged_in(self, claim: Claim) -> Session:
        """A session past its login; TooOften, before any connection, when logins at this host have to wait."""
        profile = claim.mailbox.profile
        async with self._guard.login(claim.mailbox):
            self._unfinished.begin(claim.mailbox, self._clock())
            session = await self._connect(
                profile.incoming,
                remembered=claim.mailbox.capabilities,
                pipelining=not claim.mailbox.one_by_one,
            )
            try:
                passwords = await self._mailboxes.claimed_passwords(claim)
                await session.login(profile.username, passwords.incoming)
            except BaseException:
                session.abort()
                raise
        return session

    # What is there?

    async def _look(self, session: Session, claim: Claim) -> Found:
        mailbox = claim.mailbox
        due_until = plan.due_until(mailbox, self._clock())
        wanted = await self._wanted.of(mailbox.id)
        needs_list = bool(wanted) or await self._messages.has_deletions(claim, due_until)
        tail = mailbox.tail
        if tail and plan.may_probe(tail, mailbox.listed_at, self._clock(), has_deletions=needs_list):
            found = await self._probe(session, claim, tail)
            if found is not None:
                return found
        return await self._list(session, claim, due_until, wanted)

    async def _probe(self, session: Session, claim: Claim, tail: Tail) -> Found | None:
        """New mail by asking for the end of the list only; None when that does not tell."""
        answer = await session.probe(plan.probe_numbers(tail))
        numbers = plan.probed(tail, answer.count, answer.uids)
        if numbers is None:
            return None
        if not numbers:
            return Found((), (), tail, None, answer.count)
        uids = {**answer.uids, **(await session.probe(numbers[1:])).uids}
        fresh = [(number, uid) for number in numbers if (uid := uids.get(number)) is not None]
        known = await self._messages.seen_among(claim.mailbox.id, [uid for _, uid in fresh])
        lines = plan.keyed(fresh)
        if known or len(fresh) != len(numbers) or any(line.is_ambiguous for line in lines):
            return None
        return Found(lines, (), Tail(*fresh[-1]), None, answer.count)

    async def _list(
        self, session: Session, claim: Claim, due_until: int, wanted: Mapping[bytes, Wanted]
    ) -> Found:
        uids = await session.uidl()
        if uids.nameless:
            log.warning("messages_without_uid", mailbox=claim.mailbox.id, count=uids.nameless)
        lines = await in_turns(plan.keyed_in_steps(uids))
        seen = await self._known(claim.mailbox.id, lines, due_until)
        listed = claim.mailbox.listed if self._lists_all(claim.mailbox) else 0
        todo = await in_turns(plan.session_plan_in_steps(lines, seen, listed))
        if todo.gone:
            # Some were due only, and went by another hand.
            await self._messages.mark_deleting(claim, todo.gone)
            await self._messages.confirm_deleted(claim, todo.gone)
        # Once the owner is asked they are recorded, and what came since is new.
        if todo.asks and claim.mailbox.health is not Health.ASKED:
            log.warning("uids_look_new", mailbox=claim.mailbox.id, listed=len(lines), held=listed)
            for keys in plan.unknown_in_steps(lines, seen):
                await self._messages.ask(claim, keys, self._clock())
        if todo.old_missing is not None:
            await self._messages.note_missing(claim, todo.old_missing)
        found = Found(todo.fetch, todo.delete, todo.tail, self._clock(), todo.listed, todo.asks, old=todo.old)
        if wanted and not todo.asks:
            found = replace(found, wanted=await in_turns(numbered_in_steps(lines, wanted)))
        return replace(found, has_old_left=todo.old_left > 0)

    async def _known(self, mailbox_id: str, lines: Sequence[Listed], due_until: int) -> dict[bytes, Seen]:
        """What is known of a listing, and of what is missing in it; of the deleted only what is listed again."""
        seen = await self._messages.seen(mailbox_id, due_until, with_deleted=False)
        strange = await in_turns(plan.strange_in_steps(lines, seen))
        if len(strange) > plan.FEW:
            return await self._messages.seen(mailbox_id, due_until)
        seen.update(await self._messages.seen_among(mailbox_id, strange))
        return seen

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
            sessions = self._crowd.host(claim.mailbox.profile.incoming.host).sessions
            async for incoming in session.retr([line.number for line in lines], sessions=sessions):
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
        await self._deleter.delete(session, claim, lines)

    # How it went

    def _succeeded(self, mailbox: Mailbox, found: Found, capabilities: frozenset[str]) -> PollResult:
        now, chance = self._clock(), random.random()  # noqa: S311 - spread, no secret
        result = after_success(mailbox, found, capabilities, self._bounds(mailbox), now, chance=chance)
        if self._stopping.is_set() and result.due_at is not None:
            return replace(result, due_at=now)  # what was left unfetched comes soon after the restart
        return result

    def _failed(self, mailbox: Mailbox, error: BotError) -> PollResult:
        now, chance = self._clock(), random.random()  # noqa: S311 - spread, no secret
        return after_failure(mailbox, error, self._bounds(mailbox), now, chance=chance)
