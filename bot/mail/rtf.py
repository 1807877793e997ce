"""Rich Text Format to text, or to the HTML that Outlook wrapped in it. Pure; linear; bounded; never raises.

Covers [MS-OXRTFCP] (how it is packed) and, of [MS-OXRTFEX], HTML within RTF; of RTF itself only what text is.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from html import escape
from typing import Final

from bot.mail import charsets

OCTETS: Final = 512 * 1024
"""Of RTF, unpacked; the rest is not read."""

DEPTH: Final = 500

_HEADER: Final = struct.Struct("<II4sI")
_WINDOW: Final = 4096
_START: Final = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbol"
    rb"ArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)

_TOKEN: Final = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})?\x20?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)"
)
_SILENT: Final = frozenset(
    b"fonttbl colortbl stylesheet info pict object objdata themedata colorschememapping latentstyles datastore listtable "
    b"listoverridetable rsidtbl generator xmlnstbl header footer headerl headerr footerl footerr fldinst mmathPr "
    b"pntext pnseclvl filetbl revtbl bkmkstart bkmkend atnid atnauthor".split()
)
_CHARACTERS: Final = {
    b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"row": "\n", b"tab": "\t", b"cell": "\t", b"emdash": "—",
    b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"bullet": "•",
    b"enspace": " ", b"emspace": " ",
}  # fmt: skip
_SYMBOLS: Final = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n", b"\r": "\n"}


def unpacked(octets: bytes) -> bytes:
    """The RTF in a compressed one, as much as is ever read; what is not compressed, as it is."""
    if len(octets) < _HEADER.size:
        return b""
    _, size, kind, _ = _HEADER.unpack_from(octets)
    if kind == b"MELA":
        return octets[_HEADER.size : _HEADER.size + min(size, OCTETS)]
    if kind != b"LZFu":
        return b""
    most = min(size, OCTETS) + len(_START)
    out = bytearray(_START)
    at = _HEADER.size
    while at < len(octets) and len(out) < most:
        flags, at = octets[at], at + 1
        for bit in range(8):
            if not flags >> bit & 1:
                out += octets[at : at + 1]
                at += 1
            elif at + 1 < len(octets) and _copy(out, octets[at] << 8 | octets[at + 1]):
                at += 2
            else:
                return bytes(out[len(_START) : most])
    return bytes(out[len(_START) : most])


def _copy(out: bytearray, reference: int) -> bool:
    """Repeats what stands within the last octets; False at the reference that marks the end."""
    back = (len(out) - (reference >> 4)) % _WINDOW
    length = (reference & 0xF) + 2
    if back == 0:
        return False
    start = len(out) - back
    if start < 0:
        out += b" " * length
        return True
    piece = bytes(out[start : start + length])
    while len(piece) < length:  # it runs into what it writes itself
        piece += piece
    out += piece[:length]
    return True


def texts(octets: bytes) -> tuple[str, str]:
    """The plain text, "" when there is HTML instead; and the HTML, "" when there is none."""
    start = octets[:OCTETS]
    if not start.lstrip().startswith(b"{\\rtf"):
        return "", ""
    is_html = b"\\fromhtml" in start[:2000]
    text = _Reading(is_html=is_html).read(start)
    return ("", text) if is_html else (text.strip("\n"), "")


@dataclass(slots=True)
class _Group:
    """What holds between two braces."""

    is_silent: bool = False
    is_markup: bool = False
    is_copy: bool = False  # RTF's own copy of what the HTML says
    skip: int = 1
    is_starred: bool = False


@dataclass(slots=True)
class _Reading:
    """One pass over the tokens."""

    is_html: bool
    _label: str = "cp1252"
    _group: _Group = field(default_factory=_Group)
    _stack: list[_Group] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)
    _octets: bytearray = field(default_factory=bytearray)
    _to_skip: int = 0

    def read(self, octets: bytes) -> str:
        for token in _TOKEN.finditer(octets):
            word, number, code, symbol, brace, text = token.groups()
            if code is not None:
                self._octet(int(code, 16))
            elif text is not None:
                self._run(text)
            elif brace is not None:
                self._brace(brace)
            elif symbol is not None:
                self._symbol(symbol)
            else:
                self._word(word, number)
        self._flush()
        return "".join(self._pieces)

    def _is_shown(self) -> bool:
        group = self._group
        return not group.is_silent and not (self.is_html and group.is_copy)

    def _octet(self, octet: int) -> None:
        if self._to_skip:
            self._to_skip -= 1
        elif self._is_shown():
            self._octets.append(octet)

    def _run(self, text: bytes) -> None:
        skipped = min(self._to_skip, len(text))
        self._to_skip -= skipped
        if self._is_shown():
            self._octets += text[skipped:]

    def _flush(self) -> None:
        if self._octets:
            text = charsets.decoded(bytes(self._octets), self._label)[0]
            self._pieces.append(escape(text) if self.is_html and not self._group.is_markup else text)
            self._octets.clear()

    def _put(self, text: str) -> None:
        self._flush()
        if self._is_shown():
            self._pieces.append(text)

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._to_skip = 0
        if brace == b"{":
            group = self._group
            if len(self._stack) < DEPTH:
                self._stack.append(group)
                self._group = _Group(group.is_silent, group.is_markup, group.is_copy, group.skip)
        elif self._stack:
            self._group = self._stack.pop()

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._group.is_starred = True
        elif symbol in _SYMBOLS:
            self._put(_SYMBOLS[symbol])

    def _word(self, word: bytes, number: bytes | None) -> None:
        value = int(number) if number else 0
        group = self._group
        if group.is_starred and not group.is_silent:
            group.is_starred = False
            group.is_markup = self.is_html and word == b"htmltag"
            group.is_silent = not group.is_markup
        elif word in _SILENT:
            group.is_silent = True
        elif word == b"htmlrtf":
            self._flush()
            group.is_copy = number != b"0"
        elif word == b"ansicpg":
            self._label = f"cp{value}" if value != 65001 else "utf-8"
        elif word == b"uc":
            group.skip = max(0, min(value, 8))
        elif word == b"u":
            self._put(chr(value % 65536))
            self._to_skip = group.skip
        elif word in _CHARACTERS:
            self._put(_CHARACTERS[word])
