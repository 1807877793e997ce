"""What the result and list views are built from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.errors import MaildropBusy, ServerBusy, ServerUnreachable, Step

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from bot.errors import BotError
    from storage.dossier import Holding


@dataclass(frozen=True, slots=True)
class Tested:
    """How far the test of one server came.

    `failed` is None when every step passed, else `sentence` says why, and `is_busy` that the server serves nobody now.
    """

    passed: tuple[Step, ...]
    failed: Step | None = None
    sentence: str = ""
    is_busy: bool = False

    @property
    def was_tried(self) -> bool:
        """A test was made at all; one that was not is neither passed nor failed."""
        return bool(self.passed) or self.failed is not None


@dataclass(frozen=True, slots=True)
class Progress:
    """A connection test while it runs: the steps begun so far, of each server."""

    incoming: list[Step] = field(default_factory=list)
    outgoing: list[Step] = field(default_factory=list)


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


@dataclass(frozen=True, slots=True)
class OldMailComing:
    """How much old mail comes, and about how long that takes; many messages come in pieces, under one post.

    `has_no_dates`: the last seven days were asked for, and the server does not tell what came when.
    """

    count: int
    takes: timedelta
    is_in_pieces: bool
    has_no_dates: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was destroyed, and when; `id` stands in the log too and says nothing of whose it was."""

    id: str
    at: datetime
    held: Holding


def outcome(begun: Sequence[Step], error: BotError | None = None) -> Tested:
    """How a test came out, from the steps it began and the error that ended it: that belongs to the last of them.

    A server that is none reads the same however far it came: an open port is nobody's business either.
    """
    steps = tuple(dict.fromkeys(begun))
    if error is None:
        return Tested(steps)
    if isinstance(error, ServerUnreachable) and steps and steps[-1] is not Step.NAME:
        return Tested(tuple(step for step in steps[:-1] if step is Step.NAME), Step.CONNECT, error.sentence)
    is_busy = isinstance(error, MaildropBusy | ServerBusy)
    return Tested(steps[:-1], steps[-1] if steps else Step.CONNECT, error.sentence, is_busy)
