"""All stores on one database, with the steps that most tests begin with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from storage.attempts import Attempts
from storage.conversations import Conversations
from storage.digests import Digests
from storage.holdings import Holdings
from storage.mailboxes import Mailboxes
from storage.messages import Messages
from storage.outbox import Outbox
from storage.records import (
    Claim,
    Dm,
    Entry,
    Health,
    Mailbox,
    NewMailbox,
    Passwords,
    Person,
    PollResult,
    Profile,
    Retention,
    Secret,
    Security,
    ServerAddress,
    Shape,
)
from storage.zones import Zones

if TYPE_CHECKING:
    from pathlib import Path

    from storage.database import Database
    from storage.vault import Vault

NOW: Final = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=1)
EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""For all that is due at any time."""
LEASE: Final = timedelta(minutes=2)
OWNER: Final = Person("T1", "U1")
STRANGER: Final = Person("T1", "U2")
PROFILE: Final = Profile(
    name="Work",
    address="anna@example.org",
    incoming=ServerAddress("pop.example.org", 995, Security.TLS),
    username="anna",
    outgoing=ServerAddress("smtp.example.org", 587, Security.STARTTLS),
    outgoing_username="anna-out",
)
PASSWORDS: Final = Passwords(Secret("pässword"), Secret("out"))
NEW: Final = NewMailbox(
    owner=OWNER,
    profile=PROFILE,
    passwords=PASSWORDS,
    retention=Retention.DELETE_POSTED,
    delete_days=None,
    skip=(),
    old=(),
    make_active=True,
    form_id="form-1",
)
OK: Final = PollResult(
    health=Health.OK,
    due_at=LATER,
    failures=0,
    polled_at=NOW,
    last_success_at=NOW,
    last_mail_at=None,
    watched=timedelta(0),
    tail=None,
    listed_at=NOW,
    listed=0,
    capabilities=None,
    one_by_one=False,
    notice=None,
)


@dataclass(frozen=True)
class Stores:
    """The stores under test."""

    database: Database
    mailboxes: Mailboxes
    messages: Messages
    outbox: Outbox
    holdings: Holdings
    attempts: Attempts
    digests: Digests
    zones: Zones
    conversations: Conversations

    @classmethod
    def on(cls, database: Database, vault: Vault, folder: Path) -> Stores:
        """Stores on this database."""
        messages = Messages(database, vault, folder / "spool")
        return cls(
            database,
            Mailboxes(database, vault),
            messages,
            Outbox(database),
            Holdings(database, vault),
            Attempts(database, vault),
            Digests(database, vault),
            Zones(database),
            Conversations(database, vault),
        )

    async def claimed(self, new: NewMailbox = NEW, now: datetime = NOW) -> Claim:
        """Add a mailbox and claim it."""
        await self.mailboxes.add(new, now)
        return await self.claim(now)

    async def claim(self, now: datetime = NOW) -> Claim:
        """Claim the one mailbox that is due."""
        (claim,) = await self.mailboxes.claim_due(now, lease=LEASE, worker="poller", limit=10)
        return claim

    async def keep(
        self, claim: Claim, uid: bytes, octets: bytes = b"Subject: x\r\n\r\nbody\r\n", **kw: Any
    ) -> bool:
        """Keep a message of these octets."""
        spool = self.messages.spool(claim)
        try:
            await spool.write(octets)
            settings = {"shape": Shape.WHOLE, "listed_octets": len(octets), "now": NOW, **kw}
            return await self.messages.keep(claim, uid, spool, **settings)
        finally:
            await spool.close()

    async def dm(self, now: datetime = NOW) -> Dm:
        """Claim the one DM that is due."""
        (dm,) = await self.outbox.claim_due(now, lease=LEASE, worker="poster", limit=10)
        return dm

    async def head(self, dm: Dm) -> Entry:
        """The DM's oldest entry, which must be there."""
        entry = await self.outbox.head(dm)
        assert entry is not None
        return entry

    async def mailbox(self, mailbox_id: str, owner: Person = OWNER) -> Mailbox:
        """A mailbox as stored."""
        return await self.mailboxes.get(owner, mailbox_id)
