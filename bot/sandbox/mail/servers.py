"""The mail servers together: four ports on 127.0.0.1, one certificate authority, one set of maildrops."""

from __future__ import annotations

import asyncio
import errno
import logging
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trustme

from bot.sandbox.mail.maildrops import Maildrops
from bot.sandbox.mail.pop3 import Pop3Session
from bot.sandbox.mail.smtp import submission_protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from bot.sandbox.mail.maildrops import Account, Mail

HOST: Final = "127.0.0.1"
_NEXT_PORTS: Final = 50


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
        self.ports = Ports()
        self.ca_pem = Path()  # known after the start
        self._servers: list[asyncio.Server] = []
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
        starttls, in_tls = submission_protocol(self.drops, tls), submission_protocol(self.drops, None)
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
        for server in self._servers:
            server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        self._servers.clear()
        if self._temporary:
            self._temporary.cleanup()

    def deliver(self, address: str, octets: bytes) -> list[Mail]:
        """Put a message into the maildrops an address reaches; none when nobody has it."""
        return [drop.deliver(octets) for drop in self.drops.reached_by(address)]

    def _certificate(self) -> ssl.SSLContext:
        authority = trustme.CA(organization_name="Mailbox sandbox")
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="mailbox-sandbox-")
        folder = self._folder or Path(self._temporary.name if self._temporary else "")
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_pem = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", HOST, "::1").configure_cert(context)
        return context

    async def _pop3(
        self, port: int, stls: ssl.SSLContext | None, tls: ssl.SSLContext | None
    ) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            session = asyncio.create_task(
                Pop3Session(reader, writer, self.drops, stls, is_tls=tls is not None).run()
            )
            self._sessions.add(session)
            session.add_done_callback(self._sessions.discard)
            await asyncio.wait({session})
            writer.close()

        return await asyncio.start_server(serve, HOST, port, ssl=tls)

    async def _listen(self, wanted: int, server_at: Callable[[int], Awaitable[asyncio.Server]]) -> int:
        """Take the wanted port or the next free one."""
        for port in range(wanted, wanted + (_NEXT_PORTS if wanted else 1)):
            try:
                server = await server_at(port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])
        raise OSError(errno.EADDRINUSE, f"no free port from {wanted} on")
