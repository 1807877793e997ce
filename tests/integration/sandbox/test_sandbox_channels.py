"""Channels by Slack's own client: who may read and write where, and by which word the app is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.channels import GENERAL_ID, HIRING_ID, LEADERS_ID, WAREHOUSE_ID
from tests.integration.sandbox.kit import BOT, BOT_TOKEN, MARTA, NOOR, OWEN, WIDE, refusal, section, until

if TYPE_CHECKING:
    import aiohttp

    from bot.sandbox.server import RunningSandbox
    from bot.sandbox.slack.manifest import Manifest
    from tests.integration.sandbox.kit import Page

INES = "U0INES0001"


@pytest.fixture
def manifest() -> Manifest:
    """What sharing asks for."""
    return WIDE


async def change(page: Page, channel: str, **what: Any) -> dict[str, Any]:
    """One change in the panel of the workspace."""
    answer: dict[str, Any] = await page.post("channel", channel=channel, **what)
    return answer


async def test_channels_are_listed_by_kind(client: AsyncWebClient, page: Page) -> None:
    """Private channels are listed from within alone, archived ones unless they are left out."""
    public = await client.conversations_list(types="public_channel,private_channel")
    await change(page, LEADERS_ID, add="bot")
    await change(page, WAREHOUSE_ID, is_archived=True)
    both = await client.conversations_list(types="public_channel,private_channel", exclude_archived=True)

    assert {one["name"] for one in public["channels"]} == {"general", "hiring", "warehouse-move"}
    assert {one["name"] for one in both["channels"]} == {"general", "hiring", "leadership"}


async def test_a_channel_tells_what_it_is(client: AsyncWebClient, page: Page) -> None:
    """conversations.info says private, external, archived and member, each as it stands now."""
    await change(page, HIRING_ID, add="bot")
    before = (await client.conversations_info(channel=HIRING_ID, include_num_members=True))["channel"]
    await change(page, HIRING_ID, is_private=True)
    await change(page, HIRING_ID, is_ext_shared=True)
    await change(page, HIRING_ID, is_archived=True)
    after = (await client.conversations_info(channel=HIRING_ID))["channel"]

    names = ("is_private", "is_ext_shared", "is_archived", "is_member")
    assert [before[name] for name in names] == [False, False, False, True]
    assert [after[name] for name in names] == [True, True, True, True]
    assert before["num_members"] == 5
    assert after["shared_team_ids"] == ["T0SANDBOX1", "T0PARTNER1"]


async def test_members_are_told_of_what_the_app_can_see(client: AsyncWebClient, page: Page) -> None:
    """Members of public channels are told to anybody with the scope, of private ones from within; the deactivated are none."""
    outside = await refusal(client, "conversations.members", channel=LEADERS_ID)
    await change(page, LEADERS_ID, add="bot")
    inside = await client.conversations_members(channel=LEADERS_ID)
    general = await client.conversations_members(channel=GENERAL_ID)

    assert outside == "channel_not_found"
    assert set(inside["members"]) == {INES, "U0TOMASZ02", "U0AISHA003", BOT}
    assert "U0PETRA008" not in general["members"]
    assert OWEN not in general["members"]


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("chat.postMessage", {"text": "x"}),
        ("chat.postEphemeral", {"text": "x", "user": INES}),
        ("chat.update", {"text": "x", "ts": "1.000001"}),
        ("chat.delete", {"ts": "1.000001"}),
        ("chat.getPermalink", {"message_ts": "1.000001"}),
        ("conversations.history", {}),
        ("conversations.replies", {"ts": "1.000001"}),
    ],
)
async def test_a_channel_the_app_is_not_in_is_closed(
    client: AsyncWebClient, method: str, args: dict[str, Any]
) -> None:
    """A public channel says that the app is not in it; a private one is not even there."""
    assert await refusal(client, method, channel=HIRING_ID, **args) == "not_in_channel"
    assert await refusal(client, method, channel=LEADERS_ID, **args) == "channel_not_found"


async def test_a_private_channel_is_hidden_from_without(client: AsyncWebClient, page: Page) -> None:
    """A channel made private disappears for an app outside; the app inside goes on."""
    await change(page, HIRING_ID, is_private=True)
    hidden = await refusal(client, "conversations.info", channel=HIRING_ID)
    await change(page, HIRING_ID, add="bot")

    assert hidden == "channel_not_found"
    assert (await client.conversations_info(channel=HIRING_ID))["channel"]["is_private"] is True


async def test_an_archived_channel_takes_no_posts(client: AsyncWebClient, page: Page) -> None:
    """Posting and updating say is_archived; reading and taking one's own post away go on."""
    await change(page, HIRING_ID, add="bot")
    place = await client.chat_postMessage(channel=HIRING_ID, text="mail")
    await change(page, HIRING_ID, is_archived=True)

    posted = await refusal(client, "chat.postMessage", channel=HIRING_ID, text="x")
    updated = await refusal(client, "chat.update", channel=HIRING_ID, ts=place["ts"], text="x")
    await client.chat_delete(channel=HIRING_ID, ts=place["ts"])

    assert (posted, updated) == ("is_archived", "is_archived")
    assert (await client.conversations_history(channel=HIRING_ID))["messages"] == []


async def test_an_app_that_is_put_out_cannot_take_its_posts_back(client: AsyncWebClient, page: Page) -> None:
    """Removed from the channel, the app is as far outside as it was before."""
    await change(page, HIRING_ID, add="bot")
    place = await client.chat_postMessage(channel=HIRING_ID, text="mail")

    await change(page, HIRING_ID, remove="bot")

    assert await refusal(client, "chat.delete", channel=HIRING_ID, ts=place["ts"]) == "not_in_channel"


@pytest.mark.parametrize(
    ("method", "channel", "needed"),
    [
        ("conversations.info", HIRING_ID, "channels:read"),
        ("conversations.info", LEADERS_ID, "groups:read"),
        ("conversations.history", HIRING_ID, "channels:history"),
        ("conversations.history", LEADERS_ID, "groups:history"),
    ],
)
async def test_each_kind_of_channel_has_its_scope(
    sandbox: RunningSandbox, page: Page, method: str, channel: str, needed: str
) -> None:
    """The scope of public channels opens no private ones, nor the other way about."""
    await change(page, channel, add="bot")
    sandbox.sandbox.manifest = replace(WIDE, scopes=WIDE.scopes - {needed})
    client = AsyncWebClient(token=BOT_TOKEN, base_url=sandbox.api_url)

    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json={"channel": channel})

    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == needed


async def test_members_see_posts_threads_and_files(client: AsyncWebClient, page: Page) -> None:
    """What the app posts into a channel is on the page of its members and of nobody else."""
    await change(page, HIRING_ID, add="bot")
    root = await client.chat_postMessage(channel=HIRING_ID, text="mail", blocks=[section("mail")])
    await client.files_upload_v2(filename="a.txt", content="x", channel=HIRING_ID, thread_ts=root["ts"])

    async def shared() -> Any:
        return (await page.get(f"state?user={MARTA}&channel={HIRING_ID}"))["posts"][0]["replies"]

    (reply,) = await until(shared)
    file = (await client.files_info(file=reply["files"][0]["id"]))["file"]
    outsider = await page.get(f"state?user=U0KENJI005&channel={HIRING_ID}")

    assert reply["files"][0]["name"] == "a.txt"
    assert (file["channels"], file["groups"], file["ims"], file["is_public"]) == ([HIRING_ID], [], [], True)
    assert file["shares"]["public"][HIRING_ID][0]["ts"] == reply["ts"]
    assert (outsider["ok"], "posts" in outsider) == (False, False)


async def test_a_file_is_deleted_wherever_it_is_shown(client: AsyncWebClient, page: Page) -> None:
    """One file in a channel and a DM is gone from both, its content included; a deleted root keeps its replies."""
    await change(page, HIRING_ID, add="bot")
    root = await client.chat_postMessage(channel=HIRING_ID, text="mail")
    answer = await client.files_upload_v2(
        filename="a.txt", content="x", channel=HIRING_ID, thread_ts=root["ts"]
    )
    file_id = answer["file"]["id"]
    dm = (await client.conversations_open(users=MARTA))["channel"]["id"]
    await client.files_completeUploadExternal(files=[{"id": file_id}], channel_id=dm)

    async def everywhere() -> Any:
        there = (await page.get(f"state?user={MARTA}&channel={HIRING_ID}"))["posts"][0]["replies"]
        return (await page.state())["posts"] and there

    await until(everywhere)
    await client.files_delete(file=file_id)
    await client.chat_delete(channel=HIRING_ID, ts=root["ts"])

    (left,) = (await page.get(f"state?user={MARTA}&channel={HIRING_ID}"))["posts"]
    assert left["deleted"] is True
    assert left["replies"][0]["files"][0]["deleted"] is True
    assert (await page.state())["posts"][0]["files"][0]["deleted"] is True
    assert await refusal(client, "files.info", file=file_id) == "file_not_found"


async def test_a_permalink_leads_to_the_channel(
    sandbox: RunningSandbox, session: aiohttp.ClientSession, client: AsyncWebClient, page: Page
) -> None:
    """The address of a post opens the page at its channel and at the post."""
    await change(page, HIRING_ID, add="bot")
    post = await client.chat_postMessage(channel=HIRING_ID, text="mail")
    link = (await client.chat_getPermalink(channel=HIRING_ID, message_ts=post["ts"]))["permalink"]

    async with session.get(link, allow_redirects=False) as answer:
        place = answer.headers["Location"]

    assert place == f"/?channel={HIRING_ID}&post={post['ts']}"


async def test_an_ephemeral_reaches_members_alone(client: AsyncWebClient, page: Page) -> None:
    """chat.postEphemeral in a channel is for somebody who is in it."""
    await change(page, HIRING_ID, add="bot")

    await client.chat_postEphemeral(channel=HIRING_ID, user=MARTA, text="only you")

    (shown,) = (await page.state())["ephemerals"]
    assert shown["channel"] == HIRING_ID
    wrong = await refusal(client, "chat.postEphemeral", channel=HIRING_ID, user=OWEN, text="x")
    assert wrong == "user_not_in_channel"


async def test_somebody_of_another_workspace_is_seen_through_a_shared_channel(
    client: AsyncWebClient, page: Page
) -> None:
    """Invisible at first, a stranger in a channel without the app, then somebody with a team and no role."""
    unseen = await refusal(client, "users.info", user=NOOR)
    await change(page, WAREHOUSE_ID, is_ext_shared=True)
    stranger = (await client.users_info(user=NOOR))["user"]
    await change(page, WAREHOUSE_ID, add="bot")
    known = (await client.users_info(user=NOOR))["user"]

    assert unseen == "user_not_visible"
    assert (stranger["is_stranger"], known["is_stranger"]) == (True, False)
    assert known["team_id"] == "T0PARTNER1"
    assert "is_restricted" not in known
    assert NOOR in (await client.conversations_members(channel=WAREHOUSE_ID))["members"]
    assert NOOR in {one["id"] for one in (await client.users_list())["members"]}


async def test_the_app_writes_to_outsiders_it_shares_a_channel_with(
    client: AsyncWebClient, page: Page
) -> None:
    """No DM to a stranger; one to somebody met in a shared channel."""
    closed = await refusal(client, "conversations.open", users=NOOR)
    posted = await refusal(client, "chat.postMessage", channel=NOOR, text="x")
    await change(page, WAREHOUSE_ID, add="bot")
    await change(page, WAREHOUSE_ID, is_ext_shared=True)

    assert (closed, posted) == ("user_not_visible", "channel_not_found")
    assert (await client.chat_postMessage(channel=NOOR, text="x"))["ok"]
