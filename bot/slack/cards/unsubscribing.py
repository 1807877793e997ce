"""How to leave a mailing list: a button that opens the list's own page, or the address to write to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from bot.mail import domains
from bot.slack import blocks, names

if TYPE_CHECKING:
    from bot.mail.special import MailingList
    from bot.slack.blocks import Block

URL_UNITS: Final = 2000
HOST_UNITS: Final = 50


def line(found: MailingList | None) -> list[Block]:
    """One block, or none; nothing is asked of the list by the bot."""
    if found is None:
        return []
    if found.page and len(found.page) <= URL_UNITS:
        host = domains.shown(found.page_host)
        # The end of a host name says whose it is.
        named = host if len(host) <= HOST_UNITS else f"…{host[-HOST_UNITS:]}"
        button = {
            "type": "button",
            "text": blocks.plain(f"Unsubscribe at {named}", 75),
            "action_id": names.UNSUBSCRIBE_LINK,
            "url": found.page,
        }
        return [{"type": "actions", "elements": [button]}]
    if found.address:
        address, _, query = found.address.removeprefix("mailto:").partition("?")
        fields = dict(part.split("=", 1) for part in query.split("&") if "=" in part)
        subject = unquote(fields.get("subject", ""))
        words = f" with the subject “{blocks.plain(subject, 100)['text']}”" if subject.strip() else ""
        return [blocks.note(f"To leave this list, write to {unquote(address)}{words}.", 600)]
    return []
