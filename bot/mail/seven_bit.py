"""A composed mail for servers that take ASCII alone. Pure; what is ASCII already stays octet by octet as it is.

Covers RFC 6152 section 3 as far as composed mails need it: text becomes quoted-printable or base64. A mail within the
mail may bear no encoding itself (RFC 2046 section 5.2.1) and is not written anew, which would break its signatures: it
goes as a file.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Final

from bot.mail.mime import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.mail.mime import Part

_ENCODING: Final = re.compile(rb"(?im)^Content-Transfer-Encoding:[^\r\n]*\r\n")
_TYPE: Final = re.compile(rb"(?im)^Content-Type:[ \t]*message/[a-z0-9-]+")
_LINE_OCTETS: Final = 57


def seven_bit(octets: bytes) -> bytes:
    """The same mail without octets above 127 in its body; a header with an address that is not ASCII keeps it.

    Args:
        octets: a mail that `compose` made.
    """
    if octets.isascii():
        return octets
    converted = b"".join(_converted(octets, Tree(octets).root()))
    return converted if converted.endswith(b"\r\n") else converted + b"\r\n"


def quoted_printable(octets: bytes) -> bytes:
    """Text whose lines end in CRLF, quoted; its last line may have no end."""
    # The library breaks lines as the first one ends, and by LF where none does.
    return binascii.b2a_qp(octets + b"\r\n", istext=True)[:-2]


def _converted(octets: bytes, part: Part) -> Iterator[bytes]:
    """A part in pieces; its delimiters, which stand between its children, as they are."""
    head, body = octets[part.start : part.body], octets[part.body : part.end]
    if body.isascii():
        yield octets[part.start : part.end]
    elif part.children:
        yield _relabelled(head, b"7bit")
        at = part.body
        for child in part.children:
            yield octets[at : child.start]
            yield from _converted(octets, child)
            at = child.end
        yield octets[at : part.end]
    elif part.type.startswith("text/"):
        yield from _text(head, body)
    else:
        yield _relabelled(_TYPE.sub(b"Content-Type: application/octet-stream", head), b"base64")
        yield _base64(body)


def _text(head: bytes, body: bytes) -> Iterator[bytes]:
    """A text in the encoding that makes less of it."""
    quoted = quoted_printable(body)
    is_longer = len(quoted) > len(body) * 3 // 2
    yield _relabelled(head, b"base64" if is_longer else b"quoted-printable")
    yield _base64(body) if is_longer else quoted


def _relabelled(head: bytes, encoding: bytes) -> bytes:
    return _ENCODING.sub(b"Content-Transfer-Encoding: %b\r\n" % encoding, head, count=1)


def _base64(octets: bytes) -> bytes:
    """The octets in lines, the last one without its end, which belongs to the delimiter."""
    lines = [
        binascii.b2a_base64(octets[at : at + _LINE_OCTETS], newline=False)
        for at in range(0, len(octets), _LINE_OCTETS)
    ]
    return b"\r\n".join(lines)
