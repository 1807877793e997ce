"""Many messages at once come as one post, a few each by itself, and settings hold both."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from storage.delivery import FLOOD_WAIT, Calm, Chosen, Delivery, Held
from storage.records import Health, Notice, Retention
from tests.integration.polling.conftest import FLOOD
from tests.integration.storage.stores import OWNER

if TYPE_CHECKING:
    from storage.records import Entry, Mailbox
    from tests.integration.polling.conftest import Desk

SUBJECTS = tuple(f"s{number}" for number in range(FLOOD + 1))


async def choose(desk: Desk, mailbox: Mailbox, calm: Calm) -> None:
    """The owner chooses when the messages come."""
    await desk.stores.mailboxes.change(
        OWNER,
        mailbox.id,
        profile=mailbox.profile,
        passwords=await desk.stores.mailboxes.passwords(OWNER, mailbox.id),
        retention=Retention.LEAVE,
        delete_days=None,
        listing=None,
        skip=(),
        chosen=Chosen(calm, None, Held()),
        now=desk.clock(),
    )


def shape(entries: list[Entry]) -> tuple[int, int, int]:
    """Digests, messages in threads, messages by themselves."""
    mails = [entry for entry in entries if entry.message_id]
    digests = sum(entry.notice is Notice.DIGEST for entry in entries)
    return digests, sum(bool(entry.parent) for entry in mails), sum(not entry.parent for entry in mails)


async def test_one_more_than_a_few_are_one_post(desk: Desk) -> None:
    """Twenty come by themselves, twenty-one in the thread of one post, as they arrived."""
    await desk.add()
    desk.send(*SUBJECTS[:FLOOD])
    await desk.poll()
    few = await desk.settle()
    desk.send(*SUBJECTS)
    await desk.poll()
    many = await desk.settle()

    assert shape(few) == (0, 0, FLOOD)
    assert shape(many) == (1, FLOOD + 1, 0)
    assert many[0].notice is Notice.DIGEST
    assert [entry.order for entry in many] == sorted(entry.order for entry in many)


async def test_a_flood_that_breaks_off_is_posted_all_the_same(desk: Desk) -> None:
    """What came is let go with the end of the session; what is left comes with the next."""
    await desk.add()
    desk.send(*SUBJECTS)
    desk.stopping.set()  # the message at hand is finished, and the session ends
    await desk.poll()
    first = await desk.settle()
    desk.stopping.clear()
    await desk.poll()

    assert shape(first) == (1, 1, 0)
    assert shape(await desk.settle()) == (0, 0, FLOOD)


async def test_a_flood_cut_by_a_crash_keeps_its_order(desk: Desk) -> None:
    """What the next life fetches joins it, and nothing waits longer than a few minutes."""
    await desk.add()
    (claim,) = await desk.stores.mailboxes.claim_due(desk.clock(), lease=timedelta(1), worker="w", limit=1)
    held = replace(claim, held_until=desk.clock() + FLOOD_WAIT)
    await desk.stores.keep(held, b"first", b"Subject: first\r\n\r\n", now=desk.clock())
    await desk.stores.mailboxes.release("w")  # as a new life does
    desk.send("second")
    await desk.poll()
    early = await desk.settle()
    desk.clock.ahead += FLOOD_WAIT
    entries = await desk.settle()

    assert early == []
    assert shape(entries) == (1, 2, 0)


async def test_an_hourly_digest_holds_what_each_poll_brings(desk: Desk) -> None:
    """For an hour at most, in one digest, and then the next begins."""
    await choose(desk, await desk.add(), Calm(Delivery.HOURLY))
    desk.send("one")
    await desk.poll()
    desk.send("two")
    await desk.poll()
    early = await desk.settle()
    desk.clock.ahead += timedelta(hours=1)
    entries = await desk.settle()

    assert shape([*early, *entries]) in {(1, 2, 0), (2, 2, 0)}  # a slot may lie between the polls
    assert await desk.stores.outbox.waiting(OWNER) == {}


async def test_an_alarm_waits_for_the_end_of_quiet_hours(desk: Desk) -> None:
    """Nobody mends a password in their sleep; by day it comes at once, digest or not."""
    mailbox = await desk.add(password="wrong")
    hour = desk.clock().hour
    await choose(desk, mailbox, Calm(Delivery.HOURLY, None, hour, (hour + 2) % 24))
    refused = await desk.poll()
    night = await desk.settle()
    desk.clock.ahead += timedelta(hours=2)
    day = await desk.settle()

    assert refused.health is Health.LOGIN_REFUSED
    assert night == []
    assert [entry.notice for entry in day] == [Notice.LOGIN_REFUSED]


@pytest.mark.parametrize("calm", [Calm(), Calm(Delivery.DAILY, 8)])
async def test_no_news_is_no_digest(desk: Desk, calm: Calm) -> None:
    """A poll that finds nothing leaves nothing."""
    await choose(desk, await desk.add(), calm)

    await desk.poll()

    assert await desk.settle() == []
    assert await desk.stores.outbox.waiting(OWNER) == {}
