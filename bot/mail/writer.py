"""Collects runs into lines while a page is read from top to bottom. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.mail.lines import Kind, Line, Run, Style, merged

INDENTS: Final = 8
"""Slack's deepest list level."""

QUOTES: Final = 16
LISTS_SEARCHED: Final = 16
"""Deeper nesting is not told apart: nobody reads it, and each line would pay for it."""


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
            self._has_gap = True

    def end_line(self) -> None:
        """Ends the line if something stands on it."""
        if self._pieces:
            self._emit()

    def gap(self) -> None:
        """Ends the line and leaves a blank one before what follows."""
        self.end_line()
        self._has_gap = True

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
        line = self._line(runs)
        if self._has_gap and self.lines and _may_part(self.lines[-1], line):
            depth = min(self.lines[-1].depth, line.depth)
            self.lines.append(Line(kind=Kind.QUOTE if depth else Kind.TEXT, depth=depth))
        self._has_gap = False
        self.lines.append(line)

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
