"""What the bot posts for others than the owner: once, where it may, and no more of it than it may."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy
from sqlmodel import col

from bot.deliver import NOT_ALLOWED
from bot.sandbox.slack.people import TEAM_ID
from bot.slack import names
from storage.grants import Grants
from storage.records import EntryState, Notice, Person
from storage.sharing import (
    EVERYONE,
    Audience,
    AudienceKind,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Reach,
    Subject,
    SubjectKind,
)
from storage.sharing_tables import ShareRow
from storage.statements import plain, update_rows
from storage.tables import EntryRow
from tests.integration.delivery.conftest import MARTA
from tests.integration.delivery.copying import ADMIN, AISHA, HIRING, KENJI, VIEWER, WAREHOUSE, Copying
from tests.integration.storage.stores import OK

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk

A_FILE = (
    "MIME-Version: 1.0\r\nContent-Type: application/pdf; name=bill.pdf\r\n"
    "Content-Disposition: attachment; filename=bill.pdf\r\nContent-Transfer-Encoding: base64\r\n"
)
OWEN = "U0OWEN0007"


@pytest.fixture
async def copying(desk: Desk) -> Copying:
    """Sharing in place."""
    return await Copying.at(desk)


async def fates(copying: Copying) -> list[tuple[str, str | None]]:
    """Where the entries of copies stand, and why."""
    entry = plain(EntryRow)
    query: Any = sqlalchemy.select(entry.c.state, entry.c.error).where(entry.c.notice == "copy")
    async with copying.desk.stores.database.read() as session:
        return [tuple(row) for row in (await session.exec(query)).all()]


async def test_a_viewer_gets_the_message_once_without_the_owners_buttons(copying: Copying) -> None:
    """It says whose mailbox it is; asked for again, it is the same one."""
    share = await copying.share_with_viewer()
    await copying.desk.keep("plans", body="The secret body.")
    await copying.deliver()

    first = await copying.owe(share)
    assert await copying.owe(share) == first
    await copying.deliver()
    assert await copying.owe(share) == first

    (post,) = await copying.copies_seen()
    assert "secret body" in str(post["blocks"])
    assert post["blocks"][0]["elements"][0]["text"] == "Shared by <@U0MARTA004>"
    actions = [
        each["action_id"]
        for block in post["blocks"]
        for each in block.get("elements", ())
        if "action_id" in each
    ]
    assert actions == [names.SHARED_OPEN]


async def test_who_only_sees_gets_a_card(copying: Copying) -> None:
    """Sender, subject, date and size; nothing of the body, not in a notification either."""
    share = await copying.share_with_viewer(Level.SEE)
    await copying.desk.keep("plans", body="The secret body.", headers="To: Bo <bo@example.org>\r\n")
    await copying.deliver()
    await copying.owe(share)

    await copying.deliver()

    (post,) = await copying.copies_seen()
    assert "plans" in post["text"]
    assert "secret" not in str(post)
    assert "bo@example.org" not in str(post)
    assert "bytes" in str(post["blocks"])


async def test_files_come_with_a_copy(copying: Copying) -> None:
    """Who opens a message gets its attachments, in the thread of the copy."""
    share = await copying.share_with_viewer()
    await copying.desk.keep("bill", headers=A_FILE, body="AAAA")
    await copying.deliver()
    await copying.owe(share)

    await copying.deliver()

    assert len(await copying.copies.of_viewer(VIEWER)) == 1
    assert await copying.desk.calls("files.completeUploadExternal") == 2


async def test_a_copy_whose_share_ended_before_its_post_is_not_posted(copying: Copying) -> None:
    """Allowed when it was owed, refused when it is delivered."""
    share = await copying.share_with_viewer()
    await copying.desk.keep("plans")
    await copying.deliver()
    await copying.owe()
    async with copying.desk.stores.database.write() as session:
        this = col(ShareRow.id) == share.id
        await update_rows(session, ShareRow, this, {"ended_at": copying.desk.clock()})

    await copying.deliver()

    assert await copying.copies_seen() == []
    assert await fates(copying) == [("given_up", NOT_ALLOWED)]


async def test_mail_of_an_excluded_domain_is_not_posted(copying: Copying) -> None:
    """Decided when it is delivered, by the header of the message itself."""
    share = await copying.share_with_viewer()
    await copying.desk.keep("plans", headers="Cc: x@mail.secret.example\r\n")
    await copying.deliver()
    await copying.owe(share)
    await _exclude(copying, "secret.example")

    await copying.deliver()

    assert await copying.copies_seen() == []
    assert await fates(copying) == [("given_up", NOT_ALLOWED)]


async def _exclude(copying: Copying, domain: str) -> None:
    grant = Grant(EVERYONE, GrantKind.CHOICE, Level.MANAGE, reach=Reach.ROLES, excluded=frozenset({domain}))
    await Grants(copying.desk.stores.database).set(
        TEAM_ID, grant, ADMIN, copying.desk.clock(), lambda _: True
    )


async def test_new_mail_comes_into_a_channel_once(copying: Copying) -> None:
    """Two looks, one post, and nothing that came before the share began."""
    await copying.desk.keep("before")
    await copying.deliver()
    copying.desk.clock.ahead += timedelta(hours=1)
    await copying.share_with_channel()
    await copying.desk.keep("after")
    await copying.deliver()

    await copying.spreader.work()
    await copying.spreader.work()
    await copying.deliver()
    await copying.spreader.work()
    await copying.deliver()

    found = await copying.copies_seen(AISHA, HIRING)
    assert ["after" in str(post) for post in found] == [True]


async def test_what_its_owner_does_not_get_comes_into_no_channel(copying: Copying) -> None:
    """A message whose post is not in Slack yet waits for that."""
    await copying.share_with_channel()
    await copying.desk.keep("early")

    await copying.spreader.work()
    assert await copying.copies.of_viewer(Person(TEAM_ID, HIRING)) == []
    await copying.deliver()
    await copying.spreader.work()

    assert len(await copying.copies.of_viewer(Person(TEAM_ID, HIRING))) == 1


async def test_a_guest_in_the_channel_leaves_it_cards(copying: Copying) -> None:
    """Nobody reads in a channel more than they may: a single-channel guest sees, so all see."""
    await copying.share_with_channel(WAREHOUSE)
    await copying.desk.keep("plans", body="The secret body.")
    await copying.deliver()
    await copying.spreader.work()

    await copying.deliver()

    (post,) = await copying.copies_seen(OWEN, WAREHOUSE)
    assert "plans" in str(post)
    assert "secret" not in str(post)


async def test_a_channel_that_outsiders_joined_gets_nothing(copying: Copying) -> None:
    """Between owing and posting the channel became one shared with another organisation."""
    await copying.share_with_channel()
    await copying.desk.keep("plans")
    await copying.deliver()
    await copying.spreader.work()
    await copying.change_channel(HIRING, is_ext_shared=True)

    await copying.deliver()

    assert await copying.copies_seen(AISHA, HIRING) == []
    assert await fates(copying) == [("given_up", NOT_ALLOWED)]


async def test_a_copy_of_which_nobody_can_say_waits_and_holds_up_nothing(copying: Copying) -> None:
    """While Slack cannot be asked who somebody is, their own mail comes, and the copy a minute later."""
    share = await copying.share_with_viewer()
    await copying.desk.keep("plans")
    await copying.deliver()
    copying.desk.people.forget(user=KENJI)
    copying.desk.clock.ahead += timedelta(hours=2)
    await copying.desk.fault("users.info", "status", count=50)
    await copying.desk.fault("users.list", "status", count=50)
    await copying.owe(share)

    await copying.deliver()
    assert await copying.copies_seen() == []
    await copying.post("faults", faults=[])
    copying.desk.clock.ahead += timedelta(minutes=3)
    await copying.deliver()

    assert len(await copying.copies_seen()) == 1


@pytest.mark.parametrize("kind", ["accept_then_drop", "drop"])
async def test_a_copy_without_an_answer_comes_once(copying: Copying, kind: str) -> None:
    """The channel is looked through before anything is repeated, as a DM is."""
    await copying.share_with_channel()
    await copying.desk.keep("plans")
    await copying.deliver()
    await copying.spreader.work()
    await copying.desk.fault("chat.postMessage", kind)

    await copying.deliver()
    copying.desk.clock.ahead += timedelta(seconds=61)
    await copying.deliver()

    assert len(await copying.copies_seen(AISHA, HIRING)) == 1


async def test_a_fixed_grant_brings_mail_into_its_channel(copying: Copying) -> None:
    """Whatever the owner opened; from the time of the grant on, and each message once."""
    await copying.change_channel(HIRING, add="bot")
    audience = Audience(AudienceKind.CHANNEL, HIRING)
    subject = Subject(SubjectKind.PERSON, MARTA)
    grant = Grant(subject, GrantKind.FIXED, Level.OPEN, audience=audience, channels=ChannelReach.ANY)
    stores, clock = copying.desk.stores, copying.desk.clock
    await Grants(stores.database).set(TEAM_ID, grant, ADMIN, clock(), lambda _: True)
    await copying.desk.keep("plans")
    await stores.mailboxes.finish(copying.desk.claim, replace(OK, due_at=clock(), last_mail_at=clock()))
    await copying.deliver()

    await copying.spreader.work()
    await copying.spreader.work()
    await copying.deliver()

    assert len(await copying.copies_seen(AISHA, HIRING)) == 1


async def test_a_card_that_is_owed_still_may_be_posted(copying: Copying) -> None:
    """Before it is posted it needs no more than to be seen; afterwards as much as it shows."""
    share = await copying.share_with_viewer(Level.SEE)
    await copying.desk.keep("plans")
    await copying.deliver()
    await copying.owe(share)
    (owed,) = await copying.copies.of_viewer(VIEWER)
    assert await copying.desk.copies.allows(owed)

    await copying.shares.open(
        copying.desk.claim.mailbox.owner,
        [replace(share, level=Level.OPEN)],
        copying.desk.clock(),
        lambda _: True,
    )
    await copying.deliver()

    (posted,) = await copying.copies.of_viewer(VIEWER)
    assert posted.level is Level.OPEN
    assert await copying.desk.copies.allows(posted)
    assert not await copying.desk.copies.allows(replace(posted, to=ADMIN))


async def test_less_is_open_than_may_be_posted_already(copying: Copying) -> None:
    """A whole message without an answer, and meanwhile only a card is open: the post is called back."""
    share = await copying.share_with_channel()
    await copying.desk.keep("plans", body="The secret body.")
    await copying.deliver()
    await copying.spreader.work()
    await copying.desk.fault("chat.postMessage", "accept_then_drop")
    await copying.deliver()
    async with copying.desk.stores.database.write() as session:
        await update_rows(session, ShareRow, col(ShareRow.id) == share.id, {"level": int(Level.SEE)})

    copying.desk.clock.ahead += timedelta(seconds=61)
    await copying.deliver()
    copying.desk.clock.ahead += timedelta(seconds=61)
    await copying.withdrawing.work()

    assert await copying.copies_seen(AISHA, HIRING) == []


@pytest.mark.parametrize("is_posted", [True, False])
async def test_a_crash_around_the_post_makes_no_second_one(copying: Copying, *, is_posted: bool) -> None:
    """The intent was committed and the process died before, or behind, the call: the next life looks first."""
    await copying.share_with_channel()
    await copying.desk.keep("plans")
    await copying.deliver()
    await copying.spreader.work()
    clock, outbox = copying.desk.clock, copying.desk.stores.outbox
    dms = await outbox.claim_due(clock(), lease=timedelta(minutes=2), worker="dead", limit=10)
    dm = next(each for each in dms if each.owner.user == HIRING)
    entry = await copying.desk.stores.head(dm)
    while entry.notice is not Notice.COPY:
        await outbox.record(dm, replace(entry, state=EntryState.GIVEN_UP), now=clock())
        entry = await copying.desk.stores.head(dm)
    intent = replace(
        entry, state=EntryState.POSTING, channel=HIRING, intended_at=clock(), lookup_after=clock()
    )
    await outbox.record(dm, intent, now=clock())
    if is_posted:
        said = await copying.desk.copies.rendered(entry)
        await copying.desk.slack.post(HIRING, said.text, said.blocks, entry.id)
    await outbox.release_worker("dead")

    await copying.deliver()

    assert len(await copying.copies_seen(AISHA, HIRING)) == 1
    assert await fates(copying) == [("settled", None)]
