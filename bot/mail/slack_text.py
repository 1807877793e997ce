"""What people write in Slack, to plain text and HTML of a mail. Pure; linear; never raises, whatever the JSON holds.

Covers the `rich_text` block that a `rich_text_input` gives: sections, lists, quotes and preformatted text, with every
kind of element in them. Mentions become names, never ids; elements that are not known keep their text. In plain text
no line ends in a space, so that none reads as a signature's mark or as softly broken (RFC 3676 section 4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from bot.mail import letter_html, links
from bot.mail.lines import Kind, Line, Run, Style, merged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CHARACTERS: Final = 100_000
"""Of one text and its links; Slack's own input holds far less."""

NODES: Final = 20_000
INDENT: Final = 8
NAME_CHARACTERS: Final = 200

_PERSON: Final = "somebody"
_CHANNEL: Final = "a channel"
_ROOMS: Final = ("here", "channel", "everyone")
_BREAKS: Final = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_CODE_POINTS: Final = re.compile(r"[0-9a-fA-F]{2,6}(?:-[0-9a-fA-F]{2,6}){0,15}\Z")
_SHORT_NAME: Final = re.compile(r"[\w+'-]{1,100}\Z")
_TONE: Final = 0x1F3F9  # of Slack's numbers 2 to 6, which follow it in order
_STYLES: Final = {"bold": Style.BOLD, "italic": Style.ITALIC, "strike": Style.STRIKE, "code": Style.CODE}
_KINDS: Final = {
    "rich_text_section": Kind.TEXT,
    "rich_text_quote": Kind.QUOTE,
    "rich_text_preformatted": Kind.CODE,
}
_YEARS: Final = range(-62_135_596_800, 253_402_300_800)


@dataclass(frozen=True)
class Words:
    """A text, read."""

    lines: tuple[Line, ...]

    @property
    def is_formatted(self) -> bool:
        """Whether plain text shows less of it than HTML does."""
        return any(
            line.kind is not Kind.TEXT or any(run.style or _is_labelled(run) for run in line.runs)
            for line in self.lines
        )

    @cached_property
    def plain(self) -> str:
        """The text with lists, quotes and links as people type them; lines end in LF, none at the end."""
        return "\n".join(_plain(line).rstrip() for line in self.lines)

    @cached_property
    def html(self) -> str:
        """The text as a part of a page."""
        return letter_html.of_lines(self.lines)


def plain(block: Any, names: Mapping[str, str]) -> str:
    """What somebody wrote, as plain text.

    Args:
        block: a `rich_text` block, or anything that a client sends in its place.
        names: of people, groups and channels, by their ids.
    """
    return read(block, names).plain


def html(block: Any, names: Mapping[str, str]) -> str:
    """What somebody wrote, as a part of a page; see `plain`."""
    return read(block, names).html


def read(block: Any, names: Mapping[str, str]) -> Words:
    """What somebody wrote; see `plain`."""
    lines = list(_Reading(names).lines(block))
    filled = [at for at, line in enumerate(lines) if line.text.strip() or line.is_start]
    return Words(tuple(lines[filled[0] : filled[-1] + 1]) if filled else ())


def typed(text: str) -> str:
    """Text that somebody typed, with LF between lines and without controls and halves of characters."""
    if _SURROGATES.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _CONTROLS.sub("", _BREAKS.sub("\n", text))


class _Reading:
    """One pass over a block, within the bounds on characters and nodes."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._left = CHARACTERS
        self._nodes = NODES

    def lines(self, block: Any) -> Iterator[Line]:
        """The lines of a block's elements, each of which begins a new line."""
        for element in self._children(block):
            kind = element.get("type")
            if kind == "rich_text_list":
                yield from self._items(element)
            elif isinstance(kind, str) and kind in _KINDS:
                yield from self._parted(self._runs(element), _line(element, _KINDS[kind]))
            else:
                yield from self._parted(merged(self._run(element)), Line())

    def _items(self, element: Mapping[str, Any]) -> Iterator[Line]:
        is_ordered = element.get("style") == "ordered"
        first = _number(element.get("offset"), 100_000) + 1
        indent = _number(element.get("indent"), INDENT)
        for at, item in enumerate(self._children(element)):
            shape = replace(
                _line(element, Kind.ITEM), indent=indent, number=first + at if is_ordered else None
            )
            runs = self._runs(item) if "elements" in item else merged(self._run(item))
            rows = list(self._parted(runs, shape)) or [shape]
            yield from (replace(row, is_start=at == 0) for at, row in enumerate(rows))

    def _parted(self, runs: Iterable[Run], shape: Line) -> Iterator[Line]:
        """Runs as lines of one shape; the line feed that ends the last one begins no other."""
        row: list[Run] = []
        for run in runs:
            for at, piece in enumerate(run.text.split("\n")):
                if at:
                    yield replace(shape, runs=tuple(row))
                    row = []
                row += [replace(run, text=piece)] if piece else []
        if row:
            yield replace(shape, runs=tuple(row))

    def _runs(self, element: Mapping[str, Any]) -> tuple[Run, ...]:
        return merged(run for child in self._children(element) for run in self._run(child))

    def _run(self, element: Mapping[str, Any]) -> Iterator[Run]:
        """The runs of one element."""
        style = _style(element.get("style"))
        match element.get("type"):
            case "link":
                yield from self._link(element, style)
            case "emoji":
                yield self._taken(_emoji(element), style)
            case "user":
                yield self._taken(self._name(element.get("user_id"), _PERSON), style)
            case "usergroup":
                yield self._taken(self._name(element.get("usergroup_id"), _PERSON), style)
            case "channel":
                name = self._name(element.get("channel_id"), _CHANNEL)
                yield self._taken(name if name == _CHANNEL else f"#{name.lstrip('#')}", style)
            case "broadcast":
                room = element.get("range")
                yield self._taken(f"@{room if room in _ROOMS else 'everyone'}", style)
            case "date":
                yield self._taken(_date(element), style)
            case "color":
                yield self._taken(_text(element, "value"), style)
            case _:
                yield from self._unknown(element, style)

    def _link(self, element: Mapping[str, Any], style: Style) -> Iterator[Run]:
        url = _text(element, "url").strip()
        text = _text(element, "text").strip("\n") or url.removeprefix("mailto:")
        target = links.target(url)
        if target is None:
            yield self._taken(text if url in {"", text} else f"{text} ({url})", style)
        else:
            run = self._taken(text or target.url, style)
            self._left = max(0, self._left - len(target.url))
            yield replace(run, url=target.url)

    def _unknown(self, element: Mapping[str, Any], style: Style) -> Iterator[Run]:
        """The text of an element, and of all that stands in it, in its order."""
        waiting = [element]
        while waiting:
            each = waiting.pop()
            words = _text(each, "text") or _text(each, "fallback")
            yield self._taken(words, style | _style(each.get("style")))
            waiting += reversed(list(self._children(each)))

    def _children(self, element: Any) -> Iterator[dict[str, Any]]:
        """The elements within one, as long as there is room."""
        found = element.get("elements") if isinstance(element, dict) else None
        for each in found if isinstance(found, list) else ():
            if self._nodes <= 0 or self._left <= 0:
                return
            self._nodes -= 1
            if isinstance(each, dict):
                yield each

    def _name(self, key: Any, unknown: str) -> str:
        name = self._names.get(key) if isinstance(key, str) else None
        return " ".join(typed(name)[:NAME_CHARACTERS].split()) if isinstance(name, str) else unknown

    def _taken(self, text: str, style: Style) -> Run:
        """A run of as much of a text as there is room for."""
        kept = typed(text[: self._left])
        self._left -= len(kept)
        return Run(kept, style)


def _line(element: Mapping[str, Any], kind: Kind) -> Line:
    """The shape of an element's lines; a border is a quote's."""
    return Line(kind=kind, depth=int(kind is Kind.QUOTE or _number(element.get("border"), 1) > 0))


def _style(found: Any) -> Style:
    style = Style.NONE
    for name, flag in _STYLES.items():
        if isinstance(found, dict) and found.get(name) is True:
            style |= flag
    return style


def _text(element: Mapping[str, Any], key: str) -> str:
    """A text of an element; some clients put it into an object."""
    found = element.get(key)
    found = found.get("text") if isinstance(found, dict) else found
    return found if isinstance(found, str) else ""


def _number(found: Any, most: int) -> int:
    return max(0, min(found, most)) if isinstance(found, int) else 0


def _emoji(element: Mapping[str, Any]) -> str:
    """The characters of an emoji; one that the workspace made has none and keeps its name."""
    name, unicode = _text(element, "name"), _text(element, "unicode")
    points = [int(point, 16) for point in unicode.split("-")] if _CODE_POINTS.match(unicode) else []
    if not points or not all(0x20 < point < 0xD800 or 0xDFFF < point < 0x110000 for point in points):
        return f":{name}:" if _SHORT_NAME.match(name) else _text(element, "text") or "\ufffd"
    tone = _number(element.get("skin_tone"), 6)
    if tone > 1 and not any(_TONE + 2 <= point <= _TONE + 6 for point in points):
        points.insert(1, _TONE + tone)
    return "".join(map(chr, points))


def _date(element: Mapping[str, Any]) -> str:
    """The words that the writer's Slack had for a time, else the time itself."""
    words = _text(element, "fallback") or _text(element, "text")
    stamp = element.get("timestamp")
    if words or not isinstance(stamp, int) or stamp not in _YEARS:
        return words
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d %H:%M UTC")


# Plain text


def _plain(line: Line) -> str:
    border = "> " * line.depth
    match line.kind:
        case Kind.ITEM:
            mark = "- " if line.number is None else f"{line.number}. "
            indent = "  " * line.indent + (mark if line.is_start else " " * len(mark))
            return border + indent + _said(line.runs)
        case _:
            return border + _said(line.runs)


def _said(runs: tuple[Run, ...]) -> str:
    """The runs, and behind each link where it leads."""
    pieces = []
    for url, group in groupby(runs, key=lambda run: run.url):
        label = "".join(run.text for run in group)
        pieces.append(f"{label} ({url})" if _leads_elsewhere(label, url) else label)
    return "".join(pieces)


def _is_labelled(run: Run) -> bool:
    return _leads_elsewhere(run.text, run.url)


def _leads_elsewhere(text: str, url: str) -> bool:
    """Whether a link's text is not its own address."""
    return bool(url) and _bare(text) != _bare(url)


def _bare(address: str) -> str:
    return re.sub(r"(?i)\A(?:https?://|mailto:)", "", address.strip()).rstrip("/")
