"""How a mailbox fares: what each outcome of a poll makes of it, and what its owner is told. Pure.

One notice and one all-clear per episode. An episode begins with the first poll that fails and ends with the first
that does not; what passes by itself is told only once it lasts, what needs the owner at once. A second kind of failure
within an episode is not told again, unless it needs the owner. A paused mailbox, or one that is not active, is not
polled, so its health stays what the last poll found.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bot.errors import (
    BotError,
    CertificateInvalid,
    ConnectionLost,
    LoginRejected,
    MaildropBusy,
    ServerUnreachable,
    TlsUnavailable,
)
from storage.records import Health, Notice

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from storage.records import Mailbox

LASTING_INTERVALS: Final = 3
LASTING_FAILURES: Final = 3
"""Without a successful check for so many intervals, and so many failed ones, a passing fault is told."""


class Outcome(StrEnum):
    """How a poll went."""

    FINE = "fine"
    ASKED = "asked"  # nearly all UIDs look new, so nothing was fetched
    DOUBTFUL = "doubtful"  # login refused without [AUTH] after it had worked: it may be throttling
    REFUSED = "refused"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    FAULT = "fault"


class Told(StrEnum):
    """When the owner is told of an outcome."""

    NEVER = "never"
    AT_ONCE = "at_once"
    EACH_TIME = "each_time"
    LASTING = "lasting"
    AFTER_ALARM = "after_alarm"


@dataclass(frozen=True, slots=True)
class Rule:
    """What an outcome leads to.

    Attributes:
        health: the state that follows, whatever the state before.
        notice: what the owner is told, if `told` says so.
        stops: polling stops until the owner acts.
        backs_off: the next poll waits longer with each failure.
    """

    health: Health
    notice: Notice | None
    told: Told
    stops: bool = False
    backs_off: bool = True


RULES: Final = {
    Outcome.FINE: Rule(Health.OK, Notice.ALL_CLEAR, Told.AFTER_ALARM, backs_off=False),
    Outcome.ASKED: Rule(Health.ASKED, Notice.ASKED, Told.EACH_TIME, stops=True),
    Outcome.DOUBTFUL: Rule(Health.LOGIN_DOUBTED, None, Told.NEVER, backs_off=False),
    Outcome.REFUSED: Rule(Health.LOGIN_REFUSED, Notice.LOGIN_REFUSED, Told.AT_ONCE, stops=True),
    Outcome.BUSY: Rule(Health.MAILDROP_BUSY, Notice.MAILDROP_BUSY, Told.LASTING),
    Outcome.UNREACHABLE: Rule(Health.UNREACHABLE, Notice.UNREACHABLE, Told.LASTING),
    Outcome.CERTIFICATE: Rule(Health.CERTIFICATE_INVALID, Notice.CERTIFICATE_INVALID, Told.LASTING),
    Outcome.FAULT: Rule(Health.SERVER_FAULT, Notice.SERVER_FAULT, Told.LASTING),
}

_OUTCOMES: Final[tuple[tuple[type[BotError], Outcome], ...]] = (
    (LoginRejected, Outcome.REFUSED),
    (MaildropBusy, Outcome.BUSY),
    (CertificateInvalid, Outcome.CERTIFICATE),
    (TlsUnavailable, Outcome.CERTIFICATE),
    (ServerUnreachable, Outcome.UNREACHABLE),
    (ConnectionLost, Outcome.UNREACHABLE),
    (BotError, Outcome.FAULT),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a poll made of a mailbox.

    Attributes:
        failures: polls failed in a row, this one included.
        backoff: how often the wait for the next poll is doubled.
        stops: there is no next poll until the owner acts.
    """

    health: Health
    failures: int
    backoff: int
    notice: Notice | None
    stops: bool


def outcome(mailbox: Mailbox, error: BotError) -> Outcome:
    """How a poll went that ended in an error; a login refused without `[AUTH]` after it worked is tried once more."""
    found = next(found for family, found in _OUTCOMES if isinstance(error, family))
    if not isinstance(error, LoginRejected) or error.is_certain:
        return found
    has_worked = mailbox.last_success_at is not None
    was_doubted = mailbox.health in {Health.LOGIN_DOUBTED, Health.LOGIN_REFUSED}
    return Outcome.DOUBTFUL if has_worked and not was_doubted else found


def verdict(mailbox: Mailbox, found: Outcome, now: datetime, interval: timedelta) -> Verdict:
    """What a poll makes of a mailbox.

    Args:
        interval: the mailbox's usual wait between two polls.
    """
    rule = RULES[found]
    failures = 0 if found is Outcome.FINE else mailbox.failures + 1
    notice = rule.notice if _is_told(mailbox, rule, failures, now, interval) else None
    return Verdict(rule.health, failures, failures if rule.backs_off else 0, notice, rule.stops)


def _is_told(mailbox: Mailbox, rule: Rule, failures: int, now: datetime, interval: timedelta) -> bool:
    if rule.told is Told.AFTER_ALARM:
        return mailbox.has_alarm
    if rule.told is Told.EACH_TIME:  # only an owner who resumes lets the question be put again
        return True
    if rule.told is Told.AT_ONCE:
        # After the owner's change the failures begin anew: refused again is news to whoever just saw the test pass.
        return not (mailbox.has_alarm and mailbox.health is rule.health and mailbox.failures)
    if rule.told is Told.NEVER or mailbox.has_alarm:
        return False
    since = now - (mailbox.last_success_at or mailbox.created_at)
    return failures >= LASTING_FAILURES and since >= interval * LASTING_INTERVALS
