"""A readable text as lines of runs: what HTML and plain text become before they become blocks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag, StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Style(IntFlag):
    """How a run of text looks."""

    NONE = 0
    BOLD = 1
    ITALIC = 2
    STRIKE = 4
    CODE = 8


class Kind(StrEnum):
    """What a line is part of."""

    TEXT = "text"
    QUOTE = "quote"
    ITEM = "item"
    CODE = "code"
    RULE = "rule"
    TABLE = "table"


class Mark(StrEnum):
    """What a mail program says about a line by the names of its elements."""

    NONE = ""
    ATTRIBUTION = "attribution"  # names who is quoted below
    HISTORY = "history"  # from here to the end all is an earlier message
    DIVIDER = "divider"  # the same, should fields of a header follow
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look; `url` is "" or a link's clean target. Neighbours with one url are one link."""

    text: str
    style: Style = Style.NONE
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line; without runs it is blank.

    Attributes:
        depth: of a quote, from 1.
        indent: of a list item, from 0.
        number: of an item in an ordered list.
        is_start: this line begins an item or a table rather than continuing it.
        cells: of a table's row; `runs` hold the same on one line, aligned with the rows around it.
        is_wide: the row is too long to be aligned.
        mark: what the mail program that wrote the line calls it.
    """

    runs: tuple[Run, ...] = ()
    kind: Kind = Kind.TEXT
    depth: int = 0
    indent: int = 0
    number: int | None = None
    is_start: bool = False
    cells: tuple[tuple[Run, ...], ...] = ()
    is_wide: bool = False
    mark: Mark = Mark.NONE

    @property
    def text(self) -> str:
        """The characters alone."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Document:
    """A text, read.

    Attributes:
        words: roughly how many, to compare two forms of one text.
        full: all of it for a file, links spelled out; longer than `lines` when not all was laid out.
        is_partial: `lines` do not hold all that `full` does.
        trackers: pictures left out that only tell the sender that the mail was read.
        pictures: pictures left out that stand on somebody's server.
        inline: content ids of the parts that stand in the text as pictures.
    """

    lines: tuple[Line, ...]
    words: int
    full: str
    is_partial: bool = False
    trackers: int = 0
    pictures: int = 0
    inline: frozenset[str] = frozenset()


def words(text: str) -> int:
    """Roughly how many words; scripts without spaces count by characters, addresses of pages not at all."""
    if text.isascii() and "://" not in text:
        return len(text.split())
    return sum(1 if word.isascii() else (len(word) + 1) // 2 for word in text.split() if "://" not in word)


def merged(pieces: Iterable[Run]) -> tuple[Run, ...]:
    """The runs with neighbours of one look and target joined."""
    groups = groupby(pieces, key=lambda run: (run.style, run.url))
    return tuple(Run("".join(run.text for run in runs), style, url) for (style, url), runs in groups)


def readable(lines: Iterable[Line]) -> str:
    """The lines as plain text."""
    return "\n".join(_line(line) for line in lines).strip("\n")


def _line(line: Line) -> str:
    content = "".join(_run(line.runs, at) for at in range(len(line.runs)))
    match line.kind:
        case Kind.RULE:
            return "-" * 40
        case Kind.QUOTE:
            return ("> " * line.depth + content).rstrip()
        case Kind.ITEM:
            mark = "" if not line.is_start else ("• " if line.number is None else f"{line.number}. ")
            return "  " * line.indent + (mark or "  ") + content
        case _:
            return content


def _run(runs: tuple[Run, ...], at: int) -> str:
    """A run, and behind the last one of a link its target."""
    run = runs[at]
    is_end = run.url and (at + 1 == len(runs) or runs[at + 1].url != run.url)
    if not is_end or run.text in {run.url, run.url.removeprefix("mailto:")}:
        return run.text
    return f"{run.text} <{run.url}>"
