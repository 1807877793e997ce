"""Who may do what, as a table of everything that can meet: roles, kinds of grants, levels and audiences.

What is expected is said here anew, in numbers and plain words, and shares nothing with the code that decides.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from bot.policy import Reason
from storage.sharing import (
    EVERYONE,
    Audience,
    AudienceKind,
    Channel,
    ChannelReach,
    GrantKind,
    Level,
    Member,
    Reach,
    Role,
)
from tests.unit.policy_scene import ANA, BOB, MAIL, Scene, for_role, share

if TYPE_CHECKING:
    from collections.abc import Iterator

# From the highest to the lowest.
ROLES: Final = [
    "primary_owner", "owner", "admin", "member", "multi_channel_guest", "single_channel_guest",
]  # fmt: skip
LEVELS: Final = [0, 1, 2, 3, 4]  # nothing, see, open, reply, manage
GUESTS_GET: Final = {"multi_channel_guest": 2, "single_channel_guest": 1}
AUDIENCES: Final = ["person", "group", "channel", *ROLES]


def expected(
    viewer: str, kind: str, granted: int, audience: str, opened: int, *, belongs: bool
) -> tuple[int, str]:
    """The level and the reason, by the words of the specification; the owner's role plays no part.

    Args:
        granted: the level of the grant for the owner's role, which is the only one.
        audience: person, group, channel, or the role from which on upwards.
        opened: the level at which the owner shares with that audience.
        belongs: the viewer is that person, in that group or channel; a role, they have.
    """
    if audience in ROLES:
        belongs = ROLES.index(viewer) <= ROLES.index(audience)
    if not belongs:
        return 0, "not_shared"
    if kind == "private":
        return 0, "ceiling"
    level = granted if kind == "fixed" else min(granted, opened)
    if audience != "person" and viewer in GUESTS_GET:
        level = min(level, GUESTS_GET[viewer])
    return (level, "shared") if level else (0, "ceiling")


def rows() -> Iterator[tuple[str, int, str, int, bool]]:
    """Kind of grant, its level, audience, level of the share, whether the viewer belongs to the audience."""
    for kind, granted, audience, opened in itertools.product(
        ("private", "fixed", "choice"), LEVELS, AUDIENCES, LEVELS[1:]
    ):
        for belongs in (True,) if audience in ROLES else (True, False):
            yield kind, granted, audience, opened, belongs


def scene(owner: str, viewer: str, row: tuple[str, int, str, int, bool]) -> Scene:
    """The row as policy sees it."""
    kind, granted, name, opened, belongs = row
    whom, group, members = "UBOB", {"S1"}, {"UBOB"}
    if not belongs:
        whom, group, members = "UEVE", set[str](), {"UEVE"}
    ids = {"person": whom, "group": "S1", "channel": "C1"}
    role = AudienceKind.ROLE if name in ROLES else AudienceKind(name)
    audience = Audience(role, ids.get(name, name))
    grant = for_role(
        Role(owner), GrantKind(kind), Level(granted), audience=audience if kind == "fixed" else None
    )
    return Scene(
        owner=Member(ANA, Role(owner)),
        viewer=Member(BOB, Role(viewer), frozenset(group)),
        grants=(grant,),
        shares=(share(audience, Level(opened)),),
        channels={"C1": Channel("C1", "c", True, False, True, frozenset(members))},
    )


@pytest.mark.parametrize("viewer", ROLES)
@pytest.mark.parametrize("owner", ROLES)
def test_every_pair_of_roles_in_every_row(owner: str, viewer: str) -> None:
    """Kind of grant, its level, audience and level of the share: 720 rows for each of the 36 pairs of roles."""
    wrong, count = [], 0
    for row in rows():
        count += 1
        *words, belongs = row
        want = expected(viewer, *words, belongs=belongs)  # type: ignore[arg-type] # a row's own types
        found = scene(owner, viewer, row).decision()
        if (int(found.level), found.reason.value) != want:
            wrong.append((row, want, found))

    assert wrong == []
    assert count == 3 * 5 * 4 * (3 * 2 + 6)


@pytest.mark.parametrize("viewer", ROLES)
@pytest.mark.parametrize("owner", ROLES)
def test_without_a_share_no_role_reads_anything(owner: str, viewer: str) -> None:
    """Not the primary owner, not an administrator, whatever the owner might share."""
    nothing = Scene(owner=Member(ANA, Role(owner)), viewer=Member(BOB, Role(viewer)))
    nothing = nothing.but(grants=(for_role(Role(owner)),))

    assert (nothing.level(), nothing.decision().reason) == (Level.NONE, Reason.NOT_SHARED)
    assert nothing.but(mail=None).level() is Level.NONE


# What an owner may choose: for each reach the audiences, for each reach of channels the channels.
MAY_REACH: Final = {
    "PEOPLE": {"person"},
    "GROUPS": {"person", "group"},
    "ROLES": {"person", "group", "role"},
}
MAY_USE: Final = {"NONE": set[str](), "PRIVATE": {"private"}, "ANY": {"private", "public"}}


@pytest.mark.parametrize("channels", ChannelReach)
@pytest.mark.parametrize("reach", Reach)
def test_every_reach_allows_its_audiences_and_no_other(reach: Reach, channels: ChannelReach) -> None:
    """People, groups and roles by the one, channels by the other alone."""
    wide = {
        "person": Audience(AudienceKind.PERSON, "UBOB"),
        "group": Audience(AudienceKind.GROUP, "S1"),
        "role": Audience(AudienceKind.ROLE, "single_channel_guest"),
        "private": Audience(AudienceKind.CHANNEL, "C1"),
        "public": Audience(AudienceKind.CHANNEL, "C2"),
    }
    rooms = {
        name: Channel(name, name, is_private, False, True, frozenset({"UBOB"}))
        for name, is_private in (("C1", True), ("C2", False))
    }
    grant = for_role(Role.MEMBER, GrantKind.CHOICE, Level.REPLY, reach=reach, channels=channels)
    viewer = Member(BOB, Role.MEMBER, frozenset({"S1"}))
    base = Scene(viewer=viewer, grants=(grant,), channels=rooms)

    allowed = {name for name, each in wide.items() if base.but(shares=(share(each),)).level() is Level.REPLY}
    refused = {name for name, each in wide.items() if base.but(shares=(share(each),)).level() is Level.NONE}

    assert allowed == MAY_REACH[reach.name] | MAY_USE[channels.name]
    assert refused == set(wide) - allowed


# Before anybody writes anything.
START: Final = {
    "primary_owner": 2, "owner": 2, "admin": 2, "member": 2, "multi_channel_guest": 0, "single_channel_guest": 0,
}  # fmt: skip


@pytest.mark.parametrize("owner", ROLES)
def test_what_an_owner_may_share_at_the_start(owner: str) -> None:
    """Up to Open, with named people; guests share nothing."""
    start = Scene(
        owner=Member(ANA, Role(owner)), viewer=Member(BOB, Role.ADMIN, frozenset({"S1"})), grants=()
    )
    named = start.but(shares=(share(),))
    group = start.but(shares=(share(Audience(AudienceKind.GROUP, "S1")),))
    role = start.but(shares=(share(Audience(AudienceKind.ROLE, "member")),))
    channel = start.but(shares=(share(Audience(AudienceKind.CHANNEL, "CROOM")),))

    assert int(named.level()) == START[owner]
    assert [each.level() for each in (group, role, channel)] == [Level.NONE] * 3


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("viewer", ROLES)
def test_guests_get_less_unless_named(viewer: str, *, named: bool) -> None:
    """Multi-channel guests Open, single-channel guests See, of what is shared with their group; named, all of it."""
    audience = Audience(AudienceKind.PERSON, "UBOB") if named else Audience(AudienceKind.GROUP, "S1")
    member = Member(BOB, Role(viewer), frozenset({"S1"}))

    level = Scene(viewer=member, shares=(share(audience),)).level()

    assert int(level) == (4 if named else GUESTS_GET.get(viewer, 4))


def test_no_share_makes_an_owner() -> None:
    """Not even one whose level says so, under grants that say so."""
    grant = for_role(Role.MEMBER, level=Level.OWN)
    scene = Scene(grants=(grant, replace(grant, subject=EVERYONE)), shares=(share(level=Level.OWN),))

    assert scene.level() is Level.MANAGE


def test_the_owner_may_all_whatever_is_written() -> None:
    """In every role and without one, suspended, with Slack away, under the strictest grant."""
    strict = for_role(
        Role.MEMBER, GrantKind.PRIVATE, may_hold=False, may_view=False, excluded=frozenset({"example.org"})
    )
    for owner in (None, *(Member(ANA, role) for role in (None, *Role))):
        mine = Scene(owner=owner, viewer=owner, who=ANA, grants=(strict,), channels={}, mail=MAIL)

        assert (mine.level(), mine.decision().reason) == (Level.OWN, Reason.OWNER)
