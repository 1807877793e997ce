"""The views of sending: within Slack's limits whatever is typed, in words, and nothing of it is live."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.filled import Checked, SendingSettings
from bot.mail.content import Address
from bot.mail.letters import LetterKind
from bot.mail.special import Answer
from bot.mail.text import units
from bot.sandbox.slack import validate
from bot.slack import blocks, names, send_forms, send_names
from bot.slack.views import send_form, sent
from storage.sending import OutgoingState, Recipient, RecipientField
from tests.unit import kit
from tests.unit.samples import NOW
from tests.unit.send_samples import FORM, LETTER, OUTGOING, OWN, SHARED, STARTED, TEXT, payload, started
from tests.unit.test_views import NASTY

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.filled import Started
    from bot.slack.send_forms import Writing

SETTINGS = SendingSettings("a" * 32, "marta@work.example", "Marta Ruiz", "Marta Ruiz\nExample Ltd", 10)


def writing(found: Started) -> Writing:
    """The form as it is opened."""
    return send_forms.begun(found, FORM)


def form(found: Started = STARTED) -> dict[str, Any]:
    """The view as it is opened."""
    return send_form.send_form(found, writing(found))


SAMPLES: dict[str, dict[str, Any]] = {
    **{kind.value: form(started(kind)) for kind in LetterKind},
    "single_sender": form(replace(started(LetterKind.NEW), senders=(OWN,))),
    "shared_sender": form(replace(started(LetterKind.NEW), sender=SHARED)),
    "again": send_form.send_form(
        STARTED,
        replace(writing(STARTED), files=(("F1", "plan.pdf"),), quotes=False, text={"type": "rich_text", "elements": []}),
        said=sent.not_saved("The files are larger than 18 MB together."),
        checked=Checked(LETTER.recipients[:1]),
    ),
    "no_files": send_form.without_files(form()),
    "saving": sent.saving("Reply"),
    "saved": sent.saved(OUTGOING, NOW),
    "saved_at_once": sent.saved(replace(OUTGOING, due_at=NOW), NOW),
    "saved_held": sent.saved(replace(OUTGOING, state=OutgoingState.HELD, due_at=None), NOW),
    "too_late": sent.too_late(replace(OUTGOING, state=OutgoingState.SENT)),
    "undone": sent.undone_view(OUTGOING.id, is_own=True),
    "undone_by_owner": sent.undone_view(OUTGOING.id, is_own=False),
    "refused": sent.refused("This is not shared with you, or not any more.", replace(writing(STARTED), text=TEXT)),
    "nothing_to_send_from": sent.nothing_to_send_from(),
    "only_receives": sent.only_receives("a" * 32, "U0MARTA004", is_own=True),
    "only_receives_shared": sent.only_receives("a" * 32, "U0KENJI005", is_own=False),
    "settings": sent.sending_form(SETTINGS),
    "settings_saved": sent.sending_saved(SETTINGS),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_views_are_as_they_were_read(name: str, assert_stored: Callable[[str, Any], None]) -> None:
    """Every view is what somebody looked at, and Slack takes it."""
    validate.view(SAMPLES[name], "modal")
    assert_stored(f"sending/{name}", SAMPLES[name])


@pytest.mark.parametrize("part", [Answer.ACCEPTED, Answer.TENTATIVE, Answer.DECLINED])
def test_the_answer_to_an_invitation_is_said_and_can_be_undone(part: Answer) -> None:
    """What was answered, when it goes out, and the way back; a second press is told that it was said before."""
    said = sent.responded(part, OUTGOING, NOW)
    again = sent.responded(part, replace(OUTGOING, state=OutgoingState.SENT), NOW)
    held = sent.responded(part, replace(OUTGOING, state=OutgoingState.HELD, due_at=None), NOW)

    assert not kit.faults(said)
    assert "in 10 seconds" in said["text"]
    assert said["blocks"][-1]["elements"][0]["value"] == OUTGOING.id
    assert "already" in again["text"]
    assert "password" in held["text"]
    assert len(again["blocks"]) == 1


@settings(max_examples=100)
@given(NASTY, st.sampled_from(LetterKind))
def test_nothing_that_came_or_was_typed_is_live(text: str, kind: LetterKind) -> None:
    """Names, subjects, quotes, signatures, file names and domains of any kind fit and stay words."""
    sender = replace(OWN, name=text, address=f"{text}@x.example", sender_name=text, signature=text * 10)
    found = replace(
        started(kind),
        sender=sender,
        senders=(sender, SHARED),
        attachments=((text, 10),) * 3,
        new_domains=frozenset({text, f"{text}x"}),
        answered=replace(started(kind).answered, to=(Address(text, "a@b.example"),), quote=text * 40, subject=text),
    )  # fmt: skip
    written = replace(writing(found), files=(("F1", text), ("F2", text)))

    view = send_form.send_form(found, written, said=sent.not_saved(text))

    validate.view(view, "modal")
    assert [fault for fault in kit.faults(view) if not re.search(r"<@U0(KENJI005|MARTA004)>", fault)] == []


def test_what_comes_back_fits_its_fields_however_slack_counts() -> None:
    """An initial value longer than its field is an error for the whole view; an emoji counts as two."""
    waves = replace(OWN, sender_name="👋" * 100, signature="👋" * 1000)
    people = tuple(Address("👋" * 60, f"person{number}@acme.example") for number in range(100))
    found = replace(STARTED, answered=replace(STARTED.answered, to=people))
    written = replace(writing(found), cc="👋" * 3000, subject="👋" * 900)
    chosen = SendingSettings("a" * 32, "marta@work.example", waves.sender_name, waves.signature, 10)

    fields = [
        block["element"]
        for view in (send_form.send_form(found, written), sent.sending_form(chosen))
        for block in view["blocks"]
        if block["type"] == "input" and "max_length" in block["element"]
    ]

    assert all(units(field.get("initial_value", "")) <= field["max_length"] for field in fields)
    assert written.to.count("@") == 100


def test_too_many_recipients_are_said_before_the_form_is_sent() -> None:
    """Also of an answer to all, which nobody has touched yet; and one long file name does not hide the others."""
    people = tuple(Address("", f"person{number}@acme.example") for number in range(101))
    found = replace(started(LetterKind.FORWARD), attachments=(("long" * 60 + ".pdf", 1), ("b.txt", 1)))
    crowd = replace(STARTED, answered=replace(STARTED.answered, to=people, cc=()))

    assert "✗ 101 recipients: an e-mail can go to 100 at most." in " ".join(kit.texts(form(crowd)))
    assert "…, b.txt" in " ".join(kit.texts(form(found)))


def test_a_long_original_says_how_much_more_of_it_goes_along() -> None:
    """Its beginning is shown, by whole lines."""
    quote = "\n".join(f"> Line {number} <a> & more of it" for number in range(1500))
    found = replace(STARTED, answered=replace(STARTED.answered, quote=quote))

    folded = form(found)["blocks"][-1]["elements"][0]["text"]

    assert folded.startswith("> Line 0 <a>")
    assert re.search(r"more of it\n… and 1,4\d\d more lines$", folded)


def test_the_largest_form_that_may_be_sent_can_be_shown_again() -> None:
    """Slack refuses a view above 250 KB: of a hundred senders, full fields and the longest text it comes back all the same."""
    senders = tuple(
        replace(SHARED, mailbox_id=f"{n:032x}", name="Ж" * 75, signature="Ж" * 1000) for n in range(101)
    )
    found = replace(STARTED, sender=senders[0], senders=senders)
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": "Ж" * 16_000}]}
    full = "Ж" * 3000
    files = tuple((f"F{number}", "Ж" * 255) for number in range(10))
    written = replace(
        writing(found), to=full, cc=full, bcc=full, subject="Ж" * 900, files=files,
        text={"type": "rich_text", "elements": [section]},
    )  # fmt: skip

    view = send_form.send_form(found, written, said=sent.undone())

    assert send_forms.faults(written) == {}
    assert len(json.dumps(view)) < 250_000
    longer = {**section, "elements": [{"type": "text", "text": "Ж" * 17_000}]}
    assert send_forms.faults(replace(written, text={"type": "rich_text", "elements": [longer]}))


def test_what_was_written_is_copied_whole() -> None:
    """Every character of it, to whom, about what and which files, in pieces that Slack takes; the DM says what is missing."""
    words = " ".join(f"👋&<{number}>" for number in range(2000))
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}
    text = {"type": "rich_text", "elements": [section]}
    written = replace(writing(STARTED), text=text, files=(("F1", "plan.pdf"),))

    view = sent.refused("No.", written)
    told = sent.told_not_sent("No.", written)

    copied = " ".join(block["text"]["text"] for block in view["blocks"][2:] if block["type"] == "section")
    assert copied.endswith(words)
    assert "Ana Díaz" in copied
    assert "plan.pdf" in copied
    assert "The rest is too long" in str(told["blocks"][-1])
    assert blocks.weight(told["blocks"]) < 12_000


def test_a_decision_that_somebody_else_was_quicker_with_says_how_it_stands() -> None:
    """On a second device the buttons of before are still there; neither says what is not true."""
    gone = replace(OUTGOING, state=OutgoingState.SENT)
    again = replace(OUTGOING, state=OutgoingState.WAITING)
    unknown = replace(OUTGOING, state=OutgoingState.UNKNOWN)

    assert sent.sent_again(again) == sent.ON_ITS_WAY_AGAIN
    assert "has taken it" in sent.sent_again(gone)
    assert sent.left(unknown) == sent.LEFT
    assert "once more" in sent.left(again)
    assert "has taken it" in sent.left(gone)


@settings(max_examples=50)
@given(NASTY)
def test_what_came_of_it_is_not_live_either(text: str) -> None:
    """Recipients, subject and settings of any kind."""
    letter = replace(
        LETTER, subject=text, recipients=tuple(Recipient(f"{text}{n}", RecipientField.TO) for n in range(9))
    )
    chosen = replace(SETTINGS, sender_name=text, signature=text, address=text)

    for view in (
        sent.saved(replace(OUTGOING, letter=letter), NOW),
        sent.sending_form(chosen),
        sent.sending_saved(chosen),
        sent.nothing_to_send_from(called=text),
    ):
        validate.view(view, "modal")
        assert kit.faults(view) == []


@settings(max_examples=50)
@given(NASTY)
def test_what_was_written_is_given_back_in_plain_words(text: str) -> None:
    """Nobody who is mentioned in it hears of it; however long it is, it fits."""
    element = {"type": "rich_text_section", "elements": [
        {"type": "text", "text": text * 300}, {"type": "user", "user_id": "U0KENJI005"}, {"type": "broadcast", "range": "here"},
    ]}  # fmt: skip
    written = replace(writing(STARTED), text={"type": "rich_text", "elements": [element]})

    view, said = sent.refused(text, written), sent.told_not_sent(text, written)

    validate.view(view, "modal")
    assert kit.faults(view) == []
    assert kit.faults(said) == []
    assert "U0KENJI005" not in str(said)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (LetterKind.NEW, []),
        (LetterKind.REPLY, [send_names.QUOTES]),
        (LetterKind.REPLY_ALL, [send_names.QUOTES]),
        (LetterKind.FORWARD, [send_names.PASSES_ON]),
    ],
)
def test_what_goes_along_is_offered_and_ticked(kind: LetterKind, shown: list[str]) -> None:
    """An answer quotes the original, a forwarded message brings its files, unless its sender unticks it."""
    view = form(started(kind))

    boxes = [block for block in view["blocks"] if block.get("element", {}).get("type") == "checkboxes"]
    assert [block["block_id"] for block in boxes] == shown
    assert all(block["element"]["initial_options"] for block in boxes)
    assert ("Shall we meet" in " ".join(kit.texts(view))) == (kind is not LetterKind.NEW)
    assert ("Pass on its 2 attachments (1.2 MB)" in kit.texts(view)) == (kind is LetterKind.FORWARD)


@pytest.mark.parametrize(
    ("checked", "words"),
    [
        (Checked(()), ["Put commas between several addresses."]),
        (Checked(LETTER.recipients[:1]), ["1 recipient."]),
        (Checked(LETTER.recipients), ["2 recipients."]),
        (
            Checked((), {RecipientField.CC: "“foo@” is not an address."}),
            ["✗ Cc: “foo@” is not an address."],
        ),
        (
            Checked(LETTER.recipients, new_domains=frozenset({"acme.example"})),
            [
                "2 recipients.",
                "⚠ First e-mail from this mailbox to acme.example: check the spelling.",
            ],
        ),
        (
            Checked(LETTER.recipients, new_domains=frozenset(f"{n}.example" for n in range(7))),
            [
                "2 recipients.",
                "⚠ First e-mail from this mailbox to 0.example, 1.example, 2.example, 3.example, 4.example and 2 more: check the spelling.",
            ],
        ),
    ],
)
def test_what_is_known_of_recipients_is_said_beneath_them(checked: Checked, words: list[str]) -> None:
    """How many they are, what cannot be read, and to whom nobody wrote before."""
    assert kit.texts([send_form.check_block(checked)]) == words


UNREAD = "says that it does not read answers."


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        (["no-reply@acme.example"], f"⚠ no-reply@acme.example {UNREAD}"),
        (["ana@acme.example", "noreply@x.example"], f"⚠ noreply@x.example {UNREAD}"),
        (
            ["noreply@x.example", "donotreply@y.example", "no.reply@z.example"],
            "⚠ noreply@x.example and 2 more say that they do not read answers.",
        ),
    ],
)
def test_who_reads_no_answers_is_said(addresses: list[str], words: str) -> None:
    """In the form as it is opened, and while it is typed."""
    answered = replace(STARTED.answered, to=tuple(Address("", each) for each in addresses), cc=())
    recipients = tuple(Recipient(each, RecipientField.TO) for each in addresses)

    view = form(replace(STARTED, answered=answered))

    validate.view(view, "modal")
    assert words in kit.texts(view)
    assert words in kit.texts([send_form.check_block(Checked(recipients))])


def test_an_answer_to_a_program_says_that_nobody_is_named() -> None:
    """The field is empty on purpose."""
    answered = replace(STARTED.answered, to=(), cc=(), is_automatic=True)

    for kind, is_said in ((LetterKind.REPLY, True), (LetterKind.FORWARD, False)):
        view = form(replace(STARTED, kind=kind, answered=answered))
        validate.view(view, "modal")
        assert any("A program sent this message" in text for text in kit.texts(view)) == is_said


def test_a_part_is_drawn_anew_and_the_rest_stays() -> None:
    """Who sends, what is added and what is known of recipients change; no field does, so Slack keeps what was typed."""
    view = payload(form())

    blocks = send_form.put(
        view["blocks"],
        send_form.sender_block(SHARED),
        send_form.signature_block(SHARED),
        send_form.checked_block(3),
    )
    after = send_form.as_sent(view, blocks)

    validate.view(after, "modal")
    assert len(blocks) == len(view["blocks"])
    assert [b for b in blocks if b["type"] == "input"] == [b for b in view["blocks"] if b["type"] == "input"]
    assert {"3 recipients.", "support@work.example"} <= set(kit.texts(after))
    assert after["private_metadata"] == view["private_metadata"]


def test_a_hundred_senders_fit() -> None:
    """Slack takes a hundred options; the one that is chosen is among them."""
    many = tuple(replace(OWN, mailbox_id=f"{n:032}") for n in range(250))
    view = form(replace(STARTED, senders=many, sender=many[200]))

    validate.view(view, "modal")
    select = next(b["element"] for b in view["blocks"] if b.get("block_id") == send_names.FROM)
    assert len(select["options"]) == 100
    assert select["initial_option"]["value"] == many[200].mailbox_id


def test_recipients_that_do_not_fit_are_counted() -> None:
    """A reply to a thousand people says how many it leaves out."""
    many = tuple(Address("", f"somebody.with.a.long.name.{n:04}@department.acme.example") for n in range(200))
    view = form(replace(started(LetterKind.REPLY_ALL), answered=replace(STARTED.answered, to=many)))

    validate.view(view, "modal")
    assert any("more recipients of the original do not fit" in text for text in kit.texts(view))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (OutgoingState.SENDING, "too late"),
        (OutgoingState.SENT, "too late"),
        (OutgoingState.UNKNOWN, "did not say"),
        (OutgoingState.FAILED, "nothing to undo"),
        (OutgoingState.UNDONE, "undone already"),
        (OutgoingState.WAITING, "some of its recipients have it"),
    ],
)
def test_undo_that_comes_too_late_says_why(state: OutgoingState, words: str) -> None:
    """Every state has its words, and none of them a second Undo."""
    view = sent.too_late(replace(OUTGOING, state=state))
    after = sent.saved(replace(OUTGOING, state=state), NOW)

    assert words in " ".join(kit.texts(view))
    has_undo = names.OUTGOING_UNDO in str(after["blocks"])
    assert has_undo == (state is OutgoingState.WAITING)
