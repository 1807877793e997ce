"""Words of mail that is sent: what was written, to whom, how far it is. Frozen values of the standard library alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from storage.clues import Clues
    from storage.records import Person
    from storage.sharing import Facts


class OutgoingState(StrEnum):
    """How far a mail is that somebody sends."""

    WAITING = "waiting"  # saved, and at no server; may be undone
    HELD = "held"  # the same, until the outgoing password is mended
    SENDING = (
        "sending"  # the last dot is about to go out: whether the server has it is known by its answer only
    )
    SENT = "sent"  # the server took it, for every recipient that it did not refuse
    UNKNOWN = "unknown"  # no answer after the last dot: not sent again, its sender decides
    FAILED = "failed"  # refused for good, or tried for too long: no recipient has it
    UNDONE = "undone"  # called back by its sender


NOT_SENT: Final = frozenset({OutgoingState.UNDONE, OutgoingState.FAILED})
"""No recipient has the mail and it is not tried any more: its form can be written on."""


class RecipientField(StrEnum):
    """Where a recipient stands; those of BCC are in the envelope alone."""

    TO = "to"
    CC = "cc"
    BCC = "bcc"


class RecipientState(StrEnum):
    """What the outgoing server said about one recipient."""

    OWED = "owed"
    TAKEN = "taken"
    REFUSED = "refused"  # for good


class Trouble(StrEnum):
    """Why a try came to nothing, by who must act; the words for people stand in `Letter.said`."""

    LOGIN_REFUSED = "login_refused"
    UNREACHABLE = "unreachable"  # and everything else that a later try may find better
    SENDER_REFUSED = "sender_refused"
    RECIPIENTS_REFUSED = "recipients_refused"
    MESSAGE_REFUSED = "message_refused"
    TOO_LARGE = "too_large"
    SERVER_UNFIT = "server_unfit"  # its certificate, its kinds of sign-in, or that it takes no such addresses
    NOT_ALLOWED = "not_allowed"
    SUSPENDED = "suspended"
    NO_SERVER = "no_server"  # the mailbox only receives by now
    TOO_LONG = "too_long"
    NO_ANSWER = "no_answer"  # after the last dot


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address of the envelope.

    Attributes:
        address: as it goes on the wire.
        code: the server's last refusal, 0 without one; `words` are the server's own, one line, bounded, untrusted.
    """

    address: str
    field: RecipientField
    state: RecipientState = RecipientState.OWED
    code: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """What was written, as far as its sender sees it again; stored sealed as a whole.

    Attributes:
        message_id: the Message-ID, with brackets.
        sender: the envelope's sender, the mailbox's address.
        text: the words as sent, plain, without what is quoted.
        files: the names of the attachments.
        draft: the form as it was filled in, for writing on; opaque here, "" for what no form made.
        said: what went wrong last, in one sentence of ours for the person; "" while nothing did.
        source: the id of a message of another mailbox than the one that sends, which it answers or forwards; "" for none.
        is_source_own: whoever wrote it owns that mailbox.
        is_written_on: another mail was sent from its form since, and takes its place.
    """

    message_id: str
    sender: str
    recipients: tuple[Recipient, ...]
    subject: str
    text: str
    files: tuple[str, ...] = ()
    draft: str = ""
    said: str = ""
    source: str = ""
    is_source_own: bool = False
    is_written_on: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of the envelope."""
        return tuple(each.address for each in self.recipients)


@dataclass(frozen=True, slots=True)
class Source:
    """A message of another mailbox that a mail answers or forwards: that mailbox has its own judge.

    Attributes:
        may_be_gone: the mail goes out without it as well.
    """

    message_id: str
    permits: Callable[[Facts], bool]
    may_be_gone: bool = False


@dataclass(frozen=True, slots=True)
class NewOutgoing:
    """A mail ready to be saved.

    Attributes:
        actor: who sends; somebody else than the mailbox's owner needs the level REPLY.
        form_id: of the form that it comes from: the same form saved twice is one mail.
        answers: the id of the stored message that it answers or forwards; None for a new one.
        octets: header and body with CRLF, without recipients of BCC.
        clues: by which later answers find its thread.
        undo: so long it waits before it is sent.
        instead: the id of the mail whose form it was written on from, so that it takes its place; "" for none.
    """

    mailbox_id: str
    actor: Person
    form_id: str
    answers: str | None
    letter: Letter
    octets: bytes
    clues: Clues
    undo: timedelta
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that somebody sends.

    Attributes:
        letter: None when it is past its time and purged.
        due_at: when it is tried next; None when it is not.
        octets: the size of what goes to the server.
        trouble: of the last try.
        is_left: no answer came after the last dot, and its sender lets that be.
        begun_at: since when it is tried, so since when it may be given up for trying too long.
    """

    id: str
    mailbox_id: str
    owner: Person
    actor: Person
    answers: str | None
    state: OutgoingState
    letter: Letter | None
    attempts: int
    created_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    octets: int
    trouble: Trouble | None = None
    is_left: bool = False
    begun_at: datetime | None = None

    @property
    def is_written_on(self) -> bool:
        """Another mail was sent from its form since, and takes its place."""
        return self.letter is not None and self.letter.is_written_on

    @property
    def is_with_some(self) -> bool:
        """Some of its recipients have it already, as far as that is known."""
        recipients = () if self.letter is None else self.letter.recipients
        return any(each.state is RecipientState.TAKEN for each in recipients)


@dataclass(frozen=True, slots=True)
class Submission:
    """The right to bring one mail to its server until the lease ends; every write through it checks `fence`."""

    outgoing: Outgoing
    fence: int


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """A mail that goes out once its mailbox can send again.

    Attributes:
        recipients: how many it still goes to, at least 1.
        is_held: it waited for another password; else it was tried, and is to be tried again.
        not_before: it can be undone until then; None where that is over.
    """

    actor: Person
    recipients: int
    is_held: bool = True
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try.

    Attributes:
        state: WAITING for a later try at `due_at`, or where the mail ends for now.
        recipients: all of them, as they stand now.
        said: for the person; see `Letter.said`.
    """

    state: OutgoingState
    recipients: tuple[Recipient, ...]
    due_at: datetime | None = None
    trouble: Trouble | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingPost:
    """A post about a mail that is sent, which stands in Slack and no longer says how far it is.

    Attributes:
        to: in whose DM it stands.
        changes: grows with everything that changes what it says.
        is_alarm: it says that the outgoing password is refused; the mail is the one that found so.
    """

    entry_id: str
    outgoing: Outgoing
    channel: str
    ts: str
    changes: int
    to: Person
    is_alarm: bool = False


@dataclass(frozen=True, slots=True)
class OutgoingStock:
    """What is under way.

    Attributes:
        by_state: how many mails; states without any are missing.
        oldest_due: since when the longest waiting one is due; one of a suspended mailbox is not.
    """

    by_state: Mapping[OutgoingState, int]
    oldest_due: datetime | None
