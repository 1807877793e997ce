"""Posts in which the owner decides about mail on the server, and the answers to them. Pure."""

from __future__ import annotations

from typing import Final

from bot.mail.content import Rendered
from bot.slack import blocks, names

NAME_UNITS: Final = 200

STAYS: Final = (
    "This mailbox leaves its mail on the server now, so nothing was deleted. `/mailbox edit` changes that."
)
NOT_CHECKED: Final = (
    "This mailbox is not checked at the moment. The message is deleted from the mail server once it is."
)

ANSWERED: Final = "That was answered already, so nothing changed."
GOES_ON_NEW: Final = (
    "Mailbox goes on. Those messages come to Slack now, but for the ones it has brought before: it knows them by their "
    "content."
)
GOES_ON_SEEN: Final = "Mailbox goes on. Those messages count as seen; what comes from now on is new."
STOPPED: Final = "The mailbox is paused. `/mailbox resume` asks you again."


def asked(mailbox_name: str, mailbox_id: str, count: int) -> Rendered:
    """The notice that nearly all UIDs look new, with the three answers to it."""
    words = (
        f"Nearly all the mail in “{blocks.plain(mailbox_name, NAME_UNITS)['text']}” suddenly looks new: {count:,} messages. "
        "That happens when a provider moves to other servers and numbers old mail anew. Mailbox has stopped checking; it "
        "has posted none of them and deletes nothing. What are they?"
    )
    hint = (
        "New: they come to Slack, but for those that Mailbox recognises as brought before. Seen: only what comes from now "
        "on does. Stop: the mailbox is paused, and you are asked again when you resume it."
    )
    buttons = [
        blocks.button_element("These are new", names.ARE_NEW_BUTTON, mailbox_id),
        blocks.button_element("I have seen these", names.ARE_SEEN_BUTTON, mailbox_id),
        blocks.button_element("Stop", names.ASK_LATER_BUTTON, mailbox_id),
    ]
    row = {"type": "actions", "elements": buttons}
    return Rendered(
        blocks.escaped_within(words, blocks.SECTION_UNITS),
        [blocks.sentence(words), row, blocks.note(hint)],
    )
