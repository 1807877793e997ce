"""A town of which every right is walked: a scripted Slack, mailboxes shared at every level, and what may change.

Whether something is allowed is said here once more in plain words, apart from `bot.policy`.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from storage.records import EntryState, Person
from storage.sharing import (
    Act,
    Audience,
    AudienceKind,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
    Suspension,
)
from tests.integration.people.scripted import Scripted, user
from tests.integration.storage.stores import NOW

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from storage.grants import Grants
    from storage.records import Entry
    from storage.shares import Shares
    from storage.suspension import Suspensions

TEAM: Final = "T1"
VIEWER: Final = Person(TEAM, "U0VIEWER01")
HOST: Final = Person(TEAM, "U0HOST0001")
SPARE: Final = Person(TEAM, "U0SPARE001")
CHIEF: Final = Person(TEAM, "U0CHIEF001")
GROUP_ID: Final = "S0GROUP001"
CHANNEL_ID: Final = "C0CHANNEL1"
BODY: Final = "Zanzibar"
LEVELS: Final = (Level.NONE, Level.SEE, Level.OPEN, Level.REPLY, Level.MANAGE)
AUDIENCES: Final = {
    AudienceKind.PERSON: Audience(AudienceKind.PERSON, VIEWER.user),
    AudienceKind.ROLE: Audience(AudienceKind.ROLE, Role.SINGLE_CHANNEL_GUEST),
    AudienceKind.GROUP: Audience(AudienceKind.GROUP, GROUP_ID),
    AudienceKind.CHANNEL: Audience(AudienceKind.CHANNEL, CHANNEL_ID),
}
WIDE: Final = Grant(
    Subject(SubjectKind.ROLE, Role.MEMBER),
    GrantKind.CHOICE,
    Level.MANAGE,
    reach=Reach.ROLES,
    channels=ChannelReach.ANY,
    active=None,
)
FLAGS: Final[Mapping[Role, dict[str, bool]]] = {
    Role.PRIMARY_OWNER: {"is_primary_owner": True, "is_owner": True, "is_admin": True},
    Role.OWNER: {"is_owner": True, "is_admin": True},
    Role.ADMIN: {"is_admin": True},
    Role.MEMBER: {},
    Role.MULTI_CHANNEL_GUEST: {"is_restricted": True},
    Role.SINGLE_CHANNEL_GUEST: {"is_restricted": True, "is_ultra_restricted": True},
}
TABLES: Final = (
    "mailbox", "share", "copy", "entry", "rule", "share_grant", "telling", "withdrawal", "outgoing", "outgoing_post",
    "attempt",
)  # fmt: skip


@dataclass
class Clock:
    """A clock that is pushed."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """The time now."""
        return self.now


@dataclass
class Town:
    """What Slack says, switched by its fields."""

    role: Role = Role.MEMBER
    is_viewer_deactivated: bool = False
    is_owner_deactivated: bool = False
    is_silent: bool = False
    is_in_group: bool = True
    is_in_channel: bool = True
    is_channel_private: bool = True

    def script(self, slack: Scripted) -> None:
        """Let a scripted Slack answer by what stands here when it is asked."""
        slack.says("users.info", lambda given: self._answer(user=self._record(given["user"])))
        slack.says("users.list", lambda _: self._answer(members=[self._record(each) for each in _USERS]))
        slack.says("usergroups.list", lambda _: self._answer(usergroups=[self._group()]))
        slack.says("conversations.info", lambda _: self._answer(channel=self._channel()))
        slack.says("conversations.members", lambda _: self._answer(members=self._those(self.is_in_channel)))

    def _answer(self, **body: Any) -> dict[str, Any]:
        return {"ok": False, "error": "internal_error"} if self.is_silent else body

    def _record(self, user_id: str) -> dict[str, Any]:
        if user_id == VIEWER.user:
            return user(user_id, **{**FLAGS[self.role], "deleted": self.is_viewer_deactivated})
        if user_id == HOST.user:
            return user(user_id, deleted=self.is_owner_deactivated)
        return user(user_id, **FLAGS[Role.PRIMARY_OWNER if user_id == CHIEF.user else Role.MEMBER])

    def _those(self, is_in: bool) -> list[str]:  # noqa: FBT001 - a field of this very class
        return [HOST.user, VIEWER.user] if is_in else [HOST.user]

    def _group(self) -> dict[str, Any]:
        users = self._those(self.is_in_group)
        return {"id": GROUP_ID, "name": "Team", "handle": "team", "date_delete": 0, "users": users}

    def _channel(self) -> dict[str, Any]:
        return {
            "id": CHANNEL_ID,
            "name": "hiring",
            "is_private": self.is_channel_private,
            "is_ext_shared": False,
            "is_member": True,
            "is_archived": False,
        }


_USERS: Final = (VIEWER.user, HOST.user, SPARE.user, CHIEF.user)


@dataclass(frozen=True)
class Box:
    """A mailbox that is shared at one level with one kind of audience.

    Attributes:
        read_id: of a message that invites to a meeting.
        failed_id: of a mail that the viewer sent as the mailbox, in better days, and that was refused.
        hosts_id: of one that its owner sent.
    """

    id: str
    level: Level
    kind: AudienceKind
    read_id: str
    copied_id: str
    copy_id: str
    share: Share | None
    failed_id: str = ""
    hosts_id: str = ""


@dataclass(frozen=True)
class Template:
    """A database with everything in it, to be copied, and what stands in it."""

    path: Path
    boxes: tuple[Box, ...]
    spares: tuple[str, ...]
    entry: Entry
    now: datetime


@dataclass
class Rows:
    """The tables, looked at from beside the program."""

    path: Path
    connection: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        self.connection.execute("PRAGMA synchronous = OFF")

    def all(self) -> list[Any]:
        """Everything that an act may change."""
        return [self.connection.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES]

    def forget_audit(self) -> None:
        """So that the next refusal in the same minute has a line of its own."""
        self.connection.execute("DELETE FROM audit")

    def post_all(self) -> None:
        """Every message is in its owner's Slack."""
        query = "UPDATE entry SET state = ?, channel = 'D1', ts = '1.' || number WHERE message_id IS NOT NULL"
        self.connection.execute(query, (EntryState.SETTLED.value,))

    def refusals(self) -> int:
        """The lines about what the viewer tried."""
        query = "SELECT count(*) FROM audit WHERE act = ? AND actor = ?"
        return int(self.connection.execute(query, (Act.REFUSED.value, VIEWER.user)).fetchone()[0])


# What may change between the opening and the act


@dataclass(frozen=True)
class Change:
    """Something that happens while a view is open, and the audience of the shares that it is tried on."""

    name: str
    kind: AudienceKind = AudienceKind.PERSON


CHANGES: Final = (
    Change("none"),
    Change("none", AudienceKind.ROLE),
    Change("viewer demoted", AudienceKind.ROLE),
    Change("viewer deactivated"),
    Change("share revoked"),
    Change("grant tightened"),
    Change("domain excluded"),
    Change("mailbox suspended"),
    Change("owner deactivated"),
    Change("slack silent"),
    Change("channel public", AudienceKind.CHANNEL),
    Change("left group", AudienceKind.GROUP),
)
"""Those that differ most; they are tried with every role."""

ONCE: Final = (
    (Role.ADMIN, Change("viewer demoted")),
    (Role.MEMBER, Change("share over")),
    (Role.OWNER, Change("grant private")),
    (Role.MULTI_CHANNEL_GUEST, Change("viewer blocked")),
    (Role.PRIMARY_OWNER, Change("left channel", AudienceKind.CHANNEL)),
)
"""Those that end in the same place as one above by another way: each with one role."""


@dataclass
class Hands:
    """What makes changes."""

    town: Town
    shares: Shares
    grants: Grants
    suspensions: Suspensions
    clock: Clock

    async def make(self, change: Change, boxes: list[Box]) -> None:
        """Let it happen."""
        self._in_slack(change.name)
        grants = {
            "grant private": replace(WIDE, kind=GrantKind.PRIVATE),
            "grant tightened": replace(WIDE, level=Level.SEE),
            "domain excluded": replace(WIDE, excluded=frozenset({"elsewhere.example"})),
            "viewer blocked": replace(WIDE, subject=Subject(SubjectKind.PERSON, VIEWER.user), may_view=False),
        }
        if change.name in grants:
            await self.grants.set(TEAM, grants[change.name], CHIEF, self.clock(), lambda _: True)
        for box in boxes:
            await self._on_box(change.name, box)

    def _in_slack(self, name: str) -> None:
        town = self.town
        town.role = Role.SINGLE_CHANNEL_GUEST if name == "viewer demoted" else town.role
        town.is_viewer_deactivated = name == "viewer deactivated"
        town.is_owner_deactivated = name == "owner deactivated"
        town.is_silent = name == "slack silent"
        town.is_channel_private = name != "channel public"
        town.is_in_channel = name != "left channel"
        town.is_in_group = name != "left group"

    async def _on_box(self, name: str, box: Box) -> None:
        now = self.clock()
        if name == "mailbox suspended":
            why = Suspension.ADMINISTRATOR
            await self.suspensions.suspend(TEAM, box.id, why, CHIEF, now, lambda _: True)
        if box.share is None:
            return
        if name == "share revoked":
            await self.shares.end(box.share.id, HOST, now, Act.SHARE_REVOKED, lambda _: True)
        if name == "share over":
            over = replace(box.share, until=now + timedelta(seconds=2))
            await self.shares.open(HOST, [over], now, lambda _: True)


# What the specification says, in plain words


_CLOSED: Final = frozenset({
    "viewer deactivated", "share revoked", "share over", "grant private", "mailbox suspended", "owner deactivated",
    "viewer blocked", "slack silent", "channel public", "left channel", "left group",
})  # fmt: skip


def role_now(role: Role, change: Change) -> Role | None:
    """What somebody is after a change; None for nobody, or where Slack does not say."""
    if change.name in {"viewer deactivated", "slack silent"}:
        return None
    return Role.SINGLE_CHANNEL_GUEST if change.name == "viewer demoted" else role


def rightful(role: Role, level: Level, change: Change, *, of_mail: bool) -> Level:
    """How far a viewer comes: all that ends a share ends everything, else the least of share, ceiling and cap."""
    if change.name in _CLOSED or (of_mail and change.name == "domain excluded"):
        return Level.NONE
    most = Level.SEE if change.name == "grant tightened" else Level.MANAGE
    is_named = change.kind is AudienceKind.PERSON
    now = role_now(role, change)
    if now is Role.MULTI_CHANNEL_GUEST and not is_named:
        most = min(most, Level.OPEN)
    if now is Role.SINGLE_CHANNEL_GUEST and not is_named:
        most = min(most, Level.SEE)
    return min(level, most)
