"""What was posted into a channel is for the least of those who read there, whoever of them changed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.offers import Wish
from bot.rechecking import Cause, What
from bot.sandbox.slack.channels import HIRING_ID
from storage.records import Person
from storage.sharing import Level
from tests.integration.sharing.conftest import KENJI, MARTA, TO_HIRING

if TYPE_CHECKING:
    from tests.integration.sharing.conftest import Office

HIRING = Person(MARTA.workspace, HIRING_ID)


async def test_a_reader_who_becomes_a_guest_takes_whole_messages_out_of_the_channel(office: Office) -> None:
    """They stay in the channel, so nothing tells of it but the event about them."""
    share = await office.opened(Wish(office.mailbox_id, (TO_HIRING,), Level.OPEN))
    office.clock.now += timedelta(seconds=10)
    entry_id = await office.copy(await office.message(), HIRING, share)
    await office.copies.note_level(entry_id, Level.OPEN)
    await office.rechecker.patrol()
    assert len(await office.copies.of_viewer(HIRING)) == 1

    office.sandbox.workspace.set_role(KENJI.user, "single_channel_guest")
    await office.settle("event", Cause(What.USER, KENJI.user))

    assert await office.copies.of_viewer(HIRING) == []
