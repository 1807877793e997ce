"""A week of 2,000 mailboxes on frozen time: how often servers are asked, and what owners are told.

The rules are `bot.pace` and `bot.health` themselves; around them a model of providers, of mail and of what goes wrong:
one host down for five hours, another that fails now and then, our own line cut for two hours, the bot down for three,
passwords changed, owners who ask. It begins with every mailbox due in the same second.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from bot import health, pace
from bot.health import Outcome
from bot.mail import providers
from storage.records import Health, Mailbox, Notice
from tests.unit.samples import MAILBOX

if TYPE_CHECKING:
    from bot.pace import Pace

MAILBOXES: Final = 2_000
SETTING: Final = timedelta(minutes=15)
BEGIN: Final = datetime(2026, 11, 23, tzinfo=UTC)
DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
SECOND: Final = timedelta(seconds=1)
END: Final = BEGIN + 7 * DAY

MOST_A_SECOND: Final = 15
"""Every quarter of an hour, 2,000 mailboxes are 2.2 polls a second; what is overdue comes ten a second."""

DOWN: Final = (BEGIN + DAY, BEGIN + DAY + 5 * HOUR)
CUT: Final = (BEGIN + 2 * DAY, BEGIN + 2 * DAY + 2 * HOUR)
OFF: Final = (BEGIN + 4 * DAY, BEGIN + 4 * DAY + 3 * HOUR)
CHANGED, MENDED = BEGIN + 3 * DAY, BEGIN + 3 * DAY + 20 * HOUR

ADDRESSES: Final = ("a@gmail.com", "a@web.de", "a@posteo.de", "a@down.example", "a@flaky.example")
"""One mailbox in five is with each; the last two are unknown to the table."""

MAILS_A_WEEK: Final = (70, 1, 1, 0, 0, 0, 0)
"""How much mail comes: to one of seven mailboxes ten a day, to two one a week, to four none."""

FLAKY: Final = 0.05


@dataclass
class Simulated:
    """One mailbox as the simulation keeps it.

    Attributes:
        mail: when new mail comes, the next one last.
        version: of its place in the queue; older places are void.
        gaps: the shortest between two polls, by itself and by hand.
    """

    host: str
    pace: Pace
    record: Mailbox
    mail: list[datetime]
    polled_at: datetime | None = None
    last_mail_at: datetime | None = None
    failures: int = 0
    was_asked: bool = True
    version: int = 0
    polls: int = 0
    notices: list[Notice] = field(default_factory=list)
    gaps: list[timedelta] = field(default_factory=lambda: [7 * DAY, 7 * DAY])
    latest: timedelta = timedelta(0)


class Week:
    """Everything at once: `run` gives the polls of each second."""

    def __init__(self) -> None:
        self.chance = random.Random(7)
        self.seconds: Counter[int] = Counter()
        self.queue: list[tuple[datetime, int, int]] = []
        known = providers.load()
        self.boxes = [self._mailbox(at, known) for at in range(MAILBOXES)]
        self._spread(BEGIN, range(MAILBOXES))
        self.deeds = sorted(
            [(BEGIN + 7 * DAY * self.chance.random(), at) for at in range(MAILBOXES)]  # an owner asks
            + [(MENDED + HOUR * self.chance.random(), at) for at in self.changed()]
        )

    @staticmethod
    def changed() -> range:
        """The mailboxes whose password was changed elsewhere."""
        return range(0, MAILBOXES, 100)

    def _mailbox(self, at: int, known: providers.Providers) -> Simulated:
        address = ADDRESSES[at % 5]
        provider = known.by_address(address)
        days = [7 * DAY * self.chance.random() for _ in range(MAILS_A_WEEK[at % 7])]
        record = replace(MAILBOX, created_at=BEGIN - 30 * DAY, last_success_at=BEGIN, health=Health.OK)
        return Simulated(
            host=address.partition("@")[2],
            pace=pace.bounds(SETTING, provider, is_exact=False),
            record=record,
            mail=sorted((BEGIN + day for day in days), reverse=True),
            polled_at=BEGIN - 5 * SETTING,
            last_mail_at=BEGIN if len(days) > 7 else None,
        )

    def _spread(self, now: datetime, overdue: range | list[int]) -> None:
        for at, due in zip(overdue, pace.caught_up(now, SETTING, len(overdue)), strict=True):
            self._plan(at, due)

    def _plan(self, at: int, due: datetime | None) -> None:
        self.boxes[at].version += 1
        if due is not None:
            heapq.heappush(self.queue, (due, at, self.boxes[at].version))

    def run(self) -> None:
        """From the first second to the last."""
        deeds, is_off = iter([*self.deeds, (END, 0)]), False
        asks, who = next(deeds)
        while self.queue[0][0] < END:
            now, at, version = heapq.heappop(self.queue)
            while asks < now:
                self._ask(who, asks)
                asks, who = next(deeds)
            if version != self.boxes[at].version:
                continue
            if not is_off and now >= OFF[0]:
                is_off = True
                heapq.heappush(self.queue, (now, at, version))
                self._start_again()
            else:
                self._poll(self.boxes[at], at, now)

    def _start_again(self) -> None:
        """The bot was down; what came due meanwhile is overdue now."""
        overdue = []
        while self.queue and self.queue[0][0] <= OFF[1]:
            _, at, version = heapq.heappop(self.queue)
            overdue += [at] if version == self.boxes[at].version else []
        self._spread(OFF[1], overdue)

    def _ask(self, at: int, now: datetime) -> None:
        box = self.boxes[at]
        if OFF[0] <= now < OFF[1]:
            return
        if box.record.health is Health.LOGIN_REFUSED:
            if now < MENDED:
                return
            box.failures, box.record = 0, replace(box.record, failures=0)
        box.was_asked = True
        self._plan(at, pace.earliest(self._as_stored(box), box.pace, now))

    @staticmethod
    def _as_stored(box: Simulated) -> Mailbox:
        return replace(box.record, polled_at=box.polled_at, failures=box.failures)

    def _outcome(self, box: Simulated, at: int, now: datetime) -> Outcome:
        if CUT[0] <= now < CUT[1] or (box.host == "down.example" and DOWN[0] <= now < DOWN[1]):
            return Outcome.UNREACHABLE
        if at % 100 == 0 and CHANGED <= now < MENDED:
            return Outcome.REFUSED
        is_flaky = box.host == "flaky.example" and self.chance.random() < FLAKY
        return Outcome.BUSY if is_flaky else Outcome.FINE

    def _poll(self, box: Simulated, at: int, now: datetime) -> None:
        self.seconds[int((now - BEGIN).total_seconds())] += 1
        box.polls += 1
        gap = now - box.polled_at if box.polled_at else timedelta(0)
        box.gaps[box.was_asked] = min(box.gaps[box.was_asked], gap)
        box.was_asked = False
        found = self._outcome(box, at, now)
        if found is Outcome.FINE:
            self._fetch(box, now)
        quiet = now - (box.last_mail_at or box.record.created_at)
        usual = pace.wait(box.pace, quiet, gap)
        backoff, stops = 0, False
        if found is not Outcome.FINE or box.failures or box.record.has_alarm:
            backoff, stops = self._judge(box, found, now, pace.wanted(box.pace, quiet))
        if found is Outcome.FINE:
            box.record = box.record if not box.failures else replace(box.record, last_success_at=now)
        box.polled_at = now
        due = pace.next_poll(now, box.pace, usual, backoff, self.chance.random())
        self._plan(at, None if stops else due)

    @staticmethod
    def _fetch(box: Simulated, now: datetime) -> None:
        while box.mail and box.mail[-1] <= now:
            came = box.mail.pop()
            if not any(begin - 2 * HOUR <= came < end + HOUR for begin, end in (DOWN, CUT, OFF)):
                box.latest = max(box.latest, now - came)
            box.last_mail_at = now

    @staticmethod
    def _judge(box: Simulated, found: Outcome, now: datetime, usual: timedelta) -> tuple[int, bool]:
        # The simulation notes successes only while something fails, so the last one is taken from the last poll.
        success = box.polled_at if not box.failures else box.record.last_success_at
        record = replace(box.record, failures=box.failures, last_success_at=success)
        verdict = health.verdict(record, found, now, usual)
        has_alarm = record.has_alarm if verdict.notice is None else found is not Outcome.FINE
        box.notices += [verdict.notice] if verdict.notice else []
        box.failures = verdict.failures
        box.record = replace(record, health=verdict.health, failures=verdict.failures, has_alarm=has_alarm)
        return verdict.backoff, verdict.stops


pytestmark = pytest.mark.xdist_group("simulated week")
"""To one worker: to live through it takes seconds."""


@pytest.fixture(scope="module")
def week() -> Week:
    """The week, lived through once."""
    found = Week()
    found.run()
    polls, fixed = sum(found.seconds.values()), MAILBOXES * int(7 * DAY / SETTING)
    told = Counter(notice for box in found.boxes for notice in box.notices)
    print(f"\n{polls:,} polls, {polls / fixed:.0%} of polling each every {SETTING}; {dict(told)}")  # noqa: T201 - the figures
    print(f"most in a second {max(found.seconds.values())}, mean {polls / (END - BEGIN).total_seconds():.1f}")  # noqa: T201
    return found


def test_no_second_has_more_than_its_share(week: Week) -> None:
    """From the common start through every outage and restart, at most 15 polls begin in any second."""
    assert max(week.seconds.values()) <= MOST_A_SECOND


def test_every_floor_is_kept(week: Week) -> None:
    """No mailbox is polled by itself under its interval, nor by hand under its provider's minimum."""
    assert all(box.gaps[False] >= box.pace.interval for box in week.boxes)
    assert all(box.gaps[True] >= box.pace.floor for box in week.boxes)


def test_quiet_mailboxes_are_left_in_peace(week: Week) -> None:
    """Those without mail are polled less than a quarter as often, and all together less than half."""
    silent = [box.polls for at, box in enumerate(week.boxes) if at % 7 > 2 and at % 5 > 1]
    lively = [box.polls for at, box in enumerate(week.boxes) if at % 7 < 1 and at % 5 > 1]

    assert sum(silent) / len(silent) < sum(lively) / len(lively) / 4
    assert sum(week.seconds.values()) < MAILBOXES * (7 * DAY / SETTING) / 2


def test_mail_is_not_long_in_coming(week: Week) -> None:
    """While all is well no mail waits longer than the upper bound, and in a lively mailbox than the lower."""
    for at, box in enumerate(week.boxes):
        if at % 100 == 0 or box.host == "flaky.example":
            continue  # waited for its owner, or for its server
        is_lively = MAILS_A_WEEK[at % 7] == 70
        bound = box.pace.interval if is_lively else box.pace.longest
        assert box.latest <= bound * (1 + pace.SPREAD), (at, box.latest)


def test_owners_hear_of_each_outage_once(week: Week) -> None:
    """Notices and all-clears take turns, at most one pair for each outage, and after the week nothing is left open."""
    for at, box in enumerate(week.boxes):
        if box.host == "flaky.example":
            continue
        notices = [notice for notice in box.notices if notice is not Notice.LOGIN_REFUSED]
        if at % 100:
            assert [notice is Notice.ALL_CLEAR for notice in notices] == [False, True] * (len(notices) // 2)
        assert len(notices) <= 2 * (1 + (box.host == "down.example")) + (at % 100 == 0), (at, box.notices)
        assert box.notices.count(Notice.LOGIN_REFUSED) == (at % 100 == 0)
        assert not box.record.has_alarm
    told = [box for box in week.boxes if box.host == "down.example" and Notice.UNREACHABLE in box.notices]
    assert len(told) == MAILBOXES / 5


def test_a_host_that_fails_now_and_then_is_no_news(week: Week) -> None:
    """One poll in twenty failing is told of to hardly anybody: three in a row are no chance."""
    told = [box for box in week.boxes if Notice.MAILDROP_BUSY in box.notices]

    assert len(told) <= MAILBOXES / 5 / 20
