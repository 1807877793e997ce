"""An HTTPS server on loopback that answers as a test says, well or badly, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    Speak = Callable[[asyncio.StreamWriter], Awaitable[None]]


def found(body: bytes, headers: str = "") -> bytes:
    """A document."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def elsewhere(location: str, status: int = 302) -> bytes:
    """A redirect."""
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


class HttpsServer:
    """A running server; use it as an asynchronous context manager.

    Attributes:
        pages: what is sent for "host/path", as octets or by a function that writes; everything else is not there.
        asked: the request lines, each after its host, in order.
    """

    def __init__(self, tls: ssl.SSLContext, host: str = "127.0.0.1", port: int = 0) -> None:
        self.pages: dict[str, bytes | Speak] = {}
        self.asked: list[str] = []
        self.port = port
        self._tls = tls
        self._host = host
        self._server: asyncio.Server
        self._speaking: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._speaking:
            task.cancel()
        await asyncio.gather(*self._speaking, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._speaking.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                await self._answer((await reader.readuntil(b"\r\n\r\n")).decode(), writer)
            finally:
                self._speaking.discard(task)
                writer.close()

    async def _answer(self, request: str, writer: asyncio.StreamWriter) -> None:
        line, *headers = request.split("\r\n")
        host = next(header[6:] for header in headers if header.lower().startswith("host: "))
        host = host.partition(":")[0]
        self.asked.append(f"{host} {line}")
        page = self.pages.get(host + line.split()[1])
        if page is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        elif isinstance(page, bytes):
            writer.write(page)
        else:
            await page(writer)
        await writer.drain()
