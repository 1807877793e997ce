"""What a poll fetches, deletes and leaves behind."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from storage.records import Health, Notice, Passwords, Retention, Secret, Shape

if TYPE_CHECKING:
    from tests.integration.polling.conftest import Desk


async def test_each_message_is_fetched_once_and_in_order(desk: Desk) -> None:
    """Polls that find nothing new fetch nothing, and new mail comes alone."""
    await desk.add()
    desk.send("one", "two")

    await desk.poll()
    await desk.poll()
    desk.send("three")
    await desk.poll()

    assert await desk.subjects() == ["one", "two", "three"]
    assert set(desk.drop.counters.retr.values()) == {1}


async def test_an_idle_poll_asks_for_the_end_of_the_list_only(desk: Desk) -> None:
    """After one full listing the next polls probe, until a day has passed."""
    await desk.add()
    desk.send(*(f"m{number}" for number in range(20)))
    await desk.poll()
    before = desk.drop.counters.commands.copy()

    await desk.poll()
    probing = desk.drop.counters.commands - before
    desk.clock.ahead += timedelta(days=1)
    await desk.poll()

    assert probing["UIDL"] == 2
    assert "LIST" not in probing
    assert (desk.drop.counters.commands - before)["UIDL"] == 3


async def test_mail_is_deleted_only_once_it_is_in_slack(desk: Desk) -> None:
    """Fetched, then posted, then deleted at the next poll, then confirmed by a listing."""
    await desk.add(Retention.DELETE_POSTED)
    desk.send("one")

    await desk.poll()
    await desk.poll()
    assert len(desk.drop.mails) == 1
    assert await desk.subjects() == ["one"]
    mailbox = await desk.poll()

    assert desk.drop.mails == []
    await desk.poll()
    assert await desk.stores.messages.seen(mailbox.id) != {}
    assert await desk.subjects() == []


async def test_mail_left_on_the_server_stays_there(desk: Desk) -> None:
    """The default deletes nothing."""
    await desk.add(Retention.LEAVE)
    desk.send("one")

    await desk.poll()
    await desk.subjects()
    await desk.poll()

    assert len(desk.drop.mails) == 1
    assert not desk.drop.counters.dele


async def test_a_refused_login_stops_the_mailbox_with_one_notice(desk: Desk) -> None:
    """No further login, one notice; a new password, one all-clear, and the mail comes."""
    mailbox = await desk.add(password="wrong")
    desk.send("one")

    stopped = await desk.poll()
    await desk.poll()
    (notice,) = await desk.settle()

    assert stopped.health is Health.LOGIN_REFUSED
    assert stopped.due_at is None
    assert notice.notice is Notice.LOGIN_REFUSED
    assert desk.drop.counters.refused_logins == 1

    await desk.stores.mailboxes.change(
        mailbox.owner,
        mailbox.id,
        profile=mailbox.profile,
        passwords=Passwords(Secret("right"), None),
        retention=mailbox.retention,
        delete_days=None,
        listing=(),
        skip=(),
        now=desk.clock(),
    )
    works = await desk.poll()
    after = await desk.settle()

    assert works.health is Health.OK
    assert [entry.notice for entry in after] == [None, Notice.ALL_CLEAR]


async def test_a_busy_maildrop_is_tried_again_later(desk: Desk) -> None:
    """[IN-USE] is neither a refused login nor a reason to tell the person."""
    await desk.add()
    desk.drop.is_locked = True

    busy = await desk.poll()
    desk.drop.is_locked = False
    fine = await desk.poll()

    assert busy.health is Health.MAILDROP_BUSY
    assert busy.due_at is not None
    assert fine.health is Health.OK
    assert await desk.settle() == []


async def test_what_lasts_is_told_once_and_its_end_with_what_came(desk: Desk) -> None:
    """A maildrop in use for three checks: one notice, no second one, then the mail and an all-clear that counts it."""
    await desk.add()
    desk.drop.is_locked = True
    desk.send("one", "two")
    for _ in range(2):
        await desk.poll()
    assert await desk.settle() == []

    for _ in range(3):
        await desk.poll()
    told = await desk.settle()
    desk.drop.is_locked = False
    await desk.poll()
    after = await desk.settle()

    assert [entry.notice for entry in told] == [Notice.MAILDROP_BUSY]
    assert [entry.notice for entry in after] == [None, None, Notice.ALL_CLEAR]
    assert await desk.stores.outbox.caught_up(after[-1]) == 2


async def test_a_server_that_is_down_is_tried_again_less_often(desk: Desk) -> None:
    """Each failure doubles the wait; the first success ends it."""
    await desk.add()
    await desk.servers.stop()

    first = await desk.poll()
    second = await desk.poll()

    assert first.health is second.health is Health.UNREACHABLE
    assert second.failures == 2
    assert second.due_at is not None
    assert second.due_at - desk.clock() > timedelta(minutes=9)


async def test_a_message_above_the_limit_becomes_a_card(desk: Desk) -> None:
    """Header and first lines by TOP; the messages around it come whole and in order."""
    await desk.add()
    desk.send("before")
    desk.send("large", body="x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 4000)
    desk.send("after")

    await desk.poll()

    entries = await desk.settle()
    shapes = [(await desk.stores.messages.load(entry.message_id or ""))[0].shape for entry in entries]
    assert shapes == [Shape.WHOLE, Shape.TOP, Shape.WHOLE]
    assert not desk.drop.counters.retr[desk.drop.mails[1].uid]


async def test_a_poll_that_is_to_stop_finishes_the_message_at_hand(desk: Desk) -> None:
    """After SIGTERM nothing is half kept, and the rest comes after the restart."""
    await desk.add()
    desk.send("one", "two", "three")
    desk.stopping.set()

    await desk.poll()
    kept = await desk.subjects()
    desk.stopping.clear()
    await desk.poll()

    assert kept == ["one"]
    assert await desk.subjects() == ["two", "three"]


async def test_an_owner_who_pauses_stops_a_poll_that_runs(desk: Desk) -> None:
    """The change ends the lease: the running poll writes nothing more."""
    mailbox = await desk.add()
    desk.send("one")
    (claim,) = await desk.stores.mailboxes.claim_due(
        desk.clock(), lease=timedelta(minutes=1), worker="w", limit=1
    )

    await desk.stores.mailboxes.pause(mailbox.owner, mailbox.id, desk.clock())
    await desk.poller.poll(claim)

    assert await desk.settle() == []
    (paused,) = await desk.stores.mailboxes.of(mailbox.owner)
    assert paused.due_at is None
