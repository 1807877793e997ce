"""A mailbox that sends, with the steps that most tests about that begin with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlmodel import select

from storage.clues import Clues
from storage.outgoing import Outgoings
from storage.outgoing_posts import OutgoingPosts
from storage.records import EntryState, Person
from storage.sending import (
    Letter,
    NewOutgoing,
    OutgoingState,
    Recipient,
    RecipientField,
    RecipientState,
    Tried,
    Trouble,
)
from storage.submissions import Submissions
from storage.tables import EntryRow
from tests.integration.storage.stores import LATER, LEASE, NEW, NOW, OWNER, Stores

if TYPE_CHECKING:
    from datetime import datetime

    from storage.database import Database
    from storage.records import Claim, Mailbox
    from storage.sending import Outgoing, Submission
    from storage.vault import Vault

ACTOR: Final = Person("T1", "U7")
UNDO: Final = timedelta(seconds=10)
DUE: Final = NOW + UNDO
ADA: Final = Recipient("ada@y.example", RecipientField.TO)
BOB: Final = Recipient("bob@z.example", RecipientField.BCC)
LETTER: Final = Letter(
    message_id="<m1@example.org>",
    sender="anna@example.org",
    recipients=(ADA, BOB),
    subject="Lunch",
    text="At noon?",
    files=("menu.pdf",),
    draft='{"to": "ada@y.example"}',
)
NEW_MAIL: Final = NewOutgoing(
    mailbox_id="",
    actor=OWNER,
    form_id="f1",
    answers=None,
    letter=LETTER,
    octets=b"Subject: Lunch\r\n\r\nAt noon?\r\n",
    clues=Clues("m1@example.org", (), "lunch", ("ada@y.example", "bob@z.example"), is_answer=False),
    undo=UNDO,
)


def anybody(_: object) -> bool:
    """A judge who lets everybody."""
    return True


def nobody(_: object) -> bool:
    """A judge who lets nobody."""
    return False


def answered(state: RecipientState, *recipients: Recipient, code: int = 0) -> tuple[Recipient, ...]:
    """Recipients of whom the server said the same."""
    return tuple(replace(each, state=state, code=code) for each in recipients)


TAKEN: Final = answered(RecipientState.TAKEN, ADA, BOB)
SENT: Final = Tried(OutgoingState.SENT, TAKEN)
HELD: Final = Tried(
    OutgoingState.HELD, (ADA, BOB), trouble=Trouble.LOGIN_REFUSED, said="The login was refused."
)


@dataclass(frozen=True)
class Scene:
    """The stores of mail that is sent, and one mailbox."""

    stores: Stores
    vault: Vault
    mailbox: Mailbox
    claim: Claim
    outgoings: Outgoings
    submissions: Submissions
    posts: OutgoingPosts

    @classmethod
    async def on(cls, stores: Stores, vault: Vault) -> Scene:
        """With a mailbox that is polled."""
        claim = await stores.claimed(NEW)
        database = stores.database
        return cls(
            stores,
            vault,
            claim.mailbox,
            claim,
            Outgoings(database, vault),
            Submissions(database, vault),
            OutgoingPosts(database, vault),
        )

    @property
    def database(self) -> Database:
        """Where all of it stands."""
        return self.stores.database

    def new(self, form_id: str = "f1", **changes: Any) -> NewOutgoing:
        """A mail of the mailbox; each form has a Message-ID of its own."""
        letter = changes.pop("letter", replace(LETTER, message_id=f"<{form_id}@example.org>"))
        clues = changes.pop("clues", replace(NEW_MAIL.clues, own_id=f"{form_id}@example.org"))
        return replace(
            NEW_MAIL, mailbox_id=self.mailbox.id, form_id=form_id, letter=letter, clues=clues, **changes
        )

    async def save(self, form_id: str = "f1", now: datetime = NOW, **changes: Any) -> Outgoing:
        """Save such a mail."""
        return await self.outgoings.save(self.new(form_id, **changes), now, anybody)

    async def claim_all(self, now: datetime = DUE, worker: str = "w1", **more: Any) -> list[Submission]:
        """Claim what is due."""
        return await self.submissions.claim_due(now, lease=LEASE, worker=worker, limit=10, **more)

    async def claimed(self, now: datetime = DUE) -> Submission:
        """Claim the one mail that is due."""
        (submission,) = await self.claim_all(now)
        return submission

    async def intended(self, form_id: str = "f1") -> Submission:
        """Save a mail, and bring it to where its last dot goes out."""
        await self.save(form_id)
        submission = await self.claimed()
        await self.submissions.intend(submission, DUE, anybody)
        return submission

    async def sent(self, form_id: str = "f1", tried: Tried = SENT) -> Outgoing:
        """Send a mail."""
        return await self.submissions.settle(await self.intended(form_id), tried, DUE)

    async def posted(self, person: Person = OWNER) -> None:
        """Bring what is owed to a person's DM to Slack; everybody else's stays."""
        dms = await self.stores.outbox.claim_due(LATER, lease=LEASE, worker="poster", limit=10)
        for dm in dms:
            while dm.owner == person and (entry := await self.stores.outbox.head(dm)) is not None:
                ts = f"{1_000 + entry.order}.000100"
                done = replace(entry, state=EntryState.SETTLED, channel=f"D{person.user}", ts=ts)
                dm = await self.stores.outbox.record(dm, done, now=NOW)  # noqa: PLW2901 - the same, a step on
            await self.stores.outbox.release(dm)

    async def entries(self, person: Person = OWNER) -> list[EntryRow]:
        """All entries that are or were owed to a person, in order."""
        query = select(EntryRow).where(EntryRow.owner == person.user).order_by(EntryRow.number)  # type: ignore[arg-type] # a column
        async with self.database.read() as session:
            return list((await session.exec(query)).all())
