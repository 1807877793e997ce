"""The mails a fresh sandbox starts with, from `bot/sandbox/mails`; what they invite to lies ahead."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.mail.servers import MailServers


# When the invitation among the files takes place, and how long ahead it has to lie at least.
_INVITED_FOR: Final = datetime(2026, 11, 26, 13, tzinfo=UTC)
_AHEAD: Final = timedelta(days=1)


def deliver_welcome(servers: MailServers, now: datetime | None = None) -> None:
    """Put each mail into the maildrops its To and Cc name, in the order of the file names."""
    for octets in _mails(now or datetime.now(UTC)):
        header = email.message_from_bytes(octets, policy=email.policy.default)
        named = [
            address for _, address in getaddresses([*header.get_all("To", []), *header.get_all("Cc", [])])
        ]
        servers.deliver_to_all(named, octets)


def _mails(now: datetime) -> Iterator[bytes]:
    folder = resources.files("bot.sandbox").joinpath("mails")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".eml"):
            yield _ahead(file.read_bytes(), now)


def _ahead(octets: bytes, now: datetime) -> bytes:
    """The mail with the invitation's day moved by whole weeks until it lies ahead."""
    day = _INVITED_FOR
    while day < now + _AHEAD:
        day += timedelta(weeks=1)
    for form in ("%Y%m%dT", "%d %B %Y"):
        octets = octets.replace(_INVITED_FOR.strftime(form).encode(), day.strftime(form).encode())
    return octets
