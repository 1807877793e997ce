"""POP3 client for asyncio: connecting step by step, and the session that follows.

The protocol itself is in `pop3`, what server text means in `pop3_replies`, sockets and deadlines in `pop3_wire`,
commands and answers in `pop3_exchange`, everything before the login in `pop3_login`, messages on their way in
`pop3_retrieval`. One task at a time uses a session. After any error but `CommandRefused`, `LocalProtocolError` and
the refusal of a command or login its socket is closed, as it is when a call is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from bot.errors import (
    BotError,
    CommandRefused,
    LocalProtocolError,
    MessageTooLarge,
    ServerUnreachable,
    Step,
    UidlUnsupported,
)
from bot.mail import pop3_replies
from bot.mail.hosts import plain_host
from bot.mail.pop3 import Chunk, Command, Reply, Verb
from bot.mail.pop3_exchange import Exchange
from bot.mail.pop3_limits import Limits
from bot.mail.pop3_login import Authorization
from bot.mail.pop3_retrieval import Incoming, Retrieval
from bot.mail.pop3_wire import Wire, dial, open_wire
from bot.mail.turns import in_turns
from bot.mail.uids import Uids
from storage.records import Secret, Security, ServerAddress

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import AsyncIterator, Sequence

    from bot.mail.hosts import Hosts

__all__ = ["Incoming", "Limits", "Probe", "Session", "connect"]

OnStep = Callable[[Step], None]

_FLIGHTS: Final = 8  # of LIST for single messages; beyond it the whole list is cheaper, however long
_FLIGHT_ROWS: Final = 4000  # so many rows of a whole list, 50 KB, are cheaper than one more flight


@dataclass(frozen=True, slots=True)
class Probe:
    """What STAT and a UIDL for single messages said; None for a number the server has no UID for."""

    count: int
    octets: int
    uids: dict[int, bytes | None]


async def connect(
    server: ServerAddress,
    *,
    hosts: Hosts,
    tls: ssl.SSLContext,
    limits: Limits | None = None,
    remembered: frozenset[str] | None = None,
    on_step: OnStep = lambda _step: None,
) -> Session:
    """A session that is ready for the login: connected, greeted, protected as asked, capabilities known.

    Args:
        tls: one context for all connections; to build one costs 50 ms.
        remembered: capabilities of an earlier session, which saves asking; empty: the server has none.
        on_step: told each step when it begins. With STARTTLS the greeting comes before TLS, and
            `CAPABILITIES` may come twice.

    Raises:
        ServerUnreachable: no such name, address not allowed, refused, filtered, hung, or not a POP3 server.
        CertificateInvalid: the certificate does not prove the host as typed.
        TlsUnavailable: the port answers without TLS, or without STLS where that was asked for.
        ServerBusy, ServerRefused: greeted with -ERR.
        ConnectionLost, RemoteProtocolError: broken off, or broken, after the greeting.
    """
    limits = limits or Limits()
    sock = await _dialled(server, hosts, limits, on_step)
    is_tls = server.security is Security.TLS
    if is_tls:
        on_step(Step.TLS)
    wire = await open_wire(sock, limits, tls if is_tls else None, plain_host(server.host))
    session = Session(wire, server, limits, on_step)
    try:
        await session.begin(tls, remembered)
    except BaseException:
        session.abort()
        raise
    return session


async def _dialled(server: ServerAddress, hosts: Hosts, limits: Limits, on_step: OnStep) -> socket.socket:
    """A socket to the server; the look-up and all addresses share one deadline."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limits.connect.total_seconds()
    on_step(Step.NAME)
    try:
        async with asyncio.timeout_at(deadline):
            addresses = await hosts.pinned(server)
    except TimeoutError:
        raise ServerUnreachable("the name was not resolved in time") from None
    on_step(Step.CONNECT)
    return await dial(addresses, deadline - loop.time())


class Session:
    """One session with one maildrop; made by `connect`."""

    def __init__(self, wire: Wire, server: ServerAddress, limits: Limits, on_step: OnStep) -> None:
        self._limits = limits
        self._on_step = on_step
        self._exchange = Exchange(wire, limits, {server.host, plain_host(server.host)} - {""})
        self._authorization = Authorization(self._exchange, server, on_step)
        self._sizes: dict[int, int] = {}
        self._count: int | None = None  # messages in the maildrop, once known

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.abort()

    @property
    def capabilities(self) -> frozenset[str]:
        """The lines of CAPA in upper case; empty when the server has no CAPA."""
        return self._authorization.capabilities

    @property
    def buffered(self) -> int:
        """Octets received and not yet consumed; stays near `limits.buffer_octets` whatever the server sends."""
        return self._exchange.wire.protocol.buffered

    # AUTHORIZATION

    async def begin(self, tls: ssl.SSLContext, remembered: frozenset[str] | None) -> None:
        """Greeting, STLS where asked for, capabilities; `connect` calls it."""
        await self._authorization.begin(tls, remembered)

    async def login(self, username: str, password: Secret) -> None:
        """Log in, with AUTH PLAIN where it is announced, else with USER and PASS; the password is tried once.

        Raises:
            LocalProtocolError: user name or password hold what cannot be sent; nothing was written.
            LoginRejected, MaildropBusy, ServerBusy, ServerRefused: as `pop3_replies.login_refusal` reads the answer.
            ConnectionLost: no answer, so nothing is known about the password.
        """
        await self._authorization.login(username, password)

    # TRANSACTION

    async def probe(self, numbers: Sequence[int]) -> Probe:
        """STAT, and UIDL for each number, in one flight.

        Raises:
            CommandRefused, ServerBusy, ServerRefused: STAT was refused.
        """
        self._on_step(Step.UIDL)
        stat, *replies = await self._exchange.flight([Command(Verb.STAT), *_each(Verb.UIDL, numbers)])
        if not stat.is_ok:
            raise self._exchange.refusal(stat.text)
        count, octets = self._exchange.read(pop3_replies.stat, stat.text)
        self._count = count
        uids = {number: self._uid(number, reply) for number, reply in zip(numbers, replies, strict=True)}
        return Probe(count, octets, uids)

    async def uidl(self) -> Uids:
        """Number and UID of every message in order of their numbers; equal UIDs come as the server gave them.

        A message the server has no UID for is left out, as it is by `probe`: it cannot be told from others.

        Raises:
            UidlUnsupported: the server has no UIDL.
            RemoteProtocolError: a line that cannot be read, a number out of range or named twice.
        """
        self._on_step(Step.UIDL)
        uids = Uids()
        refused = await self._exchange.listing(
            Command(Verb.UIDL), lambda lines: uids.add(*pop3_replies.uid_rows(lines, self._limits.uid_octets))
        )
        if refused is not None:
            raise UidlUnsupported(refused.detail) if isinstance(refused, CommandRefused) else refused
        self._count = len(uids) + uids.nameless
        try:
            return await in_turns(uids.in_order())
        except BaseException:
            self.abort()
            raise

    async def sizes(self, numbers: Sequence[int] | None = None) -> dict[int, int]:
        """The octets of messages as the server counts them, of all by default; those it refuses are left out.

        Many are asked for by one LIST of all, which takes one round trip instead of one for each flight; where
        commands go one by one that is any number, for servers too that pass over the argument of LIST.

        Raises:
            CommandRefused, ServerBusy, ServerRefused: LIST as a whole was refused.
        """
        if numbers is None or self._is_list_cheaper(len(numbers)):
            found = await self._listed_sizes(numbers)
        else:
            found = await self._some_sizes(numbers)
        self._sizes.update(found)
        return found

    def allow(self, message_octets: int) -> None:
        """Let messages of so many octets come, from here on and whatever the limits say."""
        self._exchange.wire.protocol.allow(message_octets)

    def retr(self, numbers: Sequence[int], *, sessions: int = 1) -> AsyncIterator[Incoming]:
        """Fetch messages in this order; the next are under way while one is consumed.

        Read the iteration to its end before another command, or leave it: what is in flight is then dropped.

        Args:
            sessions: at work with this host, this one included; they share what may be under way.
        """
        return Retrieval(self._exchange, [_checked(number) for number in numbers], self._sizes, sessions)

    async def top(self, number: int, lines: int) -> bytes:
        """Header and first lines of a message, cut at `limits.top_octets`.

        A server that answers with more than any message may have loses the session, and what came is the answer:
        the next session would get no further.

        Raises:
            CommandRefused: no such message, or no TOP.
        """
        command = Command(Verb.TOP, b"%d %d" % (_checked(number), max(lines, 0)))
        first = await self._exchange.first(command)
        if isinstance(first, Reply):
            raise self._exchange.refusal(first.text)
        kept = bytearray()
        with contextlib.suppress(MessageTooLarge):
            while isinstance(event := await self._exchange.wire.event(), Chunk):
                kept += event.octets[: self._limits.top_octets - len(kept)]
        return bytes(kept)

    async def heads(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """The headers of messages, each cut at `limits.top_octets`; those the server refuses are left out."""
        commands = [Command(Verb.TOP, b"%d 0" % _checked(number)) for number in numbers]
        texts = await self._exchange.texts(commands, self._limits.top_octets)
        return {number: text for number, text in zip(numbers, texts, strict=True) if text is not None}

    async def dele(self, numbers: Sequence[int]) -> list[int]:
        """Mark messages for deletion at QUIT; those the server agreed to."""
        replies = await self._exchange.flight(_each(Verb.DELE, numbers))
        return [number for number, reply in zip(numbers, replies, strict=True) if reply.is_ok]

    async def rset(self) -> None:
        """Take all marks for deletion back."""
        await self._exchange.do(Command(Verb.RSET))

    async def noop(self) -> None:
        """Keep the session alive."""
        await self._exchange.do(Command(Verb.NOOP))

    async def quit(self, *, wait: bool = True) -> bool:
        """End the session and close the socket; True when the server answered +OK, so that deletions count.

        With `wait=False` nothing is waited for, and the answer is False.
        """
        try:
            if wait:
                return (await self._exchange.ask(Command(Verb.QUIT))).is_ok
            self._exchange.wire.send(Command(Verb.QUIT))
        except BotError:
            return False
        finally:
            await self._exchange.wire.close()
        return False

    def abort(self) -> None:
        """Close the socket at once; safe at any time."""
        self._exchange.wire.abort()

    # Inside

    def _is_list_cheaper(self, wanted: int) -> bool:
        if not self._limits.pipelining:
            return wanted > 0
        flights = -(-wanted // self._limits.window)
        return flights > _FLIGHTS or (self._count is not None and self._count <= (flights - 1) * _FLIGHT_ROWS)

    async def _listed_sizes(self, numbers: Sequence[int] | None) -> dict[int, int]:
        wanted = None if numbers is None else frozenset(numbers)
        found: dict[int, int] = {}
        refused = await self._exchange.listing(
            Command(Verb.LIST), partial(pop3_replies.take_sizes, found, wanted)
        )
        if refused is not None:
            raise refused
        return found

    async def _some_sizes(self, numbers: Sequence[int]) -> dict[int, int]:
        replies = await self._exchange.flight(_each(Verb.LIST, numbers))
        return {
            number: self._exchange.read(pop3_replies.one_size, reply.text, number)
            for number, reply in zip(numbers, replies, strict=True)
            if reply.is_ok
        }

    def _uid(self, number: int, reply: Reply) -> bytes | None:
        if not reply.is_ok:
            return None
        return self._exchange.read(pop3_replies.one_uid, reply.text, number, self._limits.uid_octets)


def _each(verb: Verb, numbers: Sequence[int]) -> list[Command]:
    return [Command(verb, b"%d" % _checked(number)) for number in numbers]


def _checked(number: int) -> int:
    if not 0 < number <= pop3_replies.MAX_NUMBER:
        raise LocalProtocolError("a message number out of range")
    return number
