"""How many calls of one method of Slack's may be made now: a minute's worth at once, then one after the other.

Slack counts each method apart and names floors per minute only. What it says itself, by a 429 with a time to wait, counts
more: nothing is asked before that, and no burst after it. A method may also have so many calls in any minute, whenever they
come: then those of before a 429 are free again a minute after they were made, which is believed until it is refused.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

MARGIN: Final = timedelta(milliseconds=50)
"""Slack counts from when a call arrives: who counts from when it is sent comes too early, and waits for that."""

TIER_THREE: Final = 50
"""Calls a minute of each method that is counted here."""

MINUTE: Final = timedelta(minutes=1)

_PER_SECOND: Final = TIER_THREE / 60


class Allowance:
    """The calls that are left of one method."""

    def __init__(self) -> None:
        self._left = float(TIER_THREE)
        self._at: datetime | None = None
        self._calls: deque[datetime] = deque()
        self._held_at: datetime | None = None
        self._freed_at: datetime | None = None
        self._counts_minutes = True

    def take(self, now: datetime) -> bool:
        """Whether a call may be made; it then is counted."""
        self._fill(now)
        if self._left < 1:
            return False
        self._left -= 1
        self._calls.append(now)
        return True

    def left(self, now: datetime) -> int:
        """How many may be made at once."""
        self._fill(now)
        return max(0, int(self._left))

    def seconds(self, now: datetime) -> float:
        """In how many seconds the next call may be made; 0 for at once."""
        self._fill(now)
        return max(0.0, 1 - self._left) / _PER_SECOND

    def hold(self, now: datetime, seconds: float) -> None:
        """Slack took none of what was called last, and wants no call for so long; one may be made then."""
        self._fill(now)
        self._held_at = now
        if self._calls:
            self._calls.pop()
        if self._freed_at is not None:
            since = sum(made_at >= self._freed_at for made_at in self._calls)
            self._counts_minutes = self._counts_minutes and since >= TIER_THREE
            self._freed_at = None
        # A debt that is paid when the time is over. Several calls may come back with the same word: the longest counts.
        self._left = min(self._left, 1 - seconds * _PER_SECOND)

    def _fill(self, now: datetime) -> None:
        if self._at is None or self._at - now > 2 * MARGIN:  # at first, or the clock went back
            self._at = now + MARGIN
            self._calls.clear()
        elif now > self._at:
            passed = (now - self._at).total_seconds()
            self._left = min(TIER_THREE, self._left + passed * _PER_SECOND)
            self._at = now + MARGIN if self._left == TIER_THREE else now
        while self._calls and self._calls[0] + MINUTE + MARGIN <= now:
            made_at = self._calls.popleft()
            if self._counts_minutes and self._held_at is not None and made_at <= self._held_at:
                self._left = min(TIER_THREE, self._left + 1)
                self._freed_at = self._freed_at or now
