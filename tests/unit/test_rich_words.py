"""Words with a little markup are what Slack's own editor would hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.rich_words import rich_text
from bot.sandbox.slack.kit_text import RICH_TEXT

PEOPLE = {"Kenji Morita": "U1", "Kenji": "U2"}


def text(words: str, **style: bool) -> dict[str, Any]:
    """A text element."""
    return {"type": "text", "text": words, **({"style": style} if style else {})}


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    """A paragraph."""
    return {"type": "rich_text_section", "elements": list(elements)}


def listed(style: str, *items: str, indent: int = 0, **more: int) -> dict[str, Any]:
    """A list of plain items."""
    elements = [section(text(item)) for item in items]
    return {
        "type": "rich_text_list",
        "elements": elements,
        "style": style,
        "indent": indent,
        "border": 0,
        **more,
    }


@pytest.mark.parametrize(
    ("words", "elements"),
    [
        ("one\n\ntwo", [section(text("one\n\ntwo"))]),
        ("*b* _i_ ~s~", [section(text("b", bold=True), text(" "), text("i", italic=True), text(" "), text("s", strike=True))]),
        ("*b _both_*", [section(text("b ", bold=True), text("both", bold=True, italic=True))]),
        ("`a*b*`", [section(text("a*b*", code=True))]),
        ("2*3*4 a_b_c \\*no\\*", [section(text("2*3*4 a_b_c *no*"))]),
        ("- a\n- b\n  - c", [listed("bullet", "a", "b"), listed("bullet", "c", indent=1)]),
        ("3. a\n4. b", [listed("ordered", "a", "b", offset=2)]),
        ("a\n> b\n> c", [section(text("a\n")), {"type": "rich_text_quote", "elements": [text("b\nc")]}]),
        (
            "```\n- a\n```",
            [{"type": "rich_text_preformatted", "elements": [text("- a")], "border": 0}],
        ),
        (
            "at https://a.example/b. or c@d.example",
            [
                section(
                    text("at "),
                    {"type": "link", "url": "https://a.example/b"},
                    text(". or "),
                    {"type": "link", "url": "mailto:c@d.example", "text": "c@d.example"},
                )
            ],
        ),
        ("[here](https://a.example)", [section({"type": "link", "url": "https://a.example", "text": "here"})]),
        ("@kenji morita @nobody", [section({"type": "user", "user_id": "U1"}, text(" @nobody"))]),
        (":wave:", [section({"type": "emoji", "name": "wave", "unicode": "1f44b"})]),
    ],
)  # fmt: skip
def test_markup_is_read(words: str, elements: list[dict[str, Any]]) -> None:
    """Styles, lists, quotes, code, links, mentions and emoji; what only looks like it stays words."""
    assert rich_text(words, PEOPLE) == {"type": "rich_text", "elements": elements}


@pytest.mark.parametrize("words", [" \n", "```", " ```\n```"])
def test_nothing_is_null(words: str) -> None:
    """As Slack sends an empty field."""
    assert rich_text(words) is None


@settings(max_examples=100)
@given(st.text(alphabet="ab *_~`>-1.)@:\\[](/\n", max_size=60))
def test_whatever_is_typed_is_rich_text(words: str) -> None:
    """The result has the shape that Slack takes, and is quickly there."""
    value, problems = rich_text(words, PEOPLE), []  # type: tuple[dict[str, Any] | None, list[str]]
    if value is not None:
        RICH_TEXT(value, "", problems)

    assert problems == []
