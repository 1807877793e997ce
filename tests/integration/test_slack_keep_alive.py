"""Calls to Slack share connections, and a connection that ended costs no post its place."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bot.slack.client import Posted, SlackClient, Unknown, keep_alive, web_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BODY = b'{"ok": true, "channel": "D1", "ts": "1.1"}'
HEAD = (
    b"HTTP/1.1 200 OK\r\nSet-Cookie: d=1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    % len(BODY)
)


class Slack:
    """Answers every call well, on connections that stay open; says what it was asked."""

    def __init__(self) -> None:
        self.connections = 0
        self.heads: list[bytes] = []
        self.is_deaf = False
        self._writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        self._writers.append(writer)
        while head := await _head(reader):
            self.heads.append(head)
            if not self.is_deaf:
                writer.write(HEAD + BODY)
                await writer.drain()

    async def hang_up(self) -> None:
        """End every connection; returns once the clients have noticed."""
        for writer in self._writers:
            writer.close()
        for _ in range(10):  # the client is in this very loop, and reads when its turn comes
            await asyncio.sleep(0.005)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return head


@asynccontextmanager
async def client(slack: Slack, seconds: float = 30) -> AsyncIterator[Any]:
    """A client of that Slack."""
    server = await asyncio.start_server(slack.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/"
    async with server, keep_alive(seconds) as session:
        yield SlackClient(web_client("xoxb-1", url, seconds, session=session), session)
        await slack.hang_up()


async def test_posts_share_a_connection() -> None:
    """One post after the other goes over the same connection, and no cookie goes along."""
    slack = Slack()

    async with client(slack) as web:
        outcomes = [await web.post("D1", "text", [], f"entry-{number}") for number in range(3)]

    assert outcomes == [Posted("1.1")] * 3
    assert slack.connections == 1
    assert not any(b"cookie:" in head.lower() for head in slack.heads)


async def test_a_post_after_the_connection_ended_goes_over_a_new_one() -> None:
    """Slack may end an idle connection whenever it likes."""
    slack = Slack()

    async with client(slack) as web:
        await web.post("D1", "text", [], "entry-1")
        await slack.hang_up()
        outcome = await web.post("D1", "text", [], "entry-2")

    assert outcome == Posted("1.1")
    assert slack.connections == 2


async def test_a_post_without_an_answer_has_its_deadline_on_a_shared_connection_too() -> None:
    """The deadline of one request holds, and what became of the post is then unknown; it is not sent again."""
    slack = Slack()

    async with client(slack, seconds=2) as web:
        await web.post("D1", "text", [], "entry-1")
        slack.is_deaf = True
        outcome = await web.post("D1", "text", [], "entry-2")

    assert isinstance(outcome, Unknown)
    assert len(slack.heads) == 2
