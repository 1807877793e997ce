"""A storm: mail comes in, the bot is killed at random, Slack and the way to the mail servers fail in every manner."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack.faults import Fault
from tests.acceptance.exactly_once.stage import GRACE_SECONDS, Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.acceptance.exactly_once.verdict import Verdict

CUTS: Final = 0.12
"""Share of the connections to the mail servers that break."""

ACTS: Final = 3
"""A message is fetched, posted and deleted."""

FAULTY: Final = 0.6
"""Share of the steps of a life in which Slack is about to fail."""

STILLBORN: Final = 0.1
"""Share of the lives that end while the bot is still starting."""

_START_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 4.0
_IDLE_SECONDS: Final = 0.5
_STEPS: Final = 5
_LOOK_SECONDS: Final = 0.01
_POST: Final = "chat.postMessage"
_SHARE: Final = "files.completeUploadExternal"
_HISTORY: Final = "conversations.history"
_REPLIES: Final = "conversations.replies"
_WAITS: Final = GRACE_SECONDS * 0.75
"""Longer than the bot waits for an answer."""

_LATE: Final = GRACE_SECONDS / 2
"""As late as a request in flight can take effect."""

FAULTS: Final = (
    Fault(_POST, "accept_then_drop"),
    Fault(_POST, "accept_then_status", status=502),
    Fault(_POST, "accept_then_wait", seconds=_WAITS),
    Fault(_POST, "late", seconds=_LATE),
    Fault(_POST, "drop"),
    Fault(_POST, "status", status=503),
    Fault(_POST, "error", error="internal_error"),
    Fault(_POST, "rate_limited", seconds=1),
    Fault(_SHARE, "accept_then_drop"),
    Fault(_SHARE, "status", status=500),
    Fault(_SHARE, "rate_limited", seconds=1),
    Fault(_HISTORY, "status", status=503),
    Fault(_HISTORY, "rate_limited", seconds=1),
    Fault(_REPLIES, "status", status=503),
)


@dataclass(frozen=True)
class Weather:
    """How hard it storms.

    Attributes:
        messages: over all mailboxes.
        kills: of the bot, by `kill -9`.
        restarts: of the database, as often as it crashes.
        restart: crashes the database and starts it again; blocks.
    """

    messages: int
    kills: int
    restarts: int = 0
    restart: Callable[[], None] | None = None


async def storm(stage: Stage, weather: Weather, chance: Random) -> Verdict:
    """Send everything under kills and faults, wait until all is settled, count.

    A life ends after a random number of acts that the fakes saw, wherever the bot then is: so the kills fall into
    work on a slow machine and on a fast one.
    """
    shares = _shares(weather.messages, weather.kills + 1)
    restarts = set(chance.sample(range(1, weather.kills), weather.restarts))
    for number, share in enumerate(shares):
        life = await stage.begin()
        await _live(stage, share, chance)
        if number in restarts:
            assert weather.restart is not None
            await asyncio.to_thread(weather.restart)
            stage.interruptions.crashes += 1
            await _acts(stage, chance.randrange(ACTS * share), chance)
        if number < weather.kills:
            await life.kill()
            stage.interruptions.crashes += 1
    _calm_slack(stage)
    await stage.settled()
    await life.stop()
    return stage.verdict()


def _shares(total: int, parts: int) -> list[int]:
    return [total * (part + 1) // parts - total * part // parts for part in range(parts)]


async def _live(stage: Stage, messages: int, chance: Random) -> None:
    """Mail and faults, some at a time, while the bot acts."""
    acts = chance.randrange(2 * ACTS * messages)
    is_stillborn = chance.random() < STILLBORN
    for step in _shares(messages, _STEPS):
        for _ in range(step):
            stage.send(chance.randrange(len(stage.people)))
        _order_fault(stage, chance)
        if not is_stillborn:
            await _acts(stage, acts // _STEPS, chance)
    if is_stillborn:
        await asyncio.sleep(chance.random() * _START_SECONDS)


async def _acts(stage: Stage, count: int, chance: Random) -> None:
    """Until the fakes saw so many more acts and a moment more, or see none any more."""
    loop = asyncio.get_running_loop()
    last, since = stage.acts(), loop.time()
    wanted, latest = last + count, since + _LONGEST_SECONDS
    while last < wanted and loop.time() < min(since + _IDLE_SECONDS, latest):
        await asyncio.sleep(_LOOK_SECONDS)
        if (now := stage.acts()) != last:
            last, since = now, loop.time()
    await asyncio.sleep(chance.random() * 2 * _LOOK_SECONDS)


def _order_fault(stage: Stage, chance: Random) -> None:
    faults = stage.slack.sandbox.faults
    if len(faults.shown()) > 3 or chance.random() > FAULTY:
        return
    kind = chance.choice(FAULTS)
    faults.add(Fault(kind.method, kind.kind, 1, kind.seconds, kind.error, kind.status))
    stage.interruptions.unanswered += _leaves_unanswered(kind.method, kind.kind)


def _calm_slack(stage: Stage) -> None:
    """Take back the faults that nobody met."""
    faults = stage.slack.sandbox.faults
    stage.interruptions.unanswered -= sum(
        _leaves_unanswered(fault["method"], fault["kind"]) for fault in faults.shown()
    )
    faults.clear()


def _leaves_unanswered(method: str, kind: str) -> bool:
    return method in {_POST, _SHARE} and kind != "rate_limited"
