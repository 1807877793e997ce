"""What follows from a try to send a mail: every answer of a server, and every way to get none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import sent
from bot.errors import (
    BotError,
    CertificateInvalid,
    ConnectionLost,
    LocalProtocolError,
    LoginRejected,
    NotAllowed,
    NotKnown,
    RemoteProtocolError,
    RoleUnknown,
    ServerBusy,
    ServerRefused,
    ServerUnreachable,
    Suspended,
    TlsUnavailable,
    TooOften,
)
from bot.sending_errors import (
    AddressesUnfit,
    AnswerUnknown,
    MessageRefused,
    RecipientsRefused,
    Reply,
    SenderRefused,
    TooLargeToSend,
)
from storage.records import Person
from storage.sending import (
    Letter,
    Outgoing,
    OutgoingState,
    Recipient,
    RecipientField,
    RecipientState,
    Tried,
    Trouble,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ADDRESSES = ("ana@example.org", "bo@example.org", "cy@example.org")
W, H, S, U, F = (
    OutgoingState.WAITING,
    OutgoingState.HELD,
    OutgoingState.SENT,
    OutgoingState.UNKNOWN,
    OutgoingState.FAILED,
)
OWED, TAKEN, REFUSED = RecipientState.OWED, RecipientState.TAKEN, RecipientState.REFUSED
MINUTE = timedelta(minutes=1)


def outgoing(*states: RecipientState, age: timedelta = timedelta(0), attempts: int = 0) -> Outgoing:
    """A mail to so many recipients, in a try that runs now."""
    recipients = tuple(
        Recipient(address, RecipientField.TO, state)
        for address, state in zip(ADDRESSES, states or (OWED,), strict=False)
    )
    letter = Letter("<1@example.org>", "me@example.org", recipients, "Plan", "Yes.")
    me = Person("T1", "U1")
    return Outgoing(
        id="o1",
        mailbox_id="m1",
        owner=me,
        actor=me,
        answers=None,
        state=W,
        letter=letter,
        attempts=attempts,
        created_at=NOW - age,
        due_at=NOW,
        finished_at=None,
        octets=1000,
        begun_at=NOW - age,
    )


def reply(number: int, code: int) -> Reply:
    """What a server says about one of them."""
    return Reply(ADDRESSES[number], code, "words", code < 400, 400 <= code < 500)


def states(tried: Tried) -> tuple[RecipientState, ...]:
    """Of all recipients."""
    return tuple(each.state for each in tried.recipients)


@pytest.mark.parametrize(
    ("error", "state", "trouble"),
    [
        (LoginRejected(), H, Trouble.LOGIN_REFUSED),
        (ServerUnreachable(), W, Trouble.UNREACHABLE),
        (ConnectionLost(), W, Trouble.UNREACHABLE),
        (ServerBusy(), W, Trouble.UNREACHABLE),
        (RemoteProtocolError(), W, Trouble.UNREACHABLE),
        (TooOften(NOW + 90 * MINUTE), W, Trouble.UNREACHABLE),
        (NotKnown(), W, Trouble.UNREACHABLE),
        (RoleUnknown(), W, Trouble.UNREACHABLE),
        (CertificateInvalid(), W, Trouble.SERVER_UNFIT),
        (TlsUnavailable(), W, Trouble.SERVER_UNFIT),
        (ServerRefused(), F, Trouble.SERVER_UNFIT),
        (AddressesUnfit(), F, Trouble.SERVER_UNFIT),
        (SenderRefused(temporary=True), W, Trouble.SENDER_REFUSED),
        (SenderRefused(), F, Trouble.SENDER_REFUSED),
        (RecipientsRefused(temporary=True), W, Trouble.RECIPIENTS_REFUSED),
        (RecipientsRefused(replies=(reply(0, 550),)), F, Trouble.RECIPIENTS_REFUSED),
        (MessageRefused(temporary=True), W, Trouble.MESSAGE_REFUSED),
        (MessageRefused(), F, Trouble.MESSAGE_REFUSED),
        (TooLargeToSend(), F, Trouble.TOO_LARGE),
        (LocalProtocolError(), F, Trouble.MESSAGE_REFUSED),
        (NotAllowed(), F, Trouble.NOT_ALLOWED),
        (Suspended(), W, Trouble.SUSPENDED),
        (AnswerUnknown(), U, Trouble.NO_ANSWER),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BotError) else str(value),
)
def test_every_error_has_what_follows_from_it(
    error: BotError, state: OutgoingState, trouble: Trouble
) -> None:
    """What may pass is tried again, a refused password holds the mail, no answer is unknown, and each has a sentence."""
    tried = sent.after_failure(outgoing(), error, NOW, 0)

    assert (tried.state, tried.trouble) == (state, trouble)
    assert (tried.due_at is not None) == (state is W)
    assert tried.said.endswith(".")
    assert TAKEN not in states(tried)


@pytest.mark.parametrize(
    ("before", "codes", "state", "after"),
    [
        ([OWED], [250], S, (TAKEN,)),
        ([OWED], [251], S, (TAKEN,)),
        ([OWED, OWED], [250, 550], S, (TAKEN, REFUSED)),
        ([OWED, OWED], [250, 450], W, (TAKEN, OWED)),
        ([OWED, OWED, OWED], [250, 450, 550], W, (TAKEN, OWED, REFUSED)),
        ([TAKEN, OWED], [None, 250], S, (TAKEN, TAKEN)),
        ([TAKEN, OWED, REFUSED], [None, 250, None], S, (TAKEN, TAKEN, REFUSED)),
    ],
)
def test_each_recipient_has_their_own_answer(
    before: Sequence[RecipientState],
    codes: Sequence[int | None],
    state: OutgoingState,
    after: Sequence[RecipientState],
) -> None:
    """Who was taken has it, who was refused for good never gets it, and only who was put off is tried again."""
    replies = [reply(number, code) for number, code in enumerate(codes) if code is not None]

    tried = sent.after_replies(outgoing(*before), replies, NOW, 0)

    assert (tried.state, states(tried)) == (state, after)


@pytest.mark.parametrize(
    ("before", "error", "state", "after"),
    [
        ([OWED, OWED], RecipientsRefused(replies=(reply(0, 550), reply(1, 450))), W, (REFUSED, OWED)),
        ([TAKEN, OWED], RecipientsRefused(replies=(reply(1, 550),)), S, (TAKEN, REFUSED)),
        ([TAKEN, OWED], SenderRefused(), S, (TAKEN, REFUSED)),
        ([OWED, OWED], MessageRefused(replies=(reply(0, 250), reply(1, 550))), F, (OWED, REFUSED)),
        ([OWED, OWED], AnswerUnknown(replies=(reply(0, 250), reply(1, 550))), U, (OWED, REFUSED)),
        ([TAKEN, OWED], AnswerUnknown(replies=(reply(1, 250),)), U, (TAKEN, OWED)),
        ([TAKEN, OWED], LoginRejected(), H, (TAKEN, OWED)),
    ],
)
def test_a_refusal_names_whom_it_is_about(
    before: Sequence[RecipientState],
    error: BotError,
    state: OutgoingState,
    after: Sequence[RecipientState],
) -> None:
    """A recipient who was taken in a try that failed has nothing; one who was taken before keeps it, and it counts as sent."""
    tried = sent.after_failure(outgoing(*before), error, NOW, 0)

    assert (tried.state, states(tried)) == (state, after)


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(0, 1), (1, 5), (2, 15), (3, 30), (4, 60), (5, 60), (40, 60)]
)
def test_tries_come_less_and_less_often(attempts: int, minutes: int) -> None:
    """After a minute first, every hour in the end, and what failed together is spread a little."""
    mail = outgoing(attempts=attempts)

    first, last = (sent.after_failure(mail, ServerBusy(), NOW, chance).due_at for chance in (0, 1))

    assert first == NOW + minutes * MINUTE
    assert last == NOW + 1.1 * minutes * MINUTE


def test_the_rest_follows_soon_where_some_were_taken() -> None:
    """A server that takes a few recipients at a time has the next ones a minute later, and the last day's end holds."""
    mail, late = outgoing(OWED, OWED, attempts=9), outgoing(OWED, OWED, age=timedelta(days=1) - MINUTE / 2)

    tried, last = (sent.after_replies(each, [reply(0, 250), reply(1, 452)], NOW, 0) for each in (mail, late))

    assert (tried.due_at, states(tried)) == (NOW + MINUTE, (TAKEN, OWED))
    assert last.due_at == NOW + MINUTE / 2


def test_a_day_is_the_end_and_has_a_last_try() -> None:
    """The last try is a day after the first; then it is given up, and says what went wrong at last."""
    late = outgoing(age=timedelta(hours=23, minutes=30), attempts=20)
    over = outgoing(age=timedelta(days=1), attempts=21)

    assert sent.after_failure(late, ServerBusy(), NOW, 1).due_at == NOW + 30 * MINUTE
    tried = sent.after_failure(over, ServerBusy(), NOW, 0)
    assert (tried.state, tried.trouble, tried.due_at) == (F, Trouble.TOO_LONG, None)
    assert "busy" in tried.said


def test_who_has_it_keeps_it_when_the_others_are_given_up() -> None:
    """After a day it counts as sent, and those left out are named."""
    tried = sent.after_replies(outgoing(TAKEN, OWED, age=timedelta(days=1)), [reply(1, 450)], NOW, 0)

    assert (tried.state, tried.trouble, states(tried)) == (S, Trouble.TOO_LONG, (TAKEN, REFUSED))


def test_a_host_that_rests_is_not_asked_before() -> None:
    """However few tries there were."""
    assert sent.after_failure(outgoing(), TooOften(NOW + 40 * MINUTE), NOW, 0).due_at == NOW + 40 * MINUTE


def test_what_we_ended_ourselves_leaves_no_trace() -> None:
    """It stands as it stood before."""
    mail = replace(outgoing(TAKEN, OWED), trouble=Trouble.UNREACHABLE)

    tried = sent.interrupted(mail, NOW)

    assert (tried.state, tried.trouble, states(tried), tried.due_at) == (
        W,
        Trouble.UNREACHABLE,
        (TAKEN, OWED),
        NOW,
    )


@pytest.mark.parametrize(("age", "late"), [(0, False), (24, False), (25, False), (26, True)])
def test_old_mail_does_not_go_out_all_of_a_sudden(age: int, late: bool) -> None:  # noqa: FBT001 - one of a table
    """What nobody could try for a day is not tried any more."""
    assert sent.is_too_late(outgoing(age=timedelta(hours=age)), NOW) is late


@pytest.mark.parametrize(
    ("code", "words", "said"),
    [
        (550, "5.1.1 <x@y>: no such user", "there is no such address (550 5.1.1)"),
        (550, "rejected", "the server takes no mail for it (550)"),
        (552, "5.2.2 quota", "its mailbox is full (552 5.2.2)"),
        (554, "5.7.1 <@U1> *spam*", "the server does not let this mail through (554 5.7.1)"),
        (554, "no", "the server refused it (554)"),
        (450, "4.2.0 greylisted", "its mailbox does not take mail (450 4.2.0)"),
        (571, "5.1.1111", "the server refused it (571)"),
        (0, "", "it could not be sent in time"),
    ],
)
def test_a_refusal_is_told_in_our_words(code: int, words: str, said: str) -> None:
    """With the server's code; of its own words nothing else is shown."""
    assert sent.reason(Recipient("x@y", RecipientField.TO, REFUSED, code, words)) == said


@pytest.mark.parametrize(
    ("code", "said", "sentence"),
    [
        (554, "5.7.1 <@U1> spam", ("The outgoing server refused this mail: the server's rules do not let it through, as with "
         "what looks like spam (554 5.7.1).")),
        (554, "no", "The outgoing server refused this mail (554)."),
    ],
)  # fmt: skip
def test_a_refused_mail_is_told_in_our_words(code: int, said: str, sentence: str) -> None:
    """With the server's code; of its own words nothing else is shown."""
    assert sent.after_failure(outgoing(), MessageRefused(code=code, said=said), NOW, 0).said == sentence


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(RecipientState), min_size=1, max_size=3),
    st.lists(st.sampled_from((250, 450, 550)), min_size=3, max_size=3),
    st.sampled_from((None, AnswerUnknown, RecipientsRefused, MessageRefused, SenderRefused)),
    st.integers(0, 30),
)
def test_who_was_taken_or_refused_stays_so(
    before: list[RecipientState], codes: list[int], kind: type[BotError] | None, hours: int
) -> None:
    """Nobody is asked about twice, failed means that nobody has it, and sent that somebody has and nobody is owed."""
    mail = outgoing(*before, age=timedelta(hours=hours))
    replies = tuple(
        reply(number, code) for number, code in enumerate(codes[: len(before)]) if before[number] is OWED
    )
    if kind is None:
        tried = sent.after_replies(mail, replies, NOW, 0)
    else:
        tried = sent.after_failure(mail, kind(replies=replies), NOW, 0)  # type: ignore[call-arg] # each of these has them

    after = states(tried)
    assert all(new is old for old, new in zip(before, after, strict=True) if old is not OWED)
    assert tried.state is not F or TAKEN not in after
    assert tried.state is not W or OWED in after
    assert kind is None or after.count(TAKEN) == before.count(TAKEN)
