"""What an answer quotes, and what is passed on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.mail import answering, plain_text, quotes
from bot.mail.content import Address
from bot.mail.letters import LetterKind
from bot.mail.quotes import Relation
from tests.unit.test_answering import DATE, EMPTY, OWN

if TYPE_CHECKING:
    from datetime import datetime


@pytest.mark.parametrize(
    ("sender", "date", "line"),
    [
        (Address("Ana Lima", "ana@x.example"), DATE, "On Mon, 3 Aug 2026 at 10:12, Ana Lima wrote:"),
        (Address("", "ana@x.example"), DATE, "On Mon, 3 Aug 2026 at 10:12, ana@x.example wrote:"),
        (Address("Ana Lima", "ana@x.example"), None, "Ana Lima wrote:"),
        (None, DATE, "On Mon, 3 Aug 2026 at 10:12, somebody wrote:"),
        (None, None, "Somebody wrote:"),
    ],
)
def test_a_quote_says_whose_words_it_holds(sender: Address | None, date: datetime | None, line: str) -> None:
    """And when they were written, by the writer's own clock, as far as the mail says so."""
    original = replace(EMPTY, sender=sender, date=date, text="Hello")

    assert answering.answered(LetterKind.REPLY, original).quote == f"{line}\n> Hello"


def test_quoted_lines_are_marked_one_level_deeper() -> None:
    """Marks stand together, blank lines have no space behind theirs, indented lines stay indented."""
    text = "a\n\n> b\n>> c\n> > d\n>\n    code\n>>e"

    quote = answering.answered(LetterKind.REPLY, replace(EMPTY, text=text)).quote

    assert quote.split("\n")[1:] == ["> a", ">", ">> b", ">>> c", ">>> d", ">>", ">     code", ">>> e"]


@pytest.mark.parametrize("date", [DATE, None])
def test_what_we_quote_we_fold_again(date: datetime | None) -> None:
    """An answer to our answer shows its own words alone."""
    original = replace(EMPTY, sender=Address("Ana", "ana@x.example"), date=date, text="Old words")
    quote = answering.answered(LetterKind.REPLY, original).quote

    fold = quotes.folded([plain_text.parsed(f"New words\n\n{quote}\n")], Relation.REPLY)

    assert "Old" not in fold.shown[0].full
    assert fold.has_history


def test_a_forwarded_mail_stands_below_its_header() -> None:
    """As it is, without marks: it is content."""
    original = replace(
        EMPTY,
        subject="Tea",
        date=DATE,
        sender=Address("Ana", "ana@x.example"),
        to=(Address("", "b@x.example"), Address("", "", "Team")),
        cc=(Address("C", "c@x.example"),),
        text="Hello\n> old",
    )

    assert answering.answered(LetterKind.FORWARD, original, OWN).quote.split("\n") == [
        "---------- Forwarded message ----------",
        "From: Ana <ana@x.example>",
        "Date: Mon, 3 Aug 2026 at 10:12 +0100",
        "Subject: Tea",
        "To: b@x.example, Team",
        "Cc: C <c@x.example>",
        "",
        "Hello",
        "> old",
    ]


def test_a_mail_without_text_is_not_quoted() -> None:
    """There is nothing to say whose words they are."""
    assert answering.answered(LetterKind.REPLY, replace(EMPTY, is_cut=True)).quote == ""


@pytest.mark.parametrize("text", ["word " * 30_000, "line\n" * 30_000, "x" * 99_000, "😀" * 49_999])
def test_a_long_quote_ends_and_says_so(text: str) -> None:
    """Its last line tells that there was more, and what stands before it is the beginning."""
    quote = answering.answered(LetterKind.REPLY, replace(EMPTY, text=text)).quote

    assert len(quote) <= answering.QUOTE_UNITS
    assert quote.split("\n")[-1] == answering.CUT
    assert len(quote.encode("utf-16-le")) // 2 > answering.QUOTE_UNITS - 100


def test_a_cut_original_is_said_to_be() -> None:
    """In an answer and in a forwarded mail alike."""
    original = replace(EMPTY, text="Hello", is_cut=True)

    assert answering.answered(LetterKind.REPLY, original).quote.endswith(f"\n> Hello\n{answering.CUT}")
    assert answering.answered(LetterKind.FORWARD, original).quote.endswith(f"\nHello\n\n{answering.CUT}")
