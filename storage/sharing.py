"""What may be shared with whom, as values that every layer shares: roles, levels, grants, shares, audit. Pure.

A grant is the ceiling that an administrator writes for owners of mailboxes; a share is what an owner opens under it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final

from storage.records import StoredMessage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from storage.records import Person


class Role(StrEnum):
    """A person's role in the workspace, the highest first; whoever has none of these has no right at all."""

    PRIMARY_OWNER = "primary_owner"
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    MULTI_CHANNEL_GUEST = "multi_channel_guest"
    SINGLE_CHANNEL_GUEST = "single_channel_guest"

    @property
    def rank(self) -> int:
        """The higher the role, the greater."""
        return len(_ROLES) - _ROLES.index(self)

    @property
    def is_administrator(self) -> bool:
        """Whether it writes grants."""
        return self in ADMINISTRATORS


_ROLES: Final = tuple(Role)
ADMINISTRATORS: Final = frozenset({Role.PRIMARY_OWNER, Role.OWNER, Role.ADMIN})
GUESTS: Final = frozenset({Role.MULTI_CHANNEL_GUEST, Role.SINGLE_CHANNEL_GUEST})


class Level(IntEnum):
    """What somebody may do with a mailbox or a message; each level holds those before it."""

    NONE = 0
    SEE = 1  # sender, subject, date, size
    OPEN = 2  # body, attachments
    REPLY = 3  # send as the mailbox
    MANAGE = 4  # check now, pause, filters, delete setting; no password, no removal, no wider share
    OWN = 5  # the owner's; no share gives it


class AudienceKind(StrEnum):
    """Whom a share reaches."""

    PERSON = "person"  # id: a user
    GROUP = "group"  # id: a user group
    ROLE = "role"  # id: a Role; that role and those above
    CHANNEL = "channel"  # id: a channel the bot is in


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a share reaches: a kind and an id of that kind."""

    kind: AudienceKind
    id: str


class Reach(IntEnum):
    """The widest audience an owner may choose; each holds those before it. Channels are granted apart."""

    PEOPLE = 0
    GROUPS = 1
    ROLES = 2


class ChannelReach(IntEnum):
    """The channels an owner may choose as audience; each holds those before it. None is ever shared with outsiders."""

    NONE = 0
    PRIVATE = 1
    ANY = 2


class GrantKind(StrEnum):
    """What an owner may do about sharing."""

    PRIVATE = "private"  # nothing is shared
    FIXED = "fixed"  # this level to this audience, the owner's wish plays no part
    CHOICE = "choice"  # up to this level, to audiences up to this reach


class SubjectKind(StrEnum):
    """For whom a grant is written, from the broadest to the narrowest."""

    EVERYONE = "everyone"
    ROLE = "role"
    GROUP = "group"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Subject:
    """For whom a grant is written; `id` is a Role, a user group or a user, and empty for EVERYONE."""

    kind: SubjectKind
    id: str = ""

    @property
    def key(self) -> str:
        """One word for it, such as `role:member`: the audit names it so, and buttons carry it."""
        return f"{self.kind}:{self.id}" if self.id else str(self.kind)


EVERYONE: Final = Subject(SubjectKind.EVERYONE)


@dataclass(frozen=True, slots=True)
class Grant:
    """The ceiling for the mailboxes of its subject. All grants that reach an owner bind: none widens another.

    Attributes:
        level: the highest level; the very level of FIXED.
        audience: that of FIXED, else None.
        reach, channels: the widest audiences of CHOICE; of FIXED, ANY: its channel was public when chosen.
        may_hold: may have a mailbox at all.
        mailboxes, active: how many, None without a limit.
        may_view: may see what others share; False blocks a person as viewer.
        excluded: domains; mail from or to one of them, or one below it, is never shared. Lower case.
        allows_plain: mail servers without encryption are allowed.
        written_by, since: who wrote it last and when; None for the start. FIXED opens mail from then on.
        rank: of the writer's role when they wrote it; FIXED opens no mail of those above, promoted since or not. None binds all.
    """

    subject: Subject
    kind: GrantKind
    level: Level = Level.NONE
    audience: Audience | None = None
    reach: Reach = Reach.PEOPLE
    channels: ChannelReach = ChannelReach.NONE
    may_hold: bool = True
    mailboxes: int | None = None
    active: int | None = 1
    may_view: bool = True
    excluded: frozenset[str] = field(default_factory=frozenset)
    allows_plain: bool = False
    written_by: str | None = None
    since: datetime | None = None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What an owner opened, of a mailbox or of one message, until it ends.

    Attributes:
        message_id: set where only this message is shared.
        history: what came before the share is open as well.
        until: when it ends by itself; None for no end.
        was_private: a channel that was private when its owner chose it; made public, it is not what they chose.
        ended_at: when it ended or was revoked; None while it is in force.
        is_fixed: a FIXED grant speaks, not the owner; stored nowhere, `id` is empty.
    """

    id: str
    mailbox_id: str
    audience: Audience
    level: Level
    created_at: datetime
    message_id: str | None = None
    history: bool = False
    until: datetime | None = None
    was_private: bool = False
    ended_at: datetime | None = None
    is_fixed: bool = False


class Suspension(StrEnum):
    """Why a mailbox is not fetched whatever its owner sets; nothing of it is shared meanwhile."""

    ADMINISTRATOR = "administrator"
    ROLE = "role"  # its owner's role may not hold mailboxes
    DEACTIVATED = "deactivated"  # its owner's account is deactivated


@dataclass(frozen=True, slots=True)
class Room:
    """What a judge says to somebody who adds or activates a mailbox.

    Attributes:
        active: how many may be active at a time, those of the oldest choice give way; None for no limit.
    """

    may: bool = True
    active: int | None = 1


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tables say about the sharing of one mailbox, read in one transaction.

    Attributes:
        grants: all that are written in the workspace.
        shares: those of this mailbox that have not ended, of the whole and of single messages.
        suspended_rank: of the role of whoever suspended it as an administrator; None where nobody did, or it is not known.
    """

    mailbox_id: str
    owner: Person
    suspension: Suspension | None
    grants: tuple[Grant, ...]
    shares: tuple[Share, ...]
    suspended_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """What Slack says of a person; `role` is None for those who have none: deactivated, bots, strangers, other workspaces."""

    person: Person
    role: Role | None
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Channel:
    """What Slack says of a channel; `is_open` means: the bot is in it, it is not archived."""

    id: str
    name: str
    is_private: bool
    is_external: bool
    is_open: bool
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Circle:
    """What Slack says of those whom a decision is about; None for a person it could not be asked about.

    `channels` holds those Slack told of, by id.
    """

    owner: Member | None
    viewer: Member | None
    channels: Mapping[str, Channel]


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as policy sees it; `domains` are those of From, To and Cc in lower case, None when they are not known."""

    id: str
    received_at: datetime
    domains: frozenset[str] | None


class Act(StrEnum):
    """What an audit entry is about."""

    GRANT_SET = "grant_set"
    GRANT_REMOVED = "grant_removed"
    SHARE_OPENED = "share_opened"
    SHARE_CUT = "share_cut"  # lowered to what its owner's ceiling allows now
    SHARE_ENDED = "share_ended"  # by date, or because it is allowed no more
    SHARE_REVOKED = "share_revoked"
    COPIES_WITHDRAWN = "copies_withdrawn"
    COPY_SENT = "copy_sent"
    MAILBOX_SUSPENDED = "mailbox_suspended"
    MAILBOX_LIFTED = "mailbox_lifted"
    MAILBOX_DELETED = "mailbox_deleted"
    CREDENTIALS_ERASED = "credentials_erased"
    MANAGED = "managed"  # somebody else than the owner checked, paused, resumed or changed
    REFUSED = "refused"  # somebody tried what they may not
    SENT = "sent"  # the actor sends as the owner's mailbox


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to what, when; ids and words of ours only, no content, no name, no secret.

    Attributes:
        actor: the user who acted; None for Mailbox itself.
        owner: whose mailbox it is about; None where it is about none.
        subject: what was changed, such as `person:U1` or `share:ab12`.
        before, after: what it was and what it became, in a few words of ours.
    """

    at: datetime
    workspace: str
    actor: str | None
    act: Act
    owner: str | None = None
    mailbox_id: str | None = None
    subject: str = ""
    before: str = ""
    after: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class ListedMessage(StoredMessage):
    """A message as those see it with whom it is shared."""
