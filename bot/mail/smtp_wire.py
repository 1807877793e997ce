"""The connection under an SMTP session: a socket to a judged address, and aiosmtplib's protocol under watch."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final, cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from bot.errors import ServerUnreachable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from aiosmtplib import SMTPResponse

# What waits in the kernel when the last dot follows: little, or the dot would long be on its way unseen.
_SEND_BUFFER: Final = 256 * 1024
_MAX_LINES: Final = 500
_NO_ANSWER: Final = -1  # aiosmtplib's code for octets that are no SMTP answer


class WatchedProtocol(SMTPProtocol):
    """aiosmtplib's protocol, noticing octets that nobody asked for, and answers that come in too many lines.

    The library drops what somebody on the path puts behind the answer to STARTTLS and goes on, and keeps what follows
    another answer as the answer to the next command; here it is seen, and the caller ends the session. It bounds an
    answer's octets (32 KiB) and reads all of it again whenever a line is added, so lines are bounded here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.has_surplus = False
        self._lines = 0

    def data_received(self, data: bytes) -> None:
        """Every octet from the server, as it arrives."""
        waiter = self._response_waiter
        if waiter is None or not self._is_waiting():
            self.has_surplus = True
            return
        self._lines += data.count(b"\n")
        if self._lines > _MAX_LINES:
            self._set_response_exception(
                waiter, aiosmtplib.SMTPResponseException(_NO_ANSWER, "too many lines")
            )
            return
        super().data_received(data)
        self.has_surplus |= bool(self._buffer) and not self._is_waiting()

    async def read_response(self, timeout: float | None = None) -> SMTPResponse:  # noqa: ASYNC109 - the library's
        """The server's next answer."""
        try:
            return await super().read_response(timeout)
        finally:
            self._lines = 0

    async def drained(self) -> None:
        """Wait until little of what was written is left to send.

        Raises:
            OSError: the connection is gone.
        """
        await self._drain_helper()

    async def upgrade(self, tls: ssl.SSLContext, host: str, within: float) -> None:
        """The handshake, after the server agreed to STARTTLS."""
        transport = cast("asyncio.Transport | None", self.transport)
        if transport is None:
            raise aiosmtplib.SMTPServerDisconnected("closed before the handshake")
        self.transport = await self._loop.start_tls(
            transport, self, tls, server_hostname=host, ssl_handshake_timeout=within
        )
        self._over_ssl = True

    def abort(self) -> None:
        """Close the socket at once, with what is not sent yet; never raises."""
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()  # uvloop's are no subclass of it

    def _is_waiting(self) -> bool:
        return (
            self._response_pending and self._response_waiter is not None and not self._response_waiter.done()
        )


async def open_first(
    addresses: Sequence[tuple[socket.AddressFamily, str, int]], within: float
) -> socket.socket:
    """A socket connected to the first address that answers, in the given order, each with its share of the time.

    Raises:
        ServerUnreachable: none took the connection.
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + within
    for position, (family, address, port) in enumerate(addresses):
        share = (ends_at - loop.time()) / (len(addresses) - position)
        with contextlib.suppress(OSError):
            return await _open(family, address, port, share)
    raise ServerUnreachable("no address took the connection")


async def _open(family: socket.AddressFamily, address: str, port: int, within: float) -> socket.socket:
    connected = socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # named, or asyncio leaves Nagle on
    try:
        connected.setblocking(False)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        async with asyncio.timeout(within):
            await asyncio.get_running_loop().sock_connect(connected, (address, port))
    except BaseException:
        connected.close()
        raise
    return connected
