"""A storm over replies: the bot is killed at random, answers after the last dot are lost, the server and Slack fail."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack.faults import Fault
from tests.acceptance.exactly_once.replies import LATE, NOBODY
from tests.fakes.smtp_server import NOT_TAKEN_UNANSWERED, TAKEN, TAKEN_UNANSWERED, Ending

if TYPE_CHECKING:
    from random import Random

    from tests.acceptance.exactly_once.replies import ReplyStage
    from tests.acceptance.exactly_once.verdict import Verdict
    from tests.fakes.smtp_server import Transaction

UNANSWERED: Final = 1 / 3
"""Share of the last dots that get no answer; the server has half of those mails."""

REFUSED: Final = 0.1
LATER: Final = 0.1
"""Shares of the last dots that are refused for good, and for now."""

AT_A_DOT: Final = 0.4
"""Share of the kills that come right after a last dot; the others come anywhere."""

RECORDED_SECONDS: Final = 3.0
"""So long after its answer a mail's end may still not be written down, when the bot is killed."""

LATE_DOT_SECONDS: Final = 1.0
"""So long after a kill the server may still read the last dot of a bot that is dead."""

MOST_UNDO: Final = 1.0
_LONGEST_SECONDS: Final = 3.0
_IDLE_SECONDS: Final = 0.6
_LOOK_SECONDS: Final = 0.01
_STEPS_OF_ONE: Final = 12
"""What the server and Slack are asked for one reply, about."""

_TROUBLES: Final[tuple[tuple[str, Any], ...]] = (
    ("replies", {"EHLO": b""}),
    ("replies", {"AUTH": b"454 4.7.0 later\r\n"}),
    ("replies", {"MAIL": b"451 4.3.0 later\r\n"}),
    ("replies", {"DATA": b""}),
    ("cuts_after", 20),
    ("delays", {".": 0.3}),
    ("delays", {"RCPT": 0.2}),
)
_CALM: Final[dict[str, Any]] = {"replies": {}, "cuts_after": None, "delays": {}}
_FAULTS: Final = (
    Fault("chat.postMessage", "accept_then_drop"),
    Fault("chat.postMessage", "status", status=503),
    Fault("chat.update", "accept_then_drop"),
    Fault("chat.update", "drop"),
    Fault("chat.update", "rate_limited", seconds=1),
    Fault("users.info", "status", status=503),
)


@dataclass(frozen=True)
class Squall:
    """How hard it storms: replies over all mailboxes, kills by `kill -9`."""

    replies: int
    kills: int


class Endings:
    """What the server does after each last dot.

    Attributes:
        doubtful: Message-IDs of mails that nobody can know the end of.
    """

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._dots: list[tuple[float, str]] = []
        self._killed_at = -LATE_DOT_SECONDS
        self.unanswered = 0
        self.doubtful: set[str] = set()
        self.has_dot = asyncio.Event()

    def killed(self) -> None:
        """The bot dies now, whatever it has heard."""
        self._killed_at = asyncio.get_running_loop().time()
        since = self._killed_at - RECORDED_SECONDS
        self.doubtful |= {message_id for time, message_id in self._dots if time > since}

    def __call__(self, mail: Transaction) -> Ending:
        """Of one mail."""
        self.has_dot.set()
        now = asyncio.get_running_loop().time()
        self._dots.append((now, mail.message_id))
        if now - self._killed_at < LATE_DOT_SECONDS:
            self.doubtful.add(mail.message_id)
        drawn = self._chance.random()
        if drawn < UNANSWERED:
            self.unanswered += 1
            self.doubtful.add(mail.message_id)
            return self._chance.choice((TAKEN_UNANSWERED, NOT_TAKEN_UNANSWERED))
        if drawn < UNANSWERED + REFUSED:
            return Ending(b"554 5.6.0 no\r\n", is_kept=False)
        if drawn < UNANSWERED + REFUSED + LATER:
            return Ending(b"451 4.3.0 later\r\n", is_kept=False)
        return TAKEN


async def reply_storm(stage: ReplyStage, squall: Squall, chance: Random) -> tuple[Verdict, Endings]:
    """Write everything under kills and faults, wait until all posts say how it ended, count."""
    await stage.prepare()
    endings = Endings(chance)
    stage.server.ending = endings
    stage.server.recipients[LATE] = b"450 4.2.0 greylisted\r\n"
    parts = squall.kills + 1
    for number in range(parts):
        share = squall.replies * (number + 1) // parts - squall.replies * number // parts
        await stage.write([_wanted(stage, chance) for _ in range(share)])
        life = await stage.begin()
        if number < squall.kills:
            await _live(stage, share, chance)
            if chance.random() < AT_A_DOT:
                await _next_dot(endings)
            endings.killed()
            await life.kill()
            endings.killed()
    _calm(stage)
    await stage.answered()
    await life.stop()
    return stage.judged(endings.doubtful), endings


def _wanted(stage: ReplyStage, chance: Random) -> tuple[int, tuple[str, ...], float]:
    mailbox = chance.randrange(len(stage.people))
    number = len(stage.replies)
    to = [f"ana{number}-{chance.randrange(10**6)}@elsewhere.example"]
    to += [f"bo{number}-{chance.randrange(10**6)}@third.example"] * (chance.random() < 0.4)
    to += [NOBODY] * (chance.random() < 0.1)
    to += [LATE] * (chance.random() < 0.1)
    return mailbox, tuple(to), chance.random() * MOST_UNDO


async def _next_dot(endings: Endings) -> None:
    """Until a mail is with the server and the bot has not written that down, or a while."""
    endings.has_dot.clear()
    with suppress(TimeoutError):
        await asyncio.wait_for(endings.has_dot.wait(), _IDLE_SECONDS)


async def _live(stage: ReplyStage, share: int, chance: Random) -> None:
    """Until the fakes saw a random number of steps, with troubles that come and go."""
    loop = asyncio.get_running_loop()
    wanted = chance.randrange(_STEPS_OF_ONE * max(share, 1) + 60)
    last, since = stage.steps(), loop.time()
    wanted, latest = last + wanted, since + _LONGEST_SECONDS
    while last < wanted and loop.time() < min(since + _IDLE_SECONDS + MOST_UNDO, latest):
        if chance.random() < 0.05:
            _trouble(stage, chance)
        await asyncio.sleep(_LOOK_SECONDS)
        if (now := stage.steps()) != last:
            last, since = now, loop.time()
    await asyncio.sleep(chance.random() * 2 * _LOOK_SECONDS)


def _trouble(stage: ReplyStage, chance: Random) -> None:
    for name, value in _CALM.items():
        setattr(stage.server, name, value)
    if chance.random() < 0.5:
        setattr(stage.server, *chance.choice(_TROUBLES))
    if len(stage.slack.sandbox.faults.shown()) < 3 and chance.random() < 0.5:
        kind = chance.choice(_FAULTS)
        stage.slack.sandbox.faults.add(
            Fault(kind.method, kind.kind, 1, kind.seconds, kind.error, kind.status)
        )


def _calm(stage: ReplyStage) -> None:
    for name, value in _CALM.items():
        setattr(stage.server, name, value)
    del stage.server.recipients[LATE]
    stage.slack.sandbox.faults.clear()
