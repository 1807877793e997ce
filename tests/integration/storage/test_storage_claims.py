"""Leases on mailboxes: one poller at a time, and none for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from storage.errors import LeaseLost
from storage.records import Health, Notice, Person, Shape, Tail
from storage.tables import MailboxRow
from tests.integration.storage.stores import LATER, LEASE, NEW, NOW, OK, OWNER, PASSWORDS, Stores

if TYPE_CHECKING:
    from collections.abc import Collection

    from storage.records import Claim


async def claim(
    stores: Stores, *, worker: str = "w1", limit: int = 100, busy: Collection[str] = ()
) -> list[Claim]:
    """Claim what is due now."""
    return await stores.mailboxes.claim_due(NOW, lease=LEASE, worker=worker, limit=limit, busy=busy)


async def add_many(stores: Stores, count: int) -> list[str]:
    """Mailboxes of different people, one second apart; their ids, oldest due first."""
    boxes = [
        await stores.mailboxes.add(
            replace(NEW, owner=Person("T1", f"U{number}")), NOW - timedelta(seconds=count - number)
        )
        for number in range(count)
    ]
    return [box.id for box in boxes]


async def test_oldest_due_comes_first(stores: Stores) -> None:
    """Who waits longest is polled first, and no more are taken than asked for."""
    ids = await add_many(stores, 5)

    first = await claim(stores, limit=3)
    rest = await claim(stores)

    assert [found.mailbox.id for found in first] == ids[:3]
    assert [found.mailbox.id for found in rest] == ids[3:]


async def test_not_yet_due_is_not_claimed(stores: Stores) -> None:
    """Nothing is polled before its time, nor what the worker still has in hand."""
    await stores.mailboxes.add(NEW, LATER)
    (busy,) = await add_many(stores, 1)

    assert await claim(stores, busy=[busy]) == []


async def test_concurrent_workers_share(stores: Stores) -> None:
    """Workers that claim at the same moment never get the same mailbox, and together get all."""
    ids = await add_many(stores, 12)

    found = await asyncio.gather(*(claim(stores, worker=f"w{number}", limit=3) for number in range(6)))
    found.append(await claim(stores))

    assert sorted(each.mailbox.id for claims in found for each in claims) == sorted(ids)


async def test_expired_lease_is_taken_over(stores: Stores) -> None:
    """When a poller disappears, another one gets its mailbox with a higher number, and the old one is refused."""
    old = await stores.claimed()

    assert await stores.mailboxes.claim_due(NOW + LEASE / 2, lease=LEASE, worker="w2", limit=9) == []
    new = await stores.claim(NOW + LEASE)

    assert new.fence > old.fence
    with pytest.raises(LeaseLost):
        await stores.mailboxes.renew(old, LATER)
    with pytest.raises(LeaseLost):
        await stores.mailboxes.finish(old, OK)
    with pytest.raises(LeaseLost):
        await stores.mailboxes.claimed_passwords(old)


async def test_old_holder_writes_no_message(stores: Stores) -> None:
    """A poller that lost its lease can change nothing about messages, and nothing of its attempt stays."""
    old = await stores.claimed()
    await stores.keep(old, b"u0")
    await stores.claim(NOW + LEASE)
    before = await stores.messages.seen(old.mailbox.id)

    for call in (
        stores.keep(old, b"u1"),
        stores.messages.note_failure(old, b"u3", NOW),
        stores.messages.mark_deleting(old, [b"u0"]),
        stores.messages.confirm_deleted(old, [b"u0"]),
    ):
        with pytest.raises(LeaseLost):
            await call

    assert await stores.messages.seen(old.mailbox.id) == before


async def test_lease_is_lost_between_spool_and_keep(stores: Stores) -> None:
    """A message that arrived while the lease went to another is not stored by the old holder."""
    old = await stores.claimed()
    spool = stores.messages.spool(old)
    await spool.write(b"octets")
    await stores.claim(NOW + LEASE)

    with pytest.raises(LeaseLost):
        await stores.messages.keep(old, b"u1", spool, shape=Shape.WHOLE, listed_octets=6, now=NOW)
    await spool.close()


async def test_renewed_lease_is_kept(stores: Stores) -> None:
    """A poll that takes long keeps its mailbox by renewing."""
    held = await stores.claimed()

    await stores.mailboxes.renew(held, NOW + 2 * LEASE)

    assert await stores.mailboxes.claim_due(NOW + LEASE, lease=LEASE, worker="w2", limit=9) == []
    await stores.mailboxes.finish(held, OK)


async def test_passwords_open_for_the_poller(stores: Stores) -> None:
    """Whoever holds the claim can log in."""
    held = await stores.claimed()

    assert await stores.mailboxes.claimed_passwords(held) == PASSWORDS


async def test_finish_records_everything(stores: Stores) -> None:
    """What a poll found is what the owner and the next poll see; the claim ends with it."""
    held = await stores.claimed()
    result = replace(OK, tail=Tail(7, b"\xffu7"), capabilities=frozenset({"TOP", "PIPELINING"}), failures=2)

    await stores.mailboxes.finish(held, result)

    box = await stores.mailbox(held.mailbox.id)
    assert (box.health, box.failures, box.due_at, box.last_success_at) == (Health.OK, 2, LATER, NOW)
    assert (box.tail, box.listed_at, box.capabilities) == (result.tail, NOW, result.capabilities)
    with pytest.raises(LeaseLost):
        await stores.mailboxes.finish(held, result)


async def test_no_capabilities_differ_from_none_known(stores: Stores) -> None:
    """A server without CAPA is not asked again, one not yet asked is."""
    held = await stores.claimed()
    assert held.mailbox.capabilities is None

    await stores.mailboxes.finish(held, replace(OK, capabilities=frozenset()))

    assert (await stores.mailbox(held.mailbox.id)).capabilities == frozenset()


async def test_notice_comes_with_the_result(stores: Stores) -> None:
    """A refused login is owed to the owner's DM by the same commit, and the alarm stays until the all-clear."""
    held = await stores.claimed()
    await stores.mailboxes.finish(held, replace(OK, notice=Notice.LOGIN_REFUSED))
    alarmed = await stores.mailbox(held.mailbox.id)
    await stores.mailboxes.finish(await stores.claim(LATER), replace(OK, due_at=LATER))
    still = await stores.mailbox(held.mailbox.id)
    await stores.mailboxes.finish(await stores.claim(LATER), replace(OK, notice=Notice.ALL_CLEAR))
    cleared = await stores.mailbox(held.mailbox.id)

    entry = await stores.head(await stores.dm())
    assert (entry.notice, entry.message_id, entry.mailbox_id) == (Notice.LOGIN_REFUSED, None, held.mailbox.id)
    assert [alarmed.has_alarm, still.has_alarm, cleared.has_alarm] == [True, True, False]
    assert await stores.outbox.waiting(OWNER) == {held.mailbox.id: 2}


async def test_restarted_worker_frees_what_it_held(stores: Stores) -> None:
    """After a crash the same worker's leases are free at once, another worker's are not."""
    await add_many(stores, 2)
    (mine,) = await claim(stores, worker="w1", limit=1)
    await claim(stores, worker="w2")

    await stores.mailboxes.release("w1")

    (again,) = await claim(stores, worker="w1")
    assert (again.mailbox.id, again.fence > mine.fence) == (mine.mailbox.id, True)
    with pytest.raises(LeaseLost):
        await stores.mailboxes.renew(mine, LATER)


async def test_one_unreadable_mailbox_holds_up_no_other(stores: Stores) -> None:
    """A mailbox whose columns were swapped with another's is not claimed; the others are."""
    ids = await add_many(stores, 3)
    async with stores.database.write() as session:
        first, second = [await session.get_one(MailboxRow, each) for each in ids[:2]]
        first.profile = second.profile

    assert [found.mailbox.id for found in await claim(stores)] == ids[1:]
