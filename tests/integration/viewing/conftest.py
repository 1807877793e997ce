"""One owner's mailbox with mail in it, and the people of the sandbox who may look at it or not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import pytest

from bot.door import Door
from bot.front import Front
from bot.judging import Judge
from bot.kept import Kept
from bot.mail import providers
from bot.managing import Managing
from bot.pace import Pace
from bot.sandbox.server import start
from bot.sandbox.slack.core import Timings
from bot.sandbox.slack.people import TEAM_ID
from bot.slack.client import SlackClient, web_client
from bot.slack.people import People
from bot.viewing import Viewing
from storage.audits import Audits
from storage.copies import Copies
from storage.database import Database
from storage.grants import Grants
from storage.records import EntryState, Person, Shape
from storage.rules import Rules
from storage.shares import Shares
from storage.sharing import (
    Act,
    Audience,
    AudienceKind,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
)
from tests.fakes.tasks import end_the_rest
from tests.integration.storage.stores import LEASE, NEW, NOW, Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from bot.mail.renderer import Renderer
    from bot.sandbox.slack.core import Sandbox
    from storage.sharing import AuditEntry
    from storage.vault import Vault

MARTA: Final = Person(TEAM_ID, "U0MARTA004")
KENJI: Final = Person(TEAM_ID, "U0KENJI005")
INES: Final = Person(TEAM_ID, "U0INES0001")
LUCIA: Final = Person(TEAM_ID, "U0LUCIA006")
OWEN: Final = Person(TEAM_ID, "U0OWEN0007")
PETRA: Final = Person(TEAM_ID, "U0PETRA008")
PACE: Final = Pace(timedelta(minutes=5), timedelta(minutes=30), timedelta(0))
TO_KENJI: Final = Audience(AudienceKind.PERSON, KENJI.user)
EVERYTHING: Final = Grant(
    Subject(SubjectKind.ROLE, Role.MEMBER), GrantKind.CHOICE, Level.MANAGE, reach=Reach.ROLES, active=None
)


@dataclass
class Clock:
    """A clock that is pushed."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """The time now."""
        return self.now

    def push(self, **by: float) -> None:
        """Let time go by."""
        self.now += timedelta(**by)


@dataclass
class Hall:
    """Everything that viewers meet; the mailbox is Marta's."""

    stores: Stores
    shares: Shares
    grants: Grants
    audits: Audits
    copies: Copies
    rules: Rules
    sandbox: Sandbox
    people: People
    clock: Clock
    door: Door
    viewing: Viewing
    managing: Managing
    front: Front
    mailbox_id: str = ""
    count: int = 0
    nudges: list[None] = field(default_factory=list)

    async def mail(
        self, subject: str, *, sender: str = "ada@elsewhere.example", body: str = "Body text."
    ) -> str:
        """The id of a message that is in its owner's Slack."""
        return await self.message(
            f"From: Ada <{sender}>\r\nTo: marta@local.test\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()
        )

    async def message(self, octets: bytes, shape: Shape = Shape.WHOLE) -> str:
        """The same of any octets."""
        await self.stores.mailboxes.check_now(MARTA, self.mailbox_id, self.clock())
        (claim,) = await self.stores.mailboxes.claim_due(self.clock(), lease=LEASE, worker="poller", limit=10)
        self.count += 1
        assert await self.stores.keep(claim, b"u%d" % self.count, octets, shape=shape, now=self.clock())
        await self.stores.mailboxes.release("poller")
        dms = await self.stores.outbox.claim_due(self.clock(), lease=LEASE, worker="poster", limit=100)
        (dm,) = [dm for dm in dms if dm.owner == MARTA]
        entry = await self.stores.head(dm)
        done = replace(entry, state=EntryState.SETTLED, channel="D1", ts=f"{self.count}.1")
        await self.stores.outbox.record(dm, done, now=self.clock())
        for each in dms:  # what others are told stays owed
            await self.stores.outbox.release(each)
        self.clock.push(minutes=3)
        return entry.message_id or ""

    async def share(self, level: Level, audience: Audience = TO_KENJI, **more: Any) -> Share:
        """Open Marta's mailbox."""
        new = Share("", self.mailbox_id, audience, level, self.clock(), **more)
        (share,) = await self.shares.open(MARTA, [new], self.clock(), lambda _: True)
        return share

    async def grant(self, grant: Grant) -> None:
        """Write a grant."""
        await self.grants.set(TEAM_ID, grant, INES, self.clock(), lambda _: True)

    async def end(self, share: Share) -> None:
        """End a share."""
        await self.shares.end(share.id, MARTA, self.clock(), Act.SHARE_REVOKED, lambda _: True)

    async def noted(self, act: Act) -> list[AuditEntry]:
        """The audit entries of a kind, the newest first."""
        return list(await self.audits.list(TEAM_ID, act=act, limit=50))

    def change_role(self, person: Person, role: str) -> None:
        """Somebody's role changes, and the bot does not hear of it."""
        self.sandbox.workspace.set_role(person.user, role)


@pytest.fixture
async def hall(
    sqlite_url: str, vault: Vault, tmp_path: Path, lasting_renderer: Renderer
) -> AsyncIterator[Hall]:
    """Marta's mailbox without mail, shared with nobody; members may open it to anybody up to Manage."""
    running = await start(
        bot_token="xoxb-t",
        app_token="xapp-t",
        static=None,
        timings=Timings(ack=30.0, trigger=30.0, share=0.01),
    )
    running.sandbox.limits.enabled = False
    database, clock = await Database.open(sqlite_url), Clock()
    async with aiohttp.ClientSession() as session:
        slack = SlackClient(web_client("xoxb-t", running.api_url, 30), session)
        stores = Stores.on(database, vault, tmp_path)
        kept = Kept(stores.messages, lasting_renderer)
        made = _hall(stores, running.sandbox, People(slack, TEAM_ID, clock), clock, kept, vault)
        made.mailbox_id = (await made.stores.mailboxes.add(replace(NEW, owner=MARTA), clock())).id
        await made.grant(EVERYTHING)
        yield made
        await end_the_rest()
    await database.close()
    await running.stop()


def _hall(  # noqa: PLR0917 - what everything is made of
    stores: Stores, sandbox: Sandbox, people: People, clock: Clock, kept: Kept, vault: Vault
) -> Hall:
    database, nudges = stores.database, list[None]()
    shares, audits, copies = Shares(database), Audits(database), Copies(database)
    grants, rules = Grants(database), Rules(database, vault)
    door = Door(shares, Judge(people, clock), audits, clock=clock)
    return Hall(
        stores=stores,
        shares=shares,
        grants=grants,
        audits=audits,
        copies=copies,
        rules=rules,
        sandbox=sandbox,
        people=people,
        clock=clock,
        door=door,
        viewing=Viewing(door, shares, people, copies=copies, mailboxes=stores.mailboxes, kept=kept),
        managing=Managing(
            door,
            stores.mailboxes,
            rules,
            providers.load(),
            bounds=lambda _: PACE,
            nudge=lambda: nudges.append(None),
        ),
        front=Front(shares, grants, people, clock=clock),
        nudges=nudges,
    )
