"""Mail that its owner muted stays out of Slack and on its server, wherever the bot dies."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from storage.database import Database
from storage.mailboxes import Mailboxes
from storage.rules import Rules
from storage.vault import MasterKeys, Vault, unlock
from storage.wishes import RuleKind
from tests.acceptance.exactly_once.crashing_bot import CRASHED, Orders
from tests.acceptance.exactly_once.mails import marks_in
from tests.acceptance.exactly_once.stage import Stage

NOISE = "noise@elsewhere.example"
SECONDS = 40


async def mute(stage: Stage) -> None:
    """The owner of the one mailbox wants nothing of this sender."""
    database = await Database.open(stage.settings["MAILBOX_DATABASE_URL"])
    try:
        vault = Vault(MasterKeys.parse(stage.settings["MAILBOX_MASTER_KEYS"]))
        await unlock(database, vault)
        (mailbox,) = await Mailboxes(database, vault).of(stage.owner(0))
        rules = Rules(database, vault)
        await rules.add(mailbox.owner, mailbox.id, RuleKind.SENDER, NOISE, label=NOISE, now=datetime.now(UTC))
    finally:
        await database.close()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_while_mail_is_muted_neither_posts_nor_deletes_it(when: str) -> None:
    """What came before and after it is posted once and deleted; the muted mail lies where it lay."""
    async with Stage(1) as stage:
        await mute(stage)
        stage.send(0)
        (noise,) = stage.mail.deliver(stage.people[0].email, f"From: {NOISE}\r\n\r\nBuy now.\r\n".encode())
        life = await stage.begin(Orders(crash=(when, "Outbox.record/muted", 1)))
        async with asyncio.timeout(SECONDS):
            assert await life.wait() == CRASHED, stage.log_tail()
        stage.send(0)
        life = await stage.begin()
        async with asyncio.timeout(SECONDS):
            while stage.left() > 1:  # noqa: ASYNC110 - the fakes call nobody
                await asyncio.sleep(0.1)
        await life.stop()

        dm = stage.slack.workspace.dm(stage.people[0].id)
        posts = [each for post in dm.posts.values() for each in (post, *post.replies.values())]
        (drop,) = stage.mail.drops

    assert [marks_in(post) for post in posts] == [{sent.mark} for sent in stage.sent]
    assert [mail.uid for mail in drop.mails] == [noise.uid]
