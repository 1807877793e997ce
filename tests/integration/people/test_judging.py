"""Decisions on what Slack says now, taken again on the facts of a transaction."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.judging import Judge
from bot.policy import Reason
from bot.sandbox.slack import changes, channel_changes
from bot.sandbox.slack.channels import HIRING_ID, LEADERS_ID
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.people import BOT_USER_ID, TEAM_ID
from storage.records import Person
from storage.sharing import (
    EVERYONE,
    Audience,
    AudienceKind,
    ChannelReach,
    Facts,
    Grant,
    GrantKind,
    Level,
    Mail,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
)

if TYPE_CHECKING:
    from tests.integration.people.conftest import Town

INES, MARTA, KENJI, LUCIA = (
    Person(TEAM_ID, user) for user in ("U0INES0001", "U0MARTA004", "U0KENJI005", "U0LUCIA006")
)
SINCE = datetime(2026, 11, 19, tzinfo=UTC)
MAIL = Mail("message-1", datetime(2026, 11, 20, tzinfo=UTC), frozenset())
WIDE = Grant(
    Subject(SubjectKind.ROLE, Role.MEMBER),
    GrantKind.CHOICE,
    Level.MANAGE,
    reach=Reach.ROLES,
    channels=ChannelReach.ANY,
)


def share(kind: AudienceKind, audience: str, level: Level = Level.OPEN) -> Share:
    """One of Marta's mailbox."""
    return Share(f"share-{audience}", "mailbox-1", Audience(kind, audience), level, SINCE)


def facts(*shares: Share, grants: tuple[Grant, ...] = (WIDE,)) -> Facts:
    """What the tables say about Marta's mailbox."""
    return Facts("mailbox-1", MARTA, None, grants, shares)


WITH_KENJI = facts(share(AudienceKind.PERSON, KENJI.user))


@pytest.fixture
def judge(town: Town) -> Judge:
    """By the people of the sandbox."""
    return Judge(town.people, town.clock)


def bring_bot(town: Town, channel: str) -> None:
    """Invite the bot."""
    channel_changes.join(town.sandbox, town.sandbox.workspace.channels[channel], BOT_USER_ID)


async def test_owner_viewer_and_channels_are_gathered(town: Town, judge: Judge) -> None:
    """Those of shares and of fixed grants; a channel that Slack does not tell of is left out."""
    bring_bot(town, HIRING_ID)
    bring_bot(town, LEADERS_ID)
    fixed = Grant(
        EVERYONE, GrantKind.FIXED, Level.SEE, Audience(AudienceKind.CHANNEL, LEADERS_ID), since=SINCE
    )

    circle = await judge.circle(facts(share(AudienceKind.CHANNEL, HIRING_ID), grants=(WIDE, fixed)), KENJI)
    town.sandbox.faults.add(Fault("conversations.info", "status", count=1))
    unknown = await judge.circle(facts(share(AudienceKind.CHANNEL, "C0UNKNOWN1")), KENJI)

    assert circle.owner is not None
    assert (circle.owner.person, circle.owner.role) == (MARTA, Role.MEMBER)
    assert circle.viewer is not None
    assert circle.viewer.person == KENJI
    assert set(circle.channels) == {HIRING_ID, LEADERS_ID}
    assert unknown.channels == {}


async def test_all_are_asked_at_once(town: Town, judge: Judge) -> None:
    """A click waits for the slowest answer, not for one after the other: every question is out before any is answered."""
    bring_bot(town, HIRING_ID)
    bring_bot(town, LEADERS_ID)
    shares = [share(AudienceKind.CHANNEL, channel) for channel in (HIRING_ID, LEADERS_ID)]
    for method in ("users.info", "conversations.info"):
        town.sandbox.faults.add(Fault(method, "accept_then_wait", count=2, seconds=600))
    town.sandbox.faults.add(Fault("usergroups.list", "accept_then_wait", seconds=600))
    before = len(town.sandbox.calls.shown())

    asking = asyncio.create_task(judge.circle(facts(*shares), KENJI))
    async with asyncio.timeout(30):
        while len(town.sandbox.calls.shown()) < before + 5:  # noqa: ASYNC110 - the sandbox calls nobody
            await asyncio.sleep(0.01)

    assert not asking.done()
    asking.cancel()


@pytest.mark.parametrize(
    ("kind", "audience", "expected"),
    [
        (AudienceKind.PERSON, KENJI.user, Level.OPEN),
        (AudienceKind.PERSON, LUCIA.user, Level.NONE),
        (AudienceKind.GROUP, "S0SUPPORT1", Level.OPEN),
        (AudienceKind.ROLE, Role.MEMBER, Level.OPEN),
        (AudienceKind.ROLE, Role.ADMIN, Level.NONE),
        (AudienceKind.CHANNEL, "C0WAREHOU1", Level.OPEN),
        (AudienceKind.CHANNEL, HIRING_ID, Level.NONE),
    ],
)
async def test_each_audience_is_decided_by_what_slack_says(
    town: Town, judge: Judge, kind: AudienceKind, audience: str, expected: Level
) -> None:
    """Kenji is a member, in Support and in the channel about the warehouse."""
    for channel in ("C0WAREHOU1", HIRING_ID):
        bring_bot(town, channel)

    decision = await judge.decide(KENJI, facts(share(kind, audience)))

    assert decision.level is expected


async def test_an_owner_is_never_asked_about(town: Town, judge: Judge) -> None:
    """Their own mail goes on whatever Slack answers."""
    town.sandbox.faults.add(Fault("*", "status", count=50))

    decision = await judge.decide(MARTA, WITH_KENJI, MAIL, fresh=True)
    permits = await judge.permits(MARTA, WITH_KENJI, Level.MANAGE)

    assert decision.reason is Reason.OWNER
    assert permits(WITH_KENJI)
    assert town.calls("users.info") == 0


@pytest.mark.parametrize("method", ["users.info", "usergroups.list"])
async def test_what_is_unknown_is_no(town: Town, judge: Judge, method: str) -> None:
    """Slack does not answer about one of them."""
    town.sandbox.faults.add(Fault(method, "status", count=50))

    decision = await judge.decide(KENJI, WITH_KENJI)

    assert (decision.level, decision.reason) == (Level.NONE, Reason.UNKNOWN)


async def test_a_judge_for_a_store_decides_on_the_facts_it_is_given(judge: Judge) -> None:
    """What changed between the first look and the transaction counts, and the reason is kept for the answer."""
    permits = await judge.permits(KENJI, WITH_KENJI, Level.OPEN, MAIL)
    private = replace(WIDE, kind=GrantKind.PRIVATE)
    reasons = []

    for found in (WITH_KENJI, facts(), facts(*WITH_KENJI.shares, grants=(private,))):
        allowed = permits(found)
        assert permits.decision is not None
        reasons.append((allowed, permits.decision.reason))

    assert reasons == [(True, Reason.SHARED), (False, Reason.NOT_SHARED), (False, Reason.CEILING)]


async def test_a_level_is_enough_or_not(judge: Judge) -> None:
    """Open is not Reply."""
    assert not (await judge.permits(KENJI, WITH_KENJI, Level.REPLY, MAIL))(WITH_KENJI)


async def test_a_channel_that_came_in_between_gives_nothing(town: Town, judge: Judge) -> None:
    """Slack was not asked about it."""
    bring_bot(town, "C0WAREHOU1")
    permits = await judge.permits(KENJI, facts(), Level.SEE)

    assert not permits(facts(share(AudienceKind.CHANNEL, "C0WAREHOU1")))


async def test_only_channels_that_could_matter_are_asked_about(town: Town, judge: Judge) -> None:
    """Not those of single messages that this is not about."""
    bring_bot(town, HIRING_ID)
    other = replace(share(AudienceKind.CHANNEL, HIRING_ID), message_id="message-2")

    await judge.decide(KENJI, facts(other), MAIL)

    assert town.calls("conversations.info") == 0


async def test_a_share_ends_by_the_clock(town: Town, judge: Judge) -> None:
    """Also between the first look and the transaction."""
    ending = facts(replace(WITH_KENJI.shares[0], until=town.clock() + timedelta(seconds=1)))
    permits = await judge.permits(KENJI, ending, Level.OPEN)

    assert permits(ending)
    town.clock.ahead += timedelta(seconds=1)
    assert not permits(ending)


async def test_fresh_asks_again(town: Town, judge: Judge) -> None:
    """What writes or sends does not go by what was known a minute ago."""
    assert (await judge.decide(KENJI, WITH_KENJI)).level is Level.OPEN
    changes.change_role(town.sandbox, KENJI.user, "deactivated")
    town.clock.ahead += timedelta(seconds=5)

    assert (await judge.decide(KENJI, WITH_KENJI)).level is Level.OPEN
    assert (await judge.decide(KENJI, WITH_KENJI, fresh=True)).reason is Reason.NO_ROLE
