"""What a grant would change before it is written: who is affected, what is cut, who may hold less. Pure.

Everything here only counts and compares by `bot.policy`; it decides nothing of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bot import granting, policy
from storage.sharing import (
    ADMINISTRATORS,
    EVERYONE,
    AudienceKind,
    Level,
    Role,
    Subject,
    SubjectKind,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from storage.headcount import Holder
    from storage.sharing import Audience, Channel, Facts, Grant, Member


@dataclass(frozen=True, slots=True)
class Cut:
    """A share that its owner's ceiling will not allow any more as it is; after NONE it ends."""

    owner: str
    mailbox_id: str
    audience: Audience
    before: Level
    after: Level
    is_message: bool = False


@dataclass(frozen=True, slots=True)
class Excess:
    """An owner who has more mailboxes, or active ones, than they may have."""

    owner: str
    count: int
    limit: int


@dataclass(frozen=True, slots=True)
class Effects:
    """What a grant changes at once.

    Attributes:
        people: users whom it is for, sorted.
        holders: those of them who have mailboxes.
        opened: owners whose mail a fixed audience will see from now on.
        loses_hold: owners who may not have a mailbox any more; nothing more is brought to them.
        loses_view: people who will not see what others share with them.
        narrower: subjects whose grants allow less than this one, so that it binds only as far as they allow.
    """

    people: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    mailboxes: int = 0
    cuts: tuple[Cut, ...] = ()
    opened: tuple[str, ...] = ()
    loses_hold: tuple[str, ...] = ()
    loses_view: tuple[str, ...] = ()
    over_mailboxes: tuple[Excess, ...] = ()
    over_active: tuple[Excess, ...] = ()
    narrower: tuple[Subject, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """What is known of a workspace when a grant is looked at; `roster` and `channels` by id."""

    roster: Mapping[str, Member]
    mailboxes: Sequence[Holder] = ()
    facts: Sequence[Facts] = ()
    channels: Mapping[str, Channel] = field(default_factory=dict)


def is_for(subject: Subject, member: Member) -> bool:
    """Whether a grant for this subject binds a person's mailboxes."""
    if member.role is None:
        return False
    if subject.kind is SubjectKind.ROLE:
        return member.role == subject.id
    if subject.kind is SubjectKind.GROUP:
        return subject.id in member.groups
    return subject == EVERYONE or member.person.user == subject.id


def roles_of(subject: Subject, members: Iterable[Member]) -> frozenset[Role]:
    """The roles of those a grant is for; all six for EVERYONE, whoever is there."""
    if subject.kind is SubjectKind.EVERYONE:
        return frozenset(Role)
    if subject.kind is SubjectKind.ROLE:
        return frozenset({Role(subject.id)})
    return frozenset(member.role for member in members if member.role is not None and is_for(subject, member))


def replaced(grants: Iterable[Grant], subject: Subject, grant: Grant | None) -> tuple[Grant, ...]:
    """The grants once this one is written, or removed where it is None."""
    others = tuple(each for each in grants if each.subject != subject)
    return others if grant is None else (*others, grant)


def effects(subject: Subject, before: Sequence[Grant], after: Sequence[Grant], world: World) -> Effects:
    """What changes when the grant of a subject does.

    Args:
        before, after: all grants that are written, without and with the change.
    """
    members = {user: member for user, member in world.roster.items() if is_for(subject, member)}
    olds, news = _chains(members.values(), before), _chains(members.values(), after)
    chains = {user: (olds[user], news[user]) for user in members}
    held: dict[str, list[Holder]] = {}
    for each in world.mailboxes:
        if each.owner in members:
            held.setdefault(each.owner, []).append(each)
    people = tuple(sorted(members))
    holders = tuple(sorted(held))
    each_allowance = {id(chain): policy.allowance(chain) for pair in chains.values() for chain in pair}
    allowed = {
        user: (each_allowance[id(old)], each_allowance[id(new)]) for user, (old, new) in chains.items()
    }
    return Effects(
        people=people,
        holders=holders,
        mailboxes=sum(map(len, held.values())),
        cuts=tuple(_cuts(chains, world)),
        opened=tuple(user for user in holders if _is_opened(*chains[user])),
        loses_hold=tuple(
            user for user in holders if allowed[user][0].may_hold and not allowed[user][1].may_hold
        ),
        loses_view=tuple(
            user for user in people if allowed[user][0].may_view and not allowed[user][1].may_view
        ),
        over_mailboxes=tuple(
            _excess((user, len(held[user]), allowed[user][1].mailboxes) for user in holders)
        ),
        over_active=tuple(
            _excess((user, sum(each.is_active for each in held[user]), allowed[user][1].active) for user in holders)
        ),
        narrower=_narrower(subject, after, members.values()),
    )  # fmt: skip


def _chains(members: Iterable[Member], grants: Sequence[Grant]) -> dict[str, tuple[Grant, ...]]:
    """The chain of each, worked out once for all of the same role and groups: there may be thousands of them."""
    own = {grant.subject.id for grant in grants if grant.subject.kind is SubjectKind.PERSON}
    known: dict[object, tuple[Grant, ...]] = {}
    found = {}
    for member in members:
        user = member.person.user
        alike = (member.role, member.groups, user if user in own else "")
        if alike not in known:
            known[alike] = policy.chain(member, grants)
        found[user] = known[alike]
    return found


def _cuts(chains: Mapping[str, tuple[Sequence[Grant], Sequence[Grant]]], world: World) -> Iterable[Cut]:
    """The shares that go or become less: what their owners opened, and what a FIXED grant did."""
    for facts in world.facts:
        chain = chains.get(facts.owner.user)
        if chain is None:
            continue
        old, new = chain
        fixed = policy.in_effect(old, facts) if policy.fixed(old) else ()
        for share in (*facts.shares, *(each for each in fixed if each.is_fixed)):
            channel = world.channels.get(share.audience.id)
            level = min(share.level, policy.ceiling(old, share.audience, channel))
            left = min(share.level, policy.ceiling(new, share.audience, channel))
            if share.is_fixed and policy.fixed(new) is None:
                left = Level.NONE  # the owner chooses again, and has chosen nothing yet
            if left < level:
                is_message = share.message_id is not None
                yield Cut(facts.owner.user, facts.mailbox_id, share.audience, level, left, is_message)


def _is_opened(old: Sequence[Grant], new: Sequence[Grant]) -> bool:
    """Whether a FIXED grant opens more of an owner's mail than before."""
    grant, was = policy.fixed(new), policy.fixed(old)
    if grant is None or grant.audience is None:
        return False
    if was is None or was.audience != grant.audience:
        return True
    return grant.level > was.level


def _excess(counts: Iterable[tuple[str, int, int | None]]) -> Iterable[Excess]:
    for user, count, limit in counts:
        if limit is not None and count > limit:
            yield Excess(user, count, limit)


_BROADER: Final = {
    SubjectKind.EVERYONE: (),
    SubjectKind.ROLE: (SubjectKind.EVERYONE,),
    SubjectKind.GROUP: (SubjectKind.EVERYONE, SubjectKind.ROLE),
    SubjectKind.PERSON: (SubjectKind.EVERYONE, SubjectKind.ROLE),
}


def _narrower(subject: Subject, after: Sequence[Grant], members: Collection[Member]) -> tuple[Subject, ...]:
    """The broader grants that bind tighter than this one; domains add up, so they do not count."""
    grant = next((each for each in after if each.subject == subject), None)
    if grant is None:
        return ()
    kinds = _BROADER[subject.kind]
    broader = [EVERYONE] if SubjectKind.EVERYONE in kinds else []
    if SubjectKind.ROLE in kinds:
        roles = roles_of(subject, members)
        broader += [Subject(SubjectKind.ROLE, role) for role in Role if role in roles]
    found = ((each, policy.standing(each, after)) for each in broader)
    return tuple(
        each
        for each, wide in found
        if granting.is_wider(replace(grant, excluded=grant.excluded | wide.excluded), wide)
    )


def for_review(grants: Iterable[Grant], roster: Mapping[str, Member] | None) -> frozenset[Subject]:
    """The grants whose writer is no administrator any more; none where Slack could not be asked."""
    if roster is None:
        return frozenset()
    found = set()
    for grant in grants:
        if grant.written_by is not None:
            member = roster.get(grant.written_by)
            if member is None or member.role not in ADMINISTRATORS:
                found.add(grant.subject)
    return frozenset(found)


def channels_of(grant: Grant | None, facts: Iterable[Facts], grants: Iterable[Grant] = ()) -> frozenset[str]:
    """The channels that have to be asked about."""
    audiences = [share.audience for each in facts for share in each.shares]
    audiences += [
        each.audience for each in (grant, *grants) if each is not None and each.audience is not None
    ]
    return frozenset(each.id for each in audiences if each.kind is AudienceKind.CHANNEL)


def start(subject: Subject, grants: Sequence[Grant], role: Role | None) -> Grant:
    """What the form shows: the written grant; for a group or a person without one, what their role has.

    Args:
        role: that of the person, or the one most of the group have; None where it is not known.
    """
    standing = policy.standing(subject, grants)
    is_written = any(grant.subject == subject for grant in grants)
    if is_written or subject.kind in {SubjectKind.EVERYONE, SubjectKind.ROLE} or role is None:
        return standing
    theirs = policy.standing(Subject(SubjectKind.ROLE, role), grants)
    return replace(theirs, subject=subject, written_by=None, since=None)
