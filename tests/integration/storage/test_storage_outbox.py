"""The outbox: what is owed to DMs, in order, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from storage.errors import LeaseLost
from storage.outbox import Depth
from storage.records import EntryState, Notice, Person, SeenState, Shape
from tests.integration.storage.stores import LATER, LEASE, NEW, NOW, OK, OWNER, STRANGER, Stores

if TYPE_CHECKING:
    from collections.abc import Collection

    from storage.records import Dm

SECOND = timedelta(seconds=1)


async def due(
    stores: Stores, now: datetime = NOW, *, limit: int = 10, busy: Collection[Person] = ()
) -> list[Dm]:
    """Claim DMs that are due."""
    return await stores.outbox.claim_due(now, lease=LEASE, worker="w1", limit=limit, busy=busy)


async def owed(stores: Stores, *uids: bytes, owner: Person = OWNER, now: datetime = NOW) -> str:
    """Keep messages for a person; the mailbox's id."""
    claim = await stores.claimed(replace(NEW, owner=owner), now)
    for uid in uids:
        await stores.keep(claim, uid, now=now)
    return claim.mailbox.id


async def test_entries_come_in_order(stores: Stores) -> None:
    """Messages and notices reach a DM in the order they were stored."""
    claim = await stores.claimed()
    for uid in (b"z", b"a", b"m"):
        await stores.keep(claim, uid, uid)
    await stores.mailboxes.finish(claim, replace(OK, notice=Notice.ALL_CLEAR))
    dm = await stores.dm()
    found: list[bytes | Notice | None] = []

    while entry := await stores.outbox.head(dm):
        found.append((await stores.messages.load(entry.message_id))[1] if entry.message_id else entry.notice)
        dm = await stores.outbox.record(dm, replace(entry, state=EntryState.SETTLED), now=NOW)

    assert found == [b"z", b"a", b"m", Notice.ALL_CLEAR]


async def test_new_entry_reads_as_waiting(stores: Stores) -> None:
    """A fresh entry says what it owes and that nothing was sent."""
    mailbox_id = await owed(stores, b"u1")

    entry = await stores.head(await stores.dm())

    assert (entry.mailbox_id, entry.owner, entry.state, entry.attempts) == (
        mailbox_id,
        OWNER,
        EntryState.WAITING,
        0,
    )
    assert (entry.channel, entry.ts, entry.file_ids, entry.plain) == (None, None, (), False)


async def test_recorded_entry_reads_back(stores: Stores) -> None:
    """Every state an entry passes is stored with what belongs to it, and nothing is lost on the way."""
    await owed(stores, b"u1")
    dm = await stores.dm()
    entry = await stores.head(dm)

    for state in (EntryState.POSTING, EntryState.POSTED, EntryState.FILING, EntryState.WAITING):
        entry = replace(
            entry,
            state=state,
            attempts=entry.attempts + 1,
            intended_at=NOW,
            lookup_after=LATER,
            channel="D1",
            ts="1700000000.000100",
            file_ids=("F1", "F2"),
            plain=True,
        )
        dm = await stores.outbox.record(dm, entry, now=NOW, error="ratelimited")
        assert await stores.head(dm) == entry


async def test_repeated_record_changes_nothing(stores: Stores) -> None:
    """Recording again what was recorded, after an unknown outcome, is harmless."""
    await owed(stores, b"u1", b"u2")
    dm = await stores.dm()
    entry = replace(await stores.head(dm), state=EntryState.SETTLED, channel="D1", ts="5.1")

    once = await stores.outbox.record(dm, entry, now=NOW)
    twice = await stores.outbox.record(dm, entry, now=NOW)

    assert once == twice
    assert sum((await stores.outbox.waiting(OWNER)).values()) == 1


async def test_settled_allows_deletion_given_up_does_not(stores: Stores) -> None:
    """Only a message that is in Slack counts as settled for the delete setting."""
    mailbox_id = await owed(stores, b"posted", b"refused", b"waiting")
    dm = await stores.dm()
    for state in (EntryState.SETTLED, EntryState.GIVEN_UP):
        dm = await stores.outbox.record(dm, replace(await stores.head(dm), state=state), now=NOW)

    seen = await stores.messages.seen(mailbox_id)

    assert {uid: known.is_settled for uid, known in seen.items()} == {
        b"posted": True,
        b"refused": False,
        b"waiting": False,
    }
    assert {known.state for known in seen.values()} == {SeenState.KEPT}


async def test_octets_of_what_was_given_up_go_in_time(stores: Stores) -> None:
    """Slack did not take it, so it stays on its server; its copy here is kept no longer than any other."""
    await owed(stores, b"refused")
    dm = await stores.dm()
    await stores.outbox.record(dm, replace(await stores.head(dm), state=EntryState.GIVEN_UP), now=NOW)

    early = await stores.messages.purge(NOW + timedelta(days=29), timedelta(days=30))

    assert early == 0
    assert await stores.messages.purge(NOW + timedelta(days=31), timedelta(days=30)) == 1


@pytest.mark.parametrize("shape", [Shape.TOP, Shape.REFUSED])
async def test_card_of_a_message_left_on_the_server_deletes_nothing(stores: Stores, shape: Shape) -> None:
    """A message of which only a card could be made stays on the server whatever the delete setting says."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u1", shape=shape)
    dm = await stores.dm()
    settled = replace(await stores.head(dm), state=EntryState.SETTLED)

    dm = await stores.outbox.record(dm, settled, now=NOW)

    assert await stores.outbox.head(dm) is None
    assert not (await stores.messages.seen(claim.mailbox.id))[b"u1"].is_settled
    assert not await stores.messages.has_deletions(claim)


async def test_dm_remembers_channel_and_newest_post(stores: Stores) -> None:
    """The DM knows its channel and the newest acknowledged post, whatever order they are recorded in."""
    await owed(stores, b"u1", b"u2", b"u3")
    dm = await stores.dm()
    for ts in ("999999999.000002", "1000000000.000001", "1000000000.000000"):
        entry = replace(await stores.head(dm), state=EntryState.SETTLED, channel="D1", ts=ts)
        dm = await stores.outbox.record(dm, entry, now=NOW)

    assert (dm.channel, dm.last_ts) == ("D1", "1000000000.000001")
    await stores.outbox.release(dm)
    assert await due(stores) == []


async def test_leased_dm_is_one_holders(stores: Stores) -> None:
    """While one worker posts into a DM nobody else does; an expired lease is taken over with a higher number."""
    await owed(stores, b"u1")
    old = await stores.dm()

    assert await due(stores, NOW + LEASE / 2) == []
    (new,) = await due(stores, NOW + LEASE)

    assert new.fence > old.fence
    entry = await stores.head(new)
    for call in (
        stores.outbox.head(old),
        stores.outbox.record(old, entry, now=NOW),
        stores.outbox.renew(old, LATER),
        stores.outbox.release(old),
    ):
        with pytest.raises(LeaseLost):
            await call
    assert await stores.head(new) == entry


async def test_renewed_dm_is_kept(stores: Stores) -> None:
    """Renewing, alone or with a record, keeps the DM."""
    await owed(stores, b"u1")
    dm = await stores.dm()

    await stores.outbox.renew(dm, NOW + 2 * LEASE)
    assert await due(stores, NOW + LEASE) == []
    await stores.outbox.record(dm, await stores.head(dm), now=NOW, lease_until=NOW + 3 * LEASE)

    assert await due(stores, NOW + 2 * LEASE) == []


async def test_released_dm_is_due_again(stores: Stores) -> None:
    """A DM given back with work left is claimed again at once, and the old right is void."""
    await owed(stores, b"u1")
    dm = await stores.dm()

    await stores.outbox.release(dm)

    assert [found.owner for found in await due(stores)] == [OWNER]
    with pytest.raises(LeaseLost):
        await stores.outbox.release(dm)


@pytest.mark.parametrize("way", ["record", "release"])
async def test_held_dm_waits(stores: Stores, way: str) -> None:
    """A DM that Slack asked to leave alone is not claimed before, also when more mail comes in."""
    await owed(stores, b"u1")
    dm = await stores.dm()
    if way == "record":
        dm = await stores.outbox.record(dm, await stores.head(dm), now=NOW, held_until=LATER)
        await stores.outbox.release(dm)
    else:
        await stores.outbox.release(dm, LATER)
    await stores.keep(await stores.claim(NOW + LEASE), b"u2")

    assert await due(stores, LATER - SECOND) == []
    assert len(await due(stores, LATER)) == 1


async def test_hold_outlives_an_empty_outbox(stores: Stores) -> None:
    """A hold counts for mail that arrives after everything else was settled."""
    await owed(stores, b"u1")
    dm = await stores.dm()
    entry = replace(await stores.head(dm), state=EntryState.SETTLED)
    await stores.outbox.release(await stores.outbox.record(dm, entry, now=NOW), LATER)

    await stores.keep(await stores.claim(NOW + LEASE), b"u2", now=NOW + LEASE)

    assert await due(stores, LATER - SECOND) == []
    assert len(await due(stores, LATER)) == 1


async def test_unknown_post_waits_for_its_look_up(stores: Stores) -> None:
    """After a crash between intent and answer the DM is left alone until Slack may be asked."""
    await owed(stores, b"u1", b"u2")
    dm = await stores.dm()
    intent = replace(await stores.head(dm), state=EntryState.POSTING, lookup_after=LATER, channel="D1")
    await stores.outbox.record(dm, intent, now=NOW)

    await stores.outbox.release_worker("poster")

    assert await due(stores, LATER - SECOND) == []
    (dm,) = await due(stores, LATER)
    assert await stores.head(dm) == intent


async def test_longest_waiting_comes_first(stores: Stores) -> None:
    """Who has waited longest is served first, up to the limit, leaving out who is in hand."""
    people = [Person("T1", f"U{number}") for number in range(5)]
    for number, person in enumerate(people):
        await owed(stores, b"u1", owner=person, now=NOW + number * SECOND)

    first = await due(stores, LATER, limit=2, busy=[people[0]])
    rest = await due(stores, LATER)

    assert [dm.owner for dm in first] == people[1:3]
    assert [dm.owner for dm in rest] == [people[0], *people[3:]]


async def test_concurrent_workers_share_dms(stores: Stores) -> None:
    """Workers that claim at the same moment never hold the same DM."""
    for number in range(9):
        await owed(stores, b"u1", owner=Person("T1", f"U{number}"))

    found = [*await asyncio.gather(*(due(stores, limit=3) for _ in range(5))), await due(stores)]

    assert len({dm.owner for dms in found for dm in dms}) == sum(map(len, found)) == 9


async def test_restarted_worker_frees_its_dms(stores: Stores) -> None:
    """After a crash the same worker's DMs are free at once, another worker's are not."""
    await owed(stores, b"u1")
    await stores.dm()

    await stores.outbox.release_worker("other")
    assert await due(stores) == []
    await stores.outbox.release_worker("poster")

    assert len(await due(stores)) == 1


async def test_waiting_counts_what_is_not_finished(stores: Stores) -> None:
    """A person sees how many messages are on their way, by mailbox, and nobody else's."""
    mailbox_id = await owed(stores, b"u1", b"u2", b"u3")
    await owed(stores, b"u1", owner=STRANGER)
    dm = next(dm for dm in await due(stores) if dm.owner == OWNER)
    await stores.outbox.record(dm, replace(await stores.head(dm), state=EntryState.SETTLED), now=NOW)

    assert await stores.outbox.waiting(OWNER) == {mailbox_id: 2}
    assert await stores.outbox.waiting(Person("T2", "U1")) == {}


async def test_mail_that_arrives_during_a_delivery_is_not_forgotten(stores: Stores) -> None:
    """A message stored while the last one is being settled makes the DM due, in whatever order the two commit."""
    claim = await stores.claimed()
    for number in range(20):
        await stores.keep(claim, b"a%d" % number)
        dm = await stores.dm()
        entry = replace(await stores.head(dm), state=EntryState.SETTLED)
        await asyncio.gather(stores.outbox.record(dm, entry, now=NOW), stores.keep(claim, b"b%d" % number))
        await stores.outbox.release(dm)

        (dm,) = await due(stores)
        dm = await stores.outbox.record(dm, replace(await stores.head(dm), state=EntryState.SETTLED), now=NOW)
        await stores.outbox.release(dm)
    assert await due(stores) == []


async def test_depth_of_an_empty_outbox(stores: Stores) -> None:
    """Nothing owed, no age."""
    assert await stores.outbox.depth() == Depth(0, None, None)


async def test_depth_counts_what_is_unfinished(stores: Stores) -> None:
    """Everybody's entries, since when the oldest is owed, since when a DM is due; settled ones do not count."""
    began = datetime.now(UTC) - timedelta(milliseconds=1)
    await owed(stores, b"u1", b"u2")
    between = datetime.now(UTC)
    await owed(stores, b"u1", owner=STRANGER)
    first, _ = sorted(await due(stores), key=lambda dm: dm.owner.user)
    await stores.outbox.record(first, replace(await stores.head(first), state=EntryState.SETTLED), now=NOW)

    depth = await stores.outbox.depth()

    assert (depth.entries, depth.oldest_due) == (2, NOW)
    assert depth.oldest is not None
    assert began <= depth.oldest <= between


async def test_depth_tells_age_from_being_due(stores: Stores) -> None:
    """A DM on hold is not due, and its entries are as old as they are."""
    await owed(stores, b"u1")
    await stores.outbox.release(await stores.dm(), held_until=LATER)

    depth = await stores.outbox.depth()

    assert (depth.entries, depth.oldest_due) == (1, LATER)
    assert depth.oldest is not None
    assert datetime.now(UTC) - depth.oldest < timedelta(minutes=1)
