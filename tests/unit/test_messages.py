"""What is typed to the bot, and what is answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.slack import views
from bot.slack.listeners.messages import MOST_REMEMBERED, TOLD_FOR, Told, is_from_a_person

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TYPED = {"type": "message", "channel_type": "im", "user": "U1", "text": "hello"}


@pytest.mark.parametrize(
    ("event", "is_one"),
    [
        (TYPED, True),
        ({**TYPED, "subtype": "file_share"}, True),
        ({**TYPED, "bot_id": "B1"}, False),
        ({**TYPED, "subtype": "bot_message"}, False),
        ({**TYPED, "subtype": "message_changed"}, False),
        ({**TYPED, "subtype": "message_deleted"}, False),
        ({**TYPED, "channel_type": "channel"}, False),
        ({**TYPED, "user": None}, False),
        ({}, False),
    ],
)
def test_people_are_answered_and_nobody_else(event: dict[str, object], is_one: bool) -> None:  # noqa: FBT001 - a row
    """No app, no change to an older message: answering those would never end."""
    assert is_from_a_person(event) is is_one


def test_who_goes_on_writing_is_told_once_a_minute_in_each_place() -> None:
    """Another thread, and the same one later, is told again."""
    told = Told()

    assert told.is_news(("U1", "None"), NOW)
    assert not told.is_news(("U1", "None"), NOW + TOLD_FOR - timedelta(seconds=1))
    assert told.is_news(("U1", "1.2"), NOW)
    assert told.is_news(("U1", "None"), NOW + TOLD_FOR)


def test_only_the_latest_places_are_remembered() -> None:
    """However many people write."""
    told = Told()

    for number in range(MOST_REMEMBERED + 1):
        told.is_news((str(number), ""), NOW)

    assert told.is_news(("0", ""), NOW)
    assert not told.is_news((str(MOST_REMEMBERED), ""), NOW)


@pytest.mark.parametrize("word", ["hello", "pause", "list", ""])
def test_what_is_typed_is_no_e_mail_and_no_command(word: str) -> None:
    """The answer says so and names the commands; the one that was meant, where it is one."""
    said = views.typed_answer(word, in_thread=False)["text"]

    assert "not as an e-mail" in said
    assert "`/mailbox help`" in said
    assert ("`/mailbox pause`" in said) is (word == "pause")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("satus", "list"), ("pasword", "password"), ("chek", "check"), ("delet", "remove"), ("forgot", "erase")],
)
def test_a_mistyped_word_names_the_one_that_was_meant(word: str, meant: str) -> None:
    """Also where it is near to another word for the same."""
    assert f"Did you mean `/mailbox {meant}`" in views.unknown_word(word)["text"]


@pytest.mark.parametrize("word", ["quit", "unsubscribe", "rm"])
def test_a_word_that_is_near_to_none_is_not_guessed(word: str) -> None:
    """A wrong guess sends people to the wrong command."""
    assert "Did you mean" not in views.unknown_word(word)["text"]
