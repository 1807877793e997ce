"""The part of YAML that app manifests are written in, so that no YAML library is needed for one file. Pure.

Block mappings and sequences, flow mappings and sequences on one line, quoted and plain scalars, `|` and `>` texts,
comments. Anchors, tags and several documents are refused rather than misread.
"""

from __future__ import annotations

import re
from typing import Any, Final

_KEY: Final = re.compile(
    r"(?P<key>\"[^\"]*\"|'[^']*'|[^\s\"'{}\[\],#&*!|>%@`-][^:#]*?)\s*:(?:\s+(?P<rest>.*))?$"
)
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
_PLAIN: Final[dict[str, Any]] = {"true": True, "false": False, "null": None, "~": None, "": None}
_PIECE: Final = re.compile(
    r"\s*(\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'|[{}\[\],]|:(?=\s|$)|[^\s{}\[\],:](?:[^{}\[\],:]|:(?!\s|$))*)"
)


class NotUnderstood(ValueError):
    """The text is not of this subset; the message names the line."""


def load(text: str) -> Any:
    """The value that the text stands for.

    Raises:
        NotUnderstood: with the number of the line.
    """
    reader = _Reader(text)
    value = reader.block(0)
    reader.end()
    return value


def _bare(line: str) -> str:
    """The line without its comment; a `#` inside quotes is none."""
    hidden = _QUOTED.sub(lambda match: "x" * len(match[0]), line)
    found = _COMMENT.search(hidden)
    return (line[: found.start()] if found else line).rstrip()


class _Reader:
    def __init__(self, text: str) -> None:
        self._lines = text.expandtabs(8).splitlines()
        self._at = 0
        self._skip()

    def _skip(self) -> None:
        while self._at < len(self._lines) and _bare(self._lines[self._at]).strip() in {"", "---"}:
            self._at += 1

    @property
    def _line(self) -> str:
        return _bare(self._lines[self._at])

    def _indent(self) -> int:
        if self._at >= len(self._lines):
            return -1
        return len(self._line) - len(self._line.lstrip())

    def _fail(self) -> NotUnderstood:
        return NotUnderstood(f"line {self._at + 1} is not YAML of the kind a manifest needs")

    def end(self) -> None:
        if self._at < len(self._lines):
            raise self._fail()

    def block(self, least: int) -> Any:
        indent = self._indent()
        if indent < least:
            return None
        if self._line.lstrip().startswith(("- ", "-\n")) or self._line.strip() == "-":
            return self._sequence(indent)
        if _KEY.match(self._line.strip()):
            return self._mapping(indent)
        value = self._flow(self._line.strip())
        self._next()
        return value

    def _next(self) -> None:
        self._at += 1
        self._skip()

    def _sequence(self, indent: int) -> list[Any]:
        items = []
        while self._indent() == indent and self._line.lstrip().startswith("-"):
            # The dash gives way to a blank, so what follows it reads as a block of its own.
            self._lines[self._at] = self._line[:indent] + " " + self._line[indent + 1 :]
            if not self._line.strip():
                self._next()
            items.append(self.block(indent + 1))
        return items

    def _mapping(self, indent: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._indent() == indent:
            match = _KEY.match(self._line.strip())
            if match is None:
                raise self._fail()
            found[match["key"].strip("\"'")] = self._value(indent, match["rest"] or "")
        if self._indent() > indent:
            raise self._fail()
        return found

    def _value(self, indent: int, rest: str) -> Any:
        if rest and rest[0] in "|>":
            return self._text(indent, rest)
        if rest:
            value = self._flow(rest)
            self._next()
            return value
        self._next()
        at_same_indent = self._indent() == indent and self._line.lstrip().startswith("- ")
        return self._sequence(indent) if at_same_indent else self.block(indent + 1)

    def _text(self, indent: int, mark: str) -> str:
        self._at += 1
        lines = []
        while self._at < len(self._lines):
            raw = self._lines[self._at]
            if raw.strip() and len(raw) - len(raw.lstrip()) <= indent:
                break
            lines.append(raw.strip())
            self._at += 1
        self._skip()
        joined = ("\n" if mark[0] == "|" else " ").join(lines).strip()
        return joined if mark.endswith("-") else joined + "\n"

    def _flow(self, text: str) -> Any:
        if text[0] not in "{[\"'":
            if text[0] in "&*!%@`":
                raise self._fail()
            return _scalar(text)
        pieces = _PIECE.findall(text)
        if "".join(pieces).replace(" ", "") != text.replace(" ", ""):
            raise self._fail()
        try:
            value = _nested(pieces)
        except (IndexError, ValueError):
            raise self._fail() from None
        if pieces:
            raise self._fail()
        return value


def _nested(pieces: list[str]) -> Any:
    piece = pieces.pop(0)
    if piece == "[":
        return _items(pieces)
    if piece == "{":
        return _pairs(pieces)
    if piece in {"]", "}", ",", ":"}:
        raise ValueError("misplaced")
    return _scalar(piece.strip())


def _items(pieces: list[str]) -> list[Any]:
    items: list[Any] = []
    while pieces[0] != "]":
        items.append(_nested(pieces))
        if pieces[0] == ",":
            pieces.pop(0)
    pieces.pop(0)
    return items


def _pairs(pieces: list[str]) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    while pieces[0] != "}":
        key = str(_nested(pieces))
        if pieces.pop(0) != ":":
            raise ValueError("a pair has a colon")
        pairs[key] = None if pieces[0] in {",", "}"} else _nested(pieces)
        if pieces[0] == ",":
            pieces.pop(0)
    pieces.pop(0)
    return pairs


def _scalar(text: str) -> Any:
    if text[:1] == '"' and text[-1:] == '"':
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    if text[:1] == "'" and text[-1:] == "'":
        return text[1:-1].replace("''", "'")
    if text.lower() in _PLAIN:
        return _PLAIN[text.lower()]
    return int(text) if re.fullmatch(r"-?\d+", text) else text
