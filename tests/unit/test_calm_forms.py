"""When messages come, as a form asks for it, reads it and says it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.slack import drafts, names, shapes, views
from bot.slack.forms import MailboxForm, parse_mailbox
from bot.slack.views.calm import calm_words
from storage.delivery import Calm, Delivery
from tests.unit import kit
from tests.unit.samples import MAILBOX

if TYPE_CHECKING:
    from storage.records import Mailbox

TYPED = {
    names.NAME: "Work",
    names.ADDRESS: "ana@example.org",
    names.INCOMING_SERVER: "pop.example.org",
    names.INCOMING_PORT: "995",
    names.INCOMING_SECURITY: "tls",
    names.USERNAME: "ana",
    names.INCOMING_PASSWORD: "secret",
}


def parsed(**typed: str) -> Any:
    """The form with these fields besides."""
    values = {name: {"value": {"value": text}} for name, text in {**TYPED, **typed}.items()}
    return parse_mailbox(
        values,
        is_edit=False,
        has_stored_password=False,
        has_typed_before=False,
        allows_plain=lambda _: False,
    )


def shown(calm: Calm) -> dict[str, Any]:
    """The inputs of the edit form of a mailbox that posts so."""
    return dict(kit.inputs(views.mailbox_form(drafts.draft_of(replace(MAILBOX, calm=calm)))))


@pytest.mark.parametrize(
    ("typed", "calm"),
    [
        ({}, Calm()),
        ({"delivery": "each", "quiet_from": "no"}, Calm()),
        ({"delivery": "hourly"}, Calm(Delivery.HOURLY)),
        ({"delivery": "daily", "daily_hour": "0"}, Calm(Delivery.DAILY, 0)),
        ({"delivery": "each", "daily_hour": "9"}, Calm()),
        ({"quiet_from": "22", "quiet_to": "7"}, Calm(quiet_from=22, quiet_to=7)),
        ({"quiet_from": "7", "quiet_to": "7"}, Calm()),
    ],
)
def test_what_is_chosen_is_read(typed: dict[str, str], calm: Calm) -> None:
    """What is hidden counts for nothing; quiet hours that end when they begin are none."""
    form = parsed(**typed)

    assert isinstance(form, MailboxForm)
    assert form.calm == calm


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"delivery": "weekly"}, "delivery"),
        ({"delivery": "daily"}, "daily_hour"),
        ({"delivery": "daily", "daily_hour": "24"}, "daily_hour"),
        ({"delivery": "daily", "daily_hour": "٣"}, "daily_hour"),
        ({"quiet_from": "22"}, "quiet_to"),
        ({"quiet_from": "-1", "quiet_to": "7"}, "quiet_from"),
    ],
)
def test_what_no_form_offers_is_refused(typed: dict[str, str], field: str) -> None:
    """Under its field; so is an hour that was not yet asked for."""
    assert list(parsed(**typed)) == [field]


@pytest.mark.parametrize(
    ("calm", "more"),
    [
        (Calm(), []),
        (Calm(Delivery.HOURLY), []),
        (Calm(Delivery.DAILY, 18), ["Daily digest at"]),
        (Calm(quiet_from=22, quiet_to=7), ["Quiet hours until"]),
    ],
)
def test_the_form_shows_what_belongs_to_a_choice(calm: Calm, more: list[str]) -> None:
    """An hour only where one is needed, and what is stored is chosen."""
    fields = shown(calm)

    hours = [label for label in ("Daily digest at", "Quiet hours until") if label in fields]
    assert hours == more
    assert {"How messages come", "Quiet hours from"} <= fields.keys()


def test_the_form_shows_what_is_stored() -> None:
    """All four fields, as they were chosen."""
    fields = shown(Calm(Delivery.DAILY, 18, 22, 7))

    labels = ("How messages come", "Daily digest at", "Quiet hours from", "Quiet hours until")
    chosen = [fields[label]["element"]["initial_option"]["value"] for label in labels]
    assert chosen == ["daily", "18", "22", "7"]


def test_a_choice_brings_its_hour_with_a_default() -> None:
    """Quiet hours that are chosen end at seven unless something else is said."""
    draft = drafts.new_draft()
    sent = replace(draft, texts={**draft.texts, names.QUIET_FROM: "22"})

    after = shapes.reshaped(sent, drafts.new_draft(), names.QUIET_FROM)

    field = dict(kit.inputs(views.mailbox_form(after)))["Quiet hours until"]
    assert field["element"]["initial_option"]["value"] == "7"
    assert names.QUIET_TO in shapes.hidden(draft)


@pytest.mark.parametrize(
    ("mailbox", "words"),
    [
        (MAILBOX, ""),
        (replace(MAILBOX, calm=Calm(Delivery.HOURLY)), "One digest an hour."),
        (
            replace(MAILBOX, calm=Calm(Delivery.DAILY, 8), zone="Europe/Berlin"),
            "One digest a day, at 8:00. Your time zone: Europe/Berlin.",
        ),
        (
            replace(MAILBOX, calm=Calm(quiet_from=22, quiet_to=7)),
            "Quiet hours from 22:00 to 7:00. Your time zone: UTC, until Slack tells yours.",
        ),
    ],
)
def test_a_mailbox_says_when_its_messages_come(mailbox: Mailbox, words: str) -> None:
    """In the list, too; nothing where each comes at once."""
    assert calm_words(mailbox) == words
    listed = "\n".join(kit.texts(views.mailbox_list([mailbox], {}, MAILBOX.created_at)))
    assert words in listed
