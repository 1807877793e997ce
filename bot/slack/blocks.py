"""The pieces posts are made of, each within Slack's limits. Pure.

Untrusted text goes into `plain` objects and rich text only, which Slack does not interpret; mrkdwn holds our own words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.mail.text import ELLIPSIS, clean, cut, isolated, one_line, units

if TYPE_CHECKING:
    from datetime import datetime

Block = dict[str, Any]

HEADER_UNITS: Final = 150
CONTEXT_UNITS: Final = 1000
CONTEXT_ELEMENTS: Final = 10
SECTION_UNITS: Final = 3000
TEXT_UNITS: Final = 300

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escaped(text: str) -> str:
    """The text so that Slack reads no mention, link or entity in it."""
    return text.translate(_ESCAPES)


def escaped_within(text: str, limit: int) -> str:
    """The text, cleaned and escaped, its escaped form at most `limit` UTF-16 units and no entity torn."""
    shown = clean(text)
    size = limit
    while units(escaped(cut(shown, size))) > limit:
        size -= max(1, (units(escaped(cut(shown, size))) - limit) // 5)
    return escaped(cut(shown, size))


def plain(text: str, limit: int = CONTEXT_UNITS) -> dict[str, Any]:
    """A plain text object on one line; Slack refuses an empty one."""
    return {"type": "plain_text", "text": one_line(text, limit) or ELLIPSIS, "emoji": False}


def header(text: str) -> Block:
    """A heading."""
    return {"type": "header", "text": plain(text, HEADER_UNITS)}


def context(*elements: dict[str, Any]) -> Block:
    """Small grey text; names of two directions do not run into each other."""
    shown = [
        each | {"text": isolated(each["text"])} if each["type"] == "plain_text" else each
        for each in elements[:CONTEXT_ELEMENTS]
    ]
    return {"type": "context", "elements": shown}


def note(text: str, limit: int = CONTEXT_UNITS) -> Block:
    """One line of small grey text."""
    return context(plain(text, limit))


def sentence(text: str) -> Block:
    """A paragraph of ours; names in it are not interpreted either."""
    return {"type": "section", "text": plain(text, SECTION_UNITS)}


def button_element(text: str, action_id: str, value: str) -> dict[str, Any]:
    """A button, to stand in a row or beside a section."""
    return {"type": "button", "text": plain(text, 75), "action_id": action_id, "value": value}


def button(text: str, action_id: str, value: str) -> Block:
    """A row of one button."""
    return buttons(value, (text, action_id))


def buttons(value: str, *each: tuple[str, str]) -> Block:
    """A row of buttons, each with its text and action id; the first is the one most people want."""
    elements = [button_element(text, action_id, value) for text, action_id in each]
    elements[0]["style"] = "primary"
    return {"type": "actions", "elements": elements}


def date(time: datetime) -> dict[str, Any]:
    """A time in the reader's own zone; clients that cannot do that show UTC."""
    fallback = time.strftime("%Y-%m-%d %H:%M UTC")
    words = f"<!date^{int(time.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"
    return {"type": "mrkdwn", "text": words, "verbatim": True}


def size(octets: int) -> str:
    """A size for people."""
    if octets < 1024:
        return f"{octets} bytes" if octets != 1 else "1 byte"
    number, unit = octets / 1024, "KB"
    if number >= 1024:
        number, unit = number / 1024, "MB"
    return f"{number:.1f} {unit}" if number < 10 else f"{number:.0f} {unit}"


def weight(found: Any) -> int:
    """UTF-16 units of all texts and link targets within blocks: what Slack's limit for a whole post counts."""
    if isinstance(found, list):
        return sum(weight(each) for each in found)
    if not isinstance(found, dict):
        return 0
    own = sum(
        units(value) for key, value in found.items() if key in {"text", "url"} and isinstance(value, str)
    )
    return own + sum(weight(value) for value in found.values())
