"""People are told of what changes for them: once, in words, with what leads on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.sandbox.slack.people import TEAM_ID
from bot.slack import names
from storage.records import Person
from storage.sharing import Audience, AudienceKind, Level
from tests.integration.delivery.copying import AISHA, HIRING, KENJI, Copying

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk


@pytest.fixture
async def copying(desk: Desk) -> Copying:
    """Sharing in place."""
    return await Copying.at(desk)


async def test_a_viewer_is_told_what_is_shared_with_them(copying: Copying) -> None:
    """By whom, of which mailbox, how much; with the button that shows it."""
    await copying.share_with_viewer()

    await copying.deliver()

    (post,) = await copying.seen_by(KENJI)
    assert post["text"].startswith("<@U0MARTA004> shares the mailbox “Work” with you.")
    assert post["blocks"][0]["accessory"]["action_id"] == names.SHARED_LIST


async def test_a_viewer_is_told_once_of_the_end(copying: Copying) -> None:
    """Ended twice, told once."""
    share = await copying.share_with_viewer()
    await copying.deliver()

    await copying.end(share)
    await copying.end(share)
    await copying.deliver()

    (_, ended) = await copying.seen_by(KENJI)
    assert "is no longer shared with you" in ended["text"]


async def test_what_ended_before_it_was_told_is_not_announced(copying: Copying) -> None:
    """Nobody is told of a share that they cannot see any more."""
    share = await copying.share_with_viewer()
    await copying.end(share)

    await copying.deliver()

    assert ["shares" in post["text"] for post in await copying.seen_by(KENJI)] == [False]


async def test_a_channel_is_told_in_the_channel(copying: Copying) -> None:
    """One post for all, and none in anybody's own DM."""
    await copying.share_with_channel()

    await copying.deliver()

    (post,) = await copying.seen_by(AISHA, HIRING)
    assert "with this channel" in post["text"]
    assert await copying.seen_by(AISHA) == []


async def test_a_group_is_not_told_person_by_person(copying: Copying) -> None:
    """They find it under what is shared with them."""
    await copying.share(Audience(AudienceKind.ROLE, "member"))

    await copying.deliver()

    assert await copying.seen_by(KENJI) == []


async def test_an_owner_is_told_of_a_share_that_was_cut(copying: Copying) -> None:
    """With whom it was, and what is left of it."""
    share = await copying.share_with_viewer()

    await copying.shares.cut(share.id, Level.SEE, copying.desk.clock())
    await copying.deliver()

    (said,) = [post["text"] for post in await copying.desk.posts()]
    assert said.startswith(f"Your share of the mailbox “Work” with <@{KENJI}> is now “See”")


async def test_a_telling_outlives_its_mailbox(copying: Copying) -> None:
    """Removed before it was said: it is said without the name."""
    share = await copying.share_with_viewer()
    await copying.deliver()
    await copying.end(share)
    mailbox = copying.desk.claim.mailbox
    await copying.desk.stores.holdings.remove(mailbox.owner, mailbox.id, copying.desk.clock())

    await copying.deliver()

    texts = [post["text"] for post in await copying.seen_by(KENJI)]
    assert texts[-1].startswith("A mailbox is no longer shared with you.")


async def test_a_channel_that_is_closed_is_told_nothing(copying: Copying) -> None:
    """What cannot be said there is given up at once, and held up by nothing."""
    await copying.share(Audience(AudienceKind.CHANNEL, HIRING))

    await copying.deliver()

    assert await copying.desk.stores.outbox.waiting(Person(TEAM_ID, HIRING)) == {}
    assert (await copying.desk.stores.outbox.depth()).entries == 0
