"""Whatever comes back in place of the form of a mail: it is read, or refused in words; nothing else happens."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import slack_text
from bot.mail.letters import LetterKind
from bot.slack import send_forms, send_names
from bot.slack.listeners import writing as listener
from bot.slack.send_forms import Writing
from bot.slack.views import send_form
from tests.unit.send_samples import FORM, STARTED, TEXT, payload

FIELDS = (
    send_names.FROM, send_names.TO, send_names.CC, send_names.BCC, send_names.SUBJECT, send_names.TEXT,
    send_names.FILES, send_names.KEPT, send_names.QUOTES, send_names.PASSES_ON, send_names.SENDER_NAME,
    send_names.SIGNATURE, send_names.UNDO_SECONDS,
)  # fmt: skip
KEYS = (
    "value",
    "selected_option",
    "selected_options",
    "rich_text_value",
    "files",
    "elements",
    "type",
    "text",
    "id",
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["text", "rich_text", "F1"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
STATES = st.dictionaries(st.sampled_from(FIELDS), st.dictionaries(st.just("value"), JSON, max_size=1) | JSON)
VIEWS = st.fixed_dictionaries({}, optional={
    "state": st.fixed_dictionaries({}, optional={"values": STATES | JSON}) | st.none(),
    "private_metadata": st.text(max_size=20) | JSON,
    "blocks": JSON,
})  # fmt: skip


def nested(levels: int) -> dict[str, Any]:
    """Rich text within rich text."""
    inner: dict[str, Any] = {"type": "text", "text": "deep"}
    for _ in range(levels):
        inner = {"type": "rich_text_section", "elements": [inner]}
    return {"type": "rich_text", "elements": [inner]}


def sent(**states: Any) -> Writing:
    """What is read of a form with these states in it."""
    return send_forms.read(
        payload(send_form.send_form(STARTED, Writing(FORM, to="a@acme.example")), **states)
    )


@given(VIEWS)
@settings(max_examples=100, deadline=None)
def test_whatever_is_sent_is_read_or_refused(view: dict[str, Any]) -> None:
    """No value of another type, no field that is missing or doubled ends in an error."""
    read = send_forms.read(view)
    faults = listener._faults(read)
    values = (view.get("state") or {}).get("values")

    assert listener._there(faults, view).keys() <= {*faults, send_names.TO}
    assert send_forms.written_on(send_forms.draft_of(read), FORM) == replace(read, form_id=FORM)
    slack_text.read(read.text, {})
    send_forms.parse_sending(values)


def test_a_form_without_its_id_is_no_form() -> None:
    """Nothing could tell whether it was sent before."""
    view = {
        **payload(send_form.send_form(STARTED, Writing("", to="a@acme.example", text=TEXT))),
        "private_metadata": "",
    }

    assert "open it again" in send_forms.faults(send_forms.read(view))[send_names.TO]


def test_a_form_of_a_kind_that_is_none_is_no_form() -> None:
    """An answer is not sent as if it were a new mail."""
    view = payload(
        send_form.send_form(STARTED, Writing(FORM, LetterKind.REPLY, to="a@acme.example", text=TEXT))
    )
    ids = json.loads(view["private_metadata"])

    read = send_forms.read({**view, "private_metadata": json.dumps({**ids, "kind": "repeal"})})

    assert send_names.TO in send_forms.faults(read)


@pytest.mark.parametrize("levels", [30, 3_000])
def test_text_within_text_without_end_is_cut_off(levels: int) -> None:
    """Nobody's words are that deep, and nothing that walks through them has to be."""
    read = sent(**{send_names.TEXT: {"rich_text_value": nested(levels)}})

    assert not send_forms.says_something(read.text)
    assert len(send_forms.draft_of(read)) < 10_000


def test_more_text_than_a_mail_has_is_said_to_be_too_much() -> None:
    """Instead of being cut, or kept whole however large it is."""
    text = {"type": "rich_text", "elements": [{"type": "text", "text": "x" * 200_000}]}

    faults = send_forms.faults(sent(**{send_names.TEXT: {"rich_text_value": text}}))

    assert "too long" in faults[send_names.TEXT]
    assert send_names.TEXT not in send_forms.faults(sent(**{send_names.TEXT: {"rich_text_value": TEXT}}))
