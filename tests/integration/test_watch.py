"""What can be seen from outside, asked over real HTTP."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.errors import SettingsError
from bot.metrics import Metrics
from bot.watch import Watch
from storage.clues import Clues
from storage.outgoing import Outgoings
from storage.sending import Letter, NewOutgoing, Recipient, RecipientField
from storage.submissions import Submissions
from tests.integration.storage.stores import NEW, NOW, OWNER, PROFILE, Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from storage.database import Database
    from storage.vault import Vault
    from tests.fakes.postgres import Server


@dataclass
class Desk:
    """What a test of the watch holds in its hands."""

    stores: Stores
    metrics: Metrics
    stopping: asyncio.Event
    vault: Vault
    is_connected: bool = True

    async def _ask_slack(self) -> bool:
        return self.is_connected

    @asynccontextmanager
    async def served(self, stall: timedelta = timedelta(minutes=1)) -> AsyncIterator[Seen]:
        """The watch on a free port, and who asks it."""
        stores = self.stores
        watch = Watch(
            self.metrics,
            stores.database,
            stores.outbox,
            stores.mailboxes,
            clock=lambda: datetime.now(UTC),
            stopping=self.stopping,
            stall=stall,
            submissions=Submissions(stores.database, self.vault),
        )
        watch.is_connected = self._ask_slack
        async with watch.serving("127.0.0.1", 0) as port, aiohttp.ClientSession() as http:
            yield Seen(f"http://127.0.0.1:{port}", http)


@dataclass(frozen=True)
class Seen:
    """Somebody outside."""

    url: str
    http: aiohttp.ClientSession

    async def ask(self, path: str) -> tuple[int, str]:
        """Status and text."""
        async with self.http.get(self.url + path) as answer:
            return answer.status, (await answer.text()).strip()

    async def until(self, path: str, wanted: str) -> str:
        """The text, as soon as it holds what is wanted."""
        async with asyncio.timeout(30):
            while True:
                _, text = await self.ask(path)
                if wanted in text:
                    return text
                await asyncio.sleep(0.01)


@pytest.fixture
def desk(database: Database, vault: Vault, tmp_path: Path) -> Desk:
    """An empty database, Slack connected."""
    return Desk(Stores.on(database, vault, tmp_path), Metrics(), asyncio.Event(), vault)


def _taken_away(file: Path) -> Callable[[], object]:
    octets = file.read_bytes()
    file.write_bytes(b"not a database " * 512)
    return lambda: file.write_bytes(octets)


@asynccontextmanager
async def stopped(desk: Desk, url: str, server: Server | None) -> AsyncIterator[None]:
    """No database for a while: no connection survives and none can be made."""
    await desk.stores.database.close()
    if server is None:
        give_back = _taken_away(Path(url.removeprefix("sqlite:///")))
        yield
        give_back()
        return
    name = url.partition("?")[0].rpartition("/")[2]
    await server.run(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
    await server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    try:
        yield
    finally:
        await server.run(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')


async def test_all_is_well(desk: Desk) -> None:
    """Alive, ready, and the metrics come in Prometheus' own format."""
    async with desk.served() as seen:
        assert await seen.ask("/healthz") == (200, "ok")
        assert await seen.ask("/readyz") == (200, "ok")
        async with seen.http.get(f"{seen.url}/metrics") as answer:
            assert answer.content_type == "text/plain"
            assert "# TYPE mailbox_polls_total counter" in await answer.text()
        assert (await seen.ask("/"))[0] == 404


async def test_stopped_database_is_not_ready(
    desk: Desk, database_url: str, request: pytest.FixtureRequest
) -> None:
    """503 while it is gone, and 200 once it is back; the process is alive all the while."""
    is_sqlite = database_url.startswith("sqlite")
    server = None if is_sqlite else request.getfixturevalue("postgres_server")
    await desk.stores.claimed()

    async with desk.served() as seen:
        await seen.until("/metrics", 'mailbox_mailboxes{health="new"} 1.0')  # stock is taken
        async with stopped(desk, database_url, server):
            assert await seen.ask("/readyz") == (503, "database does not answer")
            assert await seen.ask("/healthz") == (200, "ok")
            assert 'mailbox_ready{part="database"} 0.0' in (await seen.ask("/metrics"))[1]

        assert await seen.until("/readyz", "ok") == "ok"


async def test_not_ready_without_slack_or_when_leaving(desk: Desk) -> None:
    """Nobody should rely on a process that Slack does not reach, or that was told to stop."""
    async with desk.served() as seen:
        desk.is_connected = False
        assert await seen.ask("/readyz") == (503, "Slack not connected")

        desk.is_connected = True
        assert await seen.ask("/readyz") == (200, "ok")
        desk.stopping.set()

        assert await seen.ask("/readyz") == (503, "stopping")
        assert await seen.ask("/healthz") == (200, "ok")


async def test_a_loop_that_stood_still_is_told(desk: Desk) -> None:
    """Work that blocks the loop fails the probe after it and shows in the lag."""
    async with desk.served(timedelta(milliseconds=100)) as seen:
        time.sleep(1)  # noqa: ASYNC251 - blocking is the matter here
        await seen.until("/healthz", "stalled")

        assert await seen.ask("/healthz") == (503, "event loop stalled")
        assert (desk.metrics.registry.get_sample_value("mailbox_loop_lag_seconds_sum") or 0) > 0.1


async def test_stock_is_taken_at_once(desk: Desk) -> None:
    """Outbox and mailboxes are counted from the first scrape on, and nobody can be told from it."""
    claim = await desk.stores.claimed()
    await desk.stores.keep(claim, b"u1")
    await desk.stores.keep(claim, b"u2")

    async with desk.served() as seen:
        text = await seen.until("/metrics", "mailbox_outbox_entries 2.0")

    late = (datetime.now(UTC) - NOW).total_seconds()
    overdue = desk.metrics.registry.get_sample_value("mailbox_outbox_overdue_seconds")
    assert overdue == pytest.approx(max(0, late), abs=60)
    assert 0 <= (desk.metrics.registry.get_sample_value("mailbox_outbox_oldest_seconds") or 0) < 60
    assert 'mailbox_mailboxes{health="new"} 1.0' in text
    private = [claim.mailbox.id, OWNER.user, OWNER.workspace, PROFILE.name, PROFILE.incoming.host, "@"]
    assert [word for word in private if word in text] == []


async def test_mail_that_waits_to_be_sent_is_counted(desk: Desk) -> None:
    """By state and by how late it is; nobody can be told from it."""
    mailbox = await desk.stores.mailboxes.add(NEW, NOW)
    recipient = Recipient("ada@elsewhere.example", RecipientField.TO)
    letter = Letter("<1@example.org>", "anna@example.org", (recipient,), "Plan", "Yes.")
    clues = Clues(letter.message_id, (), "plan", (), is_answer=False)
    new = NewOutgoing(mailbox.id, OWNER, "f1", None, letter, b"Subject: Plan\r\n\r\n", clues, timedelta(0))
    late = datetime.now(UTC) - timedelta(minutes=5)
    await Outgoings(desk.stores.database, desk.vault).save(new, late, lambda _: True)

    async with desk.served() as seen:
        text = await seen.until("/metrics", 'mailbox_outgoing_mails{state="waiting"} 1.0')

    oldest = desk.metrics.registry.get_sample_value("mailbox_outgoing_oldest_seconds")
    assert oldest == pytest.approx(300, abs=60)
    assert [word for word in ("Plan", "example.org", "elsewhere", mailbox.id) if word in text] == []


async def test_an_address_in_use_is_one_sentence(desk: Desk) -> None:
    """The person who starts the bot reads which setting to change."""
    async with desk.served() as seen:
        port = int(seen.url.rpartition(":")[2])
        second = Watch(
            Metrics(),
            desk.stores.database,
            desk.stores.outbox,
            desk.stores.mailboxes,
            clock=lambda: NOW,
            stopping=desk.stopping,
        )

        with pytest.raises(SettingsError) as caught:
            await second.serving("127.0.0.1", port).__aenter__()

        assert caught.value.sentence.startswith("MAILBOX_METRICS")
