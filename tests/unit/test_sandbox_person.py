"""A form is filled in by what stands over its fields."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.person import Unexpected, filled, words

OPTIONS = [{"text": {"type": "plain_text", "text": text}, "value": text.lower()} for text in ("TLS", "None")]


def test_answers_go_to_the_fields_of_their_labels_and_the_rest_stays() -> None:
    """Typed, chosen and ticked fields take their shape; an untouched one keeps what it shows."""
    values = filled(_form(), {"server": "localhost", "Security": "none", "Same": "TLS"})

    assert values["b0"]["a"] == {"type": "plain_text_input", "value": "localhost"}
    assert values["b1"]["a"]["selected_option"]["value"] == "none"
    assert values["b2"]["a"]["selected_options"] == [OPTIONS[0]]
    assert values["b3"]["a"] == {"type": "plain_text_input", "value": "kept"}


@pytest.mark.parametrize("answers", [{"Nowhere": "x"}, {"Security": "SSLv2"}])
def test_a_label_or_option_that_is_not_there_is_named(answers: dict[str, str]) -> None:
    """A person who finds no such field says which one they looked for."""
    with pytest.raises(
        Unexpected, match=next(iter(answers.values())) if "Security" in answers else "Nowhere"
    ):
        filled(_form(), answers)


def test_words_are_all_texts_in_order() -> None:
    """Headings, sections and rich text are read from top to bottom."""
    post = {
        "text": "first",
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "second"}},
            {"type": "rich_text", "elements": [{"elements": [{"type": "text", "text": "third"}]}]},
        ],
    }

    assert words(post) == "first second third"


def _form() -> dict[str, Any]:
    elements: list[dict[str, Any]] = [
        {"type": "plain_text_input", "action_id": "a"},
        {"type": "static_select", "action_id": "a", "options": OPTIONS},
        {"type": "checkboxes", "action_id": "a", "options": OPTIONS},
        {"type": "plain_text_input", "action_id": "a"},
    ]
    blocks = [
        {
            "type": "input",
            "block_id": f"b{number}",
            "label": {"type": "plain_text", "text": label},
            "element": element,
        }
        for number, (label, element) in enumerate(
            zip(("Server", "Security", "Same", "Other"), elements, strict=True)
        )
    ]
    values = {f"b{number}": {"a": {"type": element["type"]}} for number, element in enumerate(elements)}
    values["b3"]["a"]["value"] = "kept"
    return {"blocks": [*blocks, {"type": "section"}], "state": {"values": values}}
