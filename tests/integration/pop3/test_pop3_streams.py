"""Messages on their way: streamed, bounded, several in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import (
    BotError,
    CommandRefused,
    ConnectionLost,
    LocalProtocolError,
    MessageTooLarge,
    RemoteProtocolError,
)
from bot.mail.pop3_client import Limits, Session
from storage.records import Security
from tests.fakes.pop3_server import Answer, Dialogue, Pop3Server, drip, endless, hang_up, silence
from tests.integration.pop3.conftest import HASTY, PATIENT

if TYPE_CHECKING:
    from tests.fakes.certificates import Certificates

Open = Callable[..., Awaitable[Session]]

MESSAGES = [b"Subject: %d\r\n\r\nbody\r\n" % number for number in range(1, 41)]


async def fetched(session: Session, numbers: list[int]) -> list[bytes]:
    """Messages in order of arrival."""
    return [b"".join([chunk async for chunk in incoming.chunks]) async for incoming in session.retr(numbers)]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("security", list(Security))
async def test_messages_come_in_the_order_asked_for(
    certificates: Certificates,
    opened: Open,
    limits: Limits,
    security: Security,
    pipelining: bool,  # noqa: FBT001 - both ways
) -> None:
    """Whatever the order, under every protection."""
    numbers = [7, 3, *range(10, 41), 1]
    async with Pop3Server(MESSAGES, security=security, tls=certificates.server()) as server:
        session = await opened(server.address, limits=replace(limits, pipelining=pipelining))

        assert await fetched(session, numbers) == [MESSAGES[number - 1] for number in numbers]
        assert await fetched(session, []) == []
        assert await session.quit()


async def test_a_refused_message_says_why_and_the_session_goes_on(opened: Open) -> None:
    """In a short sentence without what is private."""
    answers: dict[str, Answer] = {"RETR 2": b"-ERR [SYS/TEMP] broken for user@example.org\x07\r\n"}
    async with Pop3Server(MESSAGES, answers=answers) as server:
        session = await opened(server.address)
        reasons = {incoming.number: incoming.refused async for incoming in session.retr([1, 2, 3])}

        assert reasons == {1: None, 2: "[SYS/TEMP] broken for …\\x07", 3: None}
        assert await session.quit()


async def test_a_refused_message_cannot_pass_for_an_empty_one(opened: Open) -> None:
    """Whoever reads it without looking gets an error, and the next message."""
    async with Pop3Server(MESSAGES, answers={"RETR 1": b"-ERR gone\r\n"}) as server:
        session = await opened(server.address)
        retrieval = session.retr([1, 2])
        refused = await anext(retrieval)

        with pytest.raises(CommandRefused):
            await anext(refused.chunks)
        assert b"".join([chunk async for chunk in (await anext(retrieval)).chunks]) == MESSAGES[1]


async def test_a_message_nobody_reads_is_dropped_before_the_next(opened: Open) -> None:
    """Skipping one, or leaving in the middle of it, does not mix them up."""
    large = [b"Subject: %d\r\n\r\n" % number + b"x" * 300_000 + b"\r\n" for number in range(5)]
    async with Pop3Server(large) as server:
        session = await opened(server.address)
        kept = []
        async for incoming in session.retr([1, 2, 3, 4, 5]):
            async for chunk in incoming.chunks:
                if incoming.number == 4:
                    kept.append(chunk)
                elif incoming.number == 2:
                    break

        assert b"".join(kept) == large[3]


async def test_another_command_takes_over_from_a_retrieval(opened: Open) -> None:
    """What was in flight is dropped, its answers are not mistaken, and reading on is refused."""
    async with Pop3Server(MESSAGES) as server:
        session = await opened(server.address)
        retrieval = session.retr(list(range(1, 41)))
        first = await anext(retrieval)

        assert (await session.probe([40])).uids == {40: b"uid-40"}
        with pytest.raises(ConnectionLost):
            await anext(first.chunks)
        with pytest.raises(LocalProtocolError):
            await anext(retrieval)
        assert await fetched(session, [5]) == [MESSAGES[4]]


@pytest.mark.parametrize(
    ("answer", "family", "limits"),
    [
        (b"+OK\r\nhalf a mess", ConnectionLost, PATIENT),
        (b"+OK\r\nwithout its dot\r\n", ConnectionLost, PATIENT),
        (b"+OK\r\nlone LF\n.\n", ConnectionLost, PATIENT),
        (hang_up, ConnectionLost, PATIENT),
        (silence, ConnectionLost, HASTY),
        (b"Subject: no status\r\n\r\n.\r\n", RemoteProtocolError, PATIENT),
        (endless(b"+OK\r\n", b"x" * 10_000), MessageTooLarge, PATIENT),
        (endless(b"+OK\r\n", b".." * 5_000 + b"\r\n"), MessageTooLarge, PATIENT),
        (endless(b"", b"x" * 10_000), RemoteProtocolError, PATIENT),
        (drip(b"+OK\r\n" + b"x" * 500, 0.02), ConnectionLost, HASTY),
    ],
    ids=["half", "no dot", "lone LF", "closed", "silent", "no status", "endless", "dots", "line", "drip"],
)
async def test_a_message_without_its_final_dot_does_not_exist(
    opened: Open, limits: Limits, answer: Answer, family: type[BotError]
) -> None:
    """Reading it never ends normally, and ends in time; the socket is closed."""

    async def and_close(dialogue: Dialogue, line: str) -> None:
        assert isinstance(answer, bytes)
        await dialogue.write(answer)
        dialogue.close()

    bounded = replace(limits, message_octets=100_000)
    answers = {"RETR 2": and_close if isinstance(answer, bytes) else answer}
    async with Pop3Server(MESSAGES, answers=answers) as server:
        session = await opened(server.address, limits=bounded)

        with pytest.raises(family):
            await fetched(session, [1, 2, 3])
        await server.all_gone()


async def test_sizes_that_lie_change_nothing(opened: Open, limits: Limits) -> None:
    """What arrives is counted, whatever LIST said."""
    answers: dict[str, Answer] = {"LIST": b"+OK\r\n1 1\r\n2 999999999999\r\n3 0\r\n.\r\n"}
    async with Pop3Server(MESSAGES, answers=answers) as server:
        session = await opened(server.address)
        await session.sizes()

        assert await fetched(session, [1, 2, 3]) == MESSAGES[:3]


async def test_few_messages_are_in_flight_for_a_slow_consumer(opened: Open) -> None:
    """After a crash hardly any message is fetched a second time."""
    async with Pop3Server(MESSAGES) as server:
        session = await opened(server.address)
        ahead = []
        async for incoming in session.retr(list(range(1, 41))):
            await asyncio.sleep(0.005)  # storing it
            asked = sum(line.startswith("RETR") for line in server.commands)
            ahead.append(asked - incoming.number)

    assert sum(ahead) / len(ahead) < 5


async def test_large_messages_are_not_asked_for_together(opened: Open, limits: Limits) -> None:
    """Where sizes are known the octets in flight are bounded."""
    large = [b"x" * 5000 + b"\r\n"] * 20
    async with Pop3Server(large) as server:
        session = await opened(server.address, limits=replace(limits, first_window=16, window_octets=12_000))
        await session.sizes()
        await anext(session.retr(list(range(1, 21))))

        assert sum(line.startswith("RETR") for line in server.commands) <= 2


async def test_a_consumer_that_does_not_read_stops_the_server(
    certificates: Certificates, opened: Open
) -> None:
    """A large message waits in the network, not in our memory."""
    answer = endless(b"+OK\r\n", b"x" * 65536)
    async with Pop3Server(
        MESSAGES, security=Security.TLS, tls=certificates.server(), answers={"RETR": answer}
    ) as server:
        session = await opened(server.address)
        incoming = await anext(session.retr([1]))
        await anext(incoming.chunks)
        before = -1
        while before != server.octets:  # until the server is stuck
            before = server.octets
            await asyncio.sleep(0.1)

        assert session.buffered < 2_000_000
        session.abort()


async def test_a_slow_consumer_is_not_a_slow_server(opened: Open, limits: Limits) -> None:
    """Deadlines stand still while we are busy ourselves."""
    short = replace(
        limits,
        command=timedelta(seconds=1.5),
        session=timedelta(seconds=1.5),
        progress_window=timedelta(seconds=1.5),
    )
    large = [b"x" * 3_000_000 + b"\r\n"] * 3
    async with Pop3Server(large) as server:
        session = await opened(server.address, limits=short)
        octets = 0
        async for incoming in session.retr([1, 2, 3]):
            if incoming.number < 3:
                await asyncio.sleep(1.6)
            async for chunk in incoming.chunks:
                octets += len(chunk)
                await asyncio.sleep(0.01)

        assert octets == 9_000_006


async def test_a_steady_stream_outlives_the_deadlines(opened: Open, limits: Limits) -> None:
    """A slow but honest server may take as long as its octets are worth."""

    async def steady(dialogue: Dialogue, line: str) -> None:
        await dialogue.write(b"+OK\r\n")
        for _ in range(100):
            await dialogue.write(b"x" * 2000)
            await asyncio.sleep(0.02)
        await dialogue.write(b"\r\n.\r\n")

    short = replace(
        limits,
        command=timedelta(seconds=1.8),
        session=timedelta(seconds=1.8),
        progress_window=timedelta(seconds=1.8),
    )
    async with Pop3Server(MESSAGES, answers={"RETR": steady}) as server:
        session = await opened(server.address, limits=short)

        assert await fetched(session, [1]) == [b"x" * 200_000 + b"\r\n"]


async def test_a_drip_is_ended_by_its_speed(opened: Open, limits: Limits) -> None:
    """One octet now and then keeps no session open."""
    async with Pop3Server(MESSAGES, answers={"RETR": drip(b"+OK\r\n" + b"x" * 10_000, 0.005)}) as server:
        session = await opened(server.address, limits=replace(limits, progress_window=timedelta(seconds=0.4)))

        async with asyncio.timeout(20):
            with pytest.raises(ConnectionLost):
                await fetched(session, [1])


async def test_cancelling_a_reader_closes_the_socket(opened: Open, limits: Limits) -> None:
    """No task and no connection is left behind."""
    reached = asyncio.Event()

    async def stop(dialogue: Dialogue, line: str) -> None:
        await dialogue.write(b"+OK\r\nhalf")
        reached.set()
        await dialogue.end_of_input()

    async with Pop3Server(MESSAGES, answers={"RETR": stop}) as server:
        session = await opened(server.address, limits=Limits())
        tasks = len(asyncio.all_tasks())
        reader = asyncio.create_task(fetched(session, [1]))
        await reached.wait()
        reader.cancel()

        with pytest.raises(asyncio.CancelledError):
            await reader
        await server.all_gone()
        assert len(asyncio.all_tasks()) < tasks


async def test_an_abort_wakes_the_reader(opened: Open) -> None:
    """A message that is cut off by us does not look whole either."""
    async with Pop3Server(MESSAGES, answers={"RETR": endless(b"+OK\r\n", b"x" * 1000)}) as server:
        session = await opened(server.address)
        incoming = await anext(session.retr([1]))
        await anext(incoming.chunks)
        session.abort()

        with pytest.raises(ConnectionLost):
            await anext(incoming.chunks)
