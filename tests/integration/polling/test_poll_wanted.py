"""Messages that their owner wants whole, looked for on the server by the next polls."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from storage.originals import Originals
from storage.records import Notice, Shape
from storage.wishes import OriginalState

if TYPE_CHECKING:
    from storage.records import Entry, Mailbox
    from tests.integration.polling.conftest import Desk

LARGE = "x" * 70 + "\r\n"


async def want(desk: Desk, mailbox: Mailbox, post: Entry) -> OriginalState:
    """Press "Get the whole message"."""
    originals = Originals(desk.stores.database)
    return (await originals.want(mailbox, post.message_id or "", desk.clock(), again=True)).state


async def came(desk: Desk) -> tuple[OriginalState, bytes]:
    """What the next thing owed brings: its state, and the octets of its message."""
    (entry,) = await desk.settle()
    assert entry.notice is Notice.ORIGINAL
    original = await Originals(desk.stores.database).brought_by(entry.id)
    return original.state, (await desk.stores.messages.load(original.message_id))[1]


async def test_a_large_message_comes_whole_once(desk: Desk) -> None:
    """Its card stays what it is; the next poll fetches it whatever its size, and no later one again."""
    mailbox = await desk.add()
    desk.send("large", body=LARGE * 4000)
    desk.send("small")
    await desk.poll()
    card, _ = await desk.settle()
    assert card.message_id is not None
    assert (await desk.stores.messages.load(card.message_id))[0].shape is Shape.TOP

    assert await want(desk, mailbox, card) is OriginalState.ASKED
    await desk.poll()
    state, octets = await came(desk)
    await desk.poll()

    assert state is OriginalState.HERE
    assert octets.count(b"x" * 70) == 4000
    assert await desk.settle() == []
    assert set(desk.drop.counters.retr.values()) == {1}


async def test_a_message_past_its_time_is_fetched_again(desk: Desk) -> None:
    """Found by its UID in a whole listing, although nothing new came."""
    mailbox = await desk.add()
    desk.send("old")
    await desk.poll()
    (post,) = await desk.settle()
    await desk.poll()
    await desk.stores.messages.purge(desk.clock() + timedelta(days=31), timedelta(days=30))

    assert await want(desk, mailbox, post) is OriginalState.ASKED
    await desk.poll()
    state, octets = await came(desk)

    assert state is OriginalState.HERE
    assert b"Subject: old" in octets


async def test_a_message_the_server_lost_is_said_to_be_gone(desk: Desk) -> None:
    """Another program deleted it; the thread gets a sentence."""
    mailbox = await desk.add()
    desk.send("large", body=LARGE * 4000)
    await desk.poll()
    (card,) = await desk.settle()
    desk.drop.expunge([mail.uid for mail in desk.drop.mails])

    await want(desk, mailbox, card)
    await desk.poll()

    assert (await came(desk))[0] is OriginalState.GONE


async def test_another_message_under_its_uid_is_not_taken_for_it(desk: Desk) -> None:
    """A server that gives the UID away brings nothing wrong into the thread."""
    mailbox = await desk.add()
    desk.send("mine")
    await desk.poll()
    (post,) = await desk.settle()
    await desk.stores.messages.purge(desk.clock() + timedelta(days=31), timedelta(days=30))
    (mail,) = desk.drop.mails
    desk.drop._mails[mail.uid] = replace(mail, octets=b"Subject: somebody else's\r\n\r\nSecret.\r\n")

    await want(desk, mailbox, post)
    await desk.poll()

    (entry,) = await desk.settle()
    assert (await Originals(desk.stores.database).brought_by(entry.id)).state is OriginalState.GONE


async def test_a_message_over_every_limit_stays_on_the_server(desk: Desk) -> None:
    """It is said once, and the mail beside it comes as ever."""
    mailbox = await desk.add()
    desk.send("huge", body=LARGE * 8000)
    await desk.poll()
    (card,) = await desk.settle()

    await want(desk, mailbox, card)
    desk.send("new")
    await desk.poll()

    entries = await desk.settle()
    assert [entry.notice for entry in entries] == [None, Notice.ORIGINAL]
    original = await Originals(desk.stores.database).brought_by(entries[1].id)
    assert original.state is OriginalState.TOO_LARGE
