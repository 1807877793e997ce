"""A mailbox with mail in the outbox, the sandbox's Slack, and a deliverer between them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.copies import CopyPosts
from bot.deliver import Deliverer
from bot.digest import DigestPosts
from bot.judging import Judge
from bot.mail_posts import MailPosts
from bot.metrics import Metrics
from bot.old_mail import OldMailPosts
from bot.original_posts import OriginalPosts
from bot.outgoing_posts import SentPosts
from bot.pace import Pace
from bot.sandbox.server import start
from bot.sandbox.slack.core import Timings
from bot.sandbox.slack.people import TEAM_ID
from bot.slack.client import SlackClient, web_client
from bot.slack.people import People
from storage.copies import Copies
from storage.old_mail import OldMails
from storage.originals import Originals
from storage.outgoing import Outgoings
from storage.outgoing_posts import OutgoingPosts
from storage.records import Claim, Person
from storage.rules import Rules
from storage.shares import Shares
from storage.tellings import Tellings
from tests.fakes.clock import Clock
from tests.integration.one_database import database_url  # noqa: F401 - a fixture
from tests.integration.storage.stores import NEW, Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.mail.renderer import Renderer
    from bot.sandbox.server import RunningSandbox
    from storage.database import Database
    from storage.vault import Vault

MARTA = "U0MARTA004"
GRACE = timedelta(seconds=60)
FLOOD = 3
LEASE = timedelta(minutes=2)
PACE = Pace(timedelta(minutes=5), timedelta(minutes=30), timedelta(0))


@dataclass
class Desk:
    """What a delivery test holds in its hands."""

    stores: Stores
    claim: Claim
    sandbox: RunningSandbox
    http: aiohttp.ClientSession
    deliverer: Deliverer
    clock: Clock
    stopping: asyncio.Event
    metrics: Metrics
    old_mails: OldMails
    slack: SlackClient
    copies: CopyPosts
    people: People

    async def keep(self, *subjects: str, body: str = "Hello.", headers: str = "") -> None:
        """Put messages into the outbox."""
        for subject in subjects:
            octets = f"From: Ada <ada@example.org>\r\nSubject: {subject}\r\n{headers}\r\n{body}\r\n".encode()
            assert await self.stores.keep(self.claim, subject.encode(), octets, now=self.clock())

    async def deliver(self) -> int:
        """One sweep of the runner; how many DMs were due."""
        dms = await self.stores.outbox.claim_due(self.clock(), lease=LEASE, worker="w", limit=10)
        for dm in dms:
            await self.deliverer.deliver(dm)
        return len(dms)

    async def fault(self, method: str, kind: str, **more: Any) -> None:
        """Let the next calls of a method fail."""
        faults = [{"method": method, "kind": kind, "count": 1, **more}]
        async with self.http.post(
            f"{self.sandbox.url}/sandbox/api/faults", json={"faults": faults}
        ) as answer:
            assert (await answer.json())["ok"]

    async def posts(self) -> list[dict[str, Any]]:
        """The DM as Marta sees it, oldest first."""
        async with self.http.get(f"{self.sandbox.url}/sandbox/api/state?user={MARTA}") as answer:
            posts = (await answer.json())["posts"]
        return sorted((post for post in posts if not post.get("deleted")), key=lambda post: str(post["ts"]))

    async def subjects(self) -> list[str]:
        """The headers of the posts, oldest first."""
        return [post["blocks"][0]["text"]["text"] for post in await self.posts()]

    async def thread_files(self) -> list[str]:
        """Names of the files in the thread of the only post, once Slack has shared them."""
        async with asyncio.timeout(30):
            while True:
                (post,) = await self.posts()
                files = [file["name"] for reply in post["replies"] for file in reply["files"]]
                if files:
                    return files
                await asyncio.sleep(0.01)

    async def calls(self, method: str) -> int:
        """How often the bot called a method."""
        async with self.http.get(f"{self.sandbox.url}/sandbox/api/log") as answer:
            return sum(call["method"] == method for call in (await answer.json())["calls"])


@pytest.fixture
async def desk(
    database: Database, vault: Vault, tmp_path: Path, lasting_renderer: Renderer
) -> AsyncIterator[Desk]:
    """Everything running, nothing delivered yet, Slack's rate limits off."""
    stores, clock, stopping = Stores.on(database, vault, tmp_path), Clock(), asyncio.Event()
    running = await start(
        bot_token="xoxb-t",
        app_token="xapp-t",
        static=None,
        timings=Timings(ack=30.0, trigger=30.0, share=0.01),
    )
    async with aiohttp.ClientSession() as http:
        async with http.post(f"{running.url}/sandbox/api/settings", json={"rate_limits": False}) as answer:
            assert answer.status == 200
        metrics = Metrics()
        slack = SlackClient(web_client("xoxb-t", running.api_url, 30, metrics), http)
        old_mails = OldMails(database)
        people = People(slack, TEAM_ID, clock)
        copies = CopyPosts(
            Copies(database),
            Tellings(database),
            Shares(database),
            stores.mailboxes,
            mails=MailPosts(stores.messages, lasting_renderer),
            judge=Judge(people, clock),
            people=people,
            clock=clock,
        )
        deliverer = Deliverer(
            stores.outbox,
            stores.messages,
            stores.mailboxes,
            lasting_renderer,
            slack,
            conversations=stores.conversations,
            old_mail=OldMailPosts(old_mails, stores.mailboxes, slack, bounds=lambda _: PACE, clock=clock),
            digests=DigestPosts(
                stores.digests,
                stores.mailboxes,
                lasting_renderer,
                Rules(database, vault),
                stores.conversations,
                flood=FLOOD,
                clock=clock,
            ),
            originals=OriginalPosts(Originals(database), stores.messages),
            copies=copies,
            sent_posts=SentPosts(
                Outgoings(database, vault),
                OutgoingPosts(database, vault),
                stores.mailboxes,
                slack,
                clock=clock,
            ),
            rules=Rules(database, vault),
            grace=GRACE,
            clock=clock,
            stopping=stopping,
        )
        owner = Person(TEAM_ID, MARTA)
        claim = await stores.claimed(replace(NEW, owner=owner), clock())
        yield Desk(
            stores,
            claim,
            running,
            http,
            deliverer,
            clock,
            stopping,
            metrics,
            old_mails,
            slack,
            copies,
            people,
        )
    await running.stop()
