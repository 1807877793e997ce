"""Who people are when Slack gives long lists, cut ones, none, or asks to wait: what is not known for sure is unknown."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.slack.client import CallFailed, Unknown
from storage.records import Person
from storage.sharing import Audience, AudienceKind, Role
from tests.integration.people.scripted import in_pages, user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.people.conftest import Told

ANNA = Person("T1", "U1")
GROUP = {"id": "S1", "name": "Support", "handle": "support", "date_delete": 0}
CHANNEL = {"id": "C1", "name": "hiring", "is_private": False, "is_member": True, "is_archived": False}
CHANNEL |= {"is_ext_shared": False}


@pytest.fixture
def well(told: Told) -> Told:
    """Slack answers well: U1 is an administrator in one group, U2 a member, C1 has both."""
    told.scripted.says(
        "users.info", lambda given: {"user": user(given["user"], is_admin=given["user"] == "U1")}
    )
    told.scripted.says("users.list", in_pages("members", [user("U1", is_admin=True), user("U2")], 1))
    told.scripted.says("usergroups.list", {"usergroups": [{**GROUP, "users": ["U1"], "user_count": 1}]})
    told.scripted.says("conversations.info", {"channel": CHANNEL})
    told.scripted.says("conversations.members", in_pages("members", ["U1", "U2"], 1))
    return told


async def test_lists_are_read_to_their_end(well: Told) -> None:
    """Page by page."""
    roster = await well.people.roster()
    channel = await well.people.channel("C1")

    assert roster is not None
    assert {name: member.role for name, member in roster.items()} == {"U1": Role.ADMIN, "U2": Role.MEMBER}
    assert channel is not None
    assert channel.members == {"U1", "U2"}
    assert well.scripted.calls["users.list"] == 2
    assert well.scripted.calls["conversations.members"] == 2


async def test_a_list_without_an_end_is_given_up(well: Told) -> None:
    """Slack's cursor leads on and on; what was read by then is no answer."""
    well.scripted.says(
        "conversations.members", {"members": ["U1"], "response_metadata": {"next_cursor": "more"}}
    )

    with pytest.raises(CallFailed) as caught:
        await well.slack.channel_members("C1")

    assert isinstance(caught.value.outcome, Unknown)
    assert well.scripted.calls["conversations.members"] <= 20
    assert await well.people.channel("C1") is None


async def test_a_group_that_came_without_all_its_users_is_asked_for_alone(well: Told) -> None:
    """A list that is cut is not the truth."""
    well.scripted.says("usergroups.list", {"usergroups": [{**GROUP, "users": ["U2"], "user_count": 2}]})
    well.scripted.says("usergroups.users.list", {"users": ["U1", "U2"]})

    member = await well.people.member(ANNA)

    assert member is not None
    assert member.groups == {"S1"}


async def test_a_group_that_cannot_be_completed_leaves_all_unknown(well: Told) -> None:
    """A grant for a group takes away: not to know who is in it may not widen anything."""
    well.scripted.says("usergroups.list", {"usergroups": [{**GROUP, "users": ["U2"], "user_count": 2}]})
    well.scripted.refuses("usergroups.users.list", "internal_error")

    assert await well.people.groups() is None
    assert await well.people.member(ANNA) is None


async def test_a_group_that_went_meanwhile_has_nobody(well: Told) -> None:
    """It was disabled between two calls."""
    well.scripted.says("usergroups.list", {"usergroups": [{**GROUP, "user_count": 2}]})
    well.scripted.refuses("usergroups.users.list", "no_such_subteam")

    member = await well.people.member(ANNA)

    assert member is not None
    assert member.groups == frozenset()


async def test_many_who_ask_share_one_request(well: Told) -> None:
    """A hundred clicks at once are one question about a person and one about the groups."""
    well.scripted.may_answer.clear()
    asking = [asyncio.create_task(well.people.member(ANNA)) for _ in range(100)]
    async with asyncio.timeout(30):
        await well.scripted.asked.acquire()
        await well.scripted.asked.acquire()
    well.scripted.may_answer.set()

    found = await asyncio.gather(*asking)

    assert all(member is not None and member.role is Role.ADMIN for member in found)
    assert well.scripted.calls == {"users.info": 1, "usergroups.list": 1}


async def test_a_429_is_obeyed(well: Told) -> None:
    """Nobody is asked about before its time is over, and all of them are unknown meanwhile."""
    well.scripted.limited["users.info"] = 20

    assert await well.people.member(ANNA) is None
    del well.scripted.limited["users.info"]
    well.clock.ahead += timedelta(seconds=19)
    assert await well.people.member(ANNA) is None
    assert await well.people.member(Person("T1", "U2"), fresh=True) is None
    assert well.scripted.calls["users.info"] == 1
    well.clock.ahead += timedelta(seconds=1)
    assert await well.people.member(ANNA) is not None


async def test_an_older_answer_is_not_used_when_slack_does_not_answer(well: Told) -> None:
    """What held a minute ago gives nobody a right now."""
    assert await well.people.member(ANNA) is not None
    assert await well.people.channel("C1") is not None
    for method in ("users.info", "conversations.info"):
        well.scripted.refuses(method, "internal_error")

    assert await well.people.member(ANNA) is not None
    well.clock.ahead += timedelta(seconds=60)
    assert await well.people.member(ANNA) is None
    assert await well.people.channel("C1") is None


async def test_groups_that_are_too_old_make_a_person_unknown(well: Told) -> None:
    """The role alone is not enough; whoever has none needs no groups."""
    assert await well.people.member(ANNA) is not None
    well.scripted.refuses("usergroups.list", "internal_error")
    well.clock.ahead += timedelta(minutes=5)

    assert await well.people.member(ANNA) is None
    well.scripted.says("users.info", {"user": user("U1", deleted=True)})
    well.people.forget("U1")
    gone = await well.people.member(ANNA)
    assert gone is not None
    assert gone.role is None


async def test_a_scope_that_is_missing_is_unknown_and_logged_without_names(
    well: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    """For groups as for channels; the log says what is missing and not who asked."""
    for method in ("usergroups.list", "conversations.info"):
        well.scripted.refuses(method, "missing_scope")

    assert await well.people.member(ANNA) is None
    assert await well.people.channel("C1") is None
    assert await well.people.reached(Audience(AudienceKind.CHANNEL, "C1")) is None
    assert await well.people.reached(Audience(AudienceKind.GROUP, "S1")) is None
    logged = capsys.readouterr().out
    assert logged.count("missing_scope") == 2
    assert "U1" not in logged
    assert "C1" not in logged


@pytest.mark.parametrize(
    "body",
    [{}, {"user": None}, {"user": []}, {"user": "U1"}, {"user": {}}, {"user": user("U2", is_admin=True)}],
)
async def test_an_odd_answer_gives_no_right(well: Told, body: Mapping[str, Any]) -> None:
    """No person, somebody else, or nothing that can be read."""
    well.scripted.says("users.info", dict(body))

    member = await well.people.member(ANNA)

    assert member is None or member.role is None


async def test_a_member_list_that_is_refused_closes_the_channel_or_leaves_it_unknown(well: Told) -> None:
    """Closed where Slack knows no such channel any more, unknown where it only does not tell."""
    well.scripted.refuses("conversations.members", "fetch_members_failed")
    assert await well.people.channel("C1") is None
    well.scripted.refuses("conversations.members", "channel_not_found")

    channel = await well.people.channel("C1")

    assert channel is not None
    assert not channel.is_open


async def test_a_person_of_whom_an_event_told_makes_the_roster_unknown_until_asked(well: Told) -> None:
    """The roster would not say what they are now."""
    assert await well.people.roster() is not None
    well.people.forget("U2")
    well.scripted.refuses("users.info", "internal_error")

    assert await well.people.roster() is None
    well.scripted.says("users.info", {"user": user("U2", deleted=True)})
    roster = await well.people.roster()
    assert roster is not None
    assert list(roster) == ["U1"]
