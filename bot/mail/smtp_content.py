"""The octets of a mail as they go out between DATA and its last dot: line ends and transparency.

RFC 5321 sections 2.3.8 and 4.5.2. Pure. Looks into no header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE: Final = (
    64 * 1024
)  # octets read at a time; a piece that goes out may be longer by its dots and line ends
END: Final = b"\r\n.\r\n"
"""Ends the last line and the mail: held back, so that no server can take what came before for all of it."""


def pieces(octets: bytes, size: int = PIECE) -> Iterator[bytes]:
    r"""All of a mail but its last line end, piece by piece, each dot at the start of a line doubled.

    Every CR, LF and CRLF becomes CRLF: a lone one could end the mail early at a lax server and begin another.
    """
    stop, at, is_line_start = _without_last_line_end(octets), 0, True
    while at < stop:
        end = min(at + size, stop)
        if octets[end - 1 : end + 1] == b"\r\n":  # not between the two
            end += 1
        piece = octets[at:end].replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        dotted = piece.replace(b"\r\n.", b"\r\n..")
        yield b"." + dotted if is_line_start and piece.startswith(b".") else dotted
        at, is_line_start = end, piece.endswith(b"\n")


def size_of(octets: bytes) -> int:
    """How many octets SIZE means (RFC 1870 section 3): every line end as CRLF, no doubled dots, no last dot."""
    pairs = octets.count(b"\r\n")
    lone = octets.count(b"\r") + octets.count(b"\n") - 2 * pairs
    return len(octets) + lone + (0 if octets.endswith((b"\r", b"\n")) else 2)


def _without_last_line_end(octets: bytes) -> int:
    if octets.endswith(b"\r\n"):
        return len(octets) - 2
    return len(octets) - 1 if octets.endswith((b"\r", b"\n")) else len(octets)
