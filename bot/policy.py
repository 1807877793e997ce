"""Who may do what with whose mail: actor, grants, shares and the mail's domains in, a decision out. Pure.

The order: the owner may all; who has no role, or is blocked, may nothing; mail of an excluded domain is nobody else's;
then the highest level of all shares that reach the viewer, each lowered to the owner's ceiling and to the cap of the
viewer's role. What is not known counts as no. Being an administrator gives no right to read.

All grants that reach an owner bind at once: everyone's, their role's, their groups', their own. None widens another, so
a narrower grant can only take away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from storage.sharing import (
    EVERYONE,
    GUESTS,
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
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from storage.records import Person
    from storage.sharing import Channel, Circle, Facts, Mail, Member

ROLE_CAPS: Final = {Role.MULTI_CHANNEL_GUEST: Level.OPEN, Role.SINGLE_CHANNEL_GUEST: Level.SEE}
"""What guests get at most of a share that does not name them."""


class Reason(StrEnum):
    """Why a decision is what it is."""

    OWNER = "owner"
    UNKNOWN = "unknown"  # Slack could not be asked
    NO_ROLE = "no_role"
    BLOCKED = "blocked"
    OWNER_GONE = "owner_gone"  # the owner has no role, or may not hold mailboxes
    SUSPENDED = "suspended"
    EXCLUDED = "excluded"  # a domain in From, To or Cc is never shared, or is not known
    NOT_SHARED = "not_shared"  # no share reaches the viewer
    CEILING = "ceiling"  # shares reach, but the owner's grants allow nothing of it
    SHARED = "shared"


SENTENCES: Final = {
    Reason.OWNER: "This is your own mailbox.",
    Reason.UNKNOWN: "Mailbox could not ask Slack who you are right now, so nothing is shown. Please try again in a minute.",
    Reason.NO_ROLE: "Your account has no role in this workspace that may use Mailbox. Please ask an administrator.",
    Reason.BLOCKED: "An administrator has switched off shared mail for you. Please ask them if that is a mistake.",
    Reason.OWNER_GONE: "The owner of this mailbox may not share it any more.",
    Reason.SUSPENDED: "This mailbox is suspended, so nothing of it is shared. Its owner or an administrator knows more.",
    Reason.EXCLUDED: "This message is from or to a domain whose mail is never shared here.",
    Reason.NOT_SHARED: "This is not shared with you, or not any more. Its owner can share it with `/mailbox share`.",
    Reason.CEILING: "What the owner shared is more than your administrators allow now. Please ask them or the owner.",
    Reason.SHARED: "Its owner shared this with you.",
}
"""What the person is told; our own mrkdwn."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody may do, and why; `share` is what gives it, None for the owner and where nothing does."""

    level: Level
    reason: Reason
    share: Share | None = None

    def allows(self, level: Level) -> bool:
        """Whether it reaches this level."""
        return self.level >= level

    @property
    def sentence(self) -> str:
        """What the person is told."""
        return SENTENCES[self.reason]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an owner may have, all their grants together; None is no limit."""

    may_hold: bool
    may_view: bool
    mailboxes: int | None
    active: int | None
    excluded: frozenset[str]
    allows_plain: bool


def decide(  # noqa: PLR0917 - what a decision stands on
    viewer: Person,
    facts: Facts,
    circle: Circle,
    now: datetime,
    mail: Mail | None = None,
    to: Collection[str] = (),
) -> Decision:
    """What somebody may do with a mailbox, or with one message of it.

    Args:
        circle: what Slack says of the owner, this viewer and the channels among the shares.
        mail: the message it is about; without one, it is about the mailbox as a whole.
        to: domains, in lower case, of a mail that they would send.
    """
    if viewer == facts.owner:
        return Decision(Level.OWN, Reason.OWNER)
    refusal = _refusal(viewer, facts, circle)
    if refusal is not None:
        return Decision(Level.NONE, refusal)
    assert circle.owner is not None
    assert circle.viewer is not None
    grants = chain(circle.owner, facts.grants)
    excluded = allowance(grants).excluded
    if _is_any_within(to, excluded) or (mail is not None and _is_excluded(mail, excluded)):
        return Decision(Level.NONE, Reason.EXCLUDED)
    reaching = [
        share
        for share in in_effect(grants, facts)
        if _is_open(share, now) and covers(share, mail) and _reaches(share, circle.viewer, circle.channels)
    ]
    if not reaching:
        return Decision(Level.NONE, Reason.NOT_SHARED)
    levels = [(_level(share, grants, circle.viewer, circle.channels), share) for share in reaching]
    level, share = max(levels, key=lambda found: found[0])
    if level is Level.NONE:
        return Decision(Level.NONE, Reason.CEILING)
    return Decision(level, Reason.SHARED, share)


def _refusal(viewer: Person, facts: Facts, circle: Circle) -> Reason | None:
    """Why no share counts at all."""
    if circle.viewer is None or circle.viewer.person != viewer:
        return Reason.UNKNOWN
    if circle.viewer.role is None or viewer.workspace != facts.owner.workspace:
        return Reason.NO_ROLE
    if not allowance(chain(circle.viewer, facts.grants)).may_view:
        return Reason.BLOCKED
    if circle.owner is None or circle.owner.person != facts.owner:
        return Reason.UNKNOWN
    if circle.owner.role is None or not allowance(chain(circle.owner, facts.grants)).may_hold:
        return Reason.OWNER_GONE
    return Reason.SUSPENDED if facts.suspension is not None else None


def _is_excluded(mail: Mail, excluded: frozenset[str]) -> bool:
    if not excluded:
        return False
    return mail.domains is None or _is_any_within(mail.domains, excluded)


def _is_any_within(domains: Iterable[str], excluded: frozenset[str]) -> bool:
    return any(is_within(domain, wide) for domain in domains for wide in excluded)


def is_within(domain: str, wide: str) -> bool:
    """Whether a domain is this one or below it; both in lower case."""
    return domain == wide or domain.endswith(f".{wide}")


# Grants


def defaults(role: Role) -> Grant:
    """What holds for a role before anybody writes anything."""
    subject = Subject(SubjectKind.ROLE, role)
    if role in GUESTS:
        return Grant(subject, GrantKind.PRIVATE)
    return Grant(subject, GrantKind.CHOICE, Level.OPEN)


NO_LIMIT: Final = Grant(
    EVERYONE,
    GrantKind.CHOICE,
    Level.MANAGE,
    reach=Reach.ROLES,
    channels=ChannelReach.ANY,
    active=None,
    allows_plain=True,
)
"""The grant that takes nothing away: what everyone, a group or a person has before anybody writes one."""


def standing(subject: Subject, grants: Iterable[Grant]) -> Grant:
    """The grant that holds for a subject: the written one, else what it starts with."""
    written = next((grant for grant in grants if grant.subject == subject), None)
    if written is not None:
        return written
    if subject.kind is SubjectKind.ROLE:
        return defaults(Role(subject.id))
    return replace(NO_LIMIT, subject=subject)


def chain(member: Member, grants: Sequence[Grant]) -> tuple[Grant, ...]:
    """The grants that bind a person's mailboxes, from the broadest to the narrowest; empty for a person without role.

    A FIXED one whose writer ranked below them, as it comes to pass when they are promoted or join a group, opens nothing.
    """
    role = member.role
    if role is None:
        return ()
    subjects = [EVERYONE, Subject(SubjectKind.ROLE, role)]
    written = {grant.subject for grant in grants}
    groups = (Subject(SubjectKind.GROUP, group) for group in sorted(member.groups))
    own = (*groups, Subject(SubjectKind.PERSON, member.person.user))
    bound = (*subjects, *(each for each in own if each in written))
    return tuple(_as_bound(standing(subject, grants), role) for subject in bound)


def _as_bound(grant: Grant, role: Role) -> Grant:
    is_outranked = grant.rank is not None and grant.rank < role.rank
    return replace(grant, kind=GrantKind.PRIVATE) if is_outranked and grant.kind is GrantKind.FIXED else grant


def allowance(grants: Sequence[Grant]) -> Allowance:
    """What a chain of grants allows beside sharing; an empty chain allows nothing."""
    return Allowance(
        may_hold=bool(grants) and all(grant.may_hold for grant in grants),
        may_view=bool(grants) and all(grant.may_view for grant in grants),
        mailboxes=_least(grant.mailboxes for grant in grants),
        active=_least(grant.active for grant in grants),
        excluded=frozenset[str]().union(*(grant.excluded for grant in grants)),
        allows_plain=bool(grants) and all(grant.allows_plain for grant in grants),
    )


def _least(limits: Iterable[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def fixed(grants: Sequence[Grant]) -> Grant | None:
    """The narrowest grant of a chain that leaves the owner no choice; None where they have it."""
    return next((grant for grant in reversed(grants) if grant.kind is GrantKind.FIXED), None)


def in_effect(grants: Sequence[Grant], facts: Facts) -> tuple[Share, ...]:
    """The shares of a mailbox that count under a chain: the FIXED one alone, else the owner's."""
    grant = fixed(grants)
    if grant is None:
        return facts.shares
    if grant.audience is None or grant.since is None:
        return ()
    share = Share(
        id="",
        mailbox_id=facts.mailbox_id,
        audience=grant.audience,
        level=grant.level,
        created_at=grant.since,
        is_fixed=True,
    )
    return (share,)


def ceiling(grants: Sequence[Grant], audience: Audience, channel: Channel | None = None) -> Level:
    """The highest level a chain lets an owner open to an audience.

    Args:
        channel: what Slack says of it, where the audience is one; without that nothing is allowed.
    """
    return min((_bound(grant, audience, channel) for grant in grants), default=Level.NONE)


def _bound(grant: Grant, audience: Audience, channel: Channel | None) -> Level:
    if grant.kind is GrantKind.PRIVATE:
        return Level.NONE
    if grant.kind is GrantKind.FIXED:
        if audience.kind is AudienceKind.CHANNEL and not _is_usable(channel, fixed_reach(grant)):
            return Level.NONE
        return grant.level if audience == grant.audience else Level.NONE
    if audience.kind is AudienceKind.CHANNEL:
        return grant.level if _is_usable(channel, grant.channels) else Level.NONE
    return grant.level if grant.reach >= NEEDED[audience.kind] else Level.NONE


def fixed_reach(grant: Grant) -> ChannelReach:
    """A channel that was private when it was chosen is not what was chosen once it is public."""
    return max(grant.channels, ChannelReach.PRIVATE)


NEEDED: Final = {
    AudienceKind.PERSON: Reach.PEOPLE,
    AudienceKind.GROUP: Reach.GROUPS,
    AudienceKind.ROLE: Reach.ROLES,
}


def _is_usable(channel: Channel | None, allowed: ChannelReach) -> bool:
    if channel is None or channel.is_external or not channel.is_open:
        return False
    return allowed >= (ChannelReach.PRIVATE if channel.is_private else ChannelReach.ANY)


# Shares


def covers(share: Share, mail: Mail | None) -> bool:
    """Whether a share is about this message, or, without one, about the mailbox as a whole."""
    if share.message_id is not None:
        return mail is not None and mail.id == share.message_id
    return mail is None or share.history or mail.received_at >= share.created_at


def _is_open(share: Share, now: datetime) -> bool:
    return share.ended_at is None and (share.until is None or now < share.until)


def _reaches(share: Share, viewer: Member, channels: Mapping[str, Channel]) -> bool:
    if share.audience.kind is AudienceKind.CHANNEL and not as_chosen(share, channels.get(share.audience.id)):
        return False
    return reaches(share.audience, viewer, channels)


def as_chosen(share: Share, channel: Channel | None) -> bool:
    """Whether a channel is still as private as when its owner chose it."""
    return channel is not None and (channel.is_private or not share.was_private)


def reaches(audience: Audience, viewer: Member, channels: Mapping[str, Channel]) -> bool:
    """Whether somebody belongs to an audience."""
    if viewer.role is None:
        return False
    if audience.kind is AudienceKind.PERSON:
        return viewer.person.user == audience.id
    if audience.kind is AudienceKind.GROUP:
        return audience.id in viewer.groups
    if audience.kind is AudienceKind.ROLE:
        return viewer.role.rank >= Role(audience.id).rank
    channel = channels.get(audience.id)
    return channel is not None and viewer.person.user in channel.members


def _level(share: Share, grants: Sequence[Grant], viewer: Member, channels: Mapping[str, Channel]) -> Level:
    """What a share that reaches a viewer gives them."""
    level = min(share.level, Level.MANAGE, ceiling(grants, share.audience, channels.get(share.audience.id)))
    if share.audience.kind is AudienceKind.PERSON or viewer.role is None:
        return level
    return min(level, ROLE_CAPS.get(viewer.role, Level.MANAGE))


# Administrators
