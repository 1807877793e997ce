"""What of the old mail comes at once, what in pieces, and how long that takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import backlog, plan
from bot.pace import Pace
from bot.slack.old_mail import about, progress
from storage.records import Bringing, Person, Seen, SeenState
from tests.unit.planned import session_plan
from tests.unit.samples import HOME, MAILBOX

MINUTE = timedelta(minutes=1)
BRINGING = Bringing("e1", MAILBOX.id, Person("T1", "U1"), 312, 40, 272, False, "D1", "1.1", 3)


def lines(count: int) -> tuple[plan.Listed, ...]:
    """A listing of so many."""
    return plan.keyed([(number, b"u%d" % number) for number in range(1, count + 1)])


@pytest.mark.parametrize(("count", "skipped", "pieces"), [(20, 0, 0), (21, 0, 21), (60, 40, 0), (60, 10, 50)])
def test_a_few_old_messages_come_at_once(count: int, skipped: int, pieces: int) -> None:
    """Up to twenty are posts like any other; more of them come in pieces, all that are wanted."""
    listed = lines(count)
    skip = tuple(line.key for line in listed[:skipped])

    found = backlog.in_pieces(listed, skip)

    assert len(found) == pieces
    assert not {*found} & {*skip}


@pytest.mark.parametrize(
    ("interval", "floor", "rest"), [(5, 0, 3), (1, 0, 1), (10, 10, 10), (60, 15, 15), (2, 1, 2)]
)
def test_the_rest_is_as_short_as_the_provider_allows(interval: int, floor: int, rest: int) -> None:
    """Never under its floor, else three minutes or the interval, whichever is shorter."""
    pace = Pace(MINUTE * interval, MINUTE * interval * 6, MINUTE * floor)

    assert backlog.rest(pace) == MINUTE * rest


@given(st.integers(0, 100_000), st.integers(0, 3_600))
def test_more_takes_longer(count: int, seconds: int) -> None:
    """One message more never takes less, and none takes no time."""
    pause = timedelta(seconds=seconds)

    assert backlog.takes(0, pause) == timedelta(0)
    assert backlog.takes(count, pause) <= backlog.takes(count + 1, pause)


def test_old_mail_is_planned_behind_new_mail() -> None:
    """New messages first, then a batch of old ones; the rest makes the next poll list everything."""
    listed = lines(plan.OLD_BATCH + 3)
    seen = {line.key: Seen(SeenState.OLD, 0, is_settled=False) for line in listed[:-1]}
    gone = {b"gone": Seen(SeenState.OLD, 0, is_settled=False)}

    todo = session_plan(listed, {**seen, **gone})

    assert todo.fetch[0] == listed[-1]
    assert todo.fetch[1:] == tuple(listed[: plan.OLD_BATCH])
    assert (todo.old_left, todo.old_missing, todo.tail) == (2, 1, None)


def test_the_last_of_the_old_mail_lets_the_tail_stand_again() -> None:
    """Nothing is left, so two UIDs may stand for the listing next time."""
    listed = lines(2)

    todo = session_plan(listed, {listed[0].key: Seen(SeenState.OLD, 0, is_settled=False)})

    assert (todo.old_left, todo.old_missing) == (0, 0)
    assert todo.tail is not None
    assert session_plan(listed, {}).old_missing is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "less than a minute"),
        (60, "about a minute"),
        (300, "about 5 minutes"),
        (7_200, "about 2 hours"),
        (400_000, "about 5 days"),
    ],
)
def test_a_time_is_said_as_people_say_it(seconds: int, words: str) -> None:
    """In the unit that fits."""
    assert about(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Bringing 312 older messages of “Work”: 40 of 312, about 5 minutes left."),
        ({"brought": 312, "left": 0}, "All 312 older messages are here."),
        ({"brought": 120, "left": 0, "is_stopped": True}, "Stopped: 120 of 312 were brought."),
        ({"brought": 120, "left": 1, "is_stopped": True}, "Stopped: 120 of 312 were brought."),
        ({"brought": 311, "left": 0}, "311 of 312 older messages are here; Slack did not take the others."),
        ({"total": 1, "brought": 1, "left": 0}, "The one older message is here."),
    ],
)
def test_the_post_says_how_far_it_is(changes: dict[str, object], words: str) -> None:
    """While it runs, at its end, and when it was stopped."""
    fields = {name: getattr(BRINGING, name) for name in Bringing.__slots__} | changes

    said = progress(MAILBOX, Bringing(**fields), MINUTE * 5)

    assert said.blocks[0]["text"]["text"] == words
    assert ("Stop" in str(said.blocks[1])) is words.startswith("Bringing")


def test_a_mailbox_that_rests_names_no_time() -> None:
    """Its old mail comes once it is active."""
    said = progress(HOME, BRINGING, MINUTE)

    assert "the rest comes once this mailbox is active" in said.text
