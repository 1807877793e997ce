"""Reports of mail servers and programs become a line that says what happened; nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail.message import parse
from bot.mail.special import Action
from bot.slack.cards import reports, status_words
from tests.unit.special import reports as written


@pytest.mark.parametrize(
    ("mail", "line"),
    [
        (written.POSTFIX, "Not delivered to bob@x.example: mailbox full (5.2.2)"),
        (written.POSTFIX_DELAY, "Not yet delivered to bob@x.example: the receiving server does not answer (4.4.1). The server keeps trying."),
        (written.GMAIL, "Not delivered to nobody@x.example: no such mailbox (5.1.1)"),
        (written.EXCHANGE, "Not delivered to carol@x.example: no such mailbox, or its domain takes no mail (5.1.10)"),
        (written.EXIM, "Not delivered to bob@x.example: no such mailbox"),
        (written.QMAIL, "Not delivered to bob@x.example: the receiving system does not allow this message (5.7.1)"),
        (written.SENDMAIL_DELAY, "Not yet delivered to bob@x.example: the receiving server does not answer. The server keeps trying."),
    ],
    ids=["Postfix", "Postfix delay", "Gmail", "Exchange", "Exim", "qmail", "sendmail delay"],
)  # fmt: skip
def test_report(mail: bytes, line: str) -> None:
    """Whom it was not delivered to and why, in words and with the code that the server gave."""
    assert reports.summary(parse(mail).special) == line


def test_original() -> None:
    """A report leads to the mail it is about, by its subject and its id."""
    by_part = parse(written.POSTFIX).special.delivery
    by_text = parse(written.EXIM).special.delivery

    assert by_part is not None
    assert by_text is not None
    assert (by_part.subject, by_part.message_id) == ("Café at noon", "1@home.example")
    assert (by_text.subject, by_text.message_id) == ("Plans", "2@home.example")


def test_every_recipient() -> None:
    """Each recipient of a report is there with its own outcome."""
    groups = "".join(
        f"\nFinal-Recipient: rfc822; p{number}@x.example\nAction: {action}\nStatus: {code}\n"
        for number, (action, code) in enumerate(
            [
                ("failed", "5.1.1"),
                ("delayed", "4.2.2"),
                ("delivered", "2.0.0"),
                ("relayed", "2.0.0"),
                ("expanded", "2.0.0"),
            ]
        )
    )
    report = parse(written.dsn("x", "Reporting-MTA: dns; x\n" + groups)).special.delivery

    assert report is not None
    assert [each.action for each in report.recipients] == list(Action)
    assert report.count == 5


@pytest.mark.parametrize(
    "mail",
    [
        b"From: bob@x.example\nSubject: Mail delivery failed yesterday\n\nDid you get it? ada@home.example could not be reached.",
        b"From: newsletter@bounce.example.com\nSubject: Our news\nReturn-Path: <x@bounce.example.com>\n\nWrite to a@b.example",
        b"From: postmaster@x.example\nSubject: Maintenance on Sunday\nAuto-Submitted: auto-replied\n\nWrite to help@x.example",
        b"From: bob@x.example\nSubject: user unknown\n\n550 5.1.1",
    ],
)
def test_no_report(mail: bytes) -> None:
    """What people write about failed mail is no report."""
    assert parse(mail).special.delivery is None


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("displayed", "bob@x.example has opened your message."),
        ("deleted", "bob@x.example has deleted your message without opening it."),
        ("dispatched", "bob@x.example has passed your message on."),
        ("strange/error", "bob@x.example has sent a receipt for your message."),
    ],
)
def test_receipt(word: str, line: str) -> None:
    """A receipt is one sentence, and knows the message it is for."""
    special = parse(written.RECEIPT.replace(b"displayed", word.encode())).special

    assert reports.summary(special) == line
    assert special.receipt is not None
    assert special.receipt.message_id == "1@home.example"


@pytest.mark.parametrize(
    ("fields", "is_automatic"),
    [
        ("Auto-Submitted: auto-replied", True),
        ("Auto-Submitted: auto-replied (vacation)", True),
        ("Auto-Submitted: auto-generated\nSubject: Automatic reply: Plans", True),
        ("X-Auto-Response-Suppress: All\nSubject: Automatische Antwort: Plans", True),
        ("Precedence: auto_reply", True),
        ("X-Autoreply: yes", True),
        ("In-Reply-To: <1@home.example>\nSubject: Out of office: Plans", True),
        ("Auto-Submitted: auto-generated\nSubject: Your order", False),
        ("Auto-Submitted: no\nSubject: Plans", False),
        ("X-Autoreply: no", False),
        ("Subject: Out of office party", False),
    ],
)
def test_automatic_reply(fields: str, is_automatic: bool) -> None:  # noqa: FBT001 - a column of the table
    """An answer of a machine is told from a letter and from other mail of machines."""
    assert parse(f"From: bob@x.example\n{fields}\n\nx".encode()).special.is_automatic_reply is is_automatic


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("5.1.1", "no such mailbox"),
        ("4.2.2", "mailbox full"),
        ("5.7.999", "the receiving system refuses the message"),
        ("5.0.0", ""),
        ("5.9.9", ""),
        ("", ""),
        ("5.x.y", ""),
        ("5.01.01", "no such mailbox"),
    ],
)
def test_code(code: str, words: str) -> None:
    """A code reads as what it means, or as its family does; one that says nothing adds nothing."""
    assert status_words.meaning(code) == words


@given(st.text(max_size=400), st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_never_raises(text: str, status: str, original: str) -> None:
    """No report makes the reader or the words fail."""
    for mail in (
        written.prose(text.encode("utf-8", "replace").decode()),
        written.dsn("x", "Final-Recipient: rfc822; a@b\n"),
    ):
        reports.summary(parse(mail).special)
    octets = written.dsn(
        *(
            each.encode("utf-8", "replace").decode()
            for each in (text, f"\nFinal-Recipient: {status}\nAction: {status}", original)
        )
    )
    reports.summary(parse(octets).special)
