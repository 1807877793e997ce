"""Old mail bit by bit, decided from values alone: what comes at once, what in pieces, and how long that takes.

A few old messages come as ordinary posts. More of them would bury the DM, so they stand in the thread of one post and
come some with each poll; new mail goes first wherever the two meet.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.plan import OLD_BATCH

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bot.pace import Pace
    from bot.plan import Listed

AT_ONCE: Final = 20
"""So many old messages come as posts of their own."""

REST: Final = timedelta(minutes=3)
"""Between two polls while old mail is left: posting what one of them brings takes about as long."""

POST: Final = timedelta(seconds=1.2)
"""Slack takes about one post a second in a channel, and files count too."""


def in_pieces(lines: Sequence[Listed], skipped: Collection[bytes]) -> tuple[bytes, ...]:
    """The keys of the old messages that come bit by bit; none when so few are wanted that they come at once.

    Args:
        skipped: the keys of those that are not wanted.
    """
    if len(lines) - len(skipped) <= AT_ONCE:
        return ()
    unwanted = frozenset(skipped)
    return tuple(line.key for line in lines if line.key not in unwanted)


def rest(pace: Pace) -> timedelta:
    """How long a mailbox rests between two polls while old mail is left: as little as its provider allows."""
    return max(pace.floor, min(pace.interval, REST))


def takes(count: int, pause: timedelta) -> timedelta:
    """About how long it takes until so many messages stand in Slack.

    Args:
        pause: what `rest` says.
    """
    polls, last = divmod(count, OLD_BATCH)
    waits = pause * (polls if last else max(0, polls - 1))
    return max(POST * count, waits + POST * (last or min(count, OLD_BATCH)))
