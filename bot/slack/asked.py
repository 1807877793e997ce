"""Answers of Slack's that are kept for a while: one question at a time for each thing, and none that Slack forbids.

A question that fails leaves no answer: what was kept before its age ran out is not used instead.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import structlog

from bot.slack.outcomes import NO_RIGHTS, UNREADABLE, CallFailed, Refused, TryLater

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

log = structlog.get_logger(__name__)

Value = TypeVar("Value")

NO_TIME: Final = timedelta(0)
NO_RIGHTS_AGAIN: Final = timedelta(minutes=1)
"""A scope that is missing comes by a new installation, not by asking at every click."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Value]):
    """What Slack said, and when it was asked."""

    value: Value
    asked_at: datetime


class Asked(Generic[Value]):
    """Answers by key, each as old as its age at most, so many at most.

    Args:
        what: the word for the log.
        ask: asks Slack about a key; raises `CallFailed`.
        age: how long an answer counts, from when it was asked for.
        seconds: how long Slack has; there is no answer then.
        most: the answers used longest ago are dropped.
    """

    def __init__(
        self,
        what: str,
        ask: Callable[[str], Awaitable[Value]],
        clock: Callable[[], datetime],
        *,
        age: timedelta,
        seconds: float,
        most: int = 1,
    ) -> None:
        self._what = what
        self._ask = ask
        self._clock = clock
        self._age = age
        self._seconds = seconds
        self._most = most
        self._answers: OrderedDict[str, Answer[Value]] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Answer[Value] | None]] = {}
        self._tasks: set[asyncio.Task[Answer[Value] | None]] = set()
        self._not_before: datetime | None = None
        self._barred: dict[str, datetime] = {}

    def have(self, key: str = "", *, younger: timedelta | None = None) -> Answer[Value] | None:
        """The answer that is here and counts, without asking."""
        found, age = self._answers.get(key), self._age if younger is None else younger
        if found is None or not NO_TIME <= self._clock() - found.asked_at < age:
            return None
        self._answers.move_to_end(key)
        return found

    async def get(self, key: str = "", *, younger: timedelta | None = None) -> Answer[Value] | None:
        """The answer that counts, asked for where there is none; None where Slack gives none.

        All who wait for the same answer wait for the same question.

        Args:
            younger: an answer as old as this is asked for again.
        """
        found = self.have(key, younger=younger)
        if found is not None:
            return found
        task = self._asking.get(key)
        if task is None:
            if not self._may_ask(key):
                return None
            task = self._asking[key] = asyncio.create_task(self._answer(key, self._clock()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    def forget(self, key: str = "") -> None:
        """The answer counts no more, nor does one that is under way for whoever asks from now on."""
        self._answers.pop(key, None)
        self._asking.pop(key, None)

    async def _answer(self, key: str, now: datetime) -> Answer[Value] | None:
        """Ask, and keep the answer unless it was to be forgotten meanwhile."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = Answer(await self._ask(key), now)
        except CallFailed as failed:
            self._wait(key, failed)
            return None
        except (TimeoutError, KeyError, *UNREADABLE) as error:
            log.warning("slack_not_asked", what=self._what, outcome=type(error).__name__)
            return None
        else:
            if self._asking.get(key) is asyncio.current_task():
                self._keep(key, answer)
            return answer
        finally:
            if self._asking.get(key) is asyncio.current_task():
                del self._asking[key]

    def _may_ask(self, key: str) -> bool:
        now = self._clock()
        if self._not_before is not None and now < self._not_before:
            return False
        self._barred = {each: until for each, until in self._barred.items() if now < until}
        return key not in self._barred

    def _wait(self, key: str, failed: CallFailed) -> None:
        """A 429 is about everything that is asked here, a right that is missing perhaps about this alone."""
        outcome = failed.outcome
        log.warning("slack_not_asked", what=self._what, outcome=repr(outcome))
        if isinstance(outcome, TryLater):
            self._not_before = self._clock() + timedelta(seconds=outcome.seconds)
        elif isinstance(outcome, Refused) and outcome.code in NO_RIGHTS and len(self._barred) < self._most:
            self._barred[key] = self._clock() + NO_RIGHTS_AGAIN

    def _keep(self, key: str, answer: Answer[Value]) -> None:
        self._answers[key] = answer
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
