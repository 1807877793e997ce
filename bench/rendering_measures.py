"""How near a text is to what a browser shows of the same page: words told, hidden words told, lines kept."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.mail.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.rendering_browser import Seen
    from bot.mail.lines import Document

_WORD = re.compile(r"\w+")
_MARKS = re.compile(r"^(?:[#>*+•-]+|\d{1,9}[.)])\s+|[*_`\\]")


@dataclass(frozen=True)
class Fidelity:
    """A text beside what a browser shows.

    Attributes:
        words: that the browser shows.
        told: of these are in the text.
        own: words of the text.
        leaked: of these stand in the page, but hidden.
        lines: that the browser shows, the cells of a table each as one.
        kept: of these are lines of the text.
    """

    words: int
    told: int
    own: int
    leaked: int
    lines: int
    kept: int


def shares(found: Fidelity) -> tuple[float, float, float]:
    """Word recall, words leaked, lines kept, each as a share; of nothing, all is there."""
    return (
        found.told / found.words if found.words else 1.0,
        found.leaked / found.own if found.own else 0.0,
        found.kept / found.lines if found.lines else 1.0,
    )


def totals(found: Sequence[Fidelity]) -> tuple[float, float, float]:
    """The shares of all pages together."""
    names = ("words", "told", "own", "leaked", "lines", "kept")
    return shares(Fidelity(*(sum(getattr(each, name) for each in found) for name in names)))


def medians(found: Sequence[Fidelity]) -> tuple[float, ...]:
    """The median page's shares."""
    return tuple(statistics.median(column) for column in zip(*map(shares, found), strict=True))


def fidelity(seen: Seen, lines: Iterable[str]) -> Fidelity:
    """How near these lines are to what a browser shows."""
    own = list(lines)
    own_words = _words("\n".join(own).replace("\\", ""))
    shown_words, all_words = _words(clean(seen.shown)), _words(clean(seen.everything))
    kept, count = _kept(clean(seen.shown), _counted(own))
    hidden = all_words - shown_words
    return Fidelity(
        words=shown_words.total(),
        told=(shown_words & own_words).total(),
        own=own_words.total(),
        leaked=((own_words - shown_words) & hidden).total(),
        lines=count,
        kept=kept,
    )


def _kept(shown: str, own: Counter[str]) -> tuple[int, int]:
    """How many lines of a browser are there, and how many it has; tabs part the cells of a table, unless they do not."""
    left = own.copy()
    kept = count = 0
    for row in filter(str.strip, shown.split("\n")):
        whole = _line(row)
        pieces = [whole] if left[whole] > 0 else [piece for piece in map(_line, row.split("\t")) if piece]
        count += len(pieces)
        for piece in pieces:
            if left[piece] > 0:
                left[piece] -= 1
                kept += 1
    return kept, count


def _counted(lines: Iterable[str]) -> Counter[str]:
    return Counter(filter(None, map(_line, lines)))


def _line(row: str) -> str:
    """A line without mark-up and with single spaces."""
    return " ".join(_MARKS.sub("", row.strip()).split())


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text))


def document_lines(document: Document) -> list[str]:
    """The lines of a document, a table's cells each as one."""
    found: list[str] = []
    for line in document.lines:
        cells = ["".join(run.text for run in cell) for cell in line.cells]
        found += [piece for cell in cells or [line.text] for piece in cell.split("\n")]
    return found


def peer_lines(text: str) -> list[str]:
    """The lines of a peer's text, a table's cells each as one."""
    return [piece for row in clean(text).split("\n") for piece in re.split(r"[|\t]", row)]
