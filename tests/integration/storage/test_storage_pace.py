"""Polls put off, overdue mailboxes spread, and what was caught up after an alarm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from storage.errors import LeaseLost
from storage.records import Health, Notice, Person
from storage.tables import EntryRow
from tests.integration.storage.stores import LATER, NEW, NOW, OK, OWNER, Stores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from storage.database import Database
    from storage.vault import Vault

HOUR = timedelta(hours=1)


@pytest.fixture
def stores(database: Database, vault: Vault, tmp_path: Path) -> Stores:
    """Empty ones."""
    return Stores.on(database, vault, tmp_path)


async def test_a_poll_put_off_frees_its_lease(stores: Stores) -> None:
    """The mailbox comes again at the given time and not before, and its old claim writes nothing more."""
    claim = await stores.claimed()

    await stores.mailboxes.put_off(claim, LATER)

    assert (await stores.mailbox(claim.mailbox.id)).due_at == LATER
    assert await stores.mailboxes.claim_due(NOW, lease=HOUR, worker="w", limit=1) == []
    assert (await stores.claim(LATER)).mailbox.id == claim.mailbox.id
    with pytest.raises(LeaseLost):
        await stores.mailboxes.put_off(claim, LATER)


async def test_a_check_asked_for_meanwhile_is_not_put_off(stores: Stores) -> None:
    """The owner's word is the later one."""
    claim = await stores.claimed()
    await stores.mailboxes.check_now(OWNER, claim.mailbox.id, NOW + timedelta(seconds=1))

    await stores.mailboxes.put_off(claim, LATER)

    assert (await stores.mailbox(claim.mailbox.id)).due_at == NOW + timedelta(seconds=1)


async def test_overdue_mailboxes_come_in_their_order(stores: Stores) -> None:
    """What is due gets the times given, oldest first; what is not due, paused or being polled keeps its own."""
    owners = [Person("T1", f"U{number}") for number in range(6)]
    mailboxes = [
        await stores.mailboxes.add(replace(NEW, owner=owner), NOW + HOUR * at)
        for at, owner in enumerate(owners)
    ]
    await stores.mailboxes.pause(owners[1], mailboxes[1].id, NOW)
    await stores.claim(NOW)  # the first
    now = NOW + 3 * HOUR + timedelta(seconds=1)
    given: list[datetime] = []

    def times(count: int) -> Sequence[datetime]:
        given.extend(now + timedelta(minutes=place) for place in range(count))
        return given

    # The claim's lease has ended by then, as after a crash; the last one was planned by a clock that ran ahead.
    count = await stores.mailboxes.spread(now, NOW + 4 * HOUR, times)

    due = [(await stores.mailboxes.of(owner))[0].due_at for owner in owners]
    assert count == len(given) == 4
    assert [due[at] for at in (0, 2, 3, 5)] == given
    assert (due[1], due[4]) == (None, NOW + 4 * HOUR)


async def test_a_lone_mailbox_that_a_wrong_clock_planned_comes_too(stores: Stores) -> None:
    """With one mailbox there is nothing to spread, and a year to wait if nobody looked."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    await stores.mailboxes.check_now(OWNER, mailbox.id, NOW + 8760 * HOUR)

    count = await stores.mailboxes.spread(NOW, NOW + HOUR, lambda count: [NOW] * count)

    assert (count, (await stores.mailbox(mailbox.id)).due_at) == (1, NOW)


async def test_the_all_clear_counts_what_came_since_the_alarm(stores: Stores) -> None:
    """Messages before the alarm, of other mailboxes or after the all-clear do not count."""
    claim = await stores.claimed()
    await stores.keep(claim, b"before")
    refused = replace(OK, health=Health.LOGIN_REFUSED, due_at=NOW, notice=Notice.LOGIN_REFUSED)
    await stores.mailboxes.finish(claim, refused)
    claim = await stores.claim(NOW)
    for uid in (b"one", b"two"):
        await stores.keep(claim, uid, b"Subject: " + uid + b"\r\n\r\n")
    await stores.mailboxes.finish(claim, replace(OK, due_at=NOW, notice=Notice.ALL_CLEAR))
    claim = await stores.claim(NOW)
    await stores.keep(claim, b"after", b"Subject: after\r\n\r\n")

    query = select(EntryRow.number).where(EntryRow.notice == Notice.ALL_CLEAR)
    async with stores.database.read() as session:
        number = (await session.exec(query)).one()
    entry = replace(await stores.head(await stores.dm()), order=number or 0)

    assert await stores.outbox.caught_up(entry) == 2
