"""HTML or plain text to Slack's rich text within a limit. Pure.

Only `text` and `link` elements in sections, lists, quotes and preformatted text are ever made, in which Slack reads
no mention, no emoji and no mark-up; mail text reaches no other kind of element.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from bot.mail import html_text, images, plain_text, tables
from bot.mail.lines import Document, Kind, Line, Run, Style, merged
from bot.mail.text import ELLIPSIS, end_within, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.mail.content import Attachment, Body, Message

Element = dict[str, Any]

GOOD_END: Final = 0.6
"""A cut at the end of a paragraph is better than one within, as long as this much of the limit is used."""

SMALLEST_PIECE: Final = 40
LINK_UNITS: Final = 300
"""A longer link's text is shown as text: what is a whole paragraph is not clicked by name."""

LINKS: Final = 150
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
        pictures: names of the files that stand in a page as pictures, by content id.
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
    names = {each.content_id: each.name for each in message.attachments if not is_logo(each)}
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
    linked, is_poorer = _with_links_within(text.lines[: limit + 1], url_limit)
    lines, is_shorter = _within(linked, limit)
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


# Links


def _with_links_within(lines: Sequence[Line], url_limit: int) -> tuple[list[Line], bool]:
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


def _within(lines: Sequence[Line], limit: int) -> tuple[list[Line], bool]:
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
    for kind, group in groupby(lines, key=lambda line: line.kind):
        rows = list(group)
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
                yield from _whole("rich_text_section", rows)


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


def _whole(kind: str, rows: list[Line]) -> Iterator[Element]:
    """One element of all the rows, blank ones at its edges left out; nothing when they are all blank."""
    filled = [at for at, row in enumerate(rows) if row.text.strip()]
    if filled:
        yield {"type": kind, "elements": _inline(rows[filled[0] : filled[-1] + 1])}


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
