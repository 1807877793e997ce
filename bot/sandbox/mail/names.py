"""DNS of the sandbox: names its mail servers in SRV records, and knows nothing else.

Every question about another name gets an empty answer at once, so that no name typed into a form leaves the machine
and no form waits for one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Self

import dns.exception
import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from bot.sandbox.mail.servers import Ports

HOST: Final = "127.0.0.1"
DOMAIN: Final = "local.test"
_SECONDS: Final = 60  # how long an answer may be kept


class NameServer(asyncio.DatagramProtocol):
    """A running name server; made by `start`."""

    def __init__(self, services: dict[str, int]) -> None:
        self._services = services
        self._transport: asyncio.DatagramTransport

    @classmethod
    async def start(cls, ports: Ports) -> Self:
        """Answer for the sandbox's mail servers on a free port."""
        services = {
            "_pop3s": ports.pop3s,
            "_pop3": ports.pop3,
            "_submissions": ports.smtps,
            "_submission": ports.smtp,
        }
        loop = asyncio.get_running_loop()
        _, server = await loop.create_datagram_endpoint(lambda: cls(services), local_addr=(HOST, 0))
        return server

    @property
    def place(self) -> str:
        """Address and port."""
        host, port = self._transport.get_extra_info("sockname")[:2]
        return f"{host}:{port}"

    def stop(self) -> None:
        """Answer no longer."""
        self._transport.close()

    def connection_made(self, transport: Any) -> None:
        """Asyncio's call."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """One question."""
        try:
            question = dns.message.from_wire(data)
            answer = dns.message.make_response(question)
        except dns.exception.DNSException:
            return
        answer.flags |= dns.flags.AA
        for asked in question.question:
            service, _, rest = asked.name.to_text(omit_final_dot=True).lower().partition(".")
            port = self._services.get(service) if rest == f"_tcp.{DOMAIN}" else None
            if port is not None and asked.rdtype == dns.rdatatype.SRV:
                record = f"0 0 {port} localhost."
                answer.answer.append(dns.rrset.from_text(asked.name, _SECONDS, "IN", "SRV", record))
        self._transport.sendto(answer.to_wire(), addr)
