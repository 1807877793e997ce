"""DNS as discovery asks it: MX, SRV and addresses, each answer bounded in time and count.

The system's `getaddrinfo` knows neither MX nor SRV and holds a thread for as long as a domain's name servers like,
so that a slow one would keep mail connections waiting. Only names are asked for here; what is judged about the
answers stands in `hosts`.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

from bot.mail.srv import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.resolver import Answer

_MOST_RECORDS: Final = 32
_ADDRESS_KINDS: Final = {"A": socket.AF_INET, "AAAA": socket.AF_INET6}
_UDP_OCTETS: Final = 1232  # fits every path; more comes by TCP


class NoSuchDomain(Exception):
    """The name is not in DNS at all."""


class NotAnswered(Exception):
    """Nothing is known: no name server, none that answered in time, or none that made sense."""


class Resolver:
    """Asks one name server, or those the system uses.

    Args:
        server: numeric address and port; None takes the system's.
        patience: for one question, repetitions included.
    """

    def __init__(
        self, server: tuple[str, int] | None = None, patience: timedelta = timedelta(seconds=3)
    ) -> None:
        self._server = server
        self._patience = patience
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def exchangers(self, domain: str) -> list[str]:
        """The hosts that receive a domain's mail first of all; [""] when the domain says that it takes none.

        Raises:
            NoSuchDomain, NotAnswered: as they say.
        """
        records = await self._records(domain, "MX")
        best = min((record.preference for record in records), default=0)
        return [_text(record.exchange) for record in records if record.preference == best]

    async def services(self, service: str, domain: str) -> list[Record]:
        """The SRV records of a service such as `_pop3s._tcp`; none when there is no such name.

        Raises:
            NotAnswered: nothing is known.
        """
        try:
            records = await self._records(f"{service}.{domain}", "SRV")
        except NoSuchDomain:
            return []
        return [
            Record(record.priority, record.weight, record.port, record.target.to_text()) for record in records
        ]

    async def getaddrinfo(
        self,
        host: str,
        port: int,
        *,
        type: int = 0,  # noqa: A002 - the loop's own name for it
    ) -> list[tuple[Any, ...]]:
        """The addresses of a host, in the shape of `loop.getaddrinfo`.

        Raises:
            OSError: it has none, or nobody answered.
        """
        found = await asyncio.gather(*(self._addresses(host, kind) for kind in _ADDRESS_KINDS))
        return [
            (family, type, 0, "", (address, port))
            for family, addresses in zip(_ADDRESS_KINDS.values(), found, strict=True)
            for address in addresses
        ]

    async def _addresses(self, host: str, kind: str) -> list[str]:
        try:
            return [record.address for record in await self._records(host, kind)]
        except (NoSuchDomain, NotAnswered) as error:
            raise OSError(type(error).__name__) from error

    async def _records(self, name: str, kind: str) -> Sequence[Any]:
        """The first records of an answer, all of its kind; none where the name has none of it."""
        try:
            answer = await self._asking().resolve(
                dns.name.from_text(name, origin=dns.name.root), kind, search=False, raise_on_no_answer=False
            )
        except dns.resolver.NXDOMAIN as error:
            raise NoSuchDomain from error
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise NotAnswered from error
        return _first(answer)

    def _asking(self) -> dns.asyncresolver.Resolver:
        """Made with the first question, so that a machine without name servers can start."""
        if self._resolver is None:
            resolver = dns.asyncresolver.Resolver(configure=self._server is None)
            if self._server is not None:
                host, resolver.port = self._server
                resolver.nameservers = [host]
            resolver.lifetime = self._patience.total_seconds()
            resolver.timeout = resolver.lifetime / 2
            resolver.use_edns(0, 0, _UDP_OCTETS)
            self._resolver = resolver
        return self._resolver


def _first(answer: Answer) -> list[Any]:
    return list(itertools.islice(answer.rrset or (), _MOST_RECORDS))


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True) if name != dns.name.root else ""
