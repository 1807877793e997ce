"""The posts about mail that is sent follow what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.outgoing_posts import MOST_AT_ONCE
from bot.sandbox.slack.faults import Fault
from storage.errors import NotFound
from storage.records import Notice, Secret
from storage.sending import OutgoingState
from storage.sending_tables import OutgoingPostRow, OutgoingRow
from storage.sharing import Level
from storage.statements import plain, update_rows
from tests.fakes.smtp_server import TAKEN_UNANSWERED
from tests.integration.storage.stores import LEASE
from tests.integration.submitting.conftest import ADA, RIGHT
from tests.integration.viewing.conftest import KENJI, MARTA

if TYPE_CHECKING:
    from tests.integration.submitting.conftest import Office


def updates(office: Office) -> int:
    """How often a post was changed, as Slack counts."""
    calls = office.hall.sandbox.calls.shown()
    return sum(call["method"] == "chat.update" for call in calls)


async def test_a_post_says_how_far_it_is_once_each_time(office: Office) -> None:
    """Will be sent, then sent; and what was told is not told again."""
    await office.write(undo=10)
    await office.post()
    await office.posts.tell()
    assert office.reads(MARTA)[-1].startswith(
        "E-mail to ada@elsewhere.example. Plan: Will be sent in a moment."
    )
    office.hall.clock.push(seconds=10)
    before = updates(office)

    await office.bring()
    for _ in range(3):
        await office.posts.tell()

    assert "Plan: Sent " in office.reads(MARTA)[-1]
    assert updates(office) - before == 1


async def test_posts_that_do_not_open_hold_up_no_others(office: Office) -> None:
    """However many they are: the others follow all the same."""
    for _ in range(MOST_AT_ONCE + 2):
        await office.write(undo=60)
    await office.write(undo=10)
    await office.post()
    broken: Any = {"letter": b"broken"}
    async with office.hall.stores.database.write() as session:
        first = plain(OutgoingRow).c.due_at > office.hall.clock() + timedelta(seconds=30)
        await update_rows(session, OutgoingRow, first, broken)
        await update_rows(session, OutgoingPostRow, plain(OutgoingPostRow).c.told >= 0, {"changes": 5})
    office.hall.clock.push(seconds=10)

    await office.bring()
    for _ in range(3):
        await office.posts.tell()

    assert "Plan: Sent " in office.reads(MARTA)[-1]


async def test_both_posts_follow(office: Office) -> None:
    """The sender's and the owner's."""
    await office.hall.share(Level.REPLY)
    office.server.ending = TAKEN_UNANSWERED
    await office.write(actor=KENJI, undo=10)
    await office.post()
    office.hall.clock.push(seconds=10)

    await office.bring()
    await office.posts.tell()

    for person in (MARTA, KENJI):
        assert "Plan: It is not known" in office.reads(person)[-1]


async def test_a_bad_end_calls_its_sender_once(office: Office) -> None:
    """A post that is changed notifies nobody; a new one does, also where somebody writes for the owner."""
    await office.hall.share(Level.REPLY)
    office.server.recipients[ADA] = b"550 5.1.1 no such user\r\n"
    await office.write(actor=KENJI)

    await office.bring()
    await office.post()

    assert [text for text in office.reads(KENJI) if text.startswith("Your e-mail “Plan” was not sent.")]
    assert not [text for text in office.reads(MARTA) if text.startswith("Your e-mail")]


async def test_what_is_sent_again_meanwhile_is_no_news(office: Office) -> None:
    """The sender has seen it before the news went out."""
    office.server.ending = TAKEN_UNANSWERED
    mail = await office.write()
    await office.bring()
    await office.outgoings.send_again(MARTA, mail.id, office.hall.clock(), lambda _: True)

    with pytest.raises(NotFound, match="meanwhile"):
        await office.post()


async def test_undone_is_said_too(office: Office) -> None:
    """By whoever pressed the button."""
    mail = await office.write(undo=10)
    await office.post()

    await office.outgoings.undo(MARTA, mail.id, office.hall.clock())
    await office.posts.tell()

    assert "Plan: Not sent: it was undone." in office.reads(MARTA)[-1]


@pytest.mark.parametrize("kind", ["drop", "status", "rate_limited"])
async def test_a_change_that_slack_does_not_take_is_made_up_for(office: Office, kind: str) -> None:
    """By the next look, once Slack may be asked again."""
    mail = await office.write(undo=10)
    await office.post()
    await office.posts.tell()
    office.hall.sandbox.faults.add(Fault("chat.update", kind, status=503))

    await office.outgoings.undo(MARTA, mail.id, office.hall.clock())
    await office.posts.tell()
    before = office.reads(MARTA)[-1]
    office.hall.clock.push(seconds=60)
    await office.posts.tell()

    assert "Will be sent" in before
    assert "undone" in office.reads(MARTA)[-1]


async def test_a_post_that_was_deleted_is_let_be(office: Office) -> None:
    """Nobody asks Slack about it for ever."""
    mail = await office.write(undo=10)
    await office.post()
    await office.posts.tell()
    dm = office.hall.sandbox.workspace.dm(MARTA.user)
    await office.slack.delete_post(dm.id, next(reversed(dm.posts)))

    await office.outgoings.undo(MARTA, mail.id, office.hall.clock())
    await office.posts.tell()
    before = updates(office)
    await office.posts.tell()

    assert updates(office) == before
    assert await office.entries.behind(10) == ([], "")


async def test_what_was_mended_meanwhile_is_not_told(office: Office) -> None:
    """The owner reads of a refused password only while it is refused."""
    await office.change(replace(RIGHT, outgoing=Secret("old")))
    mail = await office.write()
    await office.bring()
    assert await office.state(mail) is OutgoingState.HELD
    await office.change(RIGHT)

    outbox = office.hall.stores.outbox
    (dm,) = await outbox.claim_due(office.hall.clock(), lease=LEASE, worker="poster", limit=10)
    entry = await outbox.head(dm)
    while entry is not None and entry.notice is not Notice.OUTGOING_REFUSED:
        await outbox.record(dm, replace(entry, state="given_up"), now=office.hall.clock())  # type: ignore[arg-type] # its word
        entry = await outbox.head(dm)

    assert entry is not None
    with pytest.raises(NotFound, match="mended"):
        await office.posts.rendered(entry)


async def test_the_alarm_says_that_it_is_over(office: Office) -> None:
    """Once the password is mended it has no button any more; refused again, that is a new post."""
    await office.change(replace(RIGHT, outgoing=Secret("old")))
    mails = [await office.write() for _ in range(2)]
    await office.bring()
    await office.post()
    (alarm,) = alarms(office)
    assert "actions" in str(alarm.blocks)

    await office.change(RIGHT)
    await office.bring()
    await office.posts.tell()

    (alarm,) = alarms(office)
    assert "works again" in alarm.text
    assert "actions" not in str(alarm.blocks)
    await office.change(replace(RIGHT, outgoing=Secret("old")))
    await office.bring()
    await office.post()
    before = updates(office)
    await office.posts.tell()
    again, over = sorted(alarms(office), key=lambda post: "works again" in post.text)
    assert "refuses" in again.text
    assert "works again" in over.text
    assert updates(office) - before <= len(mails)


async def test_the_alarm_of_a_mailbox_without_an_outgoing_server_says_that(office: Office) -> None:
    """Nothing works again there."""
    await office.change(replace(RIGHT, outgoing=Secret("old")))
    await office.write()
    await office.bring()
    await office.post()

    await office.change(RIGHT, only_receives=True)
    await office.posts.tell()

    (alarm,) = alarms(office)
    assert "only receives by now" in alarm.text


def alarms(office: Office) -> list[Any]:
    """The posts that tell of a refused password, or that it is over."""
    posts = office.hall.sandbox.workspace.dm(MARTA.user).posts.values()
    words = ("refuses the user name", "works again", "only receives")
    return [post for post in posts if any(each in post.text for each in words)]
