"""The list of mailboxes and what hangs on it: health in words, buttons, the picker, the question before removing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.slack import names, views
from storage.records import Health
from tests.unit import kit
from tests.unit.samples import HELD, HOME, MAILBOX, NOW, many, named


def _state(mailbox: Any) -> str:
    return "\n".join(kit.texts(views.mailbox_list([mailbox], {}, NOW)))


@pytest.mark.parametrize("health", Health)
def test_every_health_has_its_own_words(health: Health) -> None:
    """Each thing that can be wrong with an active mailbox reads differently in the list."""
    others = [kind for kind in Health if kind is not health]

    said = [_state(replace(MAILBOX, health=kind)) for kind in (health, *others)]

    assert said[0] not in said[1:]


def test_the_list_shows_times_in_the_reader_s_zone() -> None:
    """Last and next check are Slack date tokens; a check that is due says so."""
    assert "Last success <!date^" in _state(MAILBOX)
    assert "next check now" in _state(replace(MAILBOX, due_at=NOW))
    assert "no check planned" in _state(HOME)


def test_the_list_says_what_only_receives() -> None:
    """A mailbox without an outgoing server says so; the other says nothing of it."""
    assert "receiving only" in _state(HOME)
    assert "receiving only" not in _state(MAILBOX)


def test_the_list_counts_what_waits() -> None:
    """Messages on their way to Slack are counted, in the singular too."""
    said = [kit.texts(views.mailbox_list([MAILBOX], {MAILBOX.id: number}, NOW)) for number in (0, 1, 2)]

    assert ["wait" in "".join(texts) for texts in said] == [False, True, True]
    assert "1 message waits" in "".join(said[1])


@pytest.mark.parametrize(
    ("mailbox", "wanted"),
    [
        (MAILBOX, {"check", "edit", "password", "pause", "doctor", "share", "remove"}),
        (HOME, {"activate", "edit", "password", "pause", "doctor", "share", "remove"}),
        (replace(MAILBOX, is_paused=True), {"resume", "edit", "password", "doctor", "share", "remove"}),
    ],
)
def test_buttons_fit_the_state(mailbox: Any, wanted: set[str]) -> None:
    """A mailbox offers what can be done to it now, each button with its id."""
    blocks = views.mailbox_list([mailbox], {}, NOW)["blocks"]

    row = next(block for block in blocks if block["type"] == "actions")["elements"]

    assert {button["action_id"] for button in row} == {names.BUTTONS[word] for word in wanted}
    assert {button["value"] for button in row} == {mailbox.id}


@pytest.mark.parametrize("number", [1, 10, 11, 30, 31, 100, 250])
def test_any_number_of_mailboxes_fits(number: int) -> None:
    """However many mailboxes a person has, with the longest names, list, Home and picker stay within limits."""
    mailboxes = many(named(MAILBOX, "&<>" * 100), number)
    waiting = {mailbox.id: 1_000_000 for mailbox in mailboxes}

    for view in (
        views.mailbox_list(mailboxes, waiting, NOW),
        views.home(views.HomePage(mailboxes, waiting), NOW),
        views.picker("edit", mailboxes),
    ):
        assert kit.faults(view) == []
        assert kit.sdk_accepts(view)


@pytest.mark.parametrize("word", names.BUTTONS)
def test_the_picker_does_what_the_word_does(word: str) -> None:
    """Asked which mailbox is meant, pressing its button is the command itself; many come as a select."""
    few = views.picker(word, [MAILBOX, HOME])["blocks"][1:]
    lots = views.picker(word, many(MAILBOX, 20))["blocks"][1]

    assert [block["accessory"]["action_id"] for block in few] == [names.BUTTONS[word]] * 2
    assert [block["accessory"]["value"] for block in few] == [MAILBOX.id, HOME.id]
    assert lots["elements"][0]["action_id"] == names.PICKS[word]


def test_removing_says_what_goes_and_what_stays() -> None:
    """The question before removing names the messages that would be lost, and what is safe."""
    form = views.remove_form(MAILBOX, HELD)

    said = "\n".join(kit.texts(form))

    assert "3 posts on the way to Slack, not made yet" in said
    assert "every message on the mail server" in said
    assert form["private_metadata"] == MAILBOX.id


@pytest.mark.parametrize(
    ("count", "words"), [(10, None), (11, "And 1 more mailbox."), (25, "And 15 more mailboxes.")]
)
def test_a_list_that_is_cut_says_so(count: int, words: str | None) -> None:
    """A message holds ten mailboxes; what is left out is counted, with the way to it."""
    said = "\n".join(kit.texts(views.mailbox_list(many(MAILBOX, count), {}, NOW)))

    assert words in said if words else "more mailbox" not in said
