"""The sandbox's submission server: signed-in people send to each other's maildrops, and to correspondents outside.

aiosmtpd speaks the protocol. What goes outside is kept, never sent: nothing ever leaves the machine. Mail to an address
that nobody has, here or outside, is refused.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, AnyStr, Final

from aiosmtpd.smtp import DATA_SIZE_DEFAULT, SMTP, AuthResult, Envelope, LoginPassword, Session

from bot.sandbox.mail import pace
from bot.sandbox.mail.compose import received_line
from bot.sandbox.mail.faults import Faults, Kind
from bot.sandbox.mail.maildrops import MaildropDown

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from bot.sandbox.mail.maildrops import Maildrops
    from bot.sandbox.mail.outside import Outside

SUBMITTED: Final = b"Return-Path: "  # how mail begins that came this way
SMALL_OCTETS: Final = 100_000


class Submission:
    """What happens to sign-ins and mails, in the names aiosmtpd calls."""

    def __init__(self, drops: Maildrops, outside: Outside) -> None:
        self._drops = drops
        self._outside = outside

    def sign_in(
        self, server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        """Judge a user name and a password."""
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        try:
            drop = self._drops.signed_in(
                data.login.decode("utf-8", "replace"),
                data.password.decode("utf-8", "replace"),
                refusing=Kind.SMTP_PASSWORD,
            )
        except MaildropDown:
            return AuthResult(success=False, handled=False, message="454 4.7.0 try again later")
        if drop is None:
            return AuthResult(success=False, handled=False)
        drop.note("SMTP LOGIN")
        if isinstance(server, _Connection):
            server.own_faults = drop.faults
        return AuthResult(success=True, auth_data=drop.account.address)

    async def handle_MAIL(  # noqa: N802  (aiosmtpd's name)
        self, server: _Connection, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Only who signed in may send."""
        if not session.authenticated:
            return "530 5.7.0 sign in first"
        if server.own_faults.has(Kind.SMTP_TEMPORARY):
            return "451 4.3.0 try again later"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 fine"

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: _Connection, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Only people of the sandbox and their correspondents get mail."""
        is_here = bool(self._drops.reached_by(address))
        if not is_here and not self._outside.knows(address):
            return "550 5.1.1 nobody has this address"
        if not is_here and server.own_faults.has(Kind.OUTSIDE_LATER):
            return "450 4.2.0 this one cannot be reached now"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(  # noqa: N802  (aiosmtpd's name)
        self, server: _Connection, session: Session, envelope: Envelope
    ) -> str:
        """Take the mail, unless a fault stands in the way."""
        faults = server.own_faults
        if faults.has(Kind.CONTENT_REFUSED):
            return "554 5.7.1 this looks like something nobody wants"
        lost, taken = faults.get(Kind.UNTAKEN_UNANSWERED), faults.get(Kind.TAKEN_UNANSWERED)
        if lost is None:
            self._take(str(session.auth_data), envelope)
        if lost or taken:
            await server.hang_up(max(fault.seconds for fault in (lost, taken) if fault))
        return "250 2.0.0 taken"

    def _take(self, account: str, envelope: Envelope) -> None:
        """Put the mail into every maildrop named, once, and to what went outside."""
        now = datetime.now(UTC)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        trace = (
            SUBMITTED
            + f"<{envelope.mail_from}>\r\n".encode("utf-8", "surrogateescape")
            + received_line("sandbox", now)
        )
        drops = {id(drop): drop for to in envelope.rcpt_tos for drop in self._drops.reached_by(to)}
        for drop in drops.values():
            drop.deliver(trace + content, now)
        outside = [to for to in envelope.rcpt_tos if not self._drops.reached_by(to)]
        if outside:
            self._outside.take(account, envelope.mail_from or "", outside, content, now)
        sender = self._drops.get(account)
        if sender:
            sender.counters.submitted += 1
            sender.note("SUBMITTED")


class _Connection(SMTP):
    """One connection, which answers as fast as the faults it began with let it.

    Attributes:
        own_faults: those of whoever signed in, as they were then.
    """

    def __init__(self, *args: Any, faults: Faults, **kwargs: Any) -> None:
        limit = SMALL_OCTETS if faults.has(Kind.SIZE_LIMIT) else DATA_SIZE_DEFAULT
        super().__init__(*args, data_size_limit=limit, **kwargs)
        self._faults = faults
        self.own_faults = Faults()

    async def push(self, status: AnyStr) -> None:
        """Send one answer."""
        octets = status.encode() if isinstance(status, str) else status
        await pace.send(self._writer, octets + b"\r\n", self._faults)

    async def hang_up(self, seconds: float) -> None:
        """End the connection without a word, after a silence; whoever has left is not waited for."""
        await pace.silence(self._writer, seconds)
        self._writer.transport.abort()
        raise asyncio.CancelledError


def submission_protocol(
    drops: Maildrops, outside: Outside, starttls: ssl.SSLContext | None, faults: Callable[[], Faults]
) -> Callable[[], SMTP]:
    """A factory of connections; with `starttls` nothing but STARTTLS is served before the handshake.

    Args:
        faults: asked at each new connection what is wrong with the servers now.
    """
    submission = Submission(drops, outside)
    return lambda: _Connection(
        submission,
        faults=faults(),
        hostname="localhost",
        ident="Mailbox sandbox",
        enable_SMTPUTF8=True,
        tls_context=starttls,
        require_starttls=starttls is not None,
        auth_require_tls=starttls is not None,
        authenticator=submission.sign_in,
        loop=asyncio.get_running_loop(),
    )
