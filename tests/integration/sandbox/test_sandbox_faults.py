"""Ordered faults: what the caller hears, and whether the call took effect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.integration.sandbox.kit import MARTA, until

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

    from tests.integration.sandbox.kit import Page


async def posts(page: Page) -> int:
    """How many posts there are."""
    return len((await page.state())["posts"])


@pytest.mark.parametrize(
    ("fault", "status", "effects"),
    [
        ({"kind": "rate_limited", "seconds": 7}, 429, 0),
        ({"kind": "status", "status": 503}, 503, 0),
        ({"kind": "error", "error": "fatal_error"}, 200, 0),
        ({"kind": "accept_then_status", "status": 502}, 502, 1),
    ],
)
async def test_a_fault_with_an_answer(
    client: AsyncWebClient, page: Page, fault: dict[str, Any], status: int, effects: int
) -> None:
    """Each kind answers as ordered, before or after the effect, and is spent afterwards."""
    await page.post("faults", faults=[{"method": "chat.postMessage", **fault}])

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=MARTA, text="x")

    assert caught.value.response.status_code == status
    assert caught.value.response.get("error") == {429: "ratelimited", 200: "fatal_error"}.get(status)
    assert caught.value.response.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert await posts(page) == effects
    await client.chat_postMessage(channel=MARTA, text="x")
    assert await posts(page) == effects + 1


@pytest.mark.parametrize(("kind", "effects"), [("drop", 0), ("accept_then_drop", 1)])
async def test_a_fault_without_an_answer(client: AsyncWebClient, page: Page, kind: str, effects: int) -> None:
    """The connection closes without an answer, with or without the effect."""
    await page.fault("chat.postMessage", kind)

    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=MARTA, text="x")

    assert await posts(page) == effects


async def test_a_late_effect_follows_a_lost_connection(client: AsyncWebClient, page: Page) -> None:
    """The caller is cut off at once and the post appears afterwards all the same."""

    async def there() -> Any:
        return await posts(page)

    await page.fault("chat.postMessage", "late", seconds=600)
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=MARTA, text="much later")
    assert await there() == 0

    await page.fault("chat.postMessage", "late", seconds=0.1)
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=MARTA, text="later")
    assert await until(there) == 1


async def test_an_answer_may_take_longer_than_the_caller_waits(client: AsyncWebClient, page: Page) -> None:
    """accept_then_wait takes effect at once and keeps the answer back."""
    await page.fault("chat.postMessage", "accept_then_wait", seconds=600)

    async def there() -> Any:
        return await posts(page)

    waiting = asyncio.ensure_future(client.chat_postMessage(channel=MARTA, text="x"))
    assert await until(there) == 1

    assert not waiting.done()
    waiting.cancel()


async def test_faults_are_counted_down_by_method(client: AsyncWebClient, page: Page) -> None:
    """A fault befalls its own method as often as ordered; an empty order clears the rest."""
    await page.fault("chat.postMessage", "error", count=2, error="internal_error")
    await client.auth_test()
    for _ in range(2):
        with pytest.raises(SlackApiError, match="internal_error"):
            await client.chat_postMessage(channel=MARTA, text="x")
    await client.chat_postMessage(channel=MARTA, text="x")

    await page.fault("*", "error")
    await page.post("faults", faults=[])
    await client.auth_test()

    assert (await page.get("faults"))["faults"] == []


async def test_uploads_and_response_urls_have_faults_too(
    client: AsyncWebClient, page: Page, session: aiohttp.ClientSession
) -> None:
    """The upload itself is a method named `upload`."""
    await page.fault("upload", "status", status=500)
    place = await client.files_getUploadURLExternal(filename="a.txt", length=1)

    async with session.post(place["upload_url"], data=b"x") as answer:
        assert answer.status == 500


async def test_an_unknown_fault_is_refused(page: Page) -> None:
    """A kind that is none is said at once instead of never happening."""
    answer = await page.post("faults", faults=[{"method": "chat.postMessage", "kind": "explode"}])

    assert answer["ok"] is False
