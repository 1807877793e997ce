"""Which addresses say that nobody reads what is sent there."""

from __future__ import annotations

import pytest

from bot.mail.unread import is_unread, unread


@pytest.mark.parametrize(
    "local_part",
    [
        "noreply", "no-reply", "no_reply", "No.Reply", "NOREPLY2", "no-reply-orders", "orders.noreply", "do-not-reply",
        "donotreply", "dont-reply", "MAILER-DAEMON", "mailer-daemon", "keine-antwort", "bitte-nicht-antworten",
        "ne-pas-repondre", "ne-pas-répondre", "no-responder", "nao-responda", "não-responda", "non-rispondere",
        "niet-beantwoorden", "svar-ikke", "svara-ej", "ei-vastausta", "nie-odpowiadaj", "neodpovidat", "noreply+4711",
    ],
)  # fmt: skip
def test_an_address_that_reads_no_answers_says_so(local_part: str) -> None:
    """In the forms that are usual, whatever stands between the words, before or behind them."""
    assert is_unread(f"{local_part}@shop.example")


@pytest.mark.parametrize(
    "address",
    [
        "ada@noreply.example", "reply@shop.example", "noreplya@shop.example", "snoreply@shop.example", "no@shop.example",
        "ada+noreply@shop.example", "nora.eply@shop.example", "daemon@shop.example", "postmaster@shop.example",
        "info@shop.example", "answers@shop.example", "", "@", "no-reply", "++@x", "svar@shop.example", "漢@shop.example",
    ],
)  # fmt: skip
def test_others_say_nothing_of_it(address: str) -> None:
    """A domain, a tag behind a plus, and words that only hold such letters are none."""
    assert not is_unread(address)


def test_a_name_without_end_takes_no_time() -> None:
    """Whatever somebody typed."""
    assert not is_unread("no-" * 50_000 + "@x.example")


def test_those_are_picked_in_their_order() -> None:
    """As they were typed."""
    found = ["noreply@a.example", "ada@a.example", "no-reply@b.example"]

    assert unread(found) == ("noreply@a.example", "no-reply@b.example")
