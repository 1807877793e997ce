"""The sandbox's POP3 server: one session after another over a maildrop.

Covers RFC 1939 without APOP, CAPA and response codes (RFC 2449, 3206), STLS (RFC 2595), SASL PLAIN (RFC 5034) and
pipelining. A maildrop has one session at a time; deletions are carried out at QUIT only. The user name `recent:ADDRESS`
opens the same maildrop as Gmail does: it lists the last 30 days.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from typing import TYPE_CHECKING, Final

from bot.sandbox.mail import pace
from bot.sandbox.mail.faults import Faults, Kind
from bot.sandbox.mail.maildrops import MaildropDown

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from bot.sandbox.mail.maildrops import Mail, Maildrop, Maildrops

IDLE_SECONDS: Final = 600.0  # RFC 1939 section 3: at least ten minutes
_MAX_LINE: Final = 8_192
_MAX_REFUSALS: Final = 3
_RECENT: Final = "recent:"
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_BEFORE_LOGIN: Final = frozenset({"USER", "PASS", "AUTH", "STLS"})
_AFTER_LOGIN: Final = frozenset({"STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "RSET"})


NO_FAULTS: Final = Faults()


class Refused(Exception):
    """A command is answered -ERR with this text."""


class Pop3Session:
    """One connection, from the greeting to its end.

    Args:
        tls: what STLS starts; None when it is not offered.
        is_tls: the connection is protected already.
        faults: what is wrong with the server in this session.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        drops: Maildrops,
        tls: ssl.SSLContext | None,
        *,
        is_tls: bool,
        faults: Faults = NO_FAULTS,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._drops = drops
        self._tls = tls
        self._is_tls = is_tls
        self._faults = faults
        self._buffer = bytearray()
        self._unsent = bytearray()
        self._username: str | None = None
        self._refusals = 0
        self._drop: Maildrop | None = None
        self._drop_faults = NO_FAULTS
        self._mails: list[Mail] = []
        self._marked: set[int] = set()
        self._fetched: set[str] = set()
        self._is_open = True
        self._commands: dict[str, Callable[[list[str]], Awaitable[None]]] = {
            name: getattr(self, f"_{name.lower()}")
            for name in (*_BEFORE_LOGIN, *_AFTER_LOGIN, "CAPA", "QUIT")
        }

    async def run(self) -> None:
        """Serve until QUIT, a broken connection or too long a silence; the lock is always given back."""
        try:
            self._say("+OK Mailbox sandbox ready")
            while self._is_open:
                await self._flush()
                await self._answer(await self._line())
            await self._flush()
        except (OSError, EOFError, TimeoutError):
            pass
        finally:
            self._unlock(dropped=True)

    async def _answer(self, line: str) -> None:
        name, *arguments = line.split(" ")
        name = name.upper()
        try:
            command = self._command(name)
            # A password may hold blanks: PASS and USER take the rest of the line as it is.
            await command([line.partition(" ")[2]] if name in {"USER", "PASS"} else arguments)
        except Refused as refusal:
            self._say(f"-ERR {refusal}")

    def _command(self, name: str) -> Callable[[list[str]], Awaitable[None]]:
        if name not in self._commands:
            raise Refused("unknown command")
        if self._drop is None and name in _AFTER_LOGIN:
            raise Refused("sign in first")
        if self._drop is not None and name in _BEFORE_LOGIN:
            raise Refused("signed in already")
        if self._drop:
            self._drop.counters.commands[name] += 1
        return self._commands[name]

    # AUTHORIZATION

    async def _capa(self, _arguments: list[str]) -> None:
        lines = [
            "TOP",
            *([] if self._faults.has(Kind.NO_UIDL) else ["UIDL"]),
            "USER",
            "SASL PLAIN",
            "RESP-CODES",
            "AUTH-RESP-CODE",
            "PIPELINING",
            "EXPIRE NEVER",
        ]
        if self._tls and not self._is_tls and self._drop is None:
            lines.append("STLS")
        self._say_lines("capabilities follow", [*lines, "IMPLEMENTATION Mailbox-sandbox"])

    async def _stls(self, _arguments: list[str]) -> None:
        if self._tls is None or self._is_tls:
            raise Refused("no STLS here")
        self._say("+OK begin TLS")
        await self._flush()
        if self._buffer:
            # Commands sent in the clear must not count as if they came through TLS.
            raise EOFError
        await self._writer.start_tls(self._tls)
        self._is_tls, self._username = True, None

    async def _user(self, arguments: list[str]) -> None:
        self._username = arguments[0]
        self._say("+OK")

    async def _pass(self, arguments: list[str]) -> None:
        if self._username is None:
            raise Refused("USER first")
        username, self._username = self._username, None
        self._sign_in(username, arguments[0])

    async def _auth(self, arguments: list[str]) -> None:
        if not arguments:
            self._say_lines("mechanisms follow", ["PLAIN"])
            return
        if arguments[0].upper() != "PLAIN":
            raise Refused("mechanism not known")
        response = arguments[1] if len(arguments) > 1 else await self._challenge()
        if response == "*":
            raise Refused("cancelled")
        try:
            _, username, password = base64.b64decode(response, validate=True).decode().split("\0")
        except (binascii.Error, ValueError):
            raise Refused("malformed response") from None
        self._sign_in(username, password)

    async def _challenge(self) -> str:
        self._say("+ ")
        await self._flush()
        return await self._line()

    def _sign_in(self, username: str, password: str) -> None:
        is_recent = username.casefold().startswith(_RECENT)
        try:
            drop = self._drops.signed_in(username[len(_RECENT) :] if is_recent else username, password)
        except MaildropDown:
            raise Refused("[SYS/TEMP] the maildrop cannot be reached, try again later") from None
        if drop is None:
            self._refusals += 1
            self._is_open = self._refusals < _MAX_REFUSALS
            raise Refused("[AUTH] user name or password wrong")
        if drop.is_locked or drop.faults.has(Kind.BUSY):
            drop.counters.busy_logins += 1
            raise Refused("[IN-USE] another session holds this maildrop")
        self._drop, self._mails, drop.is_locked = drop, drop.listed(recent=is_recent), True
        self._drop_faults = drop.faults
        drop.counters.logins += 1
        drop.note("LOGIN")
        self._say(f"+OK {len(self._mails)} messages")

    # TRANSACTION

    async def _stat(self, _arguments: list[str]) -> None:
        left = self._left()
        self._say(f"+OK {len(left)} {sum(len(mail.octets) for _, mail in left)}")

    async def _list(self, arguments: list[str]) -> None:
        self._say_each(arguments, lambda mail: str(len(mail.octets)))

    async def _uidl(self, arguments: list[str]) -> None:
        if self._faults.has(Kind.NO_UIDL):
            raise Refused("unknown command")
        self._say_each(arguments, lambda mail: self._drop_faults.shown_uid(mail.uid))

    async def _retr(self, arguments: list[str]) -> None:
        _, mail = self._chosen(arguments)
        self._own.counters.retr[mail.uid] += 1
        self._own.note("RETR", mail.uid)
        self._fetched.add(mail.uid)
        self._send(f"+OK {len(mail.octets)} octets", mail.octets)

    async def _top(self, arguments: list[str]) -> None:
        _, mail = self._chosen(arguments[:1])
        if len(arguments) < 2 or not arguments[1].isdecimal():
            raise Refused("TOP wants a message and a number of lines")
        header, blank, body = mail.octets.partition(b"\r\n\r\n")
        first_lines = body.split(b"\r\n")[: int(arguments[1])]
        self._own.counters.top[mail.uid] += 1
        self._send("+OK", header + blank + b"".join(line + b"\r\n" for line in first_lines))

    async def _dele(self, arguments: list[str]) -> None:
        number, mail = self._chosen(arguments)
        self._marked.add(number)
        self._own.counters.dele[mail.uid] += 1
        self._own.note("DELE", mail.uid)
        self._say("+OK marked")

    async def _noop(self, _arguments: list[str]) -> None:
        self._say("+OK")

    async def _rset(self, _arguments: list[str]) -> None:
        self._marked.clear()
        self._say("+OK nothing is marked")

    async def _quit(self, _arguments: list[str]) -> None:
        """UPDATE: what is marked goes before the answer does."""
        if self._drop:
            self._drop.remember_fetched(self._fetched)
            self._drop.expunge(
                [mail.uid for number, mail in enumerate(self._mails, 1) if number in self._marked]
            )
            self._drop.counters.quits += 1
            self._drop.note("QUIT")
        self._unlock(dropped=False)
        self._is_open = False
        self._say("+OK bye")

    # Shared

    @property
    def _own(self) -> Maildrop:
        assert self._drop is not None  # the state was checked
        return self._drop

    def _left(self) -> list[tuple[int, Mail]]:
        return [(number, mail) for number, mail in enumerate(self._mails, 1) if number not in self._marked]

    def _chosen(self, arguments: list[str]) -> tuple[int, Mail]:
        if not arguments or not _NUMBER.fullmatch(arguments[0]):
            raise Refused("a message number is missing")
        number = int(arguments[0])
        if number > len(self._mails) or number in self._marked:
            raise Refused("no such message")
        return number, self._mails[number - 1]

    def _say_each(self, arguments: list[str], value: Callable[[Mail], str]) -> None:
        if arguments:
            number, mail = self._chosen(arguments)
            self._say(f"+OK {number} {value(mail)}")
        else:
            self._say_lines("listing follows", [f"{number} {value(mail)}" for number, mail in self._left()])

    def _say(self, line: str) -> None:
        self._unsent += line.encode() + b"\r\n"

    def _say_lines(self, first: str, lines: list[str]) -> None:
        self._say("\r\n".join([f"+OK {first}", *lines, "."]))

    def _send(self, first: str, octets: bytes) -> None:
        self._say(first)
        stuffed = (b"\r\n" + octets).replace(b"\r\n.", b"\r\n..").removeprefix(b"\r\n")
        self._unsent += stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n"
        self._unsent += b".\r\n"

    async def _flush(self) -> None:
        octets = bytes(self._unsent)
        self._unsent.clear()
        await pace.send(self._writer, octets, self._faults, self._reader.at_eof)

    async def _line(self) -> str:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _MAX_LINE:
                self._say("-ERR line too long")
                await self._flush()
                raise EOFError
            async with asyncio.timeout(IDLE_SECONDS):
                chunk = await self._reader.read(_MAX_LINE)
            if not chunk:
                raise EOFError
            self._buffer += chunk
        line, _, rest = self._buffer.partition(b"\n")
        self._buffer = rest
        return line.removesuffix(b"\r").decode("utf-8", "replace")

    def _unlock(self, *, dropped: bool) -> None:
        if self._drop:
            self._drop.is_locked = False
            self._drop.counters.dropped += dropped
            if dropped:
                self._drop.note("DROPPED")
        self._drop = None
