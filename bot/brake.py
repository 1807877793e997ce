"""When a listing looks as if a server had numbered all its mail anew. Pure.

UIDs are all we know messages by, so a server that changes them makes everything new: the whole maildrop would be posted
again. Other reasons to see much that is new are more common, and none of them may raise a question: a maildrop that was
emptied, by our own delete setting or by another program, and a server that lists nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from storage.records import SeenState

if TYPE_CHECKING:
    from storage.records import Seen

ASK_FROM: Final = 10
"""Fewer known messages say little about a maildrop, and fewer unknown ones may simply be posted."""

ASK_KNOWN_SHARE: Final = 5
"""At most one in so many may still be there before the rest counts as renamed: a server that moves keeps none."""

ASK_NEW_SHARE: Final = 2
"""The unknown are at least the known, shared by this: after a change all that lay there comes back under other UIDs,
while after another program emptied the maildrop only what is new since stands in it."""

NOT_HELD: Final = frozenset({SeenState.DELETING, SeenState.DELETED, SeenState.ASKED})
"""Known, and nobody wonders where they are."""


@dataclass(slots=True)
class Counts:
    """What a listing holds against what is known.

    Attributes:
        held: messages that should be on the server.
        known: those of them that are listed.
        unknown: listed messages never met, or known as deleted.
        open: listed messages of which the owner was asked.
        old: old messages still to come that are listed, of `old_wanted` altogether.
    """

    held: int = 0
    known: int = 0
    unknown: int = 0
    open: int = 0
    old: int = 0
    old_wanted: int = 0

    def add(self, row: Seen | None) -> None:
        """Count one line."""
        if looks_new(row):
            self.unknown += 1
        elif row is not None and row.state is SeenState.ASKED:
            self.open += 1
        else:
            self.known += 1

    def is_alien(self, expected: int) -> bool:
        """Whether nearly everything that should be there is not."""
        return expected >= ASK_FROM and self.known * ASK_KNOWN_SHARE <= expected

    def is_refilled(self, expected: int) -> bool:
        """Whether about as much stands in its place."""
        return self.unknown >= max(ASK_FROM, expected / ASK_NEW_SHARE)


def looks_new(known: Seen | None) -> bool:
    """Whether a listed UID was never met, or is known to be deleted."""
    return known is None or known.state is SeenState.DELETED
