"""When messages may be deleted on their server, as every layer counts it. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

DELETION_TRIES: Final = 4
"""So often a server is asked to delete a message that it does not delete; then it stays, unless its owner asks."""

LONGEST_WATCH: Final = timedelta(days=1)
"""What one gap between two polls adds to the time a maildrop was watched, at most: a clock may jump by years."""


def watch_at(watched: timedelta, polled_at: datetime | None, now: datetime) -> timedelta:
    """`Mailbox.watched` as a poll that ends now would leave it."""
    gap = timedelta(0) if polled_at is None else now - polled_at
    return watched + min(max(gap, timedelta(0)), LONGEST_WATCH)
