"""Delivery reports, receipts and automatic replies in a line each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail import rich_text
from bot.mail.special import Action
from bot.mail.text import clean
from bot.slack import blocks
from bot.slack.cards.status_words import meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.mail.content import Message
    from bot.mail.special import DeliveryReport, Receipt, Recipient, Special
    from bot.slack.blocks import Block

SHOWN: Final = 10
ADDRESS_UNITS: Final = 100
SUBJECT_UNITS: Final = 150
_NOTICES: Final = ("message/delivery", "message/global-d", "message/disposition")
_BAD: Final = frozenset({Action.FAILED, Action.DELAYED})
AUTOMATIC: Final = "This is an automatic reply."

_OUTCOMES: Final = {
    Action.FAILED: "Not delivered to {}",
    Action.DELAYED: "Not yet delivered to {}",
    Action.DELIVERED: "Delivered to {}",
    Action.RELAYED: "Passed on for {} to a server that reports no further",
    Action.EXPANDED: "Delivered to the list {}",
}
_DISPOSITIONS: Final = {
    "displayed": "{} has opened your message",
    "deleted": "{} has deleted your message without opening it",
    "dispatched": "{} has passed your message on",
    "processed": "A program of {} has handled your message",
    "denied": "{} does not say whether your message was opened",
    "failed": "{} could not say whether your message was opened",
}


def cards(message: Message) -> Iterator[Block]:
    """What the message reports, and where the servers' own words are."""
    special = message.special
    if special.delivery is not None:
        yield from _delivery(special.delivery)
    if special.receipt is not None:
        yield blocks.sentence(_receipt(special.receipt))
    if special.is_automatic_reply:
        yield blocks.note(AUTOMATIC)


def says_all(special: Special) -> bool:
    """Whether the card says what the servers' own words say, so that these need not be read."""
    if special.receipt is not None:
        return special.receipt.disposition in _DISPOSITIONS
    return special.delivery is not None and all(
        not each.is_guess and (each.action not in _BAD or meaning(each.status))
        for each in special.delivery.recipients
    )


def notice(message: Message) -> str:
    """The file that holds the servers' own words for machines, "" when there is none."""
    return next((each.name for each in message.attachments if each.type.startswith(_NOTICES)), "")


def summary(special: Special) -> str:
    """The report in a notification; "" when there is none."""
    if special.receipt is not None:
        return _receipt(special.receipt)
    if special.delivery is None:
        return ""
    more = special.delivery.count - 1
    return _line(special.delivery.recipients[0]) + (f" and {more} more" if more else "")


def _delivery(report: DeliveryReport) -> Iterator[Block]:
    lines = [_line(each) for each in report.recipients[:SHOWN]]
    left = report.count - len(lines)
    lines += [f"and {left} more"] if left > 0 else []
    yield blocks.sentence(lines[0]) if len(lines) == 1 else rich_text.block([rich_text.bullets(lines)])
    subject = blocks.plain(report.subject, SUBJECT_UNITS)["text"] if clean(report.subject).strip() else ""
    if subject:
        yield blocks.note(f"About your message “{subject}”")


def _line(recipient: Recipient) -> str:
    outcome = _OUTCOMES[recipient.action].format(blocks.plain(recipient.address, ADDRESS_UNITS)["text"])
    is_bad = recipient.action in _BAD
    words = meaning(recipient.status) if is_bad else ""
    number = f" ({recipient.status})" if is_bad and recipient.status and not recipient.is_guess else ""
    said = f"{outcome}: {words}{number}" if words else f"{outcome}{number}"
    return f"{said}. The server keeps trying." if recipient.action is Action.DELAYED else said


def _receipt(receipt: Receipt) -> str:
    who = blocks.plain(receipt.reader or "The recipient", ADDRESS_UNITS)["text"]
    words = _DISPOSITIONS.get(receipt.disposition, "{} has sent a receipt for your message").format(who)
    subject = f" “{blocks.plain(receipt.subject, SUBJECT_UNITS)['text']}”" if receipt.subject else ""
    return f"{words}{subject}."
