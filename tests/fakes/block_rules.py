"""Slack's rules for the blocks of a post, as strict as Slack ever was, to hold what we make against."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCKS = 45
CHARACTERS = 9000
_DATE = re.compile(
    r"<!date\^\d{1,12}\^\{date_short_pretty\} \{time\}\|\d{4}-\d\d-\d\d \d\d:\d\d UTC>\Z",
)
_FORM = re.compile(r"(?:\{date_long_pretty\}, |\{date_short_pretty\} )?\{time\}\Z")
_FALLBACK = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC\Z")
_URL = re.compile(r"(?:https?://[A-Za-z0-9\[_]|mailto:[^@]{1,200}@[A-Za-z0-9])[!-~]*\Z")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u200e\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff]"
)
_ISOLATE = re.compile("\u2068([^\u2068\u2069]+)\u2069")
_STYLES = {"bold", "italic", "strike", "code"}


def width(text: str) -> int:
    """UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def problems(blocks: list[dict[str, Any]]) -> list[str]:
    """What Slack, or a reader's safety, would object to."""
    found = [problem for block in blocks for problem in _block(block)]
    if not 1 <= len(blocks) <= BLOCKS:
        found.append(f"{len(blocks)} blocks")
    if sum(block["type"] == "table" for block in blocks) > 1:
        found.append("two tables")
    size = sum(width(text) for block in blocks for text in _texts(block))
    if size > CHARACTERS:
        found.append(f"{size} characters")
    return found


def text_problems(text: str) -> list[str]:
    """What is wrong with a top-level text, which Slack reads as mrkdwn."""
    found = ["a live bracket"] if re.search("[<>]", text) else []
    found += ["a bare ampersand"] if re.search("&(?!amp;|lt;|gt;)", text) else []
    found += ["a character that is not to be shown"] if _FORBIDDEN.search(text) else []
    return found + ([] if 1 <= width(text) <= 3000 else ["its length"])


def visible(blocks: list[dict[str, Any]]) -> str:
    """All that a reader sees, in order."""
    return "\n".join(text for block in blocks for text in _texts(block, urls=False))


def body(blocks: list[dict[str, Any]]) -> str:
    """What a reader sees in rich text."""
    return visible([block for block in blocks if block["type"] == "rich_text"])


def _texts(found: Any, *, urls: bool = True) -> Iterator[str]:
    if isinstance(found, list):
        for each in found:
            yield from _texts(each, urls=urls)
    elif isinstance(found, dict):
        for key, value in found.items():
            if isinstance(value, str) and (key == "text" or (urls and key == "url")):
                yield value
            else:
                yield from _texts(value, urls=urls)


def _block(block: dict[str, Any]) -> Iterator[str]:
    match block:
        case {"type": "header", "text": {"type": "plain_text"} as text, **rest} if not rest:
            yield from _plain(text, 150)
        case {"type": "section", "text": {"type": "plain_text"} as text, **rest} if not rest:
            yield from _plain(text, 3000)
        case {"type": "context", "elements": [_, *_] as elements, **rest} if not rest and len(elements) <= 10:
            for element in elements:
                yield from _context_element(element)
        case {"type": "divider", **rest} if not rest:
            pass
        case {"type": "table", "rows": [_, *_] as rows, "column_settings": list(columns), **rest} if not rest:
            yield from _table(rows, columns)
        case {"type": "rich_text", "elements": [_, *_] as elements, **rest} if not rest:
            for element in elements:
                yield from _rich(element)
        case _:
            yield from _active(block)


def _active(block: dict[str, Any]) -> Iterator[str]:
    match block:
        case {"type": "actions", "elements": [_, *_] as elements, **rest} if len(elements) <= 25:
            if not (set(rest) <= {"block_id"} and len(rest.get("block_id", "")) <= 255):
                yield f"block {str(block)[:200]}"
            for element in elements:
                yield from _plain(element["text"], 75)
        case _:
            yield f"block {str(block)[:200]}"


def _table(rows: list[Any], columns: list[Any]) -> Iterator[str]:
    if len(rows) > 100 or not all(1 <= len(row) <= 20 for row in rows) or len(columns) > 20:
        yield f"table of {len(rows)} rows"
    if len({len(row) for row in rows}) > 1:
        yield "a table with rows of several lengths"
    for cell in (cell for row in rows for cell in row):
        match cell:
            case {"type": "rich_text", "elements": [{"type": "rich_text_section"} as section]}:
                yield from _rich(section)
            case _:
                yield f"cell {str(cell)[:200]}"


def _plain(text: dict[str, Any], limit: int) -> Iterator[str]:
    if text.get("emoji") is not False or set(text) != {"type", "text", "emoji"}:
        yield f"plain text with emoji {text}"
    yield from _shown(text["text"], limit)


def _shown(text: Any, limit: int) -> Iterator[str]:
    if not isinstance(text, str) or not text or width(text) > limit:
        yield f"length of {str(text)[:60]!r}"
    elif _FORBIDDEN.search(text):
        yield f"characters of {text[:60]!r}"


def _context_element(element: dict[str, Any]) -> Iterator[str]:
    if element.get("type") == "plain_text":
        # Pieces written from right to left stand in isolates, none of which is left open.
        yield from _plain(element | {"text": _ISOLATE.sub(r"\1", element["text"])}, 2000)
    elif element.get("type") != "mrkdwn" or not _DATE.match(element["text"]):
        yield f"mrkdwn {element}"


def _rich(element: dict[str, Any]) -> Iterator[str]:
    match element:
        case {"type": "rich_text_section" | "rich_text_quote", "elements": [_, *_] as inline, **rest} if (
            not rest
        ):
            yield from (problem for each in inline for problem in _inline(each))
        case {"type": "rich_text_preformatted", "elements": [_, *_] as inline, **rest} if not rest:
            yield from (problem for each in inline for problem in _inline(each))
            yield from ("style in preformatted" for each in inline if "style" in each)
        case {
            "type": "rich_text_list",
            "style": style,
            "indent": int(indent),
            "elements": [_, *_] as items,
            **rest,
        }:
            if style not in {"bullet", "ordered"} or not 0 <= indent <= 8 or not set(rest) <= {"offset"}:
                yield f"list {style} {indent} {rest}"
            yield from (problem for item in items for problem in _item(item))
        case _:
            yield f"rich text {str(element)[:200]}"


def _item(item: dict[str, Any]) -> Iterator[str]:
    if item.get("type") != "rich_text_section":
        yield f"item {item.get('type')}"
    yield from _rich(item)


def _inline(element: dict[str, Any]) -> Iterator[str]:
    if element.get("type") == "date":
        is_ours = set(element) == {"type", "timestamp", "format", "fallback"} and isinstance(
            element["timestamp"], int
        )
        if not is_ours or not _FORM.match(element["format"]) or not _FALLBACK.match(element["fallback"]):
            yield f"date {element}"
        return
    allowed = {"text": {"type", "text", "style"}, "link": {"type", "text", "url", "style"}}
    if element.get("type") not in allowed or not set(element) <= allowed[element["type"]]:
        yield f"inline {element}"
        return
    yield from _shown(element["text"], 3000)
    style = element.get("style", {"bold": True})
    if not style or not set(style) <= _STYLES or not all(value is True for value in style.values()):
        yield f"style {style}"
    if element["type"] == "link" and (not _URL.match(element["url"]) or len(element["url"]) > 3000):
        yield f"url {element['url'][:80]}"
