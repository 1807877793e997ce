"""What to fetch, skip and delete, and when to come again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import plan
from storage.records import OldMail, Retention, Seen, SeenState, Tail

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
INTERVAL = timedelta(minutes=5)

uids = st.lists(st.binary(min_size=1, max_size=4).filter(lambda uid: b" " not in uid), max_size=30)
states = st.builds(Seen, st.sampled_from(SeenState), st.integers(0, 20), st.booleans())


def listing(*names: bytes) -> list[tuple[int, bytes]]:
    """A listing that numbers UIDs from 1."""
    return list(enumerate(names, 1))


def test_unknown_messages_are_fetched_in_order_of_their_numbers() -> None:
    """What the server lists and we never kept is fetched, oldest number first."""
    lines = plan.keyed([(3, b"c"), (1, b"a"), (2, b"b")])

    todo = plan.session_plan(lines, {b"b": Seen(SeenState.KEPT, 0, is_settled=True)}, Retention.LEAVE)

    assert [line.number for line in todo.fetch] == [1, 3]


@pytest.mark.parametrize(
    ("known", "retention", "is_deleted"),
    [
        (Seen(SeenState.KEPT, 0, is_settled=True), Retention.DELETE_POSTED, True),
        (Seen(SeenState.KEPT, 0, is_settled=False), Retention.DELETE_POSTED, False),
        (Seen(SeenState.KEPT, 0, is_settled=True), Retention.LEAVE, False),
        (Seen(SeenState.SKIPPED, 0, is_settled=False), Retention.DELETE_POSTED, False),
        (Seen(SeenState.FAILED, 2, is_settled=False), Retention.DELETE_POSTED, False),
        (Seen(SeenState.DELETING, 0, is_settled=True), Retention.LEAVE, True),
    ],
)
def test_only_what_is_in_slack_is_deleted(known: Seen, retention: Retention, *, is_deleted: bool) -> None:
    """DELE is planned for settled messages only, and again for those that a lost QUIT left behind."""
    todo = plan.session_plan(plan.keyed(listing(b"a")), {b"a": known}, retention)

    assert bool(todo.delete) is is_deleted


def test_a_repeated_uid_is_fetched_each_time_and_never_deleted() -> None:
    """Equal mail under equal UIDs comes twice, and which of the two to delete cannot be told."""
    lines = plan.keyed(listing(b"same", b"same"))
    seen = {line.key: Seen(SeenState.KEPT, 0, is_settled=True) for line in lines}

    assert len(plan.session_plan(lines, {}, Retention.DELETE_POSTED).fetch) == 2
    assert plan.session_plan(lines, seen, Retention.DELETE_POSTED).delete == ()


def test_a_deletion_counts_once_the_listing_no_longer_holds_it() -> None:
    """A UID asked to be deleted is gone when a later listing shows the others without it."""
    seen = {
        b"a": Seen(SeenState.DELETING, 0, is_settled=True),
        b"b": Seen(SeenState.KEPT, 0, is_settled=True),
    }

    todo = plan.session_plan(plan.keyed(listing(b"b")), seen, Retention.LEAVE)

    assert todo.gone == (b"a",)


@given(uids, st.dictionaries(st.binary(min_size=1, max_size=4), states), st.sampled_from(Retention))
def test_a_plan_never_deletes_what_it_fetches_or_what_is_not_settled(
    names: list[bytes], seen: dict[bytes, Seen], retention: Retention
) -> None:
    """Whatever is listed and known: no deletion of anything that is not in Slack."""
    todo = plan.session_plan(plan.keyed(listing(*names)), seen, retention)

    assert not {line.key for line in todo.fetch} & {line.key for line in todo.delete}
    assert all(seen[line.key].is_settled for line in todo.delete)


@given(uids)
def test_every_line_of_a_listing_has_a_key_of_its_own(names: list[bytes]) -> None:
    """Keys tell repeated UIDs apart and leave single ones as they are."""
    keys = [line.key for line in plan.keyed(listing(*names))]

    assert len(set(keys)) == len(names)


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


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=1)), st.integers(0, 1000), st.floats(0, 1))
def test_the_next_poll_is_never_sooner_than_the_interval(
    interval: timedelta, failures: int, chance: float
) -> None:
    """Backoff lengthens the wait up to a bound and never shortens it."""
    wait = plan.next_poll(NOW, interval, failures, chance) - NOW

    assert interval <= wait <= max(interval, plan.BACKOFF_BOUND) * (1 + plan.SPREAD)


def test_failures_double_the_wait() -> None:
    """Three failures in a row wait eight times as long; a success starts over."""
    waits = [plan.next_poll(NOW, INTERVAL, failures, 0) - NOW for failures in (0, 1, 3)]

    assert waits == [INTERVAL, INTERVAL * 2, INTERVAL * 8]


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
