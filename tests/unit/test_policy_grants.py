"""Several grants at once, FIXED ones in every position, and who may write which."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from bot.granting import imposes, is_wider, may_write
from bot.policy import Reason, chain
from storage.sharing import (
    EVERYONE,
    Audience,
    AudienceKind,
    ChannelReach,
    GrantKind,
    Level,
    Member,
    Reach,
    Role,
    Subject,
    SubjectKind,
)
from tests.unit.policy_scene import (
    ANA,
    BEGIN,
    BOB,
    MAIL,
    TO_BOB,
    TO_ROOM,
    TO_TEAM,
    WIDE,
    Scene,
    for_group,
    for_person,
    for_role,
    share,
)

SHARED: Final = Scene(shares=(share(),))

# Grants


def test_all_groups_of_an_owner_bind_at_once() -> None:
    """The strictest of them counts, in whatever order; groups they are not in play no part."""
    owner = Member(ANA, Role.MEMBER, frozenset({"S1", "S2", "S3"}))
    written = [
        for_role(Role.MEMBER),
        for_group("S1", level=Level.REPLY),
        for_group("S2", level=Level.SEE),
        for_group("S9", GrantKind.PRIVATE),
    ]

    for grants in itertools.permutations(written):
        assert SHARED.but(owner=owner, grants=grants).level() is Level.SEE
    assert [grant.subject.id for grant in chain(owner, written)] == ["", "member", "S1", "S2"]


def test_a_person_beats_their_group_only_to_narrow() -> None:
    """A wide grant for the person widens nothing that group or role keep narrow."""
    owner = Member(ANA, Role.MEMBER, frozenset({"S1"}))
    narrow = (for_role(Role.MEMBER, level=Level.OPEN), for_group("S1", level=Level.SEE))

    assert SHARED.but(owner=owner, grants=(*narrow, for_person("UANA"))).level() is Level.SEE
    lower = for_person("UANA", GrantKind.PRIVATE)
    assert SHARED.but(owner=owner, grants=(*narrow, lower)).decision().reason is Reason.CEILING


POSITIONS: Final = [
    EVERYONE,
    Subject(SubjectKind.ROLE, Role.MEMBER),
    Subject(SubjectKind.GROUP, "S1"),
    Subject(SubjectKind.PERSON, "UANA"),
]


@pytest.mark.parametrize("subject", POSITIONS)
def test_a_fixed_grant_speaks_instead_of_the_owner(subject: Subject) -> None:
    """Wherever it stands: its audience at its level from when it was written; the owner's shares are silent."""
    owner = Member(ANA, Role.MEMBER, frozenset({"S1"}))
    team = Member(BOB, Role.MEMBER, frozenset({"STEAM"}))
    fixed = replace(for_role(Role.MEMBER, GrantKind.FIXED, Level.OPEN, audience=TO_TEAM), subject=subject)
    wide = for_role(Role.MEMBER)
    grants = (fixed,) if subject.kind is SubjectKind.ROLE else (wide, fixed)
    scene = Scene(owner=owner, viewer=team, grants=grants)

    decision = scene.decision()

    assert (decision.level, decision.share and decision.share.is_fixed) == (Level.OPEN, True)
    assert (
        scene.but(viewer=Member(BOB, Role.MEMBER), shares=(share(),)).decision().reason is Reason.NOT_SHARED
    )
    assert scene.but(mail=replace(MAIL, received_at=BEGIN - timedelta(days=1))).level() is Level.NONE


@pytest.mark.parametrize(("broad", "narrow"), list(itertools.combinations(range(len(POSITIONS)), 2)))
def test_two_fixed_grants_give_what_both_allow(broad: int, narrow: int) -> None:
    """The same audience at the lower level; different audiences nobody."""
    owner = Member(ANA, Role.MEMBER, frozenset({"S1"}))
    team = Member(BOB, Role.MEMBER, frozenset({"STEAM"}))

    def level(audience: Audience, first: Level, second: Level) -> Level:
        pair = (
            for_role(Role.MEMBER, GrantKind.FIXED, first, audience=TO_TEAM),
            for_role(Role.MEMBER, GrantKind.FIXED, second, audience=audience),
        )
        grants = [
            replace(grant, subject=POSITIONS[at]) for grant, at in zip(pair, (broad, narrow), strict=True)
        ]
        has_role = any(grant.subject.kind is SubjectKind.ROLE for grant in grants)
        return Scene(
            owner=owner, viewer=team, grants=(*grants, *(() if has_role else (for_role(Role.MEMBER),)))
        ).level()

    assert level(TO_TEAM, Level.REPLY, Level.SEE) is Level.SEE
    assert level(TO_TEAM, Level.SEE, Level.REPLY) is Level.SEE
    assert level(TO_BOB, Level.REPLY, Level.REPLY) is Level.NONE


def test_the_narrowest_fixed_grant_says_from_when_on() -> None:
    """Where two of them give the same audience the same."""
    team = Member(BOB, Role.MEMBER, frozenset({"STEAM"}))
    broad = for_role(Role.MEMBER, GrantKind.FIXED, Level.OPEN, audience=TO_TEAM)
    narrow = for_person(
        "UANA", GrantKind.FIXED, Level.OPEN, audience=TO_TEAM, since=BEGIN + timedelta(days=1)
    )

    for grants in ((broad, narrow), (narrow, broad)):
        decision = Scene(viewer=team, grants=grants).decision()
        assert decision.share is not None
        assert decision.share.created_at == narrow.since


def test_a_fixed_grant_under_a_choice_stays_within_it() -> None:
    """Within its level and its reach: a group where only people may be named is nobody."""
    team = Member(BOB, Role.MEMBER, frozenset({"STEAM"}))
    fixed = for_person("UANA", GrantKind.FIXED, Level.REPLY, audience=TO_TEAM)
    low = for_role(Role.MEMBER, level=Level.SEE)
    narrow = for_role(Role.MEMBER, **{**WIDE, "reach": 0})

    assert Scene(viewer=team, grants=(low, fixed)).level() is Level.SEE
    assert Scene(viewer=team, grants=(narrow, fixed)).decision().reason is Reason.CEILING


# Administrators


@pytest.mark.parametrize("role", [None, *Role])
def test_only_administrators_write_grants(role: Role | None) -> None:
    """And nobody of whom Slack says nothing."""
    narrower = for_role(Role.SINGLE_CHANNEL_GUEST, GrantKind.PRIVATE)
    before = for_role(Role.SINGLE_CHANNEL_GUEST)
    may = role is not None and role.value in {"primary_owner", "owner", "admin"}

    assert may_write(Member(BOB, role), narrower, before, [Role.SINGLE_CHANNEL_GUEST]) is may
    assert not may_write(None, narrower, before, [Role.SINGLE_CHANNEL_GUEST])


@pytest.mark.parametrize(("actor", "other"), list(itertools.product(list(Role)[:3], Role)))
def test_nobody_raises_a_role_above_their_own(actor: Role, other: Role) -> None:
    """Nor anything that binds one such person; lowering is open to every administrator."""
    order = [role.value for role in Role]
    low, high = for_role(other, level=Level.SEE), for_role(other, level=Level.OPEN)

    may_raise = may_write(Member(BOB, actor), high, low, [other])

    assert may_raise is (order.index(other.value) >= order.index(actor.value))
    assert may_write(Member(BOB, actor), high, low, [Role.MEMBER, other]) is may_raise
    assert may_write(Member(BOB, actor), low, high, [other])


@pytest.mark.parametrize("kind", list(GrantKind))
def test_nobody_opens_the_mail_of_a_role_above_their_own(kind: GrantKind) -> None:
    """A FIXED grant opens what the owner did not, even where it stays below what they could have opened."""
    before = for_role(Role.PRIMARY_OWNER, kind, Level.MANAGE, audience=TO_TEAM)
    fixed = for_role(Role.PRIMARY_OWNER, GrantKind.FIXED, Level.SEE, audience=TO_BOB)

    assert imposes(fixed, before)
    assert not may_write(Member(BOB, Role.ADMIN), fixed, before, [Role.PRIMARY_OWNER])
    assert may_write(Member(BOB, Role.PRIMARY_OWNER), fixed, before, [Role.PRIMARY_OWNER])


def test_a_fixed_grant_without_audience_opens_nothing() -> None:
    """Neither does it count as wider than anything, nor does it reach anybody."""
    empty = for_role(Role.MEMBER, GrantKind.FIXED, Level.MANAGE)

    assert Scene(grants=(empty,), shares=(share(),)).level() is Level.NONE
    assert not is_wider(empty, for_role(Role.MEMBER))
    assert not imposes(empty, for_role(Role.MEMBER))
    assert not imposes(for_role(Role.MEMBER), empty)
    assert is_wider(
        for_role(Role.MEMBER, GrantKind.FIXED, audience=Audience(AudienceKind.PERSON, "U1")), empty
    )


FIXED_TEAM: Final = {"kind": GrantKind.FIXED, "audience": TO_TEAM}
FIXED_BOB: Final = {"kind": GrantKind.FIXED, "audience": TO_BOB}
FIXED_ROOM: Final = {"kind": GrantKind.FIXED, "audience": TO_ROOM}
PEOPLE: Final = {"reach": Reach.PEOPLE}


# Each pair: what a narrow grant says, and what one says that allows more.
@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ({"kind": GrantKind.PRIVATE}, {}),
        ({"kind": GrantKind.PRIVATE}, FIXED_TEAM),
        ({"level": Level.OPEN}, {"level": Level.REPLY}),
        (PEOPLE, {"reach": Reach.GROUPS}),
        ({"reach": Reach.GROUPS}, {"reach": Reach.ROLES}),
        ({"channels": ChannelReach.NONE}, {"channels": ChannelReach.PRIVATE}),
        ({"channels": ChannelReach.PRIVATE}, {"channels": ChannelReach.ANY}),
        ({"may_hold": False}, {}),
        ({"may_view": False}, {}),
        ({"allows_plain": False}, {"allows_plain": True}),
        ({"mailboxes": 1}, {"mailboxes": 2}),
        ({"mailboxes": 1}, {"mailboxes": None}),
        ({"active": 0}, {"active": 1}),
        ({"active": 1}, {"active": None}),
        ({"excluded": frozenset({"a", "b"})}, {"excluded": frozenset({"a"})}),
        (FIXED_TEAM, {}),
        (FIXED_TEAM | {"level": Level.SEE}, FIXED_TEAM),
        ({"channels": ChannelReach.PRIVATE}, FIXED_ROOM),
        (PEOPLE, FIXED_TEAM),
        (PEOPLE | {"level": Level.SEE}, FIXED_BOB | {"level": Level.OPEN}),
    ],
)
def test_every_field_that_allows_more_is_wider(narrow: dict[str, Any], wide: dict[str, Any]) -> None:
    """Whatever else stays as it is; nothing is wider than itself."""
    base: dict[str, Any] = {"level": Level.OPEN, "mailboxes": 3, "active": 3}
    first = for_role(Role.MEMBER, **{**base, **narrow})
    second = for_role(Role.MEMBER, **{**base, **wide})

    assert is_wider(second, first)
    assert not is_wider(first, first)
    assert not is_wider(second, second)


@pytest.mark.parametrize("fixed", [FIXED_BOB, FIXED_TEAM, FIXED_ROOM])
def test_a_fixed_grant_below_a_choice_is_not_wider_but_imposed(fixed: dict[str, Any]) -> None:
    """The choice allowed that audience at that level; but it was the owner's to take."""
    choice, after = for_role(Role.MEMBER), for_role(Role.MEMBER, **fixed, level=Level.OPEN)

    assert (is_wider(after, choice), imposes(after, choice)) == (False, True)
    assert (is_wider(choice, after), imposes(choice, after)) == (True, False)
    assert not imposes(after, after)
    assert imposes(replace(after, level=Level.REPLY), after)
    assert not imposes(replace(after, level=Level.NONE), choice)
