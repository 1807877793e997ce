"""The mail servers together: four ports on 127.0.0.1, one certificate authority, one set of maildrops."""

from __future__ import annotations

import asyncio
import logging
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trustme

from bot.sandbox.mail.faults import SERVER_KINDS, Fault, FaultRefused, Faults, Kind
from bot.sandbox.mail.listener import HOST, Listener
from bot.sandbox.mail.maildrops import Maildrops
from bot.sandbox.mail.outside import Outside
from bot.sandbox.mail.pop3 import Pop3Session
from bot.sandbox.mail.smtp import SUBMITTED, submission_protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.sandbox.mail.faults import Switch
    from bot.sandbox.mail.listener import ServerAt
    from bot.sandbox.mail.maildrops import Account, Mail

_NAMES: Final = ("localhost", HOST, "::1")
_EXPIRED_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen; 0 takes any free port, another number the first free one from there on."""

    pop3s: int = 0
    pop3: int = 0
    smtps: int = 0
    smtp: int = 0


class MailServers:
    """POP3 with TLS and with STLS, SMTP with TLS and with STARTTLS.

    Args:
        folder: holds the certificate authority's `ca.pem`, and with `keep` a mirror of the maildrops below `mail/`.
        everyone: an address that reaches all accounts.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        *,
        folder: Path | None = None,
        keep: bool = False,
        everyone: str = "",
    ) -> None:
        self._folder = folder
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self.drops = Maildrops(accounts, folder / "mail" if folder and keep else None, everyone)
        self.outside = Outside()
        for mail in (mail for drop in self.drops for mail in drop.mails):
            self._learn(mail.octets)
        self.ports = Ports()
        self.faults = Faults()
        self.ca_pem = Path()  # known after the start
        self._expired = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._rounds = count(1)
        self._switching = asyncio.Lock()
        self._listeners: list[Listener] = []
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def accounts(self) -> list[Account]:
        """Who may sign in, with the passwords of now."""
        return [drop.account for drop in self.drops]

    async def start(self, ports: Ports = Ports()) -> None:
        """Listen; `ports` then tells where.

        Raises:
            OSError: no port is free.
        """
        # aiosmtpd reports every connection, and what it was sent, on this logger.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        tls = self._certificate()
        loop = asyncio.get_running_loop()
        starttls = submission_protocol(self.drops, self.outside, tls, lambda: self.faults)
        in_tls = submission_protocol(self.drops, self.outside, None, lambda: self.faults)
        self.ports = Ports(
            pop3s=await self._listen(ports.pop3s, lambda port: self._pop3(port, None, tls)),
            pop3=await self._listen(ports.pop3, lambda port: self._pop3(port, tls, None)),
            smtps=await self._listen(
                ports.smtps, lambda port: loop.create_server(in_tls, HOST, port, ssl=tls)
            ),
            smtp=await self._listen(ports.smtp, lambda port: loop.create_server(starttls, HOST, port)),
        )

    async def stop(self) -> None:
        """End the sessions and close the ports."""
        for listener in self._listeners:
            listener.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        self._listeners.clear()
        if self._temporary:
            self._temporary.cleanup()

    def deliver(self, address: str, octets: bytes, received: datetime | None = None) -> list[Mail]:
        """Put a message from outside into the maildrops an address reaches; none when nobody has it."""
        mails = [drop.deliver(octets, received) for drop in self.drops.reached_by(address)]
        if mails:
            self._learn(octets)
        return mails

    def deliver_to_all(self, addresses: Iterable[str], octets: bytes) -> list[Mail]:
        """Put a message from outside into every maildrop that any of the addresses reaches, once."""
        drops = {id(drop): drop for address in addresses for drop in self.drops.reached_by(address)}
        if drops:
            self._learn(octets)
        return [drop.deliver(octets) for drop in drops.values()]

    def _learn(self, octets: bytes) -> None:
        # Whom somebody here wrote to is no correspondent for that alone: a refused address stays refused.
        if not octets.startswith(SUBMITTED):
            self.outside.learn(octets)

    async def switch(self, order: Switch) -> None:
        """Switch a fault on or off; sessions under way go on as they began.

        Raises:
            FaultRefused: nobody has the address, or a port cannot be had back.
        """
        if order.kind in SERVER_KINDS:
            async with self._switching:
                await self._befall(self._switched(self.faults, order))
            return
        drops = self.drops.reached_by(order.address)
        if not drops:
            raise FaultRefused("nobody in the sandbox has this address")
        for drop in drops:
            drop.faults = self._switched(drop.faults, order)

    async def heal(self) -> None:
        """Switch every fault off.

        Raises:
            FaultRefused: a port cannot be had back.
        """
        for drop in self.drops:
            drop.faults = Faults()
        async with self._switching:
            await self._befall(Faults())

    def _switched(self, faults: Faults, order: Switch) -> Faults:
        if not order.is_on:
            return faults.without(order.kind)
        mark = f".{next(self._rounds)}" if order.kind is Kind.NEW_UIDS else ""
        return faults.having(Fault(order.kind, order.seconds, mark))

    async def _befall(self, faults: Faults) -> None:
        for listener in self._listeners:
            if faults.has(Kind.UNREACHABLE):
                listener.refuse()
                continue
            try:
                await listener.accept()
            except OSError as error:
                raise FaultRefused(f"port {listener.port} is taken by somebody else now") from error
        self.faults = faults

    def _certificate(self) -> ssl.SSLContext:
        authority = trustme.CA(organization_name="Mailbox sandbox")
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="mailbox-sandbox-")
        folder = self._folder or Path(self._temporary.name if self._temporary else "")
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_pem = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*_NAMES).configure_cert(context)
        ended = datetime.now(UTC) - _EXPIRED_FOR
        authority.issue_cert(*_NAMES, not_before=ended - timedelta(days=365), not_after=ended).configure_cert(
            self._expired
        )
        context.sni_callback = self._choose_certificate
        return context

    def _choose_certificate(
        self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext
    ) -> None:
        """At the beginning of a handshake, whether the client names a host or not."""
        if self.faults.has(Kind.EXPIRED_CERTIFICATE):
            connection.context = self._expired

    async def _pop3(
        self, port: int, stls: ssl.SSLContext | None, tls: ssl.SSLContext | None
    ) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            session = asyncio.create_task(
                Pop3Session(
                    reader, writer, self.drops, stls, is_tls=tls is not None, faults=self.faults
                ).run()
            )
            self._sessions.add(session)
            session.add_done_callback(self._sessions.discard)
            await asyncio.wait({session})
            writer.close()

        return await asyncio.start_server(serve, HOST, port, ssl=tls)

    async def _listen(self, wanted: int, server_at: ServerAt) -> int:
        """Take the wanted port or the next free one."""
        listener = Listener(server_at)
        await listener.open(wanted)
        self._listeners.append(listener)
        return listener.port
