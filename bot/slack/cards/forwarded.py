"""Messages within a message: a small card for each, nested ones behind the one that holds them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail import rich_text
from bot.mail.lines import Style
from bot.mail.text import cut
from bot.slack import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.mail.content import Message
    from bot.mail.special import Special
    from bot.slack.blocks import Block

CARDS: Final = 6
LINES: Final = 6
LINES_UNITS: Final = 280
SUBJECT_UNITS: Final = 150
_READ_LINES: Final = 40
_NAMES: Final = ("Forwarded message", "In the forwarded message", "Within that one")


def cards(special: Special) -> list[Block]:
    """The first few messages, two blocks each, and how many more there are."""
    found = [
        block
        for _, _, card in zip(range(CARDS), range(CARDS), _walked(special, 0), strict=False)
        for block in card
    ]
    shown = min(len(special.forwarded), CARDS)
    left = special.forwarded_count - shown
    if left > 0 and special.forwarded:
        found.append(
            blocks.note(
                f"and {left} more forwarded messages, attached as files"
                if left > 1
                else "and 1 more forwarded message, attached as a file"
            )
        )
    return found


def _walked(special: Special, depth: int) -> Iterator[list[Block]]:
    for message, file in special.forwarded:
        yield _card(message, file, depth)
        yield from _walked(message.special, depth + 1)


def _card(message: Message, file: str, depth: int) -> list[Block]:
    title = _NAMES[min(depth, len(_NAMES) - 1)]
    sender = message.sender
    who = f"{sender.name} <{sender.address}>" if sender and sender.name and sender.address else ""
    who = who or (sender.address or sender.name if sender else "") or "an unknown sender"
    origin = [blocks.plain(f"{title} from {who}", 300)]
    if message.date is not None and 0 < message.date.timestamp() < 10**11:
        origin.append(blocks.date(message.date))
    subject = blocks.plain(message.subject or "(no subject)", SUBJECT_UNITS)["text"]
    if depth == 0 and file.removesuffix(".eml") != message.subject:
        origin.append(blocks.plain(f"attached as “{blocks.plain(file, 80)['text']}”"))
    text = rich_text.whole(message)
    rows = [row for line in text.lines[:_READ_LINES] if (row := line.text.strip())][:LINES]
    words = cut("\n".join(cut(row, LINES_UNITS) for row in rows), LINES_UNITS)
    quote = [{"type": "rich_text_quote", "elements": [{"type": "text", "text": words}]}] if words else []
    return [blocks.context(*origin), rich_text.block([rich_text.section(subject, Style.BOLD), *quote])]
