"""Old mail comes some with each poll, behind what is new, until it is all there or stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot import backlog, plan
from storage.old_mail import OldMails
from storage.records import Mailbox, Notice, Passwords, Profile, Retention, Secret, Security, ServerAddress
from tests.integration.polling.conftest import ANNA
from tests.integration.storage.stores import NEW, OWNER

if TYPE_CHECKING:
    from tests.integration.polling.conftest import Desk

BATCH = 3


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three messages a poll, so that ten take four."""
    monkeypatch.setattr(plan, "OLD_BATCH", BATCH)


async def with_old_mail(desk: Desk, count: int) -> Mailbox:
    """A mailbox with so much old mail, all of it wanted."""
    desk.send(*(f"old {number}" for number in range(count)))
    server = ServerAddress("localhost", desk.servers.ports.pop3s, Security.TLS)
    profile = Profile("Work", ANNA.address, server, ANNA.address, None, None)
    uids = tuple(mail.uid.encode() for mail in desk.drop.mails)
    passwords = Passwords(Secret("right"), None)
    new = replace(NEW, profile=profile, passwords=passwords, old=uids, retention=Retention.LEAVE)
    return await desk.stores.mailboxes.add(new, desk.clock())


async def test_each_poll_brings_some_and_new_mail_first(desk: Desk) -> None:
    """Oldest first, some at a time; what came meanwhile stands before them."""
    await with_old_mail(desk, 7)
    await desk.poll()
    first = await desk.subjects()
    desk.send("new")
    await desk.poll()
    second = await desk.subjects()
    await desk.poll()
    third = await desk.subjects()
    await desk.poll()

    assert first == ["old 0", "old 1", "old 2"]
    assert second == ["new", "old 3", "old 4", "old 5"]
    assert third == ["old 6"]
    assert await desk.subjects() == []
    assert desk.drop.counters.commands["RETR"] == 8


async def test_the_next_poll_comes_soon_while_old_mail_is_left(desk: Desk) -> None:
    """Sooner than the interval, and no sooner once it is all there."""
    await with_old_mail(desk, 4)

    during = await desk.poll()
    assert during.due_at is not None
    wait = during.due_at - desk.clock()
    after = await desk.poll()

    assert wait <= backlog.REST
    assert after.due_at is not None
    assert after.due_at - desk.clock() >= timedelta(minutes=5)


async def test_what_another_program_deleted_is_not_waited_for(desk: Desk) -> None:
    """The old mail that is gone from the server counts no more."""
    await with_old_mail(desk, 5)
    await desk.poll()
    (notice, *_) = await desk.settle()
    desk.drop.expunge([mail.uid for mail in desk.drop.mails if b"old 4" in mail.octets])
    await desk.poll()
    await desk.settle()

    bringing = await OldMails(desk.stores.database).get(notice.id)

    assert notice.notice is Notice.OLD_MAIL
    assert (bringing.brought, bringing.left, bringing.total) == (4, 0, 4)


async def test_after_the_stop_only_new_mail_comes(desk: Desk) -> None:
    """The rest stays on the server, and is not asked for again."""
    await with_old_mail(desk, 7)
    await desk.poll()
    (notice, *_) = await desk.settle()

    await OldMails(desk.stores.database).stop(OWNER, notice.id, desk.clock())
    desk.send("new")
    await desk.poll()

    assert await desk.subjects() == ["new"]
    assert len(desk.drop.mails) == 8


async def test_a_stop_of_the_process_leaves_the_rest_for_later(desk: Desk) -> None:
    """What was not fetched stays wanted."""
    await with_old_mail(desk, 4)
    desk.stopping.set()
    await desk.poll()
    desk.stopping.clear()
    found = await desk.subjects()
    for _ in range(3):
        await desk.poll()
        found += await desk.subjects()

    assert found == ["old 0", "old 1", "old 2", "old 3"]
