"""Posts and files of ours are taken back, and what is gone already counts as taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.mail.content import File
from bot.slack.client import Posted, Refused, TryLater, Unknown

if TYPE_CHECKING:
    from bot.slack.client import Outcome
    from tests.integration.people.conftest import Told, Town

MARTA = "U0MARTA004"
WORDS = "This is not shared with you any more."
FILE = File("plan.txt", b"Confidential", "plan.txt")
BLOCKS = [{"type": "section", "text": {"type": "plain_text", "text": "Confidential"}}]


async def posted(town: Town) -> tuple[str, Posted]:
    """A post of ours in Marta's DM, and that DM's channel."""
    channel = await town.slack.open_dm(MARTA)
    outcome = await town.slack.post(channel, "Confidential", BLOCKS, "entry-1")
    assert isinstance(outcome, Posted)
    return channel, outcome


async def test_a_post_is_deleted_once_and_may_be_deleted_again(town: Town) -> None:
    """It is not there any more, whoever deleted it."""
    channel, post = await posted(town)

    first = await town.slack.delete_post(channel, post.ts)
    second = await town.slack.delete_post(channel, post.ts)

    assert first == second == post
    assert await town.slack.find_posts(channel, None) == {}


async def test_a_post_is_left_with_one_sentence(town: Town) -> None:
    """Nothing of its blocks stays, and what is deleted needs none."""
    channel, post = await posted(town)

    assert await town.slack.blank_post(channel, post.ts, WORDS) == post
    left = town.sandbox.workspace.channels[channel].posts[post.ts]
    assert (left.text, list(left.blocks), left.file_ids) == (WORDS, [], ())
    await town.slack.delete_post(channel, post.ts)
    assert await town.slack.blank_post(channel, post.ts, WORDS) == post


async def test_a_file_is_deleted_wherever_it_was_shared(town: Town) -> None:
    """And may be deleted again."""
    channel, post = await posted(town)
    file_id = await town.slack.upload(FILE)
    await town.slack.share_files(channel, post.ts, [(file_id, "plan.txt")])

    assert await town.slack.delete_file(file_id) == Posted("")
    assert await town.slack.delete_file(file_id) == Posted("")
    assert town.sandbox.workspace.files.shown([file_id])[0].get("mode") == "tombstone"


@pytest.mark.parametrize("error", ["message_not_found", "file_not_found", "file_deleted"])
async def test_what_is_gone_is_done_with(told: Told, error: str) -> None:
    """There is nothing left to take back."""
    for method in ("chat.delete", "chat.update", "files.delete"):
        told.scripted.refuses(method, error)

    assert await outcomes(told) == [Posted("1.1"), Posted("1.1"), Posted("")]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("cant_delete_message", Refused("cant_delete_message")),
        ("channel_not_found", Refused("channel_not_found")),
        ("internal_error", Unknown("internal_error")),
    ],
)
async def test_what_slack_keeps_is_said(told: Told, error: str, expected: Outcome) -> None:
    """So that somebody can be told what could not be called back."""
    for method in ("chat.delete", "chat.update", "files.delete"):
        told.scripted.refuses(method, error)

    assert await outcomes(told) == [expected] * 3


async def test_slack_may_ask_to_wait(told: Told) -> None:
    """For as long as it says."""
    for method in ("chat.delete", "chat.update", "files.delete"):
        told.scripted.limited[method] = 7

    assert await outcomes(told) == [TryLater(7)] * 3


async def outcomes(told: Told) -> list[Outcome]:
    """Of each way to take something back."""
    return [
        await told.slack.delete_post("D1", "1.1"),
        await told.slack.blank_post("D1", "1.1", WORDS),
        await told.slack.delete_file("F1"),
    ]
