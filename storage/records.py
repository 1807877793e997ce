"""Frozen values and enums that every layer shares, of the standard library alone. Times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from storage.delivery import AT_ONCE

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from storage.delivery import Calm
    from storage.sharing import Suspension


class Secret:
    """A password or token in memory; `repr`, `str` and format never show it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value: Final = value

    def reveal(self) -> str:
        """The value itself; call it only where it goes on the wire or into the vault."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)


@dataclass(frozen=True, slots=True)
class Person:
    """A Slack user, keyed on the workspace (or enterprise) they were verified in."""

    workspace: str
    user: str


class Security(StrEnum):
    """How a connection to a mail server is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a mail server listens: host name or address as typed, port, protection."""

    host: str
    port: int
    security: Security


class Retention(StrEnum):
    """The delete setting: what happens on the server to a message that is in Slack."""

    LEAVE = "leave"
    DELETE_POSTED = "delete_posted"
    DELETE_LATER = "delete_later"  # so many days after it is in Slack
    DELETE_ASKED = "delete_asked"  # when its owner presses Delete in Slack


class OldMail(StrEnum):
    """How much of what lies in the maildrop when the mailbox is added is brought to Slack."""

    NONE = "none"
    LAST_7_DAYS = "last_7_days"
    LAST_50 = "last_50"
    ALL = "all"


class Health(StrEnum):
    """What the last poll found; the words a person reads for it stand in the views."""

    NEW = "new"
    OK = "ok"
    LOGIN_DOUBTED = "login_doubted"  # refused after it had worked, without a clear reason: tried once more
    LOGIN_REFUSED = "login_refused"
    PASSWORD_ERASED = "password_erased"  # noqa: S105 - a word; its owner was gone for long and has to enter it
    MAILDROP_BUSY = "maildrop_busy"
    UNREACHABLE = "unreachable"
    CERTIFICATE_INVALID = "certificate_invalid"
    SERVER_FAULT = "server_fault"
    ASKED = "asked"  # nearly all UIDs look new: nothing is fetched before the owner has answered


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person typed into the form, passwords apart; stored sealed as a whole.

    `outgoing` is None for a mailbox that only receives, `outgoing_username` when one pair of credentials serves for both.
    `sender_name` is the name that recipients see, `signature` stands below what is written; both are "" for none.
    `undo_seconds`: so long a mail waits before it is sent.
    """

    name: str
    address: str
    incoming: ServerAddress
    username: str
    outgoing: ServerAddress | None
    outgoing_username: str | None
    sender_name: str = ""
    signature: str = ""
    undo_seconds: int = 10


@dataclass(frozen=True, slots=True)
class Passwords:
    """The mailbox's credentials; `outgoing` is None when the incoming ones serve for both or nothing is sent."""

    incoming: Secret
    outgoing: Secret | None


@dataclass(frozen=True, slots=True)
class Tail:
    """The last message number of a maildrop and its UID, as a later session may probe them."""

    number: int
    uid: bytes


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Our record of one maildrop: owner, settings, state. Holds no password.

    `due_at` is None when the mailbox is not polled: not active, paused, suspended, or its login was refused.
    `delete_days`: set for DELETE_LATER only. `suspended_at` is since when the `suspension` holds.
    `has_alarm`: the owner was told that something is wrong and not yet of its end.
    `polled_at` is the end of the last poll, `last_mail_at` when one last brought something new.
    `watched`: how long its polls have watched the maildrop; it grows by the time between two, by a day at most.
    `tail` is None when the next poll must list everything; `listed_at` is the last full listing, `listed` how many
    messages the maildrop was last seen to hold, 0 while nobody knows.
    `one_by_one`: sessions kept breaking, so commands are no longer sent ahead of their answers.
    `zone` is the owner's time zone as Slack last told it. `outgoing_refused_at`: since when its outgoing login is refused.
    """

    id: str
    owner: Person
    profile: Profile
    retention: Retention
    delete_days: int | None
    is_active: bool
    is_paused: bool
    health: Health
    has_alarm: bool
    failures: int
    created_at: datetime
    due_at: datetime | None
    polled_at: datetime | None
    last_success_at: datetime | None
    last_mail_at: datetime | None
    watched: timedelta
    tail: Tail | None
    listed_at: datetime | None
    listed: int
    capabilities: frozenset[str] | None
    one_by_one: bool
    calm: Calm = AT_ONCE
    zone: str | None = None
    suspension: Suspension | None = None
    suspended_at: datetime | None = None
    outgoing_refused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewMailbox:
    """A mailbox whose test has passed, ready to be stored.

    `skip`: UIDs that the test listed and that count as seen. `old`: those that are brought bit by bit, in a thread.
    `form_id` makes a repeated submission harmless.
    """

    owner: Person
    profile: Profile
    passwords: Passwords
    retention: Retention
    delete_days: int | None
    skip: tuple[bytes, ...]
    old: tuple[bytes, ...]
    make_active: bool
    form_id: str
    calm: Calm = AT_ONCE
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to poll one mailbox until the lease ends; every write through it checks `fence`.

    `held_until`: what it keeps is held back until then, as one digest; None lets it be posted at once.
    """

    mailbox: Mailbox
    fence: int
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one poll found, as it is recorded when the lease ends.

    `due_at` is None when polling stops until the owner acts. `notice` is put into the outbox by the same commit, and held
    back there until `notice_until`.
    """

    health: Health
    due_at: datetime | None
    failures: int
    polled_at: datetime
    last_success_at: datetime | None
    last_mail_at: datetime | None
    watched: timedelta
    tail: Tail | None
    listed_at: datetime | None
    listed: int
    capabilities: frozenset[str] | None
    one_by_one: bool
    notice: Notice | None
    notice_until: datetime | None = None


class SeenState(StrEnum):
    """What became of a UID that the server listed."""

    SKIPPED = "skipped"  # old mail the owner did not ask for
    OLD = "old"  # old mail the owner asked for, not yet fetched
    ASKED = "asked"  # looked new when nearly all did; its owner was asked
    DOUBTED = "doubted"  # wanted, unless its content is known
    FAILED = "failed"  # listed, not yet kept: fetching it has failed `attempts` times
    KEPT = "kept"
    DELETING = "deleting"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Seen:
    """One UID we know of.

    `is_settled`: its whole message is in Slack and recorded, so the delete setting may act; `is_due`: it shall.
    """

    state: SeenState
    attempts: int
    is_settled: bool
    is_due: bool = False


class Shape(StrEnum):
    """What the stored octets of a message are."""

    WHOLE = "whole"  # everything between RETR's +OK and the final dot
    TOP = "top"  # header and first lines of a message above the size limit
    REFUSED = "refused"  # nothing usable: the server would not hand the message over


class EntryState(StrEnum):
    """The states an outbox entry passes, in this order."""

    WAITING = "waiting"  # nothing sent
    POSTING = "posting"  # intent committed; after a crash or no answer: unknown, look in Slack first
    POSTED = "posted"  # Slack acknowledged the post, `ts` recorded; files are still owed
    FILING = "filing"  # intent to share uploaded files committed
    SETTLED = "settled"  # everything is in Slack
    GIVEN_UP = "given_up"  # Slack refused for good; the reason is recorded
    MUTED = "muted"  # a rule of its owner keeps it out of Slack, so nothing is settled on the server


class Notice(StrEnum):
    """What the bot tells an owner on its own account."""

    LOGIN_REFUSED = "login_refused"
    MAILDROP_BUSY = "maildrop_busy"
    UNREACHABLE = "unreachable"
    CERTIFICATE_INVALID = "certificate_invalid"
    SERVER_FAULT = "server_fault"
    ASKED = "asked"
    ALL_CLEAR = "all_clear"
    OLD_MAIL = "old_mail"  # how far the old mail is; that mail stands in its thread
    ORIGINAL = "original"  # a message as it came, in the thread of its post, or why it cannot be had
    DIGEST = "digest"  # several messages in one post; they stand in its thread
    COPY = "copy"  # a message for somebody else than its owner
    TOLD = "told"  # what somebody is told about sharing
    OUTGOING = "outgoing"  # a mail that somebody sends, and how far it is
    OUTGOING_REFUSED = "outgoing_refused"  # the outgoing server takes the password no more; mail waits
    OUTGOING_NEWS = "outgoing_news"  # a mail that somebody sends came to a bad end


class KeyKind(StrEnum):
    """By what a mail is found to belong to a conversation."""

    OWN = "own"  # the id of a mail in it
    REFERRED = "referred"  # an id that a mail in it refers to and no mail had so far
    SUBJECT = "subject"  # a subject, of mails with one participant


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing owed to a DM: a message or a notice.

    Attributes:
        id: opaque delivery id; stands in the post's metadata.
        order: increases in order of arrival within a DM.
        message_id: set for a message, None for a notice.
        notice: set for a notice, None for a message.
        parent: the delivery id of the entry whose thread it goes into; None for a post of its own.
        lookup_after: for POSTING and FILING: when Slack may be asked whether it is there.
        channel, ts: where the post stands, once acknowledged.
        file_ids: Slack's ids of reserved uploads, recorded before they are shared.
        plain: a content error made us fall back to the minimal card.
        gives_way: it comes after everything that does not, whatever their order: old mail holds up no new one.
        conversation: that of an e-mail, by the delivery id it began with; known once its place was found.
        muted_by: the rule that keeps it out of Slack; set for MUTED only.
    """

    id: str
    order: int
    mailbox_id: str | None
    owner: Person
    message_id: str | None
    notice: Notice | None
    parent: str | None
    state: EntryState
    attempts: int
    intended_at: datetime | None
    lookup_after: datetime | None
    channel: str | None
    ts: str | None
    file_ids: tuple[str, ...]
    plain: bool
    gives_way: bool = False
    conversation: str | None = None
    muted_by: str | None = None


@dataclass(frozen=True, slots=True)
class Bringing:
    """How far the old mail of a mailbox is that is brought bit by bit.

    Attributes:
        id: the delivery id of the notice in whose thread the messages stand.
        total: how many are wanted; fewer than at first where the server lost some.
        brought: how many stand in Slack.
        left: how many are still to come, on their way to Slack or on the server.
        channel, ts: where the notice stands, None before it is posted.
        changes: grows with everything that changes the rest.
    """

    id: str
    mailbox_id: str
    owner: Person
    total: int
    brought: int
    left: int
    is_stopped: bool
    channel: str | None
    ts: str | None
    changes: int


@dataclass(frozen=True, slots=True)
class Dm:
    """The right to post into one person's DM until the lease ends; one holder at a time.

    `last_ts` is Slack's time of our newest acknowledged post there, the lower bound of a look-up.
    """

    owner: Person
    channel: str | None
    last_ts: str | None
    fence: int


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as stored: what the octets are, how large the server said it is."""

    id: str
    mailbox_id: str
    shape: Shape
    octets: int
    listed_octets: int
    received_at: datetime
