"""What a person may type and choose, as Slack's own client holds and checks it. Pure.

A value is held in the shape of `view.state.values`: `{"type": …, "value": …}`, `{"type": …, "selected_option": …}`.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bot.sandbox.slack.kit_elements import options_of
from bot.sandbox.slack.kit_text import RICH_TEXT
from bot.sandbox.slack.validate import elements_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.sandbox.slack.answers import Json

Typed: TypeAlias = "dict[tuple[str, str], Json]"

# Element type to the field that holds the value and the field that holds the start value.
_FIELDS: Final[dict[str, tuple[str, str]]] = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", ""),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
_EMAIL: Final = re.compile(r"[^\s@<>\"(),:;\\]+@[^\s@.]+(\.[^\s@.]+)+")
_URL: Final = re.compile(r"https?://[^\s/]+\.?\S*", re.IGNORECASE)
_REQUIRED: Final = "Please complete this required field."


class BadValue(ValueError):
    """The page sent a value that no client could have produced."""


def is_stateful(element: Json) -> bool:
    """Whether the element holds a value at all; buttons and menus do not."""
    return element["type"] in _FIELDS


def inputs_of(blocks: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """Every element that holds a value, with its block."""
    for block in blocks:
        for _, element in elements_of(block):
            if is_stateful(element):
                yield block, element


def _empty(field: str) -> Any:
    return [] if field.endswith("s") else None


def initial(element: Json) -> Json:
    """The value before the person touches it."""
    field, start = _FIELDS[element["type"]]
    value = element.get(start)
    return {"type": element["type"], field: _empty(field) if value in (None, "") else value}


def current(block: Json, element: Json, typed: Typed) -> Json:
    """What stands in the element now."""
    return typed.get((block["block_id"], element["action_id"])) or initial(element)


def state_values(blocks: Sequence[Json], typed: Typed) -> Json:
    """`state.values` for every element that holds a value, unfilled ones as null or an empty list."""
    values: Json = {}
    for block, element in inputs_of(blocks):
        values.setdefault(block["block_id"], {})[element["action_id"]] = current(block, element, typed)
    return values


def kept(blocks: Sequence[Json], typed: Typed) -> Typed:
    """What was typed, as far as the same field of the same type is in the new blocks."""
    present = {
        (block["block_id"], element["action_id"]): element["type"] for block, element in inputs_of(blocks)
    }
    return {place: value for place, value in typed.items() if present.get(place) == value["type"]}


def _option(raw: Any, offered: Sequence[Json]) -> Json:
    wanted = raw.get("value") if isinstance(raw, dict) else raw
    for option in offered:
        if option.get("value") == wanted:
            return option
    raise BadValue("no such option")


def _scalar(element: Json, value: Any) -> Any:
    if element["type"] == "datetimepicker":
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadValue("a time is a whole number")
        return value
    if element["type"] == "rich_text_input":
        problems: list[str] = []
        RICH_TEXT(value, "", problems)
        if problems:
            raise BadValue(f"this is no rich text: {problems[0]}")
        return value
    if not isinstance(value, str):
        raise BadValue("a value is a string")
    return value


def entered(element: Json, raw: Any, offered: Sequence[Json] = ()) -> Json:
    """The value a person gave, in Slack's shape.

    Args:
        raw: an object with the element's field in it; an option may be given whole or by its `value`.
        offered: what an external select was last answered with.

    Raises:
        BadValue: it is not among the options or of another type.
    """
    field, _ = _FIELDS[element["type"]]
    given = raw.get(field) if isinstance(raw, dict) else None
    if given is None or given in ("", []):
        return {"type": element["type"], field: _empty(field)}
    options = [*options_of(element), *offered]
    if field == "selected_option":
        return {"type": element["type"], field: _option(given, options)}
    if not field.endswith("s"):
        return {"type": element["type"], field: _scalar(element, given)}
    if not isinstance(given, list):
        raise BadValue("several values are a list")
    chosen = [_option(one, options) for one in given] if field == "selected_options" else given
    return {"type": element["type"], field: chosen}


def _number_fault(element: Json, value: str) -> str | None:
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        return "Enter a number."
    if not number.is_finite():
        return "Enter a number."
    if not element["is_decimal_allowed"] and number != number.to_integral_value():
        return "Enter a whole number."
    if "min_value" in element and number < Decimal(element["min_value"]):
        return f"Enter a number of at least {element['min_value']}."
    if "max_value" in element and number > Decimal(element["max_value"]):
        return f"Enter a number of at most {element['max_value']}."
    return None


def _text_fault(element: Json, value: str) -> str | None:
    kind = element["type"]
    if kind == "number_input":
        return _number_fault(element, value)
    if kind == "email_text_input" and not _EMAIL.fullmatch(value):
        return "Enter a valid email address."
    if kind == "url_text_input" and not _URL.fullmatch(value):
        return "Enter a valid URL."
    if len(value) < element.get("min_length", 0):
        return f"Enter at least {element['min_length']} characters."
    if len(value) > element.get("max_length", 3000):
        return f"Enter at most {element.get('max_length', 3000)} characters."
    return None


def _files_fault(element: Json, files: list[Json]) -> str | None:
    most, accepted = element.get("max_files", 10), element.get("filetypes")
    if len(files) > most:
        return f"Choose at most {most} {'file' if most == 1 else 'files'}."
    if accepted and any(not is_accepted(str(file["name"]), accepted) for file in files):
        return f"Only these kinds of files are accepted: {', '.join(accepted)}."
    return None


def is_accepted(name: str, filetypes: Sequence[str]) -> bool:
    """Whether a file's name ends in one of these."""
    return any(name.lower().endswith(f".{kind.lower().removeprefix('.')}") for kind in filetypes)


def _fault(block: Json, element: Json, typed: Typed) -> str | None:
    field, _ = _FIELDS[element["type"]]
    value = current(block, element, typed)[field]
    if value is None or value == []:
        return None if block.get("optional") else _REQUIRED
    if field == "value":
        return _text_fault(element, value)
    if element["type"] == "file_input":
        return _files_fault(element, value)
    most = element.get("max_selected_items")
    if isinstance(value, list) and most is not None and len(value) > most:
        return f"Choose at most {most}."
    return None


def input_faults(blocks: Sequence[Json], typed: Typed) -> dict[str, str]:
    """What the client refuses to send, by block id; only input blocks are checked."""
    found = (
        (block, _fault(block, element, typed))
        for block, element in inputs_of(blocks)
        if block["type"] == "input"
    )
    return {block["block_id"]: fault for block, fault in found if fault}
