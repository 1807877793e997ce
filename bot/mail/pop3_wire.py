"""The connection under a POP3 session: sockets, TLS, deadlines, flow control.

Deadlines run on a clock that stands still while nobody waits for the server, so a slow consumer is never taken
for a slow server. A time limit per read would let one octet every half second through for ever: a command has a
deadline, a long answer a least speed, the session a deadline that grows only with what was received. Reading stops
while too much is received and not consumed. Whatever goes wrong, the socket is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast

from bot.errors import (
    BotError,
    CertificateInvalid,
    ConnectionLost,
    LocalProtocolError,
    ServerUnreachable,
    TlsUnavailable,
)
from bot.mail.pop3 import Began, Challenge, Chunk, Command, Ended, Event, Pop3Connection, Reply
from bot.mail.tls import is_no_tls
from bot.mail.turns import stand_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.mail.hosts import Pinned
    from bot.mail.pop3_limits import Limits

_EPSILON: Final = 0.001  # timers may fire this early
_STRETCH: Final = 256 * 1024  # octets of a long answer; with all that is done with them up to 2 ms
_REST: Final = 0.01  # seconds for others after each stretch, while they are at work: this leaves 25 MB/s


async def dial(addresses: Sequence[Pinned], seconds: float) -> socket.socket:
    """A connected socket to the first address that answers; each gets a fair share of the time.

    Raises:
        ServerUnreachable: none answered in time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    for tried, (family, address, port) in enumerate(addresses):
        share = (deadline - loop.time()) / (len(addresses) - tried)
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(share):
                return await _connected(family, address, port)
    raise ServerUnreachable("no address answered")


async def _connected(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def open_wire(sock: socket.socket, limits: Limits, tls: ssl.SSLContext | None, host: str) -> Wire:
    """The wire over a connected socket, under TLS from the first octet when a context is given.

    Raises:
        CertificateInvalid: the certificate does not prove `host`.
        TlsUnavailable: the other side answered, and not with TLS we can use.
        ServerUnreachable: no answer, or the connection broke off.
    """
    protected: dict[str, Any] = {"ssl": tls, **_tls_arguments(host, limits)} if tls else {}
    with _tls_errors(ServerUnreachable):
        _, wire = await asyncio.get_running_loop().create_connection(
            lambda: Wire(limits), sock=sock, **protected
        )
    return wire


def _tls_arguments(host: str, limits: Limits) -> dict[str, Any]:
    # For a numeric address `ssl` compares the certificate's addresses and sends no SNI.
    return {
        "server_hostname": host,
        "ssl_handshake_timeout": limits.handshake.total_seconds(),
        "ssl_shutdown_timeout": limits.farewell.total_seconds(),
    }


@contextlib.contextmanager
def _tls_errors(broken: type[BotError]) -> Iterator[None]:
    """Translates what a handshake raises; `broken` is for a connection that breaks off or hangs.

    Where nothing was said before the handshake, an answer in clear may come from anything, so it reads like nobody
    there. The causes are cut off: their texts name the host.
    """
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise CertificateInvalid(f"certificate refused, code {error.verify_code}") from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        raise broken("closed during the handshake") from None
    except ssl.SSLError as error:
        if broken is ServerUnreachable and is_no_tls(error):
            raise broken("the answer is not TLS") from None
        raise TlsUnavailable(f"no TLS: {error.reason or 'unknown reason'}") from None
    except (OSError, TimeoutError):
        raise broken("no handshake") from None


class Wire(asyncio.Protocol):
    """One connection. `send` writes commands, `event` waits for what the server says, `abort` ends it all.

    Attributes:
        waits: how often `event` had to wait for the network.
        fastest: seconds of the fastest answer so far to a command sent while none was unanswered; about the
            round-trip time. None before the first.
        unanswered_octets: sent and not fully answered.
    """

    def __init__(self, limits: Limits) -> None:
        self.protocol = Pop3Connection(limits)
        self.waits = 0
        self.fastest: float | None = None
        self.unanswered_octets = 0
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._is_over = self._is_aborted = self._is_paused = False
        self._lengths: deque[int] = deque()
        self._asked_at: float | None = None
        self._received = self._stood_back = 0
        self._waited = 0.0  # the clock of all deadlines
        self._head_since = 0.0  # when the oldest unanswered command became the oldest
        self._mark = (
            0.0,
            0,
        )  # when the current stretch of a long answer began, and what was received by then

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass of it

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._received += len(data)
        self.protocol.receive_data(data)
        if not self._is_paused and self.protocol.buffered > self._limits.buffer_octets:
            self._is_paused = True
            self._current.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """See `asyncio.Protocol`; what was received before is still given out."""
        self._is_over = True
        self._disarm()
        if not self._closed.done():
            self._closed.set_result(None)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What a session calls

    def send(self, *commands: Command) -> None:
        """Write commands.

        Raises:
            LocalProtocolError: nothing was written; the session may go on.
            RemoteProtocolError, ConnectionLost: the session is over.
        """
        is_first = not self.protocol.unanswered
        with self._aborting():
            self._check_open()
            lines = [self.protocol.send(command) for command in commands]
            self._current.write(b"".join(lines))
        self._lengths.extend(map(len, lines))
        self.unanswered_octets += sum(map(len, lines))
        if is_first:
            self._head_since, self._asked_at = self._waited, self._loop.time()

    def respond(self, octets: bytes) -> None:
        """Write the answer to a challenge."""
        self._check_open()
        self._current.write(self.protocol.respond(octets))

    async def event(self) -> Event:
        """The next event.

        Raises:
            ConnectionLost: closed, broken off or too slow.
            RemoteProtocolError, MessageTooLarge: as `Pop3Connection`.
        """
        with self._aborting():
            if self._is_aborted:
                raise ConnectionLost("the session is over")
            while (event := self.protocol.next_event()) is None:
                await self._more()
            self._note(event)
            if isinstance(event, Chunk) and self._received - self._stood_back >= _STRETCH:
                await self._pause()
        if self._is_paused and self.protocol.buffered <= self._limits.buffer_octets // 2:
            self._is_paused = False
            if not (self._is_over or self._is_aborted):
                self._current.resume_reading()
        return event

    async def start_tls(self, tls: ssl.SSLContext, host: str) -> None:
        """Put TLS over the connection, after +OK to STLS.

        Raises:
            RemoteProtocolError: octets came before the handshake.
            CertificateInvalid, TlsUnavailable, ConnectionLost: as for `open_wire`.
        """
        with self._aborting(), _tls_errors(ConnectionLost):
            self._check_open()
            self.protocol.tls_begins()  # nothing may be read between this and `start_tls`
            transport = await self._loop.start_tls(
                self._current, self, tls, **_tls_arguments(host, self._limits)
            )
        self._transport = transport

    async def close(self) -> None:
        """Close after what was written, without waiting for the other side to agree."""
        with contextlib.suppress(Exception):
            self._current.close()  # under TLS this writes close_notify and would wait for the peer's
        self.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.farewell.total_seconds()):
                await self._closed

    def abort(self) -> None:
        """Close the socket at once; safe at any time."""
        self._is_aborted = True
        self._disarm()
        if self._transport is not None:
            with contextlib.suppress(Exception):
                self._transport.abort()
        self._wake()

    # Inside

    async def _pause(self) -> None:
        """Let others go first, reading nothing meanwhile: a stream without end must not be all that happens."""
        self._stood_back = self._received
        if not (self._is_paused or self._is_over):
            self._is_paused = True
            self._current.pause_reading()
        await stand_back(_REST)

    @property
    def _current(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    @contextlib.contextmanager
    def _aborting(self) -> Iterator[None]:
        try:
            yield
        except LocalProtocolError:
            raise
        except BaseException:
            self.abort()
            raise

    def _check_open(self) -> None:
        if self._is_over or self._is_aborted or self._current.is_closing():
            raise ConnectionLost("closed before a command could be sent")

    def _note(self, event: Event) -> None:
        """Keep the books of deadlines and round trips."""
        if isinstance(event, Reply | Began) and self._asked_at is not None:
            trip, self._asked_at = self._loop.time() - self._asked_at, None
            self.fastest = trip if self.fastest is None else min(self.fastest, trip)
        if isinstance(event, Began):
            self._mark = (self._waited, self._received)
            self._stood_back = self._received
        elif isinstance(event, Reply | Challenge | Ended):
            self._head_since = self._waited
        if isinstance(event, Reply | Ended) and self._lengths:
            self.unanswered_octets -= self._lengths.popleft()

    async def _more(self) -> None:
        """Wait until more was received or a deadline has passed."""
        if self._is_over or self._is_aborted:
            raise ConnectionLost("closed by the server")
        self.waits += 1
        self._waiter = self._loop.create_future()
        began = self._loop.time()
        self._arm(began + self._deadline() - self._waited)
        try:
            await self._waiter
        finally:
            self._waiter = None
            self._waited += self._loop.time() - began
        self._check()

    def _arm(self, when: float) -> None:
        """Wake at `when` or before. A timer that is due earlier stays: one idle wake costs less than a timer a wait."""
        if self._timer is not None and self._timer.when() <= when:
            return
        self._disarm()
        self._timer = self._loop.call_at(when, self._ring)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._wake()

    def _deadline(self) -> float:
        session = self._limits.session.total_seconds() + self._received / self._limits.allowance_octets
        if self.protocol.is_in_body:
            return min(session, self._mark[0] + self._limits.progress_window.total_seconds())
        return min(session, self._head_since + self._limits.command.total_seconds())

    def _check(self) -> None:
        if self._waited + _EPSILON < self._deadline():
            return
        if not self.protocol.is_in_body:
            raise ConnectionLost("no answer in time")
        since, received = self._mark
        window = self._limits.progress_window.total_seconds()
        is_stretch_over = self._waited + _EPSILON >= since + window
        if not is_stretch_over or self._received - received < self._limits.progress_octets * window:
            raise ConnectionLost("too slow")
        self._mark = (self._waited, self._received)
