"""Muted mail stays out of Slack; a message as it came enters its post's thread once, whatever Slack does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.slack import names
from storage.originals import Originals
from storage.rules import Rules
from storage.wishes import OriginalState, RuleKind

if TYPE_CHECKING:
    from storage.vault import Vault
    from tests.integration.delivery.conftest import Desk


def row(post: dict[str, Any]) -> list[str]:
    """The words of a post's buttons."""
    (found,) = (block for block in post["blocks"] if block["block_id"] == names.MAIL_ACTIONS)
    return [each["text"]["text"] for each in found["elements"] if each["type"] == "button"]


async def want(desk: Desk) -> OriginalState:
    """Choose "Original" in the menu of the only post."""
    (post,) = await desk.posts()
    (found,) = (block for block in post["blocks"] if block["block_id"] == names.MAIL_ACTIONS)
    message_id = found["elements"][0]["value"]
    originals = Originals(desk.stores.database)
    return (await originals.want(desk.claim.mailbox, message_id, desk.clock(), again=True)).state


async def test_mail_of_a_muted_sender_is_not_posted(desk: Desk, vault: Vault) -> None:
    """However it writes its address; what others send comes, and nothing waits behind it."""
    rules, mailbox = Rules(desk.stores.database, vault), desk.claim.mailbox
    rule = await rules.add(
        mailbox.owner, mailbox.id, RuleKind.SENDER, "ada@example.org", label="", now=desk.clock()
    )
    await desk.keep("quiet")
    octets = b"From: Bob <bob@example.org>\r\nSubject: loud\r\n\r\nHello.\r\n"
    await desk.stores.keep(desk.claim, b"u2", octets, now=desk.clock())

    await desk.deliver()

    assert await desk.subjects() == ["loud"]
    assert await desk.stores.outbox.waiting(mailbox.owner) == {}
    await rules.remove(mailbox.owner, rule.id)
    await desk.keep("again")
    await desk.deliver()
    assert await desk.subjects() == ["loud", "again"]


async def test_a_post_has_its_row_of_actions(desk: Desk) -> None:
    """Made beside the post, with the message's id in every value."""
    await desk.keep("one")

    await desk.deliver()

    (post,) = await desk.posts()
    assert row(post) == ["Reply", "Forward", "Mark as done", "Share…"]


@pytest.mark.parametrize("method", ["chat.postMessage", "files.completeUploadExternal"])
@pytest.mark.parametrize("kind", ["accept_then_drop", "drop"])
async def test_an_original_comes_once_though_slack_gives_no_answer(
    desk: Desk, method: str, kind: str
) -> None:
    """The line and its file are looked up before they are repeated, as every post is."""
    await desk.keep("one")
    await desk.deliver()
    assert await want(desk) is OriginalState.HERE
    assert await want(desk) is OriginalState.HERE
    await desk.fault(method, kind)

    for _ in range(4):
        await desk.deliver()
        await asyncio.sleep(0.05)  # Slack shares a file a moment after it said so
        desk.clock.ahead += timedelta(seconds=61)
    files = await desk.thread_files()

    (post,) = await desk.posts()
    assert files == ["original.eml"]
    assert sum("as it came" in str(reply["text"]) for reply in post["replies"]) == 1
