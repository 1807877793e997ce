"""What a test tells about somebody else's network: nothing, in words and in time."""

from __future__ import annotations

import asyncio
import itertools
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from bot.errors import Step
from bot.mailboxes import UNREACHABLE_SECONDS
from storage.records import Person, Security
from tests.fakes.pop3_server import Pop3Server
from tests.fakes.smtp_server import SmtpServer
from tests.integration.checking.conftest import at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from storage.records import ServerAddress
    from tests.integration.checking.conftest import Ground

HTTP = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
SSH = b"SSH-2.0-OpenSSH_9.6\r\n"

SECONDS = 6
"""Between the quickest and the slowest answer, on a machine that may stand still; a deadline of a step would add more."""


async def talker(stack: AsyncExitStack, octets: bytes, *, hears: bool = False, stays: bool = False) -> int:
    """Something that is no mail server: the port of one that says this, at once or once it has heard something."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if hears:
            await reader.read(1)
        writer.write(octets)
        if not stays:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stack.push_async_callback(server.wait_closed)
    stack.callback(_abort, writers)
    stack.callback(server.close)
    return int(server.sockets[0].getsockname()[1])


def _abort(writers: list[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.transport.abort()


def closed() -> int:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def filtered(stack: AsyncExitStack) -> int:
    """A port that takes no connection and refuses none: its queue is full."""
    listening = stack.enter_context(socket.socket())
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    for _ in range(4):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(listening.getsockname())
    return int(listening.getsockname()[1])


async def nobody(stack: AsyncExitStack) -> dict[str, ServerAddress]:
    """Everything that is not a mail server, by what it is."""
    secured = {
        "closed": closed(),
        "filtered": filtered(stack),
        "hangs up": await talker(stack, b""),
        "silent": await talker(stack, b"", stays=True),
        "web": await talker(stack, HTTP, hears=True),
        "shell": await talker(stack, SSH, stays=True),
    }
    found = {
        f"{name}, {security}": at(port, security)
        for (name, port), security in itertools.product(secured.items(), Security)
    }
    return found | {
        "forbidden": at(995, Security.TLS, "10.255.255.1"),
        "no such name": at(995, Security.TLS, "nobody.invalid"),
    }


Told = tuple[tuple[Step, ...], Step | None, str]


async def timed(test: Awaitable[Told]) -> tuple[Told, float]:
    """What is told, and how long it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    return await test, loop.time() - began


async def told_of_all(ground: Ground, ask: Callable[[ServerAddress, Person], Awaitable[Told]]) -> None:
    """Ask about everything that is no mail server at once: the words are the same, and so is the time."""
    async with AsyncExitStack() as stack:
        servers = await nobody(stack)
        asked = [
            timed(ask(server, Person(f"T{number}", "U1"))) for number, server in enumerate(servers.values())
        ]
        answers = dict(zip(servers, await asyncio.gather(*asked), strict=True))

    words = {
        name: told[1:] for name, (told, _) in answers.items() if name not in {"forbidden", "no such name"}
    }
    assert set(words.values()) == {(Step.CONNECT, next(iter(words.values()))[1])}, words
    assert answers["forbidden"][0] == answers["no such name"][0]
    assert len({told[2] for told, _ in answers.values()}) == 1
    times = {name: round(seconds, 2) for name, (_, seconds) in answers.items()}
    assert min(times.values()) >= UNREACHABLE_SECONDS - 0.05, times
    assert max(times.values()) - min(times.values()) < SECONDS, times


async def test_incoming_servers_that_are_none_read_alike(ground: Ground) -> None:
    """Closed, filtered, silent, forbidden or something else: one answer after one time."""

    async def ask(server: ServerAddress, person: Person) -> Told:
        tested = (await ground.test(server, person=person, username=f"{person.workspace}@b.example")).incoming
        return tested.passed, tested.failed, tested.sentence

    ground.exempt()
    await told_of_all(ground, ask)


async def test_outgoing_servers_that_are_none_read_alike(ground: Ground) -> None:
    """The same for submission."""
    ground.exempt()
    async with Pop3Server() as incoming:

        async def ask(server: ServerAddress, person: Person) -> Told:
            report = await ground.test(incoming.address, server, person=person)
            assert report.outgoing is not None
            return report.outgoing.passed, report.outgoing.failed, report.outgoing.sentence

        await told_of_all(ground, ask)


@pytest.mark.parametrize(
    "answers",
    [
        {"PASS": b"-ERR Authentication failed\r\n"},
        {"PASS": b"-ERR [AUTH] Invalid login\r\n"},
        {"USER": b"-ERR no such user here\r\n"},
        {"USER": b"-ERR [AUTH] unknown user\r\n"},
        {"AUTH": b"-ERR mailbox does not exist\r\n"},
    ],
)
async def test_no_such_user_reads_like_a_wrong_password(ground: Ground, answers: dict[str, bytes]) -> None:
    """Nobody finds out by a test whether an account is there."""
    capabilities = ("UIDL", "SASL PLAIN") if "AUTH" in answers else ("UIDL", "USER")
    async with Pop3Server(answers=answers, capabilities=capabilities) as server:
        report = await ground.test(server.address)

    assert report.incoming.failed is Step.LOGIN
    assert report.incoming.sentence.startswith("The mail server refused the user name or the password.")


@pytest.mark.parametrize(
    "answer",
    [
        b"535 5.7.8 bad credentials\r\n",
        b"535 5.1.1 no such user\r\n",
        b"550 5.1.1 unknown account\r\n",
        b"553 mailbox unavailable\r\n",
    ],
)
async def test_no_such_sender_reads_like_a_wrong_password(ground: Ground, answer: bytes) -> None:
    """The same for submission."""
    async with Pop3Server() as incoming, SmtpServer(replies={"AUTH": answer}) as outgoing:
        report = await ground.test(incoming.address, at(outgoing.port))

    assert report.outgoing is not None
    assert report.outgoing.failed is Step.LOGIN
    assert report.outgoing.sentence.startswith("The outgoing server refused the user name or the password.")
