"""The same conversation with Dovecot, Courier, Cyrus and popa3d."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot import plan
from bot.errors import CommandRefused
from bot.mail.hosts import Hosts
from bot.mail.pop3_client import connect
from storage.records import Secret, Security, ServerAddress, Tail
from tests.fakes.real_servers.private_root import PASSWORD, USER
from tests.integration.real_servers.conversation import LIMITS, MESSAGES, Guest, body, facts, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.fakes.certificates import Certificates
    from tests.fakes.real_servers.catalogue import RealServer

DOCUMENT = Path(__file__).parents[3] / "docs" / "servers.md"


@pytest.fixture
def guest(server: RealServer, certificates: Certificates) -> Guest:
    """Our client, with the best protection the server has."""
    return Guest(server, next(iter(server.ports)), certificates.client())


@pytest.mark.parametrize("security", list(Security))
async def test_a_whole_conversation(
    server: RealServer, certificates: Certificates, security: Security
) -> None:
    """List, probe, fetch, look, delete, leave, come back: under every protection the server has."""
    if security not in server.ports:
        pytest.skip(f"this server has no {security}")
    guest = Guest(server, security, certificates.client())
    await guest.fill(*MESSAGES)
    async with guest.session() as session:
        listed = await session.uidl()
        numbers = [number for number, _ in listed]
        messages = await whole(session, numbers)
        sizes = await session.sizes()
        probe = await session.probe([len(MESSAGES), len(MESSAGES) + 1])

        assert numbers == list(range(1, len(MESSAGES) + 1))
        assert list(map(body, messages)) == list(map(body, MESSAGES))
        assert sizes == {number: len(messages[number - 1]) for number in numbers}
        assert (probe.count, probe.octets) == (len(MESSAGES), sum(sizes.values()))
        assert probe.uids == {len(MESSAGES): listed[-1][1], len(MESSAGES) + 1: None}
        assert body(await session.top(1, 1)) == b"first\r\n"
        assert await session.dele([1, 3]) == [1, 3]
        assert await session.quit()
    async with guest.session() as session:
        assert [uid for _, uid in await session.uidl()] == [
            uid for number, uid in listed if number not in {1, 3}
        ]


async def test_new_mail_is_found_by_the_probe(server: RealServer, guest: Guest) -> None:
    """It stands at the end of the list, where the next session looks for it."""
    await guest.fill(*MESSAGES[:5])
    async with guest.session() as session:
        tail = Tail(*(await session.uidl())[-1])
        await session.quit()
    server.deliver(*MESSAGES[5:7])

    async with guest.session() as session:
        probe = await session.probe(plan.probe_numbers(tail))
        fresh = plan.probed(tail, probe.count, probe.uids)

        assert fresh == range(6, 8)
        assert list(map(body, await whole(session, fresh))) == list(map(body, MESSAGES[5:7]))


async def test_an_abort_deletes_nothing(guest: Guest) -> None:
    """DELE counts after QUIT only, also where the line is cut."""
    await guest.fill(*MESSAGES[:3])
    async with guest.session() as session:
        assert await session.dele([1, 2, 3]) == [1, 2, 3]

    async with guest.session() as session:
        assert len(await session.uidl()) == 3


async def test_one_message_that_is_not_there_is_refused_alone(guest: Guest) -> None:
    """The others come, and the session goes on."""
    await guest.fill(*MESSAGES[:2])
    async with guest.session() as session:
        found = {
            incoming.number: incoming.refused is None or "refused"
            async for incoming in session.retr([1, 77, 2])
        }

        assert found == {1: True, 77: "refused", 2: True}
        with pytest.raises(CommandRefused):
            await session.top(77, 0)
        await session.rset()
        await session.noop()
        assert await session.quit()


async def test_nothing_is_sent_behind_the_login(server: RealServer, certificates: Certificates) -> None:
    """Courier loses it always and Cyrus after AUTH, so each line of ours waits for the answer to the one before."""
    heard: list[tuple[str, int]] = []
    async with relay(server.ports[Security.NONE], heard) as port:
        address = ServerAddress("localhost", port, Security.NONE)
        hosts, tls = Hosts(["localhost"]), certificates.client()
        async with await connect(address, hosts=hosts, tls=tls, limits=LIMITS) as session:
            await session.login(USER, Secret(PASSWORD))
            until_login = len(heard)
            await session.probe([1, 2])

    ours = [lines for side, lines in heard[:until_login] if side == "client"]
    assert set(ours) == {1}
    assert [side for side, _ in heard[:until_login]][-1] == "server"
    assert not any(one[0] == two[0] == "client" for one, two in itertools.pairwise(heard[:until_login]))


@contextlib.asynccontextmanager
async def relay(port: int, heard: list[tuple[str, int]]) -> AsyncIterator[int]:
    """A port that passes everything on, and notes who sent how many lines at a time."""
    tasks: set[asyncio.Task[None]] = set()

    async def pipe(side: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while octets := await reader.read(65536):
                heard.append((side, octets.count(b"\n")))
                writer.write(octets)
        except OSError:
            pass
        finally:
            writer.transport.abort()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        tasks.add(asyncio.ensure_future(pipe("client", reader, far_writer)))
        tasks.add(asyncio.ensure_future(pipe("server", far_reader, writer)))

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with listener:
        try:
            yield int(listener.sockets[0].getsockname()[1])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_document_says_what_the_server_does(
    server: RealServer, name: str, certificates: Certificates
) -> None:
    """`docs/servers.md` holds what this run sees; print it anew when a server changes its ways."""
    rows = [
        line.strip("| \n").split(" | ") for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")
    ]
    # The first row names the servers and has an empty first cell, which `strip` takes away.
    column = 1 + rows[0].index(name)

    assert await facts(server, certificates.client()) == {row[0]: row[column] for row in rows[2:]}
