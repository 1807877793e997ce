"""How often a mailbox is polled, whatever its settings, its past and chance say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import pace
from bot.mail import providers
from tests.unit.samples import MAILBOX

if TYPE_CHECKING:
    from bot.pace import Pace

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FIVE = timedelta(minutes=5)
PROVIDERS = [None, *providers.load()]
USUAL = pace.bounds(FIVE, None, is_exact=False)

settings_of_operators = st.timedeltas(SECOND, timedelta(days=1))
times = st.timedeltas(timedelta(0), timedelta(days=400))
chances = st.floats(0, 1)
paces = st.builds(pace.bounds, settings_of_operators, st.sampled_from(PROVIDERS), is_exact=st.booleans())


@given(settings_of_operators, st.sampled_from(PROVIDERS))
def test_nobody_is_polled_under_a_floor(setting: timedelta, provider: providers.Provider | None) -> None:
    """Neither the setting, nor a minute, nor what the provider asks for or suggests is gone below."""
    found = pace.bounds(setting, provider, is_exact=False)

    wishes = [provider.min_poll, provider.suggested_poll] if provider else []
    assert found.interval >= max(setting, timedelta(minutes=1), *filter(None, wishes), timedelta(0))
    assert found.longest >= found.interval >= found.floor


def test_a_host_allowed_by_name_keeps_exactly_the_setting() -> None:
    """In the sandbox and in tests the operator's interval counts as it is, however quiet the mailbox."""
    found = pace.bounds(SECOND, None, is_exact=True)

    assert pace.wait(found, timedelta(days=300), timedelta(days=1)) == SECOND
    assert found.floor == timedelta(0)


@given(paces, times, times, st.integers(0, 1000), chances)
def test_the_next_poll_lies_between_the_bounds(
    bounds: Pace, quiet: timedelta, gap: timedelta, failures: int, chance: float
) -> None:
    """Never sooner than the lower bound; never later than six times it and a day, or an hour of backoff."""
    usual = pace.wait(bounds, quiet, gap)

    wait = pace.next_poll(NOW, bounds, usual, failures, chance) - NOW

    upper = max(bounds.interval * (1 + pace.SPREAD), min(pace.LONGEST, bounds.interval * pace.STRETCH))
    backoff = max(bounds.interval * (1 + pace.SPREAD), min(pace.BACKOFF_BOUND, bounds.interval * 12))
    assert bounds.interval <= wait <= (max(upper, backoff) if failures else upper) + SECOND


@given(paces, times, times)
def test_a_mailbox_waits_longer_the_longer_it_is_quiet(
    bounds: Pace, quiet: timedelta, longer: timedelta
) -> None:
    """Two days without mail change nothing; from a week on the upper bound is reached, and never left upwards."""
    waits = [pace.wanted(bounds, each) for each in sorted([quiet, longer])]

    assert waits[0] <= waits[1] <= bounds.longest
    assert pace.wanted(bounds, pace.LIVELY) == bounds.interval
    assert pace.wanted(bounds, pace.QUIET) == bounds.longest


@given(paces, times)
def test_new_mail_brings_a_quiet_mailbox_back_at_once(bounds: Pace, gap: timedelta) -> None:
    """After the poll that found the first new mail the wait is the shortest."""
    assert pace.wait(bounds, timedelta(0), gap) == bounds.interval


@given(paces, times)
def test_an_owner_who_asks_is_looked_after_for_a_while(bounds: Pace, quiet: timedelta) -> None:
    """After a check by hand the wait is the shortest, and from poll to poll it at most doubles."""
    first = pace.wait(bounds, quiet, timedelta(seconds=3))
    second = pace.wait(bounds, quiet, first)

    assert first == bounds.interval or first <= timedelta(seconds=6)
    assert second <= first * 2


@given(paces, times, times, chances)
def test_a_success_ends_the_backoff_at_once(
    bounds: Pace, quiet: timedelta, gap: timedelta, chance: float
) -> None:
    """However long a mailbox failed, after a good poll it waits as if nothing had been."""
    usual = pace.wait(bounds, quiet, gap)

    wait = pace.next_poll(NOW, bounds, usual, 0, chance) - NOW

    assert usual <= wait <= usual * (1 + pace.SPREAD) + SECOND


def test_each_failure_doubles_the_wait_up_to_the_bound() -> None:
    """From five minutes to an hour, and chance has half of it as its room, so that nobody fails in step."""
    ranges = [
        [round((pace.next_poll(NOW, USUAL, FIVE, failures, chance) - NOW) / FIVE, 1) for chance in (0, 1)]
        for failures in range(1, 6)
    ]

    assert ranges == [[1, 2], [2, 4], [4, 8], [6, 12], [6, 12]]


@given(paces, st.timedeltas(timedelta(0), timedelta(days=2)), st.none() | times)
def test_a_check_by_hand_keeps_the_provider_s_minimum(
    bounds: Pace, created: timedelta, polled: timedelta | None
) -> None:
    """From the end of one session to the next the provider's minimum passes, however the last one went."""
    last = NOW - (created if polled is None else polled)
    mailbox = replace(
        MAILBOX, created_at=NOW - created, polled_at=None if polled is None else last, last_success_at=None
    )

    assert pace.earliest(mailbox, bounds, NOW) == max(NOW, last + bounds.floor)


def test_a_clock_put_back_stops_no_mailbox() -> None:
    """A poll that seems to lie in the future says nothing about when the next may come."""
    bounds = pace.bounds(FIVE, None, is_exact=False)
    mailbox = replace(MAILBOX, polled_at=NOW + timedelta(days=300))

    assert pace.earliest(mailbox, replace(bounds, floor=FIVE), NOW) == NOW
    assert pace.wait(bounds, timedelta(days=-300), timedelta(days=-300)) == FIVE


@pytest.mark.parametrize(
    ("polled_at", "due_at", "is_asked"),
    [
        (None, NOW, True),
        (NOW - FIVE / 2, NOW, True),
        (NOW - FIVE, NOW, False),
        (NOW - FIVE * 8, NOW - FIVE, False),
    ],
)
def test_who_is_waited_for_is_known_by_the_time(
    polled_at: datetime | None, due_at: datetime, *, is_asked: bool
) -> None:
    """A mailbox that comes sooner than by itself is new, or its owner asked."""
    assert pace.is_asked_for(replace(MAILBOX, polled_at=polled_at, due_at=due_at), USUAL) is is_asked


@given(st.integers(0, 30_000), settings_of_operators)
def test_what_is_overdue_comes_evenly_and_within_one_interval(count: int, interval: timedelta) -> None:
    """After a restart nobody waits longer than an interval, and no second has more than its share."""
    found = pace.caught_up(NOW, interval, count)

    assert len(found) == count
    assert all(NOW <= due < NOW + interval for due in found)
    share = max(pace.CATCH_UP, count / interval.total_seconds())
    assert max(Counter(int((due - NOW).total_seconds()) for due in found).values(), default=0) <= share + 1


@given(paces, times, st.integers(0, 9))
def test_thousands_that_begin_together_part(bounds: Pace, quiet: timedelta, failures: int) -> None:
    """Mailboxes polled in the same moment come again spread evenly over a tenth of their wait, or more."""
    usual = pace.wanted(bounds, quiet)

    found = [pace.next_poll(NOW, bounds, usual, failures, place / 1_000) for place in range(1_001)]

    assert found[-1] - found[0] >= usual * pace.SPREAD * 0.999
    steps = [later - sooner for sooner, later in pairwise(found)]
    assert max(steps) - min(steps) <= timedelta(microseconds=3)
