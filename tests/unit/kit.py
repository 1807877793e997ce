"""Slack's limits as the tests know them: what is wrong with a modal, a Home view or an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.slack import names

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMITS = {
    ("modal", "title"): 24,
    ("modal", "submit"): 24,
    ("modal", "close"): 24,
    ("header", "text"): 150,
    ("button", "text"): 75,
    ("option", "text"): 75,
    ("input", "label"): 2000,
    ("input", "hint"): 2000,
}
_LIVE = re.compile(r"<(?!!date\^\d+\^[^<>|]*\|[^<>|]*>)")


def width(text: str) -> int:
    """Length as Slack may count it at worst: escaped, in UTF-16 units."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return len(escaped.encode("utf-16-le")) // 2


def walk(value: Any, kind: str = "", key: str = "") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every object in a view with the kind of its parent and the key it stands under."""
    if isinstance(value, list):
        for one in value:
            yield from walk(one, kind, key)
    if isinstance(value, dict):
        yield kind, key, value
        own = value.get("type", "option")
        for name, part in value.items():
            yield from walk(part, own, name)


def texts(value: Any) -> list[str]:
    """Every text a person reads, in order."""
    return [part["text"] for _, _, part in walk(value) if part.get("type") in {"plain_text", "mrkdwn"}]


def inputs(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The input blocks of a view by label, in order."""
    return {block["label"]["text"]: block for block in view["blocks"] if block["type"] == "input"}


def state_values(view: dict[str, Any], typed: dict[str, Any] | None = None) -> dict[str, Any]:
    """`view.state.values` as Slack sends it, with what a person typed by field name."""
    values: dict[str, Any] = {}
    for block in inputs(view).values():
        element = block["element"]
        field = names.field_of(block["block_id"])
        state = _state(element, (typed or {}).get(field))
        values[block["block_id"]] = {element["action_id"]: {"type": element["type"], **state}}
    return values


def _state(element: dict[str, Any], typed: str | None) -> dict[str, Any]:
    if element["type"] == "checkboxes":
        ticked = element.get("initial_options", []) if typed is None else [{"value": typed}] if typed else []
        return {"selected_options": ticked}
    if "options" in element:
        return {"selected_option": element["initial_option"] if typed is None else {"value": typed}}
    return {"value": element.get("initial_value") if typed is None else typed or None}


def payload(view: dict[str, Any], typed: dict[str, Any] | None = None) -> dict[str, Any]:
    """The view as it stands in Slack's payload."""
    return {**view, "state": {"values": state_values(view, typed)}}


def faults(value: dict[str, Any]) -> list[str]:
    """What Slack would refuse, or what would be live where it must not be."""
    found = [fault for kind, key, part in walk(value) for fault in _part_faults(kind, key, part)]
    most = 100 if "type" in value else 50
    if not 1 <= len(value["blocks"]) <= most:
        found.append(f"{len(value['blocks'])} blocks")
    found += _id_faults(value["blocks"])
    if "type" not in value:
        found += _answer_faults(value)
    if len(value.get("private_metadata", "")) > 3000:
        found.append("private_metadata")
    return found


def _part_faults(kind: str, key: str, part: dict[str, Any]) -> Iterator[str]:
    if part.get("type") in {"plain_text", "mrkdwn"}:
        limit = _LIMITS.get((kind, key), 150 if key == "placeholder" else 3000)
        size = width(part["text"]) if part["type"] == "plain_text" else len(part["text"])
        if not part["text"].strip() or size > limit:
            yield f"{kind}.{key}: {size} of {limit}"
        if part["type"] == "mrkdwn" and (_LIVE.search(part["text"]) or not part.get("verbatim")):
            yield f"{kind}.{key}: live {part['text']!r}"
    if len(part.get("options", [])) > 100:
        yield "options"
    if kind in {"static_select", "radio_buttons", "checkboxes"} and len(part.get("value", "")) > 75:
        yield "option value"
    if part.get("type") == "plain_text_input" and len(part.get("initial_value", "x")) > part["max_length"]:
        yield "initial_value"


def _id_faults(blocks: list[dict[str, Any]]) -> Iterator[str]:
    block_ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(set(block_ids)) < len(block_ids) or any(len(name) > 255 for name in block_ids):
        yield "block ids"
    for block in blocks:
        own = [part["action_id"] for _, _, part in walk(block) if "action_id" in part]
        if len(set(own)) < len(own):
            yield "action ids"


def _answer_faults(answer: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(answer["text"]) <= 4000 or _LIVE.search(answer["text"]):
        yield f"text {answer['text']!r}"
    if sum(map(len, texts(answer))) > 12_000:
        yield "too long in all"


def sdk_accepts(value: dict[str, Any]) -> bool:
    """Slack's own models take every block of it, and the view around them; they raise otherwise."""
    for block in value["blocks"]:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.to_dict()
    if value.get("type") == "modal":
        View(**value).to_dict()
    return True
