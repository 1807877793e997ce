"""What somebody wrote arrives as it was written, whoever reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import header_lines, letter_html
from bot.mail.answering import FORWARDED
from bot.mail.compose import compose
from bot.mail.content import Address, Arrival
from bot.mail.message import parse
from bot.mail.text import one_line
from bot.slack import posts
from storage.records import Shape
from tests.unit.mail.written import (
    ANA,
    BOLD,
    NOW,
    assert_sound,
    by_library,
    file,
    rich,
    section,
    text,
    words,
    written,
)

if TYPE_CHECKING:
    from bot.mail.letters import Written

ARRIVAL = Arrival(Shape.WHOLE, 0, NOW, None, "ana@x.example")

# Bodies


def test_plain_alone() -> None:
    """A mail without any format is plain text alone, with signature and quote below."""
    octets = compose(
        written(text=words("Yes.\nTomorrow."), signature="Bob\nHome Ltd", quote="Ana wrote:\n> When?")
    )

    assert by_library(octets).get_content_type() == "text/plain"
    assert octets.endswith(
        b"\r\n\r\nYes.\r\nTomorrow.\r\n\r\n-- \r\nBob\r\nHome Ltd\r\n\r\nAna wrote:\r\n> When?\r\n"
    )
    assert b"format=flowed" not in octets


def test_formatted() -> None:
    """A format is sent as HTML beside the plain text; the quote is one in both."""
    octets = compose(
        written(text=BOLD, signature="Bob", quote="Ana <ana@x.example> wrote:\n> When?\n> > Soon.")
    )

    (body,) = parse(octets).bodies
    assert (
        body.plain == "Hello you\r\n\r\n-- \r\nBob\r\n\r\nAna <ana@x.example> wrote:\r\n> When?\r\n> > Soon."
    )
    assert body.html is not None
    assert "<p>Hello <b>you</b></p>" in body.html
    assert "<p>Ana &lt;ana@x.example&gt; wrote:</p>" in body.html
    assert body.html.count('<blockquote type="cite">') == body.html.count("</blockquote>") == 2


def test_signature_mark() -> None:
    """A signature that bears the mark above it already gets no second one."""
    assert compose(written(signature="-- \nBob")) == compose(written(signature="Bob"))


@pytest.mark.parametrize("text", [words("See below."), BOLD])
def test_what_is_passed_on_is_no_signature(text: dict[str, Any]) -> None:
    """Mail programs grey all that follows the mark, and leave it out of answers: above a forwarded mail there is none."""
    octets = compose(written(text=text, signature="Bob", quote=f"{FORWARDED}\nFrom: Ana\n\nThe price is 7."))

    (body,) = parse(octets).bodies
    assert body.plain is not None
    assert f"\r\n\r\nBob\r\n\r\n{FORWARDED}" in body.plain
    assert "-- \r\n" not in body.plain
    assert "-- <br>" not in (body.html or "")


def test_no_words() -> None:
    """A mail may say nothing."""
    octets = compose(written(text=None, subject=""))

    assert by_library(octets).get_content().splitlines() == [""]
    assert parse(octets).subject == ""


@pytest.mark.parametrize(
    ("said", "encoding"),
    [
        ("plain", "7bit"),
        ("Grüße", "8bit"),
        ("x" * 998, "7bit"),
        ("x" * 999, "quoted-printable"),
        ("漢" * 332, "8bit"),
        ("漢" * 333, "quoted-printable"),
        (".\n..\nFrom here\n-- \n>", "7bit"),
    ],
)
def test_encoding(said: str, encoding: str) -> None:
    """Text goes as it is while every line may, else quoted; either way it comes back."""
    octets = compose(written(text=words(said)))

    library = by_library(octets)
    assert library["content-transfer-encoding"] == encoding
    assert library.get_content().splitlines() == [line.rstrip() for line in said.splitlines()]
    assert_sound(octets)


def test_broken_text() -> None:
    """Halves of characters and controls in the text harm nothing: the one is replaced, the others go."""
    octets = compose(
        written(
            text=words("a\ud800b\0c\x1bd\r\ne\rf\u2028g"), signature="s\0\ud800", quote="> q\0\udfff\r\n> r"
        )
    )

    said = "a\ufffdbcd\ne\nf\ng\n\n-- \ns\ufffd\n\n> q\ufffd\n> r"
    assert by_library(octets).get_content().splitlines() == said.split("\n")
    assert_sound(octets)


def test_nobody_named() -> None:
    """A mail to hidden recipients alone names none and has a To field."""
    octets = compose(written(to=(), cc=()))

    assert b"To: undisclosed-recipients:;\r\n" in octets
    assert b"bcc" not in octets.lower()


def test_copies_alone_are_named() -> None:
    """A mail to Cc alone has no To field: none is asked for (RFC 5322 section 3.6.3)."""
    head = compose(written(to=(), cc=(ANA,))).partition(b"\r\n\r\n")[0]

    assert b"\r\nCc: " in head
    assert b"\r\nTo:" not in head


def test_fields() -> None:
    """The header has what a mail needs, and nothing of the program or the machine that sent it."""
    octets = compose(written(cc=(ANA,), references=("<1@a.example>",)))

    head = octets.partition(b"\r\n\r\n")[0].decode()
    assert [line.partition(":")[0] for line in head.split("\r\n")] == [
        "From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    ]  # fmt: skip


def test_same_octets() -> None:
    """The same mail is the same octets, however often it is made."""
    mail = written(text=BOLD, attachments=(file("a.bin", b"x" * 1000),))

    assert compose(mail) == compose(mail)
    assert compose(replace(mail, message_id="<2@home.example>")) != compose(mail)


def test_our_own_reader_folds() -> None:
    """Whoever gets a mail by us sees the answer; its signature and its quote are folded away."""
    for said in (words("Yes, tomorrow."), rich(section(text("Yes, "), text("tomorrow.", bold=True)))):
        octets = compose(
            written(
                text=said,
                signature="Bob\nHome Ltd",
                quote="On Mon, 23 Nov 2026 at 12:00, Ana wrote:\n> When?\n>> Soon.",
            )
        )

        blocks = posts.post(parse(octets), ARRIVAL, octets).blocks
        shown = "".join(
            each["text"]
            for block in blocks
            if block["type"] == "rich_text"
            for part in block["elements"]
            for each in part["elements"]
        )
        assert shown == "Yes, tomorrow."
        assert "Quoted earlier messages and a signature are folded away." in str(blocks)


# Files


@pytest.mark.parametrize(
    ("name", "kind", "sent"),
    [
        ("report.pdf", "", "application/pdf"),
        ("report.PDF", "application/octet-stream", "application/pdf"),
        ("report.pdf", "text/plain", "text/plain"),
        (
            "résumé – 你好 👍.docx",
            "",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("no end", "", "application/octet-stream"),
        ("a.xyz", "no type at all", "application/octet-stream"),
        ("a.bin", "multipart/mixed; boundary=x", "application/octet-stream"),
        ("a.dsn", "message/delivery-status", "application/octet-stream"),
        ("semi;colon=name'%41.txt", "", "text/plain"),
        ("=?utf-8?q?x?=.txt", "", "text/plain"),
        ("long name " * 10 + ".txt", "", "text/plain"),
        ("漢" * 100 + ".txt", "", "text/plain"),
        ("page.html", "text/html", "text/html"),
        ("invite.ics", "", "text/calendar"),
    ],
)
def test_file(name: str, kind: str, sent: str) -> None:
    """A file arrives octet by octet, by its name, as what it is; its text is never taken for the mail's."""
    content = bytes(range(256)) * 5
    octets = compose(written(attachments=(file(name, content, kind), file("", b""))))

    mail, library = parse(octets), list(by_library(octets).iter_attachments())
    assert [each.octets for each in mail.attachments] == [content, b""]
    assert mail.attachments[0].type == sent
    assert mail.attachments[0].name == library[0].get_filename()
    assert library[0].get_param("name") is not None
    assert (
        mail.attachments[0].name.replace("_", "?") == name.replace("_", "?") or len(name) > 60 or "?" in name
    )
    assert library[0].get_payload(decode=True) == content
    assert [body.plain for body in mail.bodies] == ["Hello"]
    assert_sound(octets)


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("said", ["Hi", "Grüße"])
def test_forwarded_mail(said: str, end: bytes) -> None:
    """A mail that is passed on stands as it is, as a mail and not encoded."""
    inner = f"From: a@x.example\nSubject: Inner\n\n{said}\n--=_x\n".encode().replace(b"\n", end)

    octets = compose(written(attachments=(file("inner.eml", inner, "message/rfc822"),)))

    crlf = inner.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    (attached,) = parse(octets).attachments
    assert (attached.type, attached.octets) == ("message/rfc822", crlf)
    assert next(iter(by_library(octets).iter_attachments())).get_content()["subject"] == "Inner"
    assert_sound(octets)


@pytest.mark.parametrize(
    "inner",
    [
        b"From: a@b.c\r\n\r\na\rb",
        b"From: a@b.c\r\n\r\n\0",
        b"From: a@b.c\r\n\r\n" + b"x" * 999,
        b"no mail",
        b"",
    ],
)
def test_forwarded_mail_that_may_not_stand(inner: bytes) -> None:
    """A mail that may not stand within another goes as a file, unchanged."""
    octets = compose(written(attachments=(file("inner.eml", inner, "message/rfc822"),)))

    (attached,) = parse(octets).attachments
    assert (attached.type, attached.octets) == ("application/octet-stream", inner)
    assert_sound(octets)


def test_boundary_is_nowhere_else() -> None:
    """A mail that is passed on within one of the same id does not end its part."""
    mail = written(text=BOLD, attachments=(file("a.txt", b"x"),))
    inner = compose(mail)

    octets = compose(replace(mail, attachments=(file("inner.eml", inner, "message/rfc822"),)))

    (attached,) = parse(octets).attachments
    assert attached.octets == inner


# Everything at once

FIELDS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
}

TYPED = st.text(st.characters(codec="utf-8"), max_size=60)
NAME = TYPED.filter(lambda name: not set(name) & set("\r\n\0"))
LOOSE = st.text(st.characters(), max_size=200)
ADDRESS = st.sampled_from(
    ["a@x.example", "b.c+d@y.example", "jürgen@x.example", "e@bücher.example", '"q r"@x.example']
)


MAILS = st.builds(
    written,
    to=st.lists(st.builds(Address, NAME, ADDRESS), min_size=1, max_size=5).map(tuple),
    subject=NAME,
    text=st.builds(
        lambda said, styles: rich(section(text(said, **styles))), LOOSE, st.sampled_from([{}, {"bold": True}])
    ),
    signature=LOOSE,
    quote=LOOSE,
    attachments=st.lists(st.builds(file, NAME, st.binary(max_size=200)), max_size=3).map(tuple),
)


@settings(max_examples=100, deadline=None)
@given(MAILS)
def test_anything(mail: Written) -> None:
    """Whatever is written, it is sound, and people, subject and files come back to both readers."""
    octets = compose(mail)

    assert_sound(octets)
    found, library = parse(octets), by_library(octets)
    files = [each.octets for each in mail.attachments]
    assert [each.octets for each in found.attachments] == files
    assert [each.get_payload(decode=True) for each in library.iter_attachments()] == files
    assert [each.domain for each in found.to] == [
        header_lines.address(each.address).rpartition("@")[2] for each in mail.to
    ]
    assert len(library["to"].addresses) == len(mail.to)
    assert found.subject == one_line(mail.subject.strip(" "), 2000)
    assert set(library.keys()) <= FIELDS


@settings(max_examples=100, deadline=None)
@given(quote=st.lists(st.tuples(st.integers(0, 30), TYPED), max_size=20))
def test_quotes_are_closed(quote: list[tuple[int, str]]) -> None:
    """However deep quotes lie in each other, the page closes what it opens and holds no tag of theirs."""
    page: Any = letter_html.quote("\n".join("> " * depth + row + "<b>" for depth, row in quote))

    assert page.count("<blockquote") == page.count("</blockquote>")
    assert "<b>" not in page
