"""What a form keeps between two renderings, and what a provider may fill in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.mail.suggestions import Source, Suggestion, guess
from bot.slack import drafts, names, views
from storage.records import Security, ServerAddress
from tests.unit import kit
from tests.unit.samples import MAILBOX, PROFILE, known

GMAIL = known("ana@gmail.com")
WEB_DE = known("ana@web.de")
ICLOUD = known("ana@icloud.com")


def typing(draft: drafts.Draft, **typed: str) -> drafts.Draft:
    """The draft after Slack has shown it and a person has typed something."""
    return drafts.read(kit.payload(views.mailbox_form(draft), typed))


def test_an_address_fills_in_the_servers() -> None:
    """Typing an address of a known provider fills in both servers and the username."""
    draft = drafts.fill_in(typing(drafts.new_draft(), address=" ana@gmail.com "), GMAIL)

    fields = kit.inputs(views.mailbox_form(draft, provider=GMAIL.provider))

    assert fields["Incoming server"]["element"]["initial_value"] == "pop.gmail.com"
    assert fields["Outgoing server"]["element"]["initial_value"] == "smtp.gmail.com"
    assert fields["Username"]["element"]["initial_value"] == "ana@gmail.com"
    assert fields["Incoming server"]["block_id"] == "incoming_server:1"
    assert fields["E-mail address"]["block_id"] == "address"
    assert fields["Password"]["block_id"] == "incoming_password"


def test_the_username_takes_the_provider_s_form() -> None:
    """Where a provider wants only the part before the @, that is filled in."""
    draft = drafts.fill_in(typing(drafts.new_draft(), address="ana@web.de"), WEB_DE)

    assert draft.text(names.USERNAME) == "ana"


def test_another_provider_replaces_what_was_filled_in() -> None:
    """Correcting the address replaces what the first one brought, under new block ids."""
    first = drafts.fill_in(typing(drafts.new_draft(), address="ana@gmail.com"), GMAIL)

    second = drafts.fill_in(typing(first, address="ana@web.de"), WEB_DE)

    assert second.text(names.INCOMING_SERVER) == "pop3.web.de"
    assert second.text(names.USERNAME) == "ana"
    assert second.block_id(names.INCOMING_SERVER) == "incoming_server:2"


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        (names.INCOMING_SERVER, "mail.ana.example"),
        (names.USERNAME, "postmaster"),
        (names.OUTGOING_SERVER, "x.example"),
    ],
)
def test_what_a_person_typed_stays(field: str, typed: str) -> None:
    """A field that was edited is never overwritten, before or after the first filling in."""
    untouched = drafts.fill_in(typing(drafts.new_draft(), address="ana@gmail.com", **{field: typed}), GMAIL)
    edited = drafts.fill_in(typing(untouched, **{field: typed + "x"}), WEB_DE)

    assert untouched.text(field) == typed
    assert edited.text(field) == typed + "x"


def test_port_and_security_belong_to_their_server() -> None:
    """Beside a server of the person's own, port and security are left alone, even at their defaults."""
    found = replace(GMAIL, incoming=ServerAddress("pop.gmail.com", 110, Security.STARTTLS))

    draft = drafts.fill_in(typing(drafts.new_draft(), incoming_server="mail.ana.example"), found)

    assert draft.text(names.INCOMING_PORT) == "995"
    assert draft.text(names.INCOMING_SECURITY) == "tls"


def test_an_unknown_provider_overwrites_nothing() -> None:
    """An address nobody knows leaves everything as it is, and takes back only the advice."""
    before = drafts.fill_in(typing(drafts.new_draft(), address="ana@gmail.com"), GMAIL)

    after = drafts.fill_in(typing(before, address="ana@unknown.example"), None)

    assert after.text(names.INCOMING_SERVER) == "pop.gmail.com"
    assert after.provider_id == ""
    assert drafts.fill_in(after, None) is after


def test_a_guess_stays_called_a_guess() -> None:
    """While a guess still stands in the form, it is marked as one, also when the address names nobody any more."""
    guessed = drafts.fill_in(
        typing(drafts.new_draft(), address="ana@unknown.example"), guess("unknown.example")
    )

    after = drafts.fill_in(typing(guessed, address="ana@unknown.exampl"), None)
    known_now = drafts.fill_in(typing(after, address="ana@gmail.com"), GMAIL)

    assert guessed.text(names.INCOMING_SERVER) == "pop.unknown.example"
    assert after.source == Source.GUESS
    assert known_now.source == Source.TABLE
    assert known_now.text(names.INCOMING_SERVER) == "pop.gmail.com"


def test_what_a_domain_named_is_not_ascribed_to_the_next() -> None:
    """Servers that a domain names itself stay when the address changes, but not as that address's own."""
    found = Suggestion(Source.SRV, PROFILE.incoming, PROFILE.outgoing)
    before = drafts.fill_in(typing(drafts.new_draft(), address="ana@example.org"), found)

    after = drafts.fill_in(typing(before, address="ana@example.orgy"), None)

    assert after.text(names.INCOMING_SERVER) == PROFILE.incoming.host
    assert after.source == ""


def test_a_provider_without_pop_takes_its_forerunner_s_servers_away() -> None:
    """Nothing of the former provider stays when the new one has no POP, and nothing new is filled in."""
    before = drafts.fill_in(typing(drafts.new_draft(), address="ana@gmail.com"), GMAIL)

    after = drafts.fill_in(typing(before, address="ana@icloud.com"), ICLOUD)

    assert [after.text(name) for name in (names.INCOMING_SERVER, names.OUTGOING_SERVER, names.USERNAME)] == [
        ""
    ] * 3
    assert after.text(names.INCOMING_PORT) == "995"


def test_nothing_new_needs_no_new_view() -> None:
    """Typing on within the same address's provider changes nothing that was filled in already."""
    draft = drafts.fill_in(typing(drafts.new_draft(), address="ana@gmail.com"), GMAIL)

    again = typing(draft)

    assert drafts.fill_in(again, GMAIL) is again


def test_an_edit_form_overwrites_nothing() -> None:
    """The stored settings of a mailbox are the person's own, whatever address is typed."""
    draft = typing(drafts.draft_of(MAILBOX), address="ana@gmail.com")

    assert drafts.fill_in(draft, GMAIL).texts == draft.texts


@pytest.mark.parametrize(
    "draft",
    [
        drafts.new_draft(address="ana@gmail.com", found=GMAIL, asks_active=True, draft_id="d1"),
        drafts.draft_of(MAILBOX, draft_id="d2"),
        drafts.after_failure(drafts.draft_of(MAILBOX), draft_id="d3", offers_receiving_only=True),
    ],
)
def test_a_draft_survives_slack(draft: drafts.Draft) -> None:
    """A form that Slack sends back untouched is shown again exactly as it was."""
    again = drafts.read(kit.payload(views.mailbox_form(draft)))

    assert views.mailbox_form(again) == views.mailbox_form(draft)


def test_a_draft_holds_no_password() -> None:
    """A password typed into the form is neither in the draft nor in the view's metadata."""
    view = kit.payload(views.mailbox_form(drafts.new_draft()), {names.INCOMING_PASSWORD: "hunter2"})

    draft = drafts.read(view)

    assert "hunter2" not in repr(draft)
    assert "hunter2" not in json.dumps(views.mailbox_form(draft))


def test_metadata_holds_only_ids() -> None:
    """Nothing that a person typed stands in the view's metadata."""
    draft = drafts.fill_in(
        typing(drafts.new_draft(draft_id="d1"), address="ana@gmail.com", account_name="Secret"), GMAIL
    )

    ids = json.loads(draft.metadata())

    assert ids["provider"] == "gmail"
    assert ids["draft"] == "d1"
    assert "ana" not in draft.metadata()
    assert "Secret" not in draft.metadata()


def test_a_failed_form_keeps_what_was_filled_in_as_such() -> None:
    """After a failed test, correcting the address may still replace what was filled in."""
    filled = drafts.fill_in(typing(drafts.new_draft(), address="ana@gmail.com"), GMAIL)
    failed = drafts.after_failure(typing(filled), draft_id="d1")

    corrected = drafts.fill_in(typing(failed, address="ana@web.de"), WEB_DE)

    assert corrected.text(names.INCOMING_SERVER) == "pop3.web.de"
    assert corrected.has_typed
    assert corrected.block_id(names.INCOMING_PASSWORD) == failed.block_id(names.INCOMING_PASSWORD)


@pytest.mark.parametrize(
    "view",
    [
        {},
        {"state": None, "private_metadata": None, "blocks": None},
        {"private_metadata": "no json", "blocks": [None, 1, {}], "state": {"values": {"x": 1}}},
        {"private_metadata": '{"generation":"a","filled":3,"shown":[1],"provider":7}'},
        {
            "private_metadata": "[]",
            "blocks": [{"type": "input", "element": {}}],
            "state": {"values": {"a:9:9": {"v": 3}}},
        },
    ],
)
def test_an_odd_view_is_an_empty_draft(view: dict[str, Any]) -> None:
    """A view that is not ours, or was changed on the way, is read without complaint."""
    draft = drafts.read(view)

    assert (draft.mailbox_id, draft.provider_id, draft.generation) == ("", "", 0)
    assert kit.faults(views.mailbox_form(draft)) == []


def test_a_receiving_mailbox_opens_with_defaults() -> None:
    """The edit form of a mailbox that only receives has an empty outgoing server and sensible defaults."""
    mailbox = replace(MAILBOX, profile=replace(PROFILE, outgoing=None))

    draft = drafts.draft_of(mailbox)

    assert draft.text(names.OUTGOING_SERVER) == ""
    assert draft.text(names.OUTGOING_PORT) == "465"
    assert draft.text(names.SAME_CREDENTIALS) == names.YES
