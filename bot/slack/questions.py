"""Posts in which the owner decides about mail on the server, and the answers to them. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bot.mail.content import Rendered
from bot.slack import blocks, names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.blocks import Block

NAME_UNITS: Final = 200

WILL_GO: Final = "To be deleted from the mail server with the next check."
IS_GONE: Final = "Deleted from the mail server."
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
        _button("These are new", names.ARE_NEW_BUTTON, mailbox_id),
        _button("I have seen these", names.ARE_SEEN_BUTTON, mailbox_id),
        _button("Stop", names.ASK_LATER_BUTTON, mailbox_id),
    ]
    row = {"type": "actions", "elements": buttons}
    return Rendered(
        blocks.escaped_within(words, blocks.SECTION_UNITS),
        [blocks.sentence(words), row, blocks.note(hint)],
    )


def deletable(rendered: Rendered, message_id: str) -> Rendered:
    """A message's post with the button that deletes it from its server; plain text has none."""
    if not rendered.blocks:
        return rendered
    button = {
        **_button("Delete from server", names.DELETE_BUTTON, message_id),
        "style": "danger",
        "confirm": {
            "title": blocks.plain("Delete from the mail server?", 100),
            "text": blocks.plain(
                "The message is deleted from the mail server for good. Its post and its files stay in Slack.",
                300,
            ),
            "confirm": blocks.plain("Delete", 30),
            "deny": blocks.plain("Keep", 30),
            "style": "danger",
        },
    }
    return replace(rendered, blocks=[*rendered.blocks, {"type": "actions", "elements": [button]}])


def told(found: Sequence[Block], words: str) -> list[Block] | None:
    """The blocks of a post with these words in place of its delete button; None when it has none."""
    at = next((at for at, block in enumerate(found) if _holds_delete(block)), None)
    return None if at is None else [*found[:at], blocks.note(words), *found[at + 1 :]]


def _holds_delete(block: Block) -> bool:
    elements = block.get("elements") or [{}]
    return block.get("type") == "actions" and elements[0].get("action_id") == names.DELETE_BUTTON


def _button(text: str, action_id: str, value: str) -> dict[str, Any]:
    return {"type": "button", "text": blocks.plain(text, 75), "action_id": action_id, "value": value}
