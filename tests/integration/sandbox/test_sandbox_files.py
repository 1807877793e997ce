"""Uploads, shares, and files on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack.files import FileStore
from tests.integration.sandbox.kit import MARTA, until

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient

    from tests.integration.sandbox.kit import Page


async def shared(client: AsyncWebClient, channel: str, ts: str) -> Any:
    """The second post of a thread, once it is there."""

    async def reply() -> Any:
        thread = await client.conversations_replies(channel=channel, ts=ts)
        return thread["messages"][1:]

    return (await until(reply))[0]


async def test_files_appear_in_the_thread_a_little_later(
    client: AsyncWebClient, session: aiohttp.ClientSession
) -> None:
    """Slack's own upload shares all files as one post in the thread, and answers before it is there."""
    root = await client.chat_postMessage(channel=MARTA, text="mail")
    uploads = [
        {"filename": "a.txt", "content": b"alpha", "title": "Alpha"},
        {"filename": "b.html", "content": b"<script>alert(1)</script>"},
    ]

    answer = await client.files_upload_v2(file_uploads=uploads, channel=root["channel"], thread_ts=root["ts"])
    post = await shared(client, root["channel"], root["ts"])

    assert "shares" not in answer["files"][0]
    assert "ts" not in answer.data
    assert post["subtype"] == "file_share"
    assert [(file["title"], file["size"]) for file in post["files"]] == [("Alpha", 5), ("b.html", 25)]
    async with session.get(post["files"][1]["permalink"]) as download:
        assert await download.read() == b"<script>alert(1)</script>"
        assert download.headers["Content-Disposition"] == "attachment"
        assert "sandbox" in download.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"channel_id": MARTA}, "invalid_arguments"),
        ({"channel_id": "D0NOWHERE0"}, "channel_not_found"),
        ({"thread_ts": "1.000001"}, "thread_not_found"),
    ],
)
async def test_a_share_needs_a_channel_that_is_one(
    client: AsyncWebClient, session: aiohttp.ClientSession, args: dict[str, str], error: str
) -> None:
    """A person's id is no channel for uploads, and a thread must exist."""
    channel = (await client.conversations_open(users=MARTA))["channel"]["id"]
    place = await client.files_getUploadURLExternal(filename="a.txt", length=1)
    async with session.post(place["upload_url"], data=b"x") as answer:
        assert (answer.status, await answer.text()) == (200, "OK - 1")

    with pytest.raises(SlackApiError, match=error):
        await client.files_completeUploadExternal(
            files=[{"id": place["file_id"]}], **{"channel_id": channel, **args}
        )


async def test_an_upload_of_another_length_is_refused(
    client: AsyncWebClient, session: aiohttp.ClientSession
) -> None:
    """Content must be as long as announced, and a file without content cannot be shared."""
    place = await client.files_getUploadURLExternal(filename="a.txt", length=5)

    async with session.post(place["upload_url"], data=b"four") as answer:
        assert answer.status == 400
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_completeUploadExternal(files=[{"id": place["file_id"]}])


async def test_a_deleted_file_leaves_a_tombstone(client: AsyncWebClient, page: Page) -> None:
    """files.delete takes the content away and the post keeps its place."""
    root = await client.chat_postMessage(channel=MARTA, text="mail")
    answer = await client.files_upload_v2(
        filename="a.txt", content="x", channel=root["channel"], thread_ts=root["ts"]
    )
    await shared(client, root["channel"], root["ts"])

    await client.files_delete(file=answer["file"]["id"])

    reply = (await page.state())["posts"][0]["replies"][0]
    assert reply["files"][0]["deleted"] is True
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_delete(file=answer["file"]["id"])


def test_the_oldest_content_makes_room() -> None:
    """The store drops old content instead of growing past its bound."""
    store = FileStore("http://x", max_octets=10)
    first, second = store.reserve("F1", "a", 8, 0, ""), store.reserve("F2", "b", 8, 0, "")

    store.fill(first, b"8 octets")
    store.fill(second, b"8 octets")

    assert store.octets == 8
    assert store.get("F1") is None
    assert store.get("F2") is second
