"""Old mail in a thread comes once and in order too, wherever the bot dies while it is brought."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest

from bot.sandbox.slack.faults import Fault
from tests.acceptance.exactly_once.crashing_bot import CRASHED, Orders
from tests.acceptance.exactly_once.mails import marks_in
from tests.acceptance.exactly_once.stage import Stage, Unsettled

if TYPE_CHECKING:
    from bot.sandbox.slack.posts import Channel, Post

OLD: Final = 24
SECONDS: Final = 40

CRASHES: Final = (
    ("Messages.note_missing", 1),
    ("Messages.keep", 3),
    ("Mailboxes.finish", 1),
    ("Outbox.record/posting", 2),
    ("SlackClient.post", 2),
    ("Outbox.record/settled", 2),
)


def thread(stage: Stage) -> tuple[Post, list[str]]:
    """The one post of the DM, and what stands in its thread, in order."""
    (channel,) = stage._dms()
    (post,) = channel.posts.values()
    return post, [mark for reply in post.replies.values() for mark in marks_in(reply)]


async def crash(stage: Stage, when: str, boundary: str, call: int) -> None:
    """One life that ends there."""
    life = await stage.begin(Orders(crash=(when, boundary, call)))
    async with asyncio.timeout(SECONDS):
        code = await life.wait()
    assert code == CRASHED, stage.log_tail()


async def until_all_is_there(stage: Stage) -> None:
    """Every old message stands in the thread, and the server has none left."""
    try:
        async with asyncio.timeout(SECONDS):
            while stage.left() or len(thread(stage)[1]) < len(stage.sent):  # noqa: ASYNC110 - the fakes call nobody
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Unsettled(stage.log_tail()) from None


@pytest.mark.timeout(240)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_while_old_mail_is_brought_loses_and_repeats_nothing(when: str) -> None:
    """Each life dies at another write; in the end every message stands in the thread once, in order."""
    async with Stage(1, old=OLD) as stage:
        for boundary, call in CRASHES:
            await crash(stage, when, boundary, call)
        stage.slack.sandbox.faults.add(Fault("chat.postMessage", "accept_then_drop"))
        life = await stage.begin()
        await until_all_is_there(stage)
        await life.stop()

        post, marks = thread(stage)

    assert marks == [sent.mark for sent in stage.sent]
    assert f"{OLD} older messages" in post.text


@pytest.mark.timeout(120)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_while_a_thread_is_begun_anew_loses_nothing(when: str) -> None:
    """The post was deleted: what was not yet there comes under a new one, once."""
    async with Stage(1, old=OLD) as stage:
        (channel,) = stage._dms()
        await crash(stage, "after", "Outbox.record/settled", 3)
        before = cut_off(channel)
        await crash(stage, when, "Outbox.reopen", 1)
        life = await stage.begin()
        await until_rest_is_there(stage, before)
        await life.stop()

        _, marks = thread(stage)

    assert before + marks == [sent.mark for sent in stage.sent]


def cut_off(channel: Channel) -> list[str]:
    """Take the post away with its thread; what stood there."""
    (post,) = channel.posts.values()
    marks = [mark for reply in post.replies.values() for mark in marks_in(reply)]
    post.replies.clear()
    channel.remove(post)
    return marks


async def until_rest_is_there(stage: Stage, before: list[str]) -> None:
    """All but what stood in the thread that was taken away."""
    (channel,) = stage._dms()
    async with asyncio.timeout(SECONDS):
        while not channel.posts or len(thread(stage)[1]) < OLD - len(before):  # noqa: ASYNC110 - the fakes call nobody
            await asyncio.sleep(0.1)
