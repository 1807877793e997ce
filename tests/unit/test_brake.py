"""When a maildrop in which everything looks new raises a question, and when it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot import plan
from storage.deletion import LONGEST_WATCH
from storage.records import Retention, Seen, SeenState, Tail
from tests.unit.planned import session_plan
from tests.unit.samples import MAILBOX, NOW

KEPT = Seen(SeenState.KEPT, 0, is_settled=False)


def listing(known: int, unknown: int) -> tuple[plan.Listed, ...]:
    """So many messages that are kept, then so many never met."""
    uids = [b"k%d" % number for number in range(known)] + [b"n%d" % number for number in range(unknown)]
    return plan.keyed(list(enumerate(uids, 1)))


def kept(count: int, row: Seen = KEPT) -> dict[bytes, Seen]:
    """What is known of so many."""
    return {b"k%d" % number: row for number in range(count)}


@pytest.mark.parametrize(
    ("held", "listed", "known", "unknown", "asks"),
    [
        (10, 10, 0, 10, True),
        (100, 100, 20, 50, True),
        (1000, 20, 0, 20, True),  # another program deleted most of it long ago
        (0, 0, 0, 500, False),  # the first poll
        (9, 9, 0, 9, False),  # too few to tell
        (10, 10, 0, 9, False),
        (100, 100, 21, 60, False),  # a fifth is still there
        (100, 100, 0, 49, False),  # emptied by another program, and some new mail
        (5, 100, 0, 50, False),  # emptied by our own delete setting
        (1000, 0, 0, 500, False),  # a server that lists nothing twice
    ],
)
def test_a_renamed_maildrop_raises_a_question_an_emptied_one_does_not(
    held: int, listed: int, known: int, unknown: int, *, asks: bool
) -> None:
    """Most of what was there is gone, and about as much stands in its place."""
    todo = session_plan(listing(known, unknown), kept(held), listed)

    assert todo.asks is asks
    assert bool(todo.fetch) is not asks


def test_nothing_is_deleted_while_the_owner_is_asked() -> None:
    """Also what is due, what was begun, and what no longer stands in the listing."""
    seen = kept(20, Seen(SeenState.KEPT, 0, is_settled=True, is_due=True))
    seen |= {b"d%d" % number: Seen(SeenState.DELETING, 0, is_settled=True) for number in range(5)}
    lines = plan.keyed([*enumerate([b"k0", b"d0", *(b"n%d" % number for number in range(20))], 1)])

    todo = session_plan(lines, seen, 25)

    assert todo == plan.Plan((), (), (), listed=25, asks=True)


def test_an_open_question_stays_open() -> None:
    """As long as one message that was asked about is listed; it is gone with the old UIDs' return."""
    seen = {**kept(3), b"n0": Seen(SeenState.ASKED, 0, is_settled=False)}

    assert session_plan(listing(3, 1), seen).asks
    assert not session_plan(listing(3, 0), seen).asks


def test_a_blank_listing_does_not_make_the_next_one_believable() -> None:
    """A server on the move shows nothing, then everything under other UIDs."""
    seen = kept(30)

    blank = session_plan((), seen, 30)

    assert not blank.asks
    assert session_plan(listing(0, 30), seen, blank.listed).asks


def test_only_what_looks_new_is_asked_about() -> None:
    """Never met, or deleted and listed again; what is known stays what it is."""
    seen = {**kept(2), b"n0": Seen(SeenState.DELETED, 0, is_settled=True)}

    (keys,) = plan.unknown_in_steps(listing(2, 3), seen)

    assert keys == [b"n0", b"n1", b"n2"]


@pytest.mark.parametrize(
    ("retention", "settled_days_ago", "is_due"),
    [
        (Retention.LEAVE, 1000, False),
        (Retention.DELETE_ASKED, 1000, False),
        (Retention.DELETE_POSTED, 0, True),
        (Retention.DELETE_LATER, 6, False),
        (Retention.DELETE_LATER, 7, True),
    ],
)
def test_each_setting_has_its_day(retention: Retention, settled_days_ago: int, *, is_due: bool) -> None:
    """Days count while the maildrop is watched."""
    mailbox = replace(
        MAILBOX, retention=retention, delete_days=7, watched=timedelta(days=2000), polled_at=NOW
    )
    settled_watch = mailbox.watched - timedelta(days=settled_days_ago)

    assert (settled_watch.total_seconds() <= plan.due_until(mailbox, NOW)) is is_due


def test_a_clock_that_jumps_brings_no_deletion_nearer_than_a_day() -> None:
    """Years ahead count as a day, years back as nothing."""
    mailbox = replace(MAILBOX, retention=Retention.DELETE_LATER, delete_days=7, watched=timedelta(days=7))
    mailbox = replace(mailbox, polled_at=NOW)
    leap = timedelta(days=1000)

    assert plan.due_until(mailbox, NOW) == 0
    assert plan.due_until(mailbox, NOW + leap) == LONGEST_WATCH.total_seconds()
    assert plan.due_until(mailbox, NOW - leap) == 0
    assert not plan.may_probe(Tail(1, b"x"), NOW + leap, NOW, has_deletions=False)
