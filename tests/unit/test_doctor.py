"""What the doctor finds from which facts, and what it says to each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import doctor
from bot.doctor import Cause, Counts, Facts
from bot.errors import LoginRejected, MaildropBusy, Step
from bot.plan import keyed
from bot.slack import names, views
from storage.deletion import DELETION_TRIES
from storage.records import Health, Retention, Seen, SeenState
from tests.unit import kit
from tests.unit.samples import FINE, HOME, MAILBOX, NOW, PROVIDERS, REFUSED, named

GMAIL = PROVIDERS.by_address("ana@gmail.com")
SEEN = Counts(listed=5, brought=3, left_out=2)
QUIET = Facts(
    mailbox=MAILBOX,
    active=(),
    failed=None,
    is_busy=False,
    sends=True,
    provider=None,
    home=None,
    counts=SEEN,
    waiting=0,
    held_until=None,
    is_closed=False,
)
NOTHING_COUNTED = replace(QUIET, counts=None)
AS_ANOTHER = replace(MAILBOX, profile=replace(MAILBOX.profile, username="bob@example.org"))
DELETES = replace(MAILBOX, retention=Retention.DELETE_POSTED)
READS_RECENT = replace(MAILBOX, profile=replace(MAILBOX.profile, username="recent:ana@example.org"))


@pytest.mark.parametrize(
    ("facts", "causes"),
    [
        (QUIET, [Cause.ALL_SEEN]),
        (replace(QUIET, mailbox=replace(MAILBOX, is_paused=True)), [Cause.PAUSED, Cause.ALL_SEEN]),
        (
            replace(QUIET, mailbox=replace(MAILBOX, is_active=False), active=(HOME,)),
            [Cause.NOT_ACTIVE, Cause.ALL_SEEN],
        ),
        (replace(QUIET, mailbox=replace(MAILBOX, health=Health.ASKED)), [Cause.ASKED, Cause.ALL_SEEN]),
        (
            replace(QUIET, mailbox=replace(MAILBOX, health=Health.LOGIN_REFUSED, failures=1)),
            [Cause.STOPPED, Cause.ALL_SEEN],
        ),
        (replace(NOTHING_COUNTED, failed=Step.NAME), [Cause.WRONG_SERVER]),
        (replace(NOTHING_COUNTED, failed=Step.TLS), [Cause.WRONG_SERVER]),
        (replace(NOTHING_COUNTED, failed=Step.LOGIN), [Cause.WRONG_PASSWORD]),
        (replace(NOTHING_COUNTED, failed=Step.LOGIN, provider=GMAIL), [Cause.WRONG_PASSWORD, Cause.POP_OFF]),
        (replace(NOTHING_COUNTED, failed=Step.LOGIN, is_busy=True), [Cause.TRY_LATER]),
        (replace(NOTHING_COUNTED, failed=Step.TURN), [Cause.TRY_LATER]),
        (replace(QUIET, sends=False), [Cause.NO_SENDING, Cause.ALL_SEEN]),
        (replace(QUIET, mailbox=AS_ANOTHER), [Cause.WRONG_ADDRESS, Cause.ALL_SEEN]),
        (replace(QUIET, counts=replace(SEEN, new=1)), [Cause.WAITING_THERE]),
        (replace(QUIET, mailbox=AS_ANOTHER, counts=replace(SEEN, new=1)), [Cause.WAITING_THERE]),
        (replace(QUIET, counts=replace(SEEN, taken=2)), [Cause.TAKEN, Cause.ALL_SEEN]),
        (replace(QUIET, counts=Counts(taken=2)), [Cause.TAKEN, Cause.EMPTY]),
        (replace(QUIET, counts=Counts()), [Cause.EMPTY]),
        (
            replace(QUIET, mailbox=DELETES, counts=replace(SEEN, undeleted=1)),
            [Cause.ALL_SEEN, Cause.UNDELETED],
        ),
        (replace(QUIET, counts=replace(SEEN, undeleted=1)), [Cause.ALL_SEEN]),
        (replace(QUIET, counts=Counts(taken=9), provider=GMAIL), [Cause.HIDDEN]),
        (replace(QUIET, mailbox=READS_RECENT, provider=GMAIL), [Cause.ALL_SEEN]),
        (replace(QUIET, waiting=3), [Cause.SLACK_HOLDS, Cause.ALL_SEEN]),
        (replace(QUIET, waiting=3, is_closed=True), [Cause.SLACK_CLOSED, Cause.ALL_SEEN]),
    ],
)
def test_each_quiet_failure_is_found(facts: Facts, causes: list[Cause]) -> None:
    """A mailbox that works and shows nothing has its reasons; the one that weighs most comes first."""
    assert list(doctor.causes(facts)) == causes


@pytest.mark.parametrize(
    ("address", "username", "host_of", "is_elsewhere"),
    [
        ("ana@example.org", "ana@example.org", None, False),
        ("ana@example.org", "Ana@Example.org", None, False),
        ("ana@example.org", "recent:ana@example.org", None, False),
        ("ana@example.org", "ana", None, False),
        ("ana@example.org", "bob@example.org", None, True),
        ("ana@web.de", "ana", "ana@gmx.de", True),
        ("ana@web.de", "ana", "ana@web.de", False),
        ("ana@example.org", "ana", "ana@web.de", False),
    ],
)
def test_an_address_of_another_account_is_noticed(
    address: str, username: str, host_of: str | None, *, is_elsewhere: bool
) -> None:
    """A user name that is another address, or the server of another provider, is another account."""
    profile = replace(MAILBOX.profile, address=address, username=username)
    provider = PROVIDERS.by_address(host_of) if host_of else None

    assert doctor.is_elsewhere(profile, provider, PROVIDERS.by_address(address)) is is_elsewhere


def test_a_listing_is_held_against_what_is_known() -> None:
    """New is what was never kept; taken is what lay there once and that we did not delete."""
    known = {
        b"kept": SeenState.KEPT,
        b"left": SeenState.SKIPPED,
        b"old": SeenState.OLD,
        b"gone": SeenState.KEPT,
        b"left gone": SeenState.SKIPPED,
        b"deleted": SeenState.DELETED,
        b"deleting": SeenState.DELETING,
    }
    seen = {key: Seen(state, 0, is_settled=True) for key, state in known.items()}
    seen[b"stubborn"] = Seen(SeenState.KEPT, DELETION_TRIES, is_settled=True)
    listing = keyed(list(enumerate([b"new", b"kept", b"left", b"old", b"stubborn"], 1)))

    assert counted(listing, seen) == Counts(listed=5, new=2, brought=2, left_out=1, taken=2, undeleted=1)


def counted(listing: Any, seen: Any) -> Counts:
    """The counts, all steps at once."""
    steps = doctor.counted_in_steps(listing, seen)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Counts = end.value
            return found


def said(facts: Facts, report: views.Report = FINE) -> dict[str, Any]:
    """The doctor's last view."""
    return views.doctor_result(report, facts, doctor.causes(facts), NOW)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_words_and_most_a_button(cause: Cause) -> None:
    """Each says what to do; where something in Slack mends it, its button stands beside it and means this mailbox."""
    view = views.doctor_result(FINE, QUIET, (cause,), NOW)

    block = view["blocks"][-1]
    assert block["text"]["text"].startswith("*")
    needs_nothing_here = {Cause.ASKED, Cause.TAKEN, Cause.ALL_SEEN, Cause.EMPTY, Cause.SLACK_CLOSED}
    needs_nothing_here |= {Cause.SLACK_HOLDS, Cause.FINE}
    assert ("accessory" in block) is (cause not in needs_nothing_here)
    if "accessory" in block:
        assert block["accessory"]["value"] == MAILBOX.id
        assert block["accessory"]["action_id"] in names.BUTTONS.values()
    assert kit.faults(view) == []
    assert kit.sdk_accepts(view)


@given(st.text(max_size=300), st.sampled_from(Cause))
def test_nothing_typed_is_live_in_what_the_doctor_says(text: str, cause: Cause) -> None:
    """Names, addresses and servers come back harmless, however long."""
    facts = replace(QUIET, mailbox=named(MAILBOX, text * 3), active=(named(HOME, text), HOME), provider=GMAIL)

    view = views.doctor_result(FINE, facts, (cause,), NOW)

    assert kit.faults(view) == []


def test_the_doctor_shows_the_step_that_fails() -> None:
    """The staged test stands above the causes, with its failed step and the server's reason."""
    text = "\n".join(kit.texts(said(replace(NOTHING_COUNTED, failed=Step.LOGIN), REFUSED)))

    assert "✓ Connected" in text
    assert "✗ *Signing in*" in text
    assert "“Work”" in text


def test_a_hold_of_slack_says_until_when() -> None:
    """Messages that wait because Slack asked for a pause go on at a time in the reader's zone."""
    held = replace(QUIET, waiting=3, held_until=NOW + timedelta(minutes=5))

    assert "3 messages are on the way" in str(said(held))
    assert "<!date^" in str(said(held)["blocks"][-2])


def test_how_far_a_silent_server_let_us_come_is_not_shown() -> None:
    """Until a server has greeted, progress is one step: closed, filtered and no mail server look alike."""
    alike = {
        str(views.doctor_running("Work", views.Progress(incoming=steps)))
        for steps in ([Step.NAME, Step.CONNECT], [Step.NAME, Step.CONNECT, Step.TLS, Step.GREETING])
    }
    ready = views.doctor_running("Work", views.Progress(incoming=[*Step][1:7]))

    assert len(alike) == 1
    assert "✓ Connected" not in alike.pop()
    assert "✓ Connected" in str(ready)
    assert "… Signing in" in str(ready)


def test_a_busy_server_proves_nothing() -> None:
    """In use or overloaded reads as "later", never as a wrong password."""
    tested = views.outcome([Step.CONNECT, Step.LOGIN], MaildropBusy())

    assert tested.is_busy
    assert not views.outcome([Step.CONNECT, Step.LOGIN], LoginRejected()).is_busy


def test_all_that_are_active_instead_are_named() -> None:
    """One or several, and none where no mailbox is active."""
    resting = replace(QUIET, mailbox=replace(MAILBOX, is_active=False))

    texts = [
        "\n".join(kit.texts(said(replace(resting, active=active))))
        for active in ((), (HOME,), (HOME, replace(HOME, id="m9")))
    ]

    assert ["active instead" in text for text in texts] == [False, True, True]
    assert "“Home” is active instead. Make this one active" in texts[1]
    assert "“Home” and “Home” are active instead." in texts[2]
