"""A host that does not answer holds up its own mailboxes and nobody else's."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from bot import pace
from bot.crowd import SESSIONS_PER_HOST, WAITING_PER_HOST
from bot.floods import Floods
from bot.guard import Guard
from bot.mail import pop3_client
from bot.mail.hosts import Hosts
from bot.metrics import PUT_OFF, Metrics
from bot.poll import Poller
from bot.runner import MOST_POLLS, Runner
from bot.wanted import WantedMail
from storage.originals import Originals
from storage.records import Health, Mailbox, Passwords, Person, Profile, Secret, ServerAddress
from storage.tables import MailboxRow
from tests.fakes.pop3_server import Pop3Server, silence
from tests.integration.storage.stores import NEW, Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from storage.database import Database
    from storage.vault import Vault

SLOW = MOST_POLLS + 20
FAST = 5
INTERVAL = timedelta(minutes=5)


class Nobody:
    """A deliverer for a test without Slack."""

    is_silent = True

    async def tell_progress(self) -> None:
        """There is nothing to tell."""

    async def refresh(self) -> None:
        """Nobody's time zone is asked for."""


class Town:
    """Mailboxes at a host that does not answer and at one that does, and the bot between them."""

    def __init__(self, stores: Stores, slow: Pop3Server, fast: Pop3Server) -> None:
        self.stores, self.slow, self.fast = stores, slow, fast
        self.metrics, self.stopping = Metrics(), asyncio.Event()
        hosts = Hosts(["127.0.0.0/8"])
        tls = ssl.create_default_context()
        self.poller = Poller(
            stores.mailboxes,
            stores.messages,
            lambda server, **_: pop3_client.connect(server, hosts=hosts, tls=tls),
            Guard(stores.attempts, is_exempt=lambda _: True, clock=self.now),
            WantedMail(
                Originals(stores.database),
                stores.messages,
                message_octets=200_000,
                clock=self.now,
                stopping=self.stopping,
            ),
            floods=Floods(stores.digests, flood=20, clock=self.now),
            bounds=lambda _: pace.bounds(INTERVAL, None, is_exact=True),
            lists_all=lambda _: True,
            message_octets=200_000,
            clock=self.now,
            stopping=self.stopping,
            metrics=self.metrics,
        )
        nobody: Any = Nobody()
        self.runner = Runner(
            mailboxes=stores.mailboxes,
            messages=stores.messages,
            outbox=stores.outbox,
            holdings=stores.holdings,
            attempts=stores.attempts,
            poller=self.poller,
            deliverer=nobody,
            conversations=nobody,
            zones=nobody,
            worker="w",
            interval=timedelta(seconds=1),
            clock=self.now,
            stopping=self.stopping,
        )

    @staticmethod
    def now() -> datetime:
        """The time."""
        return datetime.now(UTC)

    async def settle(self) -> None:
        """Everybody moves in, and has been polled an hour ago; those of the slow host are due first."""
        for number in range(SLOW + FAST):
            host, server = ("127.0.0.1", self.slow) if number < SLOW else ("localhost", self.fast)
            address = ServerAddress(host, server.port, server.security)
            profile = Profile("Work", "a@b.example", address, server.username, None, None)
            passwords = Passwords(Secret(server.password), None)
            new = replace(NEW, owner=person(number), profile=profile, passwords=passwords)
            await self.stores.mailboxes.add(new, self.now())
        async with self.stores.database.write() as session:
            await session.exec(update(MailboxRow).values(polled_at=self.now() - timedelta(hours=1)))

    async def mailboxes(self, numbers: range) -> list[Mailbox]:
        """As stored."""
        return [(await self.stores.mailboxes.of(person(number)))[0] for number in numbers]


def person(number: int) -> Person:
    """The owner of a mailbox."""
    return Person("T1", f"U{number}")


async def until(holds: Callable[[], Any]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(40):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.05)


@pytest.fixture
async def town(database: Database, vault: Vault, tmp_path: Path) -> AsyncIterator[Town]:
    """Settled, and the bot at work."""
    async with Pop3Server(greeting=silence) as slow, Pop3Server([b"Subject: Hi\r\n\r\nHi\r\n"]) as fast:
        town = Town(Stores.on(database, vault, tmp_path), slow, fast)
        await town.settle()
        running = asyncio.create_task(town.runner.run())
        yield town
        town.stopping.set()
        for task in list(town.runner._polls.values()):
            task.cancel()
        await running


async def test_a_silent_host_holds_up_nobody_elses_mail(town: Town) -> None:
    """More mailboxes than polls run at a time are with it, all due first: the others are polled at once all the same.

    Of its own a few are tried, a few wait, and the rest come again within an interval, with no lease held meanwhile.
    """

    async def are_polled() -> bool:
        return all(mailbox.health is Health.OK for mailbox in await town.mailboxes(range(SLOW, SLOW + FAST)))

    await until(are_polled)

    rest = SLOW - SESSIONS_PER_HOST - WAITING_PER_HOST
    await until(lambda: town.metrics.polls.labels(PUT_OFF)._value.get() >= rest)
    assert (town.slow.sessions, town.poller.waiting) == (SESSIONS_PER_HOST, WAITING_PER_HOST)
    now = town.now()
    later = [
        mailbox for mailbox in await town.mailboxes(range(SLOW)) if mailbox.due_at and mailbox.due_at > now
    ]
    assert len(later) >= rest * 0.9
    assert all(mailbox.due_at and mailbox.due_at <= now + INTERVAL for mailbox in later)


async def test_an_owner_who_asks_waits_where_others_are_sent_away(town: Town) -> None:
    """A check by hand is not put off: it stands in line for the slow host."""
    rest = SLOW - SESSIONS_PER_HOST - WAITING_PER_HOST
    await until(lambda: town.metrics.polls.labels(PUT_OFF)._value.get() >= rest)
    put_off = max(await town.mailboxes(range(SLOW)), key=lambda mailbox: str(mailbox.due_at))
    async with town.stores.database.write() as session:
        await session.exec(update(MailboxRow).values(polled_at=town.now()))

    await town.stores.mailboxes.check_now(put_off.owner, put_off.id, town.now())
    town.runner.nudge()

    await until(lambda: town.poller.waiting == WAITING_PER_HOST + 1)
