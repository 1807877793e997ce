"""What owners wish for a message beyond its post, as values that every layer shares. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from storage.records import Retention, Shape


class OriginalState(StrEnum):
    """What became of a message that its owner wants as it came."""

    ASKED = "asked"  # the next polls look for it on the server
    HERE = "here"  # its octets are kept; an entry brings them
    GONE = "gone"  # the server has it no more
    REFUSED = "refused"  # the server would not hand it over
    TOO_LARGE = "too_large"


class OnServer(StrEnum):
    """Where a message stands on its server."""

    WANTED_GONE = "wanted_gone"  # a poll deletes it, as soon as there is one
    GONE = "gone"
    STAYS = "stays"  # the delete setting leaves mail on the server, or it is not whole in Slack
    MAY_GO = "may_go"  # its owner may want it deleted


class RuleKind(StrEnum):
    """Whose mail a rule keeps out of Slack."""

    SENDER = "sender"
    CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True)
class Standing:
    """How things are with one message.

    Attributes:
        is_kept: its octets are stored.
        place: where it stands on its server.
        original: what became of it since it was wanted as it came; None when it was not.
    """

    message_id: str
    mailbox_id: str
    shape: Shape
    retention: Retention
    octets: int
    listed_octets: int
    received_at: datetime
    is_kept: bool
    is_done: bool
    place: OnServer
    original: OriginalState | None


@dataclass(frozen=True, slots=True)
class Original:
    """What became of a wanted message.

    Attributes:
        is_there: it stands in the thread already.
        stands_in: it comes in place of its post, which Slack did not take.
    """

    message_id: str
    state: OriginalState
    is_there: bool = False
    stands_in: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message that a poll is to look for.

    Attributes:
        octets: how many were stored of it.
        fingerprint: of what was stored.
    """

    message_id: str
    shape: Shape
    octets: int
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Rule:
    """Mail that does not come to Slack.

    Attributes:
        label: whose it is, or what it is about; untrusted words of a mail.
        count: how many mails it has kept out.
    """

    id: str
    mailbox_id: str
    kind: RuleKind
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class OpenPost:
    """A message in Slack that is not marked as done."""

    message_id: str
    received_at: datetime
    channel: str
    ts: str
