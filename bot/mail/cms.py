"""What a signed S/MIME message wraps: octets to the content within. Pure; linear; bounded; never raises.

Covers RFC 5652 sections 3, 5.1 and 5.2 in BER, indefinite lengths and strings in pieces included, as far as it takes to
reach the content. Certificates and signatures are not looked at.
"""

from __future__ import annotations

from typing import Final

DEPTH: Final = 20
PIECES: Final = 100_000

_SEQUENCE: Final = 0x30
_TAGGED: Final = 0xA0
_STRING: Final = 0x04
_STRING_OF_PIECES: Final = 0x24
_OPEN: Final = -1
"""The length of what ends with two zero octets."""


def content(octets: bytes) -> bytes | None:
    """The signed content; None when there is none, or the octets are something else."""
    try:
        return _content(octets)
    except (IndexError, ValueError):
        return None


def _content(octets: bytes) -> bytes:
    at = _inside(octets, 0, _SEQUENCE)
    at = _inside(octets, _after(octets, at), _TAGGED)  # behind the type: signedData
    at = _inside(octets, at, _SEQUENCE)
    at = _after(octets, _after(octets, at))  # version, digest algorithms
    at = _inside(octets, at, _SEQUENCE)
    at = _inside(octets, _after(octets, at), _TAGGED)  # behind the type: data
    return b"".join(_pieces(octets, at))


def _pieces(octets: bytes, at: int) -> list[bytes]:
    """A string, whole or in pieces one level deep."""
    tag, start, length = _head(octets, at)
    if tag == _STRING:
        return [octets[start : start + length]]
    if tag != _STRING_OF_PIECES:
        raise ValueError("no content")
    end = len(octets) if length == _OPEN else start + length
    found: list[bytes] = []
    while start < end and octets[start] == _STRING and len(found) < PIECES:
        _, first, size = _head(octets, start)
        found.append(octets[first : first + size])
        start = first + size
    return found


def _inside(octets: bytes, at: int, wanted: int) -> int:
    """Where the first element within the one at an index starts."""
    tag, start, _ = _head(octets, at)
    if tag != wanted:
        raise ValueError("another structure")
    return start


def _after(octets: bytes, at: int, depth: int = 0) -> int:
    """Where the element behind the one at an index starts."""
    _, start, length = _head(octets, at)
    if length != _OPEN:
        return start + length
    if depth >= DEPTH:
        raise ValueError("nested too deeply")
    while octets[start : start + 2] != b"\0\0":
        start = _after(octets, start, depth + 1)
    return start + 2


def _head(octets: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start and length of an element's content."""
    tag, first = octets[at], octets[at + 1]
    if first == 0x80:
        return tag, at + 2, _OPEN
    if first < 0x80:
        return tag, at + 2, first
    count = first & 0x7F
    if count > 4:
        raise ValueError("longer than any mail")
    start = at + 2 + count
    return tag, start, int.from_bytes(octets[at + 2 : start], "big")
