"""The shapes of Block Kit's interactive elements, with their limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.sandbox.slack.kit_text import CONFIRM, RICH_TEXT, plain, text
from bot.sandbox.slack.schema import (
    array,
    blame,
    boolean,
    choice,
    exactly_one,
    integer,
    matching,
    record,
    string,
    url,
    web_url,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.schema import Check, Problems

_ID = string(1, 255)
_NUMBER = matching(re.compile(r"-?\d+(\.\d+)?"), "must be a number", 50)
_DATE = matching(re.compile(r"\d{4}-\d{2}-\d{2}"), "must match format YYYY-MM-DD")
_TIME = matching(re.compile(r"([01]\d|2[0-3]):[0-5]\d"), "must match format HH:mm")

# The value is 75 in @slack/types and 150 in slack-sdk; what passes here passes both.
_OPTION_VALUE = string(1, 75)
PLAIN_OPTION = record({"text": plain(75), "value": _OPTION_VALUE}, {"description": plain(75)})
_RICH_OPTION = record({"text": text(75), "value": _OPTION_VALUE}, {"description": text(75)})
_OVERFLOW_OPTION = record(
    {"text": plain(75), "value": _OPTION_VALUE}, {"description": plain(75), "url": web_url()}
)
OPTION_GROUP = record({"label": plain(75), "options": array(PLAIN_OPTION, 1, 100)})


def options_of(element: Json) -> Iterator[Json]:
    """The options of a select, checkbox or radio element, groups laid flat."""
    yield from element.get("options", ())
    for group in element.get("option_groups", ()):
        yield from group["options"]


def _initials_exist(element: Any, where: str, problems: Problems) -> None:
    offered = list(options_of(element))
    if element.get("initial_option", None) is not None and element["initial_option"] not in offered:
        blame(problems, "must exactly match one of the provided options", f"{where}/initial_option")
    for number, one in enumerate(element.get("initial_options", ())):
        if one not in offered:
            blame(
                problems,
                "must exactly match one of the provided options",
                f"{where}/initial_options/{number}",
            )


def _values_differ(element: Any, where: str, problems: Problems) -> None:
    values = [option["value"] for option in options_of(element)]
    if len(values) != len(set(values)):
        blame(problems, "option values must be unique", f"{where}/options")


def _initial_fits(element: Any, where: str, problems: Problems) -> None:
    low, high = element.get("min_length", 0), element.get("max_length", 3000)
    if low > high:
        blame(problems, "must be less than or equal to `max_length`", f"{where}/min_length")
    if len(element.get("initial_value", "")) > high:
        blame(problems, f"must be less than {high + 1} characters", f"{where}/initial_value")


def _element(
    kind: str,
    required: dict[str, Check] | None = None,
    optional: dict[str, Check] | None = None,
    *rules: Check,
) -> Check:
    return record({"type": choice(kind), **(required or {})}, {"action_id": _ID, **(optional or {})}, rules)


def _field(
    kind: str,
    required: dict[str, Check] | None = None,
    optional: dict[str, Check] | None = None,
    *rules: Check,
) -> Check:
    common = {"placeholder": plain(150), "focus_on_load": boolean}
    return _element(kind, required, {**common, **(optional or {})}, *rules)


def _select(kind: str, optional: dict[str, Check] | None = None, *rules: Check) -> Check:
    return _field(kind, {}, {"confirm": CONFIRM, **(optional or {})}, *rules)


_DISPATCH = record(
    {}, {"trigger_actions_on": array(choice("on_enter_pressed", "on_character_entered"), 1, 2)}
)
_FILTER = record(
    {},
    {
        "include": array(choice("im", "mpim", "private", "public"), 1),
        "exclude_bot_users": boolean,
        "exclude_external_shared_channels": boolean,
    },
)
_LISTED = {"options": array(PLAIN_OPTION, 1, 100), "option_groups": array(OPTION_GROUP, 1, 100)}
_LISTED_RULES = (exactly_one("options", "option_groups"), _initials_exist)
_PEOPLE = string(1, 40)
_MANY = {"max_selected_items": integer(1)}
_CONVERSATION = {"default_to_current_conversation": boolean, "filter": _FILTER}
_RESPONSE = {"response_url_enabled": boolean}
_STYLE = choice("primary", "danger")

_SELECTS: dict[str, Check] = {
    "static_select": _select("static_select", {**_LISTED, "initial_option": PLAIN_OPTION}, *_LISTED_RULES),
    "multi_static_select": _select(
        "multi_static_select", {**_LISTED, **_MANY, "initial_options": array(PLAIN_OPTION, 1)}, *_LISTED_RULES
    ),
    "external_select": _select(
        "external_select", {"min_query_length": integer(0), "initial_option": PLAIN_OPTION}
    ),
    "multi_external_select": _select(
        "multi_external_select",
        {"min_query_length": integer(0), **_MANY, "initial_options": array(PLAIN_OPTION, 1)},
    ),
    "users_select": _select("users_select", {"initial_user": _PEOPLE}),
    "multi_users_select": _select("multi_users_select", {**_MANY, "initial_users": array(_PEOPLE, 1)}),
    "conversations_select": _select(
        "conversations_select", {**_CONVERSATION, **_RESPONSE, "initial_conversation": _PEOPLE}
    ),
    "multi_conversations_select": _select(
        "multi_conversations_select", {**_CONVERSATION, **_MANY, "initial_conversations": array(_PEOPLE, 1)}
    ),
    "channels_select": _select("channels_select", {**_RESPONSE, "initial_channel": _PEOPLE}),
    "multi_channels_select": _select(
        "multi_channels_select", {**_MANY, "initial_channels": array(_PEOPLE, 1)}
    ),
}
_PICKERS: dict[str, Check] = {
    "datepicker": _select("datepicker", {"initial_date": _DATE}),
    "timepicker": _select("timepicker", {"initial_time": _TIME, "timezone": string(1, 60)}),
    "datetimepicker": _element(
        "datetimepicker",
        {},
        {"initial_date_time": integer(10**9, 10**10 - 1), "confirm": CONFIRM, "focus_on_load": boolean},
    ),
}
_BOXES: dict[str, Check] = {
    "checkboxes": _element(
        "checkboxes",
        {"options": array(_RICH_OPTION, 1, 10)},
        {"initial_options": array(_RICH_OPTION, 1), "confirm": CONFIRM, "focus_on_load": boolean},
        _initials_exist,
        _values_differ,
    ),
    "radio_buttons": _element(
        "radio_buttons",
        {"options": array(_RICH_OPTION, 1, 10)},
        {"initial_option": _RICH_OPTION, "confirm": CONFIRM, "focus_on_load": boolean},
        _initials_exist,
        _values_differ,
    ),
}
_TYPED: dict[str, Check] = {
    "plain_text_input": _field(
        "plain_text_input",
        {},
        {
            "initial_value": string(0, 3000),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
            "dispatch_action_config": _DISPATCH,
        },
        _initial_fits,
    ),
    "email_text_input": _field(
        "email_text_input", {}, {"initial_value": string(), "dispatch_action_config": _DISPATCH}
    ),
    "url_text_input": _field(
        "url_text_input", {}, {"initial_value": string(), "dispatch_action_config": _DISPATCH}
    ),
    "number_input": _field(
        "number_input",
        {"is_decimal_allowed": boolean},
        {
            "initial_value": _NUMBER,
            "min_value": _NUMBER,
            "max_value": _NUMBER,
            "dispatch_action_config": _DISPATCH,
        },
    ),
    "rich_text_input": _field(
        "rich_text_input", {}, {"initial_value": RICH_TEXT, "dispatch_action_config": _DISPATCH}
    ),
    "file_input": _element(
        "file_input", {}, {"filetypes": array(string(1, 30), 1), "max_files": integer(1, 10)}
    ),
}
_BUTTONS: dict[str, Check] = {
    "button": _element(
        "button",
        {"text": plain(75)},
        {
            "value": string(1, 2000),
            "url": url(),
            "style": _STYLE,
            "confirm": CONFIRM,
            "accessibility_label": string(1, 75),
            "visible_to_user_ids": array(_PEOPLE, 1),
        },
    ),
    "overflow": _element(
        "overflow", {"options": array(_OVERFLOW_OPTION, 1, 5)}, {"confirm": CONFIRM}, _values_differ
    ),
}
_FEEDBACK = record({"text": plain(75), "value": string(1, 2000)}, {"accessibility_label": string(1, 75)})
_CONTEXT_BUTTONS: dict[str, Check] = {
    "feedback_buttons": _element(
        "feedback_buttons", {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}
    ),
    "icon_button": _element(
        "icon_button",
        {"icon": string(1, 60), "text": plain(75)},
        {
            "value": string(1, 2000),
            "confirm": CONFIRM,
            "accessibility_label": string(1, 75),
            "visible_to_user_ids": array(_PEOPLE, 1),
        },
    ),
}
IMAGE: Check = record(
    {"type": choice("image"), "alt_text": string(1, 2000)},
    {
        "image_url": web_url(),
        "slack_file": record({}, {"id": _PEOPLE, "url": url()}, (exactly_one("id", "url"),)),
    },
    (exactly_one("image_url", "slack_file"),),
)

_MULTI = {kind: check for kind, check in _SELECTS.items() if kind.startswith("multi_")}
_SINGLE = {kind: check for kind, check in _SELECTS.items() if kind not in _MULTI}
_DATE_AND_TIME = {kind: _PICKERS[kind] for kind in ("datepicker", "timepicker")}

ACCESSORIES = {**_BUTTONS, **_SELECTS, **_DATE_AND_TIME, **_BOXES, "image": IMAGE}
ACTIONS = {**_BUTTONS, **_SINGLE, **_PICKERS, **_BOXES}
INPUTS = {**_SELECTS, **_PICKERS, **_BOXES, **_TYPED}
CONTEXT_ACTIONS = _CONTEXT_BUTTONS
