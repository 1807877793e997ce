"""Who people are in a workspace: roles, groups, channels and audiences, as the sandbox's Slack says."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.slack import changes, channel_changes
from bot.sandbox.slack.channels import GENERAL_ID, HIRING_ID, LEADERS_ID, WAREHOUSE_ID
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.groups import SUPPORT_ID
from bot.sandbox.slack.people import BOT_USER_ID, SLACKBOT_ID, TEAM_ID
from storage.records import Person
from storage.sharing import Audience, AudienceKind, Channel, Role

if TYPE_CHECKING:
    from tests.integration.people.conftest import Town

INES, TOMASZ, AISHA, MARTA = "U0INES0001", "U0TOMASZ02", "U0AISHA003", "U0MARTA004"
KENJI, LUCIA, OWEN, PETRA, NOOR = "U0KENJI005", "U0LUCIA006", "U0OWEN0007", "U0PETRA008", "U0NOOR0009"

ROLES = {
    INES: Role.PRIMARY_OWNER,
    TOMASZ: Role.OWNER,
    AISHA: Role.ADMIN,
    MARTA: Role.MEMBER,
    KENJI: Role.MEMBER,
    LUCIA: Role.MULTI_CHANNEL_GUEST,
    OWEN: Role.SINGLE_CHANNEL_GUEST,
}
MINUTE = timedelta(minutes=1)


def person(user: str) -> Person:
    """Somebody of this workspace."""
    return Person(TEAM_ID, user)


async def role(town: Town, user: str, *, fresh: bool = False) -> Role | None:
    """Their role, which Slack could be asked for."""
    member = await town.people.member(person(user), fresh=fresh)
    assert member is not None
    return member.role


def bring_bot(town: Town, channel: str) -> None:
    """Invite the bot."""
    channel_changes.join(town.sandbox, town.sandbox.workspace.channels[channel], BOT_USER_ID)


async def reached(town: Town, kind: AudienceKind, audience: str) -> list[str]:
    """Whom an audience reaches, which Slack could be asked for."""
    users = await town.people.reached(Audience(kind, audience))
    assert users is not None
    return users


@pytest.mark.parametrize("user", ROLES)
async def test_everybody_has_their_role(town: Town, user: str) -> None:
    """Each of the six."""
    assert await role(town, user) is ROLES[user]


@pytest.mark.parametrize(
    "user", [PETRA, NOOR, BOT_USER_ID, SLACKBOT_ID, "U0NOBODY99", "", "x&user=U0INES0001"]
)
async def test_some_have_none(town: Town, user: str) -> None:
    """Deactivated, of another workspace, bots, and ids that Slack does not know."""
    channel_changes.share(town.sandbox, town.sandbox.workspace.channels[HIRING_ID])

    assert await role(town, user) is None


async def test_people_of_another_workspace_are_not_asked_about(town: Town) -> None:
    """Whatever id they have there, it may be somebody else's here."""
    member = await town.people.member(Person("T0ELSEWHERE", INES))

    assert member is not None
    assert member.role is None
    assert town.calls("users.info") == 0


async def test_groups_belong_to_a_person(town: Town) -> None:
    """Those in use that they are in."""
    member = await town.people.member(person(KENJI))
    groups = await town.people.groups()

    assert member is not None
    assert member.groups == {SUPPORT_ID}
    assert groups is not None
    assert groups[SUPPORT_ID].name == "Support"

    changes.set_group_disabled(town.sandbox, SUPPORT_ID, is_disabled=True)
    town.people.forget(group=True)
    member = await town.people.member(person(KENJI))
    assert member is not None
    assert member.groups == frozenset()


async def test_a_plan_without_groups_has_none(town: Town) -> None:
    """And people have their roles all the same."""
    town.sandbox.settings.user_groups = False

    assert await town.people.groups() == {}
    assert await role(town, MARTA) is Role.MEMBER


async def test_slack_has_a_second_word_for_a_plan_without_groups(town: Town) -> None:
    """Nobody is locked out by it."""
    town.sandbox.faults.add(Fault("usergroups.list", "error", error="paid_teams_only", count=9))

    assert await town.people.groups() == {}
    assert await role(town, MARTA) is Role.MEMBER


async def test_a_change_shows_after_a_minute_or_at_once(town: Town) -> None:
    """By its age, by asking afresh after some seconds, or by an event."""
    assert await role(town, MARTA) is Role.MEMBER
    changes.change_role(town.sandbox, MARTA, "multi_channel_guest")

    assert await role(town, MARTA) is Role.MEMBER
    assert await role(town, MARTA, fresh=True) is Role.MEMBER
    town.clock.ahead += timedelta(seconds=5)
    assert await role(town, MARTA) is Role.MEMBER
    assert await role(town, MARTA, fresh=True) is Role.MULTI_CHANNEL_GUEST
    changes.change_role(town.sandbox, MARTA, "admin")
    town.people.forget(MARTA)
    assert await role(town, MARTA) is Role.ADMIN
    changes.change_role(town.sandbox, MARTA, "deactivated")
    town.clock.ahead += MINUTE
    assert await role(town, MARTA) is None


async def test_what_was_seen_counts_within_the_hour_but_after_events(town: Town) -> None:
    """For what was given already; for anything else it is asked again after a minute, and then counts for both."""
    bring_bot(town, HIRING_ID)
    channel, marta = town.sandbox.workspace.channels[HIRING_ID], person(MARTA)

    async def seen() -> tuple[bool, Role | None]:
        found = await town.people.channel(HIRING_ID, seen=True)
        member = await town.people.member(marta, seen=True)
        assert found is not None
        assert member is not None
        return MARTA in found.members, member.role

    before = await seen()
    assert await town.people.roster() is not None
    (channel_changes.leave if before[0] else channel_changes.join)(town.sandbox, channel, MARTA)
    changes.change_role(town.sandbox, MARTA, "admin")
    town.clock.ahead += 59 * MINUTE
    assert await seen() == before

    assert await role(town, MARTA) is Role.ADMIN
    assert await seen() == (before[0], Role.ADMIN)
    town.people.forget(channel=HIRING_ID)
    assert await seen() == (not before[0], Role.ADMIN)

    changes.change_role(town.sandbox, MARTA, "member")
    town.people.forget(MARTA)
    assert (await seen())[1] is Role.MEMBER


async def test_groups_show_after_five_minutes_or_at_once(town: Town) -> None:
    """They change seldom, and Slack lets them be asked for twenty times a minute."""
    kenji = await town.people.member(person(KENJI))
    changes.set_group_members(town.sandbox, SUPPORT_ID, [MARTA])
    town.clock.ahead += 4 * MINUTE
    later = await town.people.member(person(KENJI))
    afresh = await town.people.member(person(KENJI), fresh=True)

    assert [member.groups if member else None for member in (kenji, later, afresh)] == [
        {SUPPORT_ID},
        {SUPPORT_ID},
        frozenset(),
    ]


async def test_a_channel_tells_who_is_in_it(town: Town) -> None:
    """Public or private, with its people and the bot."""
    bring_bot(town, LEADERS_ID)

    channel = await town.people.channel(LEADERS_ID)

    assert channel == Channel(
        LEADERS_ID,
        "leadership",
        is_private=True,
        is_external=False,
        is_open=True,
        members=frozenset({INES, TOMASZ, AISHA, BOT_USER_ID}),
    )


@pytest.mark.parametrize("channel", [LEADERS_ID, HIRING_ID, "C0NOWHERE9", ""])
async def test_a_channel_without_the_bot_is_closed(town: Town, channel: str) -> None:
    """A private one is not even there, and nobody's name is asked for."""
    found = await town.people.channel(channel)

    assert found is not None
    assert not found.is_open
    assert found.members == frozenset()
    assert town.calls("conversations.members") == 0


async def test_a_dm_is_no_channel(town: Town) -> None:
    """The bot is in it with one person."""
    dm = await town.slack.open_dm(MARTA)

    found = await town.people.channel(dm)

    assert found is not None
    assert not found.is_open
    assert town.calls("conversations.info") == 0


async def test_what_happens_to_a_channel_shows_after_a_minute_or_at_once(town: Town) -> None:
    """Made public, shared with another workspace, archived, left."""
    bring_bot(town, LEADERS_ID)
    sandbox, channel = town.sandbox, town.sandbox.workspace.channels[LEADERS_ID]

    async def seen() -> tuple[bool, bool, bool]:
        found = await town.people.channel(LEADERS_ID)
        assert found is not None
        return found.is_private, found.is_external, found.is_open

    assert await seen() == (True, False, True)
    channel_changes.convert(sandbox, channel, is_private=False)
    assert await seen() == (True, False, True)
    town.clock.ahead += MINUTE
    assert await seen() == (False, False, True)
    channel_changes.share(sandbox, channel)
    town.people.forget(channel=LEADERS_ID)
    assert await seen() == (False, True, True)
    channel_changes.unshare(sandbox, channel)
    channel_changes.archive(sandbox, channel, is_archived=True)
    town.people.forget(channel=LEADERS_ID)
    assert await seen() == (False, False, False)


async def test_the_roster_is_everybody_with_a_role(town: Town) -> None:
    """With their groups, of nobody else, and not asked for again within the hour."""
    roster = await town.people.roster()
    again = await town.people.roster()

    assert roster is not None
    assert {user: member.role for user, member in roster.items()} == ROLES
    assert roster[KENJI].groups == {SUPPORT_ID}
    assert again == roster
    assert town.calls("users.list") == 1
    town.clock.ahead += 60 * MINUTE
    await town.people.roster()
    assert town.calls("users.list") == 2


async def test_the_roster_follows_events(town: Town) -> None:
    """Who came, left or changed is asked for alone."""
    await town.people.roster()
    hired = changes.hire(town.sandbox, "Vera Lindt", "member")
    changes.change_role(town.sandbox, MARTA, "admin")
    changes.change_role(town.sandbox, OWEN, "deactivated")
    for user in (hired, MARTA, OWEN):
        town.people.forget(user)

    roster = await town.people.roster()

    assert roster is not None
    assert {user: member.role for user, member in roster.items()} == {
        **{user: role for user, role in ROLES.items() if user != OWEN},
        MARTA: Role.ADMIN,
        hired: Role.MEMBER,
    }
    assert town.calls("users.list") == 1
    assert town.calls("users.info") == 3


async def test_after_many_events_the_roster_is_asked_for_whole(town: Town) -> None:
    """One list is less than a call for each."""
    await town.people.roster()
    for number in range(30):
        town.people.forget(f"U0NUMBER{number}")

    await town.people.roster()

    assert town.calls("users.list") == 2
    assert town.calls("users.info") <= 20


async def test_a_young_roster_answers_for_everybody(town: Town) -> None:
    """A look at all mailboxes at night asks for one list, not for each of twenty thousand people."""
    await town.people.roster(fresh=True)

    assert [await role(town, user, fresh=True) for user in ROLES] == list(ROLES.values())
    assert await role(town, PETRA) is None
    assert town.calls("users.info") == 0
    changes.change_role(town.sandbox, MARTA, "deactivated")
    town.people.forget(MARTA)
    assert await role(town, MARTA) is None
    assert town.calls("users.info") == 1


async def test_an_audience_reaches_those_in_it_who_have_a_role(town: Town) -> None:
    """Whatever its kind; a disabled group and a closed channel reach nobody."""
    bring_bot(town, WAREHOUSE_ID)
    bring_bot(town, GENERAL_ID)
    changes.set_group_members(town.sandbox, SUPPORT_ID, [KENJI, PETRA])

    assert await reached(town, AudienceKind.PERSON, MARTA) == [MARTA]
    assert await reached(town, AudienceKind.PERSON, PETRA) == []
    assert await reached(town, AudienceKind.ROLE, Role.ADMIN) == sorted([INES, TOMASZ, AISHA])
    assert await reached(town, AudienceKind.ROLE, Role.SINGLE_CHANNEL_GUEST) == sorted(ROLES)
    assert await reached(town, AudienceKind.GROUP, SUPPORT_ID) == [KENJI]
    assert await reached(town, AudienceKind.GROUP, "S0NOWHERE9") == []
    assert await reached(town, AudienceKind.CHANNEL, WAREHOUSE_ID) == sorted([TOMASZ, KENJI, LUCIA, OWEN])
    assert await reached(town, AudienceKind.CHANNEL, LEADERS_ID) == []
    channel_changes.share(town.sandbox, town.sandbox.workspace.channels[WAREHOUSE_ID])
    town.people.forget(channel=WAREHOUSE_ID)
    assert await reached(town, AudienceKind.CHANNEL, WAREHOUSE_ID) == []


async def test_what_cannot_be_asked_for_is_unknown(town: Town) -> None:
    """Of a person, their groups, a channel and an audience; a moment later it is asked for again."""
    bring_bot(town, HIRING_ID)
    for method in ("users.info", "usergroups.list", "conversations.info", "users.list"):
        town.sandbox.faults.add(Fault(method, "status", status=503))

    assert await town.people.member(person(MARTA)) is None
    town.sandbox.faults.add(Fault("usergroups.list", "status", status=503))
    assert await town.people.member(person(KENJI)) is None
    assert await town.people.channel(HIRING_ID) is None
    assert await town.people.reached(Audience(AudienceKind.ROLE, Role.ADMIN)) is None
    town.sandbox.faults.clear()
    assert await role(town, MARTA) is Role.MEMBER
    assert await town.people.channel(HIRING_ID) is not None
