"""A message that is cut off anywhere."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.errors import (
    ConnectionLost,
    ServerUnreachable,
)
from storage.records import Security, ServerAddress
from tests.fakes.pop3_server import (
    Pop3Server,
)
from tests.integration.pop3.test_pop3_hostile import Open, login

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def cut_line(port: int, octets: int) -> AsyncIterator[int]:
    """A port that passes on so many octets from the server, and then is cut."""

    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, left: int) -> None:
        with contextlib.suppress(OSError):
            while left > 0 and (piece := await source.read(min(left, 65536))):
                target.write(piece)
                await target.drain()
                left -= len(piece)
        target.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        to_server = asyncio.ensure_future(pass_on(reader, far_writer, 1 << 30))
        await pass_on(far_reader, writer, octets)
        to_server.cancel()
        await asyncio.gather(to_server, return_exceptions=True)
        for ended in (writer, far_writer):
            ended.transport.abort()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as listener:
        yield int(listener.sockets[0].getsockname()[1])


async def told(connecting: Open, port: int) -> tuple[list[bytes], bool]:
    """Messages that came whole, and whether QUIT was answered, before the line was cut."""
    whole: list[bytes] = []
    has_left = False
    with contextlib.suppress(ConnectionLost, ServerUnreachable):
        async with await connecting(ServerAddress("localhost", port, Security.NONE)) as session:
            await login(session)
            listed = [number for number, _ in await session.uidl()]
            assert listed == [1, 2, 3]
            async for incoming in session.retr(listed):
                message = [chunk async for chunk in incoming.chunks]
                whole += [b"".join(message)]
            assert await session.dele(listed) == listed
            has_left = await session.quit()
    return whole, has_left


async def test_a_line_cut_at_any_octet_brings_whole_messages_only(connecting: Open) -> None:
    """What came before the cut is right and in order, what did not is not there, and no cut QUIT counts."""
    messages = [b"Subject: 1\r\n\r\n.\r\n..\r\n", b"", b".\r\nx\r\n"]
    async with Pop3Server(messages) as server:
        for octets in range(100_000):
            server.messages, server.uids = list(messages), [b"1", b"2", b"3"]
            async with cut_line(server.port, octets) as port:
                whole, has_left = await told(connecting, port)
            assert whole == messages[: len(whole)]
            if has_left:
                break

    assert octets > 200
    assert whole == messages
