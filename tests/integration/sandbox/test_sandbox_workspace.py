"""People, user groups and channels change: what Slack answers from then on, and the events it sends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.slack.channels import GENERAL_ID, HIRING_ID, LEADERS_ID, WAREHOUSE_ID
from bot.sandbox.slack.groups import AGENCY_ID, SUPPORT_ID
from tests.integration.sandbox.kit import BOT, MARTA, NOOR, OWEN, WIDE, Page, listening, refusal

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.sandbox.server import RunningSandbox
    from bot.sandbox.slack.manifest import Manifest

KENJI = "U0KENJI005"
LUCIA = "U0LUCIA006"


@pytest.fixture
def manifest() -> Manifest:
    """What sharing asks for."""
    return WIDE


async def test_groups_are_edited(client: AsyncWebClient, page: Page) -> None:
    """Members come and go; a disabled group is listed when asked for alone, and has a date of its end."""
    await page.post("group", group=SUPPORT_ID, users=[MARTA, LUCIA])
    await page.post("group", group=AGENCY_ID, is_disabled=True)

    living = (await client.usergroups_list(include_users=True))["usergroups"]
    every = (await client.usergroups_list(include_disabled=True))["usergroups"]

    assert [(one["id"], one["users"]) for one in living] == [(SUPPORT_ID, [MARTA, LUCIA])]
    assert [bool(one["date_delete"]) for one in every] == [False, True]
    assert (await client.usergroups_users_list(usergroup=SUPPORT_ID))["users"] == [MARTA, LUCIA]
    assert await refusal(client, "usergroups.users.list", usergroup=AGENCY_ID) == "no_such_subteam"


async def test_the_deactivated_are_in_no_group_until_they_return(client: AsyncWebClient, page: Page) -> None:
    """A deactivated account is in none of its groups and channels; active again, it is back with its role."""
    await page.post("role", role="deactivated")
    gone = (await client.usergroups_users_list(usergroup=SUPPORT_ID))["users"]
    absent = (await client.conversations_members(channel=HIRING_ID))["members"]
    await page.post("role", role="member")

    assert MARTA not in [*gone, *absent]
    assert MARTA in (await client.usergroups_users_list(usergroup=SUPPORT_ID))["users"]
    assert (await client.users_info(user=MARTA))["user"]["is_restricted"] is False


async def test_a_plan_without_groups_says_so(client: AsyncWebClient, page: Page) -> None:
    """plan_upgrade_required can be tried at run time."""
    await page.post("settings", user_groups=False)

    assert await refusal(client, "usergroups.list") == "plan_upgrade_required"
    assert await refusal(client, "usergroups.users.list", usergroup=SUPPORT_ID) == "plan_upgrade_required"


async def test_group_events_tell_difference_and_whole(
    client: AsyncWebClient, session: aiohttp.ClientSession, page: Page
) -> None:
    """A change of members is a delta with counts as strings, then the group; creating and disabling are told too."""
    async with listening(client, session) as ear:
        await page.post("group", group=SUPPORT_ID, users=[MARTA, LUCIA])
        delta, whole = await ear.next(), await ear.next()
        made = await page.post("group", name="Night shift", handle="night")
        created = await ear.next()
        await page.post("group", group=made["group"], is_disabled=True)
        disabled = await ear.next()

    assert delta["type"] == "subteam_members_changed"
    assert (delta["added_users"], delta["added_users_count"]) == ([LUCIA], "1")
    assert (delta["removed_users"], delta["removed_users_count"]) == ([KENJI], "1")
    assert (whole["type"], whole["subteam"]["users"]) == ("subteam_updated", [MARTA, LUCIA])
    assert (created["type"], created["subteam"]["id"]) == ("subteam_created", made["group"])
    assert (disabled["type"], bool(disabled["subteam"]["date_delete"])) == ("subteam_updated", True)


async def test_new_people_are_told(
    client: AsyncWebClient, session: aiohttp.ClientSession, page: Page
) -> None:
    """team_join carries the record that users.info gives."""
    async with listening(client, session) as ear:
        made = await page.post("person", name="Ravi Menon", role="admin")
        event = await ear.next()

    assert event["type"] == "team_join"
    assert event["user"] == (await client.users_info(user=made["user"]))["user"]
    assert event["user"]["is_admin"] is True
    assert made["user"] in (await client.conversations_members(channel=GENERAL_ID))["members"]


async def test_a_single_channel_guest_has_one_channel(
    client: AsyncWebClient, session: aiohttp.ClientSession, page: Page
) -> None:
    """A second channel is refused; a person who becomes such a guest leaves all channels but one."""
    second = await page.post("channel", channel=HIRING_ID, add=OWEN)
    await page.post("channel", channel=WAREHOUSE_ID, add="bot")
    async with listening(client, session) as ear:
        await Page(page._url, session, LUCIA).post("role", role="single_channel_guest")
        heard = await ear.until("user_change")

    assert "single-channel guest" in second["error"]
    assert ("member_left_channel", WAREHOUSE_ID) in [(one["type"], one.get("channel")) for one in heard]
    assert LUCIA in (await client.conversations_members(channel=HIRING_ID))["members"]


async def test_members_are_told_of_in_the_apps_channels(
    client: AsyncWebClient, session: aiohttp.ClientSession, page: Page
) -> None:
    """The app hears who comes and goes where it is, its own coming included, and nothing of elsewhere."""
    async with listening(client, session) as ear:
        await page.post("channel", channel=WAREHOUSE_ID, add=MARTA)
        await page.post("channel", channel=LEADERS_ID, add="bot")
        await page.post("channel", channel=LEADERS_ID, add=MARTA)
        await page.post("channel", channel=LEADERS_ID, remove=MARTA)
        await page.post("channel", channel=LEADERS_ID, remove="bot")
        heard = await ear.until("group_left")

    told = [(one["type"], one.get("user"), one.get("channel_type"), one["channel"]) for one in heard]
    assert told == [
        ("member_joined_channel", BOT, "G", LEADERS_ID),
        ("member_joined_channel", MARTA, "G", LEADERS_ID),
        ("member_left_channel", MARTA, "G", LEADERS_ID),
        ("group_left", None, None, LEADERS_ID),
    ]


async def test_what_happens_to_a_channel_is_told(
    client: AsyncWebClient, session: aiohttp.ClientSession, page: Page
) -> None:
    """Sharing, ending it, archiving and a new name each have their event; the shape is Slack's."""
    await page.post("channel", channel=HIRING_ID, add="bot")
    async with listening(client, session) as ear:
        for change in ({"is_ext_shared": True}, {"is_ext_shared": False}, {"name": "talent"}):
            await page.post("channel", channel=HIRING_ID, **change)
        await page.post("channel", channel=HIRING_ID, is_archived=True)
        heard = {one["type"]: one for one in await ear.until("channel_archive")}

    assert heard["channel_shared"]["connected_team_id"] == "T0PARTNER1"
    assert (heard["member_joined_channel"]["user"], heard["member_joined_channel"]["team"]) == (
        NOOR,
        "T0PARTNER1",
    )
    assert heard["channel_unshared"]["previously_connected_team_id"] == "T0PARTNER1"
    assert heard["channel_unshared"]["is_ext_shared"] is False
    assert heard["channel_rename"]["channel"]["name"] == "talent"
    assert heard["channel_archive"]["channel"] == HIRING_ID


async def test_a_deleted_channel_is_gone(
    client: AsyncWebClient, session: aiohttp.ClientSession, page: Page
) -> None:
    """The app hears of it, and nothing of the channel is left to ask for."""
    await page.post("channel", channel=LEADERS_ID, add="bot")
    async with listening(client, session) as ear:
        await page.post("channel", channel=LEADERS_ID, is_deleted=True)
        await page.post("channel", channel=HIRING_ID, is_deleted=True)
        heard = [(event["type"], event["channel"]) for event in (await ear.next(), await ear.next())]

    assert heard == [("group_deleted", LEADERS_ID), ("channel_deleted", HIRING_ID)]
    assert await refusal(client, "conversations.info", channel=HIRING_ID) == "channel_not_found"


async def test_a_channel_becomes_public_without_a_word(
    client: AsyncWebClient, session: aiohttp.ClientSession, page: Page
) -> None:
    """Without the posts of channels subscribed no event tells of a conversion: the app has to ask."""
    await page.post("channel", channel=LEADERS_ID, add="bot")
    async with listening(client, session) as ear:
        await page.post("channel", channel=LEADERS_ID, is_private=False)
        await page.post("channel", channel=LEADERS_ID, is_archived=True)
        first = await ear.next()

    assert first["type"] == "channel_archive"
    assert (await client.conversations_info(channel=LEADERS_ID))["channel"]["is_private"] is False


async def test_a_conversion_is_a_post_for_apps_that_read_all_posts(
    sandbox: RunningSandbox, client: AsyncWebClient, session: aiohttp.ClientSession, page: Page
) -> None:
    """With message.channels subscribed and its scope held, the post with the subtype comes."""
    events = frozenset({"message.channels"})
    sandbox.sandbox.manifest = replace(WIDE, events=events)
    await page.post("channel", channel=LEADERS_ID, add="bot")
    async with listening(client, session) as ear:
        await page.post("channel", channel=LEADERS_ID, is_private=False)
        event = await ear.next()

    assert (event["type"], event["subtype"]) == ("message", "channel_convert_to_public")
    assert event["channel_type"] == "channel"


async def test_an_event_needs_its_scope(
    sandbox: RunningSandbox, client: AsyncWebClient, session: aiohttp.ClientSession, page: Page
) -> None:
    """A subscription without the scope brings nothing."""
    sandbox.sandbox.manifest = replace(WIDE, scopes=WIDE.scopes - {"usergroups:read"})
    async with listening(client, session) as ear:
        await page.post("group", group=SUPPORT_ID, users=[])
        await page.post("role", role="admin")

        assert (await ear.next())["type"] == "user_change"


async def test_events_are_lost_doubled_and_delayed(
    client: AsyncWebClient, session: aiohttp.ClientSession, page: Page
) -> None:
    """Faults of events go by name, each for so many of them, and the next comes as ever."""
    async with listening(client, session) as ear:
        for kind, seconds in (("lost", 0), ("doubled", 0), ("delayed", 0.05)):
            await page.fault("event:user_change", kind, seconds=seconds)
        for role in ("admin", "owner", "member", "multi_channel_guest"):
            await page.post("role", role=role)
        heard = [(await ear.next())["user"] for _ in range(4)]

    assert [one["is_owner"] for one in heard] == [True, True, False, False]
    assert [one["is_restricted"] for one in heard] == [False, False, True, False]
    assert (await page.get("faults"))["faults"] == []


@pytest.mark.parametrize(
    "fault",
    [{"method": "event:user_change", "kind": "drop"}, {"method": "chat.postMessage", "kind": "lost"}],
)
async def test_a_fault_of_the_wrong_sort_is_refused(page: Page, fault: dict[str, Any]) -> None:
    """Events are not dropped connections, and calls are not lost events."""
    assert not (await page.post("faults", faults=[fault]))["ok"]


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("channel", {"channel": GENERAL_ID, "is_private": True}),
        ("channel", {"channel": GENERAL_ID, "is_archived": True}),
        ("channel", {"channel": GENERAL_ID, "is_deleted": True}),
        ("channel", {"channel": GENERAL_ID, "remove": MARTA}),
        ("channel", {"channel": HIRING_ID, "add": NOOR}),
        ("channel", {"channel": "C0NOWHERE0", "add": MARTA}),
        ("channel", {"name": "Not A Name"}),
        ("channel", {"name": "hiring"}),
        ("group", {"group": SUPPORT_ID, "users": [NOOR]}),
        ("group", {"name": "Other", "handle": "support"}),
        ("person", {"name": " "}),
    ],
)
async def test_what_slack_forbids_is_refused_in_words(page: Page, call: str, body: dict[str, Any]) -> None:
    """The panel says why, and nothing has changed."""
    before = await page.get("workspace")

    answer = await page.post(call, **body)

    assert not answer["ok"]
    assert answer["error"].endswith(".")
    assert await page.get("workspace") == before
