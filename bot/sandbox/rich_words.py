r"""Words with a little markup as the `rich_text` that Slack's own editor would hold. Pure.

`*bold*`, `_italic_`, `~strike~`, `` `code` ``, `[words](https://…)`; lines that begin with `- ` or `1. ` are lists, two blanks
before them a level deeper, lines that begin with `> ` a quote, lines between two ```` ``` ```` stand as they are. Addresses
become links, `@Kenji Morita` a mention, `:wave:` an emoji; a backslash takes the meaning from what follows it.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Json: TypeAlias = dict[str, Any]

_LINE: Final = re.compile(
    r"(?P<blanks> *)(?:(?P<bullet>[-•])|(?P<number>\d{1,3})[.)]) +(?P<item>.*)|>(?: |$)(?P<quote>.*)"
)
_STYLES: Final = {"*": "bold", "_": "italic", "~": "strike"}
_INLINE: Final = re.compile(
    r"""\\(?P<plain>[^\w\s])
    |`(?P<code>[^`\n]+)`
    |\[(?P<words>[^\]\n]+)\]\((?P<target>[a-z]+:[^\s)]+)\)
    |(?<!\w)(?P<mark>[*_~])(?=\S)(?P<styled>[^\n]*?\S)(?P=mark)(?!\w)
    |(?P<url>https?://[^\s<>]*[^\s<>.,;:!?'")\]])
    |(?P<email>\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    |(?<!\w):(?P<emoji>[a-z][a-z0-9_+-]*):
    |(?<!\w)@(?P<mention>\w)""",
    re.VERBOSE,
)
_UNICODE: Final = {"wave": "1f44b", "smile": "1f604", "tada": "1f389", "heart": "2764-fe0f", "coffee": "2615"}


def rich_text(words: str, people: Mapping[str, str] | None = None) -> Json | None:
    """What a person typed; None for nothing, such as a block of code that was only begun.

    Args:
        people: ids by the names that can be mentioned.
    """
    elements: list[Json] = []
    for part, lines in groupby(_lines(words) if words.strip() else (), key=lambda line: line[0]):
        elements.append(_paragraph(part, [text for _, text in lines], people or {}))
    for element in elements[:-1]:
        if element["type"] == "rich_text_section":
            _end_line(element["elements"])
    return {"type": "rich_text", "elements": elements} if elements else None


def _lines(words: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each line with what it is a part of; a list's level and first number are part of that."""
    is_pre, first = False, ""
    for line in words.split("\n"):
        if line.strip() == "```":
            is_pre = not is_pre
            continue
        found = None if is_pre else _LINE.fullmatch(line)
        if found is None or not found["number"]:
            first = ""
        if is_pre:
            yield ("preformatted",), line
        elif found is None:
            yield ("section",), line
        elif found["item"] is None:
            yield ("quote",), found["quote"]
        else:
            first = first or found["number"] or ""
            style = "ordered" if found["number"] else "bullet"
            yield (style, str(len(found["blanks"]) // 2), first), found["item"]


def _paragraph(part: tuple[str, ...], lines: Sequence[str], people: Mapping[str, str]) -> Json:
    kind = part[0]
    if kind == "preformatted":
        return {
            "type": "rich_text_preformatted",
            "elements": [{"type": "text", "text": "\n".join(lines) or " "}],
            "border": 0,
        }
    if kind in {"section", "quote"}:
        return {"type": f"rich_text_{kind}", "elements": _inline("\n".join(lines), people)}
    items = [{"type": "rich_text_section", "elements": _inline(line, people)} for line in lines]
    listed: Json = {
        "type": "rich_text_list",
        "elements": items,
        "style": kind,
        "indent": min(int(part[1]), 8),
        "border": 0,
    }
    return (
        {**listed, "offset": int(part[2]) - 1} if kind == "ordered" and part[2] not in {"0", "1"} else listed
    )


def _inline(text: str, people: Mapping[str, str]) -> list[Json]:
    """The elements of a paragraph, of which there is always one."""
    return list(_joined(_elements(text, people, {}))) or [{"type": "text", "text": text or "\n"}]


def _joined(elements: Iterator[Json]) -> Iterator[Json]:
    """The same with neighbouring texts of one style as one."""
    for (kind, _), group in groupby(elements, key=lambda one: (one["type"], str(one.get("style")))):
        same = list(group)
        if kind == "text":
            yield {**same[0], "text": "".join(one["text"] for one in same)}
        else:
            yield from same


def _elements(text: str, people: Mapping[str, str], style: Json) -> Iterator[Json]:
    worn: Json = {"style": style} if style else {}
    at = 0
    while found := _INLINE.search(text, at):
        made, end = _one(found, people, style)
        if made:
            if found.start() > at:
                yield {"type": "text", "text": text[at : found.start()], **worn}
            yield from made
            at = end
        else:  # an @ before nobody's name
            yield {"type": "text", "text": text[at : found.end()], **worn}
            at = found.end()
    if at < len(text):
        yield {"type": "text", "text": text[at:], **worn}


def _one(found: re.Match[str], people: Mapping[str, str], style: Json) -> tuple[list[Json], int]:
    """What stands there, and where it ends; nothing for a mention of nobody."""
    if found["mention"]:
        return _mention(found, people, style)
    if found["mark"]:
        inner = {**style, _STYLES[found["mark"]]: True}
        return list(_elements(found["styled"], people, inner)), found.end()
    if found["code"]:
        return [{"type": "text", "text": found["code"], "style": {**style, "code": True}}], found.end()
    return [{**_plain(found), **({"style": style} if style else {})}], found.end()


def _mention(found: re.Match[str], people: Mapping[str, str], style: Json) -> tuple[list[Json], int]:
    start = found.end() - 1
    rest = found.string[start:].casefold()
    names = [name for name in people if rest.startswith(name.casefold())]
    if not names:
        return [], found.end()
    name = max(names, key=len)
    user: Json = {"type": "user", "user_id": people[name]}
    return [{**user, "style": style} if style else user], start + len(name)


def _plain(found: re.Match[str]) -> Json:
    if found["plain"]:
        return {"type": "text", "text": found["plain"]}
    if found["emoji"]:
        code = _UNICODE.get(found["emoji"])
        return {"type": "emoji", "name": found["emoji"], **({"unicode": code} if code else {})}
    return _link(found)


def _link(found: re.Match[str]) -> Json:
    if found["url"]:
        return {"type": "link", "url": found["url"]}
    if found["email"]:
        return {"type": "link", "url": f"mailto:{found['email']}", "text": found["email"]}
    return {"type": "link", "url": found["target"], "text": found["words"]}


def _end_line(elements: list[Json]) -> None:
    if elements[-1]["type"] == "text" and "style" not in elements[-1]:
        elements[-1]["text"] += "\n"
    else:
        elements.append({"type": "text", "text": "\n"})
