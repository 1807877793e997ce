"""What to fetch, skip and delete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import plan
from storage.records import OldMail, Seen, SeenState, Tail
from tests.unit.planned import session_plan

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)

uids = st.lists(st.binary(min_size=1, max_size=4).filter(lambda uid: b" " not in uid), max_size=30)
states = st.builds(Seen, st.sampled_from(SeenState), st.integers(0, 20), st.booleans(), st.booleans())


def listing(*names: bytes) -> list[tuple[int, bytes]]:
    """A listing that numbers UIDs from 1."""
    return list(enumerate(names, 1))


def finished(steps: Generator[None, None, T], counts: list[int] | None = None) -> T:
    """The result of steps; how many there were goes to the end of `counts`."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            if counts is not None:
                counts.append(count)
            result: T = end.value
            return result
        count += 1


def test_unknown_messages_are_fetched_in_order_of_their_numbers() -> None:
    """What the server lists and we never kept is fetched, oldest number first."""
    lines = plan.keyed([(3, b"c"), (1, b"a"), (2, b"b")])

    todo = session_plan(lines, {b"b": Seen(SeenState.KEPT, 0, is_settled=True)})

    assert [line.number for line in todo.fetch] == [1, 3]


@pytest.mark.parametrize(
    ("known", "is_deleted"),
    [
        (Seen(SeenState.KEPT, 0, is_settled=True, is_due=True), True),
        (Seen(SeenState.KEPT, 0, is_settled=False, is_due=True), False),
        (Seen(SeenState.KEPT, 0, is_settled=True), False),
        (Seen(SeenState.SKIPPED, 0, is_settled=False), False),
        (Seen(SeenState.FAILED, 2, is_settled=False), False),
        (Seen(SeenState.ASKED, 0, is_settled=False), False),
        (Seen(SeenState.DELETING, 0, is_settled=True), True),
    ],
)
def test_only_what_is_in_slack_and_due_is_deleted(known: Seen, *, is_deleted: bool) -> None:
    """DELE is planned for settled messages only, and again for those that a lost QUIT left behind."""
    todo = session_plan(plan.keyed(listing(b"a")), {b"a": known})

    assert bool(todo.delete) is is_deleted


def test_a_repeated_uid_is_fetched_each_time_and_never_deleted() -> None:
    """Equal mail under equal UIDs comes twice, and which of the two to delete cannot be told."""
    lines = plan.keyed(listing(b"same", b"same"))
    seen = {line.key: Seen(SeenState.KEPT, 0, is_settled=True, is_due=True) for line in lines}

    assert len(session_plan(lines, {}).fetch) == 2
    assert session_plan(lines, seen).delete == ()


def test_a_deletion_counts_once_the_listing_no_longer_holds_it() -> None:
    """A UID asked to be deleted is gone when a later listing shows the others without it."""
    seen = {
        b"a": Seen(SeenState.DELETING, 0, is_settled=True),
        b"b": Seen(SeenState.KEPT, 0, is_settled=True),
    }

    todo = session_plan(plan.keyed(listing(b"b")), seen)

    assert todo.gone == (b"a",)


@given(uids, st.dictionaries(st.binary(min_size=1, max_size=4), states), st.integers(0, 40))
def test_a_plan_never_deletes_what_it_fetches_or_what_is_not_settled(
    names: list[bytes], seen: dict[bytes, Seen], listed: int
) -> None:
    """Whatever is listed and known: no deletion of anything that is not in Slack."""
    todo = session_plan(plan.keyed(listing(*names)), seen, listed)

    assert not {line.key for line in todo.fetch} & {line.key for line in todo.delete}
    assert all(seen[line.key].is_settled for line in todo.delete)


@given(uids)
def test_every_line_of_a_listing_has_a_key_of_its_own(names: list[bytes]) -> None:
    """Keys tell repeated UIDs apart and leave single ones as they are."""
    keys = [line.key for line in plan.keyed(listing(*names))]

    assert len(set(keys)) == len(names)


@given(uids, st.integers(0, 40))
def test_a_long_listing_reads_like_a_short_one(names: list[bytes], start: int) -> None:
    """Taken in steps, as a whole, by place or in part: the same lines."""
    steps = plan.keyed_in_steps(listing(*names))
    lines = finished(steps)

    assert tuple(lines) == plan.keyed(listing(*names))
    assert tuple(lines[start:]) == tuple(lines)[start:]
    assert [lines[at] for at in range(len(names))] == list(lines)


@pytest.mark.parametrize("names", [[b"%d" % number for number in range(20_000)], [b"same"] * 20_000])
def test_planning_a_long_listing_stops_often(names: list[bytes]) -> None:
    """What is done between two steps is a few hundred lines, whatever the server listed."""
    counts: list[int] = []
    lines = finished(plan.keyed_in_steps(listing(*names)), counts)
    seen = {line.key: Seen(SeenState.KEPT, 0, is_settled=False) for line in lines}
    finished(plan.session_plan_in_steps(lines, seen), counts)

    assert counts[0] >= 20_000 // 256
    assert counts[1] >= 2 * (20_000 // 256)


def test_what_is_too_much_for_one_session_comes_in_the_next() -> None:
    """The first messages come first, and the next session lists the maildrop anew to find the others."""
    lines = plan.keyed(listing(*(b"%d" % number for number in range(plan.FETCHES + 1))))

    todo = session_plan(lines, {})
    rest = session_plan(lines[1:], {})

    assert (todo.fetch, todo.tail) == (lines[: plan.FETCHES], None)
    assert (rest.fetch, rest.tail) == (lines[1:], Tail(lines[-1].number, lines[-1].key))


@pytest.mark.parametrize(("names", "tail"), [((), None), ((b"a", b"b"), Tail(2, b"b")), ((b"a", b"a"), None)])
def test_the_next_session_may_look_behind_the_last_message(
    names: tuple[bytes, ...], tail: Tail | None
) -> None:
    """Unless there is none, or another has the same UID."""
    assert session_plan(plan.keyed(listing(*names)), {}).tail == tail


@pytest.mark.parametrize(("wanted", "skipped"), [(OldMail.NONE, 60), (OldMail.LAST_50, 10), (OldMail.ALL, 0)])
def test_old_mail_comes_as_far_back_as_the_owner_asked(wanted: OldMail, skipped: int) -> None:
    """None, the last fifty or all of what lay in the maildrop."""
    lines = plan.keyed(listing(*(b"%d" % number for number in range(60))))

    assert plan.old_mail_to_skip(lines, wanted) == tuple(line.key for line in lines[:skipped])


@pytest.mark.parametrize(
    ("count", "found", "expected"),
    [
        (10, {10: b"x", 11: None}, range(11, 11)),
        (12, {10: b"x", 11: b"y"}, range(11, 13)),
        (10, {10: b"other", 11: None}, None),
        (9, {10: None, 11: None}, None),
        (11, {10: b"x", 11: None}, None),
        (10, {10: b"x", 11: b"y"}, None),
        (10_000, {10: b"x", 11: b"y"}, None),
    ],
)
def test_a_probe_is_believed_only_where_everything_fits(
    count: int, found: dict[int, bytes | None], expected: range | None
) -> None:
    """The end of the list tells what is new only if the last known message still stands there."""
    assert plan.probed(Tail(10, b"x"), count, found) == expected


def test_a_full_listing_is_due_daily_and_for_every_deletion() -> None:
    """The probe never stands for the listing when deletions are due or the last listing is a day old."""
    tail = Tail(1, b"x")

    assert plan.may_probe(tail, NOW - timedelta(hours=1), NOW, has_deletions=False)
    assert not plan.may_probe(tail, NOW - timedelta(hours=1), NOW, has_deletions=True)
    assert not plan.may_probe(tail, NOW - timedelta(days=2), NOW, has_deletions=False)
    assert not plan.may_probe(None, NOW, NOW, has_deletions=False)


def test_a_message_becomes_a_card_sooner_when_the_server_refuses_it() -> None:
    """Three refusals settle it; a breaking line has ten tries."""
    assert plan.should_give_up(3, was_refused=True)
    assert not plan.should_give_up(9, was_refused=False)
    assert plan.should_give_up(10, was_refused=False)


@pytest.mark.parametrize(
    ("was", "failures", "is_broken_off", "expected"),
    [(False, 0, True, False), (False, 1, True, True), (False, 5, False, False), (True, 0, False, True)],
)
def test_a_server_that_keeps_breaking_off_is_asked_one_by_one(
    *, was: bool, failures: int, is_broken_off: bool, expected: bool
) -> None:
    """One cut line is chance; the second in a row may be our haste, and once slow stays slow."""
    assert plan.goes_one_by_one(was=was, failures=failures, is_broken_off=is_broken_off) is expected


def test_only_what_a_later_session_needs_is_remembered_of_a_server() -> None:
    """What it says of itself may name the host, which is stored sealed or not at all."""
    said = {
        "SASL PLAIN LOGIN",
        "STLS",
        "UIDL",
        "IMPLEMENTATION MAIL.EXAMPLE READY",
        "X-HOST MAIL.EXAMPLE",
        "",
    }

    assert plan.remembered(said) == {"SASL PLAIN LOGIN", "STLS", "UIDL"}
