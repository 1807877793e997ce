"""How fast posts follow each other in one channel."""

from __future__ import annotations

from aiolimiter import AsyncLimiter

BURST = 5
"""Slack takes about one post a second per channel and forgives a short burst."""

PACED_CHANNELS = 10_000


class Paces:
    """A limiter for each channel."""

    def __init__(self) -> None:
        self._paces: dict[str, AsyncLimiter] = {}

    def of(self, channel: str) -> AsyncLimiter:
        """That of a channel."""
        if len(self._paces) > PACED_CHANNELS:
            self._paces.clear()
        return self._paces.setdefault(channel, AsyncLimiter(BURST, BURST))
