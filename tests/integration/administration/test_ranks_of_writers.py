"""The rank of whoever wrote a grant stands in it, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot import policy
from bot.sandbox.slack.channels import HIRING_ID, LEADERS_ID
from bot.sandbox.slack.groups import SUPPORT_ID
from storage.sharing import (
    Audience,
    AudienceKind,
    ChannelReach,
    Facts,
    Grant,
    GrantKind,
    Level,
    Member,
    Role,
    Subject,
    SubjectKind,
)
from tests.integration.administration.conftest import person, to_person

if TYPE_CHECKING:
    from tests.integration.administration.conftest import Place

INES, AISHA = "U0INES0001", "U0AISHA003"
SUPPORT = Subject(SubjectKind.GROUP, SUPPORT_ID)
TO_AISHA = Grant(SUPPORT, GrantKind.FIXED, Level.OPEN, to_person(AISHA))


async def opens(place: Place, role: Role) -> bool:
    """Whether a fixed grant opens the mail of somebody of that role who is in the group of support."""
    grants = tuple(await place.grants.all(person(AISHA).workspace))
    owner = Member(person("U0SOMEBODY"), role, frozenset({SUPPORT_ID}))
    return bool(policy.in_effect(policy.chain(owner, grants), Facts("m", owner.person, None, grants, ())))


async def test_an_owner_who_joins_a_group_is_not_opened_by_an_admin(place: Place) -> None:
    """An admin fixes what a group of members shares with them; an owner joins it, and keeps their mail."""
    before = policy.standing(SUPPORT, ())
    assert (await place.administration.write(person(AISHA), SUPPORT, TO_AISHA, before))[1]

    assert await opens(place, Role.MEMBER)
    assert not await opens(place, Role.OWNER)


async def test_what_a_higher_rank_takes_over_speaks_from_then_on(place: Place) -> None:
    """The same grant saved by the primary owner opens the mail of those it did not before, from now and not before."""
    workspace, first = person(AISHA).workspace, place.clock()
    low, high = (replace(TO_AISHA, rank=role.rank) for role in (Role.ADMIN, Role.PRIMARY_OWNER))
    await place.grants.set(workspace, low, person(AISHA), first, lambda _: True)
    later = first + timedelta(days=1)

    taken = await place.grants.set(workspace, high, person(INES), later, lambda _: True)
    back = await place.grants.set(workspace, low, person(AISHA), later + timedelta(days=1), lambda _: True)

    assert (taken.since, taken.rank) == (later, Role.PRIMARY_OWNER.rank)
    assert (back.since, back.rank) == (later, Role.ADMIN.rank)


@pytest.mark.parametrize(
    ("channel", "reach"), [(HIRING_ID, ChannelReach.ANY), (LEADERS_ID, ChannelReach.PRIVATE)]
)
async def test_a_fixed_grant_remembers_whether_its_channel_was_private(
    place: Place, channel: str, reach: ChannelReach
) -> None:
    """It is asked of Slack when it is saved, whatever the form says."""
    to_room = replace(TO_AISHA, audience=Audience(AudienceKind.CHANNEL, channel))
    before = policy.standing(SUPPORT, ())

    assert (await place.administration.write(person(AISHA), SUPPORT, to_room, before))[1]

    (grant,) = await place.grants.all(person(AISHA).workspace)
    assert grant.channels is reach
