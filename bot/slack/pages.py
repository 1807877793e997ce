"""What a person may see of a message beyond its post, a page at a time: the whole text, the header's fields. Pure.

A page holds what one modal may: some 6,000 characters and the addresses of its links. Whatever is too long for a
page goes on at the next one; nothing is left out without a word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bot.mail import rich_text
from bot.mail.content import Rendered
from bot.mail.lines import Document, Kind, Line, Run, Style
from bot.mail.text import clean, end_within, units
from bot.slack import blocks, heads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.mail.content import Message
    from bot.slack.blocks import Block

PAGE_UNITS: Final = 6000
URL_UNITS: Final = 2500
ELEMENT_UNITS: Final = 2900
"""Slack names no limit for one text of rich text; those of all other texts are 3,000 and more."""

GOOD_END: Final = 0.6
"""A page ends with a paragraph as long as this much of it is used."""

LABEL_UNITS: Final = 200
MARK_UNITS: Final = 4
"""What a line costs beside its text: its end, or its bullet."""

_CAPITALS: Final = {"id", "mime", "dkim", "arc", "spf", "ip", "uri", "url"}
_REST_IN_ORIGINAL: Final = (
    "This message holds more text than Mailbox lays out. The rest is in the original: choose “Original (.eml)” in the "
    "menu of its post."
)
_NO_TEXT: Final = "This message has no text."
_NO_FIELDS: Final = "This message has no header."


def text_page(message: Message, number: int) -> Rendered:
    """A page of everything the message says, quotes and signature included."""
    text = rich_text.whole(message)
    attached = tuple((each.name, len(each.octets)) for each in message.attachments if not each.is_quiet)
    labelled = replace(label(message), attached=attached)
    found = _page(labelled, paged(text.lines), number, _NO_TEXT)
    is_last = found.pages == min(number, found.pages - 1) + 1
    return replace(found, blocks=[*found.blocks, *_rest(text)]) if is_last else found


def fields_page(fields: Iterable[tuple[str, str]], number: int) -> Rendered:
    """A page of the header's fields as they came, their words decoded."""
    rows = [
        Line((Run(f"{field_name(name)}: {' '.join(clean(value).split())}"),), Kind.CODE)
        for name, value in fields
    ]
    return _page(Rendered("", []), paged(rows), number, _NO_FIELDS)


def label(message: Message) -> Rendered:
    """Who wrote the message and about what, in a line that is not escaped."""
    name = blocks.plain(heads.sender_name(message), 80)["text"]
    words = blocks.plain(f"{name}: {message.subject or heads.NO_SUBJECT}", LABEL_UNITS)["text"]
    return Rendered(words, [], sender=sender(message))


def sender(message: Message) -> str:
    """The address a message comes from, so that it can be compared."""
    return message.sender.address.strip().lower() if message.sender else ""


def field_name(name: str) -> str:
    """A field's name as mails write it."""
    return "-".join(part.upper() if part in _CAPITALS else part.capitalize() for part in name.split("-"))


def paged(lines: Iterable[Line], limit: int = PAGE_UNITS) -> list[tuple[Line, ...]]:
    """The lines in pages of at most `limit` UTF-16 units, none of them empty."""
    pages: list[tuple[Line, ...]] = []
    page: list[Line] = []
    used = good_end = 0
    for line in (piece for each in lines for piece in _pieces(_without_cells(each), limit)):
        size = units(line.text) + MARK_UNITS + 2 * (line.depth + line.indent)
        if used + size > limit:
            end = good_end or len(page)
            pages.append(tuple(page[:end]))
            page, good_end = page[end:], 0
            used = sum(units(each.text) + MARK_UNITS + 2 * (each.depth + each.indent) for each in page)
        page.append(line)
        used += size
        if not line.runs and used >= limit * GOOD_END:
            good_end = len(page)
    return [each for each in [*pages, tuple(page)] if any(line.text.strip() for line in each)]


def _page(labelled: Rendered, pages: Sequence[tuple[Line, ...]], number: int, nothing: str) -> Rendered:
    if not pages:
        return replace(labelled, blocks=[blocks.note(nothing)], pages=1)
    lines = pages[max(0, min(number, len(pages) - 1))]
    # The limit of a page was counted above; what is given here only keeps the cutting out.
    fitted = rich_text.fitted(Document(lines, 0, ""), 4 * PAGE_UNITS, URL_UNITS)
    found = [_in_short_texts(block) for block in fitted.blocks]
    return replace(labelled, blocks=found or [blocks.note(nothing)], pages=len(pages))


def _rest(text: Document) -> list[Block]:
    return [blocks.note(_REST_IN_ORIGINAL)] if text.is_partial else []


def _without_cells(line: Line) -> Line:
    """A table's row as aligned text: a modal has no tables."""
    if line.kind is not Kind.TABLE:
        return line
    return Line(tuple(replace(run, style=Style.NONE, url="") for run in line.runs), Kind.CODE)


def _pieces(line: Line, limit: int) -> Iterator[Line]:
    """The line, or pieces of it that fit a page; a link longer than that is text."""
    room = limit - 200
    if units(line.text) <= room:
        yield line
        return
    piece: list[Run] = []
    used = 0
    for run in line.runs:
        text = run.text
        while used + units(text) > room:
            end = end_within(text, room - used, at_word=True)
            piece.append(replace(run, text=text[:end], url=""))
            yield replace(line, runs=tuple(piece))
            piece, used, text = [], 0, text[end:]
            line = replace(line, is_start=False)
        piece.append(replace(run, text=text))
        used += units(text)
    yield replace(line, runs=tuple(piece))


def _in_short_texts(found: Any) -> Any:
    """Rich text with every long text in several elements, which read on as one."""
    if isinstance(found, list):
        return [short for each in found for short in _shortened(each)]
    if isinstance(found, dict):
        return {key: _in_short_texts(value) for key, value in found.items()}
    return found


def _shortened(element: Any) -> Iterator[Any]:
    if not isinstance(element, dict) or element.get("type") != "text":
        yield _in_short_texts(element)
        return
    text = element["text"]
    while units(text) > ELEMENT_UNITS:
        end = max(1, end_within(text, ELEMENT_UNITS))
        yield {**element, "text": text[:end]}
        text = text[end:]
    yield {**element, "text": text}
