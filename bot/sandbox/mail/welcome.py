"""The mails a fresh sandbox starts with, from `bot/sandbox/mails`."""

from __future__ import annotations

import email
import email.policy
from email.utils import getaddresses
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.mail.servers import MailServers


def deliver_welcome(servers: MailServers) -> None:
    """Put each mail into the maildrops its To and Cc name, in the order of the file names."""
    for octets in _mails():
        header = email.message_from_bytes(octets, policy=email.policy.default)
        named = [
            address for _, address in getaddresses([*header.get_all("To", []), *header.get_all("Cc", [])])
        ]
        drops = {
            drop.account.address: drop for address in named for drop in servers.drops.reached_by(address)
        }
        for drop in drops.values():
            drop.deliver(octets)


def _mails() -> Iterator[bytes]:
    folder = resources.files("bot.sandbox").joinpath("mails")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".eml"):
            yield file.read_bytes()
