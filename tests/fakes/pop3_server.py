"""A POP3 server on loopback that does as it is told: well by default, badly where a test says so.

`answers` replaces what it says to a command, by the whole line ("RETR 2") or by its verb ("RETR"): with octets, or
with a coroutine that gets the `Dialogue` and the line. `greeting` takes the same.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from storage.records import Security, ServerAddress

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

Answer = bytes | Callable[["Dialogue", str], Awaitable[None]]

CAPABILITIES = ("TOP", "UIDL", "USER", "SASL PLAIN", "PIPELINING")


async def silence(dialogue: Dialogue, line: str) -> None:
    """Never answers; the connection stays open until the other side ends it."""
    await dialogue.end_of_input()


async def hang_up(dialogue: Dialogue, line: str) -> None:
    """Closes without an answer."""
    dialogue.close()


def drip(octets: bytes, seconds: float) -> Answer:
    """Answers one octet at a time."""

    async def answer(dialogue: Dialogue, line: str) -> None:
        for octet in octets:
            await dialogue.write(bytes([octet]))
            await asyncio.sleep(seconds)

    return answer


def endless(start: bytes, block: bytes) -> Answer:
    """Answers for ever, as fast as it is read."""

    async def answer(dialogue: Dialogue, line: str) -> None:
        await dialogue.write(start)
        while True:
            await dialogue.write(block)
            await asyncio.sleep(0)  # or nobody would learn that the client has gone

    return answer


class Pop3Server:
    """Use it as an asynchronous context manager.

    Args:
        messages: the maildrop, each with CRLF line ends.
        uids: by default "uid-1", "uid-2", …
        security: TLS from the first octet, STARTTLS offered, or neither.
        tls: what the server proves itself with.

    Attributes:
        commands: every line received, over all sessions.
        sessions: connections accepted.
        octets: written to all clients.
    """

    def __init__(
        self,
        messages: Sequence[bytes] = (),
        *,
        uids: Sequence[bytes] | None = None,
        security: Security = Security.NONE,
        tls: ssl.SSLContext | None = None,
        greeting: Answer = b"+OK ready\r\n",
        capabilities: Sequence[str] = CAPABILITIES,
        answers: Mapping[str, Answer] | None = None,
        username: str = "user@example.org",
        password: str = "correct",
    ) -> None:
        self.messages = list(messages)
        self.uids = list(uids) if uids is not None else [b"uid-%d" % (at + 1) for at in range(len(messages))]
        self.security = security
        self.tls = tls
        self.greeting = greeting
        self.capabilities = [*capabilities, *(["STLS"] if security is Security.STARTTLS else [])]
        self.answers = dict(answers or {})
        self.username = username
        self.password = password
        self.commands: list[str] = []
        self.sessions = 0
        self.octets = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        context = self.tls if self.security is Security.TLS else None
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", 0, ssl=context, ssl_shutdown_timeout=0.1 if context else None
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def address(self) -> ServerAddress:
        """What a person would type into the form."""
        return ServerAddress("localhost", self.port, self.security)

    async def all_gone(self) -> None:
        """Returns once no client is connected any more."""
        if self._tasks:
            _, connected = await asyncio.wait(self._tasks, timeout=30)
            assert not connected, "a client has not closed its socket"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        task = asyncio.ensure_future(Dialogue(self, reader, writer).run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Dialogue:
    """One session, as the server sees it."""

    def __init__(
        self, server: Pop3Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self._reader = reader
        self._writer = writer
        self._deleted: set[int] = set()

    async def run(self) -> None:
        """Serve until the client goes or an answer closes."""
        try:
            await self._say(self.server.greeting, "")
            while line := await self._reader.readline():
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                self.server.commands.append(text)
                await self._answer(text)
        except (OSError, ValueError, EOFError):
            pass
        finally:
            self._writer.transport.abort()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    async def write(self, octets: bytes) -> None:
        """Send octets; waits while the client does not read."""
        self._writer.write(octets)
        self.server.octets += len(octets)
        await self._writer.drain()

    def close(self) -> None:
        """End the connection after what was written."""
        self._writer.close()

    async def start_tls(self) -> None:
        """The handshake, from the server's side."""
        assert self.server.tls is not None
        await self._writer.start_tls(self.server.tls)

    async def read(self) -> str:
        """A line from the client, outside of commands."""
        return (await self._reader.readline()).decode().rstrip("\r\n")

    def pending(self) -> list[bytes]:
        """Lines that have arrived and were not read yet."""
        buffered: bytearray = self._reader._buffer  # type: ignore[attr-defined]  # no public way to look ahead
        return bytes(buffered).splitlines()

    async def end_of_input(self) -> None:
        """Wait until the client closes."""
        while await self._reader.read(65536):
            pass
        raise EOFError

    async def _say(self, answer: Answer, line: str) -> None:
        if isinstance(answer, bytes):
            await self.write(answer)
        else:
            await answer(self, line)

    async def _answer(self, line: str) -> None:
        verb = line.split(" ", maxsplit=1)[0]
        answer = self.server.answers.get(line, self.server.answers.get(verb))
        if answer is not None:
            return await self._say(answer, line)
        method = getattr(self, f"_on_{verb.lower()}", None)
        if method is None:
            return await self.write(b"-ERR unknown command\r\n")
        return await self.write(b"".join(await method(line.partition(" ")[2])))

    async def _on_capa(self, _: str) -> list[bytes]:
        return [b"+OK\r\n", *(line.encode() + b"\r\n" for line in self.server.capabilities), b".\r\n"]

    async def _on_stls(self, _: str) -> list[bytes]:
        if "STLS" not in self.server.capabilities:
            return [b"-ERR unknown command\r\n"]
        await self.write(b"+OK\r\n")
        await self.start_tls()
        return []

    async def _on_auth(self, argument: str) -> list[bytes]:
        if "SASL PLAIN" not in self.server.capabilities:
            return [b"-ERR unknown command\r\n"]
        _, _, payload = argument.partition(" ")
        if not payload:
            await self.write(b"+ \r\n")
            payload = await self.read()
        given = base64.b64decode(payload).decode()
        return _verdict(given == f"\0{self.server.username}\0{self.server.password}")

    async def _on_user(self, _: str) -> list[bytes]:
        return [b"+OK\r\n"]

    async def _on_pass(self, argument: str) -> list[bytes]:
        return _verdict(argument == self.server.password)

    async def _on_stat(self, _: str) -> list[bytes]:
        return [b"+OK %d %d\r\n" % (len(self.server.messages), sum(map(len, self.server.messages)))]

    async def _on_list(self, argument: str) -> list[bytes]:
        return self._rows(argument, [b"%d" % len(message) for message in self.server.messages])

    async def _on_uidl(self, argument: str) -> list[bytes]:
        return self._rows(argument, self.server.uids)

    def _rows(self, argument: str, values: Sequence[bytes]) -> list[bytes]:
        if not argument:
            return [b"+OK\r\n", *(b"%d %b\r\n" % row for row in enumerate(values, 1)), b".\r\n"]
        number = int(argument)
        return [b"+OK %d %b\r\n" % (number, values[number - 1])] if number <= len(values) else _NONE

    async def _on_retr(self, argument: str) -> list[bytes]:
        number = int(argument)
        return _stuffed(self.server.messages[number - 1]) if number <= len(self.server.messages) else _NONE

    async def _on_top(self, argument: str) -> list[bytes]:
        number, lines = map(int, argument.split())
        if number > len(self.server.messages):
            return _NONE
        header, _, body = self.server.messages[number - 1].partition(b"\r\n\r\n")
        return _stuffed(header + b"\r\n\r\n" + b"".join(body.splitlines(keepends=True)[:lines]))

    async def _on_dele(self, argument: str) -> list[bytes]:
        number = int(argument)
        if number > len(self.server.messages) or number in self._deleted:
            return _NONE
        self._deleted.add(number)
        return [b"+OK\r\n"]

    async def _on_rset(self, _: str) -> list[bytes]:
        self._deleted.clear()
        return [b"+OK\r\n"]

    async def _on_noop(self, _: str) -> list[bytes]:
        return [b"+OK\r\n"]

    async def _on_quit(self, _: str) -> list[bytes]:
        left = [at for at in range(len(self.server.messages)) if at + 1 not in self._deleted]
        self.server.messages = [self.server.messages[at] for at in left]
        self.server.uids = [self.server.uids[at] for at in left]
        await self.write(b"+OK bye\r\n")
        self.close()
        return []


_NONE = [b"-ERR no such message\r\n"]


def _verdict(is_right: bool) -> list[bytes]:  # noqa: FBT001 - the one thing it is about
    return [b"+OK logged in\r\n"] if is_right else [b"-ERR [AUTH] Authentication failed.\r\n"]


def _stuffed(message: bytes) -> list[bytes]:
    """A message as it goes on the wire."""
    head = b"." if message.startswith(b".") else b""
    tail = b"" if not message or message.endswith(b"\r\n") else b"\r\n"
    return [b"+OK %d octets\r\n" % len(message), head, message.replace(b"\r\n.", b"\r\n.."), tail, b".\r\n"]
