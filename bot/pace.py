"""How often a mailbox is polled, decided from values alone.

A mailbox that receives mail is polled at its lower bound, one that has been quiet for days at its upper; new mail, or
an owner who asks, brings it back at once. Temporary faults lengthen the wait up to a bound. Chance, which is an
argument like `now`, keeps thousands apart. What a provider asks to be left between two sessions holds for every poll,
whoever asked for it and however the last one went.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.mail.providers import Provider
    from storage.records import Mailbox

FLOOR: Final = timedelta(minutes=1)
"""No mailbox is polled more often by itself, unless its host is one the operator allowed by name."""

STRETCH: Final = 6
LONGEST: Final = timedelta(hours=24)
"""A quiet mailbox waits so many times its interval, and no longer than this unless the interval itself is."""

LIVELY: Final = timedelta(days=2)
QUIET: Final = timedelta(days=7)
"""Up to the first without new mail nothing changes, a weekend least of all; from the second on the wait is longest."""

GROWTH: Final = 2
"""From one poll to the next the wait at most doubles: who has just asked is looked after for a while."""

BACKOFF_FACTOR: Final = 12
BACKOFF_BOUND: Final = timedelta(hours=1)

SPREAD: Final = 0.1
"""Up to this share of a wait is added by chance, so that mailboxes drift apart."""

CATCH_UP: Final = 10
"""So many mailboxes a second come when many are overdue, unless one interval is too short for that."""

_NOTHING: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Pace:
    """The bounds within which one mailbox is polled.

    Attributes:
        interval: between two polls while mail comes.
        longest: between two polls once none has come for days, without the spread.
        floor: from the end of one session to the next, also when the owner asks.
    """

    interval: timedelta
    longest: timedelta
    floor: timedelta


def bounds(setting: timedelta, provider: Provider | None, *, is_exact: bool) -> Pace:
    """The pace of a mailbox: never under the house's floor, nor under what its provider asks for or suggests.

    Args:
        setting: how often the operator wants mailboxes polled.
        is_exact: the operator allowed this host by name, so the setting counts there as it is.
    """
    if is_exact:
        return Pace(setting, setting, _NOTHING)
    wishes = (provider.min_poll, provider.suggested_poll) if provider else ()
    interval = max(setting, FLOOR, *(wish for wish in wishes if wish))
    longest = min(LONGEST, interval * STRETCH) / (1 + SPREAD)
    floor = provider.min_poll if provider else None
    return Pace(interval, max(interval, longest), floor or _NOTHING)


def wanted(pace: Pace, quiet: timedelta) -> timedelta:
    """How long to wait between two polls of a mailbox to which nothing came for so long."""
    if quiet <= LIVELY:
        return pace.interval
    share = min(1.0, (quiet - LIVELY) / (QUIET - LIVELY))
    return pace.interval + (pace.longest - pace.interval) * share


def quiet_for(mailbox: Mailbox, now: datetime) -> timedelta:
    """For how long nothing has come; a mailbox that never got mail has been quiet since it was added."""
    return now - (mailbox.last_mail_at or mailbox.created_at)


def wait(pace: Pace, quiet: timedelta, gap: timedelta) -> timedelta:
    """How long to wait after a poll that went well.

    Args:
        quiet: for how long nothing has come; zero when this poll found something.
        gap: since the poll before. One that came early was asked for, and the next are close to it too.
    """
    return max(pace.interval, min(wanted(pace, quiet), gap * GROWTH))


def gap_of(mailbox: Mailbox, now: datetime) -> timedelta:
    """The time since a mailbox's last poll, zero before its first."""
    return now - mailbox.polled_at if mailbox.polled_at else _NOTHING


def next_poll(now: datetime, pace: Pace, usual: timedelta, failures: int, chance: float) -> datetime:
    """When to poll a mailbox again; never sooner than `usual` from `now`.

    Args:
        usual: the wait after a poll that goes well.
        failures: polls failed in a row, 0 after a success; each doubles the wait up to a bound.
        chance: 0 to 1; the more failures, the more room it has.
    """
    bound = max(pace.interval, min(BACKOFF_BOUND, pace.interval * BACKOFF_FACTOR))
    backoff = min(bound, pace.interval * (1 << min(failures, 12)))
    least = max(usual, backoff / 2)
    return now + least + (max(backoff, least * (1 + SPREAD)) - least) * chance


def earliest(mailbox: Mailbox, pace: Pace, now: datetime) -> datetime:
    """When the provider allows the next session: that of the form's test counts too, a clock put back does not."""
    last = mailbox.polled_at or mailbox.created_at
    return max(now, last + pace.floor) if last <= now else now


def is_asked_for(mailbox: Mailbox, pace: Pace) -> bool:
    """Whether a due mailbox comes sooner than by itself: it is new, its owner asked, or a restart cut it short."""
    if mailbox.polled_at is None or mailbox.due_at is None:
        return True
    return mailbox.due_at < mailbox.polled_at + pace.interval


def put_off(now: datetime, usual: timedelta, chance: float) -> datetime:
    """When a mailbox comes again for which there was no place at its host."""
    return now + usual * chance


def caught_up(now: datetime, interval: timedelta, count: int) -> list[datetime]:
    """When so many overdue mailboxes come, in order: evenly, `CATCH_UP` a second or all within one interval."""
    whole = min(interval, timedelta(seconds=count / CATCH_UP))
    return [now + whole * place / count for place in range(count)]
