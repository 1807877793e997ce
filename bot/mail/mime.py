"""The parts of a mail: octets to a tree of headers and regions. Pure; never raises; copies nothing.

Covers RFC 2046 section 5.1. The standard library's parser tests each line against every open boundary and recurses
without a bound, so its time grows with lines times depth and hostile mails end it; this one looks for each boundary
only within the part that declares it, to a bounded depth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from bot.mail import headers
from bot.mail.content import Fault
from bot.mail.headers import Header

DEPTH: Final = 50
PARTS: Final = 1000
DELIMITERS: Final = 20_000
"""Lines that may be a delimiter and are looked at closely; real mails have a few per part."""

_HEADER_END: Final = re.compile(rb"\n\r{0,2}\n")
_EMPTY_LINE: Final = re.compile(rb"\r{0,2}\n")
_DELIMITER_END: Final = re.compile(rb"(--)?[ \t]*\r{0,2}(?:\n|\Z)")
_DASHED: Final = re.compile(rb"(?:^|\n)--([!-~][ -~]{0,199}?)[ \t]*\r{0,2}\ncontent-", re.IGNORECASE)
_LOST_WITHIN: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its header, and where in the mail its octets stand.

    Attributes:
        start: where the header starts.
        body: where the body starts.
        end: where the part ends, without the line break that belongs to the delimiter.
        is_opaque: a bound was reached here; what the region holds was not looked at.
    """

    header: Header
    type: str
    parameters: dict[str, str]
    disposition: str
    names: dict[str, str]
    start: int
    body: int
    end: int
    children: tuple[Part, ...] = ()
    is_opaque: bool = False


@dataclass(slots=True)
class Tree:
    """All parts of one mail, and what was bad about them."""

    octets: bytes
    faults: set[Fault] = field(default_factory=set)
    _parts: int = 0
    _delimiters: int = 0

    def root(self) -> Part:
        """The mail itself."""
        return self._part(0, len(self.octets), 0, "text/plain")

    def _part(self, start: int, end: int, depth: int, default: str) -> Part:
        self._parts += 1
        header, body = self._header(start, end)
        kind, parameters = _type(header, default)
        disposition, names = headers.labelled(header.raw("content-disposition"))
        if not kind.startswith("multipart/"):
            return Part(header, kind, parameters, disposition, names, start, body, end)
        if depth >= DEPTH:
            self.faults.add(Fault.NESTED_TOO_DEEP)
            return Part(header, kind, parameters, disposition, names, start, body, end, is_opaque=True)
        children = self._children(body, end, depth, kind, parameters.get("boundary", ""))
        if not children:
            self.faults.add(Fault.NO_PARTS)
            kind = "text/plain"
        return Part(header, kind, parameters, disposition, names, start, body, end, children)

    def _header(self, start: int, end: int) -> tuple[Header, int]:
        if _EMPTY_LINE.match(self.octets, start, end):
            found = _EMPTY_LINE.match(self.octets, start, end)
            assert found is not None
            return Header((), is_cut=False), found.end()
        found = _HEADER_END.search(self.octets, start, end)
        block_end, body = (found.start(), found.end()) if found else (end, end)
        bounded = min(block_end, start + headers.BLOCK_OCTETS + 1)
        header, stopped = headers.parsed(self.octets[start:bounded])
        if header.is_cut:
            self.faults.add(Fault.HEADER_CUT)
        return header, start + stopped if stopped < bounded - start else body

    def _children(self, start: int, end: int, depth: int, kind: str, boundary: str) -> tuple[Part, ...]:
        mark = b"--" + boundary.strip().encode("latin-1", "replace") if boundary.strip() else b""
        regions = self._regions(start, end, mark) if mark else []
        if not regions and (
            lost := _DASHED.search(self.octets, max(0, start - 1), min(end, start + _LOST_WITHIN))
        ):
            regions = self._regions(start, end, b"--" + lost[1])
        default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        children: list[Part] = []
        for first, last in regions:
            if self._parts >= PARTS:
                self.faults.add(Fault.TOO_MANY_PARTS)
                children.append(_remainder(first, regions[-1][1]))
                break
            children.append(self._part(first, last, depth + 1, default))
        return tuple(children)

    def _regions(self, start: int, end: int, mark: bytes) -> list[tuple[int, int]]:
        """Where the parts between the delimiters stand.

        Parts behind a closing delimiter count too: mails that use one boundary for two levels have such.
        """
        regions: list[tuple[int, int]] = []
        opened = -1
        at = self.octets.find(mark, start, end)
        while at >= 0 and self._delimiters < DELIMITERS:
            self._delimiters += 1
            found = (
                _DELIMITER_END.match(self.octets, at + len(mark), end)
                if self._is_line_start(at, start)
                else None
            )
            if found:
                if opened >= 0:
                    regions.append((opened, self._before_break(opened, at)))
                opened = -1 if found[1] else found.end()
            at = self.octets.find(mark, at + len(mark), end)
        if opened >= 0 and opened < end:
            regions.append((opened, end))
        return regions

    def _is_line_start(self, at: int, start: int) -> bool:
        return at == start or self.octets[at - 1 : at] == b"\n"

    def _before_break(self, start: int, at: int) -> int:
        end = at - 1 if self.octets[at - 1 : at] == b"\n" else at
        end = end - 1 if self.octets[end - 1 : end] == b"\r" else end
        return max(start, end)


def _type(header: Header, default: str) -> tuple[str, dict[str, str]]:
    kind, parameters = headers.labelled(header.raw("content-type"))
    if kind == "multipart":
        return "multipart/mixed", parameters
    return (kind if "/" in kind else default), parameters


def _remainder(start: int, end: int) -> Part:
    """Everything from here on, unread."""
    nothing = Header((), is_cut=False)
    return Part(nothing, "multipart/mixed", {}, "", {}, start, start, end, is_opaque=True)
