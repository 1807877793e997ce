"""What a poll makes of servers that break the protocol for one message, lie about it, or give its UID to another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot import plan
from storage.records import Passwords, Profile, Retention, Secret, Shape
from tests.fakes.pop3_server import Answer, Pop3Server, hang_up
from tests.integration.storage.stores import NEW

if TYPE_CHECKING:
    from tests.integration.polling.conftest import Desk

LARGE = b"Subject: two\r\n\r\n" + b"x" * 250_000 + b"\r\n"


async def register(desk: Desk, server: Pop3Server, retention: Retention = Retention.LEAVE) -> None:
    """Register a mailbox on a server that does as it likes."""
    profile = Profile("Work", server.username, server.address, server.username, None, None)
    passwords = Passwords(Secret(server.password), None)
    new = replace(NEW, profile=profile, passwords=passwords, retention=retention)
    await desk.stores.mailboxes.add(new, desk.clock())


@pytest.mark.parametrize(
    "answers",
    [{"RETR 2": b"what\r\n"}, {"RETR 2": b"+OK" + b"x" * 9000}, {"TOP": b"what\r\n"}, {"TOP": hang_up}],
)
async def test_message_that_breaks_every_session_becomes_a_card(
    desk: Desk, answers: dict[str, Answer]
) -> None:
    """However the server fails for one message, those behind it come, and the person is told of it."""
    middle = LARGE if "TOP" in answers else b"Subject: two\r\n\r\n"
    messages = [b"Subject: one\r\n\r\n", middle, b"Subject: three\r\n\r\n"]
    async with Pop3Server(messages, answers=answers) as server:
        await register(desk, server)

        for _ in range(plan.BREAKS_BEFORE_CARD + 1):
            await desk.poll()

    told = await desk.settle()
    loaded = [await desk.stores.messages.load(entry.message_id) for entry in told if entry.message_id]
    assert [message.shape for message, _ in loaded] == [Shape.WHOLE, Shape.WHOLE, Shape.REFUSED]


async def test_a_message_that_breaks_every_session_holds_the_others_up_for_a_few_only(desk: Desk) -> None:
    """After its third failure it is fetched last; mail that comes later does not wait for its card."""
    mail = [b"Subject: one\r\n\r\n", b"Subject: two\r\n\r\n"]
    async with Pop3Server(mail, answers={"RETR 1": hang_up}) as server:
        await register(desk, server)

        for _ in range(plan.FAILURES_BEFORE_LAST + 1):
            await desk.poll()

    assert await desk.subjects() == ["two"]


async def test_a_uid_that_looks_like_the_repetition_of_another_hides_no_message(desk: Desk) -> None:
    """Two messages under one UID and a third whose UID ends in a space and a number: all three come."""
    mail = [b"Subject: %b\r\n\r\n" % word for word in (b"one", b"two", b"three")]
    async with Pop3Server(mail, uids=[b"u", b"u", b"u 2"]) as server:
        await register(desk, server, Retention.DELETE_POSTED)

        await desk.poll()

    assert await desk.subjects() == ["one", "two", "three"]


async def test_a_message_whose_size_is_a_lie_comes_whole(desk: Desk) -> None:
    """LIST calls a small message huge: the answer to TOP shows that it is all there."""
    mail = b"Subject: small\r\n\r\nHello.\r\n"
    async with Pop3Server(
        [mail], answers={"LIST": b"+OK\r\n1 99999999\r\n.\r\n", "LIST 1": b"+OK 1 99999999\r\n"}
    ) as server:
        await register(desk, server)

        await desk.poll()

    ((message, octets),) = [
        await desk.stores.messages.load(entry.message_id or "") for entry in await desk.settle()
    ]
    assert (message.shape, octets) == (Shape.WHOLE, mail)


async def test_uid_given_to_another_message_deletes_nothing_unseen(desk: Desk) -> None:
    """A server may give the UID of a message it just deleted to the next one: that one is fetched, then deleted."""
    async with Pop3Server([b"Subject: one\r\n\r\n"], uids=[b"1"]) as server:
        await register(desk, server, Retention.DELETE_POSTED)
        await desk.poll()
        assert await desk.subjects() == ["one"]
        await desk.poll()
        assert server.messages == []

        server.messages, server.uids = [b"Subject: two\r\n\r\n"], [b"1"]
        await desk.poll()

        assert await desk.subjects() == ["two"]
        assert len(server.messages) == 1
