"""Marta's mailbox with mail to be sent, a submission server that does as it is told, and what brings one to the other."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from bot.clearance import Clearance
from bot.guard import Guard
from bot.holders import Holders
from bot.judging import Judge
from bot.mail import smtp
from bot.mail.hosts import Hosts
from bot.metrics import Metrics
from bot.outgoing_posts import SentPosts
from bot.submitting import Submitter
from storage.attempts import Attempts
from storage.clues import Clues
from storage.outgoing import Outgoings
from storage.outgoing_posts import OutgoingPosts
from storage.records import EntryState, Notice, Passwords, Retention, Secret, Security, ServerAddress
from storage.sending import Letter, NewOutgoing, OutgoingState, Recipient, RecipientField
from storage.submissions import Submissions
from tests.fakes.smtp_server import SmtpServer
from tests.integration.storage.stores import LEASE, PASSWORDS, PROFILE
from tests.integration.viewing.conftest import MARTA, TO_KENJI, Hall, hall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.sending_errors import Reply
    from bot.slack.client import SlackClient
    from storage.records import Person
    from storage.sending import Outgoing
    from storage.sharing import Share
    from storage.vault import Vault

__all__ = ["TO_KENJI", "hall"]

ADA: Final = "ada@elsewhere.example"
BOB: Final = "bob@third.example"
RIGHT: Final = Passwords(PASSWORDS.incoming, Secret("correct horse"))
SECONDS: Final = 20.0


@dataclass
class Office:
    """The use case and what it stands on."""

    hall: Hall
    server: SmtpServer
    outgoings: Outgoings
    submissions: Submissions
    entries: OutgoingPosts
    posts: SentPosts
    slack: SlackClient
    vault: Vault
    exempt: Callable[[str], bool] = field(default=lambda _: True)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    metrics: Metrics = field(default_factory=Metrics)
    count: int = 0

    def submitter(self, worker: str = "w", submit: Callable[..., Any] | None = None) -> Submitter:
        """What sends, as the program puts it together."""
        hall, database = self.hall, self.hall.stores.database
        hosts, tls = Hosts(("localhost", "127.0.0.1")), ssl.create_default_context()

        def submitted(
            server: ServerAddress, username: str, password: Secret, mail: smtp.Submittable,
            *, before_dot: Callable[[], Awaitable[None]],
        ) -> Awaitable[tuple[Reply, ...]]:  # fmt: skip
            return smtp.submit(server, username, password, mail, hosts=hosts, tls=tls, before_dot=before_dot)

        clearance = Clearance(
            hall.shares,
            Judge(hall.people, hall.clock),
            hall.door,
            kept=hall.viewing._kept,
            holders=Holders(hall.people, hall.grants, hall.audits, is_exempt=self.exempt, clock=hall.clock),
        )
        guard = Guard(Attempts(database, self.vault), is_exempt=self.exempt, clock=hall.clock)
        return Submitter(
            self.submissions, hall.stores.mailboxes, clearance, guard, submit or submitted,
            worker=worker, clock=hall.clock, stopping=self.stopping, metrics=self.metrics,
        )  # fmt: skip

    async def change(self, passwords: Passwords, *, only_receives: bool = False) -> None:
        """Another outgoing password, or another server."""
        outgoing = ServerAddress("localhost", self.server.port, Security.NONE)
        await self.hall.stores.mailboxes.change(
            MARTA, self.hall.mailbox_id,
            profile=replace(PROFILE, outgoing=None if only_receives else outgoing), passwords=passwords,
            retention=Retention.LEAVE, delete_days=None, listing=None, skip=(), now=self.hall.clock(),
        )  # fmt: skip

    async def write(
        self,
        *to: str,
        actor: Person = MARTA,
        answers: str | None = None,
        undo: float = 0,
        octets: bytes | None = None,
        mailbox_id: str = "",
        **letter: Any,
    ) -> Outgoing:
        """Save a mail as a form does once everything was checked."""
        self.count += 1
        message_id = f"<{self.count}@example.org>"
        recipients = tuple(Recipient(each, RecipientField.TO) for each in to or (ADA,))
        new = NewOutgoing(
            mailbox_id=mailbox_id or self.hall.mailbox_id,
            actor=actor,
            form_id=f"form{self.count}",
            answers=answers,
            letter=Letter(message_id, "anna@example.org", recipients, "Plan", "Yes.", draft="{}", **letter),
            octets=octets or f"Message-ID: {message_id}\r\nSubject: Plan\r\n\r\nYes.\r\n".encode(),
            clues=Clues(message_id, (), "plan", to, is_answer=False),
            undo=timedelta(seconds=undo),
        )
        return await self.outgoings.save(new, self.hall.clock(), lambda _: True)

    async def bring(self, submitter: Submitter | None = None) -> None:
        """One look at what is due, until nothing of it is under way."""
        submitter = submitter or self.submitter()
        async with asyncio.timeout(SECONDS):
            await submitter.tick()
            await ended(submitter)

    async def now(self, outgoing: Outgoing) -> Outgoing:
        """How far a mail is."""
        return await self.outgoings.get(outgoing.actor, outgoing.id)

    async def state(self, outgoing: Outgoing) -> OutgoingState:
        """The same in a word."""
        return (await self.now(outgoing)).state

    async def post(self) -> dict[Person, str]:
        """Post what is owed about sent mail; what each of those who were told reads now."""
        outbox, said = self.hall.stores.outbox, {}
        for dm in await outbox.claim_due(self.hall.clock(), lease=LEASE, worker="poster", limit=10):
            channel = await self.slack.open_dm(dm.owner.user)
            while (entry := await outbox.head(dm)) is not None:
                if entry.notice not in {Notice.OUTGOING, Notice.OUTGOING_REFUSED, Notice.OUTGOING_NEWS}:
                    await outbox.record(dm, replace(entry, state=EntryState.GIVEN_UP), now=self.hall.clock())
                    continue
                rendered = await self.posts.rendered(entry)
                posted = await self.slack.post(channel, rendered.text, rendered.blocks, entry.id)
                done = replace(entry, state=EntryState.SETTLED, channel=channel, ts=posted.ts)  # type: ignore[union-attr] # it was
                await outbox.record(dm, done, now=self.hall.clock())
                said[dm.owner] = rendered.text
            await outbox.release(dm)
        return said

    def reads(self, person: Person) -> list[str]:
        """The posts that stand in somebody's DM, by their notification's words."""
        dm = self.hall.sandbox.workspace.dm(person.user)
        return [post.text for post in dm.posts.values()]


async def ended(submitter: Submitter) -> None:
    """Returns when nothing is under way."""
    while tasks := list(submitter.running()):
        await asyncio.wait(tasks)
        await asyncio.sleep(0)


async def in_hand(office: Office, submitter: Submitter) -> None:
    """Returns when the server was told of a mail, and has to be slow so that it is told no more."""
    await submitter.tick()
    async with asyncio.timeout(30):
        while not office.server.transactions:  # noqa: ASYNC110 - the fake calls nobody
            await asyncio.sleep(0.01)


async def bring_without(office: Office, share: Share, *, is_late: bool) -> None:
    """Bring what waits when a share has ended: before the server is asked, or while it has all but the last dot."""
    if not is_late:
        await office.hall.end(share)
        await office.bring()
        return
    office.server.delays = {"DATA": 1.0}
    submitter = office.submitter()
    await in_hand(office, submitter)
    await office.hall.end(share)
    await ended(submitter)


@pytest.fixture
async def office(hall: Hall, vault: Vault) -> AsyncIterator[Office]:
    """Everything to send with; the server takes whatever it is given."""
    database, slack = hall.stores.database, hall.people._slack
    async with SmtpServer(accounts={"anna-out": "correct horse"}) as server:
        outgoings, entries = Outgoings(database, vault), OutgoingPosts(database, vault)
        posts = SentPosts(outgoings, entries, hall.stores.mailboxes, slack, clock=hall.clock)
        made = Office(hall, server, outgoings, Submissions(database, vault), entries, posts, slack, vault)
        await made.change(RIGHT)
        yield made
