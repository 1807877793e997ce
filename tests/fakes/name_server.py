"""A name server on loopback that answers as a test says, well or badly, and remembers what it was asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    Answer = Callable[[dns.message.Message], bytes | None]


def records(found: Mapping[tuple[str, str], list[str]]) -> Answer:
    """Answers from a table of (name, type) to records; a name of which it has nothing is not there."""

    def answer(question: dns.message.Message) -> bytes:
        asked = question.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(asked.rdtype)
        made = dns.message.make_response(question)
        made.flags |= dns.flags.AA
        if (name, kind) in found:
            made.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *found[name, kind]))
        elif not any(known == name for known, _ in found):
            made.set_rcode(dns.rcode.NXDOMAIN)
        return made.to_wire()

    return answer


class NameServer(asyncio.DatagramProtocol):
    """A running name server; use it as an asynchronous context manager.

    Args:
        answer: a question to the octets of its answer, None for silence. A test may put another in its place.

    Attributes:
        asked: name and type of every question, in order.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []
        self.port = 0
        self._transport: asyncio.DatagramTransport

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def connection_made(self, transport: Any) -> None:
        """Asyncio's call."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """One question."""
        question = dns.message.from_wire(data)
        asked = question.question[0]
        self.asked.append((asked.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(asked.rdtype)))
        octets = self.answer(question)
        if octets is not None:
            self._transport.sendto(octets, addr)
