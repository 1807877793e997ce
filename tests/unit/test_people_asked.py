"""Answers of Slack's are kept for their age, asked for once at a time, and not used when they are too old."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.slack.asked import Asked
from bot.slack.outcomes import CallFailed, Refused, TryLater, Unknown

AGE = timedelta(seconds=60)
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Source:
    """Somebody to ask: numbers its answers, fails when told so, and takes its time."""

    def __init__(self) -> None:
        self.now = NOW
        self.asked: list[str] = []
        self.failures: list[Exception] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, key: str) -> str:
        """The next answer."""
        self.asked.append(key)
        number = len(self.asked)
        await self.may_answer.wait()
        if self.failures:
            raise self.failures.pop(0)
        return f"{key}-{number}"

    def kept(self, most: int = 3, seconds: float = 5) -> Asked[str]:
        """What keeps the answers."""
        return Asked("thing", self, lambda: self.now, age=AGE, seconds=seconds, most=most)


async def value(kept: Asked[str], key: str = "a", younger: timedelta | None = None) -> str | None:
    """The answer's value."""
    found = await kept.get(key, younger=younger)
    return None if found is None else found.value


@pytest.fixture
async def source() -> Source:
    """Answers at once."""
    return Source()


async def test_an_answer_counts_for_its_age(source: Source) -> None:
    """To the second, and by when it was asked for."""
    kept = source.kept()

    assert await value(kept) == "a-1"
    source.now = NOW + AGE - timedelta(seconds=1)
    assert await value(kept) == "a-1"
    source.now = NOW + AGE
    assert await value(kept) == "a-2"


async def test_a_clock_that_was_set_back_makes_no_answer_younger(source: Source) -> None:
    """It is asked for again."""
    kept = source.kept()
    await value(kept)

    source.now = NOW - timedelta(seconds=1)

    assert await value(kept) == "a-2"


async def test_a_fresh_answer_is_some_seconds_old_at_most(source: Source) -> None:
    """Whoever can wait for no change asks again, but not at every breath."""
    kept, fresh = source.kept(), timedelta(seconds=5)
    await value(kept)

    source.now = NOW + timedelta(seconds=4)
    soon = await value(kept, younger=fresh)
    source.now = NOW + timedelta(seconds=5)
    later = await value(kept, younger=fresh)

    assert (soon, later) == ("a-1", "a-2")
    assert await value(kept) == "a-2"


async def test_many_wait_for_one_question(source: Source) -> None:
    """One for each thing, however many ask about it."""
    kept = source.kept()
    source.may_answer.clear()
    waiters = [asyncio.create_task(value(kept, key)) for key in ("a", "b") * 50]
    await asyncio.sleep(0)
    source.may_answer.set()

    assert set(await asyncio.gather(*waiters)) == {"a-1", "b-2"}
    assert source.asked == ["a", "b"]


async def test_whoever_gives_up_waiting_stops_nobody_else(source: Source) -> None:
    """The question goes on for the others."""
    kept = source.kept()
    source.may_answer.clear()
    first, second = asyncio.create_task(value(kept)), asyncio.create_task(value(kept))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    source.may_answer.set()

    assert await second == "a-1"
    assert source.asked == ["a"]


async def test_what_is_forgotten_is_asked_again(source: Source) -> None:
    """And nothing else is."""
    kept = source.kept()
    await value(kept, "a")
    await value(kept, "b")

    kept.forget("a")

    assert await value(kept, "a") == "a-3"
    assert await value(kept, "b") == "b-2"


async def test_an_answer_under_way_when_it_was_forgotten_is_not_kept(source: Source) -> None:
    """It may be from before the change; whoever asks after the change gets one from after it."""
    kept = source.kept()
    source.may_answer.clear()
    before = asyncio.create_task(value(kept))
    await asyncio.sleep(0)
    kept.forget("a")
    after = asyncio.create_task(value(kept))
    await asyncio.sleep(0)
    source.may_answer.set()

    assert (await before, await after) == ("a-1", "a-2")
    assert await value(kept) == "a-2"


@pytest.mark.parametrize(
    "failure",
    [
        CallFailed(Unknown("http_500")),
        CallFailed(Refused("some_error")),
        TimeoutError(),
        KeyError("user"),
        TypeError(),
    ],
)
async def test_no_answer_leaves_none_and_not_the_old_one(source: Source, failure: Exception) -> None:
    """What was known counts no more; the next question goes out again."""
    kept = source.kept()
    await value(kept)
    source.now = NOW + AGE
    source.failures = [failure]

    assert await value(kept) is None
    assert await value(kept) == "a-3"


async def test_within_its_age_an_answer_needs_nobody_to_ask(source: Source) -> None:
    """Slack may be away that long."""
    kept = source.kept()
    await value(kept)
    source.failures = [CallFailed(Unknown("http_500"))]

    assert await value(kept) == "a-1"
    assert await value(kept, younger=timedelta(0)) is None


async def test_a_silent_slack_has_its_deadline(source: Source) -> None:
    """All who wait go on without an answer."""
    kept = source.kept(seconds=0.01)
    source.may_answer.clear()

    assert list(await asyncio.gather(value(kept), value(kept))) == [None, None]
    source.may_answer.set()
    assert await value(kept) == "a-2"


async def test_nothing_is_asked_before_slack_allows_it(source: Source) -> None:
    """After a 429, for as long as it says, whatever the thing."""
    kept = source.kept()
    source.failures = [CallFailed(TryLater(30))]

    assert await value(kept) is None
    source.now = NOW + timedelta(seconds=29)
    assert await value(kept, "b") is None
    assert source.asked == ["a"]
    source.now = NOW + timedelta(seconds=30)
    assert await value(kept, "b") == "b-2"


@pytest.mark.parametrize("code", ["missing_scope", "invalid_auth"])
async def test_a_right_that_is_missing_is_not_asked_for_at_every_click(source: Source, code: str) -> None:
    """Once a minute for each thing; other things may be allowed."""
    kept = source.kept()
    source.failures = [CallFailed(Refused(code))]

    assert await value(kept) is None
    source.now = NOW + timedelta(seconds=59)
    assert await value(kept) is None
    assert await value(kept, "b") == "b-2"
    source.now = NOW + timedelta(seconds=60)
    assert await value(kept) == "a-3"


async def test_only_so_many_answers_are_kept(source: Source) -> None:
    """Those used longest ago go first."""
    kept = source.kept(most=2)
    await value(kept, "a")
    await value(kept, "b")
    await value(kept, "a")
    await value(kept, "c")

    assert [await value(kept, key) for key in ("a", "c")] == ["a-1", "c-3"]
    assert await value(kept, "b") == "b-4"
