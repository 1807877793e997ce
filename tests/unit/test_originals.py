"""What an answer is told of the mail it answers: all of it, decoded and bounded, whatever the mail is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.mail import message, originals, recipients, render_child
from bot.mail.content import Address, Arrival, Rendered
from bot.mail.frames import Mode, Request
from bot.mail.letters import Original
from storage.records import Shape

HEAD = b"From: a@x.example\nSubject: x\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n"
PAGE = (
    b"Content-Type: text/html\n\n<p>Read <a href='https://x.example/page'>this</a> <img src='https://t.example/1.gif' "
    b"width=1 height=1><div style='display:none'>hidden</div></p><blockquote>old</blockquote>"
)


def read(octets: bytes, mode: Mode = Mode.ORIGINAL, shape: Shape = Shape.WHOLE, own: str = "") -> Rendered:
    """What the render child makes of a mail."""
    arrival = Arrival(shape, len(octets), datetime(2026, 8, 3, tzinfo=UTC), None, own)
    return render_child.rendered(Request(octets, arrival, mode))


def original(octets: bytes, shape: Shape = Shape.WHOLE) -> Original:
    """What an answer needs of a mail."""
    found = read(octets, shape=shape).original
    assert found is not None
    return found


def part(name: str, octets: bytes) -> bytes:
    """An attachment."""
    head = f"--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename={name}\n"
    return head.encode() + b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(octets) + b"\n"


def test_fields_are_decoded() -> None:
    """Names, ids, the date in the mail's own zone, and where answers are wanted."""
    found = original(
        b"From: =?utf-8?q?Andr=C3=A9?= <andre@x.example>\nTo: b@x.example, Team: c@x.example;\nCc: Nobody:;\n"
        b"Reply-To: r@x.example\nMail-Followup-To: list@l.example,\n d@x.example\nDate: Mon, 3 Aug 2026 10:12:00 +0530\n"
        b"List-Post: <https://l.example/post>, <mailto:list%2Bpost@l.example?subject=x>\nSubject: =?utf-8?q?Caf=C3=A9?=\n"
        b"Message-ID: <3@x>\nIn-Reply-To: <2@x>\nReferences: <1@x>\n <2@x>\n\nHello\n"
    )

    assert found == Original(
        message_id="3@x",
        in_reply_to="2@x",
        references=("1@x", "2@x"),
        subject="Café",
        date=datetime(2026, 8, 3, 10, 12, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        sender=Address("André", "andre@x.example"),
        reply_to=(Address("", "r@x.example"),),
        to=(Address("", "b@x.example"), Address("", "c@x.example")),
        cc=(Address("", "", "Nobody"),),
        followup_to=(Address("", "list@l.example"), Address("", "d@x.example")),
        list_post="list+post@l.example",
        text="Hello",
        is_cut=False,
        attachments=(),
    )
    assert found.date is not None
    assert found.date.utcoffset() == timedelta(hours=5, minutes=30)


@pytest.mark.parametrize(
    "field", ["NO", "NO (closed)", "<https://l.example>", "list@l.example", "<mailto:>", ""]
)
def test_a_list_that_takes_no_mail_has_no_address(field: str) -> None:
    """Whether it says so or names none that mail can go to."""
    assert original(HEAD + f"List-Post: {field}\n\nx".encode()).list_post == ""


def test_a_page_is_quoted_as_a_reader_saw_it() -> None:
    """Links with where they lead, quotes with marks; neither hidden words nor pictures that report back."""
    assert original(HEAD + PAGE).text.split("\n") == ["Read this <https://x.example/page>", "", "> old"]


@pytest.mark.parametrize("shape", [Shape.TOP, Shape.REFUSED])
def test_of_a_mail_that_is_not_whole_the_header_is_told(shape: Shape) -> None:
    """It can be answered, and says that its text is not there."""
    found = original(HEAD + b"Message-ID: <1@x>\n\nThe beginning", shape)

    assert (found.text, found.is_cut, found.message_id) == ("", True, "1@x")


def test_everything_is_bounded() -> None:
    """A huge mail makes an original that crosses the pipe, and says that it is cut."""
    many = ", ".join(f"a{number}@x.example" for number in range(300))
    ids = " ".join(f"<{number}@x>" for number in range(300))
    found = original(
        f"From: a@x.example\nTo: {many}\nCc: {many}\nReply-To: {many}\nMail-Followup-To: {many}\nReferences: {ids}\n\n".encode()
        + "😀 ".encode() * 50_000
    )

    assert [len(some) for some in (found.to, found.cc, found.reply_to, found.followup_to)] == [
        originals.ADDRESSES
    ] * 4
    assert originals.ADDRESSES > recipients.ADDRESSES
    assert len(found.references) == message.REFERENCES
    assert found.is_cut
    assert 90_000 < len(found.text.encode("utf-16-le")) // 2 <= originals.TEXT_UNITS


def test_a_long_plain_text_is_not_called_cut() -> None:
    """A post shows no line of that length whole; an answer quotes it."""
    found = original(HEAD + b"\n" + b"word " * 2000)

    assert (len(found.text), found.is_cut) == (10_000, False)


def test_reports_and_mail_of_an_empty_sender_are_automatic() -> None:
    """Nobody waits for an answer to them."""
    report = (
        HEAD
        + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nNot delivered\n"
        b"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x.example\n\n"
        b"Final-Recipient: rfc822; b@x.example\nAction: failed\nStatus: 5.1.1\n--b--\n"
    )

    assert original(report).is_automatic
    assert original(b"Return-Path: < >\n" + HEAD + b"\nx").is_automatic
    assert not original(b"Return-Path: <a@x.example>\n" + HEAD + b"\nx").is_automatic
    assert not original(HEAD + b"\nx").is_automatic


def test_attachments_are_named_and_go_on() -> None:
    """Each with its name, type and octets; one without octets too."""
    octets = MIXED + b"--b\n\nHello\n" + part("a.pdf", b"one") + part("b.pdf", b"") + b"--b--\n"

    files = read(octets, Mode.FILES)

    assert original(octets).attachments == (("a.pdf", 3), ("b.pdf", 0))
    assert [(each.name, each.type, each.octets) for each in files.files] == [
        ("a.pdf", "application/pdf", b"one"),
        ("b.pdf", "application/pdf", b""),
    ]
    assert files.left_out == ()


def test_a_file_of_no_type_goes_on() -> None:
    """A type that no header can hold keeps nothing from being forwarded: the name tells it, or nothing."""
    octets = MIXED + part("a.pdf", b"one") + part("b", b"two") + b"--b--\n"

    files = read(octets.replace(b"application/pdf", b"appli\0cation/\xff"), Mode.FILES).files

    assert [(each.type, each.octets) for each in files] == [
        ("application/pdf", b"one"),
        ("application/octet-stream", b"two"),
    ]


def test_files_over_the_bound_stay_behind_and_are_named() -> None:
    """Those that still fit go on."""
    large = originals.FILES_OCTETS - 7
    octets = (
        MIXED + part("a.pdf", b"x" * 8) + part("b.pdf", b"y" * large) + part("c.pdf", b"z" * 8) + b"--b--\n"
    )

    files = read(octets, Mode.FILES)

    assert [each.name for each in files.files] == ["a.pdf", "c.pdf"]
    assert files.left_out == (("b.pdf", large),)


@pytest.mark.parametrize(
    ("header", "may"),
    [
        (b"From: a@x.example\nTo: me@own.example\n", False),
        (b"From: a@x.example\nTo: me@own.example, b@x.example\n", True),
        (b"From: a@x.example\nTo: ME+tag@own.example\n", False),
        (b"From: a@x.example\nTo: list@l.example\nReply-To: list@l.example\n", False),
        (b"Return-Path: <>\nFrom: a@x.example\nTo: b@x.example\n", False),
        (b"no header", False),
    ],
)
def test_a_post_says_whether_there_are_others_to_answer(header: bytes, *, may: bool) -> None:
    """By the same rules by which the answer is addressed; the mail that is only begun too."""
    octets = header + b"\nHello\n"

    assert read(octets, Mode.FULL, own="me@own.example").may_reply_all is may
    assert read(octets, Mode.FULL, Shape.TOP, own="me@own.example").may_reply_all is may
    assert not read(octets, Mode.LINE, own="me@own.example").may_reply_all
