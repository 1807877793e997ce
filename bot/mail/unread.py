"""Addresses that say by their name that nobody reads what is sent there. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES: Final = frozenset({
    "noreply", "donotreply", "dontreply", "noresponse", "mailerdaemon",
    "keineantwort", "nichtantworten", "bittenichtantworten",  # German
    "nepasrepondre", "pasdereponse", "sansreponse",  # French
    "noresponder", "noresponda", "norespondas", "norespondera",  # Spanish
    "naoresponda", "naoresponder",  # Portuguese
    "nonrispondere",  # Italian
    "nietantwoorden", "nietbeantwoorden", "geenantwoord",  # Dutch
    "svarainte", "svaraej", "svarikke", "ikkesvar", "ikkebesvar",  # Swedish, Danish, Norwegian
    "eivastausta", "alavastaa",  # Finnish
    "nieodpowiadaj", "nieodpowiadac",  # Polish
    "neodpovidat", "neodpovidejte",  # Czech
})  # fmt: skip
"""What stands before the @, without the marks between the words."""

_WORDS: Final = 12
"""So many words of a name are looked at."""


def is_unread(address: str) -> bool:
    """Whether an address calls itself one that reads no answers, such as no-reply@ or orders.noreply@.

    A tag behind a plus is somebody's own and says nothing about who reads.
    """
    local_part = address.rpartition("@")[0].partition("+")[0]
    plain = unicodedata.normalize("NFKD", local_part).encode("ascii", "ignore").decode().lower()
    words = re.findall("[a-z]+", plain)[:_WORDS]
    ends = range(1, len(words) + 1)
    return any("".join(words[start:end]) in _NAMES for end in ends for start in range(end))


def unread(addresses: Iterable[str]) -> tuple[str, ...]:
    """Those of them, in their order."""
    return tuple(each for each in addresses if is_unread(each))
