"""Many mails at once, dated over the past days, to try what the bot does with old mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.mail.compose import MailMalformed, compose, received_line

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_COUNT: Final = 500
MAX_DAYS: Final = 365
_SOURCE: Final = "elsewhere.example"
_LETTERS: Final = (
    ("Noor Haddad", "noor@studio-kestrel.example", "Notes on the folder proofs"),
    ("Harbour Bakery", "post@harbour-bakery.example", "Today's bread"),
    ("Grace Hopper", "grace@harbour.example", "Berths for the week"),
    ("Kestrel Print Works", "invoices@kestrel-print.example", "Your order has left the press"),
    ("Katherine Johnson", "katherine@freight.example", "Crates and weights"),
    ("Station Log", "log@station.example", "Wind, tide and sky"),
)


def bulk(described: dict[str, Any], now: datetime) -> Iterator[tuple[datetime, bytes]]:
    """When each mail came and its octets, the oldest first; Date and Received say the same.

    Args:
        described: `to`, and perhaps `count` (60), 1 to 500, and `days` (14), 1 to 365: they come in equal steps from so
            many days ago until now.

    Raises:
        MailMalformed: it is no such order.
    """
    count, days = _whole(described, "count", 60, MAX_COUNT), _whole(described, "days", 14, MAX_DAYS)
    step = timedelta(days=days) / count
    for number in range(1, count + 1):
        when = (now - step * (count - number + 0.5)).replace(microsecond=0)
        yield (
            when,
            received_line(_SOURCE, when) + compose(_letter(described.get("to"), number, count, when), when),
        )


def _letter(to: object, number: int, count: int, when: datetime) -> dict[str, Any]:
    name, address, subject = _LETTERS[number % len(_LETTERS)]
    text = f"Hello,\n\nthis is mail {number} of {count}. It was written on {when:%A, %d %B}, at {when:%H:%M}.\n\n{name}\n"
    described = {"to": to, "from_name": name, "from_address": address}
    return {**described, "subject": f"{subject} ({number} of {count})", "text": text}


def _whole(described: dict[str, Any], name: str, default: int, highest: int) -> int:
    value = described.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= highest:
        raise MailMalformed(f"{name} is a whole number from 1 to {highest}")
    return value
