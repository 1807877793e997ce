"""One process: ticks start bounded tasks, and a calm shutdown ends them.

`schedule` only says that it is time to look; what is due stands in the tables. A tick that is lost or comes twice
changes nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import schedule
import structlog

from bot import pace
from bot.border import guarded
from bot.lease import LEASE
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from bot.deliver import Deliverer
    from bot.poll import Poller
    from bot.zones import ZoneKeeper
    from storage.attempts import Attempts
    from storage.conversations import Conversations
    from storage.holdings import Holdings
    from storage.mailboxes import Mailboxes
    from storage.messages import Messages
    from storage.outbox import Outbox
    from storage.records import Claim, Dm

log = structlog.get_logger(__name__)

MOST_POLLS = 80
"""At a time; those apart that wait for other sessions with their host."""

MOST_WAITING = 400
MOST_DELIVERIES = 40
TICK_SECONDS = 1
PROGRESS_SECONDS = 10
"""How often the posts over old mail change at most."""

ZONE_SECONDS = 30
"""How often somebody's time zone is asked for, where it has to be."""

PURGE_MINUTES = 10
KEEP_OCTETS = timedelta(days=30)
"""Sealed octets stay this long after their post, for what the person may still want of them."""

HELD_BACK = timedelta(minutes=1)
"""After a poll that failed on our side."""

ASLEEP = timedelta(minutes=1)
"""When nobody has looked for longer, or the clock went back so far, what is overdue is spread first."""

FARTHEST = timedelta(hours=48)
"""No poll is planned farther ahead."""

LEAVE_SECONDS = 8.0
"""After SIGTERM: time to finish the message or post at hand, with two more seconds to close what is open."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Work that is looked for every so many seconds; it says itself when there is none.

    Attributes:
        is_urgent: a nudge looks for it too; what polls and deliveries find for each other does not.
        running: tasks that it began and that go on by themselves; the end waits for them as well.
    """

    name: str
    seconds: int
    work: Callable[[], Awaitable[None]]
    is_urgent: bool = False
    running: Callable[[], Collection[asyncio.Task[None]]] = tuple


class Runner:
    """Polls what is due and delivers what is owed until it is stopped.

    Args:
        worker: names this process in leases; a successor with the same name takes them over at once.
        interval: how often mailboxes are polled by default; what is overdue is spread over one.
        stopping: set to end; shared with the use cases so that they finish what they have in hand only.
        sweeps: what else is looked for.
    """

    def __init__(
        self,
        *,
        mailboxes: Mailboxes,
        messages: Messages,
        outbox: Outbox,
        holdings: Holdings,
        attempts: Attempts,
        poller: Poller,
        deliverer: Deliverer,
        conversations: Conversations,
        zones: ZoneKeeper,
        worker: str,
        interval: timedelta,
        clock: Callable[[], datetime],
        stopping: asyncio.Event,
        sweeps: Sequence[Sweep] = (),
    ) -> None:
        self._mailboxes = mailboxes
        self._messages = messages
        self._outbox = outbox
        self._holdings = holdings
        self._attempts = attempts
        self._poller = poller
        self._deliverer = deliverer
        self._conversations = conversations
        self._zones = zones
        self._worker = worker
        self._interval = interval
        self._clock = clock
        self._stopping = stopping
        self._more = tuple(sweeps)
        self._wake = asyncio.Event()
        self._is_asked = False
        self._polls: dict[Any, asyncio.Task[None]] = {}
        self._deliveries: dict[Any, asyncio.Task[None]] = {}
        self._sweeps: dict[str, asyncio.Task[None]] = {}
        self._has_backlog = False
        self._looked_at: datetime | None = None
        self._ticks = self._new_ticks()

    def _new_ticks(self) -> schedule.Scheduler:
        ticks = schedule.Scheduler()
        ticks.every(TICK_SECONDS).seconds.do(self._start, "polls", self._claim_polls)
        ticks.every(TICK_SECONDS).seconds.do(self._start, "deliveries", self._claim_deliveries)
        ticks.every(PROGRESS_SECONDS).seconds.do(self._start, "progress", self._deliverer.tell_progress)
        ticks.every(ZONE_SECONDS).seconds.do(self._start, "zones", self._zones.refresh)
        ticks.every(PURGE_MINUTES).minutes.do(self._start, "purge", self._purge)
        for sweep in self._more:
            ticks.every(sweep.seconds).seconds.do(self._start, sweep.name, sweep.work)
        return ticks

    def nudge(self) -> None:
        """Somebody made something due just now: look at once instead of at the next tick."""
        self._is_asked = True
        self._wake.set()

    async def run(self) -> None:
        """Until `stopping` is set; then ends what runs, within about ten seconds."""
        await self._mailboxes.release(self._worker)
        await self._outbox.release_worker(self._worker)
        self._start("erasures", partial(self._finish_erasures, is_start=True))
        while not self._stopping.is_set():
            if (self._ticks.idle_seconds or 0) > 2 * TICK_SECONDS:
                # `schedule` goes by the local clock: set back, at the end of summer time, it would rest for an hour.
                self._ticks = self._new_ticks()
            self._ticks.run_pending()
            await self._rest()
        await self._leave()

    async def _rest(self) -> None:
        """Until the next tick, a nudge or the end."""
        waits = [asyncio.create_task(self._wake.wait()), asyncio.create_task(self._stopping.wait())]
        try:
            await asyncio.wait(
                waits, timeout=max(0.05, self._ticks.idle_seconds or 0), return_when="FIRST_COMPLETED"
            )
        finally:
            for wait in waits:
                wait.cancel()
        if self._wake.is_set():
            self._wake.clear()
            self._start("polls", self._claim_polls)
            self._start("deliveries", self._claim_deliveries)
            urgent = [sweep for sweep in self._more if sweep.is_urgent and self._is_asked]
            self._is_asked = False
            for sweep in urgent:
                self._start(sweep.name, sweep.work)

    def _start(self, name: str, sweep: Callable[[], Awaitable[None]]) -> None:
        """Begin a sweep unless the last one of its kind is still running."""
        if name not in self._sweeps and not self._stopping.is_set():
            self._begin(self._sweeps, name, sweep())

    def _begin(self, tasks: dict[Any, asyncio.Task[None]], key: Any, work: Awaitable[None]) -> None:
        task = asyncio.create_task(guarded(work))
        tasks[key] = task
        task.add_done_callback(lambda _: tasks.pop(key, None))

    async def _claim_polls(self) -> None:
        now = self._clock()
        if self._looked_at is None or abs(now - self._looked_at) > ASLEEP:
            await self._spread(now, self._looked_at or now)
        self._looked_at = now
        waiting = self._poller.waiting
        room = min(MOST_POLLS - (len(self._polls) - waiting), MOST_WAITING - waiting)
        if room <= 0:
            return
        claims = await self._mailboxes.claim_due(
            now, lease=LEASE, worker=self._worker, limit=room, busy=tuple(self._polls)
        )
        for claim in claims:
            self._begin(self._polls, claim.mailbox.id, self._poll(claim))
        self._has_backlog = len(claims) == room

    async def _spread(self, now: datetime, looked_at: datetime) -> None:
        """After a start, or a sleep: what is overdue comes in its order, and not all at once.

        A clock that went back has planned everything ahead of where it stood, a day perhaps: that is overdue too.
        """
        farthest = looked_at if looked_at > now else now + FARTHEST
        times = partial(pace.caught_up, now, self._interval)
        count = await self._mailboxes.spread(now, min(farthest, now + FARTHEST), times)
        if count:
            log.info("overdue_spread", mailboxes=count)

    async def _claim_deliveries(self) -> None:
        room = MOST_DELIVERIES - len(self._deliveries)
        if room <= 0 or self._deliverer.is_silent:
            return
        dms = await self._outbox.claim_due(
            self._clock(), lease=LEASE, worker=self._worker, limit=room, busy=tuple(self._deliveries)
        )
        for dm in dms:
            self._begin(self._deliveries, dm.owner, self._deliver(dm))

    async def _poll(self, claim: Claim) -> None:
        try:
            has_mail = await self._poller.poll(claim)
        except Exception:
            # Whatever it was, it may come again: the mail server is not asked for it with every lease.
            with suppress(StorageError):
                await self._mailboxes.renew(claim, self._clock() + HELD_BACK)
            raise
        if has_mail or self._has_backlog:
            self._wake.set()

    async def _deliver(self, dm: Dm) -> None:
        if await self._deliverer.deliver(dm):
            self._wake.set()

    async def _purge(self) -> None:
        count = await self._messages.purge(self._clock(), KEEP_OCTETS)
        if count:
            log.info("octets_purged", messages=count)
        await self._attempts.purge(self._clock())
        await self._conversations.purge(self._clock())
        await self._finish_erasures()

    async def _finish_erasures(self, *, is_start: bool = False) -> None:
        """What a crash, or a database that was busy, left of mailboxes whose end had begun."""
        count = await self._holdings.finish(is_start=is_start)
        if count:
            log.info("erasures_finished", mailboxes=count)

    async def _leave(self) -> None:
        """Let everything finish what it has in hand, then stop what still hangs."""
        running = [*self._sweeps.values(), *self._polls.values(), *self._deliveries.values()]
        running += [task for sweep in self._more for task in sweep.running()]
        if not running:
            return
        _, hanging = await asyncio.wait(running, timeout=LEAVE_SECONDS)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        log.info("left", finished=len(running) - len(hanging), stopped=len(hanging))
