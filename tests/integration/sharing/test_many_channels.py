"""Where mail is shared into more channels than Slack tells of in a minute, the look at everything is done all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.offers import Wish
from bot.rechecking import EVERYTHING
from bot.sandbox.slack import channel_changes
from bot.sandbox.slack.limits import Rate
from bot.sandbox.slack.people import BOT_USER_ID
from storage.records import Person
from storage.sharing import Audience, AudienceKind, Level
from tests.integration.sharing.conftest import DAY, KENJI, MARTA

if TYPE_CHECKING:
    from tests.integration.sharing.conftest import Office

CHANNELS: Final = 12
A_MINUTE: Final = 5
MINUTE: Final = timedelta(seconds=61)


async def shared_widely(office: Office) -> list[Audience]:
    """Marta's mailbox is shared into private channels that Kenji is in, and a whole message stands in each."""
    rooms = [
        channel_changes.create(office.sandbox, f"room-{number}", is_private=True)
        for number in range(CHANNELS)
    ]
    for room in rooms:
        for user in (BOT_USER_ID, MARTA.user, KENJI.user):
            channel_changes.join(office.sandbox, office.sandbox.workspace.channels[room], user)
    audiences = [Audience(AudienceKind.CHANNEL, room) for room in rooms]
    shares = await office.sharing.open(MARTA, Wish(office.mailbox_id, tuple(audiences), Level.OPEN))
    office.clock.now += timedelta(seconds=10)
    message = await office.message()
    for share in shares:
        entry = await office.copy(message, Person(MARTA.workspace, share.audience.id), share)
        await office.copies.note_level(entry, Level.OPEN)
    return audiences


def limited(office: Office) -> None:
    """From now on Slack tells of so many channels a minute; what was asked before is a day old."""
    office.clock.now += DAY
    office.sandbox.limits.enabled = True
    for method in ("conversations.info", "conversations.members"):
        office.sandbox.limits.rates[method] = Rate(A_MINUTE, A_MINUTE / 60)


def asked(office: Office) -> int:
    """How often Slack was asked about a channel."""
    return sum(call["method"].startswith("conversations.") for call in office.sandbox.calls.shown())


async def minutes(office: Office, count: int) -> None:
    """They pass."""
    for _ in range(count):
        await office.rechecker.patrol()
        office.clock.now += MINUTE


async def test_a_role_that_no_event_told_of_is_found_in_every_channel_within_minutes(office: Office) -> None:
    """Kenji is a guest now: whole messages go out of all the channels he reads, the shares stay."""
    audiences = await shared_widely(office)
    limited(office)
    office.sandbox.workspace.set_role(KENJI.user, "single_channel_guest")

    await minutes(office, 5)

    assert await office.copies.of_mailbox(office.mailbox_id) == []
    assert set(await office.in_force()) == set(audiences)


async def test_the_nightly_look_asks_for_no_channel_that_has_its_turns(office: Office) -> None:
    """And so is done at once, whatever Slack's limits are."""
    await shared_widely(office)
    limited(office)
    await minutes(office, 5)
    office.sandbox.workspace.set_role(KENJI.user, "single_channel_guest")

    before = asked(office)

    await office.rechecker.recheck(EVERYTHING)

    assert asked(office) == before
    assert await office.copies.of_mailbox(office.mailbox_id) == []
