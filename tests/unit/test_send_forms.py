"""The form of a mail: what is drawn is read back, every fault stands under its field, and a draft can be written on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import recipients
from bot.mail.content import Address
from bot.mail.letters import LetterKind
from bot.sandbox.slack import validate
from bot.slack import names, send_forms, send_names
from bot.slack.send_forms import SendingForm, Writing
from bot.slack.views import send_form
from tests.unit.send_samples import FORM, SHARED, STARTED, TEXT, payload, started

WRITING = Writing(
    FORM, LetterKind.REPLY, "f" * 32, "a" * 32, "ana@acme.example", "bo@acme.example", "", "Re: Plans", TEXT,
    (("F1", "plan.pdf"), ("F2", "photo.jpg")),
)  # fmt: skip


@pytest.mark.parametrize("kind", LetterKind)
def test_a_form_that_is_sent_holds_what_it_showed(kind: LetterKind) -> None:
    """What is drawn from a draft is read back as that draft: nothing that was written is lost."""
    writing = replace(WRITING, kind=kind, bcc="c@acme.example")
    view = send_form.send_form(started(kind), writing)

    validate.view(view, "modal")
    assert send_forms.read(payload(view)) == writing


def test_what_is_chosen_and_unticked_comes_back() -> None:
    """Another mailbox, a file left out, a file added, and no quote."""
    view = send_form.send_form(STARTED, WRITING)
    found = send_forms.read(
        payload(
            view,
            **{
                send_names.FROM: {"selected_option": {"value": SHARED.mailbox_id}},
                send_names.KEPT: {
                    "selected_options": [{"value": "F2", "text": {"type": "plain_text", "text": "photo.jpg"}}]
                },
                send_names.FILES: {"files": [{"id": "F3", "name": "new.txt", "size": 5}]},
                send_names.QUOTES: {"selected_options": []},
            },
        )
    )

    assert found.mailbox_id == SHARED.mailbox_id
    assert found.files == (("F2", "photo.jpg"), ("F3", "new.txt"))
    assert found.quotes is False


@pytest.mark.parametrize(
    ("writing", "field", "word"),
    [
        (replace(WRITING, form_id=""), send_names.TO, "open it again"),
        (replace(WRITING, subject="a\rb"), send_names.SUBJECT, "one line"),
        (replace(WRITING, text=None, files=()), send_names.TEXT, "Write something"),
        (
            replace(WRITING, text={"type": "rich_text", "elements": []}, files=()),
            send_names.TEXT,
            "Write something",
        ),
        (
            replace(WRITING, files=tuple((f"F{number}", "x") for number in range(11))),
            send_names.FILES,
            "at most 10",
        ),
        (
            replace(
                WRITING, text={"type": "rich_text", "elements": [{"type": "text", "text": "é" * 17_000}]}
            ),
            send_names.TEXT,
            "too long",
        ),
    ],
)
def test_each_fault_stands_under_its_field(writing: Writing, field: str, word: str) -> None:
    """One sentence under the field that it is about, and that field is in the form."""
    found = send_forms.faults(writing)

    view = send_form.send_form(STARTED, writing)
    assert [(block_id, word in sentence) for block_id, sentence in found.items()] == [(field, True)]
    assert found.keys() <= {block.get("block_id") for block in view["blocks"]}


@pytest.mark.parametrize(
    "writing",
    [
        WRITING,
        replace(WRITING, text=None),
        replace(WRITING, files=()),
        replace(WRITING, to="", bcc="ana@acme.example"),
        replace(WRITING, to="", cc="ana@acme.example"),
        replace(WRITING, kind=LetterKind.FORWARD, text=None, files=()),
        replace(WRITING, subject=""),
    ],
)
def test_a_form_without_faults_has_none(writing: Writing) -> None:
    """Words or a file are enough, a forwarded mail needs neither, and a subject is nobody's duty."""
    assert send_forms.faults(writing) == {}


def test_what_the_use_case_finds_stands_under_its_field() -> None:
    """Every word it has for a field leads to a block of the form."""
    found = send_forms.under(dict.fromkeys([*send_forms.FIELDS, "elsewhere"], "No."))

    view = send_form.send_form(STARTED, WRITING)
    assert set(found) == {
        block["block_id"] for block in view["blocks"] if block.get("block_id") in send_forms.FIELDS.values()
    }


@pytest.mark.parametrize(
    ("elements", "says"),
    [
        ([], False),
        ([{"type": "rich_text_section", "elements": [{"type": "text", "text": " \n"}]}], False),
        ([{"type": "rich_text_section", "elements": [{"type": "text", "text": "Hi"}]}], True),
        ([{"type": "rich_text_section", "elements": [{"type": "emoji", "name": "wave"}]}], True),
        (
            [{"type": "rich_text_list", "elements": [{"type": "rich_text_section", "elements": [{"type": "user"}]}]}],
            True,
        ),
    ],
)  # fmt: skip
def test_white_space_says_nothing(elements: list[Any], *, says: bool) -> None:
    """A form with nothing but blanks in it has no words; emoji and people are words."""
    assert send_forms.says_something({"type": "rich_text", "elements": elements}) is says


def test_a_draft_is_written_on_as_another_mail() -> None:
    """All of it comes back, under a new id: what is sent from it is not what was undone."""
    sent = send_forms.filled(WRITING)

    found = send_forms.written_on(sent.draft, "another", "e" * 32)

    assert found == replace(WRITING, form_id="another", instead="e" * 32)
    assert sent.file_ids == ("F1", "F2")
    assert (sent.text, sent.message_id, sent.quotes) == (TEXT, "f" * 32, True)


@pytest.mark.parametrize("draft", ["", "[]", "{}", "null", '{"kind":"other"}', '{"kind":"new"}'])
def test_what_is_no_draft_is_not_written_on(draft: str) -> None:
    """Mails that no form made, such as answers to invitations, have none."""
    assert send_forms.written_on(draft, "x") is None


def test_metadata_holds_ids_alone() -> None:
    """Whatever is written, nothing of it is in the view's metadata."""
    found = json.loads(WRITING.metadata())

    assert found == {"form": FORM, "kind": "reply", "message": "f" * 32, "mailbox": "a" * 32}


def test_a_form_that_is_written_on_remembers_from_which_mail() -> None:
    """From one rendering to the next, and as it is sent; it is no part of the draft, whose next form gets another."""
    writing = replace(WRITING, instead="e" * 32)

    back = send_forms.read({"private_metadata": writing.metadata(), "state": {"values": {}}})

    assert back.instead == send_forms.filled(back).instead == "e" * 32
    assert send_forms.draft_of(writing) == send_forms.draft_of(WRITING)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        (Address("Ana Díaz", "ana@acme.example"), "Ana Díaz <ana@acme.example>"),
        (Address("", "ana@acme.example"), "ana@acme.example"),
        (Address("Díaz, Ana", "ana@acme.example"), '"Díaz, Ana" <ana@acme.example>'),
        (Address('A "b, c" \\ team', "a@acme.example"), "\"A 'b, c' \\ team\" <a@acme.example>"),
        (Address("Ana\r\nBcc: x@evil.example", "a@acme.example"), '"Ana Bcc: x@evil.example" <a@acme.example>'),
        (Address("Bo", "bo@xn--bcher-kva.example"), "Bo <bo@bücher.example>"),
    ],
)  # fmt: skip
def test_addresses_are_written_as_people_type_them(address: Address, written: str) -> None:
    """A name with a comma or quotes in it stays one name, and a line break in it is none: it is read again as it was."""
    assert send_forms.addresses([address]) == (written, 0)
    read = recipients.typed(written)
    assert ([one.address for one in read.addresses], read.faults) == ([address.address], ())


def test_many_addresses_fit_the_field() -> None:
    """Names go first, then whole addresses, and how many are left out is known."""
    some = [Address("A long name of somebody " * 3, f"person{n}@acme.example") for n in range(60)]
    many = [Address("", f"somebody.with.a.long.name.{n:04}@department.acme.example") for n in range(200)]

    text, left = send_forms.addresses(some)
    assert (len(text) <= send_forms.FIELD_LIMIT, left, "<" in text, text.count("@")) == (True, 0, False, 60)
    text, left = send_forms.addresses(many)
    assert (len(text) <= send_forms.FIELD_LIMIT, text.count("@") + left) == (True, 200)
    assert left > 0
    assert text.endswith("example")


@settings(max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=16), inner, max_size=3),
        max_leaves=12,
    )
)
def test_whatever_a_payload_holds_is_read_without_harm(found: Any) -> None:
    """Odd payloads give an empty draft, never a crash and never an id that is none."""
    fields = [value for key, value in vars(send_names).items() if key.isupper()]
    keys = ("value", "files", "selected_option", "selected_options", "rich_text_value")
    values = {field: {"x": dict.fromkeys(keys, found)} for field in fields}

    for odd in (values, dict.fromkeys(fields, found), found):
        writing = send_forms.read({"state": {"values": odd}, "private_metadata": found})
        send_forms.faults(writing)
        assert all(file_id for file_id, _ in writing.files)
    send_forms.parse_sending(values)


def settings_state(name: str, signature: str, undo: str) -> dict[str, Any]:
    """The settings as Slack sends them."""
    return {
        send_names.SENDER_NAME: {names.VALUE: {"value": name or None}},
        send_names.SIGNATURE: {names.VALUE: {"value": signature or None}},
        send_names.UNDO_SECONDS: {names.VALUE: {"selected_option": {"value": undo}}},
    }


@pytest.mark.parametrize(
    ("name", "signature", "undo", "field", "word"),
    [
        ("Marta\nBcc: x", "", "10", send_names.SENDER_NAME, "one line"),
        ("M" * 101, "", "10", send_names.SENDER_NAME, "at most 100"),
        ("Marta", "a\x00b", "10", send_names.SIGNATURE, "plain text"),
        ("Marta", "s" * 1001, "10", send_names.SIGNATURE, "at most 1,000"),
        ("Marta", "", "7", send_names.UNDO_SECONDS, "options"),
        ("Marta", "", "", send_names.UNDO_SECONDS, "options"),
    ],
)
def test_what_is_wrong_with_the_settings_stands_under_its_field(
    name: str, signature: str, undo: str, field: str, word: str
) -> None:
    """One sentence under the field that it is about."""
    found = send_forms.parse_sending(settings_state(name, signature, undo))

    assert isinstance(found, dict)
    assert [(block_id, word in sentence) for block_id, sentence in found.items()] == [(field, True)]


def test_settings_are_read() -> None:
    """A signature of several lines keeps them, without blanks at their ends; both texts may be empty."""
    found = send_forms.parse_sending(settings_state(" Marta ", "\nMarta  \r\n\tExample Ltd\n", "0"))

    assert found == SendingForm("Marta", "Marta\n\tExample Ltd", 0)
    assert send_forms.parse_sending(settings_state("", "", "30")) == SendingForm("", "", 30)
