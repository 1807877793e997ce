"""What the tests of sending's forms are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.filled import Sender, Started
from bot.mail.content import Address
from bot.mail.letters import Answered, LetterKind
from bot.slack import names
from storage.records import Person
from storage.sending import Letter, Outgoing, OutgoingState, Recipient, RecipientField
from tests.unit.samples import NOW

FORM = "0123456789abcdef"
MESSAGE = "f" * 32
TEXT = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "Thursday "},
                {"type": "text", "text": "suits", "style": {"bold": True}},
            ],
        }
    ],
}
OWN = Sender(
    "a" * 32, "marta@work.example", "Work", "U0MARTA004", True, "Marta Ruiz", "Marta Ruiz\nExample Ltd"
)
SHARED = Sender("b" * 32, "support@work.example", "Support", "U0KENJI005", False)
ANSWERED = Answered(
    (Address("Ana Díaz", "ana@acme.example"),),
    (Address("", "bo@acme.example"),),
    "Re: Plans",
    ("<1@acme.example>",),
    "On 23 November 2026, Ana Díaz wrote:\n> Shall we meet on Thursday?\n> Ana",
)
STARTED = Started(
    LetterKind.REPLY,
    MESSAGE,
    OWN,
    (OWN, SHARED),
    ANSWERED,
    (("plan.pdf", 1_200_000), ("photo.jpg", 45_000)),
    frozenset({"acme.example"}),
)
LETTER = Letter(
    "<x@work.example>",
    "marta@work.example",
    (
        Recipient("ana@acme.example", RecipientField.TO),
        Recipient("bo@acme.example", RecipientField.CC),
    ),
    "Re: Plans",
    "Thursday suits",
    draft="{}",
)
OUTGOING = Outgoing(
    "e" * 32,
    "a" * 32,
    Person("T1", "U0MARTA004"),
    Person("T1", "U0MARTA004"),
    MESSAGE,
    OutgoingState.WAITING,
    LETTER,
    0,
    NOW,
    NOW + timedelta(seconds=10),
    None,
    2048,
)


def started(kind: LetterKind) -> Started:
    """A form of this kind to be opened."""
    if kind is LetterKind.NEW:
        return replace(
            STARTED, kind=kind, message_id=None, answered=Answered((), (), "", (), ""), attachments=()
        )
    if kind is LetterKind.FORWARD:
        return replace(STARTED, kind=kind, answered=replace(ANSWERED, to=(), cc=(), subject="Fwd: Plans"))
    return replace(STARTED, kind=kind)


def payload(view: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The view as Slack's payload has it: every field as it was sent, but for these, by their names."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            field = changes.get(names.field_of(block["block_id"]), _untouched(element))
            values[block["block_id"]] = {element["action_id"]: {"type": element["type"], **field}}
    return {**view, "id": "V1", "hash": "1.h", "state": {"values": values}}


def _untouched(element: dict[str, Any]) -> dict[str, Any]:
    match element["type"]:
        case "checkboxes":
            return {"selected_options": element.get("initial_options", [])}
        case "static_select":
            return {"selected_option": element.get("initial_option")}
        case "rich_text_input":
            return {"rich_text_value": element.get("initial_value")}
        case "file_input":
            return {"files": []}
    return {"value": element.get("initial_value")}
