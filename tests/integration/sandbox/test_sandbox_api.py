"""The Web API by Slack's own client: tokens, posts, histories, threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.workspace import GENERAL_ID
from tests.integration.sandbox.kit import MARTA, refusal, section

if TYPE_CHECKING:
    import aiohttp

    from bot.sandbox.server import RunningSandbox
    from tests.integration.sandbox.kit import Clock, Page


async def test_the_app_learns_who_it_is(client: AsyncWebClient) -> None:
    """auth.test names workspace and bot and says that this is not Slack."""
    answer = await client.auth_test()

    assert answer["user_id"] == "U0MAILBOT1"
    assert "not Slack" in answer["team"]


@pytest.mark.parametrize(
    ("token", "method", "error"),
    [
        ("", "auth.test", "not_authed"),
        ("xoxb-wrong", "auth.test", "invalid_auth"),
        ("xapp-sandbox-test", "auth.test", "not_allowed_token_type"),
        ("xoxb-sandbox-test", "apps.connections.open", "not_allowed_token_type"),
        ("xoxb-sandbox-test", "chat.shout", "unknown_method"),
    ],
)
async def test_tokens_and_methods_are_checked(
    sandbox: RunningSandbox, session: aiohttp.ClientSession, token: str, method: str, error: str
) -> None:
    """A missing, wrong or misplaced token is refused by Slack's name for it."""
    client = AsyncWebClient(token=token, base_url=sandbox.api_url, session=session)

    assert await refusal(client, method) == error


async def test_a_missing_scope_is_named(client: AsyncWebClient) -> None:
    """A method outside the manifest's scopes says which one it needs."""
    with pytest.raises(SlackApiError) as caught:
        await client.users_lookupByEmail(email="marta@local.test")

    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "users:read.email"
    assert "chat:write" in caught.value.response["provided"]


async def test_people_of_every_role_are_there(client: AsyncWebClient) -> None:
    """users.list gives each role once, and a deactivated account without its flags."""
    answer = await client.users_list(limit=5)
    rest = await client.users_list(limit=100, cursor=answer["response_metadata"]["next_cursor"])
    people = {user["name"]: user for user in [*answer["members"], *rest["members"]]}

    assert people["ines"]["is_primary_owner"] is True
    assert people["owen"]["is_ultra_restricted"] is True
    assert "is_restricted" not in people["petra"]
    assert people["slackbot"]["is_bot"] is False
    assert "email" not in people["marta"]["profile"]


async def test_a_post_to_a_person_opens_their_dm(client: AsyncWebClient) -> None:
    """Posting to U… and opening a DM lead to the same channel."""
    opened = await client.conversations_open(users=MARTA)
    posted = await client.chat_postMessage(channel=MARTA, text="hello", blocks=[section("*hello*")])

    assert posted["channel"] == opened["channel"]["id"]
    assert posted["message"]["blocks"][0]["block_id"]
    assert posted["message"]["bot_id"] == "B0MAILBOT1"


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("chat.postMessage", {"channel": "D0NOWHERE0", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": GENERAL_ID, "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"channel": "U0MAILBOT1", "text": "x"}, "cannot_dm_bot"),
        ("chat.postMessage", {"channel": MARTA}, "no_text"),
        ("chat.postMessage", {"channel": MARTA, "text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", {"channel": MARTA, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ("chat.postMessage", {"channel": MARTA, "text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": MARTA, "text": "x", "metadata": "{"}, "invalid_metadata_format"),
        ("chat.update", {"channel": MARTA, "ts": "1.0", "text": "x"}, "channel_not_found"),
        ("conversations.open", {"users": "U0PETRA008"}, "user_disabled"),
        ("conversations.open", {"users": "U0NOBODY00"}, "user_not_found"),
        ("conversations.open", {}, "users_list_not_supplied"),
        ("conversations.history", {"channel": "D0NOWHERE0"}, "channel_not_found"),
        ("users.info", {"user": "U0NOBODY00"}, "user_not_found"),
        (
            "views.publish",
            {"user_id": "U0NOBODY00", "view": {"type": "home", "blocks": []}},
            "user_not_found",
        ),
        ("views.update", {"view_id": "V0NONE", "view": {"type": "modal"}}, "not_found"),
        ("files.getUploadURLExternal", {"filename": "a.txt", "length": 0}, "missing_argument"),
        ("usergroups.list", {}, "missing_scope"),
    ],
)
async def test_refusals_carry_slacks_names(
    client: AsyncWebClient, method: str, args: dict[str, Any], error: str
) -> None:
    """What Slack refuses, the sandbox refuses by the same word."""
    assert await refusal(client, method, **args) == error


async def test_only_own_posts_are_changed(client: AsyncWebClient, page: Page) -> None:
    """The app cannot update or delete what a person wrote, nor what is not there."""
    ts = (await page.post("message", text="from Marta"))["ts"]
    channel = (await page.state())["channel"]

    assert await refusal(client, "chat.update", channel=channel, ts=ts, text="x") == "cant_update_message"
    assert await refusal(client, "chat.delete", channel=channel, ts=ts) == "cant_delete_message"
    assert (
        await refusal(client, "chat.update", channel=channel, ts="1.000001", text="x") == "message_not_found"
    )


async def test_an_update_keeps_what_it_does_not_name(client: AsyncWebClient) -> None:
    """chat.update keeps blocks and metadata, removes metadata by {}, and refuses long text."""
    metadata = {"event_type": "entry", "event_payload": {"id": "e1"}}
    post = await client.chat_postMessage(channel=MARTA, text="old", blocks=[section("b")], metadata=metadata)
    place = {"channel": post["channel"], "ts": post["ts"]}

    kept = await client.chat_update(**place, text="new")
    bare = await client.chat_update(**place, text="new", metadata={})

    assert kept["message"]["blocks"]
    assert kept["message"]["metadata"] == metadata
    assert "metadata" not in bare["message"]
    assert bare["message"]["edited"]
    assert await refusal(client, "chat.update", **place, text="x" * 4001) == "msg_too_long"


async def test_history_pages_from_new_to_old(client: AsyncWebClient, page: Page) -> None:
    """conversations.history is newest first, pages by cursor, and bounds are exclusive unless asked."""
    await page.post("settings", rate_limits=False)
    posts = [await client.chat_postMessage(channel=MARTA, text=f"n{number}") for number in range(5)]
    channel, times = posts[0]["channel"], [post["ts"] for post in posts]

    first = await client.conversations_history(channel=channel, limit=2)
    second = await client.conversations_history(
        channel=channel, limit=2, cursor=first["response_metadata"]["next_cursor"]
    )
    between = await client.conversations_history(channel=channel, oldest=times[1], latest=times[3])
    around = await client.conversations_history(
        channel=channel, oldest=times[1], latest=times[3], inclusive=True
    )

    assert [post["text"] for post in [*first["messages"], *second["messages"]]] == ["n4", "n3", "n2", "n1"]
    assert first["has_more"] is True
    assert [post["text"] for post in between["messages"]] == ["n2"]
    assert len(around["messages"]) == 3


async def test_metadata_comes_back_only_when_asked_for(client: AsyncWebClient) -> None:
    """Without include_all_metadata a history shows the event type alone."""
    metadata = {"event_type": "entry", "event_payload": {"id": "e1"}}
    post = await client.chat_postMessage(channel=MARTA, text="x", metadata=metadata)

    bare = await client.conversations_history(channel=post["channel"])
    full = await client.conversations_history(channel=post["channel"], include_all_metadata=True)

    assert bare["messages"][0]["metadata"] == {"event_type": "entry"}
    assert full["messages"][0]["metadata"] == metadata


async def test_replies_stay_out_of_the_history(client: AsyncWebClient) -> None:
    """A thread is read by conversations.replies, root first, and a reply is no root."""
    root = await client.chat_postMessage(channel=MARTA, text="root")
    reply = await client.chat_postMessage(channel=MARTA, text="reply", thread_ts=root["ts"])

    history = await client.conversations_history(channel=root["channel"])
    thread = await client.conversations_replies(channel=root["channel"], ts=root["ts"])

    assert [post["text"] for post in history["messages"]] == ["root"]
    assert history["messages"][0]["reply_count"] == 1
    assert [post["text"] for post in thread["messages"]] == ["root", "reply"]
    nested = {"channel": MARTA, "text": "x", "thread_ts": reply["ts"]}
    assert await refusal(client, "chat.postMessage", **nested) == "cannot_reply_to_message"


async def test_a_broadcast_reply_stands_in_the_history_and_in_its_thread(
    client: AsyncWebClient, page: Page
) -> None:
    """Once in each, the same post; the page shows it in the conversation, and it counts as a reply."""
    root = await client.chat_postMessage(channel=MARTA, text="root")
    place = {"channel": root["channel"], "thread_ts": root["ts"]}
    reply = await client.chat_postMessage(**place, text="reply", reply_broadcast=True)

    history = await client.conversations_history(channel=root["channel"])
    thread = await client.conversations_replies(channel=root["channel"], ts=root["ts"])

    newest, oldest = history["messages"]
    assert (newest["ts"], newest["subtype"], newest["thread_ts"]) == (
        reply["ts"],
        "thread_broadcast",
        root["ts"],
    )
    assert oldest["reply_count"] == 1
    assert [post["ts"] for post in thread["messages"]] == [root["ts"], reply["ts"]]
    (shown,) = (await page.state())["posts"]
    assert [each["is_broadcast"] for each in shown["replies"]] == [True]


async def test_a_deleted_root_leaves_a_tombstone(client: AsyncWebClient) -> None:
    """Replies survive their root's deletion, and the tombstone cannot be changed."""
    root = await client.chat_postMessage(channel=MARTA, text="root")
    await client.chat_postMessage(channel=MARTA, text="reply", thread_ts=root["ts"])
    place = {"channel": root["channel"], "ts": root["ts"]}

    await client.chat_delete(**place)

    history = await client.conversations_history(channel=root["channel"])
    assert history["messages"][0]["subtype"] == "tombstone"
    assert history["messages"][0]["user"] == "USLACKBOT"
    assert await refusal(client, "chat.update", **place, text="x") == "message_not_found"


async def test_posts_are_limited_per_channel(client: AsyncWebClient, clock: Clock, page: Page) -> None:
    """After a short burst a channel takes one post a second; other channels go on; a switch turns it off."""
    clock.stop()
    for _ in range(4):
        await client.chat_postMessage(channel=MARTA, text="x")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=MARTA, text="x")

    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "1"
    await client.chat_postMessage(channel="U0KENJI005", text="x")
    clock.ahead += 1.1
    await client.chat_postMessage(channel=MARTA, text="x")
    await page.post("settings", rate_limits=False)
    await client.chat_postMessage(channel=MARTA, text="x")


async def test_the_log_holds_no_token_and_no_content(client: AsyncWebClient, page: Page) -> None:
    """The log of calls names method, outcome and channel, and nothing that was said."""
    post = await client.chat_postMessage(channel=MARTA, text="very private")
    await refusal(client, "chat.update", channel=post["channel"], ts="1.000001", text="also private")

    calls = (await page.get("log"))["calls"]

    assert [(call["method"], call["ok"], call["error"]) for call in calls] == [
        ("chat.postMessage", True, None),
        ("chat.update", False, "message_not_found"),
    ]
    assert "private" not in str(calls)
    assert "xoxb" not in str(calls)


async def test_a_dm_keeps_its_newest_posts(
    sandbox: RunningSandbox, client: AsyncWebClient, page: Page
) -> None:
    """Old posts fall out past the bound instead of filling the memory."""
    await page.post("settings", rate_limits=False)
    channel = sandbox.workspace.dm(MARTA)
    first = await client.chat_postMessage(channel=MARTA, text="first")
    template = channel.posts[first["ts"]]

    for number in range(20_000):
        channel.posts[f"2000000000.{number:06d}"] = template
    await client.chat_postMessage(channel=MARTA, text="last")

    assert first["ts"] not in channel.posts


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.test"},
        {"Host": "127.0.0.1.evil.test:80"},
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
    ],
)
async def test_foreign_hosts_and_pages_are_refused(
    sandbox: RunningSandbox, session: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    """A rebound name or another page's script gets nothing."""
    async with session.post(
        f"{sandbox.url}/sandbox/api/message", json={"user": MARTA, "text": "x"}, headers=headers
    ) as answer:
        assert answer.status == 403


async def test_a_form_post_of_another_kind_is_refused(
    sandbox: RunningSandbox, session: aiohttp.ClientSession
) -> None:
    """The page API takes JSON alone, which no foreign form can send."""
    async with session.post(
        f"{sandbox.url}/sandbox/api/message", data={"user": MARTA, "text": "x"}
    ) as answer:
        assert answer.status == 415
