"""Transfer encodings: what travelled back to octets. Pure; linear; a bad character costs itself, never the mail.

Covers RFC 2045 section 6 and uuencode. An unknown encoding is none.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SPACE: Final = b" \t\r\n\x0b\x0c\x00"
_FOREIGN: Final = bytes(sorted(set(range(256)) - set(_ALPHABET)))
_FOREIGN_TO_A: Final = bytes(octet if octet in _ALPHABET else 0x41 for octet in range(256))
_BASE64_LINE: Final = re.compile(rb"[A-Za-z0-9+/=\s]*\Z")
_PADDING: Final = re.compile(rb"=+")
_SEGMENTS: Final = 1000
_LINE: Final = re.compile(rb"[^\n]+")
_UU_BEGIN: Final = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ", re.MULTILINE)


def decoded(octets: bytes, encoding: str) -> tuple[bytes, bool]:
    """The octets that travelled, and whether some were damaged.

    Args:
        octets: a part's body.
        encoding: the field's value, as it stands.
    """
    name = encoding.partition("(")[0].strip(" \t;:\"'").lower()
    if name in {"base64", "b64", "base-64"}:
        return _base64(octets)
    if name in {"quoted-printable", "quotedprintable", "quoted printable", "qp"}:
        return binascii.a2b_qp(octets), False
    if name in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        return _uuencoded(octets)
    return octets, False


def _base64(octets: bytes) -> tuple[bytes, bool]:
    head, padding, tail = octets.partition(b"=")
    pads = len(padding) + tail.startswith(b"=")
    tail = tail.lstrip(b"=" + _SPACE)
    content, is_damaged = _segment(head, pads)
    if not padding or not tail:
        return content, is_damaged
    if _BASE64_LINE.match(tail):
        return _concatenated(content, tail, is_damaged=is_damaged)
    # A mailing list's footer behind the padding: readable as it stands, and no part of what was encoded.
    return content + b"\n" + tail if _is_text(content) else content, True


def _concatenated(content: bytes, tail: bytes, *, is_damaged: bool) -> tuple[bytes, bool]:
    """Several encoded pieces, each with its padding, one after the other."""
    segments = _PADDING.split(tail, _SEGMENTS)
    pieces = [_segment(segment) for segment in segments]
    return content + b"".join(piece for piece, _ in pieces), is_damaged or any(bad for _, bad in pieces)


def _segment(octets: bytes, pads: int = 0) -> tuple[bytes, bool]:
    """One run of base64, without padding.

    A foreign octet that was put in is left out; one that stands in a letter's place must not shift the rest.
    """
    compact = octets.translate(None, _SPACE)
    letters = compact.translate(None, _FOREIGN)
    is_damaged = len(letters) != len(compact)
    if is_damaged and (len(letters) + pads) % 4 and (len(compact) + pads) % 4 == 0:
        letters = compact.translate(_FOREIGN_TO_A)
    if len(letters) % 4 == 1:
        letters, is_damaged = letters[:-1], True
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4)), is_damaged


def _is_text(octets: bytes) -> bool:
    return b"\0" not in octets[:1000] and not octets.startswith(
        (b"%PDF", b"PK", b"\x89PNG", b"\xff\xd8", b"GIF8")
    )


def _uuencoded(octets: bytes) -> tuple[bytes, bool]:
    begin = _UU_BEGIN.search(octets)
    if begin is None:
        return octets, True
    pieces: list[bytes] = []
    is_damaged = False
    for line in _LINE.finditer(octets, octets.find(b"\n", begin.end())):
        row = line[0].rstrip(b"\r")
        if row in {b"end", b"`", b" ", b""}:
            break
        piece, is_bad = _uu_line(row)
        is_damaged |= is_bad
        if piece:
            pieces.append(piece)
    return b"".join(pieces), is_damaged


def _uu_line(row: bytes) -> tuple[bytes, bool]:
    try:
        # Python fills a line up with zeros to the length it claims; what was not sent is not made up.
        return binascii.a2b_uu(row)[: (len(row) - 1) * 3 // 4], False
    except binascii.Error:
        # Some encoders leave trailing octets on a line that its length does not count.
        length = ((row[0] - 32) & 63) if row else 0
        try:
            return binascii.a2b_uu(row[: 1 + (length * 4 + 2) // 3]), False
        except binascii.Error:
            return b"", True
