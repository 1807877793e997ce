"""Cards: what is said of a mail that is more than a text. Frozen values in, blocks out; pure, within bounds.

`above` and `below` stand before and behind the body, `summary` in notifications. All text of a mail is in plain text or
rich text; the one mrkdwn is Slack's own date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail.special import Sealing
from bot.slack.cards import events, forwarded, reports, seals, unsubscribing

if TYPE_CHECKING:
    from bot.mail.content import Arrival, Message
    from bot.slack.blocks import Block

__all__ = ["REPORT_UNITS", "above", "below", "explains", "is_report", "notice", "says_all", "summary"]

REPORT_UNITS: Final = 700
"""Of the text of a report: a server's own words, which the card has said already."""

_CLOSED: Final = frozenset({Sealing.SMIME_ENCRYPTED, Sealing.PGP_ENCRYPTED, Sealing.SMIME_OPAQUE})


def above(message: Message, arrival: Arrival) -> list[Block]:
    """What stands before the text."""
    special = message.special
    open_events = events.to_be_answered(message, arrival) if special.invitations else frozenset()
    found = [
        *events.cards(special.invitations, message.sender, message.subject, open_events),
        *reports.cards(message),
    ]
    return [*found, *seals.notes(special.seals)]


def below(message: Message) -> list[Block]:
    """What stands behind the text and before the list of files."""
    special = message.special
    return [*forwarded.cards(special), *unsubscribing.line(special.mailing_list)]


def summary(message: Message) -> str:
    """What a notification says instead of the first words; "" when those are better."""
    return reports.summary(message.special) or events.summary(message.special.invitations, message.subject)


def is_report(message: Message) -> bool:
    """Whether the text is a machine's, so that its beginning is enough."""
    return message.special.delivery is not None or message.special.receipt is not None


def says_all(message: Message) -> bool:
    """Whether a card says what the text says, so that the text is folded away."""
    return is_report(message) and reports.says_all(message.special)


def notice(message: Message) -> str:
    """The name of the file with a report for machines, "" when there is none."""
    return reports.notice(message)


def explains(message: Message) -> bool:
    """Whether a card says why there is no text."""
    special = message.special
    is_closed = any(seal.sealing in _CLOSED for seal in special.seals)
    return is_closed or is_report(message) or bool(special.invitations or special.forwarded)
