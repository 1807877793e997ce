"""What can be done to a message from its post, and the line in the post that says what was done. Pure.

The row and the line are made anew from how things stand, so that two presses at once leave what the later one found.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bot.slack import blocks, names
from bot.slack.answers import answers
from storage.records import Retention, Shape
from storage.wishes import OnServer, OriginalState, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.mail.content import Rendered
    from bot.slack.blocks import Block
    from storage.records import StoredMessage

DONE: Final = "✓ Done"
WILL_GO: Final = "To be deleted from the mail server with the next check."
IS_GONE: Final = "Deleted from the mail server."
ORIGINALS: Final = {
    OriginalState.ASKED: "To be fetched from the mail server with the next check. It comes into the thread of this post.",
    OriginalState.HERE: "The original is in the thread of this post.",
    OriginalState.GONE: "The mail server does not have this message any more.",
    OriginalState.REFUSED: "The mail server would not hand over this message.",
    OriginalState.TOO_LARGE: "The whole message is too large for Mailbox, so it stays on the mail server.",
}
_MENU: Final = {
    names.MORE_HEADERS: "Headers",
    names.MORE_ORIGINAL: "Original (.eml)",
    names.MORE_MUTE_SENDER: "Mute sender",
    names.MORE_MUTE_THREAD: "Mute thread",
    names.MORE_DELETE: "Delete from server…",
    names.MORE_SHARE: "Share…",
}
"""In this order; a menu of Slack's has five options at most."""

MOST_IN_ROW: Final = 7
"""Buttons beside each other that people still find their way among."""


def offered(rendered: Rendered, message: StoredMessage, retention: Retention) -> Rendered:
    """A message's post with its row of actions; plain text has none."""
    if not rendered.blocks:
        return rendered
    fresh = Standing(
        message_id=message.id,
        mailbox_id=message.mailbox_id,
        shape=message.shape,
        retention=retention,
        octets=message.octets,
        listed_octets=message.listed_octets,
        received_at=message.received_at,
        is_kept=True,
        is_done=False,
        place=OnServer.STAYS if retention is Retention.LEAVE else OnServer.MAY_GO,
        original=None,
    )
    row = _row(fresh, is_shortened=rendered.is_shortened, may_reply_all=rendered.may_reply_all)
    leave = _leave(rendered.blocks)
    found = [_named(block, message.id) for block in rendered.blocks]
    if leave and _has_room(row):
        found = [block for block in found if leave not in block.get("elements", ())]
        row = _with_leave(row, leave)
    return replace(rendered, blocks=[*found, row])


def _named(block: Block, message_id: str) -> Block:
    """A block as it came, but the answers to an invitation with the message they are for."""
    if names.field_of(str(block.get("block_id", ""))) != names.INVITATION:
        return block
    buttons = [{**each, "value": f"{message_id}:{each['value']}"} for each in block["elements"]]
    return {**block, "elements": buttons}


def redrawn(found: Sequence[Block], standing: Standing) -> list[Block] | None:
    """The blocks of a post with its row and its line as things stand now; None when it has no row."""
    at = next((at for at, block in enumerate(found) if _is_row(block)), None)
    if at is None:
        return None
    buttons = {each.get("action_id") for each in found[at].get("elements", ())}
    kept = [block for block in found[:at] if block.get("block_id") != names.MAIL_STATE]
    after = [block for block in found[at + 1 :] if block.get("block_id") != names.MAIL_STATE]
    row = _row(
        standing,
        is_shortened=names.SHOW_ALL_BUTTON in buttons,
        may_reply_all=names.REPLY_ALL_BUTTON in buttons,
    )
    leave = _leave(found[at : at + 1])
    if leave and _has_room(row):
        row = _with_leave(row, leave)
    elif leave:
        kept.append({"type": "actions", "elements": [leave]})
    return [*kept, *_state(standing), row, *after]


def option(word: str, message_id: str) -> dict[str, Any]:
    """One choice of the menu."""
    return {"text": blocks.plain(_MENU[word], 75), "value": f"{word}:{message_id}"}


def chosen(value: str) -> tuple[str, str]:
    """The word and the message id of a choice."""
    word, _, message_id = value.partition(":")
    return word, message_id


def _is_row(block: Block) -> bool:
    elements = block.get("elements") or [{}]
    is_older = elements[0].get("action_id") == names.DELETE_BUTTON  # as a former release posted it
    return block.get("type") == "actions" and (block.get("block_id") == names.MAIL_ACTIONS or is_older)


def _state(standing: Standing) -> list[Block]:
    said = [DONE] if standing.is_done else []
    said += [WILL_GO] if standing.place is OnServer.WANTED_GONE else []
    said += [IS_GONE] if standing.place is OnServer.GONE else []
    said += [ORIGINALS[standing.original]] if standing.original is not None else []
    return [blocks.note(" · ".join(said)) | {"block_id": names.MAIL_STATE}] if said else []


def _leave(found: Sequence[Block]) -> dict[str, Any] | None:
    """The button that leads to where a mailing list is left, which stands in the row with the others."""
    rows = (block for block in found if block.get("type") == "actions")
    buttons = (each for row in rows for each in row["elements"])
    return next((each for each in buttons if each.get("action_id") == names.UNSUBSCRIBE_LINK), None)


def _has_room(row: Block) -> bool:
    return len(row["elements"]) < MOST_IN_ROW


def _with_leave(row: Block, leave: dict[str, Any]) -> Block:
    """The row with the button that leads out of a mailing list, before the menu and what is about others."""
    last = {names.SHARE_MESSAGE, names.MORE_MENU}
    elements = row["elements"]
    before = [each for each in elements if each["action_id"] not in last]
    return {**row, "elements": [*before, leave, *(each for each in elements if each["action_id"] in last)]}


def _row(standing: Standing, *, is_shortened: bool, may_reply_all: bool) -> Block:
    message_id = standing.message_id
    elements = [] if standing.shape is Shape.REFUSED else answers(message_id, may_reply_all=may_reply_all)
    if standing.shape is Shape.TOP:
        # What is not here cannot be passed on.
        elements = [each for each in elements if each["action_id"] != names.FORWARD_BUTTON]
    if is_shortened:
        elements.append(blocks.button_element("Show all", names.SHOW_ALL_BUTTON, message_id))
    if standing.shape is Shape.TOP and standing.original is None:
        elements.append(blocks.button_element("Get the whole message", names.GET_WHOLE_BUTTON, message_id))
    if standing.is_done:
        elements.append(blocks.button_element("Not done", names.NOT_DONE_BUTTON, message_id))
    else:
        elements.append(blocks.button_element("Mark as done", names.DONE_BUTTON, message_id))
    may_delete = standing.place is OnServer.MAY_GO and standing.shape is Shape.WHOLE
    has_delete = may_delete and standing.retention is Retention.DELETE_ASKED
    if has_delete:
        elements.append(_delete(message_id))
    elif standing.shape is not Shape.REFUSED:
        # In the menu there is room for it only where deleting is not there: Slack takes five lines.
        elements.append(blocks.button_element("Share…", names.SHARE_MESSAGE, message_id))
    words = _words(standing, may_delete=may_delete)
    if words:
        options = [option(word, message_id) for word in words]
        elements.append({"type": "overflow", "action_id": names.MORE_MENU, "options": options})
    return {"type": "actions", "block_id": names.MAIL_ACTIONS, "elements": elements}


def _words(standing: Standing, *, may_delete: bool) -> list[str]:
    if standing.shape is Shape.REFUSED:
        return []
    words = [names.MORE_HEADERS]
    words += [names.MORE_ORIGINAL] if standing.shape is Shape.WHOLE else []
    words += [names.MORE_MUTE_SENDER, names.MORE_MUTE_THREAD]
    if not may_delete:
        return words
    return [*words, names.MORE_SHARE if standing.retention is Retention.DELETE_ASKED else names.MORE_DELETE]


def _delete(message_id: str) -> dict[str, Any]:
    return {
        **blocks.button_element("Delete from server", names.DELETE_BUTTON, message_id),
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
