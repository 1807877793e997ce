"""Collects runs into lines while a page is read from top to bottom. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from bot.mail import tables
from bot.mail.lines import Kind, Line, Mark, Run, Style, merged

INDENTS: Final = 8
"""Slack's deepest list level."""

QUOTES: Final = 16
LISTS_SEARCHED: Final = 16
"""Deeper nesting is not told apart: nobody reads it, and each line would pay for it."""

_BEGINNINGS: Final = frozenset({Mark.HISTORY, Mark.DIVIDER})


@dataclass(slots=True)
class _List:
    """A list that is open, and the item within it."""

    number: int | None
    is_in_item: bool = False
    is_start: bool = False


class Writer:
    """Lines, each of the kind that the elements open at its time make it.

    Never two blank lines running; spaces at the start and end of a line go, unless preformatted.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._pieces: list[Run] = []
        self._quotes = 0
        self._lists: list[_List] = []
        self._pre = 0
        self._has_gap = False
        self._grid: tables.Grid | None = None
        self._next_mark = Mark.NONE
        self._marks: list[Mark] = []

    def text(self, text: str, style: Style, url: str, *, is_pre: bool = False) -> None:
        """Text on the current line; in preformatted text a line feed ends it."""
        if not is_pre:
            self._add(text, style, url)
            return
        first, *rest = text.expandtabs(8).split("\n")
        self._add(first, style, url)
        for line in rest:
            self._emit()
            self._add(line, style, url)

    def _add(self, text: str, style: Style, url: str) -> None:
        if not self._pre and (not self._pieces or self._pieces[-1].text.endswith(" ")):
            text = text.lstrip(" ")
        if text:
            self._pieces.append(Run(text, style, url))

    def line_break(self) -> None:
        """Ends the line; on an empty line, asks for a blank one."""
        if self._pieces or self._pre:
            self._emit()
        else:
            self._has_gap = self._grid is None or self._has_gap

    def end_line(self) -> None:
        """Ends the line if something stands on it."""
        if self._pieces:
            self._emit()

    def gap(self) -> None:
        """Ends the line and leaves a blank one before what follows."""
        self.end_line()
        self._has_gap = self._grid is None or self._has_gap

    def rule(self) -> None:
        """A line across; two running are one."""
        self.end_line()
        if self.lines and self.lines[-1].kind is not Kind.RULE:
            self.lines.append(Line(kind=Kind.RULE))
        self._has_gap = False

    def open_list(self, *, number: int | None) -> None:
        """A list begins; `number` of its first item when it is ordered."""
        self.end_line()
        self._lists.append(_List(number))

    def close_list(self) -> None:
        """The innermost list ends."""
        self.end_line()
        if self._lists:
            self._lists.pop()
        self._has_gap = self._has_gap or not self._lists

    def open_item(self, number: int) -> None:
        """An item begins; `number` is -1 when it has none of its own."""
        self.end_line()
        if not self._lists:
            self._lists.append(_List(None))
        innermost = self._lists[-1]
        if innermost.number is not None and number >= 0:
            innermost.number = number
        innermost.is_in_item = innermost.is_start = True

    def close_item(self) -> None:
        """The item ends, and its number is used up if it held anything."""
        self.end_line()
        if not self._lists:
            return
        innermost = self._lists[-1]
        if innermost.number is not None and not innermost.is_start:
            innermost.number += 1
        innermost.is_in_item = innermost.is_start = False

    def open_quote(self) -> None:
        """A quotation begins."""
        self.gap()
        self._quotes += 1

    def close_quote(self) -> None:
        """The innermost quotation ends."""
        self.gap()
        self._quotes = max(0, self._quotes - 1)

    def open_pre(self) -> None:
        """Preformatted text begins: spaces and line feeds count."""
        self.end_line()
        self._pre += 1

    def close_pre(self) -> None:
        """Preformatted text ends."""
        self.end_line()
        self._pre = max(0, self._pre - 1)

    def open_table(self) -> None:
        """A table of data begins; none stands within it."""
        self.end_line()
        self._grid = tables.Grid()

    @property
    def grid(self) -> tables.Grid | None:
        """The table of data that is open; who closes a cell of it has ended the line."""
        return self._grid

    def close_table(self) -> None:
        """The table ends, and its rows are laid out."""
        self.end_line()
        grid, self._grid = self._grid, None
        is_plain = bool(self._quotes) or self._item()[1] is not None
        for line in tables.lines(grid.rows) if grid else ():
            if line.kind is Kind.TABLE and not is_plain:
                self._put(line)
                continue
            runs = tables.on_one_line(line.cells) if line.kind is Kind.TABLE else line.runs
            self._put(replace(self._line(runs), cells=line.cells))

    def open_mark(self, mark: Mark) -> None:
        """An element begins that a mail program named; what an earlier message begins with bears its mark alone."""
        self.end_line()
        if mark in _BEGINNINGS:
            self._next_mark = mark
        else:
            self._marks.append(mark)

    def close_mark(self, mark: Mark) -> None:
        """The element ends."""
        self.end_line()
        if mark not in _BEGINNINGS and self._marks:
            self._marks.pop()

    def close(self) -> None:
        """Ends the last line."""
        self.end_line()
        while self.lines and (not self.lines[-1].runs):
            self.lines.pop()

    def _emit(self) -> None:
        pieces, self._pieces = self._pieces, []
        runs = merged(pieces if self._pre else _trimmed(pieces))
        if not runs and not self._pre:
            return
        if self._grid is not None and self._grid.is_in_cell:
            self._grid.add(self._marked(self._item()[1], runs))
            return
        self._put(self._line(runs))

    def _put(self, line: Line) -> None:
        if self._has_gap and self.lines and _may_part(self.lines[-1], line):
            depth = min(self.lines[-1].depth, line.depth)
            self.lines.append(Line(kind=Kind.QUOTE if depth else Kind.TEXT, depth=depth))
        self._has_gap = False
        mark = self._next_mark or (self._marks[-1] if self._marks else Mark.NONE)
        self._next_mark = Mark.NONE
        self.lines.append(replace(line, mark=mark) if mark else line)

    def _line(self, runs: tuple[Run, ...]) -> Line:
        indent, item = self._item()
        if self._quotes:
            return Line(self._marked(item, runs), Kind.QUOTE, depth=min(self._quotes, QUOTES))
        if self._pre:
            return Line(runs, Kind.CODE)
        if item is None:
            return Line(runs)
        is_start, item.is_start = item.is_start, False
        return Line(runs, Kind.ITEM, indent=min(indent, INDENTS), number=item.number, is_start=is_start)

    def _item(self) -> tuple[int, _List | None]:
        """The innermost item that is open, and how deep it stands."""
        for back, each in enumerate(reversed(self._lists[-LISTS_SEARCHED:]), start=1):
            if each.is_in_item:
                return len(self._lists) - back, each
        return 0, None

    def _marked(self, item: _List | None, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        """An item within a quotation, which Slack has no element for, bears its mark as text."""
        if item is None or not item.is_start:
            return runs
        item.is_start = False
        return (Run("• " if item.number is None else f"{item.number}. "), *runs)


def _may_part(above: Line, below: Line) -> bool:
    """Whether a blank line is in place between two lines: not twice, not within a list or around a rule."""
    if not above.runs and above.kind is not Kind.CODE:
        return False
    return not (above.kind is Kind.ITEM and below.kind is Kind.ITEM) and above.kind is not Kind.RULE


def _trimmed(runs: list[Run]) -> list[Run]:
    """Without spaces at the end."""
    while runs and not runs[-1].text.strip():
        runs.pop()
    if runs:
        last = runs[-1]
        runs[-1] = Run(last.text.rstrip(), last.style, last.url)
    return runs
