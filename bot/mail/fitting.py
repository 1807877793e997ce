"""As much of a text as a post has room for: lines, and the links in them. Pure.

A cut never falls within a link, a row of a table or a letter; a link for which there is no room names its host.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from bot.mail.lines import Kind, Line, Run, merged
from bot.mail.text import ELLIPSIS, end_within, units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GOOD_END: Final = 0.6
"""A cut at the end of a paragraph is better than one within, as long as this much of the limit is used."""

SMALLEST_PIECE: Final = 40

LINK_UNITS: Final = 300
"""A longer link's text is shown as text: what is a whole paragraph is not clicked by name."""

LINKS: Final = 150


# Links


def with_links_within(lines: Sequence[Line], url_limit: int) -> tuple[list[Line], bool]:
    """The lines with as many links as there is room for; the others say where they lead."""
    left, count, is_poorer = url_limit, 0, False
    kept: list[Line] = []
    for line in lines:
        if line.kind is Kind.TABLE:
            urls = [url for url, _ in groupby(line.runs, key=lambda run: run.url) if url]
            is_fitting = sum(map(len, urls)) <= left and count + len(urls) <= LINKS
            left, count = (left - sum(map(len, urls)), count + len(urls)) if is_fitting else (left, count)
            is_poorer |= not is_fitting
            kept.append(line if is_fitting else _without_links(line))
            continue
        runs: list[Run] = []
        for url, group in groupby(line.runs, key=lambda run: run.url):
            link = list(group)
            cost = len(url)
            is_fitting = cost <= left and count < LINKS and sum(units(run.text) for run in link) <= LINK_UNITS
            if url and not is_fitting:
                is_poorer = True
                runs += [*(replace(run, url="") for run in link), Run(f" ({_host(url)})")]
                continue
            left, count = left - cost, count + bool(url)
            runs += link
        kept.append(replace(line, runs=tuple(runs)) if line.runs else line)
    return kept, is_poorer


def _without_links(line: Line) -> Line:
    """A row of a table, in which there is no room to say where its links lead."""
    cells = tuple(tuple(replace(run, url="") for run in cell) for cell in line.cells)
    return replace(line, runs=merged(replace(run, url="") for run in line.runs), cells=cells)


def _host(url: str) -> str:
    rest = url.removeprefix("mailto:").partition("://")[2] or url.removeprefix("mailto:")
    return rest.partition("?")[0].partition("#")[0].partition("/")[0]


# Cutting


def within(lines: Sequence[Line], limit: int) -> tuple[list[Line], bool]:
    """As many lines as fit, the last one perhaps in part, and whether any were left out."""
    kept: list[Line] = []
    used = paragraph_end = paragraph_used = 0
    for line in lines:
        size = _size(line)
        if used + size > limit:
            return _ended(
                kept, line, limit - used, paragraph_end if paragraph_used >= limit * GOOD_END else 0
            ), True
        if not line.runs:
            paragraph_end, paragraph_used = len(kept), used
        kept.append(line)
        used += size
    return kept, False


def _size(line: Line) -> int:
    marks = 4 if line.kind is Kind.ITEM else 1
    return units(line.text) + marks + 2 * max(0, line.depth - 1)


def _ended(kept: list[Line], line: Line, room: int, paragraph_end: int) -> list[Line]:
    """The lines up to a good place: a paragraph's end, else within `line` if there is room for some words of it."""
    if paragraph_end or line.kind is Kind.TABLE:
        return kept[: paragraph_end or len(kept)]
    runs = _cut_runs(line.runs, room - 8 - 2 * line.depth)
    return [*kept, replace(line, runs=runs)] if runs else kept


def _cut_runs(runs: tuple[Run, ...], room: int) -> tuple[Run, ...]:
    """The start of a line; a link is there whole or not at all."""
    kept: list[Run] = []
    if room < SMALLEST_PIECE:
        return ()
    for url, group in groupby(runs, key=lambda run: run.url):
        pieces = list(group)
        size = sum(units(piece.text) for piece in pieces)
        if size <= room:
            kept += pieces
            room -= size
            continue
        kept += [] if url else _cut_pieces(pieces, room)
        break
    return (*kept, Run(ELLIPSIS)) if kept else ()


def _cut_pieces(pieces: list[Run], room: int) -> Iterator[Run]:
    for piece in pieces:
        text = piece.text[: end_within(piece.text, room, at_word=True)]
        room -= units(text)
        if text:
            yield replace(piece, text=text)
        if len(text) < len(piece.text):
            return
