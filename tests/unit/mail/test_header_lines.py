"""Who, to whom, what about and in answer to what: all of it comes back from a header, and nothing else gets into one."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from bot.errors import LocalProtocolError
from bot.mail.compose import compose, new_message_id
from bot.mail.content import Address
from bot.mail.message import parse
from bot.mail.text import one_line
from tests.unit.mail.written import (
    ANA,
    assert_sound,
    by_library,
    file,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.mail.letters import Written

SUBJECTS = [
    "Plans",
    "Grüße aus Köln",
    "会议安排：明天下午三点",
    "שלום עולם, ומה שלומך?",
    "👩‍👩‍👧 party 🎉🎉",
    "=?utf-8?q?not_encoded?=",
    "two  spaces and a tab\t",
    "=?utf-8?b?DQpCY2M6IGV2aWxAeC5leGFtcGxl?= hi",
    "x" * 500,
    "a word and " + "y" * 120,
    "Re: " + "long words come back " * 20,
    'it\'s 100% "sure" <b> & more; at: once, (yes) \\ no',
    "",
]

NAMES = [
    "Ana Doe",
    "Doe, Ana",
    'Ana "the boss" Doe',
    "Ana (sales) <x@y>; Doe: a.b",
    "Müller, Jürgen",
    "محمد علي",
    "山田 太郎",
    "Ana =?utf-8?q?evil=2C?= Doe",
    "back\\slash",
    "Very long name, " * 8 + "Doe",
    "n" * 150,
    "bob@other.example",
    "",
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subject(subject: str) -> None:
    """A subject comes back as it was typed."""
    octets = compose(written(subject=subject))

    assert by_library(octets)["subject"] == subject.strip(" ")
    assert parse(octets).subject == one_line(subject, 2000)
    assert_sound(octets)


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    """A name comes back as it is and stays with its address, whatever commas and brackets it holds."""
    people = (Address(name, "a@x.example"), Address("", "b@x.example"), Address(name, "c@x.example"))
    octets = compose(written(sender=people[0], to=people, cc=people))

    mail, library = parse(octets), by_library(octets)
    assert mail.to == mail.cc == people
    assert mail.sender == people[0]
    for field in ("to", "cc"):
        found = library[field].addresses
        # Python 3.11 puts a space between the encoded words of a name; RFC 2047 section 6.2 has none there.
        assert [(each.display_name.replace(" ", ""), each.addr_spec) for each in found] == [
            (each.name.replace(" ", ""), each.address) for each in people
        ]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@EXAMPLE.example", "ana@EXAMPLE.example"),
        ("jürgen@x.example", "jürgen@x.example"),
        ("用户@例子.example", "用户@xn--fsqu00a.example"),
        ("o'brien+tag@x.example", "o'brien+tag@x.example"),
        ('"john smith"@x.example', '"john smith"@x.example'),
        ("john smith@x.example", '"john smith"@x.example'),
        ("a,b@x.example", '"a,b"@x.example'),
        ("me@[192.0.2.1]", "me@[192.0.2.1]"),
    ],
)
def test_addresses(typed: str, sent: str) -> None:
    """Domains go out in ASCII, what stands before the @ as it is, quoted where it has to be."""
    octets = compose(written(to=(Address("", typed), ANA)))

    assert f"To: {sent}, Ana Doe <ana@x.example>\r\n".encode() in octets


@pytest.mark.parametrize(
    "typed",
    ["", "ana", "@x.example", "ana@", "ana@a b", "ana@x..y", "ana@<x>", "a" * 320 + "@x.example", "=?utf-8?b?DQpC?=@x.example"],
)  # fmt: skip
def test_no_address(typed: str) -> None:
    """What is no address goes into no header."""
    with pytest.raises(LocalProtocolError):
        compose(written(to=(Address("Ana", typed),)))


def test_hundred_recipients() -> None:
    """A hundred recipients with long names all arrive, in their order."""
    people = tuple(
        Address(f"Ünïcode Person, Number {at}", f"person{at}@department.x.example") for at in range(100)
    )

    octets = compose(written(to=people))

    assert parse(octets).to == people
    assert [each.addr_spec for each in by_library(octets)["to"].addresses] == [
        each.address for each in people
    ]
    assert_sound(octets)


@pytest.mark.parametrize("letter", ["x", "ü", "漢", "👍", "\u0627"])
def test_long_subject(letter: str) -> None:
    """A subject of 10,000 characters is folded into lines as short as all others, and none is lost."""
    octets = compose(written(subject=letter * 10_000))

    assert by_library(octets)["subject"] == letter * 10_000
    assert max(map(len, octets.split(b"\r\n"))) <= 78


# What must not get into a header

PLACES: dict[str, Callable[[str], Written]] = {
    "subject": lambda bad: written(subject=f"a{bad}b"),
    "sender": lambda bad: written(sender=Address(f"a{bad}b", "a@x.example")),
    "sender's address": lambda bad: written(sender=Address("", f"a{bad}b@x.example")),
    "name": lambda bad: written(to=(ANA, Address(f"a{bad}", "a@x.example"))),
    "local part": lambda bad: written(to=(Address("", f"a{bad}b@x.example"),)),
    "domain": lambda bad: written(cc=(Address("", f"a@x.example{bad}"),)),
    "file": lambda bad: written(attachments=(file(f"a{bad}.pdf", b"x"),)),
    "type": lambda bad: written(attachments=(file("a.pdf", b"x", f"text/plain{bad}"),)),
    "id": lambda bad: written(message_id=f"<a{bad}@x.example>"),
    "last reference": lambda bad: written(references=(f"<a{bad}@x.example>",)),
    "reference": lambda bad: written(references=(f"a{bad}@x.example", "b@x.example")),
}


@pytest.mark.parametrize(
    "bad", ["\r\nBcc: evil@x.example", "\n", "\r", "\0", "\r\n\r\n<b>", "\ud800"], ids=ascii
)
@pytest.mark.parametrize("place", PLACES)
def test_no_header_is_injected(place: str, bad: str) -> None:
    """A line break, a NUL or half of a character in anything of the header: the mail is not made."""
    with pytest.raises(LocalProtocolError) as caught:
        compose(PLACES[place](bad))

    assert "evil" not in str(caught.value) + caught.value.sentence


@pytest.mark.parametrize(
    "odd", ["\x85", "\u2028", "\x0b", "\x0c", "\x1c", "\x1b[31m", "\x7f", "\u202e"], ids=ascii
)
def test_no_other_break(odd: str) -> None:
    """What some programs take for the end of a line reaches no header as it is."""
    octets = compose(
        written(
            subject=f"a{odd}Bcc: b@x.example",
            to=(Address(f"n{odd}m", "a@x.example"),),
            attachments=(file(f"a{odd}b.pdf", b"x"),),
        )
    )

    head = octets.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert len(head.decode().splitlines()) == len(head.split(b"\r\n"))
    assert by_library(octets)["bcc"] is None


@pytest.mark.parametrize("own", ["", "<>", "<a b@x.example>", "<ü@x.example>", f"<{'x' * 900}>"])
def test_no_id(own: str) -> None:
    """A mail without an id of its own is not made: nobody could answer it, nor tell it from others."""
    with pytest.raises(LocalProtocolError):
        compose(written(message_id=own))


# Threads


def test_threading() -> None:
    """An answer names the mail it answers, and those before it."""
    octets = compose(written(references=("<1@a.example>", "2@b.example", "<3@c.example>")))

    mail, library = parse(octets), by_library(octets)
    assert mail.message_id == "1.abc@home.example"
    assert mail.in_reply_to == "3@c.example"
    assert mail.references == ("1@a.example", "2@b.example", "3@c.example")
    assert library["in-reply-to"] == "<3@c.example>"
    assert library["references"] == "<1@a.example> <2@b.example> <3@c.example>"


def test_long_ids() -> None:
    """Ids longer than a line, as Outlook makes them, are not encoded: nobody would find the mails they name."""
    name = "<" + "A" * 200 + "@prod.outlook.example>"
    octets = compose(written(references=("<1@a.example>", name)))

    assert f"In-Reply-To: {name}\r\n".encode() in octets
    assert f"References: <1@a.example>\r\n {name}\r\n".encode() in octets


@pytest.mark.parametrize("size", [1, 40, 300, 600, 830, 2000])
@pytest.mark.parametrize("count", [1, 2, 50, 500])
def test_many_references(size: int, count: int) -> None:
    """However long a conversation is, the field keeps its first and its last mails and stays short."""
    ids = [f"<{at}.{'x' * size}@a.example>" for at in range(count)]

    octets = compose(written(references=tuple(ids)))

    head = octets.partition(b"\r\nMIME-Version")[0]
    field = head.partition(b"References:")[2]
    kept = field.decode().split()
    assert len(field) <= 900
    assert kept == [one for one in ids if one in kept]
    if size <= 300:
        assert kept[0] == ids[0]
        assert kept[-1] == ids[-1]
    assert (b"In-Reply-To" in head) == (size < 840)


@pytest.mark.parametrize("odd", ["", "<>", "two words", "<a<b>c>", "ü@x.example"])
def test_odd_references(odd: str) -> None:
    """An id that no header can hold is left out; the mail goes nevertheless."""
    octets = compose(written(references=("<1@a.example>", odd)))

    assert parse(octets).references == ("1@a.example",)
    assert by_library(octets)["in-reply-to"] is None


@pytest.mark.parametrize(
    "offset", [timedelta(hours=5, minutes=30), timedelta(hours=-3), timedelta(0), timedelta(seconds=3208)]
)
def test_date(offset: timedelta) -> None:
    """The date tells the time in the zone it was given in."""
    time = datetime(2026, 3, 1, 9, 7, 5, 999, tzinfo=timezone(offset))

    octets = compose(written(date=time))

    found = by_library(octets)["date"].datetime
    assert found == time.replace(microsecond=0)
    assert offset.seconds % 60 or found.utcoffset() == offset


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("bob@home.example", "home.example"),
        ("bob@Bücher.Example", "xn--bcher-kva.example"),
        ("bob", "mailbox.invalid"),
        ("", "mailbox.invalid"),
        ("bob@[192.0.2.1]", "mailbox.invalid"),
        ("bob@x\r\nBcc: y", "mailbox.invalid"),
        ("bob@a..b", "mailbox.invalid"),
        ("bob@" + "a" * 300, "mailbox.invalid"),
    ],
)
def test_message_id(address: str, domain: str) -> None:
    """A mail's id is in the domain it is sent from, in ASCII, or in one that nobody has."""
    assert new_message_id(address, "4f2c") == f"<4f2c@{domain}>"


@pytest.mark.parametrize("random", ["", "a b", "a\r\nb", "<x>", "ü", "\ud800", "x" * 1000])
def test_odd_random(random: str) -> None:
    """Whatever is given as random, the id is one."""
    octets = compose(written(message_id=new_message_id("bob@home.example", random)))

    assert parse(octets).message_id.endswith("@home.example")
