"""POP3 client protocol: bytes in, events out.

Covers RFC 1939 sections 3 to 7, RFC 2449 sections 5 and 6, RFC 2595 section 4 and the AUTH command of
RFC 5034. No socket, no clock, no `await`. `send` answers the octets to write, `receive_data` takes what came,
`next_event` says what it means. Messages pass through in chunks: nothing looks at their lines, and at most
four octets of an unfinished end are held back. What is received stays here until it is asked for, so
`buffered` tells a transport when to stop reading.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Final

from bot.errors import LocalProtocolError, MessageTooLarge, RemoteProtocolError

if TYPE_CHECKING:
    from bot.mail.pop3_limits import Limits


class State(Enum):
    """Where the session stands: RFC 1939 section 3, and what lies between its states."""

    GREETING = "greeting"  # connected, the greeting has not come
    AUTHORIZATION = "authorization"
    HANDSHAKE = "handshake"  # STLS was accepted, TLS has not begun (RFC 2595 section 4)
    TRANSACTION = "transaction"
    UPDATE = "update"  # QUIT was sent after a login
    CLOSED = "closed"  # QUIT was answered


class Verb(StrEnum):
    """The commands this client sends."""

    CAPA = "CAPA"
    STLS = "STLS"
    AUTH = "AUTH"
    USER = "USER"
    PASS = "PASS"  # noqa: S105 - the command's name
    STAT = "STAT"
    LIST = "LIST"
    UIDL = "UIDL"
    TOP = "TOP"
    RETR = "RETR"
    DELE = "DELE"
    RSET = "RSET"
    NOOP = "NOOP"
    QUIT = "QUIT"


_LEGAL: Final = {
    State.GREETING: frozenset[Verb](),
    State.AUTHORIZATION: frozenset({Verb.CAPA, Verb.STLS, Verb.AUTH, Verb.USER, Verb.PASS, Verb.QUIT}),
    State.HANDSHAKE: frozenset[Verb](),
    State.TRANSACTION: frozenset(Verb) - {Verb.STLS, Verb.AUTH, Verb.USER, Verb.PASS},
    State.UPDATE: frozenset[Verb](),
    State.CLOSED: frozenset[Verb](),
}
# What an +OK changes; None is the greeting.
_ON_OK: Final = {
    (State.GREETING, None): State.AUTHORIZATION,
    (State.AUTHORIZATION, Verb.STLS): State.HANDSHAKE,
    (State.AUTHORIZATION, Verb.AUTH): State.TRANSACTION,
    (State.AUTHORIZATION, Verb.PASS): State.TRANSACTION,
}


@dataclass(frozen=True, slots=True)
class Command:
    """One command; the argument may be a password and is not shown."""

    verb: Verb
    argument: bytes = field(default=b"", repr=False)

    @property
    def is_listing(self) -> bool:
        """Whether +OK is followed by a bounded list of lines."""
        return self.verb is Verb.CAPA or (self.verb in _LISTINGS and not self.argument)

    @property
    def is_multiline(self) -> bool:
        """Whether +OK is followed by anything (RFC 1939 section 3)."""
        return self.verb in _MESSAGES or self.is_listing

    @property
    def line(self) -> bytes:
        """The command as it goes on the wire."""
        return (
            b"%b %b\r\n" % (self.verb.encode(), self.argument)
            if self.argument
            else b"%b\r\n" % self.verb.encode()
        )


_LISTINGS: Final = frozenset({Verb.LIST, Verb.UIDL})
_MESSAGES: Final = frozenset({Verb.RETR, Verb.TOP})


@dataclass(frozen=True, slots=True)
class Reply:
    """A status line that is the whole answer. `command` is None for the greeting."""

    command: Command | None
    is_ok: bool
    text: bytes


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server waits for the next line of an AUTH exchange; answer with `respond`."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Began:
    """+OK to a command whose answer has several lines; chunks follow, then `Ended`."""

    command: Command
    text: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some octets of the answer, dot-stuffing undone; of a listing whole lines only."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The final dot has come."""

    command: Command


Event = Reply | Challenge | Began | Chunk | Ended

_STATUS: Final = re.compile(rb"(\+OK|-ERR)(?![A-Z0-9])[ \t]*(.*)", re.IGNORECASE | re.DOTALL)
_LONE_LF_END: Final = re.compile(rb"\n\.\r?\n")
_FORBIDDEN: Final = re.compile(rb"[\r\n\0]")


class _Body:
    """Where in a multi-line answer we are.

    A server that ends its status line with a lone LF is taken to do so everywhere. From all others only
    CRLF . CRLF is the end: a message may well hold LF . CRLF, and what follows it must not pass for an answer.
    In a listing every LF ends a line, since no line of one may hold it.
    """

    __slots__ = (
        "command",
        "end",
        "is_line_start",
        "is_lone_lf",
        "lines",
        "octets",
        "rest",
        "stuffed",
        "unstuffed",
    )

    def __init__(self, command: Command, newline: bytes) -> None:
        newline = b"\n" if command.is_listing else newline
        self.command = command
        self.is_lone_lf = newline == b"\n"
        self.end = newline + b".\r\n"
        self.stuffed, self.unstuffed = newline + b"..", newline + b"."
        self.is_line_start = True  # what comes next stands at the start of a line whose predecessor is gone
        self.rest: int | None = None  # where the octets behind the final dot begin, once it is found
        self.octets = 0
        self.lines = 0

    def find_end(self, data: bytes, start: int) -> tuple[int, int] | None:
        """Where the last line ends and where the octets behind the final dot begin."""
        if self.is_lone_lf:
            found = _LONE_LF_END.search(data, start)
            return (found.start() + 1, found.end()) if found else None
        at = data.find(self.end, start)
        return (at + 2, at + 5) if at >= 0 else None

    def held(self, data: bytes, start: int) -> int:
        """How many last octets may be the start of the end or of a stuffed dot."""
        return next(
            (size for size in range(len(self.end) - 1, 0, -1) if data.endswith(self.end[:size], start)), 0
        )


class Pop3Connection:
    """One side of one session.

    `next_event`, `send` and `tls_begins` raise `RemoteProtocolError` when the server has broken the protocol or a
    bound, `next_event` also `MessageTooLarge`, once it has given out as much of the message as the limit allows.
    The session is unusable then.
    """

    def __init__(self, limits: Limits) -> None:
        self.state = State.GREETING
        self._limits = limits
        self._expected: deque[Command | None] = deque([None])
        self._body: _Body | None = None
        self._data = b""
        self._at = 0
        self._pieces: list[bytes] = []
        self._in_pieces = 0

    def allow(self, message_octets: int) -> None:
        """From here on a message may have so many octets."""
        self._limits = replace(self._limits, message_octets=message_octets)

    @property
    def unanswered(self) -> int:
        """Commands whose answer is not complete; before the greeting 1."""
        return len(self._expected)

    @property
    def is_in_body(self) -> bool:
        """Whether a multi-line answer has begun and not ended."""
        return self._body is not None

    @property
    def buffered(self) -> int:
        """Octets received and not yet given out."""
        return len(self._data) - self._at + self._in_pieces

    def send(self, command: Command) -> bytes:
        """The octets to write for a command.

        Raises:
            LocalProtocolError: the state forbids it, an argument holds CR, LF or NUL, or, before login, another
                command is unanswered: real servers lose what is sent behind AUTH or PASS.
            RemoteProtocolError: the server has sent octets nobody asked for.
        """
        if command.verb not in _LEGAL[self.state]:
            raise LocalProtocolError(f"{command.verb} in state {self.state.value}")
        if _FORBIDDEN.search(command.argument):
            raise LocalProtocolError(f"a line break or NUL in the argument of {command.verb}")
        if self._expected and self.state is State.AUTHORIZATION:
            raise LocalProtocolError(f"{command.verb} before the last answer, before login")
        if not self._expected and self.buffered:
            raise RemoteProtocolError("octets nobody asked for")
        if command.verb is Verb.QUIT:
            self.state = State.UPDATE
        self._expected.append(command)
        return command.line

    def respond(self, octets: bytes) -> bytes:
        """The octets to write for the answer to a challenge, already in base64."""
        if _FORBIDDEN.search(octets):
            raise LocalProtocolError("a line break or NUL in the answer to a challenge")
        return octets + b"\r\n"

    def tls_begins(self) -> None:
        """Call at once before the TLS handshake that STLS asked for.

        Octets that came behind the +OK were not protected and would be taken for protected ones.
        """
        if self.state is not State.HANDSHAKE:
            raise LocalProtocolError("TLS without STLS")
        if self.buffered:
            raise RemoteProtocolError("octets between STLS and the handshake")
        self.state = State.AUTHORIZATION

    def receive_data(self, octets: bytes) -> None:
        """Take what the server sent; any split of the stream means the same."""
        self._pieces.append(octets)
        self._in_pieces += len(octets)

    def next_event(self) -> Event | None:
        """The next event, or None when more octets are needed."""
        while True:
            event = self._scan_body(self._body) if self._body else self._scan_status()
            if event is not None or not self._join():
                return event

    def _join(self) -> bool:
        """Put the received pieces behind what is left; not before they are needed, so each is copied once."""
        if not self._pieces:
            return False
        self._data = b"".join((self._data[self._at :], *self._pieces))
        self._at = self._in_pieces = 0
        self._pieces.clear()
        return True

    def _scan_status(self) -> Event | None:
        end = self._data.find(b"\n", self._at, self._at + self._limits.status_octets)
        if end < 0:
            if len(self._data) - self._at >= self._limits.status_octets:
                raise RemoteProtocolError("a status line over the limit")
            return None
        line = self._data[self._at : end + 1]
        self._at = end + 1
        return self._status(line)

    def _status(self, line: bytes) -> Event:
        if not self._expected:
            raise RemoteProtocolError("octets nobody asked for")
        command, text = self._expected[0], line.rstrip(b"\r\n")
        if command and command.verb is Verb.AUTH and (text == b"+" or text.startswith(b"+ ")):
            return Challenge(text[2:])
        found = _STATUS.fullmatch(text)
        if not found:
            raise RemoteProtocolError("not a status line")
        is_ok = found[1].upper() == b"+OK"
        if command and is_ok and command.is_multiline:
            self._body = _Body(command, b"\r\n" if line.endswith(b"\r\n") else b"\n")
            return Began(command, found[2])
        self._expected.popleft()
        self._advance(command, is_ok=is_ok)
        return Reply(command, is_ok, found[2])

    def _advance(self, command: Command | None, *, is_ok: bool) -> None:
        verb = command.verb if command else None
        if verb is Verb.QUIT:
            self.state = State.CLOSED  # refused or not, the session is over (RFC 1939 section 6)
        elif is_ok:
            self.state = _ON_OK.get((self.state, verb), self.state)

    def _scan_body(self, body: _Body) -> Event | None:
        if body.octets > self._limits.message_octets and not body.command.is_listing:
            raise MessageTooLarge("over the limit while it arrived")
        if body.rest is None and body.is_line_start:
            self._scan_line_start(body)
        if body.rest is not None:
            return self._ended(body, body.rest)
        if body.is_line_start:
            return None
        end = body.find_end(self._data, self._at)
        if end:
            stop, body.rest = end
        else:
            stop = self._stop(body)
        if stop > self._at:
            return self._chunk(body, stop)
        return self._ended(body, body.rest) if body.rest is not None else None

    def _scan_line_start(self, body: _Body) -> None:
        """A dot at the very start of the body, or of a listing's chunk, has no line end before it to search for."""
        head = self._data[self._at : self._at + 3]
        if head == b".\r\n" or (body.is_lone_lf and head.startswith(b".\n")):
            body.rest = self._at + head.index(b"\n") + 1
        elif not b".\r\n".startswith(head):
            self._at += head.startswith(b"..")
            body.is_line_start = False

    def _stop(self, body: _Body) -> int:
        """How far the octets at hand may be given out while the end is not in sight."""
        stop = len(self._data) - body.held(self._data, self._at)
        if not body.command.is_listing:
            return stop
        longest = self._at + self._limits.status_octets
        if len(self._data) >= longest and self._data.find(b"\n", self._at, longest) < 0:
            raise RemoteProtocolError("a line over the limit in a listing")
        stop = self._data.rfind(b"\n", self._at, stop) + 1
        body.is_line_start = stop > self._at
        return stop

    def _chunk(self, body: _Body, stop: int) -> Chunk:
        if body.command.is_listing:
            self._check_lines(stop)
        octets = self._data[self._at : stop].replace(body.stuffed, body.unstuffed)
        self._at = stop
        if body.command.is_listing:
            self._count(body, octets)
            return Chunk(octets)
        room = self._limits.message_octets - body.octets
        if room <= 0:
            raise MessageTooLarge("over the limit while it arrived")
        body.octets += len(octets)
        return Chunk(octets[:room])

    def _check_lines(self, stop: int) -> None:
        """Refuse a line over the limit; looks at one line end in each stretch of so many octets."""
        at = self._at
        while at < stop:
            at = self._data.rfind(b"\n", at, at + self._limits.status_octets) + 1
            if not at:
                raise RemoteProtocolError("a line over the limit in a listing")

    def _count(self, body: _Body, octets: bytes) -> None:
        is_capa = body.command.verb is Verb.CAPA
        body.octets += len(octets)
        body.lines += octets.count(b"\n")
        if body.octets > (self._limits.capability_octets if is_capa else self._limits.listing_octets):
            raise RemoteProtocolError("a listing over the limit of octets")
        if body.lines > self._limits.listing_lines:
            raise RemoteProtocolError("a listing over the limit of lines")

    def _ended(self, body: _Body, rest: int) -> Ended:
        self._at = rest
        self._body = None
        self._expected.popleft()
        return Ended(body.command)
