"""Pages of a message: all of it is there, and each page fits a modal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import message
from bot.mail.lines import Kind, Line, Run
from bot.sandbox.slack import validate
from bot.slack import pages, views
from bot.slack.names import HEADERS_SHOWN, WHOLE_TEXT
from tests.fakes.block_rules import visible

ID = "018f0c0ffee00123456789abcdef0123"
HEAD = b"From: =?utf-8?q?Andr=C3=A9?= <Andre@X.example>\nSubject: =?utf-8?q?Caf=C3=A9?=\nX-Loop: a\n\n"

LETTER = b"".join(b"Paragraph %d: %b\n\n" % (number, b"many words of a letter " * 10) for number in range(80))
HOSTILE = {
    "one word": b"x" * 40_000,
    "emoji": "👩‍👩‍👧".encode() * 4000,
    "quotes": b"> deep\n" * 9000 + b"> " * 300 + b"deeper\n",
    "blank": b"\n" * 50_000 + b"end",
    "mentions": b"<!channel> <@U123> @here :tada:\n" * 500,
    "links": b"".join(b"https://host%d.example/path/%b\n" % (n, b"y" * 80) for n in range(300)),
}


def everything(octets: bytes) -> list[Any]:
    """Every page of a message's text."""
    mail = message.parse(octets)
    first = pages.text_page(mail, 0)
    return [pages.text_page(mail, number) for number in range(first.pages)]


@pytest.mark.parametrize("body", [LETTER, *HOSTILE.values()], ids=["letter", *HOSTILE])
def test_every_page_is_a_modal_that_slack_takes(body: bytes) -> None:
    """Whatever a mail holds, each view passes the strictest reading of Slack's limits."""
    found = everything(HEAD + body)

    for number, read in enumerate(found):
        view = views.page(WHOLE_TEXT, ID, read, number)
        validate.view(view, "modal")
        assert len(visible(view["blocks"])) < 9000
        assert len(json.dumps(view)) < 250_000


def test_the_pages_together_hold_every_paragraph_once() -> None:
    """Nothing is lost or repeated where a page ends."""
    shown = "\n".join(visible(page.blocks) for page in everything(HEAD + LETTER))

    assert [shown.count(f"Paragraph {number}:") for number in range(80)] == [1] * 80


def test_a_page_past_the_end_is_the_last_one() -> None:
    """A button pressed after the text was read anew leads somewhere."""
    mail = message.parse(HEAD + LETTER)
    last = pages.text_page(mail, 0).pages - 1

    assert pages.text_page(mail, 10_000) == pages.text_page(mail, last)


def test_headers_are_readable_and_complete() -> None:
    """Every field in its order, encoded words decoded, names as mails write them."""
    octets = HEAD.replace(b"\n\n", b"\nMessage-ID: <1@x>\nMIME-Version: 1.0\nX-Loop: b\n\n")

    read = pages.fields_page(message.header_fields(octets), 0)

    validate.view(views.page(HEADERS_SHOWN, ID, read, 0), "modal")
    assert visible(read.blocks).splitlines() == [
        "From: André <Andre@X.example>",
        "Subject: Café",
        "X-Loop: a",
        "Message-ID: <1@x>",
        "MIME-Version: 1.0",
        "X-Loop: b",
    ]


def test_a_message_without_text_or_header_says_so() -> None:
    """An empty page would be refused by Slack."""
    assert "no text" in visible(pages.text_page(message.parse(HEAD), 0).blocks)
    assert "no header" in visible(pages.fields_page([], 0).blocks)


def test_the_label_names_sender_and_subject() -> None:
    """And the address is one that can be compared."""
    read = pages.label(message.parse_header(HEAD))

    assert (read.text, read.sender) == ("André: Café", "andre@x.example")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=120), max_size=40), st.integers(300, 2000))
def test_paging_keeps_all_text_in_order(texts: list[str], limit: int) -> None:
    """For any lines and any size of page."""
    lines = [Line((Run(text),) if text else (), Kind.TEXT) for text in texts]

    found = pages.paged(lines, limit)

    words = "".join(line.text for page in found for line in page).split()
    assert words == "".join(texts).split() or not any(text.strip() for text in texts)
