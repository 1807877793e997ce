"""How many calls of one method of Slack's may be made now: a minute's worth at once, then one after the other.

Slack counts each method apart and names floors per minute only. What it says itself, by a 429 with a time to wait, counts
more: nothing is asked before that, and no burst after it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

MARGIN: Final = timedelta(milliseconds=50)
"""Slack counts from when a call arrives: who counts from when it is sent comes too early, and waits for that."""

TIER_THREE: Final = 50
"""Calls a minute."""


class Allowance:
    """The calls that are left of one method."""

    def __init__(self, per_minute: int = TIER_THREE) -> None:
        self._most = float(per_minute)
        self._per_second = per_minute / 60
        self._left = self._most
        self._at: datetime | None = None

    def take(self, now: datetime) -> bool:
        """Whether a call may be made; it then is counted."""
        self._fill(now)
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def left(self, now: datetime) -> int:
        """How many may be made at once."""
        self._fill(now)
        return max(0, int(self._left))

    def seconds(self, now: datetime) -> float:
        """In how many seconds the next call may be made; 0 for at once."""
        self._fill(now)
        return max(0.0, 1 - self._left) / self._per_second

    def hold(self, now: datetime, seconds: float) -> None:
        """Slack wants no call for so long; one may be made then."""
        self._fill(now)
        # A debt that is paid when the time is over. Several calls may come back with the same word: the longest counts.
        self._left = min(self._left, 1 - seconds * self._per_second)

    def _fill(self, now: datetime) -> None:
        if self._at is None or self._at - now > 2 * MARGIN:  # at first, or the clock went back
            self._at = now + MARGIN
        elif now > self._at:
            passed = (now - self._at).total_seconds()
            self._left = min(self._most, self._left + passed * self._per_second)
            self._at = now + MARGIN if self._left == self._most else now
