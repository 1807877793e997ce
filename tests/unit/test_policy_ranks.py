"""A grant of somebody who ranks lower never opens mail that its owner did not open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot import granting, policy
from bot.policy import decide
from storage.sharing import ChannelReach, Circle, Facts, Grant, GrantKind, Level, Member, Role
from tests.unit.policy_scene import (
    ANA,
    BOB,
    MAIL,
    NOW,
    ROOM,
    TO_BOB,
    TO_ROOM,
    VIEWER,
    for_group,
    for_person,
    for_role,
    share,
)

MAY_ALL = tuple(for_role(role) for role in Role)
FIXED: dict[str, Any] = {"kind": GrantKind.FIXED, "level": Level.OPEN, "audience": TO_BOB}


def level(owner: Role, grant: Grant, *shares: object) -> Level:
    """What Bob may do with mail of Ana's, who is in the group of the grant, or is whom it names."""
    facts = Facts("box", ANA, None, (*MAY_ALL, grant), shares)  # type: ignore[arg-type]
    circle = Circle(Member(ANA, owner, frozenset({"STEAM"})), VIEWER, {ROOM.id: ROOM})
    return decide(BOB, facts, circle, NOW, MAIL).level


@pytest.mark.parametrize("grant", [for_group("STEAM", **FIXED), for_person(ANA.user, **FIXED)])
@pytest.mark.parametrize("writer", [Role.ADMIN, Role.OWNER, Role.PRIMARY_OWNER])
@pytest.mark.parametrize("owner", [Role.MEMBER, Role.ADMIN, Role.OWNER, Role.PRIMARY_OWNER])
def test_a_fixed_grant_binds_none_above_its_writer(grant: Grant, writer: Role, owner: Role) -> None:
    """Whoever is promoted, or joins the group, later is not opened by somebody of lower rank."""
    found = level(owner, replace(grant, rank=writer.rank))

    assert found is (Level.OPEN if writer.rank >= owner.rank else Level.NONE)


def test_what_an_outranked_writer_fixed_stays_a_limit() -> None:
    """Taking away is for every administrator: shares of the owner's own do not come back by it."""
    grant = replace(for_group("STEAM", **FIXED), rank=Role.ADMIN.rank)

    assert level(Role.OWNER, grant, share()) is Level.NONE
    assert policy.fixed(policy.chain(Member(ANA, Role.OWNER, frozenset({"STEAM"})), (grant,))) is None


def test_a_channel_made_public_is_not_what_a_fixed_grant_was_written_for() -> None:
    """Who wrote it chose a private channel; a public one that was chosen as such goes on."""
    chosen = for_role(
        Role.MEMBER, GrantKind.FIXED, Level.OPEN, audience=TO_ROOM, channels=ChannelReach.PRIVATE
    )
    public = replace(ROOM, is_private=False)

    assert policy.ceiling((chosen,), TO_ROOM, ROOM) is Level.OPEN
    assert policy.ceiling((chosen,), TO_ROOM, public) is Level.NONE
    assert policy.ceiling((replace(chosen, channels=ChannelReach.ANY),), TO_ROOM, public) is Level.OPEN
    assert granting.is_wider(replace(chosen, channels=ChannelReach.ANY), chosen)
