"""Messages under a digest come once and in order too, wherever the bot dies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest

from bot.sandbox.slack.faults import Fault
from tests.acceptance.exactly_once.crashing_bot import CRASHED, Orders
from tests.acceptance.exactly_once.mails import marks_in
from tests.acceptance.exactly_once.stage import Stage, Unsettled

if TYPE_CHECKING:
    from bot.sandbox.slack.posts import Post

COUNT: Final = 24
SECONDS: Final = 60
FEW: Final = {"MAILBOX_FLOOD": "5"}

CRASHES: Final = (
    ("Messages.keep", 3),
    ("Mailboxes.finish", 1),
    ("Outbox.record/posting", 1),
    ("SlackClient.post", 1),
    ("Outbox.record/settled", 2),
    ("SlackClient.post", 2),
    ("Outbox.record/posting", 3),
)


def posts(stage: Stage) -> list[Post]:
    """The DM, oldest first."""
    (channel,) = stage._dms()
    return list(channel.posts.values())


def thread(stage: Stage) -> list[str]:
    """What stands in the threads of the DM, in order."""
    return [
        mark for post in posts(stage) for reply in post.replies.values() for mark in sorted(marks_in(reply))
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_around_a_digest_loses_and_repeats_nothing(when: str) -> None:
    """Each life dies at another write; in the end one post stands over every message, once, in order."""
    async with Stage(1) as stage:
        for _ in range(COUNT):
            stage.send(0)
        crashes = [*CRASHES[:1], ("Digests.end_hold", 1), *CRASHES[1:]] if when == "after" else CRASHES
        for boundary, call in crashes:
            await crash(stage, when, boundary, call)
        stage.slack.sandbox.faults.add(Fault("chat.postMessage", "accept_then_drop"))
        life = await stage.begin(None, **FEW)
        await until_all_is_there(stage)
        await life.stop()

        (over,) = posts(stage)
        marks = thread(stage)

    assert marks == [sent.mark for sent in stage.sent]
    assert f"{COUNT} new messages" in over.text


async def crash(stage: Stage, when: str, boundary: str, call: int) -> None:
    """One life that ends there."""
    life = await stage.begin(Orders(crash=(when, boundary, call)), **FEW)
    try:
        async with asyncio.timeout(SECONDS):
            code = await life.wait()
    except TimeoutError:
        raise Unsettled(f"{when} {boundary} was never passed\n{stage.log_tail()}") from None
    assert code == CRASHED, stage.log_tail()


async def until_all_is_there(stage: Stage) -> None:
    """Every message stands in a thread, and the server has none left."""
    try:
        async with asyncio.timeout(SECONDS):
            while stage.left() or len(thread(stage)) < COUNT:  # noqa: ASYNC110 - the fakes call nobody
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Unsettled(stage.log_tail()) from None
