"""A form is filled in by what stands over its fields."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.filling import Known, Unexpected, choosable, filled, value_of, words

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


PEOPLE = [
    {"id": "U1", "real_name": "Kenji Morita", "role": "member", "is_visible": True},
    {"id": "U2", "real_name": "Petra Novotná", "role": "deactivated", "is_visible": True},
    {"id": "U3", "real_name": "Noor Haddad", "role": "external", "is_visible": False},
]
CHANNELS = [
    {"id": "C1", "name": "hiring", "is_private": False, "is_archived": False, "is_ext_shared": True},
    {"id": "C2", "name": "leadership", "is_private": True, "is_archived": False, "is_ext_shared": False},
    {"id": "C3", "name": "past", "is_private": False, "is_archived": True, "is_ext_shared": False},
]
KNOWN = Known(PEOPLE, CHANNELS, ("D1", "mailbox"))


@pytest.mark.parametrize(
    ("element", "answer", "value"),
    [
        ({"type": "multi_users_select"}, ["kenji morita"], {"selected_users": ["U1"]}),
        ({"type": "users_select"}, "", {"selected_user": None}),
        ({"type": "channels_select"}, "#hiring", {"selected_channel": "C1"}),
        ({"type": "conversations_select"}, "leadership", {"selected_conversation": "C2"}),
        ({"type": "conversations_select"}, "mailbox", {"selected_conversation": "D1"}),
        ({"type": "datepicker"}, "2026-12-31", {"selected_date": "2026-12-31"}),
        ({"type": "checkboxes", "options": OPTIONS}, ["TLS", "None"], {"selected_options": OPTIONS}),
        (
            {"type": "static_select", "option_groups": [{"options": OPTIONS}]},
            "tls",
            {"selected_option": OPTIONS[0]},
        ),
        ({"type": "number_input"}, "3", {"value": "3"}),
    ],
)
def test_choices_are_made_by_what_is_read(
    element: dict[str, Any], answer: str | list[str], value: dict[str, Any]
) -> None:
    """People, channels, options and dates are picked by their words and become Slack's ids."""
    assert value_of(element, answer, KNOWN) == {"type": element["type"], **value}


@pytest.mark.parametrize(
    ("element", "answer"),
    [
        ({"type": "users_select"}, "Petra Novotná"),
        ({"type": "users_select"}, "Noor Haddad"),
        ({"type": "channels_select"}, "leadership"),
        ({"type": "conversations_select"}, "past"),
        ({"type": "conversations_select", "filter": {"include": ["private"]}}, "hiring"),
        ({"type": "conversations_select", "filter": {"exclude_external_shared_channels": True}}, "hiring"),
        ({"type": "conversations_select", "filter": {"exclude_bot_users": True}}, "mailbox"),
    ],
)
def test_what_a_list_leaves_out_cannot_be_picked(element: dict[str, Any], answer: str) -> None:
    """The deactivated, people one never met, archived channels and what the filter excludes are not there."""
    with pytest.raises(Unexpected, match=answer):
        value_of(element, answer, KNOWN)


def test_choices_are_known_by_what_stands_beside_them() -> None:
    """A field by its label, a choice beside a section by its words, one in a row by its placeholder."""
    select = {"type": "users_select", "action_id": "a", "placeholder": {"text": "Add somebody"}}
    blocks: list[dict[str, Any]] = [
        {"type": "section", "block_id": "s", "text": {"text": "*Level* of Kenji"}, "accessory": select},
        {"type": "actions", "block_id": "r", "elements": [select]},
        {"type": "input", "block_id": "i", "label": {"text": "Who"}, "element": select},
    ]

    found = [next(choosable(blocks, label))["block_id"] for label in ("Level", "add somebody", "Who")]

    assert found == ["s", "r", "i"]


def test_rich_text_and_files_take_their_shapes() -> None:
    """Words with markup become rich text with the people who are listed, files stand by their ids."""
    people = [{"id": "U1", "real_name": "Kenji Morita", "role": "member"}]

    written = value_of({"type": "rich_text_input"}, "Hi @Kenji Morita", Known(people))
    chosen = value_of({"type": "file_input"}, ["F1", "F2"], Known())

    assert written["rich_text_value"]["elements"][0]["elements"][1] == {"type": "user", "user_id": "U1"}
    assert chosen == {"type": "file_input", "files": [{"id": "F1"}, {"id": "F2"}]}
