"""Modals, App Home and answers: what they say, that Slack takes them, and that nothing typed becomes live."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import Step
from bot.retention import WORDS, WhyNot
from bot.slack import drafts, names, shapes, views
from bot.slack.views import words
from tests.unit import kit
from tests.unit.conftest import DATA
from tests.unit.samples import (
    FINE,
    HOME,
    MAILBOX,
    RECEIPT,
    REFUSED,
    named,
    typed_draft,
    view_samples,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = view_samples()
LABELS = [
    "Account name",
    "E-mail address",
    "Incoming server",
    "Port",
    "Security",
    "Username",
    "Password",
    "Sending",
    "Use the same credentials for the outgoing server",
    "Outgoing server",
    "Outgoing port",
    "Outgoing security",
    "Delete setting",
]
CALM = ["How messages come", "Quiet hours from"]
OUTGOING = LABELS[LABELS.index("Use the same credentials for the outgoing server") : -1]
NASTY = st.one_of(
    st.text(max_size=400),
    st.lists(
        st.sampled_from(
            [
                "<!channel>",
                "<@U123>",
                "&",
                "<",
                ">",
                "<!date^1^{date}|x>",
                "\U0001f600",
                "\ud800",
                "\n",
                "\u202e",
                "*_`~",
                "a",
            ]
        ),
        max_size=400,
    ).map("".join),
)


@pytest.mark.parametrize("name", SAMPLES)
def test_views_are_as_stored(name: str, assert_stored: Callable[[str, Any], None]) -> None:
    """A view changes only when somebody means it to."""
    assert_stored(f"views/{name}", SAMPLES[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_slack_takes_every_view(name: str) -> None:
    """Every view stays within Slack's limits, by our own count and by its SDK's."""
    assert kit.faults(SAMPLES[name]) == []
    assert kit.sdk_accepts(SAMPLES[name])


@settings(max_examples=40, deadline=None)
@given(NASTY)
def test_nothing_typed_breaks_a_view(text: str) -> None:
    """Whatever a person calls a mailbox, every view is taken by Slack and no mention in it is live."""
    for name, view in view_samples(named(MAILBOX, text), named(HOME, text)).items():
        assert kit.faults(view) == [], name
        assert json.dumps(view, ensure_ascii=False).encode()


@settings(max_examples=100, deadline=None)
@given(NASTY)
def test_nothing_said_breaks_an_answer(text: str) -> None:
    """Unknown words, error sentences and references come back harmless, whatever they are."""
    report = replace(REFUSED, incoming=views.Tested((), Step.LOGIN, text * 20))
    answers = [
        views.unknown_word(text * 20),
        views.failed(text * 20, reference=text * 20),
        views.could_not_open(text * 20),
        views.removed(text * 20, RECEIPT),
        views.not_given(text * 20),
        views.mailbox_form(typed_draft(text * 20), report=report),
        views.password_form(MAILBOX, drafts.draft_of(MAILBOX), report=report),
    ]

    for view in answers:
        assert kit.faults(view) == []


@given(st.text(), st.integers(min_value=1, max_value=60))
def test_shortening_fits_escaped(text: str, limit: int) -> None:
    """A shortened text fits in its escaped form, and is whole whenever the whole fits."""
    text = words.shown(text)

    short = words.shortened(text, limit)

    assert kit.width(short) <= limit
    assert short == text or (kit.width(text) > limit and short.endswith("…"))


def test_the_add_form_asks_what_it_should() -> None:
    """The add form has the known fields under their known labels, in order."""
    second = list(kit.inputs(SAMPLES["add_form_second"]))
    after_username = LABELS.index("Username") + 1

    assert list(kit.inputs(SAMPLES["add_form"])) == [*LABELS, "How much old mail to bring", *CALM]
    assert second == [
        *LABELS[:after_username],
        "Recent mode",
        *LABELS[after_username:-1],
        "How much old mail to bring",
        "Make this the active mailbox",
        *CALM,
    ]


@pytest.mark.parametrize(
    ("sample", "more", "less"),
    [
        ("add_form_other_login", ["Outgoing username", "Outgoing password"], []),
        ("add_form_receiving_only", [], OUTGOING),
        ("add_form_delete_later", ["After how many days"], []),
        ("add_form_recent", ["Recent mode"], ["Delete setting"]),
    ],
)
def test_a_choice_shows_and_hides_fields(sample: str, more: list[str], less: list[str]) -> None:
    """What makes sense only beside a choice is asked for with it."""
    expected = {*LABELS, "How much old mail to bring", *CALM, *more} - {*less}

    assert set(kit.inputs(SAMPLES[sample])) == expected


@pytest.mark.parametrize(
    ("draft", "offered"),
    [
        (drafts.new_draft(), ["tls", "starttls"]),
        (replace(drafts.new_draft(), offers_plain=True), ["tls", "starttls", "none"]),
        (drafts.Draft(texts={names.INCOMING_SECURITY: "none"}), ["tls", "starttls", "none"]),
    ],
)
def test_no_encryption_is_offered_where_it_may_be(draft: drafts.Draft, offered: list[str]) -> None:
    """Where it is allowed, or stands there already; redrawn, the form offers what it did."""
    view = views.mailbox_form(drafts.read(kit.payload(views.mailbox_form(draft), {})))

    options = kit.inputs(view)["Security"]["element"]["options"]
    assert [option["value"] for option in options] == offered


def test_recent_mode_says_why_nothing_can_be_deleted() -> None:
    """The delete setting is a sentence then, and the user name shows what the server gets."""
    view = SAMPLES["add_form_recent"]

    assert "Leave on the server." in "\n".join(kit.texts(view))
    assert WORDS[WhyNot.READS_RECENT] in "\n".join(kit.texts(view))
    assert kit.inputs(view)["Username"]["element"]["initial_value"] == "recent:ana@gmail.com"


def test_taking_recent_mode_off_restores_what_was_chosen() -> None:
    """The user name and the delete setting are what they were."""
    before = drafts.Draft(
        texts={
            names.INCOMING_SERVER: "pop.gmail.com",
            names.USERNAME: "ana@gmail.com",
            names.RETENTION: "delete_posted",
        }
    )
    base = drafts.new_draft()

    ticked = shapes.reshaped(ticking(before, names.YES), base, names.RECENT)
    sent = drafts.read(kit.payload(views.mailbox_form(ticked)))
    off = shapes.reshaped(ticking(sent, ""), base, names.RECENT)

    assert (ticked.text(names.USERNAME), ticked.text(names.RETENTION)) == ("recent:ana@gmail.com", "leave")
    assert (off.text(names.USERNAME), off.text(names.RETENTION)) == ("ana@gmail.com", "delete_posted")


def ticking(draft: drafts.Draft, text: str) -> drafts.Draft:
    """The same with recent mode ticked, or not."""
    return replace(draft, texts={**draft.texts, names.RECENT: text})


def test_what_was_hidden_comes_back_as_stored() -> None:
    """Receiving only, and back: the outgoing server of the mailbox is in place again."""
    stored = drafts.draft_of(MAILBOX)
    without = replace(stored, texts={**stored.texts, names.RECEIVING_ONLY: names.YES})
    sent = drafts.read(kit.payload(views.mailbox_form(without)))

    back = shapes.reshaped(
        replace(sent, texts={**sent.texts, names.RECEIVING_ONLY: ""}), stored, names.RECEIVING_ONLY
    )

    assert kit.inputs(views.mailbox_form(back)).keys() == kit.inputs(views.mailbox_form(stored)).keys()
    assert back.text(names.OUTGOING_SERVER) == stored.text(names.OUTGOING_SERVER)


def test_the_edit_form_asks_no_old_mail() -> None:
    """Editing shows what is stored, asks for no old mail, and an empty password keeps the stored one."""
    fields = kit.inputs(SAMPLES["edit_form"])

    assert list(fields) == [*LABELS, *CALM]
    assert fields["Account name"]["element"]["initial_value"] == "Work"
    assert fields["Password"]["optional"]
    assert "keep the stored one" in fields["Password"]["hint"]["text"]


@pytest.mark.parametrize("name", [name for name, view in SAMPLES.items() if view.get("submit")])
def test_passwords_are_never_filled_in(name: str) -> None:
    """No password field of any form has a value, and none of the metadata holds what was typed."""
    fields = kit.inputs(SAMPLES[name])

    passwords = [block for label, block in fields.items() if "password" in label.lower()]

    assert all("initial_value" not in block["element"] for block in passwords)
    assert "ana@" not in SAMPLES[name]["private_metadata"]


def test_an_edit_asks_as_it_is() -> None:
    """Editing a mailbox that is not active does not make it active unless the person says so."""
    field = kit.inputs(SAMPLES["edit_form_second"])["Make this the active mailbox"]

    assert field["element"]["initial_option"]["value"] == names.NO


def test_the_address_is_sent_while_it_is_typed() -> None:
    """Typing the address fills in the servers, so every character of it is sent."""
    field = kit.inputs(SAMPLES["add_form"])["E-mail address"]

    assert field["dispatch_action"]
    assert field["element"]["action_id"] == names.ADDRESS_TYPED
    assert field["element"]["dispatch_action_config"] == {"trigger_actions_on": ["on_character_entered"]}


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("pasword", "password"), ("ad", "add"), ("REMVE", "remove"), ("<!here>", None), ("", None)],
)
def test_an_unknown_word_is_named_back(word: str, nearest: str | None) -> None:
    """A mistyped word is answered with the nearest real one, and with the way to all of them."""
    text = views.unknown_word(word)["text"]

    assert (f"Did you mean `/mailbox {nearest}" in text) is (nearest is not None)
    assert "/mailbox help" in text


def test_help_knows_every_word() -> None:
    """Help has a line for each command, and for those alone that it is asked about."""
    assert all(f"/mailbox {word}" in "".join(kit.texts(SAMPLES["help"])) for word in names.COMMANDS)
    assert "remove" not in "".join(kit.texts(views.help_answer((names.ADD, names.HELP)))).replace(
        "removed", ""
    )


def test_another_active_mailbox_is_named() -> None:
    """After adding a mailbox that is not active, the person reads which one stays active."""
    said = " ".join(kit.texts(SAMPLES["saved_not_active"]))

    assert "“Work” stays active." in said


@pytest.mark.parametrize(
    ("most", "words"),
    [
        (1, "One mailbox is active at a time"),
        (3, "Up to 3 mailboxes are active at a time"),
        (None, "Only active mailboxes are fetched"),
    ],
)
def test_the_form_says_how_many_may_be_active(most: int | None, words: str) -> None:
    """As administrators have it, also after the form came back."""
    draft = replace(drafts.new_draft(asks_active=True), most_active=most)
    view = views.mailbox_form(draft)

    label = "Make this the active mailbox" if most == 1 else "Make this mailbox active"
    assert kit.inputs(view)[label]["hint"]["text"].startswith(words)
    assert drafts.read({**view, "state": {"values": {}}}).most_active == most


def test_all_that_give_way_are_named() -> None:
    """However many that are; the first few by name."""
    others = [replace(HOME, profile=replace(HOME.profile, name=f"Box {number}")) for number in range(7)]

    two = "".join(kit.texts(views.activated(MAILBOX, rested=others[:2], is_only=False)))
    seven = "".join(kit.texts(views.saved(MAILBOX, FINE, rested=others)))

    assert "is active now." in two
    assert "“Box 0” and “Box 1” keep their settings and their places" in two
    assert "“Box 4” and 2 more keep their settings" in seven
    assert kit.texts(views.activated(MAILBOX)) != kit.texts(views.activated(MAILBOX, rested=others[:1]))


def test_several_mailboxes_that_stay_active_are_named() -> None:
    """Beside one that was added and is not fetched, in the result and by the doctor."""
    resting, others = replace(MAILBOX, is_active=False), (HOME, replace(MAILBOX, id="m9"))

    said = "".join(kit.texts(views.saved(resting, FINE, active=others)))

    assert "nothing is fetched from it until you make it so. “Home” and “Work” stay active." in said


def test_every_stored_view_is_still_there() -> None:
    """No stored view outlives the view it was taken from."""
    stored = {path.stem for path in (DATA / "views").glob("*.json")}

    assert stored == set(SAMPLES)
