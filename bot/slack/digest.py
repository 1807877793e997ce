"""Several messages in one post: who wrote, about what, when; each message stands in its thread. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.mail import rich_text
from bot.mail.content import Rendered
from bot.mail.lines import Style
from bot.slack import blocks, heads
from storage.records import Shape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.mail.content import Arrival, Message

MOST_LINES: Final = 20
"""So many messages are named; of the others it is said how many they are."""

NAME_UNITS: Final = 200
SENDER_UNITS: Final = 60
SUBJECT_UNITS: Final = 120
TEXT_UNITS: Final = 300
PLAIN_UNITS: Final = 3000

REFUSED: Final = "A message that the mail server would not hand over"
UNREAD: Final = "A message that cannot be shown"

_UNDER: Final = "Each of them is in the thread of this message."


def line(message: Message, arrival: Arrival) -> Rendered:
    """A message in one line; its one block is a section of rich text."""
    time, _ = heads.best_date(message, arrival)
    if arrival.shape is Shape.REFUSED:
        return nameless(REFUSED, arrival.received_at)
    sender = blocks.plain(heads.sender_name(message), SENDER_UNITS)["text"]
    subject = blocks.plain(message.subject or heads.NO_SUBJECT, SUBJECT_UNITS)["text"]
    found = rich_text.section(sender, Style.BOLD)
    found["elements"] += rich_text.section(f"  {subject}")["elements"]
    return _dated(f"{sender}: {subject}", found, time)


def nameless(words: str, time: datetime) -> Rendered:
    """The line of a message of which nothing can be told."""
    return _dated(words, rich_text.section(words, Style.ITALIC), time)


def _dated(text: str, section: dict[str, Any], time: datetime) -> Rendered:
    fallback = f"{time:%Y-%m-%d %H:%M} UTC"
    date = {
        "type": "date",
        "timestamp": int(time.timestamp()),
        "format": "{date_short_pretty} {time}",
        "fallback": fallback,
    }
    section["elements"] += [*rich_text.section("  ")["elements"], date]
    return Rendered(text, [section])


def post(mailbox_name: str, count: int, lines: Sequence[Rendered]) -> Rendered:
    """The post over the messages of a digest.

    Args:
        count: how many there are, those in `lines` among them.
        lines: one for each of the first, as `line` makes them.
    """
    title = _title(mailbox_name, count)
    listed = {
        "type": "rich_text_list",
        "style": "bullet",
        "indent": 0,
        "elements": [block for each in lines for block in each.blocks],
    }
    found = [blocks.sentence(title)]
    found += [rich_text.block([listed])] if listed["elements"] else []
    found.append(blocks.note(f"{_more(count - len(lines))}{_UNDER}"))
    words = "; ".join(each.text for each in lines)
    return Rendered(blocks.escaped_within(f"{title}: {words}" if words else title, TEXT_UNITS), found)


def plain(mailbox_name: str, count: int, lines: Sequence[Rendered]) -> Rendered:
    """Text alone, for a post whose blocks Slack refused."""
    end = f"{_more(count - len(lines))}{_UNDER}"
    rows = [_title(mailbox_name, count), *(f"• {each.text}" for each in lines), end]
    return Rendered(blocks.escaped_within("\n".join(rows), PLAIN_UNITS), [])


def _title(mailbox_name: str, count: int) -> str:
    name = blocks.plain(mailbox_name, NAME_UNITS)["text"]
    return f"{count:,} new {'message' if count == 1 else 'messages'} in “{name}”"


def _more(count: int) -> str:
    return f"And {count:,} more. " if count > 0 else ""
