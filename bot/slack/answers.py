"""The buttons that answer a message and pass it on, wherever it is shown. Pure."""

from __future__ import annotations

from typing import Any, Final

from bot.slack import blocks, names

_WORDS: Final = {
    names.REPLY_BUTTON: "Reply",
    names.REPLY_ALL_BUTTON: "Reply all",
    names.FORWARD_BUTTON: "Forward",
}


def answers(message_id: str, *, may_reply_all: bool) -> list[dict[str, Any]]:
    """Reply, Reply all where that reaches somebody else, Forward; the use case decides on each press."""
    return [
        {"type": "button", "text": blocks.plain(text, 75), "action_id": action_id, "value": message_id}
        for action_id, text in _WORDS.items()
        if may_reply_all or action_id != names.REPLY_ALL_BUTTON
    ]
