"""Which mails of a mailbox belong together, as the store remembers it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import text

from storage.clues import Clues
from storage.conversations import KEPT, SUBJECT_COUNTS, Conversations
from storage.database import Database
from storage.errors import NotFound, StorageBusy
from storage.records import EntryState
from tests.integration.storage.stores import NEW, NOW, OWNER, Stores
from tests.integration.storage.test_storage_busy import locked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from storage.records import Claim, Entry
    from storage.vault import Vault


def mail(own_id: str, *refers_to: str, **more: Any) -> Clues:
    """What a mail from Ada about lunch tells, but for these."""
    told = {"subject": "lunch", "people": ("ada@x",), "is_answer": bool(refers_to), **more}
    return Clues(own_id=own_id, refers_to=refers_to, **told)


@dataclass
class Box:
    """One mailbox whose mail is posted as it comes."""

    stores: Stores
    claim: Claim
    count: int = 0

    async def come(self, clues: Clues, now: datetime = NOW, state: EntryState = EntryState.SETTLED) -> Entry:
        """One mail comes, is placed, and ends so."""
        self.count += 1
        uid = b"u%d" % self.count
        assert await self.stores.keep(self.claim, uid, uid)
        dm = await self.stores.dm(NOW)
        entry = await self.stores.head(dm)
        place = await self.stores.conversations.place(entry, clues, now)
        parent = entry.parent or place.root
        entry = replace(entry, parent=parent, conversation=place.conversation, state=EntryState.POSTING)
        dm = await self.stores.outbox.record(dm, entry, now=now, place=place)
        ts = f"{1_000 + entry.order}.000100" if state is EntryState.SETTLED else None
        entry = replace(entry, state=state, ts=ts, channel="D1")
        await self.stores.outbox.release(await self.stores.outbox.record(dm, entry, now=now))
        return entry


@pytest.fixture
async def box(stores: Stores) -> Box:
    """A mailbox to which nothing has come."""
    return Box(stores, await stores.claimed())


async def test_a_reply_goes_under_what_it_answers(box: Box) -> None:
    """By the last id it refers to that is known; a reply to the reply joins the same thread."""
    root, other = await box.come(mail("a")), await box.come(mail("b"))
    reply = await box.come(mail("c", "unknown", "a", "b"))
    again = await box.come(mail("d", "c"))

    assert [entry.parent for entry in (root, other, reply, again)] == [None, None, root.id, root.id]
    assert await box.stores.conversations.of(again.message_id or "") == root.id


async def test_the_one_that_came_late_joins_those_that_answered_it(box: Box) -> None:
    """Two replies to a mail nobody saw belong together, and that mail follows them."""
    first, second = await box.come(mail("b", "a")), await box.come(mail("c", "a"))
    late = await box.come(mail("a"))

    assert [entry.parent for entry in (first, second, late)] == [None, first.id, first.id]


@pytest.mark.parametrize(
    ("clues", "joins"),
    [
        (mail("a"), True),
        (mail("a", subject="other"), False),
        (mail("a", people=("bob@x",)), False),
        (mail("x", is_answer=True), True),
        (mail("x"), False),
        (mail("x", subject="other", is_answer=True), False),
        (mail("x", people=("bob@x",), is_answer=True), False),
        (mail("x", "unknown"), False),
        (mail("x", "a", subject="other", people=("bob@x",)), True),
    ],
)
async def test_what_joins_a_mail_and_what_does_not(box: Box, clues: Clues, *, joins: bool) -> None:
    """A copy by id and subject, an answer without ids by subject and participant, a reference by itself."""
    root = await box.come(mail("a"))

    assert (await box.come(clues)).parent == (root.id if joins else None)


async def test_an_empty_subject_joins_nothing(box: Box) -> None:
    """“Re:” alone says nothing."""
    await box.come(mail("a", subject=""))

    assert (await box.come(mail("b", subject="", is_answer=True))).parent is None


async def test_a_subject_counts_for_two_weeks_and_for_its_last_mail(box: Box) -> None:
    """The weekly “Lunch” is answered in its newest thread, and an old one not at all."""
    await box.come(mail("a"))
    second = await box.come(mail("b"))
    answer = mail("c", is_answer=True)
    entry_of_answer = await box.come(answer, NOW + SUBJECT_COUNTS)
    late = await box.come(replace(answer, own_id="d"), NOW + 2 * SUBJECT_COUNTS + timedelta(seconds=1))

    assert entry_of_answer.parent == second.id
    assert late.parent is None


async def test_a_duplicated_id_changes_nothing_of_what_is_known(box: Box) -> None:
    """A forged mail with somebody's id and other words is a post of its own, and answers find the first."""
    root = await box.come(mail("a"))
    forged = await box.come(mail("a", subject="win", people=("evil@x",)))

    assert forged.parent is None
    assert (await box.come(mail("b", "a"))).parent == root.id


async def test_two_mailboxes_with_the_same_ids_stay_apart(box: Box) -> None:
    """Of one person, too: no id leads from one into the other, and no digest of one stands in the other."""
    await box.come(mail("a"))
    await box.stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    other = Box(box.stores, await box.stores.claim())

    assert (await other.come(mail("b", "a"))).parent is None
    rows = await keys(box.stores)
    assert len({bytes(digest) for _, digest in rows}) == len(rows)


async def test_a_root_that_never_came_to_slack_is_none(box: Box) -> None:
    """The answer to a mail that was given up begins the thread, in the same conversation."""
    lost = await box.come(mail("a"), state=EntryState.GIVEN_UP)
    reply = await box.come(mail("b", "a"))
    again = await box.come(mail("c", "a"))

    assert [reply.parent, again.parent] == [None, reply.id]
    assert {reply.conversation, again.conversation} == {lost.id}


async def test_what_stands_in_another_thread_is_no_root(box: Box) -> None:
    """A reply to old mail is a post of its own; the next one goes under it."""
    old = replace(NEW, form_id="form-2", old=(b"old",))
    await box.stores.mailboxes.add(old, NOW)
    other = Box(box.stores, await box.stores.claim())
    dm = await box.stores.dm()
    notice = await box.stores.head(dm)
    posted = replace(notice, state=EntryState.SETTLED, ts="1.1", channel="D1")
    await box.stores.outbox.release(await box.stores.outbox.record(dm, posted, now=NOW))
    assert await box.stores.keep(other.claim, b"old", b"old")
    dm = await box.stores.dm()
    entry = await box.stores.head(dm)
    place = await box.stores.conversations.place(entry, mail("a"), NOW)
    entry = replace(entry, conversation=place.conversation, state=EntryState.SETTLED, ts="2.1", channel="D1")
    await box.stores.outbox.release(await box.stores.outbox.record(dm, entry, now=NOW, place=place))

    reply, again = await other.come(mail("b", "a")), await other.come(mail("c", "a"))

    assert [entry.parent, reply.parent, again.parent] == [notice.id, None, reply.id]
    assert entry.conversation == reply.conversation == again.conversation


async def test_a_mail_in_a_thread_is_not_overtaken(box: Box) -> None:
    """A reply whose post is unknown stays first in its DM, whatever comes after it."""
    root = await box.come(mail("a"))
    await box.stores.keep(box.claim, b"reply", b"reply")
    await box.stores.keep(box.claim, b"new", b"new")
    dm = await box.stores.dm()
    entry = await box.stores.head(dm)
    place = await box.stores.conversations.place(entry, mail("b", "a"), NOW)
    entry = replace(entry, parent=place.root, conversation=place.conversation, state=EntryState.POSTING)

    dm = await box.stores.outbox.record(dm, entry, now=NOW, place=place)

    head = await box.stores.head(dm)
    assert (head.id, head.parent, head.state) == (entry.id, root.id, EntryState.POSTING)


async def test_placing_writes_nothing_and_recording_it_twice_nothing_more(box: Box) -> None:
    """After a crash in between, the mail is placed anew; an intent that was recorded twice is the same."""
    await box.stores.keep(box.claim, b"u", b"u")
    dm = await box.stores.dm()
    entry = await box.stores.head(dm)
    place = await box.stores.conversations.place(entry, mail("a", "b"), NOW)
    assert await keys(box.stores) == []

    for _ in range(2):
        dm = await box.stores.outbox.record(dm, entry, now=NOW, place=place)

    assert sorted(kind for kind, _ in await keys(box.stores)) == ["own", "referred", "subject"]


async def test_what_is_a_year_old_is_forgotten(box: Box) -> None:
    """With all that finds it; a conversation that goes on is kept."""
    await box.come(mail("a", subject="old"))
    await box.come(mail("b", subject="new"))
    await box.come(mail("c", "b", subject="new"), NOW + timedelta(days=1))

    assert await box.stores.conversations.purge(NOW + KEPT) == 1
    assert await box.stores.conversations.purge(NOW + KEPT) == 0
    assert len(await keys(box.stores)) == 3


@pytest.mark.parametrize("way", ["remove", "erase"])
async def test_conversations_go_with_their_mailbox(box: Box, way: str) -> None:
    """Nothing is left by which anything could be found."""
    await box.come(mail("a", "b"))
    holdings = box.stores.holdings
    await (
        holdings.remove(OWNER, box.claim.mailbox.id, NOW)
        if way == "remove"
        else holdings.erase(OWNER, NOW, NOW)
    )

    assert await keys(box.stores) == []
    with pytest.raises(NotFound):
        await box.stores.conversations.place(_nobodys(box), mail("a"), NOW)


async def test_no_id_stands_in_the_database(box: Box) -> None:
    """Digests only: whoever has the tables cannot even try an id against them."""
    await box.come(mail("canary-own@x", "canary-ref@x", subject="canary-subject", people=("canary@x",)))

    assert "canary" not in str(await keys(box.stores))
    assert {len(digest) for _, digest in await keys(box.stores)} == {16}


async def keys(stores: Stores) -> list[tuple[str, bytes]]:
    """Kind and digest of all that finds a conversation."""
    async with stores.database.read() as session:
        rows = await (await session.connection()).execute(text("SELECT kind, digest FROM conversation_key"))
        return [(str(kind), bytes(digest)) for kind, digest in rows]


def _nobodys(box: Box) -> Any:
    return type("Gone", (), {"id": "e", "mailbox_id": box.claim.mailbox.id})


@dataclass(frozen=True)
class Busy:
    """A mail to be placed, on a database of little patience."""

    conversations: Conversations
    entry: Entry


@pytest.fixture
async def busy(database_url: str, vault: Vault, tmp_path: Path) -> AsyncIterator[Busy]:
    """One mail is kept and its DM claimed."""
    database = await Database.open(database_url, patience=timedelta(milliseconds=20))
    stores = Stores.on(database, vault, tmp_path)
    await stores.keep(await stores.claimed(), b"u1")
    yield Busy(stores.conversations, await stores.head(await stores.dm()))
    await database.close()


async def test_a_locked_database_is_busy_to_purge(busy: Busy, database_url: str) -> None:
    """While another process holds the database, forgetting waits for its next turn."""
    async with locked(database_url):
        with pytest.raises(StorageBusy):
            await busy.conversations.purge(NOW)

    await busy.conversations.purge(NOW)


BUSY_READS: Final[dict[str, Callable[[Busy], Awaitable[object]]]] = {
    "of": lambda s: s.conversations.of(s.entry.message_id or ""),
    "place": lambda s: s.conversations.place(s.entry, mail("a"), NOW),
}


@pytest.mark.parametrize("method", BUSY_READS)
async def test_a_locked_database_is_busy_to_ask(busy: Busy, database_url: str, method: str) -> None:
    """PostgreSQL's tables can be locked against reading too; SQLite's readers wait for nobody."""
    async with locked(database_url):
        if database_url.startswith("sqlite"):
            await BUSY_READS[method](busy)
        else:
            with pytest.raises(StorageBusy):
                await BUSY_READS[method](busy)
