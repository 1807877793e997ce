"""The lines that name who is quoted below, "On Monday Ada wrote:", in the languages of mail programs. Pure; linear.

Found by what they hold rather than by grammar: a colon at the end, a word for writing, a date, an address. One may go
over four lines, as programs break them.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from bot.mail import mailer_words
from bot.mail.lines import Kind, Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.mail.lines import Line

LINES: Final = 4
CHARACTERS: Final = 400
NAMED_WORDS: Final = 6
"""A longer line without date and address is a sentence: "I do not agree with what Bob wrote:"."""


_WROTE: Final = re.compile(
    r"(?<![^\W\d_])(?:"
    + "|".join(re.escape(word.casefold()) for word in mailer_words.WROTE)
    + r")(?![^\W\d_])"
)
_NUMBERS: Final = re.compile(r"\d{1,4}")
_TIME: Final = re.compile(r"(?<![\d.])\d{1,2}\s?[:.h時点时시]\s?\d{2}(?!\d|[./-]\d)")
_DATE: Final = re.compile(r"(?<!\d)\d{1,4}\s?[./\-年년]\s?\d{1,2}\s?[./\-月월]")
_ADDRESS: Final = re.compile(r"[^\s<>@]@[^\s<>@]")
_SENTENCES: Final = re.compile(
    r"[.!?]\s{1,3}(?:On|In|As|Am|Le|El|Op|Il|Em|Den|Dne|Dnia|W dniu|На|В|I|You|He|She|We|They)\s"
)
"""One sentence behind another on a line: the first is the sender's own."""

_OPENERS: Final = (*(f"{word} " for word in mailer_words.OPENERS), "在", "於", "于", "ב", "في")
_ENDS: Final = " \t-—*_\u00a0"
_YEARS: Final = range(1970, 2100)


class Strength(IntEnum):
    """How sure it is that words name who is quoted."""

    NONE = 0
    NAMED = 1  # a word for writing
    DATED = 2  # and a date or an address
    STRONG = 3  # and both, or a time; or all of these without the word
    CERTAIN = 4  # the word, an address and a date


def ends(text: str) -> bool:
    """Whether an attribution may end with a line."""
    if len(text) > CHARACTERS:
        return False
    bare = text.rstrip(_ENDS)
    return bare.endswith((":", "：")) or (bare != text.rstrip() and text.lstrip().startswith("--"))


def start(lines: Sequence[Line], texts: Sequence[str], end: int, least: Strength) -> int:
    """Where the attribution begins that ends at `end`; `end` itself when there is none so strong."""
    if not end or lines[end - 1].kind is not Kind.TEXT:
        return end
    marked = _marked(lines, end)
    if marked < end or not ends(texts[end - 1]):
        return marked
    found_at = end
    joined = ""
    for at in range(end - 1, max(end - 1 - LINES, -1), -1):
        joined = f"{texts[at].strip()} {joined}".rstrip()
        if not _may_go_on(lines, texts, at, end) or len(joined) > CHARACTERS:
            break
        if at < end - 1 and not opens(texts[at]):
            continue
        found = strength(joined)
        if found >= max(least, Strength.STRONG):
            return _opened_above(lines, texts, at, end)
        if found >= least and found_at == end:
            found_at = at
    return found_at


def strength(text: str) -> Strength:
    """How sure it is that a line names who is quoted below it."""
    if _SENTENCES.search(text):
        return Strength.NONE
    folded = text.casefold()
    is_verbal = _WROTE.search(folded) is not None or any(
        word in folded for word in mailer_words.WROTE_UNSPACED
    )
    has_address = _ADDRESS.search(folded) is not None
    has_time = _TIME.search(folded) is not None
    has_date = _has_date(folded, has_time=has_time)
    if is_verbal and has_date and has_address:
        return Strength.CERTAIN
    if has_date and has_time and (is_verbal or has_address):
        return Strength.STRONG
    if is_verbal and (has_date or has_address):
        return Strength.DATED
    return Strength.NAMED if is_verbal and text.count(" ") < NAMED_WORDS else Strength.NONE


def opens(text: str) -> bool:
    """Whether an attribution that goes over several lines may begin with a line."""
    folded = text.strip(" -*_").casefold()
    has_number = any(character.isdigit() for character in folded[:14])
    return has_number or "@" in folded or folded.startswith(_OPENERS)


def _opened_above(lines: Sequence[Line], texts: Sequence[str], at: int, end: int) -> int:
    """The start, a line higher if the line there goes on with what opens above it."""
    above = at - 1
    if (
        texts[at].strip(_ENDS)[:1].isupper()
        or above < 0
        or end - above > LINES
        or not _may_go_on(lines, texts, above, end)
    ):
        return at
    return above if opens(texts[above]) and not texts[above].rstrip().endswith(".") else at


def _marked(lines: Sequence[Line], end: int) -> int:
    at = end
    while at and end - at < LINES and lines[at - 1].mark is Mark.ATTRIBUTION:
        at -= 1
    return at


def _may_go_on(lines: Sequence[Line], texts: Sequence[str], at: int, end: int) -> bool:
    """Whether a line belongs to the attribution that ends below it rather than to a sentence of its own."""
    text = texts[at].strip()
    if not text or lines[at].kind is not Kind.TEXT:
        return False
    is_ended = text.endswith(("!", "?", ";")) or (text.endswith((":", "：")) and "(" not in text)
    return at == end - 1 or not is_ended


def _has_date(text: str, *, has_time: bool) -> bool:
    if _DATE.search(text):
        return True
    numbers = [int(number) for number in _NUMBERS.findall(text)]
    has_year = any(number in _YEARS for number in numbers)
    return len(numbers) >= 2 + has_time if has_year else has_time and len(numbers) >= 3
