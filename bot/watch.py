"""What can be seen from outside: `/healthz`, `/readyz` and `/metrics`, on an address of their own.

Plain HTTP without any check of who asks: nothing personal is in it, and it belongs on the loopback interface. Beside
it a beat measures how late the event loop is, and every few seconds stock is taken of the outbox and the mailboxes.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog
from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

from bot.errors import SettingsError
from bot.metrics import UNDER_WAY
from storage.errors import StorageError
from storage.records import Health

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from bot.metrics import Metrics
    from storage.database import Database
    from storage.mailboxes import Mailboxes
    from storage.outbox import Outbox
    from storage.submissions import Submissions

log = structlog.get_logger(__name__)

BEAT_SECONDS: Final = 0.5
STOCK_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 3.0
"""Longer than this, and the database does not answer as far as anyone here is concerned."""

STALL: Final = timedelta(seconds=5)
STALL_TOLD_SECONDS: Final = 10.0
"""One stall fails one probe, or two; only a loop that goes on stalling fails many in a row."""


class Watch:
    """Answers probes, and measures what no use case counts.

    Args:
        stopping: once set, the process is not ready any more.
        stall: how late the event loop may be before the process counts as unhealthy.

    Attributes:
        is_connected: asks whether Slack's socket is open; None until there is one.
    """

    def __init__(
        self,
        metrics: Metrics,
        database: Database,
        outbox: Outbox,
        mailboxes: Mailboxes,
        *,
        clock: Callable[[], datetime],
        stopping: asyncio.Event,
        stall: timedelta = STALL,
        submissions: Submissions | None = None,
    ) -> None:
        self.is_connected: Callable[[], Awaitable[bool]] | None = None
        self._metrics: Final = metrics
        self._database: Final = database
        self._outbox: Final = outbox
        self._mailboxes: Final = mailboxes
        self._submissions: Final = submissions
        self._clock: Final = clock
        self._stopping: Final = stopping
        self._stall: Final = stall.total_seconds()
        self._stalled_at: float | None = None
        self._check: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen until the block ends; gives the port.

        Raises:
            SettingsError: the address cannot be listened on.
        """
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", make_aiohttp_handler(self._metrics.registry))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        leaving = asyncio.Event()
        beat = asyncio.create_task(self._beat())
        stock = asyncio.create_task(self._take_stock_until(leaving))
        try:
            await _listen(runner, host, port)
            yield int(runner.addresses[0][1])
        finally:
            await runner.cleanup()
            leaving.set()
            beat.cancel()
            await _ended([task for task in (beat, stock, self._check) if task])

    # Probes

    async def _healthz(self, _: web.Request) -> web.Response:
        """The loop turns, and did not stand still just now."""
        now = asyncio.get_running_loop().time()
        is_fine = self._stalled_at is None or now - self._stalled_at > STALL_TOLD_SECONDS
        return _answer("event loop stalled" if not is_fine else None)

    async def _readyz(self, _: web.Request) -> web.Response:
        """Everything that a mail and a command need is there."""
        if self._stopping.is_set():
            return _answer("stopping")
        if not await self._has_slack():
            return _answer("Slack not connected")
        return _answer(None if await self._has_database() else "database does not answer")

    async def _has_slack(self) -> bool:
        is_there = self.is_connected is not None and await self.is_connected()
        self._metrics.ready.labels("slack").set(is_there)
        return is_there

    async def _has_database(self) -> bool:
        """However many ask, one question is under way, and it is not cut off: its connection would be lost."""
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(self._database.check())
        answered, _ = await asyncio.wait([self._check], timeout=ANSWER_SECONDS)
        is_there = bool(answered) and self._check.exception() is None
        self._metrics.ready.labels("database").set(is_there)
        return is_there

    # Measuring

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            lag = max(0.0, loop.time() - due)
            self._metrics.loop_lag.observe(lag)
            if lag > self._stall:
                self._stalled_at = loop.time()
                log.warning("event_loop_stalled", seconds=round(lag, 1))

    async def _take_stock_until(self, leaving: asyncio.Event) -> None:
        while not leaving.is_set():
            await self._has_slack()
            if await self._has_database():
                await self._take_stock()
            with suppress(TimeoutError):
                await asyncio.wait_for(leaving.wait(), STOCK_SECONDS)

    async def _take_stock(self) -> None:
        """Read the gauges' values; they keep their last ones when the database does not answer."""
        try:
            depth = await self._outbox.depth()
            by_health = await self._mailboxes.count_by_health()
            stock = None if self._submissions is None else await self._submissions.stock()
        except StorageError as error:
            log.warning("stock_not_taken", error=type(error).__name__)
            return
        self._metrics.entries.set(depth.entries)
        self._metrics.oldest.set(self._since(depth.oldest))
        self._metrics.overdue.set(self._since(depth.oldest_due))
        for health in Health:
            self._metrics.mailboxes.labels(health).set(by_health.get(health, 0))
        if stock is not None:
            for state in UNDER_WAY:
                self._metrics.outgoing.labels(state).set(stock.by_state.get(state, 0))
            self._metrics.outgoing_oldest.set(self._since(stock.oldest_due))

    def _since(self, moment: datetime | None) -> float:
        return 0.0 if moment is None else max(0.0, (self._clock() - moment).total_seconds())


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    _, late = await asyncio.wait(tasks, timeout=1)  # of the ten seconds the whole process has
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise SettingsError(
            sentence="MAILBOX_METRICS names an address that cannot be listened on, or that is in use; choose another one."
        ) from error


def _answer(reason: str | None) -> web.Response:
    return web.Response(text=f"{reason or 'ok'}\n", status=503 if reason else 200)
