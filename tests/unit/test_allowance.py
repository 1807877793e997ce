"""Calls of one method keep within what Slack allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.allowance import TIER_THREE, Allowance

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """A time of the test."""
    return NOW + timedelta(seconds=seconds)


def taken(allowance: Allowance, now: datetime) -> int:
    """How many calls may be made at once."""
    count = 0
    while allowance.take(now):
        count += 1
    return count


def test_a_minutes_worth_may_be_called_at_once() -> None:
    """Then one after the other, as time passes."""
    allowance = Allowance()

    assert taken(allowance, NOW) == TIER_THREE
    assert allowance.seconds(NOW) == 60 / TIER_THREE
    assert not allowance.take(after(1.1))
    assert allowance.take(after(1.3))


def test_nothing_is_called_before_the_time_that_slack_names() -> None:
    """After a 429 one call follows when its time is over, not a burst."""
    allowance = Allowance()
    assert allowance.take(NOW)

    allowance.hold(NOW, 30)

    assert allowance.left(after(29.9)) == 0
    assert taken(allowance, after(30.1)) == 1


def test_the_longest_of_several_words_counts() -> None:
    """Calls that were under way together come back with times of their own."""
    allowance = Allowance()

    allowance.hold(NOW, 30)
    allowance.hold(NOW, 2)

    assert not allowance.take(after(29))


def test_a_clock_that_goes_back_allows_nothing_more() -> None:
    """No call is won by the end of summer time."""
    allowance = Allowance()
    assert taken(allowance, NOW) == TIER_THREE

    assert taken(allowance, after(-3600)) == 0
    assert taken(allowance, after(-3598)) == 1


@settings(max_examples=50)
@given(st.lists(st.floats(0, 20), min_size=1, max_size=40))
def test_no_minute_holds_more_than_two_minutes_worth(steps: list[float]) -> None:
    """Whenever it is asked: a burst and a minute's refill at most."""
    allowance, at, times = Allowance(), 0.0, []
    for step in steps:
        at += step
        times += [at] * taken(allowance, after(at))

    for begin in times:
        assert sum(begin <= time < begin + 60 for time in times) <= 2 * TIER_THREE
