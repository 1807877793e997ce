"""Address fields, as RFC 5322 section 3.4 has them and as mails write them. Pure; one pass; never raises.

Structure is read before encoded words are decoded, so that no decoded comma, quote or angle bracket can pass for
one that stands in the field.
"""

from __future__ import annotations

import re
from typing import Final

from bot.mail import headers
from bot.mail.content import Address
from bot.mail.text import one_line

ADDRESSES: Final = 1000
NAME_UNITS: Final = 200
ADDRESS_UNITS: Final = 320

_SPECIAL: Final = re.compile(r'[",:;<(]')
_PARENTHESIS: Final = re.compile(r"\\.|[()]", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ATOM: Final = re.compile(r'[^\s"(),:;<>@\[\]\\]+')
_QUOTED: Final = re.compile(r'\s*"([^"\\]*)"\s*(@.*)', re.DOTALL)


def parsed(raw: bytes, hint: str = "") -> tuple[tuple[Address, ...], int]:
    """The addresses of a field, at most ADDRESSES, and how many it names."""
    return _Reading(headers.eight_bit(raw, hint)).read()


def shown(name: str) -> str:
    """A display name, decoded, on one line, without the quotes that some mailers encode with it."""
    decoded = one_line(headers.words_decoded(name), NAME_UNITS)
    if len(decoded) > 1 and decoded[0] == decoded[-1] and decoded[0] in "\"'":
        decoded = decoded[1:-1].strip()
    return decoded


class _Reading:
    """One pass over a field.

    A bracket of any kind that is never closed is an ordinary character, and so is every further one of its kind:
    looking for each one's end would take quadratic time.
    """

    def __init__(self, value: str) -> None:
        self._value = value
        self._found: list[Address] = []
        self._count = 0
        self._words: list[str] = []
        self._comment = ""
        self._angle: str | None = None
        self._quoted = ""  # what stands before an @, quotes and all
        self._group = ""
        self._group_start = 0
        self._never_closed: set[str] = set()

    def read(self) -> tuple[tuple[Address, ...], int]:
        """The addresses and how many there are."""
        at = 0
        while (special := _SPECIAL.search(self._value, at)) is not None:
            self._words.append(self._value[at : special.start()])
            at = self._special(special.start())
        self._words.append(self._value[at:])
        self._close()
        self._close_group()
        return tuple(self._found[:ADDRESSES]), self._count

    def _special(self, at: int) -> int:
        """Reads what begins with a special character; where it ends."""
        match self._value[at]:
            case ",":
                self._close()
            case ";":
                self._close()
                self._close_group()
            case ":":
                self._open_group()
            case '"':
                return self._bracketed(at, self._quote_end(at))
            case "(":
                return self._bracketed(at, self._comment_end(at))
            case _:
                return self._bracketed(at, self._angle_end(at))
        return at + 1

    def _bracketed(self, at: int, end: int) -> int:
        """Takes what stands in quotes, parentheses or angle brackets; `end` is their closing one's index or -1."""
        kind = self._value[at]
        if end < 0:
            self._words.append(kind if kind != "<" else " ")
            return at + 1
        content = self._value[at + 1 : end]
        if kind == '"':
            bare = _ESCAPED.sub(r"\1", content) if "\\" in content else content
            # Only where nothing changes without them: "ada k"@x.example is no mail for k@x.example.
            is_needed = self._value[end + 1 : end + 2] == "@" and not _ATOM.fullmatch(bare)
            self._words.append(f'"{content}"' if is_needed else bare)
            self._quoted = self._quoted or (self._words[-1] if is_needed else "")
        elif kind == "(":
            self._comment = self._comment or content
        elif not self._angle:
            self._angle = content.rpartition(":")[2] if content.lstrip().startswith("@") else content
        return end + 1

    def _quote_end(self, at: int) -> int:
        while '"' not in self._never_closed and (end := self._value.find('"', at + 1)) >= 0:
            between = self._value[at + 1 : end]
            if (len(between) - len(between.rstrip("\\"))) % 2 == 0:
                return end
            at = end
        self._never_closed.add('"')
        return -1

    def _comment_end(self, at: int) -> int:
        depth = 0
        if "(" in self._never_closed:
            return -1
        for found in _PARENTHESIS.finditer(self._value, at):
            depth += {"(": 1, ")": -1}.get(found[0], 0)
            if depth == 0:
                return found.start()
        self._never_closed.add("(")
        return -1

    def _angle_end(self, at: int) -> int:
        end = -1 if "<" in self._never_closed else self._value.find(">", at)
        if end < 0:
            self._never_closed.add("<")
            return -1
        again = self._value.find("<", at + 1, end)
        return -1 if again >= 0 and "," in self._value[at:again] else end

    def _close(self) -> None:
        """Takes what was read since the last comma as one address."""
        phrase, angle = "".join(self._words), self._angle
        if angle is None:
            angle = self._bare(phrase)
            phrase = phrase.replace(angle, "", 1) if angle else phrase
        name = shown(phrase.strip(" <>") or self._comment)
        address = _unspaced(one_line(angle.strip(" <>"), ADDRESS_UNITS))
        if name or address:
            self._count += 1
            self._found += [Address(name, address, self._group)] if self._count <= ADDRESSES else []
        self._words, self._comment, self._angle, self._quoted = [], "", None, ""

    def _bare(self, phrase: str) -> str:
        """The address in a phrase without angle brackets; "" for none."""
        start = phrase.find(f"{self._quoted}@") if self._quoted else -1
        if start >= 0:
            end = start + len(self._quoted)
            return phrase[start:end] + phrase[end:].split(maxsplit=1)[0]
        return next((word for word in phrase.split() if "@" in word.strip("@")), "")

    def _open_group(self) -> None:
        name = shown("".join(self._words))
        self._group = "" if name.lower() == "mailto" else name
        self._group_start = self._count
        self._words = []

    def _close_group(self) -> None:
        """An empty group leaves its name behind."""
        if self._group and self._count == self._group_start:
            self._found.append(Address("", "", self._group))
        self._group = ""


def _unspaced(address: str) -> str:
    """An address without the spaces that mean nothing, and without quotes where nothing changes without them.

    Spaces in quotes belong to it: mail for "ada k"@x.example is none for adak@x.example.
    """
    found = _QUOTED.fullmatch(address)
    if found is None:
        return "".join(address.split())
    local_part = found[1] if _ATOM.fullmatch(found[1]) else f'"{found[1]}"'
    return local_part + "".join(found[2].split())
