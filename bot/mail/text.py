"""Untrusted text made fit to be shown, and cut where a reader would cut it. Pure; every function takes linear time."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

ELLIPSIS: Final = "…"

# Neither side of a joiner that matters is a space, a control, ASCII punctuation or another invisible.
_JOINED: Final = r"[^\s\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\xbf\u034f\u2000-\u206f\ufeff]"
_UNSHOWN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls but TAB, LF, CR, NEL
    "\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e0fff]"  # tags and other invisibles: a text that is not shown must not be there
    f"|(?<!{_JOINED})[\u200c\u200d]|[\u200c\u200d](?!{_JOINED})"
)
_BLANK: Final = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3164\uffa0]")
_BREAKS: Final = re.compile("\r\n?|[\x85\u2028\u2029]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_MARKS: Final = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u0e31-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]{8})"
    "[\u0300-\u036f\u0483-\u0489\u0e31-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]+"
)
_ASCII_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STEP_BACK: Final = 64
_RIGHT_TO_LEFT: Final = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff"
_BACKWARDS: Final = re.compile(
    f"[{_RIGHT_TO_LEFT}](?:[{_RIGHT_TO_LEFT} .,'’\"-]{{0,500}}[{_RIGHT_TO_LEFT}])?"
)
_FORWARDS: Final = re.compile("[A-Za-z0-9\u00c0-\u024f\u0370-\u058f]")


def clean(text: str) -> str:
    """The text without what does not show or misleads: controls, direction marks, invisible padding.

    Lines end in LF; TAB stays; every kind of space is a space; a letter bears at most eight marks.
    """
    if text.isascii():
        text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
        return _ASCII_CONTROLS.sub("", text)
    text = _SURROGATES.sub("\ufffd", text)
    text = _UNSHOWN.sub("", _BREAKS.sub("\n", text))
    return _MARKS.sub(r"\1", _BLANK.sub(" ", text))


def one_line(text: str, limit: int) -> str:
    """The text on one line, cleaned, with single spaces, at most `limit` UTF-16 units."""
    return cut(" ".join(clean(text[: 8 * limit + 1024]).split()), limit)


def isolated(line: str) -> str:
    """A line of names and addresses, in which what is written from right to left does not move the rest about.

    The order of the characters stays as it is; each such piece stands between U+2068 and U+2069.
    """
    if line.isascii() or not _FORWARDS.search(line):
        return line
    return _BACKWARDS.sub(lambda piece: f"\u2068{piece[0]}\u2069", line)


def units(text: str) -> int:
    """The length in UTF-16 units, the longest of the ways Slack may count."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """The text, or its start and an ellipsis, together at most `limit` UTF-16 units; no grapheme is torn."""
    if units(text) <= limit:
        return text
    return text[: end_within(text, limit - 1)].rstrip() + ELLIPSIS


def end_within(text: str, limit: int, *, at_word: bool = False) -> int:
    """The largest good index to cut at, so that at most `limit` UTF-16 units stand before it.

    Args:
        text: what is to be cut.
        limit: in UTF-16 units.
        at_word: prefer the end of a word when one is near.
    """
    end = min(len(text), max(limit, 0))
    while units(text[:end]) > limit:
        end -= max(1, (units(text[:end]) - limit) // 2)
    if end >= len(text):
        return end
    if at_word:
        space = max(text.rfind(" ", end - _STEP_BACK if end > _STEP_BACK else 0, end + 1), 0)
        end = space or end
    return _grapheme_start(text, end)


def _grapheme_start(text: str, end: int) -> int:
    """The start of the grapheme that `end` lies in, if it is near; one that is longer must be torn."""
    for at in range(end, max(end - _STEP_BACK, 0), -1):
        if not _continues(text, at):
            return at
    return end


def _continues(text: str, at: int) -> bool:
    """Whether the character at an index belongs to the one before."""
    character, before = text[at], text[at - 1]
    if character < "\u0300" and before < "\u0300":
        return False
    if before == "\u200d" or character in "\u200c\u200d" or "\U0001f3fb" <= character <= "\U0001f3ff":
        return True
    if unicodedata.category(character) in {"Mn", "Mc", "Me"}:
        return True
    if "\U0001f1e6" <= character <= "\U0001f1ff":
        return _regional_before(text, at) % 2 == 1
    return "\u1160" <= character <= "\u11ff" and "\u1100" <= before <= "\u11ff"


def _regional_before(text: str, at: int) -> int:
    start = at
    while start and at - start < _STEP_BACK and "\U0001f1e6" <= text[start - 1] <= "\U0001f1ff":
        start -= 1
    return at - start
