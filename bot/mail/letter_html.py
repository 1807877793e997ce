"""Lines of a letter to HTML that every mail program shows alike. Pure; everything that is text is escaped.

Only paragraphs, line breaks, bold, italic, strike, code, preformatted text, lists, quotes and links are made; no style,
no class, no address but the clean targets that `links` gave.
"""

from __future__ import annotations

import re
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from bot.mail.lines import Kind, Line, Run, Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

DEPTH: Final = 10
"""So deep are quotes set into each other; what lies deeper stands with the deepest."""

_TAGS: Final = ((Style.CODE, "code"), (Style.STRIKE, "s"), (Style.ITALIC, "i"), (Style.BOLD, "b"))
_TARGET: Final = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_MARKS: Final = re.compile(r"(?:> ?)*")


def page(*parts: str) -> str:
    """The parts as a whole page."""
    return "".join(["<!DOCTYPE html>\n<html><body>\n", *parts, "</body></html>\n"])


def of_lines(lines: Sequence[Line]) -> str:
    """What somebody wrote."""
    pieces: list[str] = []
    for is_quoted, group in groupby(lines, key=lambda line: line.depth > 0):
        within = "".join(_kinds(group))
        pieces.append(f"<blockquote>\n{within}</blockquote>\n" if is_quoted else within)
    return "".join(pieces)


def signature(text: str, *, is_marked: bool = True) -> str:
    """A signature, below its mark unless what follows is to be read."""
    return _paragraph([*(["-- "] if is_marked else []), *text.split("\n")])


def quote(text: str) -> str:
    """What stands below an answer: lines with quote marks as quotes, the others as they are."""
    pieces: list[str] = []
    open_quotes = 0
    for depth, group in groupby(text.split("\n"), key=_depth):
        pieces += ["</blockquote>\n"] * (open_quotes - depth)
        pieces += ['<blockquote type="cite">\n'] * (depth - open_quotes)
        open_quotes = depth
        pieces += _paragraphs([_escaped(_bare(row)) for row in group])
    return "".join([*pieces, *["</blockquote>\n"] * open_quotes])


def _marks(row: str) -> int:
    """Where a line's own text starts, behind its quote marks."""
    found = _MARKS.match(row)
    return found.end() if found else 0


def _depth(row: str) -> int:
    return min(row[: _marks(row)].count(">"), DEPTH)


def _bare(row: str) -> str:
    return row[_marks(row) :]


# Kinds of lines


def _kinds(lines: Iterable[Line]) -> Iterator[str]:
    for kind, group in groupby(lines, key=lambda line: line.kind):
        rows = list(group)
        if kind is Kind.ITEM:
            yield "".join(_items(rows))
        elif kind is Kind.CODE:
            yield f"<pre>{escape(chr(10).join(row.text for row in rows))}</pre>\n"
        else:
            yield from _paragraphs(["".join(_runs(row.runs)) for row in rows])


def _paragraphs(rows: Iterable[str]) -> Iterator[str]:
    """Paragraphs between blank lines; a second blank line is a blank paragraph."""
    blanks = 0
    for is_blank, group in groupby(rows, key=lambda row: not row.strip()):
        some = list(group)
        if is_blank:
            blanks += len(some)
        else:
            yield from ["<p><br></p>\n"] * (blanks - 1)
            yield _paragraph(some, is_escaped=True)
            blanks = 0


def _paragraph(rows: Sequence[str], *, is_escaped: bool = False) -> str:
    body = "<br>\n".join(rows if is_escaped else map(_escaped, rows))
    return f"<p{_direction(body)}>{body}</p>\n"


def _direction(text: str) -> str:
    return ' dir="auto"' if _RIGHT_TO_LEFT.search(text) else ""


def _items(rows: Sequence[Line]) -> Iterator[str]:
    """Items as lists within lists; a number that does not follow the one before is said."""
    opened: list[tuple[int, str, int]] = []  # indent, tag, the next number
    for row in rows:
        content = "".join(_runs(row.runs))
        if not row.is_start:
            yield f"<br>\n{content}"
            continue
        tag = "ul" if row.number is None else "ol"
        while opened and (
            opened[-1][0] > row.indent or (opened[-1][0] == row.indent and opened[-1][1] != tag)
        ):
            yield f"</li></{opened.pop()[1]}>\n"
        number = row.number or 0
        if opened and opened[-1][0] == row.indent:
            following = opened.pop()[2]
            yield "</li>\n"
        else:
            following = 1
            yield f"\n<{tag}>\n" if opened else f"<{tag}>\n"
        opened.append((row.indent, tag, number + 1))
        value = f' value="{number}"' if tag == "ol" and number != following else ""
        yield f"<li{value}{_direction(content)}>{content}"
    yield from (f"</li></{tag}>\n" for _, tag, _ in reversed(opened))


# Text


def _runs(runs: Sequence[Run]) -> Iterator[str]:
    first = runs[0] if runs else None
    for url, group in groupby(runs, key=lambda run: run.url):
        label = "".join(_run(run, is_first=run is first) for run in group)
        yield f'<a href="{escape(url)}">{label}</a>' if _TARGET.match(url) else label


def _run(run: Run, *, is_first: bool) -> str:
    text = _escaped(run.text, is_first=is_first)
    for style, tag in _TAGS:
        text = f"<{tag}>{text}</{tag}>" if run.style & style else text
    return text


def _escaped(text: str, *, is_first: bool = True) -> str:
    """Text as HTML; runs of spaces, and those that begin a line, stay as wide as they are."""
    shown = escape(text.expandtabs(4) if "\t" in text else text, quote=False)
    shown = f"&nbsp;{shown[1:]}" if is_first and shown.startswith(" ") else shown
    return shown.replace("  ", " &nbsp;") if "  " in shown else shown
