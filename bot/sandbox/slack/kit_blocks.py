"""The shapes of Block Kit's blocks by surface: message, modal, Home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.slack.kit_elements import ACCESSORIES, ACTIONS, CONTEXT_ACTIONS, IMAGE, INPUTS
from bot.sandbox.slack.kit_text import BLOCK_ID, RICH_TEXT, plain, text
from bot.sandbox.slack.schema import (
    array,
    blame,
    boolean,
    choice,
    exactly_one,
    integer,
    number,
    record,
    string,
    tagged,
    url,
    web_url,
)

if TYPE_CHECKING:
    from bot.sandbox.slack.schema import Check, Problems


def _block(
    kind: str,
    required: dict[str, Check] | None = None,
    optional: dict[str, Check] | None = None,
    *rules: Check,
) -> Check:
    return record(
        {"type": choice(kind), **(required or {})}, {"block_id": BLOCK_ID, **(optional or {})}, rules
    )


def _has_text_or_fields(block: Any, where: str, problems: Problems) -> None:
    if "text" not in block and "fields" not in block:
        blame(problems, "must define either `text` or `fields`", f"{where}/type")


def _no_dispatch_of_files(block: Any, where: str, problems: Problems) -> None:
    if block.get("dispatch_action") and block["element"]["type"] == "file_input":
        blame(problems, "`dispatch_action` may not be used with `file_input`", f"{where}/dispatch_action")


def _cells_fit(block: Any, where: str, problems: Problems) -> None:
    if sum(len(word) for row in block["rows"] for cell in row for word in words(cell)) > 10_000:
        blame(problems, "must be less than 10001 characters in all cells", f"{where}/rows")


def words(value: Any) -> list[str]:
    """Every string a person would read or a link would lead to, anywhere inside."""
    if isinstance(value, list):
        return [word for one in value for word in words(one)]
    if not isinstance(value, dict):
        return []
    found = [one for name, one in value.items() if name in _READ and isinstance(one, str)]
    return found + [word for one in value.values() for word in words(one)]


_READ = frozenset(
    {"text", "url", "alt_text", "image_url", "title_url", "video_url", "thumbnail_url", "name", "fallback"}
)

_CELL = tagged(
    {
        "raw_text": record({"type": choice("raw_text"), "text": string(1)}),
        "raw_number": record({"type": choice("raw_number"), "value": number}, {"text": string(1)}),
        "rich_text": RICH_TEXT,
    }
)
_COLUMN = record({}, {"align": choice("left", "center", "right"), "is_wrapped": boolean})

_EVERYWHERE: dict[str, Check] = {
    "actions": _block("actions", {"elements": array(tagged(ACTIONS), 1, 25)}),
    "context": _block(
        "context",
        {"elements": array(tagged({"image": IMAGE, "plain_text": text(), "mrkdwn": text()}), 1, 10)},
    ),
    "divider": _block("divider"),
    "header": _block("header", {"text": plain(150)}, {"level": integer(1, 4)}),
    "image": _block(
        "image",
        {"alt_text": string(1, 2000)},
        {
            "image_url": web_url(),
            "slack_file": record({}, {"id": string(1, 40), "url": url()}, (exactly_one("id", "url"),)),
            "title": plain(2000),
        },
        exactly_one("image_url", "slack_file"),
    ),
    "rich_text": RICH_TEXT,
    "section": _block(
        "section",
        {},
        {
            "text": text(3000),
            "fields": array(text(2000), 1, 10),
            "accessory": tagged(ACCESSORIES),
            "expand": boolean,
        },
        _has_text_or_fields,
    ),
    "video": _block(
        "video",
        {
            "alt_text": string(1, 2000),
            "title": plain(199),
            "thumbnail_url": web_url(),
            "video_url": web_url(),
        },
        {
            "title_url": web_url(),
            "description": plain(199),
            "provider_name": string(1, 49),
            "provider_icon_url": web_url(),
            "author_name": string(1, 49),
        },
    ),
}
_MESSAGE_ONLY: dict[str, Check] = {
    "context_actions": _block("context_actions", {"elements": array(tagged(CONTEXT_ACTIONS), 1, 5)}),
    "markdown": _block("markdown", {"text": string(1, 12_000)}),
    "table": _block(
        "table",
        {"rows": array(array(_CELL, 1, 20), 1, 100)},
        {"column_settings": array(_COLUMN, 0, 20)},
        _cells_fit,
    ),
}


def _input(elements: dict[str, Check]) -> Check:
    return _block(
        "input",
        {"label": plain(2000), "element": tagged(elements)},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
        _no_dispatch_of_files,
    )


_HOME_INPUTS = {kind: check for kind, check in INPUTS.items() if kind != "file_input"}
_ALERT = _block(
    "alert", {"text": text(200)}, {"level": choice("default", "info", "warning", "error", "success")}
)

MESSAGE: Check = tagged({**_EVERYWHERE, **_MESSAGE_ONLY})
MODAL: Check = tagged({**_EVERYWHERE, "input": _input(INPUTS), "alert": _ALERT})
HOME: Check = tagged({**_EVERYWHERE, "input": _input(_HOME_INPUTS)})
