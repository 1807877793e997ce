"""What Slack takes in no form, or gives no answer to, holds up nobody and is not lost without a word."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.deliver import FILE_TRIES
from bot.original_posts import INSTEAD
from bot.slack import posts
from storage.originals import Originals
from storage.records import Shape
from tests.integration.delivery.test_deliver import A_FILE

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk

LONG = timedelta(minutes=11)


async def with_a_file(desk: Desk) -> None:
    """A message with an attachment."""
    await desk.keep("bill", headers=A_FILE, body=base64.b64encode(b"%PDF-1.4 x").decode())


async def said(desk: Desk) -> list[str]:
    """The texts of posts and of what stands in their threads."""
    found = []
    for post in await desk.posts():
        found += [post["text"], *(reply["text"] for reply in post["replies"])]
    return found


async def deliver_for_long(desk: Desk, times: int = FILE_TRIES + 3) -> None:
    """So many sweeps, each past every wait."""
    for _ in range(times):
        await desk.deliver()
        desk.clock.ahead += LONG


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_files_that_slack_never_takes_hold_up_nothing_for_ever(desk: Desk, method: str) -> None:
    """After some tries a sentence says that they are missing, and the next mail comes; nothing is deleted."""
    await with_a_file(desk)
    await desk.keep("next")
    await desk.fault(method, "status", status=503, count=100)

    await deliver_for_long(desk, 2 * FILE_TRIES)

    found = await said(desk)
    assert found.count(posts.FILES_MISSING) == 1
    assert any("next" in text for text in found)
    assert await desk.stores.outbox.waiting(desk.claim.mailbox.owner) == {}
    assert not (await desk.stores.messages.seen(desk.claim.mailbox.id))[b"bill"].is_settled


async def test_files_outlive_an_outage_of_all_of_slack(desk: Desk) -> None:
    """While Slack takes no posts either, files are given up by nobody; they come with its return."""
    await with_a_file(desk)
    await desk.fault("files.getUploadURLExternal", "status", status=503, count=FILE_TRIES + 2)
    await desk.deliver()
    await desk.fault("chat.postMessage", "status", status=503, count=2)

    await deliver_for_long(desk, 2 * FILE_TRIES)

    found = await said(desk)
    assert found.count(posts.FILES_MISSING) <= 1
    assert await desk.stores.outbox.waiting(desk.claim.mailbox.owner) == {}


async def test_a_mail_that_slack_takes_in_no_form_comes_as_a_file(desk: Desk) -> None:
    """One sentence in place of its post, the message itself under it; it stays on its server, and the next goes on."""
    await desk.keep("one", "two")
    await desk.fault("chat.postMessage", "error", error="invalid_blocks", count=2)

    await desk.deliver()

    async with asyncio.timeout(30):
        while not any(reply["files"] for post in await desk.posts() for reply in post["replies"]):  # noqa: ASYNC110 - Slack shares in its own time
            await asyncio.sleep(0.01)
    second, stand_in = sorted(await desk.posts(), key=lambda post: post["text"].startswith(INSTEAD))
    assert second["blocks"][0]["text"]["text"] == "two"
    assert stand_in["text"].startswith(INSTEAD)
    assert [file["name"] for reply in stand_in["replies"] for file in reply["files"]] == [posts.ORIGINAL]
    assert await desk.stores.outbox.waiting(desk.claim.mailbox.owner) == {}
    seen = await desk.stores.messages.seen(desk.claim.mailbox.id)
    assert {uid: each.is_settled for uid, each in seen.items()} == {b"one": False, b"two": True}


async def test_a_crash_beside_a_mail_that_slack_takes_in_no_form_says_it_once(desk: Desk) -> None:
    """Between the refusal and its record: the successor is refused as well, and owes nothing twice."""
    await desk.keep("one")
    await desk.fault("chat.postMessage", "error", error="invalid_blocks", count=2)
    (dm,) = await desk.stores.outbox.claim_due(desk.clock(), lease=LONG, worker="w", limit=1)
    entry = await desk.stores.head(dm)
    await desk.deliverer._contents.stand_in(entry, desk.clock())
    await desk.stores.outbox.release_worker("w")

    await desk.deliver()

    texts = [post["text"] for post in await desk.posts()]
    assert [text.startswith(INSTEAD) for text in texts] == [True]


async def test_a_card_that_slack_takes_in_no_form_is_fetched_whole(desk: Desk) -> None:
    """Of a large message nothing whole is stored: the next poll looks for it on the server."""
    octets = b"From: Ada <ada@example.org>\r\nSubject: large\r\n\r\nHello.\r\n"
    await desk.stores.keep(
        desk.claim, b"l", octets, shape=Shape.TOP, listed_octets=99_000_000, now=desk.clock()
    )
    await desk.fault("chat.postMessage", "error", error="invalid_blocks", count=2)

    await desk.deliver()

    assert await desk.posts() == []
    assert list(await Originals(desk.stores.database).wanted(desk.claim.mailbox.id)) == [b"l"]
