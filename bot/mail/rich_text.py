"""HTML or plain text to Slack's rich text within a limit. Pure.

Only `text` and `link` elements in sections, lists, quotes and preformatted text are ever made, in which Slack reads
no mention, no emoji and no mark-up; mail text reaches no other kind of element.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from bot.mail import fitting, html_text, images, plain_text, tables
from bot.mail.lines import Document, Kind, Line, Run, Style, merged
from bot.mail.text import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.mail.content import Attachment, Body, Message

Element = dict[str, Any]

STYLED_RUNS: Final = 400
RULES: Final = 8
STUB: Final = 3
"""A page with less than one word for so many of the plain text is a stub."""

_STYLES: Final = {Style.BOLD: "bold", Style.ITALIC: "italic", Style.STRIKE: "strike", Style.CODE: "code"}


@dataclass(frozen=True, slots=True)
class Fitted:
    """Blocks that hold as much of a text as fits.

    Attributes:
        units: UTF-16 units of all texts and addresses within.
        is_cut: something of the text is not in the blocks.
    """

    blocks: list[dict[str, Any]]
    units: int
    is_cut: bool


def document(body: Body, pictures: Mapping[str, str] | None = None) -> Document:
    """The better form of a text: the page, unless it is empty, too large or a stub beside the plain text.

    Args:
        body: the text in every form it came in.
        pictures: names of the files that stand in a page as pictures, by content id; "" for a small logo.
    """
    plain = _plain(body.plain or "")
    if body.html is None:
        return plain
    page = html_text.parsed(body.html, pictures)
    is_poor = page.is_partial or page.words * STUB < plain.words
    if (plain.words and is_poor) or not (page.lines or page.is_partial):
        return replace(plain, trackers=page.trackers, inline=page.inline)
    return page


def documents(message: Message) -> list[Document]:
    """Everything that a message says, text by text."""
    names = {each.content_id: "" if is_logo(each) else each.name for each in message.attachments}
    return [document(body, names) for body in message.bodies]


def whole(message: Message) -> Document:
    """Everything that a message says, quotes and signature included."""
    return joined(documents(message))


def is_logo(attachment: Attachment) -> bool:
    """Whether a file is so small a picture that it is not worth to be named where it stands in a text."""
    return bool(attachment.content_id) and images.is_logo(attachment.octets)


def joined(documents: Sequence[Document]) -> Document:
    """Several texts of one mail, a rule between."""
    lines: list[Line] = []
    for each in documents:
        lines += [Line(kind=Kind.RULE)] if lines and each.lines else []
        lines += each.lines
    full = ("\n\n" + "-" * 40 + "\n\n").join(each.full for each in documents if each.full)
    return Document(
        tuple(lines),
        sum(each.words for each in documents),
        full,
        any(each.is_partial for each in documents),
        trackers=sum(each.trackers for each in documents),
        pictures=sum(each.pictures for each in documents),
        inline=frozenset(name for each in documents for name in each.inline),
    )


def fitted(text: Document, limit: int, url_limit: int) -> Fitted:
    """The text as blocks.

    Args:
        text: what is to be shown.
        limit: of what is visible, in UTF-16 units.
        url_limit: of all link targets together; links beyond it name their host instead.
    """
    linked, is_poorer = fitting.with_links_within(text.lines[: limit + 1], url_limit)
    lines, is_shorter = fitting.within(linked, limit)
    blocks = list(_blocks(lines))
    size = sum(units(run.text) + len(run.url) for line in lines for run in line.runs) + len(lines)
    return Fitted(blocks, size, is_poorer or is_shorter or text.is_partial)


def section(text: str, style: Style = Style.NONE) -> Element:
    """Untrusted text as one section of rich text; it must not be empty."""
    return {"type": "rich_text_section", "elements": [_element(Run(text, style))]}


def bullets(texts: Iterable[str]) -> Element:
    """Untrusted texts as a list."""
    return {
        "type": "rich_text_list",
        "style": "bullet",
        "indent": 0,
        "elements": [section(text) for text in texts],
    }


def block(elements: list[Element]) -> dict[str, Any]:
    """A block of rich text."""
    return {"type": "rich_text", "elements": elements}


def _plain(text: str) -> Document:
    """Plain text; some mailers label a page so."""
    start = text[:200].lstrip().lower()
    return (
        html_text.parsed(text) if start.startswith(("<!doctype html", "<html")) else plain_text.parsed(text)
    )


# Elements


def _blocks(lines: Sequence[Line]) -> Iterator[dict[str, Any]]:
    """Rich text, a divider for each of the first rules, nothing for the rest."""
    rules = 0
    has_table = False
    parts = [
        list(part) for is_rule, part in groupby(lines, key=lambda line: line.kind is Kind.RULE) if not is_rule
    ]
    parts = [*parts[:RULES], [line for part in parts[RULES:] for line in [Line(), *part]]]
    for part in parts:
        found = _part(list(_lightly_styled(part)), may_have_table=not has_table)
        if not found:
            continue
        if rules:
            yield {"type": "divider"}
        rules += 1
        has_table |= any(each["type"] == "table" for each in found)
        yield from found


def _part(lines: list[Line], *, may_have_table: bool) -> list[dict[str, Any]]:
    """What stands between two rules; Slack takes one table in a post, others are preformatted text."""
    start, end = _table(lines) if may_have_table else (0, 0)
    above, below = list(_elements(lines[:start])), list(_elements(lines[end:]))
    found = [block(above)] if above else []
    found += [tables.block(lines[start:end], _element)] if end else []
    return found + ([block(below)] if below else [])


def _table(lines: Sequence[Line]) -> tuple[int, int]:
    """Where the first table that Slack can show stands; (0, 0) when there is none."""
    starts = [at for at, line in enumerate(lines) if line.kind is Kind.TABLE and line.is_start]
    for start in starts:
        end = start + 1
        while end < len(lines) and lines[end].kind is Kind.TABLE and not lines[end].is_start:
            end += 1
        if tables.fits(lines[start:end]):
            return start, end
    return 0, 0


def _lightly_styled(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines; past a number of runs that no person sets by hand, without styles."""
    count = 0
    for line in lines:
        count += len(line.runs)
        if count <= STYLED_RUNS:
            yield line
        else:
            cells = tuple(tuple(replace(run, style=Style.NONE) for run in cell) for cell in line.cells)
            yield replace(line, runs=merged(replace(run, style=Style.NONE) for run in line.runs), cells=cells)


def _elements(lines: Iterable[Line]) -> Iterator[Element]:
    groups = [(kind, list(group)) for kind, group in groupby(lines, key=lambda line: line.kind)]
    for at, (kind, rows) in enumerate(groups):
        match kind:
            case Kind.ITEM:
                yield from _lists(rows)
            case Kind.QUOTE:
                yield from _whole("rich_text_quote", [replace(row, runs=_marked(row)) for row in rows])
            case Kind.CODE:
                yield from _whole(
                    "rich_text_preformatted", [replace(row, runs=_unstyled(row)) for row in rows]
                )
            case Kind.TABLE:
                yield from _preformatted_tables(rows)
            case _:
                is_answer = [each for each, _ in groups[max(0, at - 1) : at + 2 : 2]] == [Kind.QUOTE] * 2
                yield from _whole("rich_text_section", rows, has_gap=is_answer and not rows[-1].runs)


def _marked(row: Line) -> tuple[Run, ...]:
    """A line of a quote within a quote, which Slack has no element for."""
    return (Run("> " * (row.depth - 1)), *row.runs) if row.depth > 1 and row.runs else row.runs


def _preformatted_tables(rows: list[Line]) -> Iterator[Element]:
    """Tables that Slack's own kind has no room for; rows too wide to stand below each other as plain lines."""
    for is_wide, group in groupby(_parted(rows), key=lambda row: row.is_wide):
        if is_wide:
            yield from _whole("rich_text_section", list(group))
        else:
            yield from _whole("rich_text_preformatted", [replace(row, runs=_unstyled(row)) for row in group])


def _parted(rows: list[Line]) -> Iterator[Line]:
    """The rows, with a blank one between two tables."""
    for at, row in enumerate(rows):
        if at and row.is_start:
            yield Line(kind=Kind.TABLE, is_wide=row.is_wide)
        yield row


def _unstyled(row: Line) -> tuple[Run, ...]:
    return tuple(replace(run, style=Style.NONE) for run in row.runs)


def _whole(kind: str, rows: list[Line], *, has_gap: bool = False) -> Iterator[Element]:
    """One element of all the rows, blank ones at its edges left out; nothing when they are all blank.

    Args:
        has_gap: a blank line below parts an answer from the quote that it does not belong to.
    """
    filled = [at for at, row in enumerate(rows) if row.text.strip()]
    if filled:
        gap = [_element(Run("\n\n"))] if has_gap else []
        yield {"type": kind, "elements": [*_inline(rows[filled[0] : filled[-1] + 1]), *gap]}


def _inline(rows: Sequence[Line]) -> list[Element]:
    """The rows' runs as elements, a line feed between rows."""
    pieces: list[Run] = []
    for at, row in enumerate(rows):
        if at:
            last = pieces[-1] if pieces else Run("")
            pieces.append(Run("\n") if last.url else Run("\n", last.style & ~Style.CODE))
        pieces += row.runs
    return [_element(run) for run in merged(pieces) if run.text]


def _element(run: Run) -> Element:
    element: Element = {"type": "link", "url": run.url} if run.url else {"type": "text"}
    element["text"] = run.text
    style = {name: True for flag, name in _STYLES.items() if flag in run.style}
    return element | ({"style": style} if style else {})


def _lists(rows: Sequence[Line]) -> Iterator[Element]:
    """Items, a list for each run of one level and kind; continued lines join their item."""
    items: list[list[Line]] = []
    for row in rows:
        is_new = row.is_start or not items or items[-1][0].indent != row.indent
        if is_new:
            items.append([row])
        else:
            items[-1].append(row)
    for (indent, is_ordered), group in groupby(
        items, key=lambda item: (item[0].indent, item[0].number is not None)
    ):
        yield from _list(indent, list(group), is_ordered=is_ordered)


def _list(indent: int, items: list[list[Line]], *, is_ordered: bool) -> Iterator[Element]:
    sections = [part for item in items for part in _whole("rich_text_section", item)]
    if not sections:
        return
    found: Element = {
        "type": "rich_text_list",
        "style": "ordered" if is_ordered else "bullet",
        "indent": indent,
    }
    first = items[0][0].number or 1
    offset = {"offset": first - 1} if is_ordered and first > 1 else {}
    yield found | offset | {"elements": sections}
