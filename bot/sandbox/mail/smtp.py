"""The sandbox's submission server: signed-in people send to each other's maildrops.

aiosmtpd speaks the protocol. Mail to an address nobody has here is refused: nothing ever leaves the machine.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, AnyStr

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bot.sandbox.mail import pace
from bot.sandbox.mail.compose import received_line
from bot.sandbox.mail.maildrops import MaildropDown

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from bot.sandbox.mail.faults import Faults
    from bot.sandbox.mail.maildrops import Maildrops


class Submission:
    """What happens to sign-ins and mails, in the names aiosmtpd calls."""

    def __init__(self, drops: Maildrops) -> None:
        self._drops = drops

    def sign_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        """Judge a user name and a password."""
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        try:
            drop = self._drops.signed_in(
                data.login.decode("utf-8", "replace"), data.password.decode("utf-8", "replace")
            )
        except MaildropDown:
            return AuthResult(success=False, handled=False, message="454 4.7.0 try again later")
        if drop is None:
            return AuthResult(success=False, handled=False)
        drop.note("SMTP LOGIN")
        return AuthResult(success=True, auth_data=drop.account.address)

    async def handle_MAIL(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Only who signed in may send."""
        if not session.authenticated:
            return "530 5.7.0 sign in first"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 fine"

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Only people of the sandbox get mail."""
        if not self._drops.reached_by(address):
            return "550 5.1.1 nobody in the sandbox has this address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Put the mail into every maildrop named, once."""
        now = datetime.now(UTC)
        trace = f"Return-Path: <{envelope.mail_from}>\r\n".encode() + received_line("sandbox", now)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        drops = {
            drop.account.address: drop for to in envelope.rcpt_tos for drop in self._drops.reached_by(to)
        }
        for drop in drops.values():
            drop.deliver(trace + content, now)
        sender = self._drops.get(str(session.auth_data))
        if sender:
            sender.counters.submitted += 1
            sender.note("SUBMITTED")
        return "250 2.0.0 taken"


class _Connection(SMTP):
    """One connection, which answers as fast as the faults it began with let it."""

    def __init__(self, *args: Any, faults: Faults, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._faults = faults

    async def push(self, status: AnyStr) -> None:
        """Send one answer."""
        octets = status.encode() if isinstance(status, str) else status
        await pace.send(self._writer, octets + b"\r\n", self._faults)


def submission_protocol(
    drops: Maildrops, starttls: ssl.SSLContext | None, faults: Callable[[], Faults]
) -> Callable[[], SMTP]:
    """A factory of connections; with `starttls` nothing but STARTTLS is served before the handshake.

    Args:
        faults: asked at each new connection what is wrong with the servers now.
    """
    submission = Submission(drops)
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
