"""How often servers are tried: what counts, what is said, whose password is doubtful."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import limits
from storage.counting import AttemptKind
from storage.records import Health, Person
from storage.sending import WaitingMail
from tests.unit.samples import MAILBOX

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ANNA = Person("T1", "U1")


def test_the_limits_are_the_promised_ones() -> None:
    """Five tests a person in ten minutes, three a login, twenty a workspace, three refusals a host in an hour."""
    found = {
        limit.kind: (limit.most, limit.window // timedelta(minutes=1))
        for limit in (limits.OF_A_PERSON, limits.OF_A_LOGIN, limits.OF_A_WORKSPACE, limits.REFUSED)
    }

    assert found == {
        AttemptKind.TEST: (5, 10),
        AttemptKind.TEST_LOGIN: (3, 60),
        AttemptKind.TEST_WORKSPACE: (20, 60),
        AttemptKind.REFUSED_LOGIN: (3, 60),
    }


@pytest.mark.parametrize(
    ("logins", "accounts"),
    [
        ([("pop.a.example", "anna"), ("smtp.a.example", "anna")], 2),
        ([("mail.a.example", "anna"), ("mail.a.example", "anna")], 1),
        ([("mail.a.example", "Anna@A.example"), ("mail.a.example", " anna@a.example")], 1),
        ([("pop.gmail.com", "recent:anna@gmail.com"), ("pop.gmail.com", "anna@gmail.com")], 1),
        ([("mail.a.example", "anna"), ("mail.a.example", "bert")], 2),
    ],
)
def test_an_account_counts_once_however_it_is_spelled(logins: list[tuple[str, str]], accounts: int) -> None:
    """Incoming and outgoing logins to one account are one attempt, in another spelling too."""
    counted = limits.test_counts(ANNA, logins)

    assert sum(one.limit is limits.OF_A_LOGIN for one in counted) == accounts
    assert len(counted) == accounts + 2


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(minutes=7), "7 minutes."),
        (timedelta(minutes=6, seconds=1), "7 minutes."),
        (timedelta(seconds=5), "1 minute."),
        (timedelta(0), "1 minute."),
        (timedelta(minutes=-3), "1 minute."),
        (timedelta(hours=1), "60 minutes."),
    ],
)
def test_the_wait_is_never_said_too_short(wait: timedelta, words: str) -> None:
    """Whoever comes back when told to finds room."""
    assert limits.too_often(NOW + wait, NOW).endswith(f"Try again in {words}")


@pytest.mark.parametrize(
    ("health", "failures", "is_doubtful"),
    [
        (Health.NEW, 0, False),
        (Health.OK, 0, False),
        (Health.UNREACHABLE, 4, False),
        (Health.LOGIN_DOUBTED, 1, True),
        (Health.LOGIN_REFUSED, 2, True),
        (Health.LOGIN_REFUSED, 0, False),  # a new password, tested
    ],
)
def test_only_a_refused_password_is_doubtful(health: Health, failures: int, *, is_doubtful: bool) -> None:
    """What passed its test, or its last poll, is believed until a server refuses it."""
    mailbox = replace(MAILBOX, health=health, failures=failures)

    assert limits.is_doubtful(mailbox) is is_doubtful


def test_the_limits_of_sending_are_the_promised_ones() -> None:
    """In an hour sixty mails a person, a hundred a mailbox, three hundred recipients each."""
    counts = limits.sent_counts(ANNA, "m1", 7)

    assert [(one.limit.most, one.limit.window // timedelta(minutes=1), one.times) for one in counts] == [
        (60, 60, 1),
        (100, 60, 1),
        (300, 60, 7),
        (300, 60, 7),
    ]
    assert [one.who for one in counts] == [("T1", "U1"), ("m1",), ("T1", "U1"), ("m1",)]
    assert (limits.RECIPIENTS, limits.ENCODED_OCTETS) == (100, 25 * 1024 * 1024)


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ({AttemptKind.SENT}, "You sent 60 mails in the last hour"),
        ({AttemptKind.SENT_MAILBOX}, "100 mails were sent from this mailbox"),
        ({AttemptKind.SENT_TO}, "300 people an hour"),
        ({AttemptKind.SENT, AttemptKind.SENT_TO}, "You sent 60 mails"),
    ],
)
def test_whoever_sent_enough_is_told_what_was_enough(kinds: set[AttemptKind], words: str) -> None:
    """And when there is room again."""
    said = limits.sent_too_often(kinds, NOW + timedelta(minutes=7), NOW)

    assert words in said
    assert said.endswith("Nothing was sent. Try again in 7 minutes.")


BERT = Person("T1", "U2")


def seconds(waiting: list[WaitingMail]) -> list[float]:
    """How long each of them waits."""
    return [(at - NOW).total_seconds() for at in limits.spaced(waiting, NOW)]


@pytest.mark.parametrize(
    ("waiting", "waits"),
    [
        ([], []),
        ([WaitingMail(ANNA, 1)], [0]),
        ([WaitingMail(ANNA, 1)] * 3, [0, 60, 120]),
        ([WaitingMail(ANNA, 1), WaitingMail(BERT, 1), WaitingMail(ANNA, 1)], [0, 36, 72]),
        ([WaitingMail(ANNA, 1, not_before=NOW + timedelta(minutes=5))] * 2, [300, 360]),
        ([WaitingMail(ANNA, 100)] * 4, [0, 60, 120, 3600]),
        ([WaitingMail(ANNA, 99)] * 4, [0, 60, 120, 3600]),
        ([WaitingMail(ANNA, 150), WaitingMail(BERT, 150), WaitingMail(BERT, 1)], [0, 36, 3600]),
    ],
)
def test_what_waited_for_long_goes_out_one_by_one(waiting: list[WaitingMail], waits: list[float]) -> None:
    """A minute between two of one person, no more than an hour allows, in the order in which it waited."""
    assert seconds(waiting) == waits


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from((ANNA, BERT)), st.integers(1, 100)), max_size=150))
def test_no_hour_takes_more_than_may_be_written(mails: list[tuple[Person, int]]) -> None:
    """Whoever wrote what waited, and to however many: of each person, and of the mailbox."""
    times = limits.spaced([WaitingMail(*each) for each in mails], NOW)
    found = [(at, *each) for at, each in zip(times, mails, strict=True)]

    assert times == sorted(times)
    for begin in times:
        hour = [each for each in found if begin <= each[0] < begin + timedelta(hours=1)]
        assert len(hour) <= 100
        assert sum(recipients for *_, recipients in hour) <= 300
        for person in (ANNA, BERT):
            assert sum(each[1] == person for each in hour) <= 60
