"""How often a method may be called: leaky buckets by method, and by channel for posts.

Slack publishes floors per minute and says that short bursts pass; the sandbox allows one minute's worth at once,
and for posts about one a second with a few ahead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_PER_MINUTE: Final = {1: 1, 2: 20, 3: 50, 4: 100}
_SPECIAL: Final = 600
POST_BURST: Final = 4.0
_MAX_BUCKETS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` calls at once, then `per_second`."""

    burst: float
    per_second: float


POSTING: Final = Rate(POST_BURST, 1.0)


def tier(number: int | None) -> Rate:
    """The rate of a published tier; None is a special tier of hundreds a minute."""
    calls = _SPECIAL if number is None else _PER_MINUTE[number]
    return Rate(calls, calls / 60)


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Limits:
    """The buckets of the workspace; switched off by `enabled = False`.

    Attributes:
        rates: methods that have another rate here than Slack publishes.
    """

    def __init__(self) -> None:
        self.enabled = True
        self.rates: dict[str, Rate] = {}
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def wait(self, method: str, channel: str, rate: Rate, now: float) -> int | None:
        """Take one call; None if it may go on, else the whole seconds of `Retry-After`."""
        if not self.enabled:
            return None
        rate = self.rates.get(method, rate)
        bucket = self._bucket((method, channel), rate, now)
        bucket.left = min(rate.burst, bucket.left + (now - bucket.at) * rate.per_second)
        bucket.at = now
        if bucket.left < 1:
            return max(1, math.ceil((1 - bucket.left) / rate.per_second))
        bucket.left -= 1
        return None

    def _bucket(self, key: tuple[str, str], rate: Rate, now: float) -> _Bucket:
        if key not in self._buckets and len(self._buckets) >= _MAX_BUCKETS:
            del self._buckets[next(iter(self._buckets))]
        return self._buckets.setdefault(key, _Bucket(rate.burst, now))
