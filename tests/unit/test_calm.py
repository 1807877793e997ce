"""When a mailbox may post."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.calm import DAILY_SPREAD, chosen, held, is_zone, quiet_until, slot, still_held, zone_of
from storage.delivery import Calm, Chosen, Delivery, Held
from tests.unit.samples import MAILBOX

BERLIN: Final = "Europe/Berlin"
ZONES: Final = [
    BERLIN,
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Antarctica/Troll",  # two hours of it
    "Pacific/Apia",  # left out a whole day
    "UTC",
]
NIGHT: Final = Calm(quiet_from=22, quiet_to=7)
MINUTE: Final = timedelta(minutes=1)

hours = st.integers(0, 23)
moments = st.integers(1_322_697_600, 1_830_297_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""From December 2011, when Samoa left out a day, to the end of 2027."""

calms = st.builds(Calm, st.sampled_from(Delivery), hours, st.none() | hours, st.none() | hours)


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def is_quiet(calm: Calm, moment: datetime, zone: str) -> bool:
    """Whether the clock on the wall stands in the quiet hours, told in another way than the code does."""
    if calm.quiet_from is None or calm.quiet_to is None:
        return False
    span = (calm.quiet_to - calm.quiet_from) % 24
    wall = moment.astimezone(ZoneInfo(zone))
    return (wall.hour - calm.quiet_from) % 24 < span


@given(calm=calms, zone=st.sampled_from(ZONES), now=moments, name=st.text(max_size=5))
def test_nothing_is_held_in_vain_or_let_go_too_early(calm: Calm, zone: str, now: datetime, name: str) -> None:
    """What is held comes later than now, not in quiet hours, and at the first moment after its turn that is not."""
    until = held(calm, zone, name, now).mail
    turn = slot(calm, zone_of(zone), name, now)

    assert turn >= now
    assert until is None or until > now
    end = until or now
    assert end >= turn
    assert not is_quiet(calm, end, zone)
    steps = int((end - turn) / MINUTE)
    assert steps <= 48 * 60
    assert all(is_quiet(calm, turn + MINUTE * step, zone) for step in range(0, steps, 7))


@given(calm=calms, zone=st.sampled_from(ZONES), now=moments)
def test_a_digest_is_never_far(calm: Calm, zone: str, now: datetime) -> None:
    """The next hourly one is at most an hour away, the next daily one a day and the hours a clock is set."""
    turn = slot(calm, zone_of(zone), "m", now)

    longest = {Delivery.EACH: 0, Delivery.HOURLY: 1, Delivery.DAILY: 51}[calm.delivery]
    assert turn - now <= timedelta(hours=longest, seconds=1)
    assert (turn == now) == (calm.delivery is Delivery.EACH)


@given(calm=calms, zone=st.sampled_from(ZONES), now=moments)
def test_notices_wait_for_quiet_hours_only(calm: Calm, zone: str, now: datetime) -> None:
    """A digest holds no notice; quiet hours hold it as they would a single message."""
    each = Calm(quiet_from=calm.quiet_from, quiet_to=calm.quiet_to)

    assert held(calm, zone, "m", now).notices == held(each, zone, "m", now).mail


@given(hour=hours, zone=st.sampled_from(ZONES), now=moments, delivery=st.sampled_from(Delivery))
def test_from_a_time_until_the_same_means_no_quiet_hours(
    hour: int, zone: str, now: datetime, delivery: Delivery
) -> None:
    """And not a whole day of them."""
    calm = Calm(delivery, 8, hour, hour)

    assert held(calm, zone, "m", now) == held(Calm(delivery, 8), zone, "m", now)
    assert not calm.has_quiet


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23T20:59", None),
        ("2026-11-23T21:00", "2026-11-24T06:00"),  # 22:00 in Berlin
        ("2026-11-24T05:59", "2026-11-24T06:00"),
        ("2026-11-24T06:00", None),
        ("2027-03-27T22:00", "2027-03-28T05:00"),  # the night that summer time begins is an hour shorter
        ("2026-10-24T21:00", "2026-10-25T06:00"),  # and the one in which it ends an hour longer
    ],
)
def test_quiet_hours_over_midnight(now: str, until: str | None) -> None:
    """From ten in the evening until seven in the morning, by the owner's own clock."""
    assert held(NIGHT, BERLIN, "m", at(now)).mail == (until and at(until))


@pytest.mark.parametrize(
    ("calm", "now", "until"),
    [
        (Calm(quiet_from=22, quiet_to=2), "2027-03-28T00:30", "2027-03-28T01:00"),  # two o'clock is left out
        (Calm(quiet_from=22, quiet_to=2), "2026-10-24T23:30", "2026-10-25T00:00"),  # and here it comes twice
        (Calm(quiet_from=2, quiet_to=3), "2026-10-25T00:30", "2026-10-25T02:00"),  # both hours are quiet
        (Calm(quiet_from=2, quiet_to=3), "2026-10-25T01:30", "2026-10-25T02:00"),
        (Calm(Delivery.DAILY, 2), "2027-03-28T00:30", "2027-03-28T01:00"),
        (Calm(Delivery.DAILY, 2), "2026-10-24T23:30", "2026-10-25T00:00"),
        (Calm(Delivery.DAILY, 2), "2026-10-25T00:30", "2026-10-26T01:00"),  # once that day
        (Calm(Delivery.DAILY, 6, 22, 7), "2026-11-23T12:00", "2026-11-24T06:00"),  # quiet hours go before
    ],
)
def test_hours_that_are_left_out_or_come_twice(calm: Calm, now: str, until: str) -> None:
    """A digest comes once on each of these days, and quiet hours end when the clock first says so."""
    due = held(calm, BERLIN, "m", at(now)).mail

    assert due is not None
    assert timedelta(0) <= due - at(until) <= timedelta(seconds=DAILY_SPREAD)


def test_hourly_digests_spread_over_the_hour() -> None:
    """A thousand mailboxes fire at hundreds of moments, each at the same one every hour."""
    calm, now = Calm(Delivery.HOURLY), at("2026-11-23T09:30")
    turns = {held(calm, None, str(number), now).mail for number in range(1000)}
    first = held(calm, None, "m", now).mail

    assert len(turns) > 500
    assert first is not None
    assert held(calm, None, "m", first).mail == first + timedelta(hours=1)


def test_daily_digests_come_soon_after_their_hour() -> None:
    """Spread over five minutes."""
    turns = {
        held(Calm(Delivery.DAILY, 8), BERLIN, str(number), at("2026-11-23T00:00")).mail
        for number in range(500)
    }

    assert all(
        turn and timedelta(0) <= turn - at("2026-11-23T07:00") < timedelta(minutes=5) for turn in turns
    )
    assert len(turns) > 100


@pytest.mark.parametrize("zone", [None, "", "Nowhere/Land", "../etc/passwd", "/etc/passwd", "Europe"])
def test_an_unknown_zone_is_utc(zone: str | None) -> None:
    """Whatever Slack calls it, mail is posted."""
    assert held(NIGHT, zone, "m", at("2026-11-23T23:00")).mail == at("2026-11-24T07:00")
    assert not is_zone(zone or "")


def test_a_paused_mailbox_waits_for_quiet_hours_only() -> None:
    """Its digest is complete, since nothing more is fetched."""
    paused = replace(MAILBOX, calm=Calm(Delivery.DAILY, 8, 22, 7), zone=BERLIN, is_paused=True)
    until = at("2026-11-24T06:00")

    assert still_held(paused, at("2026-11-23T12:00")) == Held()
    assert still_held(paused, at("2026-11-23T23:00")) == Held(until, until)


def test_new_settings_say_what_becomes_of_what_is_held() -> None:
    """By the zone that Slack has just told, else by the one known; settings that stay change nothing."""
    mailbox = replace(MAILBOX, calm=NIGHT, zone=BERLIN)
    night = at("2026-11-23T23:00")
    tokyo = Held(*[at("2026-11-24T03:00")] * 2)

    assert chosen(mailbox, None, None, night) is None
    assert chosen(mailbox, Calm(), None, night) == Chosen(Calm(), None, Held())
    assert chosen(mailbox, Calm(quiet_from=7, quiet_to=12), "Asia/Tokyo", night) == Chosen(
        Calm(quiet_from=7, quiet_to=12), "Asia/Tokyo", tokyo
    )


def test_the_last_moment_of_quiet_hours_is_quiet() -> None:
    """Down to the microsecond."""
    last = datetime.combine(at("2026-11-24T00:00"), time(5, 59, 59, 999_999), UTC)

    assert quiet_until(NIGHT, ZoneInfo(BERLIN), last) == at("2026-11-24T06:00")
