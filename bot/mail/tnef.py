"""Outlook's winmail.dat: octets to the files and the text within. Pure; linear; bounded; never raises.

Covers [MS-OXTNEF] as far as a reader needs it. Own code, because the packages for it loop as often as a count in the file
says, which is up to four thousand million times, and copy the rest of the file for each of its attributes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.mail import charsets, rtf

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE: Final = b"\x78\x9f\x3e\x22"
ATTRIBUTES: Final = 5000
PROPERTIES: Final = 5000
VALUES: Final = 1000
FILES: Final = 100
DEPTH: Final = 3
TEXT_OCTETS: Final = 2 * 1024 * 1024

_ATTRIBUTE: Final = struct.Struct("<BHHI")
_LONG: Final = struct.Struct("<I")
_SHORTS: Final = struct.Struct("<HH")

_BODY: Final = 0x800C
_FILE_DATA: Final = 0x800F
_FILE_TITLE: Final = 0x8010
_FILE_START: Final = 0x9002
_MESSAGE_PROPERTIES: Final = 0x9003
_FILE_PROPERTIES: Final = 0x9005
_CODEPAGE: Final = 0x9007

_SUBJECT: Final = 0x0037
_PLAIN: Final = 0x1000
_RTF: Final = 0x1009
_HTML: Final = 0x1013
_DISPLAY_NAME: Final = 0x3001
_DATA: Final = 0x3701
_SHORT_NAME: Final = 0x3704
_LONG_NAME: Final = 0x3707
_TYPE: Final = 0x370E
_INTERNET_CODEPAGE: Final = 0x3FDE

_FIXED: Final = {
    0x02: 4,
    0x03: 4,
    0x04: 4,
    0x0A: 4,
    0x0B: 4,
    0x05: 8,
    0x06: 8,
    0x07: 8,
    0x14: 8,
    0x40: 8,
    0x48: 16,
}
_UNICODE: Final = 0x1F
_OBJECT: Final = 0x0D
_VARIABLE: Final = frozenset({_OBJECT, 0x1E, _UNICODE, 0x102})
_MANY: Final = 0x1000
_NAMED: Final = 0x8000
_INTERFACE_OCTETS: Final = 16
_LABELS: Final = {20127: "ascii", 20866: "koi8-r", 28591: "iso-8859-1", 65001: "utf-8"}

Property = tuple[int, int, bytes]
"""Its id, its type and its first value."""


@dataclass(slots=True)
class Packed:
    """A file in a winmail.dat; `name` is as it stands there, `type` "" when it is not told."""

    name: str = ""
    type: str = ""
    octets: bytes = b""


@dataclass(slots=True)
class Contents:
    """What a winmail.dat holds."""

    subject: str = ""
    plain: str = ""
    html: str = ""
    files: list[Packed] = field(default_factory=list)


def is_tnef(octets: bytes) -> bool:
    """Whether a file is one, whatever its name and type say."""
    return octets.startswith(SIGNATURE)


def contents(octets: bytes) -> Contents | None:
    """What a file holds; None when it is no winmail.dat or nothing in it can be read."""
    if not is_tnef(octets):
        return None
    found = _Reading(octets, 0).read()
    return found if found.files or found.plain or found.html else None


class _Reading:
    """One pass over the attributes of a file."""

    def __init__(self, octets: bytes, depth: int) -> None:
        self._octets = octets
        self._depth = depth
        self._found = Contents()
        self._label = "cp1252"
        self._plain = self._html = b""

    def read(self) -> Contents:
        """Everything in it."""
        for name, value in _attributes(self._octets):
            self._take(name, value)
        found = self._found
        plain, html = charsets.decoded(self._plain[:TEXT_OCTETS], self._label)[0], self._html[:TEXT_OCTETS]
        found.plain = found.plain or plain.rstrip("\0")
        found.html = found.html or (
            charsets.decoded(html, self._label, is_html=True)[0].rstrip("\0") if html else ""
        )
        if self._depth < DEPTH:
            found.files = [unpacked for file in found.files for unpacked in self._unpacked(file)][:FILES]
        found.files = [file for file in found.files if file.name or file.octets]
        return found

    def _take(self, name: int, value: bytes) -> None:
        files = self._found.files
        if name == _CODEPAGE and len(value) >= 4:
            self._label = _labelled(_LONG.unpack_from(value)[0])
        elif name == _BODY:
            self._plain = self._plain or value
        elif name == _MESSAGE_PROPERTIES:
            self._take_message(value)
        elif name == _FILE_START and len(files) < FILES:
            files.append(Packed())
        elif not files:
            return
        elif name == _FILE_TITLE:
            files[-1].name = files[-1].name or self._text(value)
        elif name == _FILE_DATA:
            files[-1].octets = value
        elif name == _FILE_PROPERTIES:
            self._take_file(files[-1], value)

    def _take_message(self, value: bytes) -> None:
        for name, kind, octets in _properties(value):
            if name == _INTERNET_CODEPAGE and len(octets) >= 4:
                self._label = _labelled(_LONG.unpack_from(octets)[0])
            elif name == _SUBJECT:
                self._found.subject = self._text(octets, kind)
            elif name == _PLAIN and kind == _UNICODE:
                self._found.plain = self._text(octets, kind)
            elif name == _PLAIN:
                self._plain = octets
            elif name == _HTML and kind == _UNICODE:
                self._found.html = self._text(octets, kind)
            elif name == _HTML:
                self._html = octets
            elif name == _RTF:
                plain, html = rtf.texts(rtf.unpacked(octets))
                self._found.plain, self._found.html = self._found.plain or plain, self._found.html or html

    def _take_file(self, file: Packed, value: bytes) -> None:
        names: dict[int, str] = {}
        for name, kind, octets in _properties(value):
            if name in {_LONG_NAME, _SHORT_NAME, _DISPLAY_NAME, _TYPE}:
                names[name] = self._text(octets, kind)
            elif name == _DATA and octets:
                file.octets = octets[_INTERFACE_OCTETS:] if kind == _OBJECT else octets
        shown = names.get(_LONG_NAME) or names.get(_SHORT_NAME) or file.name or names.get(_DISPLAY_NAME, "")
        file.name, file.type = shown, names.get(_TYPE, "").lower()

    def _unpacked(self, file: Packed) -> list[Packed]:
        """The file, or what is in it when it is a message of Outlook's own."""
        if not is_tnef(file.octets):
            return [file]
        inner = _Reading(file.octets, self._depth + 1).read()
        text = (inner.plain or inner.html).encode("utf-8", "replace")
        ending, kind = (".txt", "text/plain") if inner.plain else (".html", "text/html")
        letter = [Packed((inner.subject or file.name or "message") + ending, kind, text)] if text else []
        return [*letter, *inner.files] or [file]

    def _text(self, octets: bytes, kind: int = 0) -> str:
        text = (
            octets.decode("utf-16-le", "replace")
            if kind == _UNICODE
            else charsets.decoded(octets, self._label)[0]
        )
        return text.partition("\0")[0] if len(text) < 2000 else text.rstrip("\0")


def _labelled(codepage: int) -> str:
    return _LABELS.get(codepage, f"cp{codepage}")


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """The names and values of all attributes; one that ends behind the file holds what there is of it."""
    at = len(SIGNATURE) + 2
    for _ in range(ATTRIBUTES):
        if at + _ATTRIBUTE.size > len(octets):
            return
        _, name, _, length = _ATTRIBUTE.unpack_from(octets, at)
        at += _ATTRIBUTE.size
        yield name, octets[at : at + length]
        at += length + 2


def _properties(octets: bytes) -> Iterator[Property]:
    """The properties of an attribute; reading ends at the first that cannot be one."""
    if len(octets) < 4:
        return
    at = 4
    for _ in range(min(_LONG.unpack_from(octets)[0], PROPERTIES)):
        if at + 4 > len(octets):
            return
        kind, name = _SHORTS.unpack_from(octets, at)
        at = _after_name(octets, at + 4) if name >= _NAMED else at + 4
        value, at = _value(octets, at, kind)
        if at < 0:
            return
        yield name, kind & ~_MANY, value


def _after_name(octets: bytes, at: int) -> int:
    """Where a property's value stands behind its GUID and its number or text."""
    at += 16
    if at + 8 > len(octets):
        return len(octets)
    kind, size = struct.unpack_from("<II", octets, at)
    return at + 8 if kind == 0 else at + 8 + _padded(size)


def _value(octets: bytes, at: int, kind: int) -> tuple[bytes, int]:
    """The first value of a property and where the next property stands, -1 when that is not to be told."""
    is_many, kind = bool(kind & _MANY), kind & ~_MANY
    size = _FIXED.get(kind, 0)
    if size and not is_many:
        return octets[at : at + size], at + size
    if at + 4 > len(octets) or not (size or kind in _VARIABLE):
        return b"", -1
    count = _LONG.unpack_from(octets, at)[0]
    at += 4
    if size:
        unit = 2 if kind == 0x02 else size
        return octets[at : at + unit], at + _padded(unit * count)
    first = b""
    for number in range(count):
        if at + 4 > len(octets) or number >= VALUES:
            return first, -1
        length = _LONG.unpack_from(octets, at)[0]
        first = first if number else octets[at + 4 : at + 4 + length]
        at += 4 + _padded(length)
    return first, at


def _padded(size: int) -> int:
    return size + -size % 4
