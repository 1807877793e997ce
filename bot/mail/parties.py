"""The domains that a mail is from or to, as grants name them. Pure; never raises.

What cannot be told for certain is None, for the whole mail: a domain that is not seen must not count as absent.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from bot.mail import message
from bot.mail.content import Fault
from bot.mail.idn import to_ascii
from storage.records import Shape

if TYPE_CHECKING:
    from bot.mail.content import Arrival, Message

_UNCERTAIN: Final = frozenset({Fault.NOT_A_MAIL, Fault.HEADER_CUT, Fault.ADDRESSES_CUT})
_LONGEST: Final = 253


def domains(mail: Message, arrival: Arrival, octets: bytes) -> tuple[str, ...] | None:
    """Those of From, To and Cc, each once, sorted; None when they are not all known.

    Args:
        octets: what the mail was read from; a header that breaks off may go on with any address.
    """
    if mail.faults & _UNCERTAIN or arrival.shape is Shape.REFUSED:
        return None
    if arrival.shape is Shape.TOP and not message.has_whole_header(octets):
        return None
    sender = () if mail.sender is None else (mail.sender,)
    parties = (*sender, *mail.other_senders, *mail.to, *mail.cc)
    found = [ascii_domain(party.domain) for party in parties if "@" in party.address]
    known = {domain for domain in found if domain is not None}
    return None if None in found else tuple(sorted(known))


def of_addresses(*addresses: str) -> frozenset[str]:
    """The domains of addresses as they go over the wire."""
    found = (ascii_domain(each.rpartition("@")[2]) for each in addresses)
    return frozenset(each for each in found if each is not None)


def ascii_domain(domain: str) -> str | None:
    """A domain in lower case as it goes over the wire; None for what is none."""
    plain = domain.strip().rstrip(".").lower()
    if not plain.isascii():
        try:
            plain = to_ascii(unicodedata.normalize("NFKC", plain)[:_LONGEST]).lower()
        except UnicodeError:
            return None
    return plain if plain and len(plain) <= _LONGEST else None
