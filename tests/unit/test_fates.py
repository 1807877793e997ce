"""What becomes of shares and mailboxes as roles, channels and grants change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import fates
from storage.records import Person
from storage.sharing import (
    EVERYONE,
    Audience,
    AudienceKind,
    Channel,
    ChannelReach,
    Facts,
    Grant,
    GrantKind,
    Level,
    Member,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
    Suspension,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OWNER = Person("T1", "U1")
MEMBER = Member(OWNER, Role.MEMBER)
MEMBERS = Subject(SubjectKind.ROLE, Role.MEMBER)
WIDE = Grant(MEMBERS, GrantKind.CHOICE, Level.REPLY, reach=Reach.ROLES, channels=ChannelReach.ANY)
ANNA = Share("s1", "m1", Audience(AudienceKind.PERSON, "U2"), Level.OPEN, NOW - timedelta(days=1))
TEAM = replace(ANNA, id="s2", audience=Audience(AudienceKind.GROUP, "S1"))
ROOM = replace(ANNA, id="s3", audience=Audience(AudienceKind.CHANNEL, "C1"), was_private=True)
PRIVATE = Channel("C1", "room", is_private=True, is_external=False, is_open=True, members=frozenset({"U2"}))
FACTS = Facts("m1", OWNER, None, (WIDE,), (ANNA, TEAM, ROOM))


def by_grants(*grants: Grant) -> Facts:
    """The same shares under these grants."""
    return replace(FACTS, grants=grants)


@pytest.mark.parametrize(
    ("facts", "owner", "lowered", "ended"),
    [
        (FACTS, MEMBER, {}, set()),
        (by_grants(replace(WIDE, level=Level.SEE)), MEMBER, {"s1": 1, "s2": 1, "s3": 1}, set()),
        (by_grants(replace(WIDE, reach=Reach.PEOPLE)), MEMBER, {}, {"s2"}),
        (by_grants(replace(WIDE, channels=ChannelReach.NONE)), MEMBER, {}, {"s3"}),
        (by_grants(WIDE, Grant(EVERYONE, GrantKind.PRIVATE)), MEMBER, {}, {"s1", "s2", "s3"}),
        (
            by_grants(Grant(MEMBERS, GrantKind.FIXED, Level.SEE, TEAM.audience, since=NOW)),
            MEMBER,
            {"s2": 1},
            {"s1", "s3"},
        ),
        (FACTS, replace(MEMBER, role=Role.SINGLE_CHANNEL_GUEST), {}, {"s1", "s2", "s3"}),
        (by_grants(replace(WIDE, level=Level.MANAGE)), MEMBER, {}, set()),
        (FACTS, replace(MEMBER, role=None), {}, set()),
    ],
    ids=[
        "allowed", "lower level", "people only", "no channels", "private", "fixed", "owner became a guest", "wider",
        "account deactivated",
    ],
)  # fmt: skip
def test_a_share_is_cut_to_what_its_owner_may_open_now(
    facts: Facts, owner: Member, lowered: dict[str, int], ended: set[str]
) -> None:
    """Lowered where something is left, ended where nothing is; those of a deactivated account only rest."""
    found = fates.fates(facts, owner, {"C1": PRIVATE})

    assert {share.id: int(level) for share, level in found.lowered} == lowered
    assert {share.id for share in found.ended} == ended
    assert found.is_known


@pytest.mark.parametrize(
    ("changes", "is_ended"),
    [
        ({}, False),
        ({"is_private": False}, True),
        ({"is_external": True}, True),
        ({"is_open": False}, True),
        ({"members": frozenset()}, False),
    ],
)
def test_a_channel_that_is_not_what_its_owner_chose_ends_its_share(
    changes: dict[str, Any], *, is_ended: bool
) -> None:
    """Made public, shared with other companies, archived or left by the bot; who leaves it only leaves the audience."""
    found = fates.fates(FACTS, MEMBER, {"C1": replace(PRIVATE, **changes)})

    assert (ROOM in found.ended) == is_ended


@pytest.mark.parametrize(
    ("owner", "channels"), [(None, {"C1": PRIVATE}), (MEMBER, {"C1": None}), (MEMBER, {})]
)
def test_what_is_not_known_ends_nothing(owner: Member | None, channels: dict[str, Channel | None]) -> None:
    """Where Slack does not answer, it is asked again, and the share stays as it is."""
    found = fates.fates(FACTS, owner, channels)

    assert (found.lowered, found.ended, found.is_known) == ((), (), False)


@pytest.mark.parametrize(
    ("owner", "before", "grants", "wanted"),
    [
        (MEMBER, None, (WIDE,), None),
        (replace(MEMBER, role=None), None, (WIDE,), Suspension.DEACTIVATED),
        (MEMBER, None, (replace(WIDE, may_hold=False),), Suspension.ROLE),
        (MEMBER, Suspension.ROLE, (WIDE,), None),
        (MEMBER, Suspension.DEACTIVATED, (WIDE,), None),
        (MEMBER, Suspension.DEACTIVATED, (replace(WIDE, may_hold=False),), Suspension.ROLE),
        (MEMBER, Suspension.ADMINISTRATOR, (WIDE,), None),
        (replace(MEMBER, role=None), Suspension.ADMINISTRATOR, (WIDE,), Suspension.DEACTIVATED),
    ],
)
def test_a_mailbox_rests_by_who_its_owner_is(
    owner: Member, before: Suspension | None, grants: tuple[Grant, ...], wanted: Suspension | None
) -> None:
    """A role without mailboxes and a deactivated account suspend, whatever an administrator does beside them."""
    assert fates.standing(replace(by_grants(*grants), suspension=before), owner) is wanted


def test_what_slack_does_not_answer_is_asked_again_ever_more_seldom() -> None:
    """Ten seconds, twenty and so on to ten minutes; after some hour and a half the night is waited for."""
    waits = [fates.again_in(tries) for tries in range(1, 20)]
    found = [wait for wait in waits if wait is not None]

    assert found[:2] == [timedelta(seconds=10), timedelta(seconds=20)]
    assert max(found) == timedelta(minutes=10)
    assert waits[-1] is None
    assert timedelta(hours=1) < sum(found, timedelta()) < timedelta(hours=2)
