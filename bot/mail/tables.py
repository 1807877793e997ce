"""Data tables: which tables of a page hold data rather than a layout, and how their rows are laid out. Pure.

Of two columns come lines of `label: value`, of more come rows with their cells: Slack shows one such table in a post,
and the others stand in preformatted text, aligned by what a letter takes of a line.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from bot.mail.lines import Kind, Line, Run, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from turbohtml import Element

ROWS: Final = 100
COLUMNS: Final = 20
"""Slack's own limits for a table."""

CELLS: Final = 10_000
"""A larger table is read cell by cell: nobody reads it in a post, and each column would pay for it."""

SHORT: Final = 60
SHORT_UNDER_HEADING: Final = 300
FILLED: Final = 0.6
LINE_WIDTH: Final = 96
"""Wider rows would wrap in preformatted text, and nothing would stand below anything."""

_GAP: Final = "  "
_BETWEEN: Final = " | "
_NUMBER: Final = re.compile(r"[\s\d.,:%+()$€£¥−-]{0,40}\Z")
_LAYOUT_ROLES: Final = frozenset({"presentation", "none"})
_NOT_IN_CELLS: Final = ("ul", "ol", "pre", "blockquote", "hr", "h1", "h2", "h3", "form", "input", "button")

Cell = tuple[Run, ...]


# Telling data from layout


def is_data(table: Element) -> bool:
    """Whether a table's cells belong to rows and columns that mean something.

    Header cells say so, else two by two short cells; never when it holds another table or calls itself a layout.
    """
    if (table.attr("role") or "").strip().lower() in _LAYOUT_ROLES or table.find("table") is not None:
        return False
    rows = [cells for cells in _rows(table) if cells]
    widths = [sum(_span(cell, "colspan") for cell in cells) for cells in rows]
    if len(rows) < 2 or len(rows) * max(widths) > CELLS:
        return False
    has_heading = all(cell.tag == "th" for cell in rows[0]) or all(cells[0].tag == "th" for cells in rows)
    longest = SHORT_UNDER_HEADING if has_heading else SHORT
    texts = [[_short_text(cell, longest, may_break=has_heading) for cell in cells] for cells in rows]
    if any(text is None for row in texts for text in row):
        return False
    filled = [sum(1 for text in row if text) for row in texts]
    if has_heading:
        return max(map(len, rows)) >= 2 and max(filled) >= 2
    is_full = sum(filled) >= FILLED * sum(map(len, rows))
    return len(set(widths)) == 1 and is_full and sum(1 for number in filled if number >= 2) >= 2


def _rows(table: Element) -> Iterator[list[Element]]:
    """The cells of each row."""
    for part in table.iter_elements(("tr",)):
        yield [cell for cell in part if getattr(cell, "tag", "") in {"td", "th"}]  # type: ignore[misc]


def _short_text(cell: Element, longest: int, *, may_break: bool) -> str | None:
    """A cell's text; None when it holds more than data does."""
    text = " ".join(cell.text.split())
    if len(text) > longest or next(cell.iter_elements(_NOT_IN_CELLS), None) is not None:
        return None
    return None if not may_break and len(cell.find_all(["br", "p", "div"], limit=3)) > 2 else text


def _span(cell: Element, name: str) -> int:
    digits = (cell.attr(name) or "").strip()[:4]
    return max(1, min(int(digits), COLUMNS + 1)) if digits.isascii() and digits.isdigit() else 1


# Gathering cells


@dataclass(slots=True)
class Grid:
    """The cells of a table while it is read from top to bottom."""

    rows: list[list[Cell]] = field(default_factory=list)
    is_in_cell: bool = False
    _lines: list[Cell] = field(default_factory=list)
    _below: dict[int, int] = field(default_factory=dict)
    _shape: tuple[int, int] = (1, 1)

    def open_row(self) -> None:
        """A row begins."""
        self.rows.append([])

    def open_cell(self, cell: Element) -> None:
        """A cell begins, perhaps over several columns and rows."""
        if not self.rows:
            self.open_row()
        self._skip()
        self._shape = _span(cell, "colspan"), min(_span(cell, "rowspan"), ROWS)
        self._lines = []
        self.is_in_cell = True

    def add(self, runs: Cell) -> None:
        """A line of the open cell."""
        self._lines.append(runs)

    def close_cell(self) -> None:
        """The cell ends."""
        row, (columns, down) = self.rows[-1], self._shape
        for offset in range(columns if down > 1 else 0):
            self._below[len(row) + offset] = down - 1
        pieces: list[Run] = []
        for line in self._lines:
            pieces += [Run("\n")] if pieces else []
            pieces += line
        row += [merged(pieces), *[()] * (columns - 1)]
        self.is_in_cell = False

    def _skip(self) -> None:
        """Past the columns that a cell of a row above still takes."""
        row = self.rows[-1]
        while len(row) <= 2 * COLUMNS and self._below.get(len(row), 0) > 0:
            self._below[len(row)] -= 1
            row.append(())


# Laying out


def lines(rows: Sequence[Sequence[Cell]]) -> list[Line]:
    """The lines of a table; rows and columns in which nothing stands are left out."""
    kept = [row for row in rows if any(row)]
    columns = [column for column in zip_longest(*kept, fillvalue=()) if any(column)]
    if not columns:
        return []
    full = list(zip(*columns, strict=True))
    if len(columns) == 1:
        return [Line(_flat(row[0])) for row in full]
    if len(columns) == 2:
        return [Line(_labelled(*row), cells=tuple(row)) for row in full]
    return _aligned(full)


def _labelled(label: Cell, value: Cell) -> Cell:
    """Label and value on one line."""
    if not label or not value:
        return _flat(label or value)
    end = label[-1].text[-1:]
    between = " " if end in {":", "?", "："} else ": "
    return merged([*_flat(label), Run(between, label[-1].style), *_flat(value)])


def _aligned(rows: Sequence[Sequence[Cell]]) -> list[Line]:
    """Rows whose columns stand below each other, unless they are too wide for that."""
    flat = [[_flat(cell) for cell in row] for row in rows]
    widths = [max(_width(cell) for cell in column) for column in zip(*flat, strict=True)]
    is_wide = sum(widths) + len(_GAP) * (len(widths) - 1) > LINE_WIDTH
    found = []
    for at, (row, cells) in enumerate(zip(rows, flat, strict=True)):
        runs = on_one_line(cells) if is_wide else _padded(cells, widths)
        found.append(Line(runs, Kind.TABLE, is_start=at == 0, cells=tuple(row), is_wide=is_wide))
    return found


def _padded(cells: Sequence[Cell], widths: Sequence[int]) -> Cell:
    pieces: list[Run] = []
    for at, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        is_last = not any(cells[at + 1 :])
        pieces += [*cell, *([] if is_last else [Run(" " * (width - _width(cell)) + _GAP)])]
        if is_last:
            break
    return merged(pieces)


def on_one_line(cells: Sequence[Cell]) -> Cell:
    """The cells of a row that stands below no other, a bar between."""
    pieces: list[Run] = []
    for cell in cells:
        pieces += [*([Run(_BETWEEN)] if pieces and cell else []), *_flat(cell)]
    return merged(pieces)


def _flat(cell: Cell) -> Cell:
    """The cell on one line."""
    return tuple(replace(run, text=run.text.replace("\n", " ")) if "\n" in run.text else run for run in cell)


def _width(cell: Cell) -> int:
    return sum(display_width(run.text) for run in cell)


def display_width(text: str) -> int:
    """The columns that a text takes of a monospaced line: CJK two, marks and joiners none."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if character in "\u200b\u200c\u200d\ufe0f" or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


# Slack's table


def fits(rows: Sequence[Line]) -> bool:
    """Whether Slack takes these rows as one table."""
    return 0 < len(rows) <= ROWS and all(0 < len(row.cells) <= COLUMNS for row in rows)


def block(rows: Sequence[Line], element: Callable[[Run], dict[str, Any]]) -> dict[str, Any]:
    """The rows as Slack's table; `element` makes one of a run. Slack takes no empty cell."""
    columns = zip(*(row.cells for row in rows[1:]), strict=True)
    numbers = [all(_NUMBER.match(_text(cell)) for cell in column) for column in columns] or [False] * len(
        rows[0].cells
    )
    return {
        "type": "table",
        "column_settings": [
            {"is_wrapped": True, "align": "right" if is_number else "left"} for is_number in numbers
        ],
        "rows": [[_cell(cell or (Run(" "),), element) for cell in row.cells] for row in rows],
    }


def _text(cell: Cell) -> str:
    return "".join(run.text for run in cell)


def _cell(cell: Cell, element: Callable[[Run], dict[str, Any]]) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": [element(run) for run in cell if run.text]}
    return {"type": "rich_text", "elements": [section]}
