"""The runner goes on whatever the local clock does, and whatever a poll fails on."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bot.runner import ASLEEP, FARTHEST, HELD_BACK, Runner, Sweep
from tests.fakes.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Nothing:
    """Stores with little due and a poller that fails; counts how often they were asked."""

    is_silent = False
    waiting = 0

    def __init__(self, *due: Any) -> None:
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.due = list(due)
        self.held: list[datetime] = []
        self.spreads = 0
        self.farthest: list[timedelta] = []

    async def release(self, worker: str) -> None:
        """Nobody died."""

    async def release_worker(self, worker: str) -> None:
        """The same."""

    async def tell_progress(self) -> None:
        """Nothing is on its way."""

    async def refresh(self) -> None:
        """Nobody's time zone is asked for."""

    async def finish(self, *, is_start: bool = False) -> int:
        """Nothing was left half erased."""
        return 0

    async def spread(self, now: datetime, farthest: datetime, *_: Any) -> int:
        """Nothing was left."""
        self.spreads += 1
        self.farthest.append(farthest - now)
        return 0

    async def claim_due(self, *_: Any, **__: Any) -> list[Any]:
        """What is due, once."""
        self.asked += 1
        self.was_asked.set()
        due, self.due = self.due, []
        return due

    async def renew(self, claim: Any, until: datetime) -> None:
        """How long a claim is held."""
        self.held.append(until)

    async def poll(self, claim: Any) -> bool:
        """Fails in a way that nobody thought of."""
        raise RuntimeError


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process's local time is UTC, and is what it was afterwards."""
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def running_on(
    mailboxes: Any,
    rest: Any,
    stopping: asyncio.Event,
    clock: Clock | None = None,
    sweeps: Sequence[Sweep] = (),
) -> Runner:
    """A runner on these."""
    return Runner(
        mailboxes=mailboxes,
        messages=rest,
        outbox=rest,
        holdings=rest,
        attempts=rest,
        poller=mailboxes,
        deliverer=rest,
        conversations=rest,
        zones=rest,
        worker="w",
        interval=timedelta(minutes=5),
        clock=clock or Clock(),
        stopping=stopping,
        sweeps=sweeps,
    )


async def test_a_nudge_looks_for_what_is_urgent_at_once() -> None:
    """Long before its time; what is not urgent waits for its turn."""
    looked, stopping = asyncio.Queue[str](), asyncio.Event()
    sweeps = [
        Sweep("urgent", 1_000, lambda: looked.put("urgent"), is_urgent=True),
        Sweep("patient", 1_000, lambda: looked.put("patient")),
    ]
    runner = running_on(Nothing(), Nothing(), stopping, sweeps=sweeps)
    running = asyncio.create_task(runner.run())

    runner.nudge()
    async with asyncio.timeout(30):
        assert await looked.get() == "urgent"
    stopping.set()
    await running

    assert looked.empty()


async def test_the_end_waits_for_what_a_sweep_began() -> None:
    """A mail that is with its server gets its answer before the process leaves."""
    stopping, ended = asyncio.Event(), asyncio.Event()

    async def answer() -> None:
        await stopping.wait()
        await asyncio.sleep(0)
        ended.set()

    tasks = [asyncio.create_task(answer())]
    sweep = Sweep("sending", 1_000, asyncio.Event().wait, running=lambda: tasks)  # type: ignore[arg-type] # what it gives is not looked at
    running = asyncio.create_task(running_on(Nothing(), Nothing(), stopping, sweeps=[sweep]).run())
    await asyncio.sleep(0)
    stopping.set()
    await running

    assert ended.is_set()


async def test_a_poll_that_fails_on_our_side_is_not_repeated_at_once() -> None:
    """Its lease goes on for a minute, so that the mail server is not asked every few seconds."""
    mailbox: Any = SimpleNamespace(id="m")
    store, stopping = Nothing(SimpleNamespace(mailbox=mailbox)), asyncio.Event()
    running = asyncio.create_task(running_on(store, Nothing(), stopping).run())
    began = datetime.now(UTC)

    await store.was_asked.wait()
    stopping.set()
    await running

    assert [until >= began + HELD_BACK for until in store.held] == [True]


async def test_the_end_of_summer_time_stops_nothing(utc: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local clock goes back by three hours: what is due is looked for within seconds all the same."""
    nothing, stopping = Nothing(), asyncio.Event()
    runner = running_on(nothing, Nothing(), stopping)
    running = asyncio.create_task(runner.run())
    await nothing.was_asked.wait()

    monkeypatch.setenv("TZ", "XXX3")
    time.tzset()
    asked = nothing.asked
    async with asyncio.timeout(30):
        while nothing.asked < asked + 4:
            nothing.was_asked.clear()
            await nothing.was_asked.wait()

    stopping.set()
    await running


async def test_after_a_start_and_after_a_sleep_what_is_overdue_is_spread() -> None:
    """A machine that was asleep does not ask for everything at once when it wakes; a second later is no sleep."""
    store, stopping, clock = Nothing(), asyncio.Event(), Clock()
    running = asyncio.create_task(running_on(store, Nothing(), stopping, clock).run())

    async def ticks(number: int) -> None:
        asked = store.asked
        async with asyncio.timeout(30):
            while store.asked < asked + number:
                store.was_asked.clear()
                await store.was_asked.wait()

    await ticks(2)
    first = store.spreads
    clock.ahead += 2 * ASLEEP
    await ticks(2)
    clock.ahead -= timedelta(hours=20)
    await ticks(2)

    stopping.set()
    await running
    assert (first, store.spreads) == (1, 3)
    assert store.farthest[:2] == [FARTHEST, FARTHEST]
    # What was planned by the clock that stood twenty hours ahead is overdue, and does not wait for them.
    assert timedelta(hours=19) < store.farthest[2] <= timedelta(hours=20)
