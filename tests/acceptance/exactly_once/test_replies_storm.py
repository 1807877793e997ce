"""Replies under random `kill -9` and lost answers: each recipient has each once, or its post says that it may not be so."""

from __future__ import annotations

import asyncio
import inspect
import random

import pytest

from storage.submissions import Submissions
from tests.acceptance.exactly_once.crashing_bot import CRASHED, SENDING, Orders
from tests.acceptance.exactly_once.replies import ReplyStage
from tests.acceptance.exactly_once.reply_storm import Squall, reply_storm
from tests.acceptance.exactly_once.stage import Unsettled
from tests.fakes.smtp_server import TAKEN

ADA = "ada@elsewhere.example"
SENT, UNKNOWN = (1, 0), (0, 1)
CRASHES = {
    ("after", "claim_due"): SENT,
    ("before", "intend"): SENT,
    ("after", "intend"): UNKNOWN,
    ("before", "settle"): UNKNOWN,
    ("after", "settle"): SENT,
}
"""Where the bot dies, and how the reply ends then."""


@pytest.mark.timeout(120)
async def test_40_replies_under_5_kills_come_once_each_or_say_so() -> None:
    """A third of the last dots gets no answer: nothing is lost without saying so, and nothing comes twice."""
    seed = random.randrange(10**6)

    async with ReplyStage(4, seed=seed) as stage:
        verdict, endings = await reply_storm(stage, Squall(replies=40, kills=5), random.Random(seed))

    assert not verdict.broken, f"seed {seed}\n{verdict}"
    assert endings.unanswered


async def crash(stage: ReplyStage, when: str, boundary: str, orders: Orders | None = None) -> None:
    """One reply, one life that ends there, and one that goes on."""
    await stage.write([(0, (ADA,), 0.0)])
    orders = orders or Orders(crash=(when, boundary, 1))
    life = await stage.begin(orders)
    try:
        async with asyncio.timeout(40):
            code = await life.wait()
    except TimeoutError:
        raise Unsettled(f"{when} {boundary} was never passed\n{stage.log_tail()}") from None
    assert code == CRASHED, stage.log_tail()
    second = await stage.begin(Orders(without=orders.without))
    await stage.answered()
    await second.kill()


@pytest.mark.timeout(120)
async def test_a_crash_around_the_last_dot_sends_nothing_twice() -> None:
    """Before the intent it is sent by the next life, between intent and answer it is unknown, after that nothing is done."""
    found = {}
    async with ReplyStage(1) as stage:
        await stage.prepare()
        for when, name in CRASHES:
            before = stage.ends()
            await crash(stage, when, f"Submissions.{name}")
            after = stage.ends()
            found[when, name] = (after.sent - before.sent, after.unknown - before.unknown)
        verdict = stage.judged()

    assert not verdict.broken, str(verdict)
    assert found == CRASHES


@pytest.mark.timeout(120)
async def test_a_calm_end_waits_for_the_servers_answer() -> None:
    """A mail whose last dot went out before SIGTERM is known to be sent, not unknown."""
    async with ReplyStage(1) as stage:
        await stage.prepare()
        await stage.write([(0, (ADA,), 0.0)])
        stage.server.delays = {".": 1.5}
        life = await stage.begin()
        async with asyncio.timeout(30):
            while not any(mail.has_dot for mail in stage.server.transactions):  # noqa: ASYNC110 - the fake calls nobody
                await asyncio.sleep(0.01)
        assert await life.stop() == 0
        stage.server.delays = {}
        second = await stage.begin()
        await stage.answered()
        await second.kill()

        assert (stage.ends().sent, len(stage.server.transactions)) == (1, 1), stage.log_tail()


def test_every_write_of_a_submission_is_named() -> None:
    """A new write on the way of a mail to its server has to be one that a bot can be told to die at."""
    writes = {
        name
        for name, member in vars(Submissions).items()
        if not name.startswith("_") and "_database.write()" in inspect.getsource(member)
    }

    assert writes <= {name for owner, name in SENDING if owner is Submissions}


@pytest.mark.timeout(120)
async def test_without_the_intent_a_reply_comes_twice_and_the_verdict_says_so() -> None:
    """So the checker sees, and the intent is what helps."""
    async with ReplyStage(1) as guarded, ReplyStage(1) as bare:
        for stage, without in ((guarded, None), (bare, "submission")):
            await stage.prepare()
            stage.server.ending = TAKEN
            orders = Orders(crash=("before", "Submissions.settle", 1), without=without)
            await crash(stage, "before", "Submissions.settle", orders)
        kept, broken = guarded.judged(), bare.judged()

    assert not kept.broken, str(kept)
    assert "twice" in broken.broken, str(broken)
