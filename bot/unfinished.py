"""Sessions whose end was never recorded: an owner's change came first, or our database failed.

The mail server has seen them all the same, so what its provider asks to be left between two sessions counts from them
too. They are remembered by this process alone; whoever ends in order is forgotten at once, for the store knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot import pace

if TYPE_CHECKING:
    from datetime import datetime

    from bot.pace import Pace
    from storage.records import Mailbox

MOST: Final = 10_000
"""So many are remembered, the newest."""


class Unfinished:
    """When each of these sessions began, by mailbox id."""

    def __init__(self) -> None:
        self._begun: Final[dict[str, datetime]] = {}

    def begin(self, mailbox: Mailbox, now: datetime) -> None:
        """A connection is about to be made."""
        self._begun.pop(mailbox.id, None)
        self._begun[mailbox.id] = now
        if len(self._begun) > MOST:
            del self._begun[next(iter(self._begun))]

    def end(self, mailbox: Mailbox) -> None:
        """It went to its end, and that is recorded."""
        self._begun.pop(mailbox.id, None)

    def earliest(self, mailbox: Mailbox, bounds: Pace, now: datetime) -> datetime:
        """As `pace.earliest`, with these sessions in mind."""
        begun = self._begun.get(mailbox.id)
        stored = pace.earliest(mailbox, bounds, now)
        return max(stored, begun + bounds.floor) if begun is not None and begun <= now else stored
