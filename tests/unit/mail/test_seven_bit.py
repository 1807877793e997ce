"""A mail for servers that take ASCII alone says the same as the one it is made of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail.compose import compose, seven_bit
from bot.mail.content import Address
from bot.mail.message import parse
from bot.mail.seven_bit import quoted_printable
from tests.unit.mail.written import BOLD, assert_sound, by_library, file, rich, section, text, words, written

INNER = "From: a@x.example\r\nSubject: Inner\r\n\r\nGrüße\r\n".encode()
CALENDAR = (
    "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nSUMMARY:Grüße\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
BOLD_ABROAD = rich(section(text("Grüße an "), text("dich", bold=True)))


@pytest.mark.parametrize(
    "mail",
    [
        written(text=words("Grüße")),
        written(text=words("漢字" * 100)),
        written(text=BOLD_ABROAD, signature="Jürgen", quote="> é"),
        written(text=BOLD_ABROAD, calendar=CALENDAR),
        written(text=words("ü"), attachments=(file("a.bin", bytes(range(256)) * 300), file("b.txt", "ü".encode()))),
        written(text=BOLD, attachments=(file("ü.txt", b"x"), file("c.ics", CALENDAR.encode()))),
        written(text=words("ü" * 998 + "\n" + "x" * 2000 + "\n.\nFrom")),
    ],
)  # fmt: skip
def test_same_content(mail: object) -> None:
    """Texts, files and header are the same; nothing is above 127, and files stand as they stood."""
    octets = compose(mail)  # type: ignore[arg-type] # a table of `written`

    plain = seven_bit(octets)

    assert plain.isascii()
    assert_sound(plain)
    assert parse(plain) == parse(octets)
    assert [part.get_content_type() for part in by_library(plain).walk()] == [
        part.get_content_type() for part in by_library(octets).walk()
    ]
    assert b"8bit" not in plain


def test_ascii_stays() -> None:
    """A mail that is ASCII already is not touched."""
    octets = compose(written(text=BOLD, attachments=(file("a.bin", b"\xff" * 100),)))

    assert seven_bit(octets) is octets


def test_mail_within() -> None:
    """A mail within the mail that is not ASCII goes as a file, octet by octet; one that is stays a mail."""
    ascii_mail = INNER.replace("üß".encode(), b"uess")
    octets = compose(written(attachments=(file("a.eml", INNER, "message/rfc822"), file("b.eml", ascii_mail))))

    attached = parse(seven_bit(octets)).attachments

    assert [(each.name, each.type, each.octets) for each in attached] == [
        ("a.eml", "application/octet-stream", INNER),
        ("b.eml", "message/rfc822", ascii_mail),
    ]


def test_address_abroad() -> None:
    """An address that is not ASCII stays in the header: only servers that take such get this mail."""
    octets = compose(written(to=(Address("", "jürgen@x.example"),), text=words("ü")))

    head, _, body = seven_bit(octets).partition(b"\r\n\r\n")

    assert "To: jürgen@x.example".encode() in head
    assert body.isascii()


@settings(max_examples=100, deadline=None)
@given(
    said=st.text(st.characters(codec="utf-8"), max_size=300),
    quote=st.text(st.sampled_from("> ü\n=._-"), max_size=300),
    content=st.binary(max_size=300),
)
def test_anything(said: str, quote: str, content: bytes) -> None:
    """Whatever is written says the same afterwards."""
    octets = compose(
        written(
            text=rich(section(text(said, italic=True))), quote=quote, attachments=(file("a.bin", content),)
        )
    )

    plain = seven_bit(octets)

    assert plain.isascii()
    assert_sound(plain)
    assert parse(plain) == parse(octets)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=200), min_size=1))
def test_quoted(lines: list[str]) -> None:
    """Quoted text has lines of at most 76 octets that end in CRLF, and none ends in a space."""
    quoted = quoted_printable("\r\n".join(lines).encode())

    rows = quoted.split(b"\r\n")
    assert max(map(len, rows)) <= 76
    assert not any(b"\r" in row or b"\n" in row or row.endswith((b" ", b"\t")) for row in rows)
