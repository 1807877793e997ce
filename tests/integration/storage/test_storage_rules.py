"""Rules that keep mail out of Slack, posts marked as done, messages wanted as they came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from storage.answers import Answers
from storage.errors import NotFound
from storage.marks import Marks
from storage.originals import Originals
from storage.records import Entry, EntryState, Notice, Shape
from storage.rules import Rules
from storage.wishes import OnServer, OriginalState, RuleKind
from tests.integration.storage.stores import LATER, NOW, OWNER, STRANGER, Stores

if TYPE_CHECKING:
    from storage.records import Claim
    from storage.vault import Vault

SENDER = "ada@example.org"


async def posted(stores: Stores, claim: Claim, uid: bytes = b"u1", **kw: Any) -> Entry:
    """A message in Slack."""
    assert await stores.keep(claim, uid, **kw)
    dm = await stores.dm()
    entry = await stores.head(dm)
    done = replace(entry, state=EntryState.SETTLED, channel="D1", ts=f"{entry.order}.1")
    await stores.outbox.release(await stores.outbox.record(dm, done, now=NOW))
    return done


async def test_a_rule_matches_its_own_mailbox_only(stores: Stores, vault: Vault) -> None:
    """By sender or conversation, exactly; and adding it twice makes one rule."""
    claim, rules = await stores.claimed(), Rules(stores.database, vault)
    first = await rules.add(OWNER, claim.mailbox.id, RuleKind.SENDER, SENDER, label=SENDER, now=NOW)
    again = await rules.add(OWNER, claim.mailbox.id, RuleKind.SENDER, SENDER, label="x", now=NOW)
    thread = await rules.add(OWNER, claim.mailbox.id, RuleKind.CONVERSATION, "c1", label="Lunch", now=NOW)

    assert again == first
    assert (await rules.sieve(claim.mailbox.id)).match(SENDER, None) == first.id
    assert (await rules.sieve(claim.mailbox.id)).match("bob@example.org", "c1") == thread.id
    assert (await rules.sieve(claim.mailbox.id)).match("c1", SENDER) is None
    assert (await rules.sieve(claim.mailbox.id)).match("", None) is None
    assert (await rules.sieve("another")).match(SENDER, "c1") is None
    assert [rule.label for rule in await rules.of(OWNER)] == ["Lunch", SENDER]


async def test_rules_are_their_owners_alone(stores: Stores, vault: Vault) -> None:
    """Somebody else neither sees, adds nor removes one; and nothing in the table names anybody."""
    claim, rules = await stores.claimed(), Rules(stores.database, vault)
    rule = await rules.add(OWNER, claim.mailbox.id, RuleKind.SENDER, SENDER, label=SENDER, now=NOW)

    with pytest.raises(NotFound):
        await rules.add(STRANGER, claim.mailbox.id, RuleKind.SENDER, SENDER, label="", now=NOW)
    with pytest.raises(NotFound):
        await rules.remove(STRANGER, rule.id)
    assert await rules.of(STRANGER) == []
    async with stores.database.read() as session:
        rows = (await (await session.connection()).execute(text("SELECT * FROM rule"))).all()
    assert "ada" not in str(rows)
    await rules.remove(OWNER, rule.id)
    with pytest.raises(NotFound):
        await rules.remove(OWNER, rule.id)
    assert (await rules.sieve(claim.mailbox.id)).match(SENDER, None) is None


async def test_a_muted_mail_is_finished_counted_and_never_deleted(stores: Stores, vault: Vault) -> None:
    """Its octets go in time; its UID is not settled, so the delete setting leaves it on the server."""
    claim, rules = await stores.claimed(), Rules(stores.database, vault)
    rule = await rules.add(OWNER, claim.mailbox.id, RuleKind.SENDER, SENDER, label=SENDER, now=NOW)
    await stores.keep(claim, b"u1")
    dm = await stores.dm()
    entry = await stores.head(dm)

    muted = replace(entry, state=EntryState.MUTED, muted_by=rule.id)
    dm = await stores.outbox.record(dm, muted, now=NOW)

    assert await stores.outbox.head(dm) is None
    assert [each.count for each in await rules.of(OWNER)] == [1]
    assert not (await stores.messages.seen(claim.mailbox.id))[b"u1"].is_settled
    assert await Marks(stores.database).count_open(OWNER) == {}
    assert await stores.messages.purge(NOW + timedelta(days=31), timedelta(days=30)) == 1


async def test_done_is_noted_counted_and_taken_back(stores: Stores) -> None:
    """Counts and the list hold what is posted and not done; marking twice is marking once."""
    claim, marks = await stores.claimed(), Marks(stores.database)
    first, second = [await posted(stores, claim, uid) for uid in (b"u1", b"u2")]
    assert await marks.count_open(OWNER) == {claim.mailbox.id: 2}

    for _ in range(2):
        assert (await marks.mark(OWNER, first.message_id or "", LATER)).is_done

    assert await marks.count_open(OWNER) == {claim.mailbox.id: 1}
    assert [each.ts for each in await marks.newest_open(OWNER, claim.mailbox.id, 5)] == [second.ts]
    assert await marks.newest_open(STRANGER, claim.mailbox.id, 5) == []
    with pytest.raises(NotFound):
        await marks.mark(STRANGER, first.message_id or "", None)
    assert not (await marks.mark(OWNER, first.message_id or "", None)).is_done
    assert await marks.count_open(OWNER) == {claim.mailbox.id: 2}


async def test_standing_tells_how_a_message_is(stores: Stores) -> None:
    """Kept, deletable, wanted gone; and somebody else is told nothing."""
    claim, marks = await stores.claimed(), Marks(stores.database)
    entry = await posted(stores, claim)
    message_id = entry.message_id or ""

    before = await marks.standing(OWNER, message_id)
    await Answers(stores.database).delete(OWNER, message_id, NOW)
    await stores.messages.purge(NOW + timedelta(days=31), timedelta(days=30))
    after = await marks.standing(OWNER, message_id)

    assert (before.place, before.is_kept, before.original) == (OnServer.MAY_GO, True, None)
    assert (after.place, after.is_kept) == (OnServer.WANTED_GONE, False)
    with pytest.raises(NotFound):
        await marks.standing(STRANGER, message_id)


async def test_an_original_is_owed_once_and_stands_in_the_thread(stores: Stores) -> None:
    """Asked for twice while it is on its way and again when it is there: one entry."""
    claim, originals = await stores.claimed(), Originals(stores.database)
    post = await posted(stores, claim)

    found = [await originals.want(claim.mailbox, post.message_id or "", NOW, again=True) for _ in range(2)]
    dm = await stores.dm()
    entry = await stores.head(dm)
    settled = replace(entry, state=EntryState.SETTLED, channel="D1", ts="9.1")
    dm = await stores.outbox.record(dm, settled, now=NOW)
    last = await originals.want(claim.mailbox, post.message_id or "", NOW, again=True)

    assert [(each.state, each.is_there) for each in found] == [(OriginalState.HERE, False)] * 2
    assert (entry.notice, entry.parent, entry.message_id) == (Notice.ORIGINAL, post.id, None)
    assert (await originals.brought_by(entry.id)).message_id == post.message_id
    assert last.is_there
    assert await stores.outbox.head(dm) is None


async def test_octets_on_their_way_into_a_thread_are_not_purged(stores: Stores) -> None:
    """However old the message is, until the entry that brings them is finished."""
    claim, originals = await stores.claimed(), Originals(stores.database)
    post = await posted(stores, claim)
    await originals.want(claim.mailbox, post.message_id or "", NOW, again=False)

    assert await stores.messages.purge(NOW + timedelta(days=31), timedelta(days=30)) == 0


async def test_a_message_past_its_time_is_looked_for_and_brought(stores: Stores) -> None:
    """Polls see it wanted until it is brought; then its octets are kept again and its file is owed."""
    claim, originals = await stores.claimed(), Originals(stores.database)
    post = await posted(stores, claim)
    message_id = post.message_id or ""
    await stores.messages.purge(NOW + timedelta(days=31), timedelta(days=30))

    asked = await originals.want(claim.mailbox, message_id, LATER, again=False)
    wanted = await originals.wanted(claim.mailbox.id)
    spool = stores.messages.spool(claim, message_id)
    await spool.write(b"as it came")
    await originals.bring(claim, spool, LATER)
    await originals.bring(claim, spool, LATER)
    await spool.close()

    assert asked.state is OriginalState.ASKED
    assert [each.message_id for each in wanted.values()] == [message_id]
    assert await originals.wanted(claim.mailbox.id) == {}
    assert (await stores.messages.load(message_id))[1] == b"as it came"
    entry = await stores.head(await stores.dm(LATER))
    assert (entry.notice, entry.parent) == (Notice.ORIGINAL, post.id)


async def test_a_large_message_is_whole_once_it_was_brought(stores: Stores) -> None:
    """The beginning gives way to the whole; the delete setting still leaves it on the server."""
    claim, originals = await stores.claimed(), Originals(stores.database)
    post = await posted(stores, claim, octets=b"beginning", shape=Shape.TOP)
    message_id = post.message_id or ""
    await originals.want(claim.mailbox, message_id, NOW, again=False)

    spool = stores.messages.spool(claim, message_id)
    await spool.write(b"beginning and end")
    await originals.bring(claim, spool, NOW)
    await spool.close()

    message, octets = await stores.messages.load(message_id)
    assert (message.shape, octets) == (Shape.WHOLE, b"beginning and end")
    assert not (await stores.messages.seen(claim.mailbox.id))[b"u1"].is_settled


async def test_what_the_server_lost_is_said_once_and_asked_for_again(stores: Stores) -> None:
    """An entry says it in the thread; a later press looks once more."""
    claim, originals = await stores.claimed(), Originals(stores.database)
    post = await posted(stores, claim, shape=Shape.TOP)
    message_id = post.message_id or ""
    await originals.want(claim.mailbox, message_id, NOW, again=False)
    assert [await originals.note_failure(claim, message_id) for _ in range(2)] == [1, 2]

    for _ in range(2):
        await originals.lose(claim, message_id, OriginalState.GONE, NOW)

    dm = await stores.dm()
    entry = await stores.head(dm)
    dm = await stores.outbox.record(dm, replace(entry, state=EntryState.SETTLED, ts="9.1"), now=NOW)
    assert await stores.outbox.head(dm) is None
    states = [
        (await originals.want(claim.mailbox, message_id, NOW, again=again)).state for again in (False, True)
    ]
    assert states == [OriginalState.GONE, OriginalState.ASKED]


async def test_everything_goes_with_its_mailbox(stores: Stores, vault: Vault) -> None:
    """Rules and wishes of a removed mailbox are gone, and a late press finds nothing."""
    claim, rules = await stores.claimed(), Rules(stores.database, vault)
    originals = Originals(stores.database)
    post = await posted(stores, claim, shape=Shape.TOP)
    await rules.add(OWNER, claim.mailbox.id, RuleKind.SENDER, SENDER, label=SENDER, now=NOW)
    await originals.want(claim.mailbox, post.message_id or "", NOW, again=False)

    await stores.holdings.remove(OWNER, claim.mailbox.id, LATER)

    async with stores.database.read() as session:
        connection = await session.connection()
        for table in ("rule", "original"):
            assert (await connection.execute(text(f"SELECT * FROM {table}"))).all() == []
    with pytest.raises(NotFound):
        await originals.want(claim.mailbox, post.message_id or "", NOW, again=True)
    assert await rules.of(OWNER) == []
