"""What owners do with their messages beyond the post, through the use case and real render children."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import NoConversation, NoSender, NoSuchMailbox, NoSuchMessage, NoSuchRule, NotKept, NotShown
from bot.mail.frames import Mode
from bot.pace import Pace
from bot.reading import Reading
from bot.rules import Muting
from storage.marks import Marks
from storage.originals import Originals
from storage.records import EntryState, Shape
from storage.rules import Rules
from storage.wishes import OriginalState
from tests.fakes.block_rules import visible
from tests.fakes.clock import Clock
from tests.integration.one_database import database_url  # noqa: F401 - a fixture
from tests.integration.storage.stores import OWNER, STRANGER, Stores

if TYPE_CHECKING:
    from pathlib import Path

    from bot.mail.renderer import Renderer
    from storage.database import Database
    from storage.records import Claim
    from storage.vault import Vault

MAIL = b"From: Ada <Ada@Example.org>\r\nSubject: Plans\r\n\r\nHello.\r\n\r\n> quoted\r\n"
PACE = Pace(timedelta(minutes=5), timedelta(minutes=30), timedelta(0))


@dataclass
class Desk:
    """One mailbox, and what its owner may do with a message of it."""

    stores: Stores
    claim: Claim
    reading: Reading
    muting: Muting
    clock: Clock
    nudges: list[None]

    async def posted(self, octets: bytes = MAIL, shape: Shape = Shape.WHOLE) -> str:
        """The id of a message in Slack."""
        assert await self.stores.keep(self.claim, b"u1", octets, shape=shape, now=self.clock())
        dm = await self.stores.dm(self.clock())
        entry = await self.stores.head(dm)
        done = replace(entry, state=EntryState.SETTLED, channel="D1", ts="1.1")
        await self.stores.outbox.record(dm, done, now=self.clock())
        return entry.message_id or ""

    async def purge(self) -> None:
        """Thirty days go by."""
        await self.stores.messages.purge(self.clock() + timedelta(days=31), timedelta(days=30))


@pytest.fixture
async def desk(database: Database, vault: Vault, tmp_path: Path, lasting_renderer: Renderer) -> Desk:
    """A desk without a message."""
    stores, clock, nudges = Stores.on(database, vault, tmp_path), Clock(), list[None]()
    reading = Reading(
        stores.mailboxes,
        stores.messages,
        Marks(database),
        Originals(database),
        lasting_renderer,
        bounds=lambda _: PACE,
        clock=clock,
        nudge=lambda: nudges.append(None),
    )
    muting = Muting(Rules(database, vault), stores.conversations, clock=clock)
    return Desk(stores, await stores.claimed(now=clock()), reading, muting, clock, nudges)


async def test_text_headers_and_label_are_read_from_the_sealed_octets(desk: Desk) -> None:
    """Quotes are unfolded, header fields named, the sender's address made comparable."""
    message_id = await desk.posted()

    text = await desk.reading.page(OWNER, message_id, Mode.TEXT, 0)
    fields = await desk.reading.page(OWNER, message_id, Mode.FIELDS, 0)
    mailbox_id, label = await desk.reading.label(OWNER, message_id)

    assert "quoted" in visible(text.blocks)
    assert "Subject: Plans" in visible(fields.blocks)
    assert (mailbox_id, label.text, label.sender) == (
        desk.claim.mailbox.id,
        "Ada: Plans",
        "ada@example.org",
    )


async def test_somebody_else_reads_and_changes_nothing(desk: Desk) -> None:
    """Each call says what it says of a message that was never there."""
    message_id, reading = await desk.posted(), desk.reading

    for call in (
        reading.page(STRANGER, message_id, Mode.TEXT, 0),
        reading.label(STRANGER, message_id),
        reading.original(STRANGER, message_id),
        reading.mark(STRANGER, message_id, is_done=True),
        reading.standing(OWNER, "none"),
    ):
        with pytest.raises(NoSuchMessage):
            await call
    with pytest.raises(NoSuchMailbox):
        await reading.newest_open(STRANGER, desk.claim.mailbox.id)


async def test_past_its_time_a_message_is_not_shown_and_asked_for(desk: Desk) -> None:
    """The use case says which; the wish makes the mailbox due and is told to whoever polls."""
    message_id = await desk.posted()
    await desk.purge()

    with pytest.raises(NotKept):
        await desk.reading.page(OWNER, message_id, Mode.TEXT, 0)
    mailbox, original = await desk.reading.original(OWNER, message_id)

    assert original.state is OriginalState.ASKED
    assert mailbox.due_at is not None
    assert desk.nudges


async def test_of_a_message_that_is_not_whole_only_the_header_is_shown(desk: Desk) -> None:
    """Its text is in the thread, once the whole message was wanted."""
    message_id = await desk.posted(shape=Shape.TOP)

    with pytest.raises(NotShown):
        await desk.reading.page(OWNER, message_id, Mode.TEXT, 0)

    fields = await desk.reading.page(OWNER, message_id, Mode.FIELDS, 0)
    assert "Subject: Plans" in visible(fields.blocks)


async def test_what_is_not_done_is_named_while_its_octets_are_kept(desk: Desk) -> None:
    """Afterwards its post is still listed, without a name."""
    await desk.posted()

    _, before = await desk.reading.newest_open(OWNER, desk.claim.mailbox.id)
    await desk.purge()
    _, after = await desk.reading.newest_open(OWNER, desk.claim.mailbox.id)

    assert [mail.label for mail in before] == ["Ada: Plans"]
    assert [mail.label for mail in after] == [None]


async def test_muting_takes_a_sender_and_a_conversation(desk: Desk) -> None:
    """A mail that names no sender, or belongs to no conversation, cannot be muted, and the reason is said."""
    message_id = await desk.posted(b"Subject: nobody's\r\n\r\nHello.\r\n")
    mailbox_id, label = await desk.reading.label(OWNER, message_id)

    with pytest.raises(NoSender):
        await desk.muting.mute_sender(OWNER, mailbox_id, label)
    with pytest.raises(NoConversation):
        await desk.muting.mute_thread(OWNER, mailbox_id, message_id, label)
    rule = await desk.muting.mute_sender(OWNER, mailbox_id, replace(label, sender="a@b.example"))
    await desk.muting.remove(OWNER, rule.id)
    with pytest.raises(NoSuchRule):
        await desk.muting.remove(OWNER, rule.id)
