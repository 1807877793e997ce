r"""A submission server on loopback that follows a script, and remembers every line and every mail it was sent.

    async with SmtpServer() as server:             # clear; user "ada", password "correct horse"
        ...                                        # ServerAddress("localhost", server.port, Security.NONE)
    server.kept                                    # the mails that it took, as `Transaction`s
    server.twice()                                 # [(recipient, Message-ID), …] that it took more than once

`SmtpServer(tls=certificates.server(), is_implicit=True)` speaks TLS from the first octet; with `extensions=("STARTTLS",)`
and `extensions_in_tls=("AUTH PLAIN", "8BITMIME")` it wants STARTTLS. Every attribute may be changed while it runs and
counts from the next line on. What may go wrong, step by step:

    replies={"MAIL": b"451 4.3.0 later\r\n"}       # refuse any command: EHLO, AUTH, MAIL, RCPT, DATA, QUIT, …
    replies={"DATA": b""}                          # b"" closes the connection instead, None says nothing for ever
    recipients={"no@b.example": b"550 5.1.1 no such user\r\n"}     # for one recipient alone; b"" and None as above
    delays={"RCPT": 0.2, ".": 1.0}                 # seconds before the answer to a command; "." is the last dot
    cuts_after=1000                                # close when so many octets of a mail came, dots doubled and all
    stalls_after=1000                              # read no more of it
    reads_every=0.02                               # seconds between two readings of 256 KiB of a mail
    interrupts=(1000, b"552 5.3.4 too much\r\n")   # say so in the middle of a mail, and read on
    ending=Ending(b"554 5.6.0 no\r\n", is_kept=False)              # the answer to the dot, and whether the mail is taken
    ending=TAKEN_UNANSWERED                        # it has the mail, closes, and nobody is told; also NOT_TAKEN_UNANSWERED,
                                                   # TAKEN_IN_SILENCE, NOT_TAKEN_IN_SILENCE (open, never answers)
    ending=lambda mail: TAKEN if … else NOT_TAKEN_UNANSWERED       # each mail for itself, for storms
    extensions=("AUTH PLAIN LOGIN",)               # without 8BITMIME; add "SMTPUTF8" for such addresses
    size=1000                                      # what SIZE says and a mail may have; None: not offered, no limit
    drip=0.01                                      # seconds between single octets of each answer
    drips={"MAIL": 0.05}                           # the same for the answer to one command
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import re
import ssl
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

CHALLENGE = b"<17.4711@fake.example>"
_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_PATH = re.compile(r"(?:FROM|TO):\s*<([^>]*)>\s*(.*)", re.IGNORECASE)
_PLAIN_REPLIES = {"QUIT": b"221 bye\r\n", "RSET": b"250 2.0.0 ok\r\n", "NOOP": b"250 2.0.0 ok\r\n"}
_PIECE = 256 * 1024


@dataclass(frozen=True)
class Ending:
    """What happens after the last dot; an answer of b"" closes the connection, None says nothing."""

    answer: bytes | None
    is_kept: bool


TAKEN = Ending(b"250 2.0.0 queued as 4711\r\n", is_kept=True)
TAKEN_UNANSWERED = Ending(b"", is_kept=True)
NOT_TAKEN_UNANSWERED = Ending(b"", is_kept=False)
TAKEN_IN_SILENCE = Ending(None, is_kept=True)
NOT_TAKEN_IN_SILENCE = Ending(None, is_kept=False)


@dataclass
class Transaction:
    """One mail, from MAIL to wherever it came.

    Attributes:
        session: the number of its connection, from 1.
        user: who signed in.
        options: what stood behind the address of MAIL, such as `SIZE=1000`.
        recipients: those that were taken.
        refused: the others, with the answer.
        octets: the mail without doubled dots, with CRLF at its end; all that came, where it broke off.
        has_dot: the last dot came.
        is_kept: the server has it, and would deliver it.
    """

    session: int
    user: str
    sender: str
    options: tuple[str, ...]
    recipients: list[str] = field(default_factory=list)
    refused: dict[str, bytes | None] = field(default_factory=dict)
    octets: bytes = b""
    has_dot: bool = False
    is_kept: bool = False

    @property
    def message_id(self) -> str:
        """As it stands in the header."""
        found = _MESSAGE_ID.search(self.octets)
        return found[1].decode(errors="replace") if found else ""


@dataclass
class SmtpServer:
    """What the server says, and what it heard; see the module.

    Attributes:
        greeting: None says nothing at all.
        replies: overrides the reply to a command's first words, such as `AUTH PLAIN` or `AUTH`; empty closes the connection, None
            says nothing.
        surplus: octets sent in one piece with the answer to STARTTLS.
        asks_names: the user name of AUTH LOGIN is asked for, whatever stands behind the command.
        drip: seconds between single octets of each reply; 0 sends it whole.
        transactions: every MAIL that was taken, in order.
    """

    tls: ssl.SSLContext | None = None
    is_implicit: bool = False
    greeting: bytes | None = b"220 fake.example ESMTP\r\n"
    extensions: tuple[str, ...] = ("AUTH PLAIN LOGIN", "8BITMIME")
    extensions_in_tls: tuple[str, ...] | None = None
    replies: dict[str, bytes | None] = field(default_factory=dict)
    surplus: bytes = b""
    asks_names: bool = False
    drip: float = 0
    accounts: dict[str, str] = field(default_factory=lambda: {"ada": "correct horse"})
    lines: list[str] = field(default_factory=list)
    sessions: int = 0
    port: int = 0
    size: int | None = 35_000_000
    recipients: dict[str, bytes | None] = field(default_factory=dict)
    delays: dict[str, float] = field(default_factory=dict)
    drips: dict[str, float] = field(default_factory=dict)
    cuts_after: int | None = None
    stalls_after: int | None = None
    reads_every: float = 0
    interrupts: tuple[int, bytes] | None = None
    ending: Ending | Callable[[Transaction], Ending] = TAKEN
    transactions: list[Transaction] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._open: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, ssl=self.tls if self.is_implicit else None
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def hang_up(self, farewell: bytes = b"") -> None:
        """Close every connection, perhaps with a last word; returns once the clients can have noticed."""
        for writer in list(self._writers):
            writer.write(farewell)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        for _ in range(10):  # the client may be in this very loop, and reads when its turn comes
            await asyncio.sleep(0)

    @property
    def commands(self) -> list[str]:
        """The first word of each line, in order."""
        return [line.split(" ")[0].upper() for line in self.lines]

    @property
    def kept(self) -> list[Transaction]:
        """The mails that the server has."""
        return [transaction for transaction in self.transactions if transaction.is_kept]

    def copies(self) -> Counter[tuple[str, str]]:
        """How often each recipient got each mail, by its Message-ID."""
        return Counter(
            (recipient, mail.message_id) for mail in self.kept for recipient in set(mail.recipients)
        )

    def twice(self) -> list[tuple[str, str]]:
        """Who got which mail more than once."""
        return [pair for pair, count in self.copies().items() if count > 1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        session = _Session(self, _Peer(reader, writer), self.sessions)
        task = asyncio.create_task(session.serve())
        self._open.add(task)
        self._writers.add(writer)
        task.add_done_callback(self._open.discard)
        with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
            await task
        self._writers.discard(writer)
        writer.transport.abort()


class _Session:
    """One connection."""

    def __init__(self, script: SmtpServer, peer: _Peer, number: int) -> None:
        self._script = script
        self._peer = peer
        self._number = number
        self._is_tls = script.is_implicit
        self._user = ""
        self._word = ""
        self._mail: Transaction | None = None

    async def serve(self) -> None:
        """From the greeting to the end."""
        await self._say(self._script.greeting)
        while True:
            line = await self._hear()
            words = line.upper().split(" ")
            self._word = words[0]
            await asyncio.sleep(self._script.delays.get(words[0], 0))
            keys = (" ".join(words[:2]), words[0])
            scripted = next((key for key in keys if key in self._script.replies), None)
            if scripted:
                await self._say(self._script.replies[scripted])
            elif words[0] == "STARTTLS":
                await self._say(b"220 go ahead\r\n" + self._script.surplus)
                await self._peer.upgrade(self._script.tls)
                self._is_tls = True
            else:
                await self._say(await self._reply(words[0], line))
            if words[0] == "QUIT":
                return

    async def _hear(self) -> str:
        line = await self._peer.line()
        self._script.lines.append(line)
        return line

    async def _say(self, octets: bytes | None) -> None:
        if octets == b"":
            raise ConnectionAbortedError
        await self._peer.say(octets, self._script.drips.get(self._word, self._script.drip))

    async def _reply(self, word: str, line: str) -> bytes | None:
        if word == "EHLO":
            return self._offers()
        if word == "AUTH":
            return b"235 welcome\r\n" if await self._is_right(line) else b"535 5.7.8 bad credentials\r\n"
        if word in {"MAIL", "RCPT"}:
            path = _PATH.search(line)
            if path is None:
                return b"501 5.5.4 no address\r\n"
            return self._begun(path) if word == "MAIL" else self._addressed(path)
        return await self._content() if word == "DATA" else _PLAIN_REPLIES.get(word, b"502 unknown\r\n")

    def _offers(self) -> bytes:
        script = self._script
        offered = script.extensions
        if self._is_tls and script.extensions_in_tls is not None:
            offered = script.extensions_in_tls
        size = [] if script.size is None else [f"SIZE {script.size}"]
        *some, last = "fake.example", *offered, *size
        return "".join([*(f"250-{text}\r\n" for text in some), f"250 {last}\r\n"]).encode()

    def _begun(self, path: re.Match[str]) -> bytes:
        if not self._user:
            return b"530 5.7.0 sign in first\r\n"
        self._mail = Transaction(self._number, self._user, path[1], tuple(path[2].split()))
        self._script.transactions.append(self._mail)
        return b"250 2.1.0 ok\r\n"

    def _addressed(self, path: re.Match[str]) -> bytes | None:
        if self._mail is None:
            return b"503 5.5.1 MAIL first\r\n"
        reply = self._script.recipients.get(path[1], b"250 2.1.5 ok\r\n")
        if reply is not None and reply.startswith(b"2"):
            self._mail.recipients.append(path[1])
        else:
            self._mail.refused[path[1]] = reply
        return reply

    async def _content(self) -> bytes | None:
        mail, self._mail = self._mail, None
        if mail is None or not mail.recipients:
            return b"503 5.5.1 RCPT first\r\n"
        await self._say(b"354 go ahead\r\n")
        await self._peer.read_mail(mail, self._script)
        await asyncio.sleep(self._script.delays.get(".", 0))
        limit = self._script.size
        if limit is not None and len(mail.octets) > limit:
            return b"552 5.3.4 too large\r\n"
        ending = self._script.ending
        decided = ending(mail) if callable(ending) else ending
        mail.is_kept = decided.is_kept
        return decided.answer

    async def _is_right(self, line: str) -> bool:
        _, mechanism, *initial = line.split(" ")
        if mechanism == "PLAIN":
            _, user, password = base64.b64decode(initial[0]).decode().split("\0")
            is_right = self._script.accounts.get(user) == password
        elif mechanism == "LOGIN":
            name = await self._asked_name(initial)
            await self._say(b"334 UGFzc3dvcmQ6\r\n")
            user = base64.b64decode(name).decode()
            is_right = self._script.accounts.get(user) == base64.b64decode(await self._hear()).decode()
        else:
            await self._say(b"334 " + base64.b64encode(CHALLENGE) + b"\r\n")
            user, digest = base64.b64decode(await self._hear()).decode().split(" ")
            expected = hmac.new(self._script.accounts.get(user, "").encode(), CHALLENGE, "md5").hexdigest()
            is_right = digest == expected
        self._user = user if is_right else ""
        return is_right

    async def _asked_name(self, initial: list[str]) -> str:
        """The user name of AUTH LOGIN, behind the command only where this server reads it there."""
        if initial and not self._script.asks_names:
            return initial[0]
        await self._say(b"334 VXNlcm5hbWU6\r\n")
        return await self._hear()


class _Peer:
    """Octets of one connection, in lines and mails."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._held = bytearray()

    async def say(self, octets: bytes | None, drip: float) -> None:
        """Send octets, whole or one by one."""
        for piece in [bytes([octet]) for octet in octets or b""] if drip else [octets or b""]:
            self._writer.write(piece)
            await self._writer.drain()
            await asyncio.sleep(drip)

    async def line(self) -> str:
        """The next command."""
        while (end := self._held.find(b"\r\n")) < 0:
            await self._more()
        line = self._held[:end].decode(errors="replace")
        del self._held[: end + 2]
        return line

    async def read_mail(self, mail: Transaction, script: SmtpServer) -> None:
        """Everything up to the last dot, or as far as the script lets it come."""
        seen, has_interrupted = 0, False
        try:
            while (end := self._end_of_mail(seen)) < 0:
                seen = len(self._held)
                if script.cuts_after is not None and seen >= script.cuts_after:
                    raise ConnectionAbortedError
                if script.stalls_after is not None and seen >= script.stalls_after:
                    await asyncio.Event().wait()
                if script.interrupts and not has_interrupted and seen >= script.interrupts[0]:
                    has_interrupted = True
                    await self.say(script.interrupts[1], 0)
                await asyncio.sleep(script.reads_every)
                await self._more()
            mail.has_dot = True
        finally:
            raw = bytes(self._held[:end] if mail.has_dot else self._held)
            mail.octets = raw.removeprefix(b".").replace(b"\r\n.", b"\r\n")
        del self._held[: end + 3]

    def _end_of_mail(self, seen: int) -> int:
        """Where the line of the last dot begins; -1 when it has not come."""
        if self._held.startswith(b".\r\n"):
            return 0
        found = self._held.find(b"\r\n.\r\n", max(seen - 4, 0))
        return found + 2 if found >= 0 else -1

    async def upgrade(self, tls: ssl.SSLContext | None) -> None:
        """The server's side of the handshake."""
        assert tls is not None
        await self._writer.start_tls(tls)

    async def _more(self) -> None:
        octets = await self._reader.read(_PIECE)
        if not octets:
            raise ConnectionResetError
        self._held += octets
