"""Servers that mean harm: every command answered in every bad way, bounded in time and memory.

The rows are commands, the columns what comes in place of an answer. Whatever it is, the session ends within its
deadline, holds no more than its bounds, closes its socket, and the person reads a sentence of ours.
"""

from __future__ import annotations

import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

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
from tests.fakes.certificates import Certificates
from tests.fakes.pop3_server import CAPABILITIES, Answer, Dialogue, Pop3Server, drip, endless, hang_up, silence

Open = Callable[..., Awaitable[Session]]
Act = Callable[[Session], Awaitable[Any]]

USER = "user@example.org"
MESSAGES = [b"Subject: %d\r\n\r\nbody\r\n" % number for number in range(1, 6)]
SECONDS = 2.5
"""Far above every deadline below, far below what a missing one would take."""
MOST_OCTETS = 8_000_000

BOUNDED = Limits(
    connect=timedelta(seconds=1),
    handshake=timedelta(seconds=0.3),
    command=timedelta(seconds=0.3),
    session=timedelta(seconds=1),
    progress_window=timedelta(seconds=0.3),
    farewell=timedelta(seconds=0.2),
    listing_lines=5000,
    listing_octets=200_000,
    message_octets=300_000,
)


@pytest.fixture
def limits() -> Limits:
    """Deadlines and bounds that a test can reach."""
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
    "half a line": (drip(b"+OK 1 1", 0), ConnectionLost),
    "garbage": (GARBAGE, RemoteProtocolError),
    "a line without end": (endless(b"+OK ", b"x" * 10_000), RemoteProtocolError),
    "NUL without end": (endless(b"", bytes(10_000)), RemoteProtocolError),
    "line ends without end": (endless(b"", b"\r\n" * 1000), RemoteProtocolError),
}


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


async def harm(connecting: Open, server: Pop3Server, act: Act) -> BotError:
    """How connecting, or what was done then, failed."""
    with pytest.raises(BotError) as caught:
        async with await connecting(server.address) as session:
            await act(session)
    return caught.value


@pytest.mark.parametrize("column", BAD_ANSWERS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.verb)
async def test_every_command_answered_in_every_bad_way(
    certificates: Certificates, connecting: Open, row: Row, column: str
) -> None:
    """The right family, in time, without the server's words in the sentence."""
    answer, family = BAD_ANSWERS[column]
    async with Pop3Server(
        MESSAGES,
        security=row.security,
        tls=certificates.server(),
        capabilities=row.capabilities,
        answers={row.verb: answer},
    ) as server:
        async with bounds(server):
            error = await harm(connecting, server, row.act)

    assert type(error) is family
    assert error.sentence == family.words
    assert "example" not in error.detail
    assert error.detail.isprintable()


@pytest.mark.parametrize("column", BAD_ANSWERS)
async def test_every_bad_greeting_reads_like_nobody_there(connecting: Open, column: str) -> None:
    """One wording, so that nobody learns what listens on a port."""
    async with Pop3Server(greeting=BAD_ANSWERS[column][0]) as server:
        async with bounds(server):
            error = await harm(connecting, server, nothing)

    assert (type(error), error.sentence) == (ServerUnreachable, ServerUnreachable.words)


@pytest.mark.parametrize("column", BAD_ANSWERS)
async def test_every_bad_goodbye_counts_as_none(connecting: Open, column: str) -> None:
    """Deletions are then looked for in the next listing; leaving is no error."""
    async with Pop3Server(answers={"QUIT": BAD_ANSWERS[column][0]}) as server, bounds(server):
        async with await connecting(server.address) as session:
            await login(session)
            has_left = await session.quit()

        assert has_left is (column == "a drip" and has_left)


FLOODS: dict[str, tuple[str, Act, Answer, type[BotError]]] = {
    "CAPA": ("CAPA", nothing, endless(b"+OK\r\n", b"X-A\r\n" * 1000), RemoteProtocolError),
    "UIDL": ("UIDL", logged_in(Session.uidl), endless(b"+OK\r\n", b"1 a\r\n" * 1000), RemoteProtocolError),
    "UIDL, dots": ("UIDL", logged_in(Session.uidl), endless(b"+OK\r\n", b"..\r\n" * 1000), RemoteProtocolError),
    "LIST": ("LIST", logged_in(Session.sizes), endless(b"+OK\r\n", b"1 2 x\r\n" * 1000), RemoteProtocolError),
    "RETR": ("RETR", logged_in(fetch), endless(b"+OK\r\n", b"x\r\n" * 5000), MessageTooLarge),
    "RETR, dots": ("RETR", logged_in(fetch), endless(b"+OK\r\n", b"..\r\n" * 5000), MessageTooLarge),
    "RETR, nearly ends": (
        "RETR",
        logged_in(fetch),
        endless(b"+OK\r\n", b"\r\n.\r\r\n" * 3000),
        MessageTooLarge,
    ),
    "TOP": (
        "TOP",
        logged_in(lambda session: session.top(1, 1)),
        endless(b"+OK\r\n", b"x" * 9000),
        MessageTooLarge,
    ),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_every_flood_has_an_end(connecting: Open, flood: str) -> None:
    """Answers of many lines that go on for ever, at full speed."""
    verb, act, answer, family = FLOODS[flood]
    async with Pop3Server(MESSAGES, answers={verb: answer}) as server, bounds(server):
        assert type(await harm(connecting, server, act)) is family


def steady(octets: bytes) -> Answer:
    """Goes on for ever, a little faster than the least speed allowed."""

    async def answer(dialogue: Dialogue, line: str) -> None:
        await drip(b"+OK\r\n", 0)(dialogue, line) if not isinstance(octets, bytes) else None
        await dialogue.write(b"+OK\r\n")
        while True:
            await drip(octets, 0.001)(dialogue, line)

    return answer


@pytest.mark.parametrize(
    ("verb", "act"),
    [("UIDL", Session.uidl), ("RETR", fetch), ("TOP", lambda session: session.top(1, 1))],
    ids=["UIDL", "RETR", "TOP"],
)
async def test_just_fast_enough_for_ever_ends_too(connecting: Open, verb: str, act: Act) -> None:
    """The session's deadline grows with what comes, but slower than time goes by."""
    crawl = endless_crawl(b"1 abcdefghijklmnop\r\n" if verb == "UIDL" else b"x" * 20)
    async with Pop3Server(MESSAGES, answers={verb: crawl}) as server, bounds(server):
        error = await harm(connecting, server, logged_in(act))

    assert type(error) in {ConnectionLost, RemoteProtocolError}


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.verb not in {"STLS", "CAPA", "QUIT"}], ids=lambda row: row.verb
)
async def test_an_answer_too_many_is_never_taken_for_the_next(connecting: Open, row: Row) -> None:
    """Two answers to one command: nothing after that is believed."""
    server = Pop3Server(MESSAGES, capabilities=row.capabilities)
    server.answers[row.verb] = twice
    async with server, await connecting(server.address) as session:
        with pytest.raises(RemoteProtocolError):
            await row.act(session)
            await session.noop()
        await server.all_gone()
