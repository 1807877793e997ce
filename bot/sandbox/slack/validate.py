"""What a message, a modal or a Home view must be before the workspace takes it.

Shapes come from the `kit_*` files; here stand the rules across blocks: counts, unique ids, sizes, and the ids and
defaults that the server fills in. Errors carry the Web API's own names.
"""

from __future__ import annotations

import copy
import json
import random
import string as letters
from typing import TYPE_CHECKING, Any

from bot.sandbox.slack import kit_blocks
from bot.sandbox.slack.answers import ApiError, Json
from bot.sandbox.slack.kit_text import plain
from bot.sandbox.slack.schema import array, blame, boolean, choice, record, string

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.slack.schema import Check, Problems

# Unpublished. Maintainers speak of 12,000 characters with room for the containers (bolt-js#2509, #2867), so
# everything read or linked to is counted.
MAX_BLOCK_CHARACTERS = 12_000
MAX_VIEW_OCTETS = 250 * 1024
MAX_METADATA_OCTETS = 8_000  # unpublished too; far above one opaque id

_MESSAGE_BLOCKS = array(kit_blocks.MESSAGE, 0, 50)
_COMMON: dict[str, Check] = {
    "private_metadata": string(0, 3000),
    "callback_id": string(0, 255),
    "external_id": string(0, 255),
    "clear_on_close": boolean,
    "notify_on_close": boolean,
}
_MODAL = record(
    {"type": choice("modal"), "title": plain(24), "blocks": array(kit_blocks.MODAL, 1, 100)},
    {**_COMMON, "submit": plain(24), "close": plain(24)},
)
_HOME = record(
    {"type": choice("home"), "blocks": array(kit_blocks.HOME, 0, 100)},
    {name: _COMMON[name] for name in ("private_metadata", "callback_id", "external_id")},
)


def elements_of(block: Json) -> Iterator[tuple[str, Json]]:
    """The elements of one block with their place inside it."""
    if isinstance(block.get("accessory"), dict):
        yield "accessory", block["accessory"]
    if isinstance(block.get("element"), dict):
        yield "element", block["element"]
    if block.get("type") in {"actions", "context_actions"}:
        for number, element in enumerate(block["elements"]):
            yield f"elements/{number}", element


def _unique_ids(blocks: list[Json], where: str, problems: Problems) -> None:
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id in seen:
            blame(problems, "`block_id` must be unique", f"{where}/{number}/block_id")
        if block_id is not None:
            seen.add(block_id)
        actions = [element["action_id"] for _, element in elements_of(block) if "action_id" in element]
        if len(actions) != len(set(actions)):
            blame(problems, "`action_id` must be unique within a block", f"{where}/{number}")


def _one_focus(blocks: list[Json], where: str, problems: Problems) -> None:
    focused = [
        element for block in blocks for _, element in elements_of(block) if element.get("focus_on_load")
    ]
    if len(focused) > 1:
        blame(problems, "only one element may have `focus_on_load`", where)


def _message_rules(blocks: list[Json], problems: Problems) -> None:
    _unique_ids(blocks, "/blocks", problems)
    if sum(block["type"] == "table" for block in blocks) > 1:
        blame(problems, "only one table allowed", "/blocks")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MAX_BLOCK_CHARACTERS:
        blame(problems, "markdown must be less than 12001 characters in all", "/blocks")


def message_blocks(raw: Any) -> list[Json]:
    """The blocks of a message, checked, with ids and defaults filled in.

    Raises:
        ApiError: `invalid_blocks_format`, `invalid_blocks` or `msg_blocks_too_long`.
    """
    if not isinstance(raw, list):
        raise ApiError("invalid_blocks_format")
    problems: Problems = []
    _MESSAGE_BLOCKS(raw, "/blocks", problems)
    if not problems:
        _message_rules(raw, problems)
    if problems:
        raise ApiError("invalid_blocks", problems)
    if sum(len(word) for word in kit_blocks.words(raw)) > MAX_BLOCK_CHARACTERS:
        raise ApiError("msg_blocks_too_long")
    return filled(raw)


def _modal_rules(given: Json, problems: Problems) -> None:
    if "submit" in given:
        return
    for number, block in enumerate(given["blocks"]):
        if block["type"] == "input":
            blame(
                problems,
                "must define `submit` to use an `input` block in modals",
                f"/view/blocks/{number}/input",
            )


def view(raw: Any, kind: str) -> Json:
    """A view of the kind `modal` or `home`, checked, with ids and defaults filled in.

    Raises:
        ApiError: `invalid_arguments` or `view_too_large`.
    """
    problems: Problems = []
    (_MODAL if kind == "modal" else _HOME)(raw, "/view", problems)
    if not problems:
        _unique_ids(raw["blocks"], "/view/blocks", problems)
        _one_focus(raw["blocks"], "/view/blocks", problems)
        if kind == "modal":
            _modal_rules(raw, problems)
    if problems:
        raise ApiError(
            "invalid_arguments", ["failed to match all allowed schemas [json-pointer:/view]", *problems]
        )
    if len(json.dumps(raw, ensure_ascii=False).encode()) > MAX_VIEW_OCTETS:
        raise ApiError("view_too_large")
    return {**raw, "blocks": filled(raw["blocks"])}


def _random_id() -> str:
    return "".join(random.choices(letters.ascii_letters + letters.digits, k=5))


def _defaults(value: Any) -> None:
    if isinstance(value, list):
        for one in value:
            _defaults(one)
    elif isinstance(value, dict):
        if value.get("type") == "plain_text":
            value.setdefault("emoji", True)
        elif value.get("type") == "mrkdwn":
            value.setdefault("verbatim", False)
        for one in value.values():
            _defaults(one)


def filled(blocks: list[Json]) -> list[Json]:
    """A copy with every id the server invents and every default it shows."""
    copied = copy.deepcopy(blocks)
    for block in copied:
        block.setdefault("block_id", _random_id())
        for _, element in elements_of(block):
            if element["type"] != "image":
                element.setdefault("action_id", _random_id())
        if block["type"] == "input":
            block.setdefault("optional", False)
            block.setdefault("dispatch_action", False)
    _defaults(copied)
    return copied


def _is_flat(value: Any, depth: int = 0) -> bool:
    if isinstance(value, str | int | float | bool):
        return True
    if not isinstance(value, dict) or depth > 2:
        return False
    return all(isinstance(name, str) and _is_flat(one, depth + 1) for name, one in value.items())


def metadata(raw: Any) -> Json | None:
    """A post's metadata; None for an empty object, which removes it.

    Raises:
        ApiError: `invalid_metadata_format`, `invalid_metadata_schema` or `metadata_too_large`.
    """
    if not isinstance(raw, dict):
        raise ApiError("invalid_metadata_format")
    if not raw:
        return None
    sound = (
        isinstance(raw.get("event_type"), str)
        and raw["event_type"]
        and isinstance(raw.get("event_payload"), dict)
    )
    if not sound or raw.keys() != {"event_type", "event_payload"}:
        raise ApiError("invalid_metadata_format")
    if not all(_is_flat(value) for value in raw["event_payload"].values()):
        raise ApiError("invalid_metadata_schema")
    if len(json.dumps(raw).encode()) > MAX_METADATA_OCTETS:
        raise ApiError("metadata_too_large")
    return raw
