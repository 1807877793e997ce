"""Each safeguard in turn is switched off: what it prevents must then happen, and be counted.

The same events with the safeguard on leave every promise kept; so the checker sees, and the safeguard is what helps.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.slack.faults import Fault
from tests.acceptance.exactly_once.crashing_bot import CRASHED, Orders
from tests.acceptance.exactly_once.stage import GRACE_SECONDS, Stage
from tests.fakes.processes import IS_TOLD, Process

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = [pytest.mark.timeout(90), pytest.mark.skipif(not IS_TOLD, reason="Linux tells of processes")]


async def crash_after_the_post(stage: Stage, without: str | None) -> None:
    """Slack has the post, the bot dies before it has written that down."""
    stage.send(0)
    first = await stage.begin(Orders(crash=("before", "Outbox.record/settled", 1), without=without))
    assert await first.wait() == CRASHED
    stage.interruptions.crashes += 1
    second = await stage.begin(Orders(without=without))
    await stage.settled()
    await second.stop()


async def post_that_lands_late(stage: Stage, without: str | None) -> None:
    """The connection breaks, and only then Slack does what it was asked."""
    stage.slack.sandbox.faults.add(Fault("chat.postMessage", "late", seconds=GRACE_SECONDS / 2))
    stage.interruptions.unanswered += 1
    stage.send(0)
    life = await stage.begin(Orders(without=without))
    await stage.settled()
    await life.stop()


async def worker_that_sleeps(stage: Stage, without: str | None) -> None:
    """One worker stands still before it writes its intent; another takes over; then the first one goes on."""
    stage.send(0)
    orders = Orders(
        stop=("before", "Outbox.record/posting", 1), without=without, lease_seconds=1.5, beat_seconds=0.5
    )
    sleeper = await stage.begin(orders)
    await until_stopped(sleeper.pid)
    other = await stage.begin(Orders(lease_seconds=1.5, beat_seconds=0.5), MAILBOX_DATA_DIR="other")
    await stage.posted()  # the sleeper may hold the maildrop, so that nobody deletes before it goes on
    sleeper.send_signal(signal.SIGCONT)
    await stage.settled()
    await sleeper.stop()
    await other.stop()


async def until_stopped(pid: int) -> None:
    """Returns when the process stands still."""
    async with asyncio.timeout(30):
        while Process(pid).state != "T":  # noqa: ASYNC110 - a stopped process calls nobody
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("events", "switches"),
    [
        (crash_after_the_post, ("intent", "reconcile")),
        (post_that_lands_late, ("grace",)),
        (worker_that_sleeps, ("fencing",)),
    ],
)
async def test_a_safeguard_that_is_off_is_noticed(
    events: Callable[[Stage, str | None], Awaitable[None]], switches: tuple[str, ...]
) -> None:
    """With it, the message comes once; without it, twice, and the verdict says so."""
    async with AsyncExitStack() as stack:
        guarded, *bare = [await stack.enter_async_context(Stage(1)) for _ in (None, *switches)]
        await asyncio.gather(events(guarded, None), *map(events, bare, switches))
        kept, broken = guarded.verdict(), [stage.verdict() for stage in bare]

    assert not kept.broken, str(kept)
    assert all("twice" in verdict.broken for verdict in broken), "\n\n".join(map(str, broken))
