"""Plain text to lines of runs: quotes by their marks, addresses of pages as links, all else literally. Pure."""

from __future__ import annotations

import re
from typing import Final

from bot.mail import links
from bot.mail.lines import Document, Kind, Line, Run, words
from bot.mail.text import clean
from bot.mail.writer import QUOTES

LINES: Final = 5000
LINE_CHARACTERS: Final = 4000
"""Longer lines are laid out in part; nobody is shown more of one than a post holds."""

_URL: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:https?://|mailto:|www\.(?=\S))[^\s<>\"“”«»‹›|{}\\^`]+", re.IGNORECASE
)
_TRAILING: Final = ".,;:!?'’…*_~"
_PAIRS: Final = {")": "(", "]": "["}


def parsed(text: str) -> Document:
    """The document that plain text is."""
    full = clean(text).strip("\n")
    rows = full.split("\n")
    lines: list[Line] = []
    for row in rows[:LINES]:
        line = _line(row[:LINE_CHARACTERS].rstrip())
        if line.runs or (lines and lines[-1].runs):
            lines.append(line)
    is_partial = len(rows) > LINES or any(len(row) > LINE_CHARACTERS for row in rows[:LINES])
    return Document(tuple(lines), words(full), full, is_partial)


def _line(row: str) -> Line:
    depth, start = quote_marks(row)
    if depth:
        return Line(linked(row[start:].strip()), Kind.QUOTE, depth=min(depth, QUOTES))
    return Line(linked(row.expandtabs(8) if "\t" in row else row))


def quote_marks(row: str) -> tuple[int, int]:
    """How many quote marks a line begins with, and where its own text starts."""
    depth = at = 0
    while row[at : at + 1] == ">":
        depth += 1
        at += 2 if row[at + 1 : at + 3] == " >" else 1
    return depth, at


def linked(text: str) -> tuple[Run, ...]:
    """The text as runs, each address of a page a link."""
    if "://" not in text and "www." not in text.lower() and "mailto:" not in text.lower():
        return (Run(text),) if text else ()
    runs: list[Run] = []
    end = 0
    for found in _URL.finditer(text):
        address = _without_punctuation(found[0])
        to = links.target(f"http://{address}" if address[:4].lower() == "www." else address)
        if to is None:
            continue
        label = links.unwrapped_text(address)
        runs += [Run(text[end : found.start()]), Run(label, url=to.url)]
        runs += [Run(f" (→ {to.leads})")] if links.misleads(label, to) else []
        end = found.start() + len(address)
    return tuple(run for run in [*runs, Run(text[end:])] if run.text)


def _without_punctuation(address: str) -> str:
    """The address without what belongs to the sentence around it: stops, and brackets it did not open."""
    while address:
        last = address[-1]
        opener = _PAIRS.get(last)
        if last not in _TRAILING and (opener is None or address.count(opener) >= address.count(last)):
            break
        address = address[:-1]
    return address
