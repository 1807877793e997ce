"""Names of other scripts as they go over the wire. Pure.

IDNA 2008 by UTS 46 without its transition, as browsers and mail programs have it: "straße" is a name of its own there,
and "strasse" somebody else's. What it does not know, such as the signs that were registered before, goes by RFC 3490.
"""

from __future__ import annotations

import idna


def to_ascii(name: str) -> str:
    """A host or domain name in ASCII, its letters in lower case where it was not in ASCII before.

    Args:
        name: bounded by the caller.

    Raises:
        UnicodeError: it is none, such as one with an empty label or one of over 63 octets.
    """
    if not name.isascii():
        try:
            return idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            return name.encode("idna").decode("ascii").lower()
    return name.encode("idna").decode("ascii")
