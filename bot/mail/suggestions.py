"""What a form may propose for an address, and which of several proposals counts.

Values in, values out: what the table knows, what a domain publishes and what is only guessed. Everything a foreign
answer brings passes `host_name` and `server` before it becomes a proposal. No I/O, no clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bot.mail.providers import ascii_name
from storage.records import Security, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.mail.providers import Provider

EMAIL: Final = "%EMAILADDRESS%"
LOCAL_PART: Final = "%EMAILLOCALPART%"
DOMAIN: Final = "%EMAILDOMAIN%"
USERNAME_LIMIT: Final = 320
_NAME_LIMIT: Final = 253  # octets, RFC 1035 section 2.3.4
_DOMAIN_LIMIT: Final = 230  # leaves room for "autoconfig." and "_submissions._tcp." in front
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Source(StrEnum):
    """Where a proposal comes from; the best first."""

    TABLE = "table"
    EXCHANGER = "mx"
    SRV = "srv"
    AUTOCONFIG = "autoconfig"
    NO_POP = "no_pop"  # the domain publishes that it offers none
    GUESS = "guess"


@dataclass(frozen=True, slots=True)
class Offer:
    """What a domain publishes of its own servers in one way.

    Attributes:
        incoming: None when nothing is said, or nothing that can be used.
        outgoing: the same for sending.
        has_pop: False when the domain says that it offers none.
        has_submission: the same for sending.
        username: what the servers want, with placeholders.
    """

    incoming: ServerAddress | None = None
    outgoing: ServerAddress | None = None
    has_pop: bool = True
    has_submission: bool = True
    username: str = EMAIL


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a form proposes for every address of a domain.

    Attributes:
        incoming: None when there is no POP.
        username: with placeholders, since a proposal is kept for the whole domain.
        provider: who runs the servers, where that is known.
    """

    source: Source
    incoming: ServerAddress | None
    outgoing: ServerAddress | None
    username: str = EMAIL
    provider: Provider | None = None

    def username_of(self, address: str) -> str:
        """An address as the servers want to hear it; nothing where there is no server to hear it."""
        return expanded(self.username, address)[:USERNAME_LIMIT] if self.incoming else ""


def by_provider(provider: Provider, source: Source = Source.TABLE) -> Suggestion:
    """What the table proposes."""
    username = LOCAL_PART if provider.username == "localpart" else EMAIL
    return Suggestion(source, provider.incoming, provider.outgoing, username, provider)


def guess(domain: str) -> Suggestion:
    """What many domains have, and this one perhaps; it must be called a guess wherever it is shown."""
    return Suggestion(
        Source.GUESS,
        server(f"pop.{domain}", 995, Security.TLS),
        server(f"smtp.{domain}", 465, Security.TLS),
    )


def settled(
    domain: str,
    offers: Sequence[tuple[Source, Offer]],
    runs: Callable[[str], Provider | None],
) -> Suggestion:
    """What the offers of a domain come to: the first with an incoming server, else the guess.

    An offer that names no outgoing server, without saying that there is none, is completed from the next.

    Args:
        offers: the best first.
        runs: who is known to run an incoming server.
    """
    outgoing = _outgoing(offers)
    for source, offer in offers:
        if offer.incoming is not None:
            return Suggestion(source, offer.incoming, outgoing, offer.username, runs(offer.incoming.host))
        if not offer.has_pop:
            return Suggestion(Source.NO_POP, None, None)
    guessed = guess(domain)
    if outgoing is None and all(offer.has_submission for _, offer in offers):
        outgoing = guessed.outgoing
    return Suggestion(Source.GUESS, guessed.incoming, outgoing)


def _outgoing(offers: Sequence[tuple[Source, Offer]]) -> ServerAddress | None:
    for _, offer in offers:
        if offer.outgoing is not None or not offer.has_submission:
            return offer.outgoing
    return None


def domain_of(address: str) -> str | None:
    """The domain of an address as DNS knows it; None while it is not one that can be asked for."""
    local_part, at, domain = address.strip().rpartition("@")
    name = host_name(domain) if local_part and at else None
    if name is None or len(name) > _DOMAIN_LIMIT:
        return None
    above, _, last = name.rpartition(".")
    return name if above and len(last) > 1 else None


def host_name(text: str) -> str | None:
    """A foreign answer's host in the one spelling used everywhere; None for what is no plain name.

    Letters, digits and hyphens only, which leaves no room for control characters, paths or numeric addresses.
    """
    name = ascii_name(text) if len(text) <= _NAME_LIMIT + 1 else None
    if name is None or len(name) > _NAME_LIMIT:
        return None
    labels = name.split(".")
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]) or not all(map(_LABEL.fullmatch, labels)):
        return None
    return name


def server(host: str, port: int, security: Security) -> ServerAddress | None:
    """A foreign answer's server; None when it could not be one."""
    name = host_name(host)
    return ServerAddress(name, port, security) if name and 0 < port < 65536 else None


def expanded(text: str, address: str) -> str:
    """A text with the placeholders of the autoconfig format filled in for an address."""
    address = address.strip()
    local_part, _, domain = address.rpartition("@")
    for placeholder, value in ((EMAIL, address), (LOCAL_PART, local_part), (DOMAIN, domain)):
        text = text.replace(placeholder, value)
    return text
