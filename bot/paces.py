"""How fast posts follow each other in one channel."""

from __future__ import annotations

import asyncio

from aiolimiter import AsyncLimiter

BURST = 5
"""Slack takes about one post a second per channel and forgives a short burst."""

ALONE_SECONDS = 1.1
"""Between two posts where it forgives none; it counts from when a post arrives, so a second alone is too little."""

AGAIN_SECONDS = 60.0
"""Within this time a second refusal is no accident."""

PACED_CHANNELS = 10_000


class Paces:
    """A limiter for each channel."""

    def __init__(self) -> None:
        self._paces: dict[str, AsyncLimiter] = {}
        self._refused_at: dict[str, float] = {}

    def of(self, channel: str) -> AsyncLimiter:
        """That of a channel."""
        if len(self._paces) > PACED_CHANNELS:
            self._paces.clear()
            self._refused_at.clear()
        return self._paces.setdefault(channel, AsyncLimiter(BURST, BURST))

    def refused(self, channel: str) -> None:
        """A post came too soon for Slack; from the second time in a minute on, no burst is tried there any more."""
        now = asyncio.get_running_loop().time()
        before = self._refused_at.get(channel)
        self._refused_at[channel] = now
        if before is not None and now - before < AGAIN_SECONDS:
            self._paces[channel] = AsyncLimiter(1, ALONE_SECONDS)
