"""Steps of tests about copies: a share, a channel, what stands in it, and the jobs that bring and withdraw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack.people import TEAM_ID
from bot.spreading import Spreader
from bot.withdrawal import Withdrawing
from storage.copies import Copies
from storage.grants import Grants
from storage.records import Person
from storage.shares import Shares
from storage.sharing import (
    EVERYONE,
    Act,
    Audience,
    AudienceKind,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
)
from storage.spreading import Spreading
from storage.withdrawals import Withdrawals

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk

AISHA: Final = "U0AISHA003"
KENJI: Final = "U0KENJI005"
HIRING: Final = "C0HIRING01"
WAREHOUSE: Final = "C0WAREHOU1"
VIEWER: Final = Person(TEAM_ID, KENJI)
ADMIN: Final = Person(TEAM_ID, AISHA)


@dataclass
class Copying:
    """The stores and jobs of sharing beside a delivery test's desk."""

    desk: Desk
    shares: Shares
    copies: Copies
    withdrawals: Withdrawals
    spreader: Spreader
    withdrawing: Withdrawing

    @classmethod
    async def at(cls, desk: Desk) -> Copying:
        """Everything in place, every channel allowed as audience to members."""
        database, clock = desk.stores.database, desk.clock
        copies, grants = Copies(database), Grants(database)
        for subject in (EVERYONE, Subject(SubjectKind.ROLE, Role.MEMBER)):
            wide = Grant(
                subject, GrantKind.CHOICE, Level.MANAGE, reach=Reach.ROLES, channels=ChannelReach.ANY
            )
            await grants.set(TEAM_ID, wide, ADMIN, clock(), lambda _: True)
        withdrawals = Withdrawals(database)
        return cls(
            desk,
            Shares(database),
            copies,
            withdrawals,
            Spreader(Spreading(database), copies, grants, desk.people, workspace=TEAM_ID, clock=clock),
            Withdrawing(withdrawals, desk.slack, clock=clock, stopping=desk.stopping),
        )

    async def share(
        self, audience: Audience, level: Level = Level.OPEN, message_id: str | None = None
    ) -> Share:
        """Open the mailbox, or one message of it."""
        mailbox = self.desk.claim.mailbox
        new = Share(
            "", mailbox.id, audience, level, self.desk.clock() - timedelta(minutes=1), message_id=message_id
        )
        (opened,) = await self.shares.open(mailbox.owner, [new], self.desk.clock(), lambda _: True)
        return opened

    async def share_with_viewer(self, level: Level = Level.OPEN) -> Share:
        """Open the mailbox to one person."""
        return await self.share(Audience(AudienceKind.PERSON, KENJI), level)

    async def share_with_channel(self, channel: str = HIRING, level: Level = Level.OPEN) -> Share:
        """Open the mailbox to a channel that the app is in."""
        await self.change_channel(channel, add="bot")
        return await self.share(Audience(AudienceKind.CHANNEL, channel), level)

    async def change_channel(self, channel: str, **change: Any) -> None:
        """Do something to a channel; what was known of it is forgotten, as an event would have it."""
        await self.post("channel", channel=channel, **change)
        self.desk.people.forget(channel=channel)

    async def post(self, path: str, **body: Any) -> None:
        """Ask the sandbox for something."""
        async with self.desk.http.post(f"{self.desk.sandbox.url}/sandbox/api/{path}", json=body) as answer:
            assert (await answer.json())["ok"], await answer.text()

    async def message_ids(self) -> list[str]:
        """The messages of the mailbox, oldest first."""
        found = await self.shares.messages(self.desk.claim.mailbox.id, 100)
        return [message.id for message in reversed(found)]

    async def owe(self, share: Share | None = None, to: Person = VIEWER) -> str:
        """Owe the newest message to somebody."""
        message_id = (await self.message_ids())[-1]
        return await self.copies.owe(
            self.desk.claim.mailbox.id,
            message_id,
            to,
            self.desk.clock(),
            lambda _: True,
            share="" if share is None else share.id,
        )

    async def end(self, share: Share) -> None:
        """Revoke a share."""
        owner = self.desk.claim.mailbox.owner
        await self.shares.end(share.id, owner, self.desk.clock(), Act.SHARE_REVOKED, lambda _: True)

    async def seen_by(self, user: str = KENJI, channel: str | None = None) -> list[dict[str, Any]]:
        """The posts that somebody sees in their DM, or in a channel, oldest first."""
        where = f"&channel={channel}" if channel else ""
        address = f"{self.desk.sandbox.url}/sandbox/api/state?user={user}{where}"
        async with self.desk.http.get(address) as answer:
            posts = (await answer.json())["posts"]
        return sorted((post for post in posts if not post["deleted"]), key=lambda post: str(post["ts"]))

    async def copies_seen(self, user: str = KENJI, channel: str | None = None) -> list[dict[str, Any]]:
        """Those of them that are copies, blank ones included."""
        return [
            post
            for post in await self.seen_by(user, channel)
            if "Shared by" in str(post["blocks"]) or "Shared by" in post["text"] or post["edited"]
        ]

    async def deliver(self) -> None:
        """Sweeps of the runner, until no DM is due."""
        for _ in range(20):
            if not await self.desk.deliver():
                return
