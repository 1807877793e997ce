"""The same script against a real server, under TLS and STLS."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from bot.errors import CommandRefused, LoginRejected
from bot.mail.pop3_client import Limits, Session
from storage.records import Secret, Security, ServerAddress

if TYPE_CHECKING:
    from tests.fakes.dovecot import Dovecot

Open = Callable[..., Awaitable[Session]]

MESSAGES = (
    b"Subject: one\r\n\r\nfirst\r\nsecond\r\nthird\r\n",
    b"Subject: dots\r\n\r\n.\r\n..\r\n...x\r\n.y\r\nend\r\n",
    b".starts with a dot\r\n\r\n\r\n.\r\n",
    b"Subject: long line\r\n\r\n" + b"x" * 100_000 + b"\r\n",
    b"Subject: odd\r\n\r\n\xff\xfe\x01 caf\xc3\xa9\r\n",
)


@pytest.fixture
def limits() -> Limits:
    """A real server on a busy machine gets the deadlines of the internet."""
    return Limits()


@pytest.fixture(params=[Security.TLS, Security.STARTTLS, Security.NONE])
def address(request: pytest.FixtureRequest, dovecot: Dovecot) -> ServerAddress:
    """Dovecot's address for each kind of protection."""
    security: Security = request.param
    port = dovecot.tls_port if security is Security.TLS else dovecot.plain_port
    return ServerAddress("localhost", port, security)


async def whole(session: Session, numbers: list[int]) -> list[bytes]:
    """Messages as they arrive."""
    return [b"".join([chunk async for chunk in incoming.chunks]) async for incoming in session.retr(numbers)]


async def test_a_whole_session(address: ServerAddress, dovecot: Dovecot, opened: Open) -> None:
    """List, fetch, look, delete, leave: what was deleted is gone, the rest is there."""
    dovecot.deliver("user@example.org", *MESSAGES)
    session = await opened(address)

    numbers = [number for number, _ in await session.uidl()]
    sizes = await session.sizes()
    assert numbers == [1, 2, 3, 4, 5]
    assert await whole(session, numbers) == list(MESSAGES)
    assert sizes == {number: len(message) for number, message in enumerate(MESSAGES, 1)}
    assert await session.sizes([2, 9]) == {2: sizes[2]}
    assert await session.top(1, 1) == b"Subject: one\r\n\r\nfirst\r\n"
    await session.noop()
    assert await session.dele([1, 2]) == [1, 2]
    await session.rset()
    assert await session.dele([5, 5, 9]) == [5]
    assert await session.quit()
    assert dovecot.stored("user@example.org") == 4


async def test_an_abort_deletes_nothing(address: ServerAddress, dovecot: Dovecot, opened: Open) -> None:
    """DELE counts after QUIT only."""
    dovecot.deliver("user@example.org", *MESSAGES)
    session = await opened(address)
    assert await session.dele([1, 2, 3]) == [1, 2, 3]
    session.abort()

    again = await opened(address)

    assert len(await again.uidl()) == 5


async def test_the_probe_answers_for_known_and_new_numbers(
    address: ServerAddress, dovecot: Dovecot, opened: Open
) -> None:
    """STAT and a few UIDLs, in one flight."""
    dovecot.deliver("user@example.org", *MESSAGES)
    session = await opened(address)
    listed = dict(await session.uidl())

    probe = await session.probe([5, 6])

    assert (probe.count, probe.uids) == (5, {5: listed[5], 6: None})
    assert probe.octets == sum(map(len, MESSAGES))


async def test_what_was_remembered_serves_again(
    address: ServerAddress, dovecot: Dovecot, opened: Open
) -> None:
    """A later session saves CAPA and finds the same UIDs."""
    dovecot.deliver("user@example.org", *MESSAGES)
    first = await opened(address)
    listed = await first.uidl()
    await first.quit()

    second = await opened(address, remembered=first.capabilities)

    assert second.capabilities == first.capabilities >= {"UIDL", "SASL PLAIN LOGIN"}
    assert list(await second.uidl()) == list(listed)
    assert not await second.quit(wait=False)


@pytest.mark.parametrize("remembered", [None, frozenset[str]()])
async def test_any_password_is_understood(
    address: ServerAddress, opened: Open, remembered: frozenset[str] | None
) -> None:
    """Blanks and letters beyond ASCII, by AUTH PLAIN and by USER and PASS."""
    session = await opened(address, username="other", remembered=remembered)

    assert list(await session.uidl()) == []


async def test_a_wrong_password_is_certain_and_tried_once(
    address: ServerAddress, dovecot: Dovecot, connecting: Open
) -> None:
    """Dovecot says `[AUTH]`; the error shows neither user nor password."""
    session = await connecting(address)
    with pytest.raises(LoginRejected) as caught:
        await session.login("user@example.org", Secret("wrong-canary"))
    session.abort()

    assert caught.value.is_certain
    assert "canary" not in repr(caught.value)
    assert dovecot.log().count("wrong-canary") == 0


async def test_a_message_that_is_not_there_is_refused_alone(
    address: ServerAddress, dovecot: Dovecot, opened: Open
) -> None:
    """The others come."""
    dovecot.deliver("user@example.org", *MESSAGES)
    session = await opened(address)

    found = {
        incoming.number: b"" if incoming.refused else b"".join([chunk async for chunk in incoming.chunks])
        async for incoming in session.retr([1, 77, 2])
    }

    assert found == {1: MESSAGES[0], 77: b"", 2: MESSAGES[1]}
    with pytest.raises(CommandRefused):
        await session.top(77, 0)


async def test_many_messages_and_many_deletions(dovecot: Dovecot, opened: Open) -> None:
    """Hundreds in flight one after the other, none lost, none twice, in order."""
    sent = [b"Subject: %d\r\n\r\n" % number + b".%d\r\n" % number * (number % 50) for number in range(300)]
    dovecot.deliver("user@example.org", *sent)
    session = await opened(ServerAddress("localhost", dovecot.tls_port, Security.TLS))
    numbers = [number for number, _ in await session.uidl()]

    assert await whole(session, numbers) == sent
    assert await session.sizes(numbers) == {number: len(sent[number - 1]) for number in numbers}
    assert await session.dele(numbers) == numbers
    assert await session.quit()
    assert dovecot.stored("user@example.org") == 0


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux's /proc")  # noqa: PTH110 - at import
async def test_a_large_message_costs_little_memory(dovecot: Dovecot, opened: Open) -> None:
    """50 MB pass through in less than 30 MB, also when the consumer is slow."""
    dovecot.deliver("user@example.org", b"Subject: large\r\n\r\n" + (b"y" * 70 + b"\r\n") * 700_000)
    session = await opened(ServerAddress("localhost", dovecot.tls_port, Security.TLS))
    idle, octets, most = resident(), 0, 0

    async for incoming in session.retr([1]):
        async for chunk in incoming.chunks:
            octets += len(chunk)
            most = max(most, resident())
            await asyncio.sleep(0.001)  # a consumer that writes to a disk

    assert octets == 50_400_018
    assert most - idle < 30_000_000


def resident() -> int:
    """Octets of memory this process holds."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a file of ours
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
