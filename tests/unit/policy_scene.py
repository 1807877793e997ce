"""A mailbox, its owner, somebody who wants to see it, and what Slack says of both: what tests of policy begin with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.policy import Decision, decide
from storage.records import Person
from storage.sharing import (
    Audience,
    AudienceKind,
    Channel,
    ChannelReach,
    Circle,
    Facts,
    Grant,
    GrantKind,
    Level,
    Mail,
    Member,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
)

if TYPE_CHECKING:
    from storage.sharing import Suspension

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEGIN: Final = NOW - timedelta(days=7)
ANA: Final = Person("T1", "UANA")  # the owner
BOB: Final = Person("T1", "UBOB")  # the viewer
TO_BOB: Final = Audience(AudienceKind.PERSON, "UBOB")
TO_TEAM: Final = Audience(AudienceKind.GROUP, "STEAM")
TO_ROOM: Final = Audience(AudienceKind.CHANNEL, "CROOM")
ROOM: Final = Channel("CROOM", "room", True, False, True, frozenset({"UANA", "UBOB"}))
MAIL: Final = Mail("m1", NOW - timedelta(days=1), frozenset({"example.org", "mail.example.net"}))
WIDE: Final[dict[str, Any]] = {"reach": Reach.ROLES, "channels": ChannelReach.ANY}


def everyone_in(role: Role) -> Audience:
    """That role and those above."""
    return Audience(AudienceKind.ROLE, role)


def share(audience: Audience = TO_BOB, level: Level = Level.MANAGE, **kw: Any) -> Share:
    """A share since a week ago."""
    return Share("s1", "box", audience, level, **{"created_at": BEGIN, **kw})


def for_role(role: Role, kind: GrantKind = GrantKind.CHOICE, level: Level = Level.MANAGE, **kw: Any) -> Grant:
    """A grant for the owners of a role, of the widest audiences unless said otherwise."""
    return Grant(Subject(SubjectKind.ROLE, role), kind, level, **{**WIDE, "since": BEGIN, **kw})


def for_group(
    group: str, kind: GrantKind = GrantKind.CHOICE, level: Level = Level.MANAGE, **kw: Any
) -> Grant:
    """A grant for a user group."""
    return replace(for_role(Role.MEMBER, kind, level, **kw), subject=Subject(SubjectKind.GROUP, group))


def for_person(
    user: str, kind: GrantKind = GrantKind.CHOICE, level: Level = Level.MANAGE, **kw: Any
) -> Grant:
    """A grant for one person."""
    return replace(for_role(Role.MEMBER, kind, level, **kw), subject=Subject(SubjectKind.PERSON, user))


OWNER: Final = Member(ANA, Role.MEMBER)
VIEWER: Final = Member(BOB, Role.MEMBER)
WRITTEN: Final = (for_role(Role.MEMBER),)


@dataclass(frozen=True)
class Scene:
    """Who wants to see what of whom; as it stands, a member shares nothing with a member."""

    owner: Member | None = OWNER
    viewer: Member | None = VIEWER
    grants: tuple[Grant, ...] = WRITTEN
    shares: tuple[Share, ...] = ()
    channels: dict[str, Channel] = field(default_factory=lambda: {ROOM.id: ROOM})
    suspension: Suspension | None = None
    mail: Mail | None = MAIL
    who: Person = BOB

    def but(self, **kw: Any) -> Scene:
        """The same with something else."""
        return replace(self, **kw)

    def decision(self, now: datetime = NOW) -> Decision:
        """What policy says."""
        facts = Facts("box", ANA, self.suspension, self.grants, self.shares)
        return decide(self.who, facts, Circle(self.owner, self.viewer, self.channels), now, self.mail)

    def level(self, now: datetime = NOW) -> Level:
        """What it allows."""
        return self.decision(now).level
