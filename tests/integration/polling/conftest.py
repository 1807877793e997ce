"""A mailbox on a local POP3 server, the stores, and a poller between them."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot import pace
from bot.floods import Floods
from bot.guard import Guard
from bot.mail import pop3_client
from bot.mail.hosts import Hosts
from bot.metrics import Metrics
from bot.poll import Poller
from bot.sandbox.mail.maildrops import Account, Maildrop
from bot.sandbox.mail.servers import MailServers
from bot.server_mail import ServerMail
from bot.wanted import WantedMail
from storage.answers import Answers
from storage.originals import Originals
from storage.records import (
    Entry,
    EntryState,
    Mailbox,
    Passwords,
    Profile,
    Retention,
    Secret,
    Security,
    ServerAddress,
)
from tests.fakes.clock import Clock
from tests.integration.one_database import database_url  # noqa: F401 - a fixture
from tests.integration.storage.stores import NEW, OWNER, Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from storage.database import Database
    from storage.vault import Vault
    from tests.fakes.pop3_server import Pop3Server

LEASE = timedelta(minutes=2)
FLOOD = 20
INTERVAL = timedelta(minutes=5)
LIMIT = 200_000
LARGEST = 500_000
ANNA = Account("anna@local.test", "right")


@dataclass
class Desk:
    """What a polling test holds in its hands.

    `hiding` are mailboxes whose server lists nothing twice; `floors` what providers ask to be left between two sessions.
    """

    stores: Stores
    servers: MailServers
    drop: Maildrop
    poller: Poller
    clock: Clock
    stopping: asyncio.Event
    metrics: Metrics
    hiding: set[str]
    floors: dict[str, timedelta]
    server_mail: ServerMail

    async def add(self, retention: Retention = Retention.LEAVE, password: str = "right") -> Mailbox:
        """Register Anna's mailbox."""
        server = ServerAddress("localhost", self.servers.ports.pop3s, Security.TLS)
        profile = Profile("Work", ANNA.address, server, ANNA.address, None, None)
        new = replace(NEW, profile=profile, passwords=Passwords(Secret(password), None), retention=retention)
        return await self.stores.mailboxes.add(new, self.clock())

    async def register(
        self, server: Pop3Server, retention: Retention = Retention.LEAVE, skip: Sequence[bytes] = ()
    ) -> Mailbox:
        """A mailbox on a server that does as it is told, polled once."""
        profile = Profile("Work", server.username, server.address, server.username, None, None)
        passwords = Passwords(Secret(server.password), None)
        new = replace(NEW, profile=profile, passwords=passwords, retention=retention, skip=tuple(skip))
        await self.stores.mailboxes.add(new, self.clock())
        return await self.poll()

    async def change(self, mailbox: Mailbox, retention: Retention, delete_days: int | None = None) -> Mailbox:
        """The owner chooses another delete setting; the rest stays."""
        return await self.stores.mailboxes.change(
            OWNER,
            mailbox.id,
            profile=mailbox.profile,
            passwords=await self.stores.mailboxes.passwords(OWNER, mailbox.id),
            retention=retention,
            delete_days=delete_days,
            listing=None,
            skip=(),
            old=(),
            now=self.clock(),
        )

    def send(self, *subjects: str, body: str = "Hello.") -> None:
        """Put mail into the maildrop."""
        for subject in subjects:
            self.drop.deliver(f"From: a@b.example\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode())

    async def poll(self) -> Mailbox:
        """Push the time to the next poll and make it."""
        (mailbox,) = await self.stores.mailboxes.of(OWNER)
        if mailbox.due_at is not None and mailbox.due_at > self.clock():
            self.clock.ahead += mailbox.due_at - self.clock() + timedelta(seconds=1)
        for claim in await self.stores.mailboxes.claim_due(self.clock(), lease=LEASE, worker="w", limit=5):
            await self.poller.poll(claim)
        (mailbox,) = await self.stores.mailboxes.of(OWNER)
        return mailbox

    async def settle(self) -> list[Entry]:
        """Do what delivery does, without Slack: everything owed is in Slack now. Returns it in order."""
        settled = []
        for dm in await self.stores.outbox.claim_due(self.clock(), lease=LEASE, worker="w", limit=5):
            while entry := await self.stores.outbox.head(dm):
                done = replace(
                    entry, state=EntryState.SETTLED, channel="D1", ts=f"{1000 + entry.order}.000100"
                )
                dm = await self.stores.outbox.record(dm, done, now=self.clock())  # noqa: PLW2901 - the lease goes on
                settled.append(done)
            await self.stores.outbox.release(dm)
        return settled

    async def subjects(self) -> list[str]:
        """Settle what is owed; the subjects of the messages among it, in order."""
        found = []
        for entry in await self.settle():
            if entry.message_id is not None:
                _, octets = await self.stores.messages.load(entry.message_id)
                found.append(octets.split(b"Subject: ")[1].split(b"\r\n")[0].decode())
        return found


@pytest.fixture
async def desk(database: Database, vault: Vault, tmp_path: Path) -> AsyncIterator[Desk]:
    """Everything running; Anna's maildrop is empty and her mailbox not yet added."""
    servers = MailServers([ANNA], folder=tmp_path / "mail")
    await servers.start()
    tls = ssl.create_default_context(cafile=str(servers.ca_pem))
    limits = pop3_client.Limits(message_octets=LIMIT)
    hosts = Hosts(["localhost"])
    stores, clock, stopping = Stores.on(database, vault, tmp_path), Clock(), asyncio.Event()
    metrics, hiding, floors = Metrics(), set[str](), dict[str, timedelta]()
    usual = pace.bounds(INTERVAL, None, is_exact=True)
    poller = Poller(
        stores.mailboxes,
        stores.messages,
        lambda server, *, remembered, pipelining: pop3_client.connect(
            server, hosts=hosts, tls=tls, limits=replace(limits, pipelining=pipelining), remembered=remembered
        ),
        Guard(stores.attempts, is_exempt=lambda _: False, clock=clock),
        WantedMail(
            Originals(database),
            stores.messages,
            message_octets=LIMIT,
            clock=clock,
            stopping=stopping,
            largest=LARGEST,
        ),
        floods=Floods(stores.digests, flood=FLOOD, clock=clock),
        bounds=lambda mailbox: replace(usual, floor=floors.get(mailbox.id, usual.floor)),
        lists_all=lambda mailbox: mailbox.id not in hiding,
        message_octets=LIMIT,
        clock=clock,
        stopping=stopping,
        metrics=metrics,
    )
    (drop,) = servers.drops
    server_mail = ServerMail(
        stores.mailboxes,
        Answers(database),
        bounds=lambda _: pace.bounds(INTERVAL, None, is_exact=True),
        clock=clock,
        nudge=lambda: None,
    )
    yield Desk(stores, servers, drop, poller, clock, stopping, metrics, hiding, floors, server_mail)
    await servers.stop()
