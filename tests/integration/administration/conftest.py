"""Administration on a real database and on the sandbox as Slack."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.administration import Administration
from bot.administrators import Administrators
from bot.inspection import Inspection
from bot.mail import providers
from bot.rechecking import Cause
from bot.sandbox.server import start
from bot.sandbox.slack.core import Timings
from bot.sandbox.slack.people import TEAM_ID
from bot.slack.client import SlackClient, web_client
from bot.slack.people import People
from storage.audits import Audits
from storage.errors import StorageBusy
from storage.grants import Grants
from storage.records import Person
from storage.shares import Shares
from storage.sharing import Audience, AudienceKind, Level, Share
from storage.surveys import Surveys
from storage.suspension import Suspensions
from tests.integration.one_database import database_url  # noqa: F401 - a fixture
from tests.integration.storage.stores import NEW, Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.sandbox.slack.core import Sandbox
    from storage.database import Database
    from storage.records import Mailbox
    from storage.sharing import AuditEntry
    from storage.vault import Vault

BASE = datetime(2026, 11, 20, 9, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """A clock that goes on by a minute at every look, so that nothing of Slack's answers is kept."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        """The time now."""
        self.ahead += timedelta(minutes=1)
        return BASE + self.ahead


@dataclass(slots=True)
class Place:
    """All that administration works on."""

    sandbox: Sandbox
    administration: Administration
    inspection: Inspection
    grants: Grants
    shares: Shares
    audits: Audits
    stores: Stores
    clock: Clock
    rechecked: list[Cause]
    url: str
    api_url: str

    async def mailbox(self, user: str, form: str = "form") -> Mailbox:
        """Somebody adds a mailbox."""
        new = replace(NEW, owner=person(user), form_id=f"{user}{form}")
        return await self.stores.mailboxes.add(new, self.clock())

    async def share(self, mailbox: Mailbox, audience: Audience, level: Level) -> Share:
        """Its owner opens it."""
        share = Share("", mailbox.id, audience, level, self.clock())
        (opened,) = await self.shares.open(mailbox.owner, [share], self.clock(), lambda _: True)
        return opened

    async def audit(self) -> list[AuditEntry]:
        """All entries, the oldest first."""
        return list(reversed(await self.audits.list(TEAM_ID, limit=1_000)))


def person(user: str) -> Person:
    """Somebody of this workspace."""
    return Person(TEAM_ID, user)


def to_person(user: str) -> Audience:
    """One person as audience."""
    return Audience(AudienceKind.PERSON, user)


@pytest.fixture
async def place(database: Database, vault: Vault, tmp_path: Path) -> AsyncIterator[Place]:
    """Nobody has a mailbox, nothing is granted; what follows from a grant for Owen fails."""
    running = await start(
        bot_token="xoxb-t",
        app_token="xapp-t",
        static=None,
        timings=Timings(ack=30.0, trigger=30.0, share=0.01),
    )
    running.sandbox.limits.enabled = False
    clock, rechecked = Clock(), list[Cause]()
    stores = Stores.on(database, vault, tmp_path)
    grants, shares, audits = Grants(database), Shares(database), Audits(database)
    surveys = Surveys(database, vault)

    async def recheck(cause: Cause) -> None:
        rechecked.append(cause)
        if cause.id == "U0OWEN0007":
            raise StorageBusy

    async with aiohttp.ClientSession() as session:
        slack = SlackClient(web_client("xoxb-t", running.api_url, 30), session)
        people = People(slack, TEAM_ID, clock)
        administrators = Administrators(people, audits, workspace=TEAM_ID, clock=clock)
        administration = Administration(
            administrators, people, grants, shares, surveys, recheck=recheck, clock=clock
        )
        inspection = Inspection(
            administrators,
            surveys=surveys,
            suspensions=Suspensions(database),
            holdings=stores.holdings,
            audits=audits,
            providers=providers.load(),
            clock=clock,
        )
        yield Place(
            running.sandbox,
            administration,
            inspection,
            grants,
            shares,
            audits,
            stores,
            clock,
            rechecked,
            running.url,
            running.api_url,
        )
    await running.stop()
