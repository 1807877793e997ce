"""Commands after the login, against servers that do as they like."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import (
    BotError,
    CommandRefused,
    ConnectionLost,
    LocalProtocolError,
    RemoteProtocolError,
    ServerBusy,
    UidlUnsupported,
)
from bot.mail.pop3_client import Limits, Session
from storage.records import Security
from tests.fakes.pop3_server import Answer, Dialogue, Pop3Server, drip, endless, hang_up, silence
from tests.integration.pop3.conftest import HASTY, PATIENT

if TYPE_CHECKING:
    from tests.fakes.certificates import Certificates

Open = Callable[..., Awaitable[Session]]
Act = Callable[[Session], Awaitable[Any]]

MESSAGES = [b"Subject: %d\r\n\r\nbody\r\n" % number for number in range(1, 6)]


async def uidl(session: Session) -> Any:
    """The full listing."""
    return list(await session.uidl())


async def sizes(session: Session) -> Any:
    """All sizes."""
    return await session.sizes()


async def probe(session: Session) -> Any:
    """STAT and UIDL of two."""
    return await session.probe([1, 2])


async def outcome(opened: Open, answers: dict[str, Answer], act: Act, **arguments: Any) -> Any:
    """What an act gives, or how it failed, on a server with these answers; a broken session closes its socket."""
    async with Pop3Server(MESSAGES, answers=answers) as server:
        session = await opened(server.address, **arguments)
        try:
            result = await act(session)
        except BotError as error:
            if not isinstance(error, CommandRefused | UidlUnsupported | ServerBusy):
                await server.all_gone()
            return type(error)
        await session.quit()
        return result


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"+OK\r\n.\r\n", []),
        (b"+OK\r\n2 a\r\n1 a\r\n.\r\n", [(1, b"a"), (2, b"a")]),
        (b"+OK\r\n1 a\r\n2\r\n3 \r\n4 b\r\n.\r\n", [(1, b"a"), (4, b"b")]),
        (b"+OK\n1 a\n.\n", [(1, b"a")]),
        (b"+OK\r\n1 " + b"u" * 1024 + b"\r\n.\r\n", [(1, b"u" * 1024)]),
        (b"-ERR unknown command\r\n", UidlUnsupported),
        (b"-ERR no\r\n", UidlUnsupported),
        (b"-ERR [SYS/TEMP] later\r\n", ServerBusy),
        (b"+OK\r\n1 " + b"u" * 1025 + b"\r\n.\r\n", RemoteProtocolError),
        (b"+OK\r\n1 a\r\n1 b\r\n.\r\n", RemoteProtocolError),
        (b"+OK\r\n1 a\r\n" + b"%d u\r\n" * 3000 % tuple(range(3000, 0, -1)) + b".\r\n", RemoteProtocolError),
        (b"+OK\r\n0 a\r\n.\r\n", RemoteProtocolError),
        (b"+OK\r\n-1 a\r\n.\r\n", RemoteProtocolError),
        (b"+OK\r\n4294967297 a\r\n.\r\n", RemoteProtocolError),
        (b"+OK\r\nhello\r\n.\r\n", RemoteProtocolError),
        (b"+OK\r\n" + b"x" * 9000, RemoteProtocolError),
        (b"what?\r\n", RemoteProtocolError),
        (b"+OK\r\n1 a\r\n", ConnectionLost),
        (silence, ConnectionLost),
        (hang_up, ConnectionLost),
        (endless(b"+OK\r\n", b"1 a\r\n" * 1000), RemoteProtocolError),
        (endless(b"+OK\r\n", b"x" * 1000), RemoteProtocolError),
        (endless(b"+OK ", b"x" * 1000), RemoteProtocolError),
    ],
)
async def test_uidl(opened: Open, answer: Answer, expected: Any) -> None:
    """A listing is whole and clean, or an error; never a guess, never without end."""
    is_unfinished = answer in (silence, b"+OK\r\n1 a\r\n")
    bounded = replace(HASTY if is_unfinished else PATIENT, listing_lines=5000)

    assert await outcome(opened, {"UIDL": answer}, uidl, limits=bounded) == expected


async def test_a_listing_is_bounded_in_octets_too(opened: Open, limits: Limits) -> None:
    """Few lines may be long."""
    bounded = replace(limits, listing_octets=10_000)
    answer = endless(b"+OK\r\n", b"1 " + b"u" * 1000 + b"\r\n")

    assert await outcome(opened, {"UIDL": answer}, uidl, limits=bounded) is RemoteProtocolError


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"+OK\r\n1 10\r\n3 30 octets\r\n.\r\n", {1: 10, 3: 30}),
        (b"-ERR no\r\n", CommandRefused),
        (b"+OK\r\n1 x\r\n.\r\n", RemoteProtocolError),
        (b"+OK\r\n1 10\r\n1 11\r\n.\r\n", RemoteProtocolError),
    ],
)
async def test_sizes(opened: Open, answer: Answer, expected: Any) -> None:
    """LIST as a whole."""
    assert await outcome(opened, {"LIST": answer}, sizes) == expected


@pytest.mark.parametrize("count", [1, 5])
async def test_sizes_of_some(opened: Open, limits: Limits, count: int) -> None:
    """Few by number, many by one LIST; what the server does not know is left out."""
    async with Pop3Server(MESSAGES) as server:
        session = await opened(server.address, limits=replace(limits, window=2))
        numbers = [*range(1, count + 1), *range(90, 90 + 4 * count)]

        assert await session.sizes(numbers) == {
            number: len(MESSAGES[number - 1]) for number in numbers[:count]
        }
        assert ("LIST" in server.commands) == (count == 5)


async def test_sizes_one_by_one_come_by_one_list(opened: Open, limits: Limits) -> None:
    """A server that lists everything whatever it was asked for can be used once pipelining is off."""
    full = b"+OK\r\n" + b"".join(b"%d 20\r\n" % number for number in range(1, 6)) + b".\r\n"
    async with Pop3Server(MESSAGES, answers={"LIST": full}) as server:
        session = await opened(server.address, limits=replace(limits, pipelining=False))

        assert await session.sizes([2]) == {2: 20}
        await session.noop()


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, {1: b"uid-1", 2: b"uid-2"}),
        ({"UIDL 2": b"-ERR no such message\r\n"}, {1: b"uid-1", 2: None}),
        ({"UIDL 2": b"+OK 3 other\r\n"}, RemoteProtocolError),
        ({"UIDL 2": b"+OK\r\n1 a\r\n.\r\n"}, RemoteProtocolError),
        ({"STAT": b"-ERR no\r\n"}, CommandRefused),
        ({"STAT": b"+OK many\r\n"}, RemoteProtocolError),
        ({"STAT": silence}, ConnectionLost),
        ({"UIDL 1": hang_up}, ConnectionLost),
    ],
)
async def test_the_probe(opened: Open, answers: dict[str, Answer], expected: Any) -> None:
    """What the end of the list looks like, or why that is unknown."""
    limits = HASTY if silence in answers.values() else PATIENT
    found = await outcome(opened, answers, probe, limits=limits)

    assert getattr(found, "uids", found) == expected


async def test_an_empty_poll_is_one_flight_after_the_login(opened: Open) -> None:
    """The probe's commands are there before its first answer."""
    arrived: list[int] = []

    async def slowly(dialogue: Dialogue, line: str) -> None:
        arrived.append(len(dialogue.pending()))
        await dialogue.write(b"+OK 5 100\r\n")

    async with Pop3Server(MESSAGES, answers={"STAT": slowly}) as server:
        session = await opened(server.address, remembered=frozenset({"SASL PLAIN"}))
        await session.probe([5, 6])
        await session.quit(wait=False)
        await server.all_gone()

        assert arrived == [2]
        assert [line.split(" ")[0] for line in server.commands] == ["AUTH", "STAT", "UIDL", "UIDL", "QUIT"]


@pytest.mark.parametrize("pipelining", [True, False])
async def test_commands_in_flight_are_bounded(opened: Open, limits: Limits, pipelining: bool) -> None:  # noqa: FBT001 - both ways
    """By number, by octets, and to one where pipelining is off."""
    unread: list[int] = []

    async def watch(dialogue: Dialogue, line: str) -> None:
        unread.append(len(dialogue.pending()))
        await dialogue.write(b"+OK\r\n")

    some = replace(limits, pipelining=pipelining, command_octets=100)
    async with Pop3Server(MESSAGES, answers={"DELE": watch}) as server:
        session = await opened(server.address, limits=some)

        assert await session.dele(range(1, 200)) == list(range(1, 200))

    assert max(unread) in (range(3, 12) if pipelining else [0])


async def test_a_server_that_writes_without_reading_ends_in_no_deadlock(opened: Open, limits: Limits) -> None:
    """Long answers to many commands pass, although it reads the next command only when one is answered."""

    async def long_refusal(dialogue: Dialogue, line: str) -> None:
        await dialogue.write(b"-ERR " + b"x" * 4000 + b"\r\n")

    async with Pop3Server(answers={"DELE": long_refusal}) as server:
        session = await opened(server.address, limits=replace(limits, session=timedelta(seconds=30)))

        assert await session.dele(range(1, 3000)) == []


async def test_the_work_for_a_listing_grows_with_it_and_no_faster(
    certificates: Certificates, opened: Open
) -> None:
    """100,000 UIDs cost ten times what 10,000 do, not a hundred times."""

    async def work(count: int) -> float:
        uids = [b"%016x" % number for number in range(count)]
        async with Pop3Server(
            [b""] * count, uids=uids, security=Security.TLS, tls=certificates.server()
        ) as server:
            session = await opened(server.address)
            began = time.process_time()
            rows = list(await session.uidl())
            spent = time.process_time() - began

        assert rows == list(enumerate(uids, 1))
        return spent

    small = [await work(10_000) for _ in range(3)]

    assert await work(100_000) < 30 * max(small)


@pytest.mark.parametrize(
    ("answer", "expected", "limits"),
    [
        (b"+OK bye\r\n", True, PATIENT),
        (b"-ERR some messages not removed\r\n", False, PATIENT),
        (b"gone\r\n", False, PATIENT),
        (silence, False, HASTY),
        (hang_up, False, PATIENT),
        (drip(b"+OK bye, this takes a while\r\n", 0.1), False, HASTY),
    ],
)
async def test_only_an_answered_quit_counts(
    opened: Open, limits: Limits, answer: Answer, *, expected: bool
) -> None:
    """Whatever else happens is not an error, and the socket is closed."""
    async with Pop3Server(MESSAGES, answers={"QUIT": answer}) as server:
        session = await opened(server.address)

        assert await session.quit() is expected
        await server.all_gone()


@pytest.mark.parametrize("security", list(Security))
async def test_leaving_without_waiting_still_says_quit(
    certificates: Certificates, opened: Open, security: Security
) -> None:
    """The maildrop's lock is given back at once, however long the server thinks about it."""
    forever = timedelta(days=1)
    async with Pop3Server(security=security, tls=certificates.server(), answers={"QUIT": silence}) as server:
        session = await opened(server.address, limits=Limits(command=forever, session=forever))

        assert not await session.quit(wait=False)
        await server.all_gone()
        assert server.commands[-1] == "QUIT"


async def test_top_is_bounded(opened: Open, limits: Limits) -> None:
    """A server that sends the whole message where its head was asked for fills no memory."""
    async with Pop3Server([b"Subject: 1\r\n\r\n" + b"x" * 100_000]) as server:
        session = await opened(server.address, limits=replace(limits, top_octets=1000))

        assert await session.top(1, 5) == (b"Subject: 1\r\n\r\n" + b"x" * 1000)[:1000]
        await session.noop()


async def test_top_without_end_gives_its_beginning(opened: Open, limits: Limits) -> None:
    """A head that never ends is still a head: the message gets its card, though the session is over."""
    flood = endless(b"+OK\r\nSubject: 1\r\n\r\n", b"x" * 10_000)
    async with Pop3Server([b"x"], answers={"TOP": flood}) as server:
        session = await opened(server.address, limits=replace(limits, top_octets=20, message_octets=50_000))

        assert await session.top(1, 5) == b"Subject: 1\r\n\r\nxxxxxx"
        with pytest.raises(ConnectionLost):
            await session.noop()


@pytest.mark.parametrize("command", ["RSET", "NOOP"])
async def test_a_refused_command_leaves_the_session_alone(opened: Open, command: str) -> None:
    """-ERR after the login is no reason to hang up."""
    async with Pop3Server(answers={command: b"-ERR not for user@example.org\r\n"}) as server:
        session = await opened(server.address)

        with pytest.raises(CommandRefused) as caught:
            await getattr(session, command.lower())()
        assert "example" not in caught.value.detail
        assert await session.quit()


@pytest.mark.parametrize("number", [0, -1, 2**31])
async def test_numbers_that_cannot_be_are_ours_to_refuse(opened: Open, number: int) -> None:
    """Nothing is sent, and the session goes on."""
    async with Pop3Server() as server:
        session = await opened(server.address)

        with pytest.raises(LocalProtocolError):
            await session.dele([number])
        with pytest.raises(LocalProtocolError):
            session.retr([number])
        assert await session.quit()


async def test_abort_is_safe_at_any_time(opened: Open) -> None:
    """Twice, after the end, and every later command says that the session is over."""
    async with Pop3Server() as server:
        session = await opened(server.address)
        session.abort()
        session.abort()
        await server.all_gone()

        with pytest.raises(ConnectionLost):
            await session.noop()
        assert not await session.quit()


async def many_noops(session: Session) -> None:
    """One after the other."""
    for _ in range(50):
        await session.noop()


async def test_the_session_has_a_deadline_of_its_own(opened: Open, limits: Limits) -> None:
    """Answers that each come in time do not add up for ever."""
    bounded = replace(limits, session=timedelta(seconds=0.6), allowance_octets=10_000)
    async with Pop3Server(answers={"NOOP": drip(b"+OK\r\n", 0.02)}) as server:
        session = await opened(server.address, limits=bounded)

        with pytest.raises(ConnectionLost):
            await many_noops(session)
