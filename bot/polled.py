"""What one poll leaves behind: the mailbox's state, what its owner is told, when the next poll comes. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot import backlog, calm, health, pace, plan
from bot.errors import BotError, ConnectionLost, RemoteProtocolError
from bot.health import Outcome
from storage.records import PollResult

if TYPE_CHECKING:
    from datetime import datetime

    from bot.pace import Pace
    from bot.plan import Listed
    from storage.records import Mailbox, Tail
    from storage.wishes import Wanted


@dataclass(frozen=True, slots=True)
class Found:
    """What a session saw of the maildrop. `listed_at` is set by a full listing only; `asks` as in `plan.Plan`.

    `wanted` is what its owner wants whole, each with its message number, None where it is not listed. `old`: how many of
    `lines` are old mail that is brought bit by bit.
    """

    lines: tuple[Listed, ...]
    delete: tuple[Listed, ...]
    tail: Tail | None
    listed_at: datetime | None
    listed: int
    asks: bool = False
    has_old_left: bool = False
    wanted: tuple[tuple[Wanted, int | None], ...] = ()
    old: int = 0


def after_success(
    mailbox: Mailbox,
    found: Found,
    capabilities: frozenset[str],
    bounds: Pace,
    now: datetime,
    *,
    chance: float,
) -> PollResult:
    """What is recorded of a session that went to its end.

    Args:
        capabilities: what the server said it can do.
        chance: 0 to 1, as in `pace.next_poll`.
    """
    last_mail_at = now if found.lines else mailbox.last_mail_at
    outcome = Outcome.ASKED if found.asks else Outcome.FINE
    verdict, due_at = _judged(replace(mailbox, last_mail_at=last_mail_at), outcome, bounds, now, chance)
    if found.has_old_left and due_at is not None:
        due_at = min(due_at, now + backlog.rest(bounds))
    return PollResult(
        health=verdict.health,
        due_at=due_at,
        failures=verdict.failures,
        polled_at=now,
        last_success_at=now,
        last_mail_at=last_mail_at,
        watched=plan.watched(mailbox, now),
        tail=found.tail,
        listed_at=found.listed_at or mailbox.listed_at,
        listed=found.listed,
        capabilities=plan.remembered(capabilities),
        one_by_one=mailbox.one_by_one,
        notice=verdict.notice,
        notice_until=calm.held(mailbox.calm, mailbox.zone, mailbox.id, now).notices,
    )


def after_failure(
    mailbox: Mailbox, error: BotError, bounds: Pace, now: datetime, *, chance: float
) -> PollResult:
    """What is recorded of a session that ended in an error; the next one lists everything."""
    verdict, due_at = _judged(mailbox, health.outcome(mailbox, error), bounds, now, chance)
    return PollResult(
        health=verdict.health,
        due_at=due_at,
        failures=verdict.failures,
        polled_at=now,
        last_success_at=mailbox.last_success_at,
        last_mail_at=mailbox.last_mail_at,
        watched=plan.watched(mailbox, now),
        tail=None,
        listed_at=mailbox.listed_at,
        listed=mailbox.listed,
        capabilities=None,
        one_by_one=plan.goes_one_by_one(
            was=mailbox.one_by_one,
            failures=mailbox.failures,
            is_broken_off=isinstance(error, ConnectionLost | RemoteProtocolError),
        ),
        notice=verdict.notice,
        notice_until=calm.held(mailbox.calm, mailbox.zone, mailbox.id, now).notices,
    )


def _judged(
    mailbox: Mailbox, outcome: Outcome, bounds: Pace, now: datetime, chance: float
) -> tuple[health.Verdict, datetime | None]:
    """What the poll makes of the mailbox, and when the next one comes."""
    quiet = pace.quiet_for(mailbox, now)
    verdict = health.verdict(mailbox, outcome, now, pace.wanted(bounds, quiet))
    usual = pace.wait(bounds, quiet, pace.gap_of(mailbox, now))
    due_at = pace.next_poll(now, bounds, usual, verdict.backoff, chance)
    return verdict, None if verdict.stops else due_at
