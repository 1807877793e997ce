"""What is posted into a channel is no more than each who reads there may read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.channel_policy import decide_channel
from bot.policy import Reason
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
    Mail,
    Member,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
    Suspension,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OWNER = Member(Person("T1", "U1"), Role.MEMBER)
READER = Member(Person("T1", "U2"), Role.MEMBER)
GUEST = Member(Person("T1", "U3"), Role.SINGLE_CHANNEL_GUEST)
PARTNER = Member(Person("T1", "U4"), Role.MULTI_CHANNEL_GUEST)
HERE = Audience(AudienceKind.CHANNEL, "C1")
CHANNEL = Channel(
    "C1",
    "hiring",
    is_private=False,
    is_external=False,
    is_open=True,
    members=frozenset({"U1", "U2", "U3", "U4"}),
)
WIDE = Grant(
    Subject(SubjectKind.ROLE, Role.MEMBER),
    GrantKind.CHOICE,
    Level.MANAGE,
    reach=Reach.ROLES,
    channels=ChannelReach.ANY,
)
SHARE = Share("s1", "m1", HERE, Level.REPLY, NOW - timedelta(days=1))
FACTS = Facts("m1", OWNER.person, None, (WIDE,), (SHARE,))
MAIL = Mail("x1", NOW, frozenset({"one.example"}))
FIXED = Grant(
    Subject(SubjectKind.PERSON, "U1"),
    GrantKind.FIXED,
    Level.OPEN,
    audience=HERE,
    channels=ChannelReach.ANY,
    since=NOW - timedelta(hours=1),
)


@pytest.mark.parametrize(
    ("readers", "level"),
    [
        ([OWNER, READER], Level.REPLY),
        ([READER, PARTNER], Level.OPEN),
        ([READER, PARTNER, GUEST], Level.SEE),
        ([OWNER], Level.NONE),
        ([], Level.NONE),
    ],
)
def test_the_least_of_all_readers_counts(readers: list[Member], level: Level) -> None:
    """Guests leave the channel what guests may have; without readers there is nobody to post for."""
    assert decide_channel(CHANNEL, FACTS, OWNER, readers, NOW, mail=MAIL).level is level


@pytest.mark.parametrize(
    ("facts", "channel", "reason"),
    [
        (FACTS, None, Reason.UNKNOWN),
        (FACTS, replace(CHANNEL, is_external=True), Reason.CEILING),
        (FACTS, replace(CHANNEL, is_open=False), Reason.CEILING),
        (replace(FACTS, shares=()), CHANNEL, Reason.NOT_SHARED),
        (replace(FACTS, shares=(replace(SHARE, until=NOW),)), CHANNEL, Reason.NOT_SHARED),
        (replace(FACTS, shares=(replace(SHARE, was_private=True),)), CHANNEL, Reason.NOT_SHARED),
        (replace(FACTS, shares=(replace(SHARE, created_at=NOW + timedelta(1)),)), CHANNEL, Reason.NOT_SHARED),
        (replace(FACTS, shares=(replace(SHARE, audience=Audience(AudienceKind.ROLE, Role.MEMBER)),)), CHANNEL, Reason.NOT_SHARED),
        (replace(FACTS, suspension=Suspension.ADMINISTRATOR), CHANNEL, Reason.SUSPENDED),
        (replace(FACTS, grants=()), CHANNEL, Reason.CEILING),
        (replace(FACTS, grants=(WIDE, Grant(EVERYONE, GrantKind.CHOICE, Level.MANAGE, reach=Reach.ROLES, channels=ChannelReach.ANY, excluded=frozenset({"one.example"})))), CHANNEL, Reason.EXCLUDED),
    ],
)  # fmt: skip
def test_nothing_is_posted_where_no_share_reaches(
    facts: Facts, channel: Channel | None, reason: Reason
) -> None:
    """Closed, shared with outsiders, made public, ended, suspended, excluded: each with its reason."""
    decision = decide_channel(channel, facts, OWNER, [READER], NOW, mail=MAIL)

    assert (decision.level, decision.reason) == (Level.NONE, reason)


def test_one_who_is_blocked_leaves_the_channel_nothing() -> None:
    """Nothing is posted before the eyes of somebody whose sight of shared mail is switched off."""
    blocked = Grant(Subject(SubjectKind.PERSON, "U2"), GrantKind.CHOICE, Level.MANAGE, may_view=False)
    facts = replace(FACTS, grants=(WIDE, blocked))

    decision = decide_channel(CHANNEL, facts, OWNER, [READER, PARTNER], NOW, mail=MAIL)

    assert (decision.level, decision.reason) == (Level.NONE, Reason.BLOCKED)


def test_a_fixed_grant_for_the_channel_posts_there() -> None:
    """Without any share of the owner; for another channel it posts nothing here."""
    facts = replace(FACTS, shares=(), grants=(WIDE, FIXED))
    elsewhere = replace(FIXED, audience=Audience(AudienceKind.CHANNEL, "C2"))

    assert decide_channel(CHANNEL, facts, OWNER, [READER], NOW, mail=MAIL).level is Level.OPEN
    other = replace(facts, grants=(WIDE, elsewhere), shares=(SHARE,))
    assert decide_channel(CHANNEL, other, OWNER, [READER], NOW, mail=MAIL).level is Level.NONE


def test_a_fixed_grant_for_a_role_posts_into_no_channel() -> None:
    """It reaches the readers one by one, where they ask for it."""
    fixed = replace(FIXED, audience=Audience(AudienceKind.ROLE, Role.MEMBER))
    facts = replace(FACTS, grants=(WIDE, fixed))

    assert decide_channel(CHANNEL, facts, OWNER, [READER], NOW, mail=MAIL).reason is Reason.NOT_SHARED
