"""What may happen to a maildrop and on the way to it, for the machine of `test_plan_machine`."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random  # noqa: TC003 - Hypothesis reads the annotation
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from storage.records import Seen, SeenState

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Mail:
    """One message on the server."""

    content: int
    uid: bytes


@dataclass(frozen=True)
class Row:
    """What our store knows of a key."""

    state: SeenState
    content: int | None = None
    attempts: int = 0
    is_whole: bool = False
    posted_at: datetime | None = None
    settled_watch: int = 0

    @property
    def is_settled(self) -> bool:
        """Whether the delete setting may act."""
        return self.is_whole and self.posted_at is not None

    def seen(self, due_until: int) -> Seen:
        """As the plan gets it."""
        return Seen(self.state, self.attempts, self.is_settled, self.settled_watch <= due_until)


class Broken(Exception):
    """The line is cut."""


@dataclass(frozen=True)
class Weather:
    """How one session goes.

    Attributes:
        hidden: places in the listing that it leaves out; everything where `is_blank`.
        order: gives messages their numbers, in order of arrival where None.
        refused: how many of the first messages are refused.
        breaks_at: the message at which the line is cut.
        quit: whether the server carries deletions out; that we hear of it makes no difference to us.
    """

    hidden: frozenset[int] = frozenset()
    is_blank: bool = False
    order: Random | None = None
    refused: int = 0
    breaks_at: int | None = None
    quits: bool = True


FAIR = Weather()
weathers = st.builds(
    Weather,
    hidden=st.frozensets(st.integers(0, 5), max_size=3),
    is_blank=st.booleans(),
    order=st.none() | st.randoms(use_true_random=False),
    refused=st.integers(0, 2),
    breaks_at=st.none() | st.integers(0, 3),
    quits=st.booleans(),
)
