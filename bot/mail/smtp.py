"""Submission by SMTP: the connection test.

Covers connecting to a judged address, TLS or STARTTLS (required means required), EHLO and AUTH (RFC 5321, 3207, 4954,
6409). Sends no mail. aiosmtplib speaks the protocol; what is done here is what it leaves open: which address to
connect to, which mechanism to try, how often, and what an answer means to the person.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from bot.errors import (
    BotError,
    CertificateInvalid,
    ConnectionLost,
    LocalProtocolError,
    LoginRejected,
    RemoteProtocolError,
    ServerBusy,
    ServerRefused,
    ServerUnreachable,
    Step,
    TlsUnavailable,
)
from bot.mail.hosts import plain_host
from bot.mail.tls import is_no_tls
from storage.records import Secret, Security, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from bot.mail.hosts import Hosts

# An address literal instead of our host name: nobody's business, and always well formed (RFC 5321 section 4.1.3).
_OUR_NAME: Final = "[127.0.0.1]"
_FORBIDDEN: Final = re.compile(r"[\r\n\0]")
# Throttling may come under a permanent code: these words say that waiting helps.
_TEMPORARY_WORDS: Final = re.compile(
    r"too many|try(?: again)? later|temporar|rate.?limit|throttl", re.IGNORECASE
)
# Without TLS, first the mechanism that does not show the password.
_MECHANISMS: Final = ("plain", "login", "cram-md5")
_MECHANISMS_IN_CLEAR: Final = ("cram-md5", "plain", "login")
_READY: Final = 220
_CONTINUE: Final = 334
_BAD_CREDENTIALS: Final = 535
_COMMAND_UNKNOWN: Final = frozenset({500, 501, 502, 503, 504})
_AUTH_WANTS_TLS: Final = frozenset({530, 538})

_TRY_OTHER_PORT: Final = "Try TLS on port 465, or STARTTLS on port 587."
_NO_TLS: Final = f"The outgoing server does not offer this kind of encryption on this port. {_TRY_OTHER_PORT}"
_NO_AUTH: Final = (
    f"The outgoing server takes no sign-in on this port, so it cannot send for you. {_TRY_OTHER_PORT}"
)
_AUTH_NEEDS_TLS: Final = (
    f"The outgoing server takes a password over an encrypted connection only. {_TRY_OTHER_PORT}"
)
_NO_COMMON_AUTH: Final = "The outgoing server takes no password, only other kinds of sign-in that Mailbox does not have (such as OAuth)."
_REFUSES_US: Final = "The outgoing server refuses connections from here. Check the server name and the port, or ask whoever runs it."
_NOT_SMTP: Final = "The outgoing server sent something that is not SMTP. Check the server name and the port."
_LOST: Final = (
    "The outgoing server closed the connection or stopped answering. Please try again in a few minutes."
)
_BUSY: Final = "The outgoing server is busy and asks to come back later. Please try again in a few minutes."
_BAD_LOGIN: Final = "The outgoing server refused the user name or the password. Check both; if two-step sign-in is on, use an app password."


@dataclass(frozen=True, slots=True)
class SubmissionLimits:
    """How long each part may take."""

    connect: timedelta = timedelta(seconds=10)
    command: timedelta = timedelta(seconds=15)
    total: timedelta = timedelta(seconds=30)
    goodbye: timedelta = timedelta(seconds=2)


async def check_submission(
    server: ServerAddress,
    username: str,
    password: Secret,
    *,
    hosts: Hosts,
    tls: ssl.SSLContext,
    limits: SubmissionLimits | None = None,
    on_step: Callable[[Step], None] = lambda _step: None,
) -> None:
    """Connect and sign in as for sending, then leave; returns only when the server took the credentials.

    `on_step` is told each step when it begins; with STARTTLS the greeting comes before TLS.

    Raises:
        BotError: one of its families; the sentence fits an outgoing server.
    """
    _refuse_control(username, password)
    limits = limits or SubmissionLimits()
    check = _Check(server, tls, limits, on_step)
    try:
        async with asyncio.timeout(limits.total.total_seconds()):
            await check.run(hosts, username, password)
    except TimeoutError as error:
        raise check.lost("the deadline of the whole check passed") from error
    finally:
        check.abort()


def _refuse_control(username: str, password: Secret) -> None:
    """Nothing of credentials that hold a line break, a NUL or what UTF-8 cannot express may reach a server."""
    for value in (username, password.reveal()):
        if _FORBIDDEN.search(value) or any("\ud800" <= character <= "\udfff" for character in value):
            raise LocalProtocolError("credentials hold CR, LF, NUL or a lone surrogate")


class _Check:
    """One connection to one server, step by step."""

    def __init__(
        self,
        server: ServerAddress,
        tls: ssl.SSLContext,
        limits: SubmissionLimits,
        on_step: Callable[[Step], None],
    ) -> None:
        self._server = server
        self._host = plain_host(server.host)
        self._tls = tls
        self._limits = limits
        self._on_step = on_step
        self._client = aiosmtplib.SMTP(
            hostname=server.host, local_hostname=_OUR_NAME, timeout=limits.command.total_seconds()
        )
        self._protocol = _WatchedProtocol()
        self._is_greeted = False

    async def run(self, hosts: Hosts, username: str, password: Secret) -> None:
        await self._connect(await self._reach(hosts))
        await self._greet()
        await self._ehlo()
        if self._server.security is Security.STARTTLS:
            await self._upgrade()
            await self._ehlo()
        try:
            await self._login(username, password)
        finally:
            await self._leave()

    def lost(self, detail: str) -> BotError:
        """What an ended or silent connection means: before the greeting nobody can tell what stands there."""
        return ConnectionLost(detail, sentence=_LOST) if self._is_greeted else ServerUnreachable(detail)

    def abort(self) -> None:
        """Close the socket at once; never raises."""
        if self._protocol.transport is not None:
            cast("asyncio.Transport", self._protocol.transport).abort()  # uvloop's are no subclass of it

    async def _reach(self, hosts: Hosts) -> socket.socket:
        self._on_step(Step.NAME)
        within = self._limits.connect.total_seconds()
        try:
            async with asyncio.timeout(within):
                addresses = await hosts.pinned(self._server)
        except TimeoutError as error:
            raise ServerUnreachable("the name took too long") from error
        self._on_step(Step.CONNECT)
        return await _open_first(addresses, within)

    async def _connect(self, connected: socket.socket) -> None:
        is_tls = self._server.security is Security.TLS
        if is_tls:
            self._on_step(Step.TLS)
        with self._faults_translated():
            await asyncio.get_running_loop().create_connection(
                lambda: self._protocol,
                sock=connected,
                ssl=self._tls if is_tls else None,
                server_hostname=self._host if is_tls else None,
                ssl_handshake_timeout=self._limits.connect.total_seconds() if is_tls else None,
            )
        self._client.protocol, self._client.transport = self._protocol, self._protocol.transport

    async def _greet(self) -> None:
        self._on_step(Step.GREETING)
        with self._faults_translated():
            response = await self._protocol.read_response(self._limits.command.total_seconds())
        _judge_greeting(response.code)
        self._is_greeted = True

    async def _ehlo(self) -> None:
        """A server that knows no EHLO has no extensions: the steps that need one say so."""
        try:
            with self._faults_translated():
                await self._client.ehlo()
        except _Answer as answer:
            if answer.code not in _COMMAND_UNKNOWN:
                raise _refusal(answer.code, "EHLO") from answer

    async def _upgrade(self) -> None:
        self._on_step(Step.TLS)
        if not self._client.supports_extension("starttls"):
            raise TlsUnavailable("STARTTLS not offered", sentence=_NO_TLS)
        self._protocol.has_surplus = False
        with self._faults_translated():
            response = await self._client.execute_command(b"STARTTLS")
        if response.code != _READY:
            raise _starttls_refusal(response.code)
        if self._protocol.has_surplus:
            raise RemoteProtocolError(
                "octets between the answer to STARTTLS and the handshake", sentence=_NOT_SMTP
            )
        with self._faults_translated():
            await self._protocol.upgrade(self._tls, self._host, self._limits.connect.total_seconds())
        self._client.transport = self._protocol.transport

    async def _login(self, username: str, password: Secret) -> None:
        """Each mechanism is tried only when the one before was not understood: every refusal counts against a lock."""
        self._on_step(Step.LOGIN)
        refusal: BotError = self._no_mechanism()
        for mechanism in self._mechanisms():
            try:
                with self._faults_translated():
                    await mechanism(username, password.reveal())
            except _Answer as answer:
                refusal = _login_refusal(answer)
                if answer.code == _CONTINUE:
                    await self._cancel_exchange()
                elif answer.code not in _COMMAND_UNKNOWN:
                    raise refusal from answer
            else:
                return
        raise refusal

    def _mechanisms(self) -> Iterator[Callable[[str, str], Awaitable[object]]]:
        client = self._client
        known = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
        order = _MECHANISMS_IN_CLEAR if self._server.security is Security.NONE else _MECHANISMS
        return (known[name] for name in order if name in client.server_auth_methods)

    def _no_mechanism(self) -> ServerRefused:
        if self._client.server_auth_methods:
            return ServerRefused("no mechanism in common", sentence=_NO_COMMON_AUTH)
        if self._server.security is Security.NONE and self._client.supports_extension("starttls"):
            return ServerRefused("AUTH only inside TLS", sentence=_AUTH_NEEDS_TLS)
        return ServerRefused("AUTH not offered", sentence=_NO_AUTH)

    async def _cancel_exchange(self) -> None:
        """The server waits for one more line than the mechanism has (RFC 4954 section 4)."""
        with self._faults_translated():
            await self._client.execute_command(b"*")

    async def _leave(self) -> None:
        """A QUIT out of courtesy: what the server makes of it changes nothing."""
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await self._client.quit(timeout=self._limits.goodbye.total_seconds())

    @contextlib.contextmanager
    def _faults_translated(self) -> Iterator[None]:
        """Translates what the library raises; the causes are cut off: they name the host or repeat what it said."""
        try:
            yield
        except ssl.SSLError as error:
            raise _tls_fault(error, is_greeted=self._is_greeted) from None
        except aiosmtplib.SMTPResponseException as error:
            raise self._as_answer(error) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            # ValueError: a host name that TLS cannot carry.
            raise self.lost(type(error).__name__) from None

    def _as_answer(self, error: aiosmtplib.SMTPResponseException) -> Exception:
        """The library's negative codes mean octets that are no SMTP answer."""
        if error.code > 0:
            return _Answer(error.code, error.message)
        if self._is_greeted:
            return RemoteProtocolError("malformed answer", sentence=_NOT_SMTP)
        return ServerUnreachable("the greeting is not SMTP")


class _Answer(Exception):
    """The server's negative answer to a command."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


class _WatchedProtocol(SMTPProtocol):
    """aiosmtplib's protocol, noticing octets that nobody asked for.

    The library drops what somebody on the path puts behind the answer to STARTTLS and goes on; here it is seen, and
    the caller ends the session.
    """

    def __init__(self) -> None:
        super().__init__()
        self.has_surplus = False

    def data_received(self, data: bytes) -> None:
        """Every octet from the server, as it arrives."""
        self.has_surplus |= not self._is_waiting()
        super().data_received(data)
        self.has_surplus |= bool(self._buffer) and not self._is_waiting()

    async def upgrade(self, tls: ssl.SSLContext, host: str, within: float) -> None:
        """The handshake, after the server agreed to STARTTLS."""
        transport = cast("asyncio.Transport | None", self.transport)
        if transport is None:
            raise aiosmtplib.SMTPServerDisconnected("closed before the handshake")
        self.transport = await self._loop.start_tls(
            transport, self, tls, server_hostname=host, ssl_handshake_timeout=within
        )
        self._over_ssl = True

    def _is_waiting(self) -> bool:
        return (
            self._response_pending and self._response_waiter is not None and not self._response_waiter.done()
        )


async def _open_first(
    addresses: Sequence[tuple[socket.AddressFamily, str, int]], within: float
) -> socket.socket:
    """A socket connected to the first address that answers, in the given order, each with its share of the time."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + within
    for position, (family, address, port) in enumerate(addresses):
        share = (ends_at - loop.time()) / (len(addresses) - position)
        with contextlib.suppress(OSError):
            return await _open(family, address, port, share)
    raise ServerUnreachable("no address took the connection")


async def _open(family: socket.AddressFamily, address: str, port: int, within: float) -> socket.socket:
    connected = socket.socket(family, socket.SOCK_STREAM)
    try:
        connected.setblocking(False)
        async with asyncio.timeout(within):
            await asyncio.get_running_loop().sock_connect(connected, (address, port))
    except BaseException:
        connected.close()
        raise
    return connected


def _judge_greeting(code: int) -> None:
    if code == _READY:
        return
    if 400 <= code < 600:
        raise _refusal(code, "the greeting")
    raise ServerUnreachable("the greeting is not SMTP's")


def _refusal(code: int, of: str) -> BotError:
    if code < 500:
        return ServerBusy(f"{code} to {of}", sentence=_BUSY)
    return ServerRefused(f"{code} to {of}", sentence=_REFUSES_US)


def _starttls_refusal(code: int) -> BotError:
    if 400 <= code < 500:
        return ServerBusy(f"{code} to STARTTLS", sentence=_BUSY)
    return TlsUnavailable(f"{code} to STARTTLS", sentence=_NO_TLS)


def _login_refusal(answer: _Answer) -> BotError:
    detail = f"{answer.code} to AUTH"
    if answer.code in _AUTH_WANTS_TLS:
        return ServerRefused(detail, sentence=_AUTH_NEEDS_TLS)
    if answer.code in _COMMAND_UNKNOWN or answer.code < 400:
        return ServerRefused(detail, sentence=_NO_COMMON_AUTH)
    if answer.code < 500 or _TEMPORARY_WORDS.search(answer.text):
        return ServerBusy(detail, sentence=_BUSY)
    return LoginRejected(detail, sentence=_BAD_LOGIN, is_certain=answer.code == _BAD_CREDENTIALS)


def _tls_fault(error: ssl.SSLError, *, is_greeted: bool) -> BotError:
    """The detail holds OpenSSL's code only: its text names the host."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return CertificateInvalid(f"certificate refused, code {error.verify_code}")
    if isinstance(error, ssl.SSLEOFError):
        return (
            ConnectionLost("closed in the handshake", sentence=_LOST)
            if is_greeted
            else ServerUnreachable("closed")
        )
    if is_no_tls(error) and not is_greeted:
        return ServerUnreachable("the answer is not TLS")
    return TlsUnavailable(f"handshake failed: {error.reason}", sentence=_NO_TLS)
