"""Servers that mean harm: every command answered in every bad way, bounded in time and memory.

The rows are commands, the columns what comes in place of an answer. Whatever it is, the session ends within its
deadline, holds no more than its bounds, closes its socket, and the person reads a sentence of ours.
"""

from __future__ import annotations

import asyncio
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import (
    BotError,
    ConnectionLost,
    MessageTooLarge,
    RemoteProtocolError,
    ServerUnreachable,
    TlsUnavailable,
)
from bot.mail.pop3_client import Limits, Session
from storage.records import Secret, Security
from tests.fakes.pop3_server import (
    CAPABILITIES,
    Answer,
    Dialogue,
    Pop3Server,
    drip,
    endless,
    hang_up,
    silence,
)
from tests.integration.pop3.conftest import PATIENT

if TYPE_CHECKING:
    from tests.fakes.certificates import Certificates

Open = Callable[..., Awaitable[Session]]
Act = Callable[[Session], Awaitable[Any]]

USER = "user@example.org"
MESSAGES = [b"Subject: %d\r\n\r\nbody\r\n" % number for number in range(1, 6)]
SECONDS = 25
"""Far above every deadline that ends something below, and less than what no answer is meant to reach."""
MOST_OCTETS = 8_000_000

BOUNDED = replace(PATIENT, listing_lines=5000, listing_octets=200_000, message_octets=300_000)
BRIEF = replace(
    BOUNDED,
    handshake=timedelta(seconds=0.5),
    command=timedelta(seconds=0.5),
    progress_window=timedelta(seconds=0.5),
)
"""For what nothing but a deadline ends."""


@pytest.fixture
def limits() -> Limits:
    """Bounds that a test can reach, and deadlines that only a test about them does."""
    return BOUNDED


@dataclass(frozen=True)
class Row:
    """A command, what it takes to send it, and what is there to be said for its answer."""

    verb: str
    act: Act
    security: Security = Security.NONE
    capabilities: tuple[str, ...] = CAPABILITIES


async def login(session: Session) -> None:
    """The login."""
    await session.login(USER, Secret("correct"))


def logged_in(act: Act) -> Act:
    """The same after a login."""

    async def both(session: Session) -> None:
        await login(session)
        await act(session)

    return both


async def fetch(session: Session) -> None:
    """Messages, read and dropped."""
    async for incoming in session.retr([1, 2, 3]):
        async for _ in incoming.chunks:
            pass


async def nothing(session: Session) -> None:
    """Connecting was enough."""


NO_PLAIN = tuple(line for line in CAPABILITIES if "PLAIN" not in line)
ROWS = [
    Row("CAPA", nothing),
    Row("STLS", nothing, Security.STARTTLS),
    Row("AUTH", login),
    Row("USER", login, capabilities=NO_PLAIN),
    Row("PASS", login, capabilities=NO_PLAIN),
    Row("STAT", logged_in(lambda session: session.probe([1, 2]))),
    Row("UIDL 2", logged_in(lambda session: session.probe([1, 2]))),
    Row("UIDL", logged_in(lambda session: session.uidl())),
    Row("LIST", logged_in(lambda session: session.sizes())),
    Row("LIST 2", logged_in(lambda session: session.sizes([1, 2]))),
    Row("TOP", logged_in(lambda session: session.top(1, 60))),
    Row("RETR 2", logged_in(fetch)),
    Row("DELE 2", logged_in(lambda session: session.dele([1, 2]))),
    Row("RSET", logged_in(lambda session: session.rset())),
    Row("NOOP", logged_in(lambda session: session.noop())),
]
GARBAGE = b"\xff\x00\x1b[2J\xe2\x80\xae user@example.org <script> %s%n\r\n" * 50
BAD_ANSWERS: dict[str, tuple[Answer, type[BotError]]] = {
    "silence": (silence, ConnectionLost),
    "closed": (hang_up, ConnectionLost),
    "a drip": (drip(b"+OK " + b"x" * 400 + b"\r\n", 0.02), ConnectionLost),
    "half a line": (b"+OK 1 1", ConnectionLost),
    "garbage": (GARBAGE, RemoteProtocolError),
    "a line without end": (endless(b"+OK ", b"x" * 10_000), RemoteProtocolError),
    "NUL without end": (endless(b"", bytes(10_000)), RemoteProtocolError),
    "line ends without end": (endless(b"", b"\r\n" * 1000), RemoteProtocolError),
}
LATE = {"silence", "a drip", "half a line"}
"""Those that end with a deadline."""


@asynccontextmanager
async def bounds(server: Pop3Server) -> AsyncIterator[None]:
    """What happens in here takes its time and memory, and leaves no connection behind."""
    began = time.perf_counter()
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - began < SECONDS
    assert peak < MOST_OCTETS
    await server.all_gone()


async def harm(connecting: Open, server: Pop3Server, act: Act, limits: Limits = BOUNDED) -> BotError:
    """How connecting, or what was done then, failed."""
    with pytest.raises(BotError) as caught:
        async with await connecting(server.address, limits=limits) as session:
            await act(session)
    return caught.value


@pytest.mark.parametrize("column", BAD_ANSWERS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.verb)
async def test_every_command_answered_in_every_bad_way(
    certificates: Certificates, connecting: Open, row: Row, column: str
) -> None:
    """The right family, in time, without the server's words in the sentence."""
    answer, family = BAD_ANSWERS[column]
    async with (
        Pop3Server(
            MESSAGES,
            security=row.security,
            tls=certificates.server(),
            capabilities=row.capabilities,
            answers={row.verb: answer},
        ) as server,
        bounds(server),
    ):
        error = await harm(connecting, server, row.act, BRIEF if column in LATE else BOUNDED)

    assert type(error) is family
    assert error.sentence == family.words
    assert "example" not in error.detail
    assert error.detail.isprintable()


@pytest.mark.parametrize("column", BAD_ANSWERS)
async def test_every_bad_greeting_reads_like_nobody_there(connecting: Open, column: str) -> None:
    """One wording, so that nobody learns what listens on a port."""
    async with Pop3Server(greeting=BAD_ANSWERS[column][0]) as server, bounds(server):
        error = await harm(connecting, server, nothing, BRIEF if column in LATE else BOUNDED)

    assert (type(error), error.sentence) == (ServerUnreachable, ServerUnreachable.words)


@pytest.mark.parametrize("column", BAD_ANSWERS)
async def test_every_bad_goodbye_counts_as_none(connecting: Open, column: str) -> None:
    """Deletions are then looked for in the next listing; leaving is no error."""
    limits = BRIEF if column in LATE else BOUNDED
    async with Pop3Server(answers={"QUIT": BAD_ANSWERS[column][0]}) as server, bounds(server):
        async with await connecting(server.address, limits=limits) as session:
            await login(session)
            has_left = await session.quit()

        assert not has_left


FLOODS: dict[str, tuple[str, Act, Answer, type[BotError]]] = {
    "CAPA": ("CAPA", nothing, endless(b"+OK\r\n", b"X-A\r\n" * 1000), RemoteProtocolError),
    "UIDL": ("UIDL", logged_in(Session.uidl), endless(b"+OK\r\n", b"1 a\r\n" * 1000), RemoteProtocolError),
    "UIDL, dots": (
        "UIDL",
        logged_in(Session.uidl),
        endless(b"+OK\r\n", b"..\r\n" * 1000),
        RemoteProtocolError,
    ),
    "LIST": ("LIST", logged_in(Session.sizes), endless(b"+OK\r\n", b"1 2 x\r\n" * 1000), RemoteProtocolError),
    "RETR": ("RETR", logged_in(fetch), endless(b"+OK\r\n", b"x\r\n" * 5000), MessageTooLarge),
    "RETR, dots": ("RETR", logged_in(fetch), endless(b"+OK\r\n", b"..\r\n" * 5000), MessageTooLarge),
    "RETR, nearly ends": (
        "RETR",
        logged_in(fetch),
        endless(b"+OK\r\n", b"\r\n.\r\r\n" * 3000),
        MessageTooLarge,
    ),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_every_flood_has_an_end(connecting: Open, flood: str) -> None:
    """Answers of many lines that go on for ever, at full speed."""
    verb, act, answer, family = FLOODS[flood]
    async with Pop3Server(MESSAGES, answers={verb: answer}) as server, bounds(server):
        assert type(await harm(connecting, server, act)) is family


async def test_a_flood_for_top_is_cut_and_ends_the_session(connecting: Open, limits: Limits) -> None:
    """What came is the answer, since the next session would get no further; no command follows it."""
    answers: dict[str, Answer] = {"TOP": endless(b"+OK\r\n", b"x" * 9000)}
    async with Pop3Server(MESSAGES, answers=answers) as server, bounds(server):
        session = await connecting(server.address, limits=replace(limits, top_octets=1000))
        await login(session)

        assert await session.top(1, 1) == b"x" * 1000
        with pytest.raises(ConnectionLost):
            await session.noop()


def crawl(octets: bytes) -> Answer:
    """Goes on for ever, a little faster than the least speed allowed."""

    async def answer(dialogue: Dialogue, line: str) -> None:
        await dialogue.write(b"+OK\r\n")
        while True:
            await dialogue.write(octets)
            await asyncio.sleep(0.02)

    return answer


@pytest.mark.parametrize(
    ("verb", "act"),
    [("UIDL", Session.uidl), ("RETR", fetch), ("TOP", lambda session: session.top(1, 1))],
    ids=["UIDL", "RETR", "TOP"],
)
async def test_just_fast_enough_for_ever_ends_too(connecting: Open, verb: str, act: Act) -> None:
    """The session's deadline grows with what comes, but slower than time goes by."""
    answer = crawl(b"1 abcdefghijklmnopqrstuvwxyz\r\n")
    limits = replace(BOUNDED, session=timedelta(seconds=1), progress_window=timedelta(seconds=0.3))
    async with Pop3Server(MESSAGES, answers={verb: answer}) as server, bounds(server):
        error = await harm(connecting, server, logged_in(act), limits)

    assert (type(error), error.detail) == (ConnectionLost, "too slow")


DOUBLED: dict[str, tuple[Act, bytes]] = {
    "STAT": (lambda session: session.probe([]), b"+OK 5 100\r\n"),
    "UIDL 2": (lambda session: session.probe([1, 2]), b"+OK 2 uid-2\r\n"),
    "UIDL": (Session.uidl, b"+OK\r\n1 a\r\n.\r\n"),
    "LIST": (Session.sizes, b"+OK\r\n1 10\r\n.\r\n"),
    "TOP": (lambda session: session.top(1, 1), b"+OK\r\nSubject: x\r\n\r\n.\r\n"),
    "RETR 3": (fetch, b"+OK\r\nSubject: x\r\n\r\n.\r\n"),
    "DELE 2": (lambda session: session.dele([1, 2]), b"+OK\r\n"),
    "NOOP": (Session.noop, b"+OK\r\n"),
}


@pytest.mark.parametrize("verb", DOUBLED)
async def test_an_answer_too_many_is_never_taken_for_the_next(opened: Open, verb: str) -> None:
    """Two answers to one command: no later command is sent into such a session, and no QUIT makes DELE count."""
    act, answer = DOUBLED[verb]
    async with Pop3Server(MESSAGES, answers={verb: answer * 2}) as server:
        session = await opened(server.address)
        await act(session)

        assert not await session.quit()
        await server.all_gone()
        assert "QUIT" not in server.commands


@pytest.mark.parametrize(
    "uid",
    [
        b"a/../../b",
        b"x" * 71,
        b"\xff\xfe\xc3\x28",
        b"%s\x00",
        b"'; --",
        b"two words",
        b"+OK",
        b"-ERR",
        b".dot",
    ],
)
async def test_a_uid_is_any_octets(opened: Open, uid: bytes) -> None:
    """It is kept as it came, in the listing and in the probe."""
    async with Pop3Server(MESSAGES[:2], uids=[uid, uid]) as server:
        session = await opened(server.address)

        assert list(await session.uidl()) == [(1, uid), (2, uid)]
        assert (await session.probe([2])).uids == {2: uid}


@pytest.mark.parametrize("answer", [b"+OK -1 5\r\n", b"+OK 2147483648 5\r\n", b"+OK 1e9 5\r\n", b"+OK\r\n"])
async def test_a_count_that_cannot_be_is_not_believed(connecting: Open, answer: bytes) -> None:
    """Nothing is ever sized by a number of the server's."""
    async with Pop3Server(MESSAGES, answers={"STAT": answer}) as server, bounds(server):
        error = await harm(connecting, server, logged_in(lambda session: session.probe([1])))

    assert type(error) is RemoteProtocolError


async def test_a_server_that_wants_retr_before_dele_is_no_fault(opened: Open) -> None:
    """Its refusal is told apart from a deletion, and the session goes on."""
    async with Pop3Server(MESSAGES, answers={"DELE": b"-ERR RETR it first\r\n"}) as server:
        session = await opened(server.address)

        assert await session.dele([1, 2]) == []
        assert await session.quit()


# TLS


@pytest.mark.filterwarnings("ignore:.*TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_old_tls_is_no_protection(
    certificates: Certificates, connecting: Open, security: Security
) -> None:
    """Versions before 1.2 are refused, and nothing private is said."""
    context = certificates.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with Pop3Server(security=security, tls=context) as server:
        async with bounds(server):
            error = await harm(connecting, server, login)

        # How it breaks off is chance: the refusal may be overtaken by the end of the connection.
        assert type(error) in {TlsUnavailable, ServerUnreachable, ConnectionLost}
        assert not [line for line in server.commands if line.startswith(("AUTH", "USER", "PASS"))]


@pytest.mark.parametrize(
    "greeting", [drip(b"\x16\x03\x03\x40\x00" + bytes(500), 0.02), endless(b"\x16\x03\x03", bytes(9999))]
)
async def test_a_handshake_that_never_ends(connecting: Open, greeting: Answer) -> None:
    """Slowly or fast, it has its own deadline."""
    async with Pop3Server(greeting=greeting) as server, bounds(server):
        with pytest.raises((ServerUnreachable, TlsUnavailable)):
            await connecting(replace(server.address, security=Security.TLS), limits=BRIEF)
