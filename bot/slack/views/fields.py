"""Input blocks of the forms: label, element, hint, all within Slack's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.mail.text import end_within
from bot.slack import names
from bot.slack.views.words import HINT_LIMIT, Block, option, plain, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.slack.drafts import Draft

Choices = tuple[tuple[str, str], ...]
"""Label and value of each option."""

LABEL_LIMIT: Final = 2000


def field(
    draft: Draft, name: str, label: str, element: dict[str, Any], *, hint: str = "", optional: bool = False
) -> Block:
    """An input block under the block id that the draft gives this field."""
    block: Block = {
        "type": "input",
        "block_id": draft.block_id(name),
        "label": plain(label, LABEL_LIMIT),
        "element": {"action_id": names.VALUE, **element},
        "optional": optional,
    }
    if hint:
        block["hint"] = plain(hint, HINT_LIMIT)
    return block


def text_input(text: str, *, longest: int, placeholder: str = "") -> dict[str, Any]:
    """One line of text with what was typed before; an empty initial value is an error, so there is none then."""
    element: dict[str, Any] = {"type": "plain_text_input", "max_length": longest}
    line = shown(text).replace("\n", " ")
    if line:
        element["initial_value"] = fitting(line, longest)
    if placeholder:
        element["placeholder"] = plain(placeholder, 150)
    return element


def fitting(text: str, longest: int) -> str:
    """The text, or its start: an initial value longer than the field is an error, by whichever way Slack counts."""
    return text[: end_within(text, longest)]


def number_input(text: str, most: int) -> dict[str, Any]:
    """A number from 1; Slack refuses a whole view whose initial number is not one of them, so that is left out."""
    element: dict[str, Any] = {
        "type": "number_input",
        "is_decimal_allowed": False,
        "min_value": "1",
        "max_value": str(most),
    }
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= most:
        element["initial_value"] = str(int(text))
    return element


def select(choices: Choices, chosen: str, *, kind: str = "static_select") -> dict[str, Any]:
    """One of a few; the first where what was chosen is not among them."""
    options = [option(label, value) for label, value in choices]
    initial = next((item for item in options if item["value"] == chosen), options[0])
    return {"type": kind, "options": options, "initial_option": initial}


def radio(choices: Choices, chosen: str) -> dict[str, Any]:
    """One of a few, all in sight."""
    return select(choices, chosen, kind="radio_buttons")


def checkbox(label: str, *, ticked: bool) -> dict[str, Any]:
    """A single box."""
    box = option(label, names.YES)
    element: dict[str, Any] = {"type": "checkboxes", "options": [box]}
    if ticked:
        element["initial_options"] = [box]
    return element


def lines(sentences: Sequence[str]) -> str:
    """Sentences one below the other."""
    return "\n".join(f"• {sentence}" for sentence in sentences)
