"""The AUTHORIZATION state: greeting, STLS, capabilities, login. The password is judged once at most."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from bot.errors import (
    BotError,
    ConnectionLost,
    LocalProtocolError,
    RemoteProtocolError,
    ServerBusy,
    ServerRefused,
    ServerUnreachable,
    Step,
    TlsUnavailable,
)
from bot.mail import pop3_replies
from bot.mail.hosts import plain_host
from bot.mail.pop3 import Challenge, Command, Reply, Verb
from storage.records import Secret, Security, ServerAddress

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from bot.mail.pop3_exchange import Exchange

_FORBIDDEN: Final = re.compile(r"[\r\n\0\ud800-\udfff]")  # lone surrogates have no UTF-8 form
_MAX_LINE: Final = 255  # of a command with its CRLF (RFC 2449 section 4)
_WANTS_TLS: Final = re.compile(
    rb"plain ?text|\b(ssl|tls|stls|starttls|encrypt\w*|secure)\b.{0,30}\b(required|needed|first|only|connection)"
    rb"|\b(require|requires|need|needs|must use|use)\b.{0,30}\b(ssl|tls|stls|starttls|encrypt\w*)\b",
    re.IGNORECASE,
)
_NEEDS_TLS: Final = (
    "The mail server takes a password over an encrypted connection only. Choose TLS or STARTTLS."
)


class Authorization:
    """What happens before a maildrop is open.

    Attributes:
        capabilities: the lines of CAPA in upper case; empty when the server has no CAPA.
    """

    def __init__(self, exchange: Exchange, server: ServerAddress, on_step: Callable[[Step], None]) -> None:
        self.capabilities: frozenset[str] = frozenset()
        self._exchange = exchange
        self._server = server
        self._on_step = on_step
        self._is_remembered = False

    async def begin(self, tls: ssl.SSLContext, remembered: frozenset[str] | None) -> None:
        """Greeting, STLS where asked for, capabilities."""
        await self._greeting()
        if self._server.security is Security.STARTTLS:
            await self._secure(tls, is_known=remembered is not None)
        if remembered is not None:
            self.capabilities, self._is_remembered = remembered, True
        else:
            self.capabilities = await self._capa()

    async def login(self, username: str, password: Secret) -> None:
        """See `Session.login`."""
        self._on_step(Step.LOGIN)
        secret = password.reveal()
        if _FORBIDDEN.search(username + secret):
            raise LocalProtocolError("a line break, NUL or lone surrogate in user name or password")
        self._exchange.hide(pop3_replies.hidden_forms(username, secret, f"\0{username}\0{secret}"))
        payload = base64.b64encode(f"\0{username}\0{secret}".encode())
        offers_plain = pop3_replies.offers_plain(self.capabilities)
        if offers_plain and await self._plain(payload):
            return
        if await self._user(username.encode(), may_ask=not offers_plain):
            await self._pass(secret.encode())
        else:
            await self._plain_after_all(payload)

    async def _greeting(self) -> None:
        self._on_step(Step.GREETING)
        try:
            greeting = await self._exchange.wire.event()
        except (ConnectionLost, RemoteProtocolError) as error:
            raise ServerUnreachable(f"no greeting: {error.detail}") from error
        assert isinstance(greeting, Reply)
        if not greeting.is_ok:
            raise self._exchange.greeting_refusal(greeting.text)

    async def _secure(self, tls: ssl.SSLContext, *, is_known: bool) -> None:
        """STLS; where the server was met before it is not asked first whether it has it."""
        offered = frozenset[str]() if is_known else await self._capa()
        self._on_step(Step.TLS)
        if offered and "STLS" not in offered:
            raise TlsUnavailable("STLS is not announced")
        reply = await self._exchange.ask(Command(Verb.STLS))
        if not reply.is_ok:
            refusal = self._exchange.refusal(reply.text)
            raise (
                refusal
                if isinstance(refusal, ServerBusy)
                else TlsUnavailable(f"STLS refused: {refusal.detail}")
            )
        await self._exchange.wire.start_tls(tls, plain_host(self._server.host))

    async def _capa(self) -> frozenset[str]:
        self._on_step(Step.CAPABILITIES)
        lines: list[bytes] = []
        await self._exchange.listing(Command(Verb.CAPA), lines.append)
        return pop3_replies.capabilities(b"".join(lines))

    async def _plain(self, payload: bytes) -> bool:
        """Log in by AUTH PLAIN; False when the server does not know it, so no password was judged."""
        is_short = len(b"AUTH PLAIN \r\n") + len(payload) <= _MAX_LINE
        event = await self._exchange.first(Command(Verb.AUTH, b"PLAIN " + payload if is_short else b"PLAIN"))
        for answer in (payload, b"*"):  # some servers pass over the initial response; "*" gives up (RFC 5034)
            if isinstance(event, Challenge):
                self._exchange.wire.respond(answer)
                event = await self._exchange.wire.event()
        if not isinstance(event, Reply):
            self._exchange.wire.abort()
            raise RemoteProtocolError("a third challenge to AUTH PLAIN")
        if event.is_ok or pop3_replies.is_unsupported(event.text):
            return event.is_ok
        raise self._refusal(event.text)

    async def _user(self, username: bytes, *, may_ask: bool) -> bool:
        """USER; False when the server does not know it and what we remember of it may be out of date."""
        reply = await self._exchange.ask(Command(Verb.USER, username))
        if reply.is_ok or (may_ask and self._is_remembered and pop3_replies.is_unsupported(reply.text)):
            return reply.is_ok
        raise self._refusal(reply.text)

    async def _pass(self, secret: bytes) -> None:
        reply = await self._exchange.ask(Command(Verb.PASS, secret))
        if not reply.is_ok:
            raise self._refusal(reply.text)

    async def _plain_after_all(self, payload: bytes) -> None:
        self._is_remembered = False
        self.capabilities = await self._capa()
        if not (pop3_replies.offers_plain(self.capabilities) and await self._plain(payload)):
            raise ServerRefused("neither USER nor AUTH PLAIN")

    def _refusal(self, text: bytes) -> BotError:
        if self._server.security is Security.NONE and _WANTS_TLS.search(text[:1000]):
            return ServerRefused(self._exchange.shown(text), sentence=_NEEDS_TLS)
        return self._exchange.login_refusal(text)
