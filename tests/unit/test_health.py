"""What an outcome makes of a mailbox, and what its owner is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import errors, health
from bot.health import RULES, Outcome, Told
from storage.records import Health, Mailbox, Notice
from tests.unit.samples import MAILBOX

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
FIVE = timedelta(minutes=5)
FRESH = replace(MAILBOX, health=Health.NEW, last_success_at=None, created_at=NOW)
PROVEN = replace(MAILBOX, health=Health.OK, last_success_at=NOW)
DOUBTED = replace(PROVEN, health=Health.LOGIN_DOUBTED)
FAILING = replace(PROVEN, health=Health.UNREACHABLE, failures=2, last_success_at=NOW - 3 * FIVE)
TOLD = replace(FAILING, failures=5, has_alarm=True)
LASTING = [found for found in Outcome if RULES[found].told is Told.LASTING]
BAD = [found for found in Outcome if found is not Outcome.FINE]


@pytest.mark.parametrize(
    ("mailbox", "error", "state"),
    [
        (PROVEN, errors.LoginRejected(is_certain=True), Health.LOGIN_REFUSED),
        (PROVEN, errors.LoginRejected(), Health.LOGIN_DOUBTED),
        (DOUBTED, errors.LoginRejected(), Health.LOGIN_REFUSED),
        (FRESH, errors.LoginRejected(), Health.LOGIN_REFUSED),
        (PROVEN, errors.MaildropBusy(), Health.MAILDROP_BUSY),
        (PROVEN, errors.ServerUnreachable(), Health.UNREACHABLE),
        (PROVEN, errors.ConnectionLost(), Health.UNREACHABLE),
        (PROVEN, errors.CertificateInvalid(), Health.CERTIFICATE_INVALID),
        (PROVEN, errors.TlsUnavailable(), Health.CERTIFICATE_INVALID),
        (PROVEN, errors.ServerBusy(), Health.SERVER_FAULT),
        (PROVEN, errors.RemoteProtocolError(), Health.SERVER_FAULT),
        (PROVEN, errors.ServerRefused(), Health.SERVER_FAULT),
    ],
)
def test_each_failure_has_its_own_state(mailbox: Mailbox, error: errors.BotError, state: Health) -> None:
    """A refused login, a busy maildrop, a silent server and a wrong certificate are four different things.

    A refusal that names no reason may be throttling: after it has worked, the login is tried once more.
    """
    assert RULES[health.outcome(mailbox, error)].health is state


@pytest.mark.parametrize(
    ("mailbox", "found", "notice"),
    [
        (PROVEN, Outcome.FINE, None),
        (FAILING, Outcome.FINE, None),
        (TOLD, Outcome.FINE, Notice.ALL_CLEAR),
        (PROVEN, Outcome.DOUBTFUL, None),
        (PROVEN, Outcome.REFUSED, Notice.LOGIN_REFUSED),
        (FRESH, Outcome.REFUSED, Notice.LOGIN_REFUSED),
        (TOLD, Outcome.REFUSED, Notice.LOGIN_REFUSED),
        (PROVEN, Outcome.ASKED, Notice.ASKED),
        (TOLD, Outcome.ASKED, Notice.ASKED),
        (PROVEN, Outcome.UNREACHABLE, None),
        (replace(FAILING, failures=1), Outcome.UNREACHABLE, None),
        (replace(FAILING, last_success_at=NOW - 2 * FIVE), Outcome.UNREACHABLE, None),
        (FAILING, Outcome.UNREACHABLE, Notice.UNREACHABLE),
        (FAILING, Outcome.CERTIFICATE, Notice.CERTIFICATE_INVALID),
        (FAILING, Outcome.BUSY, Notice.MAILDROP_BUSY),
        (FAILING, Outcome.FAULT, Notice.SERVER_FAULT),
        (replace(FRESH, failures=2, created_at=NOW - 3 * FIVE), Outcome.UNREACHABLE, Notice.UNREACHABLE),
        (TOLD, Outcome.UNREACHABLE, None),
        (TOLD, Outcome.CERTIFICATE, None),
    ],
)
def test_owners_are_told_what_needs_them_and_what_lasts(
    mailbox: Mailbox, found: Outcome, notice: Notice | None
) -> None:
    """A refused login at once; what passes by itself after three intervals and three failures; each episode once."""
    assert health.verdict(mailbox, found, NOW, FIVE).notice is notice


@pytest.mark.parametrize("found", Outcome)
def test_polling_stops_only_where_its_owner_is_needed(found: Outcome) -> None:
    """A refused login and an unanswered question stop the polls; every other fault is tried again."""
    stops = health.verdict(PROVEN, found, NOW, FIVE).stops

    assert stops is (found in {Outcome.REFUSED, Outcome.ASKED})


def test_a_login_refused_after_it_was_mended_is_told_again() -> None:
    """New settings that passed their test set the failures back; a refusal after that is news."""
    stopped = replace(TOLD, health=Health.LOGIN_REFUSED)

    assert health.verdict(stopped, Outcome.REFUSED, NOW, FIVE).notice is None
    assert health.verdict(replace(stopped, failures=0), Outcome.REFUSED, NOW, FIVE).notice is not None


def test_a_doubted_login_is_tried_again_an_interval_later() -> None:
    """It counts as a failure, and does not lengthen the wait."""
    found = health.verdict(PROVEN, Outcome.DOUBTFUL, NOW, FIVE)

    assert (found.failures, found.backoff) == (1, 0)


@given(st.lists(st.tuples(st.sampled_from([*LASTING, Outcome.FINE, Outcome.DOUBTFUL]), st.integers(1, 60))))
def test_an_episode_has_one_notice_and_one_all_clear(story: list[tuple[Outcome, int]]) -> None:
    """Whatever fails in whatever order: notices and all-clears take turns, and each all-clear comes with a success."""
    mailbox, now, told = PROVEN, NOW, []
    for found, minutes in story:
        now += timedelta(minutes=minutes)
        verdict = health.verdict(mailbox, found, now, FIVE)
        if verdict.notice:
            told.append(verdict.notice)
            assert (verdict.notice is Notice.ALL_CLEAR) == (found is Outcome.FINE)
        mailbox = replace(
            mailbox,
            health=verdict.health,
            failures=verdict.failures,
            has_alarm=mailbox.has_alarm if verdict.notice is None else found is not Outcome.FINE,
            last_success_at=now if found is Outcome.FINE else mailbox.last_success_at,
        )

    assert all((notice is Notice.ALL_CLEAR) == bool(at % 2) for at, notice in enumerate(told))


@given(st.sampled_from(BAD), st.sampled_from(BAD))
def test_a_mailbox_that_fails_now_and_then_is_not_told_of(first: Outcome, second: Outcome) -> None:
    """Every other poll failing raises no notice, unless the owner is needed at once."""
    mailbox, notices = PROVEN, []
    for at, found in enumerate((first, Outcome.FINE, second, Outcome.FINE) * 5):
        now = NOW + FIVE * (at + 1)
        verdict = health.verdict(mailbox, found, now, FIVE)
        notices.append(verdict.notice)
        success = now if found is Outcome.FINE else mailbox.last_success_at
        mailbox = replace(mailbox, health=verdict.health, failures=verdict.failures, last_success_at=success)

    needs_owner = {Outcome.REFUSED, Outcome.ASKED} & {first, second}
    assert any(notices) is bool(needs_owner)
