"""What the bot posts for others than the owner, as values that every layer shares: copies, tellings, withdrawals. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from storage.sharing import Level

if TYPE_CHECKING:
    from datetime import datetime

    from storage.records import Person
    from storage.sharing import Audience


def is_channel(destination: str) -> bool:
    """Whether a destination is a channel, not a person; an id does not tell how private a channel is."""
    return destination[:1] in {"C", "G"}


@dataclass(frozen=True, slots=True)
class Copy:
    """A message as the bot posts it for somebody else than its owner.

    Attributes:
        entry_id: the outbox entry that brings it.
        to: a viewer, or a channel by its id in place of a user's.
        share: the share that brought it; "" for what a FIXED grant brought or a viewer asked for.
        level: what was posted of it, or is about to be: SEE is a card, OPEN the whole message; SEE before that.
    """

    entry_id: str
    mailbox_id: str
    message_id: str
    to: Person
    share: str
    level: Level = Level.SEE


class TellingKind(StrEnum):
    """What somebody is told about sharing."""

    SHARED_WITH_YOU = "shared_with_you"
    SHARE_CHANGED = "share_changed"
    SHARE_ENDED = "share_ended"
    SHARE_CUT = "share_cut"  # to the owner: lowered, or ended where `level` is NONE
    GRANT_CHANGED = "grant_changed"  # to the owner
    MAILBOX_SUSPENDED = "mailbox_suspended"  # to the owner; `why` is a Suspension
    MAILBOX_LIFTED = "mailbox_lifted"  # to the owner; `why`: its password was erased meanwhile
    MAILBOX_DELETED = (
        "mailbox_deleted"  # to those it was open to; `why`: by an administrator; `count` of them
    )
    MAILBOX_MANAGED = "mailbox_managed"  # to the owner; `why` is what a manager changed
    NOT_CALLED_BACK = "not_called_back"  # to the owner; `count` posts


@dataclass(frozen=True, slots=True)
class Telling:
    """The facts of what somebody is told; the words are made when it is posted.

    Attributes:
        who: the user who did it, or whose mailbox it is; "" for Mailbox itself, and for those who had themselves erased.
        level: what is open from now on.
        share_id: the share it is about. Of one kind, share and level each person is told once.
        audience: whom that share reaches, where its owner is told.
        message_id: where a single message is shared.
        why: a word of ours.
    """

    kind: TellingKind
    who: str = ""
    level: Level = Level.NONE
    until: datetime | None = None
    share_id: str = ""
    count: int = 0
    audience: Audience | None = None
    message_id: str = ""
    why: str = ""


class WithdrawalState(StrEnum):
    """How far a post is that is called back."""

    ASKED = "asked"  # it stands in Slack, or may
    BLANKED = "blanked"  # it says nothing any more, and is still to be deleted
    STUCK = "stuck"  # Slack will not delete it; it is to be blanked at least
    GONE = "gone"  # deleted, blanked for good, or never there
    LOST = "lost"  # it cannot be called back


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """One post to be called back, with its files.

    Attributes:
        entry_id: of the outbox entry that brought it; stands in the post's metadata.
        ts: None while nobody knows whether the post is there; Slack is asked then, from `look_from` on.
        file_ids: those still to be deleted.
        lost_files: how many of them cannot be.
        batch: what was called back at once, and is reported at once.
    """

    entry_id: str
    batch: str
    workspace: str
    channel: str
    ts: str | None
    file_ids: tuple[str, ...]
    look_from: str
    asked_at: datetime
    state: WithdrawalState
    attempts: int
    due_at: datetime
    lost_files: int = 0

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be done about it."""
        return self.state in {WithdrawalState.GONE, WithdrawalState.LOST} and not self.file_ids
