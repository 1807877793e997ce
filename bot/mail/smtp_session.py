"""One session with an outgoing server: from its name to AUTH, then single commands and one upload.

Covers connecting to a judged address, TLS or STARTTLS (required means required), EHLO and AUTH (RFC 5321, 3207, 4954,
6409). aiosmtplib speaks the protocol; what is done here is what it leaves open: which address to connect to, which
mechanism to try, how often, how long, and what a lost connection means to the person.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import aiosmtplib

from bot.errors import (
    BotError,
    ConnectionLost,
    LocalProtocolError,
    RemoteProtocolError,
    ServerRefused,
    ServerUnreachable,
    Step,
    TlsUnavailable,
)
from bot.mail import smtp_replies
from bot.mail.hosts import plain_host
from bot.mail.smtp_content import END
from bot.mail.smtp_wire import WatchedProtocol, open_first
from storage.records import Secret, Security, ServerAddress

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from bot.mail.hosts import Hosts

# An address literal instead of our host name: nobody's business, and always well formed (RFC 5321 section 4.1.3).
_OUR_NAME: Final = "[127.0.0.1]"
_FORBIDDEN: Final = re.compile(r"[\r\n\0]")
_MAX_DIGITS: Final = 18
# Without TLS, first the mechanism that does not show the password.
_MECHANISMS: Final = ("plain", "login", "cram-md5")
_MECHANISMS_IN_CLEAR: Final = ("cram-md5", "plain", "login")


@dataclass(frozen=True, slots=True)
class SubmissionLimits:
    """How long each part may take.

    Attributes:
        command: the greeting, and the answer to each command.
        total: from the name of the server to where nothing but the last dot is left.
        piece: until the server took another 64 KiB of a mail.
        answer: to the last dot.
    """

    connect: timedelta = timedelta(seconds=10)
    command: timedelta = timedelta(seconds=15)
    total: timedelta = timedelta(seconds=30)
    goodbye: timedelta = timedelta(seconds=2)
    piece: timedelta = timedelta(seconds=60)
    answer: timedelta = timedelta(minutes=10)


class Said(NamedTuple):
    """A whole answer of the server, positive or not."""

    code: int
    text: str


class SmtpSession:
    """One connection to one server, step by step; `abort` ends it whatever happened.

    Errors are BotError's families; their causes are cut off, since they name the host or repeat what it said.
    """

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
        self._protocol = WatchedProtocol()
        self._is_greeted = False
        self._answering: asyncio.Task[aiosmtplib.SMTPResponse] | None = None

    @contextlib.asynccontextmanager
    async def bounded(self, total: timedelta) -> AsyncIterator[None]:
        """What happens inside ends with the right error when it takes longer."""
        try:
            async with asyncio.timeout(total.total_seconds()):
                yield
        except TimeoutError as error:
            raise self._lost("the deadline of the whole session passed") from error

    async def sign_in(self, hosts: Hosts, username: str, password: Secret) -> None:
        """Everything up to the server's yes to the credentials; a refusal of them ends in a goodbye.

        Raises:
            BotError: one of its families; the sentence fits an outgoing server.
        """
        _refuse_control(username, password)
        await self._connect(await self._reach(hosts))
        await self._greet()
        await self._ehlo()
        if self._server.security is Security.STARTTLS:
            await self._upgrade()
            await self._ehlo()
        try:
            await self._login(username, password)
        except BotError:
            await self.leave()
            raise

    def offers(self, extension: str) -> bool:
        """Whether the last EHLO listed an extension."""
        return self._client.supports_extension(extension)

    @property
    def max_octets(self) -> int | None:
        """The largest mail that the server takes; None where it does not say (RFC 1870 section 4)."""
        told = self._client.esmtp_extensions.get("size", "").strip()
        is_number = told.isascii() and told.isdigit() and len(told) <= _MAX_DIGITS
        return (int(told) or None) if is_number else None

    async def command(self, *words: bytes) -> Said:
        """Send a command and wait for its answer, whatever it is.

        Raises:
            ConnectionLost: none came in time.
            RemoteProtocolError: it is no SMTP, or more came than was asked for.
        """
        self._refuse_surplus()
        with self._faults_translated():
            said = await self._protocol.execute_command(*words, timeout=self._limits.command.total_seconds())
        self._refuse_surplus()
        return self._judged(said)

    async def upload(self, pieces: Iterator[bytes]) -> None:
        """Write a mail behind the answer to DATA, all but the end of its last line; stops where the server speaks."""
        self._answering = asyncio.create_task(self._protocol.read_response())
        for piece in pieces:
            with self._faults_translated():
                self._protocol.write(piece)
            await self._taken()
            if self._answering.done():
                return

    def early_answer(self) -> Said | None:
        """What the server said before it had the last dot, if anything: nothing was sent then.

        Raises:
            ConnectionLost: it closed the connection, or so it seems.
            RemoteProtocolError: what it said is no SMTP.
        """
        if self._answering is not None and self._answering.done():
            with self._faults_translated():
                return self._judged(self._answering.result())
        self._refuse_surplus()
        if not self._protocol.is_connected:
            raise self._lost("closed before the last dot")
        return None

    async def end(self) -> Said:
        """Write the last dot; from here on the server may have the mail.

        Raises:
            ConnectionLost: the dot could not be written.
            TimeoutError, aiosmtplib.SMTPException, OSError: no answer that can be read.
        """
        assert self._answering is not None
        with self._faults_translated():
            self._protocol.write(END)
        async with asyncio.timeout(self._limits.answer.total_seconds()):
            return Said(*await self._answering)

    async def leave(self) -> None:
        """A QUIT out of courtesy: what the server makes of it changes nothing."""
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await self._protocol.execute_command(b"QUIT", timeout=self._limits.goodbye.total_seconds())

    def abort(self) -> None:
        """Close the socket at once; never raises."""
        if self._answering is not None:
            self._answering.cancel()
            if self._answering.done() and not self._answering.cancelled():
                self._answering.exception()  # looked at, so that nothing complains of it
        self._protocol.abort()

    async def _taken(self) -> None:
        """Wait until the server took most of what was written, or says something."""
        assert self._answering is not None
        draining = asyncio.create_task(self._protocol.drained())
        try:
            done, _ = await asyncio.wait(
                {draining, self._answering},
                timeout=self._limits.piece.total_seconds(),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not done:
                raise self._lost("the server stopped taking the mail")
            if self._answering not in done:
                with self._faults_translated():
                    draining.result()
        finally:
            draining.cancel()
            await asyncio.gather(draining, return_exceptions=True)

    def _judged(self, said: aiosmtplib.SMTPResponse) -> Said:
        if not smtp_replies.is_answer(said.code):
            raise RemoteProtocolError("a code that is none of SMTP's", sentence=smtp_replies.NOT_SMTP)
        return Said(said.code, said.message)

    def _refuse_surplus(self) -> None:
        """An answer to nothing would be taken for the answer to the next command."""
        if self._protocol.has_surplus:
            raise RemoteProtocolError("octets that nobody asked for", sentence=smtp_replies.NOT_SMTP)

    def _lost(self, detail: str) -> BotError:
        """What an ended or silent connection means: before the greeting nobody can tell what stands there."""
        if self._is_greeted:
            return ConnectionLost(detail, sentence=smtp_replies.LOST)
        return ServerUnreachable(detail)

    async def _reach(self, hosts: Hosts) -> socket.socket:
        self._on_step(Step.NAME)
        within = self._limits.connect.total_seconds()
        try:
            async with asyncio.timeout(within):
                addresses = await hosts.pinned(self._server)
        except TimeoutError as error:
            raise ServerUnreachable("the name took too long") from error
        self._on_step(Step.CONNECT)
        return await open_first(addresses, within)

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
        smtp_replies.judge_greeting(response.code)
        self._is_greeted = True

    async def _ehlo(self) -> None:
        """A server that knows no EHLO has no extensions: the steps that need one say so."""
        try:
            with self._faults_translated():
                await self._client.ehlo()
        except _Answer as answer:
            if answer.code not in smtp_replies.COMMAND_UNKNOWN:
                raise smtp_replies.refusal(answer.code, "EHLO") from answer

    async def _upgrade(self) -> None:
        self._on_step(Step.TLS)
        if not self.offers("starttls"):
            raise TlsUnavailable("STARTTLS not offered", sentence=smtp_replies.NO_TLS)
        self._protocol.has_surplus = False
        with self._faults_translated():
            response = await self._client.execute_command(b"STARTTLS")
        if response.code != smtp_replies.READY:
            raise smtp_replies.starttls_refusal(response.code)
        if self._protocol.has_surplus:
            raise RemoteProtocolError(
                "octets between the answer to STARTTLS and the handshake", sentence=smtp_replies.NOT_SMTP
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
                refusal = smtp_replies.login_refusal(answer.code, answer.text)
                if answer.code == smtp_replies.CONTINUE:
                    await self._cancel_exchange()
                elif answer.code not in smtp_replies.COMMAND_UNKNOWN:
                    raise refusal from answer
            else:
                return
        raise refusal

    def _mechanisms(self) -> Iterator[Callable[[str, str], Awaitable[object]]]:
        client = self._client
        known: dict[str, Callable[[str, str], Awaitable[object]]] = {
            "plain": client.auth_plain,
            "login": self._login_as_asked,
            "cram-md5": client.auth_crammd5,
        }
        order = _MECHANISMS_IN_CLEAR if self._server.security is Security.NONE else _MECHANISMS
        return (known[name] for name in order if name in client.server_auth_methods)

    async def _login_as_asked(self, username: str, password: str) -> None:
        """AUTH LOGIN word by word: a server that ignores a name behind the command takes the password for the name."""
        said = await self._client.execute_command(b"AUTH", b"LOGIN")
        for word in (username, password):
            if said.code == smtp_replies.CONTINUE:
                said = await self._client.execute_command(base64.b64encode(word.encode()))
        if said.code != smtp_replies.SIGNED_IN:
            raise aiosmtplib.SMTPAuthenticationError(said.code, said.message)

    def _no_mechanism(self) -> ServerRefused:
        if self._client.server_auth_methods:
            return ServerRefused("no mechanism in common", sentence=smtp_replies.NO_COMMON_AUTH)
        if self._server.security is Security.NONE and self.offers("starttls"):
            return ServerRefused("AUTH only inside TLS", sentence=smtp_replies.AUTH_NEEDS_TLS)
        return ServerRefused("AUTH not offered", sentence=smtp_replies.NO_AUTH)

    async def _cancel_exchange(self) -> None:
        """The server waits for one more line than the mechanism has (RFC 4954 section 4)."""
        with self._faults_translated():
            await self._client.execute_command(b"*")

    @contextlib.contextmanager
    def _faults_translated(self) -> Iterator[None]:
        """Translates what the library raises; the causes are cut off: they name the host or repeat what it said."""
        try:
            yield
        except ssl.SSLError as error:
            raise smtp_replies.tls_fault(error, is_greeted=self._is_greeted) from None
        except aiosmtplib.SMTPResponseException as error:
            raise self._as_answer(error) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            # ValueError: a host name that TLS cannot carry.
            raise self._lost(type(error).__name__) from None

    def _as_answer(self, error: aiosmtplib.SMTPResponseException) -> Exception:
        """The library's negative codes mean octets that are no SMTP answer."""
        if error.code > 0:
            return _Answer(error.code, error.message)
        if self._is_greeted:
            return RemoteProtocolError("malformed answer", sentence=smtp_replies.NOT_SMTP)
        return ServerUnreachable("the greeting is not SMTP")


class _Answer(Exception):
    """The server's negative answer to a command of the library's own."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.text = text


def _refuse_control(username: str, password: Secret) -> None:
    """Nothing of credentials that hold a line break, a NUL or what UTF-8 cannot express may reach a server."""
    for value in (username, password.reveal()):
        if _FORBIDDEN.search(value) or any("\ud800" <= character <= "\udfff" for character in value):
            raise LocalProtocolError("credentials hold CR, LF, NUL or a lone surrogate")
