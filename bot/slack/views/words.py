"""Text objects within Slack's limits, and the pieces every view is made of.

A text is shortened so that its escaped form fits and no entity is cut; length is counted in UTF-16 units, the
longest of the ways Slack may count. What a person typed goes into `plain` where the place allows it, else through
`literal` into mrkdwn.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

Block = dict[str, Any]
View = dict[str, Any]
Answer = dict[str, Any]
"""What a slash command or a button is answered with: `text` and `blocks`, to be splatted into `respond`."""

SECTION_LIMIT: Final = 3000
TITLE_LIMIT: Final = 24
BUTTON_LIMIT: Final = 75
HINT_LIMIT: Final = 2000
HEADER_LIMIT: Final = 150

_ESCAPES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Controls, surrogates, line separators and direction overrides: none of them shows, some break JSON or spoof.
_UNSHOWN: Final = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def shown(text: str) -> str:
    """The text without what cannot be shown."""
    return _UNSHOWN.sub(" ", text)


def escaped(text: str) -> str:
    """The text so that Slack reads no mention, link or entity in it."""
    return "".join(_ESCAPES.get(character, character) for character in text)


def _width(character: str) -> int:
    """How much of a limit a character may use up."""
    return len(_ESCAPES.get(character, character)) + (ord(character) > 0xFFFF)


def shortened(text: str, limit: int) -> str:
    """The text, not escaped, cut with an ellipsis so that its escaped form has at most `limit` characters."""
    used = 0
    fitting = 0
    for end, character in enumerate(text, start=1):
        used += _width(character)
        if used > limit:
            return text[:fitting].rstrip() + "…"
        if used < limit:
            fitting = end
    return text


def pieces(text: str, limit: int) -> Iterator[str]:
    """The text in pieces of which `plain` keeps every word within `limit`; where it can, each ends with a line or a word."""
    text = shown(text).strip()
    while text:
        used, end = 0, 0
        while end < len(text) and (used := used + _width(text[end])) <= limit:
            end += 1
        if end < len(text):
            near = max(text.rfind("\n", end // 2, end), 0) or max(text.rfind(" ", end // 2, end), 0)
            end = near + 1 if near else end
        piece, text = text[:end].strip(), text[end:].lstrip()
        if piece:
            yield piece


def literal(text: str, limit: int = 300) -> str:
    """What a person typed, for mrkdwn: on one line, escaped, at most `limit` characters long."""
    return escaped(shortened(" ".join(shown(text).split()), limit))


def quoted(text: str) -> str:
    """A name in quotation marks, for mrkdwn."""
    return f"“{literal(text, 120)}”"


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many}"


def listed(words: Sequence[str], most: int, left: str = "more") -> str:
    """The first of many on one line, and how many there are beside them."""
    shown = list(words[:most])
    if len(words) > most:
        shown.append(f"{len(words) - most:,} {left}")
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def plain(text: str, limit: int = SECTION_LIMIT) -> dict[str, Any]:
    """A plain text object; Slack refuses an empty one, so that shows as a dash."""
    fitting = shortened(shown(text).strip(), limit)
    return {"type": "plain_text", "text": fitting or "–", "emoji": False}


def mrkdwn(text: str) -> dict[str, Any]:
    """A mrkdwn text object of our own words; what is put into them must have passed `literal`."""
    if len(text) > SECTION_LIMIT:
        raise ValueError(f"{len(text)} characters of mrkdwn where {SECTION_LIMIT} fit")
    return {"type": "mrkdwn", "text": text if text.strip() else "–", "verbatim": True}


def section(text: dict[str, Any], **more: Any) -> Block:
    """A section; `more` may hold an accessory or a block id."""
    return {"type": "section", "text": text, **more}


def context(*texts: dict[str, Any]) -> Block:
    """Small grey text."""
    return {"type": "context", "elements": list(texts)}


def header(text: str) -> Block:
    """A heading."""
    return {"type": "header", "text": plain(text, HEADER_LIMIT)}


def button(text: str, action_id: str, value: str = "", *, style: str = "") -> dict[str, Any]:
    """A button; a style is "primary" or "danger"."""
    element = {"type": "button", "text": plain(text, BUTTON_LIMIT), "action_id": action_id}
    if value:
        element["value"] = value
    if style:
        element["style"] = style
    return element


def actions(*elements: dict[str, Any]) -> Block:
    """A row of buttons or selects."""
    return {"type": "actions", "elements": list(elements)}


def option(text: str, value: str) -> dict[str, Any]:
    """One choice of a select, radio or checkbox group."""
    return {"text": plain(text, BUTTON_LIMIT), "value": value}


def modal(
    title: str,
    callback_id: str,
    blocks: list[Block],
    *,
    submit: str = "",
    metadata: str = "",
    close: str = "Close",
) -> View:
    """A modal; without `submit` it has only the close button."""
    view = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title, TITLE_LIMIT),
        "close": plain(close, TITLE_LIMIT),
        "private_metadata": metadata,
        "blocks": blocks,
    }
    if submit:
        view["submit"] = plain(submit, TITLE_LIMIT)
    return view


def answer(text: str, blocks: list[Block] | None = None) -> Answer:
    """An ephemeral answer; `text` is mrkdwn and all that a notification or a screen reader gets."""
    text = text if text.strip() else "–"
    return {"text": text, "blocks": blocks or [section(mrkdwn(text))]}


def when(time: datetime) -> str:
    """A time in the reader's own zone, for mrkdwn; clients that cannot do that show UTC."""
    fallback = time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(time.timestamp())}^{{date_short_pretty}} at {{time}}|{fallback}>"


def last_day(until: datetime) -> str:
    """The last day on which something holds that ends at `until`, in the reader's own way of writing days; for mrkdwn."""
    last = until - timedelta(seconds=1)
    return f"<!date^{int(last.timestamp())}^{{date_short_pretty}}|{last.astimezone(UTC):%Y-%m-%d}>"
