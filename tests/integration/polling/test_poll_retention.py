"""When each delete setting deletes what is in Slack."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import NoSuchMessage
from storage.records import Mailbox, Retention
from storage.wishes import OnServer
from tests.integration.storage.stores import OWNER, STRANGER

if TYPE_CHECKING:
    from tests.integration.polling.conftest import Desk


async def poll_for(desk: Desk, wait: timedelta) -> None:
    """Poll every few hours for so long."""
    until = desk.clock() + wait
    while desk.clock() < until:
        desk.clock.ahead += timedelta(hours=6)
        await desk.poll()


async def posted(desk: Desk, retention: Retention, delete_days: int | None = None) -> tuple[Mailbox, str]:
    """A mailbox with one message that is in Slack, and that message's id."""
    mailbox = await desk.add()
    await desk.change(mailbox, retention, delete_days)
    desk.send("one")
    await desk.poll()
    (entry,) = await desk.settle()
    return await desk.poll(), entry.message_id or ""


async def test_mail_goes_so_many_days_after_it_is_in_slack(desk: Desk) -> None:
    """Not before its days are over, and with the first poll after them."""
    await posted(desk, Retention.DELETE_LATER, 3)

    await poll_for(desk, timedelta(days=2, hours=12))
    before = len(desk.drop.mails)
    await poll_for(desk, timedelta(hours=18))

    assert (before, len(desk.drop.mails)) == (1, 0)


async def test_a_clock_that_jumps_deletes_nothing_early(desk: Desk) -> None:
    """A year ahead counts as one day, and back again as none."""
    await posted(desk, Retention.DELETE_LATER, 3)

    for jump in (365, -365, 365):
        desk.clock.ahead += timedelta(days=jump)
        mailbox = await desk.stores.mailbox((await desk.stores.mailboxes.of(OWNER))[0].id)
        await desk.stores.mailboxes.check_now(OWNER, mailbox.id, desk.clock())
        await desk.poll()

    assert len(desk.drop.mails) == 1


async def test_idle_polls_probe_until_a_deletion_is_due(desk: Desk) -> None:
    """Mail that waits for its day costs no listing, nor does mail that another program deleted."""
    await posted(desk, Retention.DELETE_LATER, 3)
    desk.send("two")
    await desk.poll()
    await desk.settle()
    del desk.drop.mails[0]
    await poll_for(desk, timedelta(days=4))
    assert desk.drop.mails == []
    desk.send("three")
    await desk.poll()
    before = desk.drop.counters.commands.copy()

    await desk.poll()

    assert (desk.drop.counters.commands - before)["STAT"] == 1


async def test_mail_goes_when_its_owner_presses_delete(desk: Desk) -> None:
    """Not before, and not again."""
    _, message_id = await posted(desk, Retention.DELETE_ASKED)
    assert len(desk.drop.mails) == 1

    _, first = await desk.server_mail.delete(OWNER, message_id)
    _, again = await desk.server_mail.delete(OWNER, message_id)
    await desk.poll()
    _, after = await desk.server_mail.delete(OWNER, message_id)

    assert (first, again, after) == (OnServer.WANTED_GONE, OnServer.WANTED_GONE, OnServer.GONE)
    assert desk.drop.mails == []
    assert await desk.server_mail.is_gone(OWNER, message_id, within=1)


async def test_nobody_else_deletes(desk: Desk) -> None:
    """A message id in a button routes and never authorises."""
    _, message_id = await posted(desk, Retention.DELETE_ASKED)

    with pytest.raises(NoSuchMessage):
        await desk.server_mail.delete(STRANGER, message_id)
    await desk.poll()

    assert len(desk.drop.mails) == 1


async def test_a_message_not_yet_in_slack_is_not_deleted(desk: Desk) -> None:
    """Who presses before the post is recorded is told that it stays."""
    await desk.add(Retention.DELETE_ASKED)
    desk.send("one")
    await desk.poll()
    entry = await desk.stores.head(await desk.stores.dm(desk.clock()))

    _, place = await desk.server_mail.delete(OWNER, entry.message_id or "")

    assert place is OnServer.STAYS
    await desk.poll()
    assert len(desk.drop.mails) == 1


async def test_a_setting_that_leaves_mail_stops_what_was_begun(desk: Desk) -> None:
    """The press before it counts no more, and the button says so."""
    mailbox, message_id = await posted(desk, Retention.DELETE_ASKED)
    await desk.server_mail.delete(OWNER, message_id)

    await desk.change(mailbox, Retention.LEAVE)
    await desk.poll()
    _, place = await desk.server_mail.delete(OWNER, message_id)

    assert len(desk.drop.mails) == 1
    assert place is OnServer.STAYS


@pytest.mark.parametrize(
    ("retention", "days"), [(Retention.DELETE_POSTED, None), (Retention.DELETE_LATER, 1)]
)
async def test_a_new_setting_counts_for_what_is_in_slack_already(
    desk: Desk, retention: Retention, days: int | None
) -> None:
    """From "leave" to any other: what was posted long enough ago goes with the next poll."""
    mailbox, _ = await posted(desk, Retention.LEAVE)
    await poll_for(desk, timedelta(days=2))
    assert len(desk.drop.mails) == 1

    await desk.change(mailbox, retention, days)
    await desk.poll()

    assert desk.drop.mails == []
