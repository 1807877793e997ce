"""An SMTP submission server on loopback that follows a script and remembers every line it was sent."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import ssl
from dataclasses import dataclass, field
from typing import Self

CHALLENGE = b"<17.4711@fake.example>"


@dataclass
class SmtpServer:
    """What the server says, and what it heard.

    Attributes:
        greeting: None says nothing at all.
        replies: overrides the reply to a command's first words, such as `AUTH PLAIN` or `AUTH`; empty closes the connection, None
            says nothing.
        surplus: octets sent in one piece with the answer to STARTTLS.
        drip: seconds between single octets of each reply; 0 sends it whole.
    """

    tls: ssl.SSLContext | None = None
    is_implicit: bool = False
    greeting: bytes | None = b"220 fake.example ESMTP\r\n"
    extensions: tuple[str, ...] = ("AUTH PLAIN LOGIN", "8BITMIME")
    extensions_in_tls: tuple[str, ...] | None = None
    replies: dict[str, bytes | None] = field(default_factory=dict)
    surplus: bytes = b""
    drip: float = 0
    accounts: dict[str, str] = field(default_factory=lambda: {"ada": "correct horse"})
    lines: list[str] = field(default_factory=list)
    sessions: int = 0
    port: int = 0

    async def __aenter__(self) -> Self:
        self._open: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=self.tls if self.is_implicit else None
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    @property
    def commands(self) -> list[str]:
        """The first word of each line, in order."""
        return [line.split(" ")[0].upper() for line in self.lines]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(_Peer(reader, writer, self.drip)))
        self._open.add(task)
        with contextlib.suppress(
            ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError
        ):
            await task
        writer.transport.abort()

    async def _serve(self, peer: _Peer) -> None:
        self.sessions += 1
        await peer.say(self.greeting)
        is_tls = self.is_implicit
        while line := await self._hear(peer):
            words = line.upper().split(" ")
            word, scripted = (
                words[0],
                next((key for key in (" ".join(words[:2]), words[0]) if key in self.replies), None),
            )
            if scripted and self.replies[scripted] == b"":
                return
            if scripted:
                await peer.say(self.replies[scripted])
            elif word == "STARTTLS":
                await peer.say(b"220 go ahead\r\n" + self.surplus)
                await peer.upgrade(self.tls)
                is_tls = True
            else:
                await peer.say(await self._reply(peer, word, line, is_tls=is_tls))
            if word == "QUIT":
                return

    async def _hear(self, peer: _Peer) -> str:
        line = (await peer.reader.readuntil(b"\r\n")).decode().removesuffix("\r\n")
        self.lines.append(line)
        return line

    async def _reply(self, peer: _Peer, word: str, line: str, *, is_tls: bool) -> bytes:
        if word == "EHLO":
            offered = (
                self.extensions_in_tls if is_tls and self.extensions_in_tls is not None else self.extensions
            )
            return (
                b"".join(f"250-{text}\r\n".encode() for text in ("fake.example", *offered))
                + b"250 SIZE 1000\r\n"
            )
        if word == "AUTH":
            return (
                b"235 welcome\r\n" if await self._is_right(peer, line) else b"535 5.7.8 bad credentials\r\n"
            )
        return b"221 bye\r\n" if word == "QUIT" else b"502 unknown\r\n"

    async def _is_right(self, peer: _Peer, line: str) -> bool:
        _, mechanism, *initial = line.split(" ")
        if mechanism == "PLAIN":
            _, user, password = base64.b64decode(initial[0]).decode().split("\0")
            return self.accounts.get(user) == password
        if mechanism == "LOGIN":
            await peer.say(b"334 UGFzc3dvcmQ6\r\n")
            password = base64.b64decode(await self._hear(peer)).decode()
            return self.accounts.get(base64.b64decode(initial[0]).decode()) == password
        await peer.say(b"334 " + base64.b64encode(CHALLENGE) + b"\r\n")
        user, digest = base64.b64decode(await self._hear(peer)).decode().split(" ")
        return digest == hmac.new(self.accounts.get(user, "").encode(), CHALLENGE, "md5").hexdigest()


@dataclass
class _Peer:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    drip: float

    async def say(self, octets: bytes | None) -> None:
        """Send octets, whole or one by one."""
        for piece in [bytes([octet]) for octet in octets or b""] if self.drip else [octets or b""]:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(self.drip)

    async def upgrade(self, tls: ssl.SSLContext | None) -> None:
        """The server's side of the handshake."""
        assert tls is not None
        await self.writer.start_tls(tls)
