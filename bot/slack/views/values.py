"""What the result and list views are built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.errors import BotError


@dataclass(frozen=True, slots=True)
class Tested:
    """How far the test of one server came. `failed` is None when every step passed, else `sentence` says why."""

    passed: tuple[Step, ...]
    failed: Step | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a connection test found.

    `outgoing` is None when there is no outgoing server, or it was not reached because the incoming one failed.
    `messages`: how many lie in the maildrop, once the test knows.
    """

    incoming: Tested
    outgoing: Tested | None = None
    messages: int | None = None

    @property
    def is_incoming_fine(self) -> bool:
        """Mail can be fetched."""
        return self.incoming.failed is None

    @property
    def is_outgoing_refused(self) -> bool:
        """Mail can be fetched, but not sent."""
        return self.is_incoming_fine and self.outgoing is not None and self.outgoing.failed is not None


def outcome(begun: Sequence[Step], error: BotError | None = None) -> Tested:
    """How a test came out, from the steps it began and the error that ended it: that belongs to the last of them."""
    steps = tuple(dict.fromkeys(begun))
    if error is None:
        return Tested(steps)
    return Tested(steps[:-1], steps[-1] if steps else Step.CONNECT, error.sentence)
