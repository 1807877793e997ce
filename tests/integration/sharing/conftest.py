"""Marta's mailbox with mail in it, the pretend workspace around her, and what keeps her shares in line with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import pytest

from bot.copies import CopyPosts
from bot.judging import Judge
from bot.mail_posts import MailPosts
from bot.rechecking import Cause, Rechecker, What
from bot.sandbox.server import start
from bot.sandbox.slack import changes, channel_changes
from bot.sandbox.slack.channels import HIRING_ID
from bot.sandbox.slack.core import Timings
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.groups import SUPPORT_ID
from bot.sandbox.slack.people import BOT_USER_ID, TEAM_ID
from bot.sharing import Sharing
from bot.slack.client import SlackClient, web_client
from bot.slack.people import People
from bot.suspending import Suspending
from storage.audits import Audits
from storage.copies import Copies
from storage.grants import Grants
from storage.records import EntryState, Person
from storage.shares import Shares
from storage.sharing import (
    Audience,
    AudienceKind,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Subject,
    SubjectKind,
)
from storage.surveys import Surveys
from storage.suspension import Suspensions
from storage.tellings import Tellings
from tests.integration.one_database import database_url  # noqa: F401 - a fixture
from tests.integration.storage.stores import LEASE, NEW, NOW, Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.mail.renderer import Renderer
    from bot.offers import Wish
    from bot.sandbox.slack.core import Sandbox
    from storage.database import Database
    from storage.sharing import Act, Facts, Share
    from storage.vault import Vault

INES: Final = Person(TEAM_ID, "U0INES0001")
MARTA: Final = Person(TEAM_ID, "U0MARTA004")
KENJI: Final = Person(TEAM_ID, "U0KENJI005")
LUCIA: Final = Person(TEAM_ID, "U0LUCIA006")
PETRA: Final = Person(TEAM_ID, "U0PETRA008")
TO_KENJI: Final = Audience(AudienceKind.PERSON, KENJI.user)
TO_SUPPORT: Final = Audience(AudienceKind.GROUP, SUPPORT_ID)
TO_MEMBERS: Final = Audience(AudienceKind.ROLE, Role.MEMBER)
TO_HIRING: Final = Audience(AudienceKind.CHANNEL, HIRING_ID)
MEMBERS: Final = Subject(SubjectKind.ROLE, Role.MEMBER)
WIDE: Final = Grant(
    MEMBERS, GrantKind.CHOICE, Level.MANAGE, reach=Reach.ROLES, channels=ChannelReach.ANY, active=None
)
DAY: Final = timedelta(days=1)
_QUESTIONS: Final = (
    "users.info", "users.list", "usergroups.list", "usergroups.users.list", "conversations.info", "conversations.members"
)  # fmt: skip


@dataclass
class Clock:
    """A clock that stands until it is pushed."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """The time now."""
        return self.now


@dataclass
class Office:
    """What a test of sharing holds in its hands."""

    stores: Stores
    shares: Shares
    grants: Grants
    copies: Copies
    audits: Audits
    suspensions: Suspensions
    sandbox: Sandbox
    people: People
    sharing: Sharing
    rechecker: Rechecker
    clock: Clock
    mailbox_id: str = ""

    async def message(self, subject: str = "Hello", sender: str = "ada@elsewhere.example") -> str:
        """The id of a message that is in Marta's DM."""
        await self.stores.mailboxes.check_now(MARTA, self.mailbox_id, self.clock())
        (claim,) = await self.stores.mailboxes.claim_due(self.clock(), lease=LEASE, worker="w", limit=10)
        octets = f"From: Ada <{sender}>\r\nTo: marta@local.test\r\nSubject: {subject}\r\n\r\nHello.\r\n"
        assert await self.stores.keep(claim, subject.encode(), octets.encode(), now=self.clock())
        await self.stores.mailboxes.release("w")
        dms = await self.stores.outbox.claim_due(self.clock(), lease=LEASE, worker="w", limit=20)
        dm = next(dm for dm in dms if dm.owner == MARTA)
        entry = await self.stores.head(dm)
        done = replace(entry, state=EntryState.SETTLED, channel="D1", ts="1.1")
        await self.stores.outbox.record(dm, done, now=self.clock())
        await self.stores.outbox.release_worker("w")
        return entry.message_id or ""

    async def copy(self, message_id: str, to: Person, share: Share | None = None) -> str:
        """A copy of a message that is owed to somebody, whoever may have it."""
        share_id = share.id if share else ""
        return await self.copies.owe(
            self.mailbox_id, message_id, to, self.clock(), lambda _: True, share=share_id
        )

    async def facts(self) -> Facts:
        """What the tables say."""
        return await self.shares.facts(self.mailbox_id)

    async def in_force(self) -> dict[Audience, Level]:
        """Marta's shares."""
        return {share.audience: share.level for share in (await self.facts()).shares}

    async def grant(self, grant: Grant) -> None:
        """An administrator writes a grant."""
        await self.grants.set(TEAM_ID, grant, INES, self.clock(), lambda _: True)

    async def opened(self, wish: Wish) -> Share:
        """One share of Marta's, opened as she does it."""
        (share,) = await self.sharing.open(MARTA, wish)
        return share

    async def acts(self, act: Act) -> int:
        """How often something stands in the audit."""
        return len(await self.audits.list(TEAM_ID, act=act, limit=100))

    def role(self, person: Person, role: str) -> None:
        """Somebody gets another role."""
        changes.change_role(self.sandbox, person.user, role)

    def channel(self, what: str, **more: Any) -> None:
        """Something is done to #hiring."""
        channel = self.sandbox.workspace.channels[HIRING_ID]
        if what in {"join", "leave"}:
            getattr(channel_changes, what)(self.sandbox, channel, more["user"])
        else:
            getattr(channel_changes, what)(self.sandbox, channel, **more)

    def silence(self) -> None:
        """Slack answers nothing that is asked of people, groups and channels."""
        for method in _QUESTIONS:
            self.sandbox.faults.add(Fault(method, "status", count=1000, status=503))

    def speak(self) -> None:
        """Slack answers again."""
        self.sandbox.faults.clear()

    def calls(self) -> int:
        """How many questions Slack was asked."""
        return len(self.sandbox.calls.shown())

    async def settle(self, path: str, cause: Cause) -> None:
        """What a change brings: by its event, or a day later where that was lost."""
        if path == "event":
            self.people.forget(
                cause.id if cause.what is What.USER else None,
                group=cause.what is What.GROUP,
                channel=cause.id if cause.what is What.CHANNEL else None,
            )
            await self.rechecker.recheck(cause)
        else:
            self.clock.now += DAY
            await self.rechecker.patrol()


@pytest.fixture
async def office(
    database: Database, vault: Vault, tmp_path: Path, lasting_renderer: Renderer
) -> AsyncIterator[Office]:
    """Members may share with anybody up to Manage; the bot is in #hiring; Kenji is in the group of support."""
    clock = Clock()
    running = await start(
        bot_token="xoxb-t",
        app_token="xapp-t",
        static=None,
        timings=Timings(ack=30.0, trigger=30.0, share=0.01),
        clock=lambda: clock().timestamp(),
    )
    running.sandbox.limits.enabled = False
    channel_changes.join(running.sandbox, running.sandbox.workspace.channels[HIRING_ID], BOT_USER_ID)
    channel_changes.join(running.sandbox, running.sandbox.workspace.channels[HIRING_ID], KENJI.user)
    async with aiohttp.ClientSession() as session:
        slack = SlackClient(web_client("xoxb-t", running.api_url, 30), session)
        stores = Stores.on(database, vault, tmp_path)
        made = _office(stores, vault, running.sandbox, People(slack, TEAM_ID, clock), lasting_renderer, clock)
        made.mailbox_id = (await stores.mailboxes.add(replace(NEW, owner=MARTA), clock())).id
        await made.grant(WIDE)
        yield made
    await running.stop()


def _office(  # noqa: PLR0917 - what everything is made of
    stores: Stores, vault: Vault, sandbox: Sandbox, people: People, renderer: Renderer, clock: Clock
) -> Office:
    database = stores.database
    shares, grants, copies = Shares(database), Grants(database), Copies(database)
    audits, suspensions = Audits(database), Suspensions(database)

    suspending = Suspending(
        workspace=TEAM_ID,
        shares=shares,
        grants=grants,
        surveys=Surveys(database, vault),
        suspensions=suspensions,
        people=people,
        clock=clock,
    )
    rechecker = Rechecker(
        workspace=TEAM_ID,
        shares=shares,
        grants=grants,
        copies=copies,
        suspending=suspending,
        posts=CopyPosts(
            copies,
            Tellings(database),
            shares,
            stores.mailboxes,
            mails=MailPosts(stores.messages, renderer),
            judge=Judge(people, clock),
            people=people,
            clock=clock,
        ),
        people=people,
        clock=clock,
    )
    sharing = Sharing(
        shares=shares,
        grants=grants,
        copies=copies,
        audits=audits,
        mailboxes=stores.mailboxes,
        people=people,
        clock=clock,
    )
    return Office(
        stores, shares, grants, copies, audits, suspensions, sandbox, people, sharing, rechecker, clock
    )
