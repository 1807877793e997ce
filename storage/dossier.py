"""What is stored about one person, as values that every layer shares. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from storage.sharing import AuditEntry, Grant, Level, Share
    from storage.wishes import Rule


@dataclass(frozen=True, slots=True)
class Holding:
    """How much is stored: of one person, or under one of their mailboxes.

    Attributes:
        mailboxes: with settings and passwords.
        copies: sealed messages, kept for a while after their post.
        waiting: messages and notices on their way to Slack.
        uids: what is remembered of messages on the server.
        others: rows besides, such as the DM's place, counted attempts, and what of sharing names the person.
        sent: mails that went out of the mailboxes, or that the person sent from others'; `unsent` are those that wait.
    """

    mailboxes: int
    copies: int
    waiting: int
    uids: int
    others: int = 0
    sent: int = 0
    unsent: int = 0

    def __bool__(self) -> bool:
        return bool(self.mailboxes or self.copies or self.waiting or self.uids or self.others or self.sent)


@dataclass(frozen=True, slots=True)
class Post:
    """What is remembered of one message; nothing of what it says.

    Attributes:
        purged_at: its copy is dropped.
        done_at: marked as done.
        original: how far the message as it came is, where that was wanted.
    """

    uid: bytes
    shape: str
    octets: int
    received_at: datetime
    purged_at: datetime | None
    state: str | None
    ts: str | None
    done_at: datetime | None = None
    original: str | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of one mailbox's mail: numbers by state, and the newest of its posts."""

    uids: dict[str, int]
    entries: dict[str, int]
    messages: int
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """What is remembered of one mail that was sent, but for what it says.

    Attributes:
        owner, actor: users; whose mailbox it went out of, and who sent it.
        recipients: address, field and what became of it; empty once the mail is past its time.
    """

    id: str
    mailbox_id: str
    owner: str
    actor: str
    state: str
    created_at: datetime
    finished_at: datetime | None
    octets: int
    recipients: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Brought:
    """A message that Mailbox posted for somebody else than its owner; `to` is a user or a channel."""

    mailbox_id: str
    message_id: str
    to: str
    level: Level
    share_id: str
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody was told about sharing, as facts."""

    mailbox_id: str
    message_id: str
    kind: str
    who: str
    level: Level
    until: datetime | None
    share_id: str
    count: int
    audience: str
    why: str


@dataclass(frozen=True, slots=True)
class Named:
    """What of sharing names a person.

    Attributes:
        opened: shares of their mailboxes, in force or ended.
        received: shares of other people's mailboxes that were opened to them by name.
        grants: written for them, by them, or with them as audience.
        audit: the newest entries about what they did or what was done with their mailboxes, the newest first.
        copies: the newest messages of their mailboxes that were posted for others, or of others' that were for them.
        told: the newest that they were told about sharing.
    """

    opened: tuple[Share, ...] = ()
    received: tuple[Share, ...] = ()
    grants: tuple[Grant, ...] = ()
    audit: tuple[AuditEntry, ...] = ()
    copies: tuple[Brought, ...] = ()
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is stored about a person besides their mailboxes' settings.

    Attributes:
        mailboxes: by mailbox id.
        channel, last_ts: their DM, and our newest post there.
        tests: connection tests that are counted at present.
        rules: by which mail is kept out of Slack.
        named: what of sharing names them.
        sent: the newest mails that went out of their mailboxes or that they sent from others', the newest first.
    """

    mailboxes: dict[str, Remembered]
    channel: str | None
    last_ts: str | None
    tests: int
    rules: tuple[Rule, ...] = ()
    named: Named = Named()
    sent: tuple[Sent, ...] = ()
