"""The list of mailboxes and what hangs on it: health in words, buttons, the picker, the question before removing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.slack import drafts, names, views
from bot.slack.views.home import HomePage
from storage.records import Health
from tests.unit import kit
from tests.unit.samples import HELD, HOME, MAILBOX, NOW, many, named

ERASED = replace(MAILBOX, health=Health.PASSWORD_ERASED, failures=1)


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


def test_the_list_says_what_cannot_send_and_mends_it() -> None:
    """Not “All is well” while written mail lies there; the button stands beside it, in Home as well."""
    refused = replace(MAILBOX, health=Health.OK, outgoing_refused_at=NOW)

    assert "All is well" not in _state(refused)
    assert "Receiving works." in _state(refused)
    assert "so nothing is sent" in _state(refused)
    (accessory,) = [
        block["accessory"]
        for block in views.mailbox_list([refused], {}, NOW)["blocks"]
        if "accessory" in block
    ]
    assert accessory["action_id"] == names.OUTGOING_PASSWORD_BUTTON
    assert "nothing is sent" not in _state(replace(refused, profile=replace(refused.profile, outgoing=None)))


def test_the_list_counts_what_waits() -> None:
    """Messages on their way to Slack are counted, in the singular too."""
    said = [kit.texts(views.mailbox_list([MAILBOX], {MAILBOX.id: number}, NOW)) for number in (0, 1, 2)]

    assert ["wait" in "".join(texts) for texts in said] == [False, True, True]
    assert "1 message waits" in "".join(said[1])


@pytest.mark.parametrize(
    ("mailbox", "wanted"),
    [
        (MAILBOX, {"check", "edit", "password", "pause", "doctor", "share", "sending", "remove"}),
        (HOME, {"activate", "edit", "password", "pause", "doctor", "share", "remove"}),
        (
            replace(MAILBOX, is_paused=True),
            {"resume", "edit", "password", "doctor", "share", "sending", "remove"},
        ),
        (ERASED, {"password", "edit", "share", "remove"}),
    ],
)
def test_buttons_fit_the_state(mailbox: Any, wanted: set[str]) -> None:
    """A mailbox offers what can be done to it now, each button with its id; one that only receives no “Sending”."""
    blocks = views.mailbox_list([mailbox], {}, NOW)["blocks"]

    row = next(block for block in blocks if block["type"] == "actions")["elements"]

    assert {button["action_id"] for button in row} == {
        names.BUTTONS.get(word, names.SENDING_BUTTON) for word in wanted
    }
    assert {button["value"] for button in row} == {mailbox.id}


@pytest.mark.parametrize(
    "view",
    [
        views.mailbox_list([ERASED], {}, NOW),
        views.home(HomePage([ERASED], {}), NOW),
        views.checking(ERASED),
        views.resumed(ERASED),
        views.activated(ERASED),
        views.not_examined(ERASED),
        views.password_form(ERASED, drafts.draft_of(ERASED)),
    ],
)
def test_an_erased_password_is_said_to_be_one(view: Any) -> None:
    """Everywhere its owner looks: what happened, and the way to the form; never that a stored one is kept."""
    said = "".join(kit.texts(view))

    assert "password was erased because its owner's account had been deactivated for 14 days" in said
    assert "Enter password" in said or view["title"]["text"] == "Change password"
    assert "stored" not in "".join(kit.texts(view["blocks"])).replace("It is stored encrypted", "")
    assert kit.faults(view) == []


def test_an_edit_keeps_no_password_that_was_erased() -> None:
    """The form asks for it, also after it came back; where one is stored, an empty field keeps that."""
    draft = replace(drafts.draft_of(ERASED), is_erased=True)
    view = views.mailbox_form(draft)

    password = kit.inputs(view)["Password"]
    assert "keep the stored one" not in password["hint"]["text"]
    assert not password.get("optional")
    assert drafts.read({**view, "state": {"values": {}}}).is_erased
    assert kit.inputs(views.mailbox_form(drafts.draft_of(MAILBOX)))["Password"]["optional"]


def test_a_password_that_was_entered_again_is_not_called_erased() -> None:
    """Before the first check too, and while the mailbox rests."""
    entered = replace(ERASED, failures=0)

    assert "erased" not in _state(entered)
    assert "Paused" in _state(replace(entered, is_paused=True))
    assert views.not_examined(entered) is None


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


@pytest.mark.parametrize("may_send", [True, False])
def test_a_new_mail_begins_on_the_front_page_where_there_is_something_to_send_from(*, may_send: bool) -> None:
    """For owners, and for those who have none but may send as somebody else's; the button is there once, or not at all."""
    for page in (HomePage([MAILBOX]), HomePage([]), HomePage([], no_right="Ask.")):
        view = views.home(replace(page, may_send=may_send), NOW)

        assert kit.faults(view) == []
        rows = [block["elements"] for block in view["blocks"] if block["type"] == "actions"]
        ids = [each["action_id"] for row in rows for each in row]
        assert ids.count(names.COMPOSE_BUTTON) == may_send
