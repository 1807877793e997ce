"""A clock that a test may push forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """The time, and what a test pushed it ahead by."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Now, aware UTC."""
        return datetime.now(UTC) + self.ahead
