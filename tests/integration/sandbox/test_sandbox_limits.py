"""Slack's limits on messages and views, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.slack import validate
from bot.sandbox.slack.answers import ApiError
from tests.integration.sandbox.kit import modal, section, text_input

if TYPE_CHECKING:
    from collections.abc import Callable

Block = dict[str, Any]


def plain(text: str) -> Block:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def button(text: str = "Go", **more: Any) -> Block:
    """A button."""
    return {"type": "button", "action_id": "go", "text": plain(text), **more}


def actions(*elements: Block, **more: Any) -> Block:
    """A row of elements."""
    return {"type": "actions", "elements": list(elements), **more}


def option(value: str = "a", text: str = "A") -> Block:
    """An option."""
    return {"text": plain(text), "value": value}


def select(*options: Block, **more: Any) -> Block:
    """A static select."""
    return {"type": "static_select", "action_id": "s", "options": list(options), **more}


def rich(*elements: Block) -> Block:
    """A rich_text block."""
    return {"type": "rich_text", "elements": list(elements)}


def run(text: str = "x", **more: Any) -> Block:
    """A rich text section with one run."""
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": text, **more}]}


def input_of(kind: str, **more: Any) -> Block:
    """An input block around an element of any kind."""
    block = text_input("a")
    return {**block, "element": {"type": kind, "action_id": "a", **more}}


def cell(text: str) -> Block:
    """A raw table cell."""
    return {"type": "raw_text", "text": text}


def table(*rows: list[Block], **more: Any) -> Block:
    """A table."""
    return {"type": "table", "rows": list(rows), **more}


SOUND: list[list[Block]] = [
    [{"type": "header", "text": plain("x" * 150)}],
    [section("x" * 3000)],
    [{"type": "section", "fields": [plain("x" * 1000)] * 10}],
    [{"type": "divider"}] * 50,
    [actions(*[button(action_id=f"b{number}") for number in range(25)])],
    [{"type": "context", "elements": [plain("x")] * 10}],
    [{"type": "image", "image_url": "https://x.test/a.png", "alt_text": "a"}],
    [{"type": "markdown", "text": "x" * 12_000}],
    [actions(button(value="v" * 2000, url="https://x.test", style="danger"))],
    [{"type": "section", "text": plain("x"), "accessory": select(option(), initial_option=option())}],
    [actions({"type": "overflow", "action_id": "o", "options": [option()]})],
    [
        rich(
            run(style={"bold": True}),
            {"type": "rich_text_list", "style": "bullet", "indent": 8, "elements": [run()]},
        )
    ],
    [rich({"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x"}], "border": 0})],
    [
        rich(
            {
                "type": "rich_text_section",
                "elements": [{"type": "link", "url": "https://x.test", "text": "x"}],
            }
        )
    ],
    [table([cell("x" * 90)] * 20, *[[cell("x")] * 20] * 99, column_settings=[{"align": "right"}])],
    [table([rich(run())])],
]

UNSOUND: list[tuple[list[Block], str]] = [
    ([{"type": "header", "text": plain("x" * 151)}], "must be less than 151 characters [json-pointer:/blocks/0/text/text]"),
    ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "unsupported type: mrkdwn"),
    ([section("x" * 3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    ([section("")], "must be more than 0 characters"),
    ([{"type": "section"}], "must define either `text` or `fields`"),
    ([{"type": "section", "fields": [plain("x")] * 11}], "no more than 10 items allowed"),
    ([{"type": "section", "fields": [plain("x" * 2001)]}], "must be less than 2001 characters"),
    ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    ([{"type": "divider", "color": "red"}], "invalid additional property: color"),
    ([{"type": "carousel3d"}], "unsupported type: carousel3d"),
    ([{}], "missing required field: type"),
    (["divider"], "must provide an object"),  # type: ignore[list-item]  # the very fault
    ([{"type": "divider", "block_id": "x" * 256}], "must be less than 256 characters"),
    ([{"type": "divider", "block_id": "x"}] * 2, "`block_id` must be unique"),
    ([actions(button(), button())], "`action_id` must be unique"),
    ([actions()], "no fewer than 1 items allowed"),
    ([actions(*[button(action_id=f"b{number}") for number in range(26)])], "no more than 25 items allowed"),
    ([actions(button("x" * 76))], "must be less than 76 characters"),
    ([actions(button(value="v" * 2001))], "must be less than 2001 characters"),
    ([actions(button(url="not a url"))], "must be a valid URL"),
    ([actions(button(style="default"))], "must be one of: primary, danger"),
    ([actions(button(confirm={"text": plain("x" * 301)}))], "must be less than 301 characters"),
    ([actions(select())], "no fewer than 1 items allowed"),
    ([actions(select(*[option(f"v{number}") for number in range(101)]))], "no more than 100 items allowed"),
    ([actions(select(option(text="x" * 76)))], "must be less than 76 characters"),
    ([actions(select(option("v" * 76)))], "must be less than 76 characters"),
    ([actions(select(option(), initial_option=option("other")))], "must exactly match one of the provided options"),
    ([actions({"type": "overflow", "action_id": "o", "options": [option(f"v{n}") for n in range(6)]})], "no more than 5"),
    ([actions({"type": "plain_text_input", "action_id": "p"})], "unsupported type: plain_text_input"),
    ([{"type": "context", "elements": [plain("x")] * 11}], "no more than 10 items allowed"),
    ([{"type": "context", "elements": [button()]}], "unsupported type: button"),
    ([text_input("host")], "unsupported type: input"),
    ([{"type": "image", "image_url": "https://x.test"}], "missing required field: alt_text"),
    ([{"type": "image", "image_url": "ftp://x.test", "alt_text": "a"}], "must be a valid http(s) URL"),
    ([rich()], "no fewer than 1 items allowed"),
    ([rich(run(""))], "must be more than 0 characters"),
    ([rich(run(style={"blink": True}))], "invalid additional property: blink"),
    ([rich({"type": "rich_text_list", "style": "bullet", "indent": 9, "elements": [run()]})], "less than or equal to 8"),
    ([rich({"type": "rich_text_list", "style": "dash", "elements": [run()]})], "must be one of: bullet, ordered"),
    ([rich({"type": "rich_text_section", "elements": [{"type": "link"}]})], "missing required field: url"),
    ([rich({"type": "rich_text_preformatted", "elements": [{"type": "emoji", "name": "x"}]})], "unsupported type: emoji"),
    ([table([cell("")])], "must be more than 0 characters"),
    ([table([cell("x")] * 21)], "no more than 20 items allowed"),
    ([table(*[[cell("x")]] * 101)], "no more than 100 items allowed"),
    ([table([cell("x" * 5001), cell("x" * 5000)])], "must be less than 10001 characters"),
    ([table([cell("x")]), table([cell("x")])], "only one table allowed"),
    ([table([cell("x")], column_settings=[None])], "must provide an object"),
]  # fmt: skip


@pytest.mark.parametrize("blocks", SOUND)
def test_what_fits_is_taken(blocks: list[Block]) -> None:
    """Blocks at the limit pass, and every block gets an id."""
    taken = validate.message_blocks(blocks)

    assert all(block["block_id"] for block in taken)


@pytest.mark.parametrize(("blocks", "sentence"), UNSOUND)
def test_what_does_not_fit_is_named(blocks: list[Block], sentence: str) -> None:
    """Blocks past a limit are invalid_blocks with a place and a reason."""
    with pytest.raises(ApiError) as caught:
        validate.message_blocks(blocks)

    assert caught.value.code == "invalid_blocks"
    assert any(sentence in message for message in caught.value.messages), caught.value.messages
    assert caught.value.answer()["response_metadata"]["messages"][0].startswith("[ERROR] ")


def test_too_much_in_all_is_too_long() -> None:
    """Blocks that are sound one by one may be too long together."""
    with pytest.raises(ApiError, match="msg_blocks_too_long"):
        validate.message_blocks([section("x" * 3000)] * 4 + [section("x")])


VIEWS: list[tuple[Callable[[], Block], str, str]] = [
    (lambda: modal(title=plain("x" * 25)), "modal", "must be less than 25 characters [json-pointer:/view/title/text]"),
    (lambda: modal(*[{"type": "divider"}] * 101), "modal", "no more than 100 items allowed"),
    (lambda: modal(private_metadata="x" * 3001), "modal", "must be less than 3001 characters"),
    (lambda: modal(callback_id="x" * 256), "modal", "must be less than 256 characters"),
    (lambda: modal(size="large"), "modal", "invalid additional property: size"),
    (lambda: {"type": "modal", "title": plain("x"), "blocks": [text_input("a")]}, "modal", "must define `submit`"),
    (lambda: modal(text_input("a"), text_input("a")), "modal", "`block_id` must be unique"),
    (lambda: modal(text_input("a", max_length=3001)), "modal", "must be less than or equal to 3000"),
    (lambda: modal(text_input("a", max_length=2, initial_value="abc")), "modal", "must be less than 3 characters"),
    (lambda: modal(text_input("a", placeholder=plain("x" * 151))), "modal", "must be less than 151 characters"),
    (lambda: modal(text_input("a", focus_on_load=True), text_input("b", focus_on_load=True)), "modal", "only one element"),
    (lambda: modal(input_of("file_input", initial_files=["F1"])), "modal", "invalid additional property: initial_files"),
    (lambda: modal(input_of("file_input", max_files=11)), "modal", "must be less than or equal to 10"),
    (lambda: modal({**input_of("file_input"), "dispatch_action": True}), "modal", "may not be used with `file_input`"),
    (lambda: modal(input_of("rich_text_input", initial_value=rich())), "modal", "no fewer than 1 items allowed"),
    (lambda: modal(input_of("rich_text_input", multiline=True)), "modal", "invalid additional property: multiline"),
    (lambda: modal(text_input("a", dispatch_action_config={"trigger_actions_on": ["on_blur"]})), "modal", "must be one of: on_enter"),
    (lambda: modal(input_of("checkboxes", options=[option(f"v{n}") for n in range(11)])), "modal", "no more than 10 items"),
    (lambda: modal(input_of("checkboxes", options=[option("v"), option("v")])), "modal", "option values must be unique"),
    (lambda: modal(table([cell("x")])), "modal", "unsupported type: table"),
    (lambda: {"type": "home", "title": plain("x"), "blocks": []}, "home", "invalid additional property: title"),
    (modal, "home", "must be one of: home"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "kind", "sentence"), VIEWS)
def test_views_have_their_own_limits(build: Callable[[], Block], kind: str, sentence: str) -> None:
    """A view past a limit is invalid_arguments with a place below /view."""
    with pytest.raises(ApiError) as caught:
        validate.view(build(), kind)

    assert caught.value.code == "invalid_arguments"
    assert any(sentence in message for message in caught.value.messages), caught.value.messages


def test_a_view_has_a_size() -> None:
    """A sound view of more than 250 KB is too large."""
    options = [option(f"{number:03d}" + "v" * 72, "é" * 75) for number in range(100)]
    row = [actions(*[select(*options, action_id=f"a{number}") for number in range(25)])]

    with pytest.raises(ApiError, match="view_too_large"):
        validate.view(modal(*row), "modal")


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ([], "invalid_metadata_format"),
        ({"event_type": "e"}, "invalid_metadata_format"),
        ({"event_type": "e", "event_payload": {"x": [1]}}, "invalid_metadata_schema"),
        ({"event_type": "e", "event_payload": {"x": "y" * 8000}}, "metadata_too_large"),
    ],
)
def test_metadata_is_flat_and_small(metadata: Any, error: str) -> None:
    """Metadata of another shape or size is refused by name."""
    with pytest.raises(ApiError, match=error):
        validate.metadata(metadata)
