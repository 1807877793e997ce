"""What an owner may share, of what they ask for, and why not: grants, shares and Slack's words in, values out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bot import calm, policy
from bot.errors import NotTheirs
from storage.sharing import (
    GUESTS,
    Audience,
    AudienceKind,
    Channel,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Share,
    Suspension,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from storage.records import Person
    from storage.sharing import Facts, Mail, Member

MOST_PEOPLE: Final = 20
"""Whom one form names at most; each is a share of its own."""

_HIDDEN: Final = Channel("", "", is_private=True, is_external=False, is_open=True)
"""A channel as good as any, to ask what the best would be allowed."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody may open of a mailbox, or of one message of it, and what is open already.

    Attributes:
        kind: what their grants come to; None when Slack could not be asked who they are.
        levels: the highest level for each kind of audience; a kind that is not allowed is not in it.
        decider: who wrote the grant that leaves no choice, where that is known.
        fixed: what is shared without their doing.
        shares: those in force: of one message only its own, of a mailbox those of its messages too.
        message_id: the one message it is about; "" for the mailbox as a whole.
        excluded: domains whose mail is never shared.
    """

    mailbox_id: str
    name: str
    kind: GrantKind | None
    levels: Mapping[AudienceKind, Level] = field(default_factory=dict)
    channels: ChannelReach = ChannelReach.NONE
    decider: str | None = None
    fixed: Share | None = None
    shares: tuple[Share, ...] = ()
    message_id: str = ""
    suspension: Suspension | None = None
    excluded: frozenset[str] = frozenset()

    @property
    def is_choice(self) -> bool:
        """Whether there is anything to choose."""
        return self.kind is GrantKind.CHOICE and self.suspension is None


@dataclass(frozen=True, slots=True)
class Wish:
    """What an owner asks to open: one share for each audience."""

    mailbox_id: str
    audiences: tuple[Audience, ...]
    level: Level
    message_id: str | None = None
    history: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that the form of an owner shows.

    Attributes:
        seers: who is reached by what is chosen, or without a choice; None when Slack did not say.
        groups: names of the user groups by id.
        idle: ids of shares that reach nobody at the moment.
        already: who sees it before anything more is shared; None when Slack did not say.
    """

    offer: Offer
    seers: Seers | None
    groups: Mapping[str, str]
    idle: frozenset[str] = frozenset()
    already: Seers | None = field(default_factory=lambda: Seers(()))


@dataclass(frozen=True, slots=True)
class Seers:
    """Who is reached by what is chosen.

    Attributes:
        users: user ids, sorted, the owner apart.
        open_guests, see_guests: how many of them are guests who get no more than Open, or See, whatever the level is.
    """

    users: tuple[str, ...]
    open_guests: int = 0
    see_guests: int = 0


def offer(facts: Facts, chain: Sequence[Grant] | None, *, name: str = "", message_id: str = "") -> Offer:
    """What an owner's grants come to, for one mailbox or one message.

    Args:
        chain: as `policy.chain` makes it; None when Slack could not be asked, empty for those without a role.
    """
    shares = tuple(
        share
        for share in facts.shares
        if share.ended_at is None and (not message_id or share.message_id == message_id)
    )
    about = Offer(
        facts.mailbox_id, name, None, shares=shares, message_id=message_id, suspension=facts.suspension
    )
    return about if chain is None else _offered(about, facts, chain)


def _offered(about: Offer, facts: Facts, chain: Sequence[Grant]) -> Offer:
    fixed, levels = _fixed(facts, chain), highest(chain)
    kind = GrantKind.FIXED if fixed else GrantKind.CHOICE if levels else GrantKind.PRIVATE
    private = next((each for each in reversed(chain) if each.kind is GrantKind.PRIVATE), None)
    decisive = private or policy.fixed(chain)
    return Offer(
        mailbox_id=about.mailbox_id,
        name=about.name,
        kind=kind,
        levels=levels,
        channels=min((each.channels for each in chain), default=ChannelReach.NONE),
        decider=decisive.written_by if decisive else None,
        fixed=fixed,
        shares=about.shares,
        message_id=about.message_id,
        suspension=about.suspension,
        excluded=policy.allowance(chain).excluded,
    )


def _fixed(facts: Facts, chain: Sequence[Grant]) -> Share | None:
    """What is shared by a FIXED grant, at the level that the other grants leave of it."""
    share = next((share for share in policy.in_effect(chain, facts) if share.is_fixed), None)
    if share is None:
        return None
    level = policy.ceiling(chain, share.audience, _HIDDEN)
    return None if level is Level.NONE else replace(share, level=min(level, Level.MANAGE))


def people(users: Sequence[str]) -> tuple[Audience, ...]:
    """Each of these as an audience."""
    return tuple(Audience(AudienceKind.PERSON, user) for user in users)


def highest(chain: Sequence[Grant]) -> dict[AudienceKind, Level]:
    """The highest level a chain allows for each kind of audience, where it allows any."""
    found = {
        kind: policy.ceiling(chain, Audience(kind, ""), _HIDDEN if kind is AudienceKind.CHANNEL else None)
        for kind in AudienceKind
    }
    return {kind: level for kind, level in found.items() if level is not Level.NONE}


class Refusal(StrEnum):
    """Why something is not opened."""

    UNKNOWN = "unknown"  # Slack could not be asked
    NOT_OWNER = "not_owner"
    NO_ROLE = "no_role"  # the owner has none, or may not hold mailboxes
    SUSPENDED = "suspended"
    PRIVATE = "private"
    FIXED = "fixed"
    KIND = "kind"  # this kind of audience is not allowed
    LEVEL = "level"
    NOBODY = "nobody"
    TOO_MANY = "too_many"
    STRANGER = "stranger"  # a person without a role
    ONESELF = "oneself"
    GROUP_GONE = "group_gone"
    CHANNEL_CLOSED = "channel_closed"  # archived, or the bot is not in it
    CHANNEL_EXTERNAL = "channel_external"
    CHANNEL_PUBLIC = "channel_public"
    NOT_IN_CHANNEL = "not_in_channel"
    PAST = "past"


SENTENCES: Final = {
    Refusal.UNKNOWN: "Mailbox could not ask Slack about this right now, so nothing was shared. Please try again in a minute.",
    Refusal.NOT_OWNER: NotTheirs.words,
    Refusal.NO_ROLE: "Your account may not have a mailbox here any more, so nothing was shared. Please ask an administrator.",
    Refusal.SUSPENDED: "This mailbox is suspended, so nothing can be shared of it. Please ask an administrator.",
    Refusal.PRIVATE: "Your administrators keep this mailbox private now, so nothing was shared. Please ask them.",
    Refusal.FIXED: "Your administrators decide what is shared of this mailbox now, so nothing was changed.",
    Refusal.KIND: "Your administrators do not allow to share with these now. Choose somebody else, or ask them.",
    Refusal.LEVEL: "Your administrators allow less than that now. Choose a lower level, or ask them.",
    Refusal.NOBODY: "Choose with whom to share.",
    Refusal.TOO_MANY: f"Choose at most {MOST_PEOPLE} people, or a user group.",
    Refusal.STRANGER: "One of these people has no account in this workspace that could see it. Take them out.",
    Refusal.ONESELF: "You see your own mail already. Choose somebody else.",
    Refusal.GROUP_GONE: "That user group is not there any more. Choose another one.",
    Refusal.CHANNEL_CLOSED: "Mailbox is not in that channel. Type `/invite @mailbox` there, or choose another one.",
    Refusal.CHANNEL_EXTERNAL: "People of other companies are in that channel, so mail is never shared with it. Choose another one.",
    Refusal.CHANNEL_PUBLIC: "Everybody can join that channel, and your administrators allow private ones only. Choose another one.",
    Refusal.NOT_IN_CHANNEL: "You are not in that channel yourself. Choose one that you are in.",
    Refusal.PAST: "Choose today or a later day.",
}
"""What the owner is told; our own mrkdwn, without names."""


@dataclass(frozen=True, slots=True)
class Known:
    """What Slack says, asked afresh, of the owner and of those they chose.

    Attributes:
        owner: None when Slack could not be asked.
        people: the members among the audiences by user id; None for those it could not be asked about.
        groups: the ids of the user groups there are; None when it could not be asked.
        channels: by id; None for those it could not be asked about.
    """

    owner: Member | None
    people: Mapping[str, Member | None] = field(default_factory=dict)
    groups: frozenset[str] | None = frozenset()
    channels: Mapping[str, Channel | None] = field(default_factory=dict)


def refusal(wish: Wish, actor: Person, facts: Facts, known: Known, now: datetime) -> Refusal | None:
    """Why a wish cannot be had; None when it can."""
    if facts.owner != actor:
        return Refusal.NOT_OWNER
    if known.owner is None or known.owner.person != actor:
        return Refusal.UNKNOWN
    chain = policy.chain(known.owner, facts.grants)
    reasons = (_of_owner(facts, chain), _of_choice(wish, now))
    reason = next((reason for reason in reasons if reason is not None), None)
    if reason is not None:
        return reason
    each = (_of_audience(wish, audience, actor, chain, known) for audience in wish.audiences)
    return next((reason for reason in each if reason is not None), None)


def _of_choice(wish: Wish, now: datetime) -> Refusal | None:
    if not wish.audiences or wish.level is Level.NONE:
        return Refusal.NOBODY
    if len(wish.audiences) > MOST_PEOPLE:
        return Refusal.TOO_MANY
    return Refusal.PAST if wish.until is not None and wish.until <= now else None


def _of_owner(facts: Facts, chain: Sequence[Grant]) -> Refusal | None:
    if not policy.allowance(chain).may_hold:
        return Refusal.NO_ROLE
    if facts.suspension is not None:
        return Refusal.SUSPENDED
    if any(grant.kind is GrantKind.PRIVATE for grant in chain):
        return Refusal.PRIVATE
    return Refusal.FIXED if policy.fixed(chain) is not None else None


def _of_audience(
    wish: Wish, audience: Audience, actor: Person, chain: Sequence[Grant], known: Known
) -> Refusal | None:
    if audience.kind not in highest(chain):
        return Refusal.KIND
    channel = known.channels.get(audience.id)
    reason = None
    if audience.kind is AudienceKind.PERSON:
        reason = _of_person(audience.id, actor, known)
    elif audience.kind is AudienceKind.GROUP:
        if known.groups is None:
            return Refusal.UNKNOWN
        reason = None if audience.id in known.groups else Refusal.GROUP_GONE
    elif audience.kind is AudienceKind.CHANNEL:
        reason = _of_channel(channel, actor)
    if reason is not None:
        return reason
    most = policy.ceiling(chain, audience, channel)
    if most is Level.NONE:
        return Refusal.CHANNEL_PUBLIC if audience.kind is AudienceKind.CHANNEL else Refusal.KIND
    return Refusal.LEVEL if wish.level > min(most, Level.MANAGE) else None


def _of_person(user: str, actor: Person, known: Known) -> Refusal | None:
    if user == actor.user:
        return Refusal.ONESELF
    member = known.people.get(user)
    if member is None:
        return Refusal.UNKNOWN
    return Refusal.STRANGER if member.role is None else None


def _of_channel(channel: Channel | None, actor: Person) -> Refusal | None:
    if channel is None:
        return Refusal.UNKNOWN
    if not channel.is_open:
        return Refusal.CHANNEL_CLOSED
    if channel.is_external:
        return Refusal.CHANNEL_EXTERNAL
    return None if actor.user in channel.members else Refusal.NOT_IN_CHANNEL


def still_wanted(wish: Wish, facts: Facts) -> tuple[Audience, ...]:
    """The audiences for which this very share is not in force: a form that is sent twice opens nothing twice."""
    return tuple(audience for audience in wish.audiences if not _is_open(wish, audience, facts))


def _is_open(wish: Wish, audience: Audience, facts: Facts) -> bool:
    return any(
        (share.audience, share.message_id, share.level, share.until)
        == (audience, wish.message_id, wish.level, wish.until)
        and share.ended_at is None
        and share.history == (wish.history and wish.message_id is None)
        for share in facts.shares
    )


def shares_of(wish: Wish, facts: Facts, known: Known, now: datetime) -> list[Share]:
    """The shares that a wish stands for, those in force left out; the store gives the ids."""
    return [
        Share(
            id="",
            mailbox_id=wish.mailbox_id,
            audience=audience,
            level=wish.level,
            created_at=now,
            message_id=wish.message_id,
            history=wish.history and wish.message_id is None,
            until=wish.until,
            was_private=_is_private(audience, known),
        )
        for audience in still_wanted(wish, facts)
    ]


def _is_private(audience: Audience, known: Known) -> bool:
    channel = known.channels.get(audience.id) if audience.kind is AudienceKind.CHANNEL else None
    return channel is not None and channel.is_private


def end_of(day: date, zone: str | None) -> datetime:
    """The end of a day where somebody lives; in UTC where nobody knows where that is."""
    following = day + timedelta(days=1)
    midnight = datetime(following.year, following.month, following.day, tzinfo=calm.zone_of(zone))
    return midnight.astimezone(UTC)


def seers(
    users: Sequence[str], owner: Person, members: Mapping[str, Member] | None, facts: Facts, *, named: bool
) -> Seers:
    """Who of those reached would see it, and how many are held back by their role.

    Args:
        members: everybody Slack knows by user id; None when it could not be asked: then nobody is left out.
        named: they are named one by one, which lifts the guests' cap.
    """
    found = sorted(set(users) - {owner.user})
    if members is None:
        return Seers(tuple(found))
    able = [user for user in found if user in members and _may_view(members[user], facts.grants)]
    roles = [members[user].role for user in able if not named]
    caps = [policy.ROLE_CAPS[role] for role in roles if role is not None and role in GUESTS]
    return Seers(tuple(able), caps.count(Level.OPEN), caps.count(Level.SEE))


def seeing(shares: Sequence[Share], mail: Mail | None, now: datetime) -> tuple[Audience, ...]:
    """To whom this message is open now, by its own shares and the mailbox's; without one, the mailbox as a whole."""
    open_now = (share for share in shares if share.until is None or now < share.until)
    return tuple(dict.fromkeys(share.audience for share in open_now if policy.covers(share, mail)))


def _may_view(member: Member, grants: Sequence[Grant]) -> bool:
    return policy.allowance(policy.chain(member, grants)).may_view
