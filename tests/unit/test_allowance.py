"""Calls of one method keep within what Slack allows."""

from __future__ import annotations

import math
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


def test_what_slack_counts_by_the_minute_is_called_at_once_again_when_its_minute_is_over() -> None:
    """Whoever may make so many calls in any sixty seconds waits once for a second burst, not for one call after the other."""
    accepted: list[float] = []
    allowance, at = Allowance(), 0.0
    while len(accepted) < 4 * TIER_THREE and at < 300:
        recent = [time for time in accepted if at - time < 60]
        if not allowance.take(after(at)):
            at += 0.05
        elif len(recent) < TIER_THREE:
            accepted.append(at)
        else:
            allowance.hold(after(at), math.ceil(60 - (at - recent[0])))

    assert accepted[-1] < 186
    assert accepted[2 * TIER_THREE - 1] < 62


def test_what_is_not_counted_by_the_minute_is_tried_so_once() -> None:
    """Where Slack frees one call after the other, a burst that it refused is not tried again a minute later."""
    allowance, left, at, refusals = Allowance(), float(TIER_THREE) - 5, 0.0, list[float]()
    while at < 300:
        if not allowance.take(after(at)):
            at += 0.05
            left = min(TIER_THREE, left + 0.05 * TIER_THREE / 60)
        elif left >= 1:
            left -= 1
        else:
            refusals.append(at)
            allowance.hold(after(at), math.ceil((1 - left) * 60 / TIER_THREE))

    assert refusals
    assert len(refusals) < 12


def test_short_rests_are_followed_by_no_burst() -> None:
    """Where Slack takes one call a second, what it took a moment ago is not free again."""
    allowance, refused, last = Allowance(), 0, -1.0
    for at in [tick / 20 for tick in range(20 * 50)]:
        while allowance.take(after(at)):
            if at - last >= 1:
                last = at
            else:
                refused += 1
                allowance.hold(after(at), 1)

    assert refused < 5


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
