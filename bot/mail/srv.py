"""The servers a domain names in DNS SRV records: records in, offer out.

Covers RFC 2782, RFC 6186 sections 3.3, 3.4 and 4 and RFC 8314 section 5.1. A target of "." says that the service is
not offered. The choice by weight is not drawn but fixed, the heaviest first: a form must not say something else each
time it is opened. No I/O here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.mail.suggestions import Offer, server
from storage.records import Security

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import ServerAddress

INCOMING: Final = {"_pop3s._tcp": Security.TLS, "_pop3._tcp": Security.STARTTLS}
OUTGOING: Final = {"_submissions._tcp": Security.TLS, "_submission._tcp": Security.STARTTLS}
"""The services by how they are protected, the better first; none of them is ever taken in clear."""

SERVICES: Final = (*INCOMING, *OUTGOING)


@dataclass(frozen=True, slots=True)
class Record:
    """One SRV record; the target as text, "." for none."""

    priority: int
    weight: int
    port: int
    target: str


def offer(records: Mapping[str, Sequence[Record]]) -> Offer:
    """What the records of a domain come to, by service."""
    incoming, has_pop = _server(records, INCOMING)
    outgoing, has_submission = _server(records, OUTGOING)
    return Offer(incoming, outgoing, has_pop=has_pop, has_submission=has_submission)


def _server(
    records: Mapping[str, Sequence[Record]], services: Mapping[str, Security]
) -> tuple[ServerAddress | None, bool]:
    """The best server, and whether the domain leaves room for one at all."""
    is_refused = False
    for service, security in services.items():
        for record in sorted(records.get(service, ()), key=_rank):
            if record.target.strip() == ".":
                is_refused = True
            elif found := server(record.target, record.port, security):
                return found, True
    return None, not is_refused


def _rank(record: Record) -> tuple[int, int, str, int]:
    return record.priority, -record.weight, record.target, record.port
