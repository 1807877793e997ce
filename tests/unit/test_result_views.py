"""What is shown while a connection test runs and once it ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import BotError, Step
from bot.slack import drafts, names, views
from storage.records import Security, ServerAddress
from tests.unit import kit
from tests.unit.samples import (
    FINE,
    INCOMING,
    MAILBOX,
    NO_SENDING,
    REFUSED,
)
from tests.unit.test_views import SAMPLES


def test_a_failed_form_keeps_what_was_typed() -> None:
    """After a failed test all is still there, but for the passwords, whose fields are new and may stay empty."""
    before = kit.inputs(views.mailbox_form(drafts.new_draft()))
    after = kit.inputs(SAMPLES["add_form_login_refused"])

    assert after["Incoming server"]["element"]["initial_value"] == INCOMING.host
    assert after["Password"]["block_id"] != before["Password"]["block_id"]
    assert after["Password"]["optional"]
    assert "kept for ten minutes" in after["Password"]["hint"]["text"]


def test_a_failed_edit_goes_on_with_the_stored_password() -> None:
    """Where no password was typed, the edit form still says that the stored one is kept."""
    draft = drafts.after_failure(drafts.draft_of(MAILBOX), draft_id="d", has_typed=False)

    hint = kit.inputs(views.mailbox_form(draft, report=REFUSED))["Password"]["hint"]["text"]

    assert "keep the stored one" in hint


def test_a_failed_test_names_its_step() -> None:
    """The form that comes back says which steps passed, which failed, why, and what to do."""
    said = "\n".join(kit.texts(SAMPLES["add_form_login_refused"]))

    assert "✓ Connected" in said
    assert "✗ *Signing in*: The mail server refused the user name or the password." in said
    assert "then test again" in said


def test_receiving_only_is_offered_when_sending_fails() -> None:
    """When only the outgoing server fails, the mailbox can be saved without it."""
    assert "Without the outgoing server" in kit.inputs(SAMPLES["add_form_no_sending"])
    assert "Without the outgoing server" not in kit.inputs(SAMPLES["add_form_login_refused"])


@pytest.mark.parametrize("port", ["", "0", "65536", "abc", "99999999", "１２", "-1"])
def test_a_wrong_port_does_not_break_the_form(port: str) -> None:
    """A port that is no port is left out, since Slack would refuse the whole view for it."""
    draft = drafts.Draft(texts={names.INCOMING_PORT: port})

    field = kit.inputs(views.mailbox_form(draft))["Port"]

    assert "initial_value" not in field["element"]


def test_a_running_test_shows_no_fields() -> None:
    """While the test runs nothing typed stays in sight, and there is nothing to send twice."""
    for name in ("in_progress", "password_in_progress"):
        assert kit.inputs(SAMPLES[name]) == {}
        assert "submit" not in SAMPLES[name]


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("side", ["incoming", "outgoing"])
def test_every_step_has_words(step: Step, side: str) -> None:
    """Whichever step fails, at either server, the form that comes back names it."""
    tested = views.outcome([*Step][: [*Step].index(step) + 1], BotError(sentence="Because."))
    report = views.Report(tested) if side == "incoming" else views.Report(FINE.incoming, tested)

    said = "\n".join(kit.texts(views.mailbox_form(drafts.new_draft(), report=report)))

    assert said.count("✗") == 1
    assert "Because." in said


def test_an_error_before_any_step_still_fails() -> None:
    """An error that no step began for counts as a failed connection, never as a pass."""
    assert views.outcome([], BotError()).failed is Step.CONNECT


def test_saved_as_receiving_only_claims_no_sending() -> None:
    """A mailbox saved without its failed outgoing server says that it only receives, and shows no failure."""
    mailbox = replace(MAILBOX, profile=replace(MAILBOX.profile, outgoing=None))

    said = " ".join(kit.texts(views.saved(mailbox, NO_SENDING)))

    assert "only receives" in said
    assert "✗" not in said


def test_a_test_says_where_it_goes() -> None:
    """While testing, the person reads which server is asked and how long it may take."""
    profile = replace(MAILBOX.profile, incoming=ServerAddress("::1", 110, Security.NONE))

    said = " ".join(kit.texts(views.in_progress(profile)))

    assert "::1, port 110" in said
    assert "30 seconds" in said
