"""What Slack tells of people, groups and channels is asked for again, and what was shared is looked at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.rechecking import Cause, What
from bot.sandbox.slack import changes, channel_changes
from bot.sandbox.slack.channels import LEADERS_ID, WAREHOUSE_ID
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.groups import SUPPORT_ID
from bot.sandbox.slack.people import BOT_USER_ID, TEAM_ID
from bot.slack.listeners.people import listen, noted
from bot.slack.people import PERSON_AGE
from storage.records import Person
from storage.sharing import Role
from tests.integration.people.scripted import user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bot.sandbox.slack.posts import Channel
    from tests.integration.people.conftest import Told, Town

MARTA, KENJI = "U0MARTA004", "U0KENJI005"


class Looks:
    """Notes what is looked at."""

    def __init__(self) -> None:
        self.done: list[Cause] = []
        self.noted = asyncio.Semaphore(0)

    async def __call__(self, cause: Cause) -> None:
        """One look."""
        self.done.append(cause)
        self.noted.release()

    async def until(self, cause: Cause) -> None:
        """Wait until this was looked at."""
        async with asyncio.timeout(30):
            while cause not in self.done:
                await self.noted.acquire()


@pytest.fixture
async def looks(town: Town) -> AsyncIterator[Looks]:
    """The listeners on Socket Mode, before the sandbox."""
    looks = Looks()
    client = AsyncWebClient(token="xoxb-t", base_url=town.api_url, retry_handlers=[])
    app = AsyncApp(client=client, signing_secret="s", raise_error_for_unhandled_request=False)
    listen(app, town.people, looks)
    handler = AsyncSocketModeHandler(app, "xapp-t", ping_interval=0.2)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it bare
    yield looks
    await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt leaves it bare


def channel(town: Town, channel_id: str) -> Channel:
    """With the bot in it."""
    found = town.sandbox.workspace.channels[channel_id]
    channel_changes.join(town.sandbox, found, BOT_USER_ID)
    return found


async def role(town: Town, who: str) -> Role | None:
    """As it is known now."""
    member = await town.people.member(Person(TEAM_ID, who))
    assert member is not None
    return member.role


@pytest.mark.parametrize(
    ("after", "expected"),
    [("single_channel_guest", Role.SINGLE_CHANNEL_GUEST), ("admin", Role.ADMIN), ("deactivated", None)],
)
async def test_a_role_that_changes_counts_at_once(
    town: Town, looks: Looks, after: str, expected: Role | None
) -> None:
    """No minute passes, and what was shared with the person or by them is looked at."""
    assert await role(town, MARTA) is Role.MEMBER

    changes.change_role(town.sandbox, MARTA, after)
    await looks.until(Cause(What.USER, MARTA))

    assert await role(town, MARTA) is expected


async def test_a_group_that_changes_counts_at_once(town: Town, looks: Looks) -> None:
    """Its members, and whether it is in use."""
    assert await town.people.member(Person(TEAM_ID, KENJI)) is not None

    changes.set_group_members(town.sandbox, SUPPORT_ID, [MARTA])
    await looks.until(Cause(What.GROUP, SUPPORT_ID))

    kenji = await town.people.member(Person(TEAM_ID, KENJI))
    assert kenji is not None
    assert kenji.groups == frozenset()


@pytest.mark.parametrize(
    "change",
    [
        lambda town, room: channel_changes.leave(town.sandbox, room, KENJI),
        lambda town, room: channel_changes.leave(town.sandbox, room, BOT_USER_ID),
        lambda town, room: channel_changes.share(town.sandbox, room),
        lambda town, room: channel_changes.archive(town.sandbox, room, is_archived=True),
    ],
    ids=["member left", "bot left", "shared", "archived"],
)
@pytest.mark.parametrize("is_private", [False, True])
async def test_a_channel_that_changes_counts_at_once(
    town: Town, looks: Looks, change: Callable[[Town, Channel], None], *, is_private: bool
) -> None:
    """Public or private: who left it, the bot among them, and that it became external or was archived."""
    room = channel(town, WAREHOUSE_ID)
    room.is_private = is_private
    before = await town.people.channel(WAREHOUSE_ID)

    change(town, room)
    await looks.until(Cause(What.CHANNEL, WAREHOUSE_ID))

    after = await town.people.channel(WAREHOUSE_ID)
    assert before is not None
    assert before.is_open
    assert after is not None
    assert after != before


async def test_who_joins_is_seen_at_once_and_nothing_is_looked_at(town: Town, looks: Looks) -> None:
    """Nobody loses anything by it."""
    room = channel(town, LEADERS_ID)
    await town.people.channel(LEADERS_ID)

    channel_changes.join(town.sandbox, room, MARTA)
    changes.change_role(town.sandbox, KENJI, "admin")
    await looks.until(Cause(What.USER, KENJI))

    found = await town.people.channel(LEADERS_ID)
    assert found is not None
    assert MARTA in found.members
    assert looks.done == [Cause(What.USER, KENJI)]


async def test_events_that_come_twice_or_not_at_all_do_no_harm(town: Town, looks: Looks) -> None:
    """A doubled one changes nothing more; without one the answer's age does the rest."""
    town.sandbox.faults.add(Fault("event:user_change", "doubled"))
    changes.change_role(town.sandbox, MARTA, "admin")
    await looks.until(Cause(What.USER, MARTA))
    assert await role(town, MARTA) is Role.ADMIN

    town.sandbox.faults.add(Fault("event:user_change", "lost"))
    changes.change_role(town.sandbox, MARTA, "deactivated")
    changes.change_role(town.sandbox, KENJI, "admin")
    await looks.until(Cause(What.USER, KENJI))

    assert await role(town, MARTA) is Role.ADMIN
    town.clock.ahead += PERSON_AGE
    assert await role(town, MARTA) is None
    assert looks.done == [Cause(What.USER, MARTA), Cause(What.USER, KENJI)]


# What an event is taken for


def user_change(record: dict[str, Any]) -> dict[str, Any]:
    """As Slack sends it for every change of a profile."""
    return {"type": "user_change", "user": record}


async def test_a_new_status_text_is_no_change(told: Told) -> None:
    """Slack sends it as often as people like; nothing is asked, nothing looked at."""
    told.scripted.says("users.info", {"user": user("U1")})
    told.scripted.says("usergroups.list", {"usergroups": []})
    await told.people.member(Person("T1", "U1"))

    changes_seen = [noted(told.people, user_change(user("U1", profile={"status": n}))) for n in range(5)]
    await told.people.member(Person("T1", "U1"))

    assert changes_seen == [None] * 5
    assert told.scripted.calls["users.info"] == 1


async def test_an_event_is_not_the_truth(told: Told) -> None:
    """One that is late or wrong gives nobody a role: Slack is asked."""
    told.scripted.says("users.info", {"user": user("U1", is_restricted=True)})
    told.scripted.says("usergroups.list", {"usergroups": []})
    late = user_change(user("U1", is_admin=True, is_owner=True, is_primary_owner=True))

    assert noted(told.people, late) == Cause(What.USER, "U1")
    member = await told.people.member(Person("T1", "U1"))
    assert member is not None
    assert member.role is Role.MULTI_CHANNEL_GUEST


async def test_a_person_nobody_asked_about_is_looked_at_once(told: Told) -> None:
    """From then on, when the role in the events changes."""
    as_member, as_guest = user("U1"), user("U1", is_ultra_restricted=True)

    seen = [noted(told.people, user_change(record)) for record in (as_member, as_member, as_guest, as_guest)]

    assert seen == [Cause(What.USER, "U1"), None, Cause(What.USER, "U1"), None]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "subteam_created", "subteam": {"id": "S1"}}, None),
        ({"type": "subteam_updated", "subteam": {"id": "S1"}}, Cause(What.GROUP, "S1")),
        ({"type": "subteam_members_changed", "subteam_id": "S1"}, Cause(What.GROUP, "S1")),
        ({"type": "member_joined_channel", "channel": "C1", "user": "U1"}, None),
        ({"type": "member_left_channel", "channel": "C1", "user": "U1"}, Cause(What.CHANNEL, "C1")),
        ({"type": "channel_left", "channel": "C1"}, Cause(What.CHANNEL, "C1")),
        ({"type": "group_left", "channel": "G1"}, Cause(What.CHANNEL, "G1")),
        ({"type": "channel_archive", "channel": "C1"}, Cause(What.CHANNEL, "C1")),
        ({"type": "group_archive", "channel": "G1"}, Cause(What.CHANNEL, "G1")),
        ({"type": "channel_deleted", "channel": "C1"}, Cause(What.CHANNEL, "C1")),
        ({"type": "group_deleted", "channel": "G1"}, Cause(What.CHANNEL, "G1")),
        ({"type": "channel_shared", "channel": "C1"}, Cause(What.CHANNEL, "C1")),
        ({"type": "channel_unshared", "channel": "C1"}, Cause(What.CHANNEL, "C1")),
        ({"type": "user_change", "user": {}}, None),
        ({"type": "user_change", "user": "U1"}, None),
        ({"type": "team_join"}, None),
        ({"type": "subteam_updated"}, None),
        ({"type": "channel_left"}, None),
    ],
)
async def test_each_event_is_about_somebody_or_something(
    told: Told, event: dict[str, Any], expected: Cause | None
) -> None:
    """An event that says nothing is about nothing."""
    assert noted(told.people, event) == expected
