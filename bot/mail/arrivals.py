"""When messages arrived, as their headers tell it, asked of the server without the messages.

The Date field is the sender's word and often wrong, so the topmost Received field counts, which the last server wrote;
Date only where there is none.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from bot.mail import headers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

DAYS: Final = timedelta(days=7)
HEADS: Final = 2_000
"""So many headers are asked for at most; who has more mail than that in a week gets the newest."""

_BATCH: Final = 50


class Heads(Protocol):
    """What is needed of a session: `bot.mail.pop3_client.Session.heads`."""

    async def heads(self, numbers: Sequence[int]) -> Mapping[int, bytes]:
        """The headers of messages."""


def arrival(head: bytes) -> datetime | None:
    """When a message of this header arrived; None when it does not tell."""
    fields, _ = headers.parsed(head)
    return headers.date(fields.raw("received").rpartition(b";")[2].strip()) or headers.date(
        fields.raw("date")
    )


async def recent_numbers(session: Heads, numbers: Sequence[int], now: datetime) -> frozenset[int] | None:
    """The messages that arrived in the last seven days; one that does not tell when counts as one of them.

    Asks from the newest backwards and stops where a whole batch is older: numbers follow arrival, if not strictly.

    Args:
        numbers: of all messages, ascending.

    Returns:
        None when the server does not tell anything of a message without sending it.
    """
    recent: set[int] = set()
    newest = numbers[-HEADS:]
    for end in range(len(newest), 0, -_BATCH):
        batch = newest[max(0, end - _BATCH) : end]
        heads = await session.heads(batch)
        if not heads:
            return None
        times = {number: arrival(heads[number]) if number in heads else None for number in batch}
        fresh = {number for number, time in times.items() if time is None or time > now - DAYS}
        recent |= fresh
        if not fresh:
            break
    return frozenset(recent)
