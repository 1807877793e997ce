"""Reading mails: whatever the octets are, a message comes of them, and what was bad is on record."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings

from bot.mail import addresses, charsets, encodings, filenames, headers
from bot.mail.content import Address, Fault
from bot.mail.message import parse, parse_header
from tests.fakes.hostile_mail import mail_octets

MAILS = Path(__file__).parents[1] / "data" / "mails"


def mail(body: str | bytes = "Hello", **fields: str) -> bytes:
    """A mail with some fields; underscores in their names stand for hyphens."""
    given_fields = {"From": "ada@home.example", "Subject": "Hi"} | fields
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given_fields.items())
    return head.encode() + b"\r\n" + (body if isinstance(body, bytes) else body.encode())


def only_text(octets: bytes) -> str:
    """The plain text of a mail that has one body."""
    [body] = parse(octets).bodies
    return body.plain or ""


def test_newsletter_is_read() -> None:
    """A common mail keeps its subject, sender, date and both forms of its text."""
    message = parse((MAILS / "newsletter.eml").read_bytes())

    assert message.subject == "Winter–karte: neue Süße"
    assert message.sender == Address("Café Nordlicht", "news@nordlicht.example")
    assert message.date == datetime(2026, 11, 22, 7, 15, tzinfo=UTC)
    assert message.received == datetime(2026, 11, 22, 7, 15, 2, tzinfo=UTC)
    assert message.message_id == "winter.26@nordlicht.example"
    assert [(bool(body.plain), bool(body.html)) for body in message.bodies] == [(True, True)]
    assert message.faults == frozenset()


@pytest.mark.parametrize(("others", "files"), [(["text/plain"], 0), (["text/html"], 0), ([], 1)])
def test_double_for_one_program_is_no_file(others: list[str], files: int) -> None:
    """An AMP page beside another form of the text is left out; alone it is kept, for nothing else says it."""
    kinds = [*others, "text/x-amp-html"]
    parts = "".join(f"--b\r\nContent-Type: {kind}\r\n\r\nSale\r\n" for kind in kinds)

    message = parse(mail(f"{parts}--b--\r\n", Content_Type="multipart/alternative; boundary=b"))

    assert len(message.attachments) == files
    assert len(message.bodies) == len(others)


def test_files_are_all_there() -> None:
    """Every file is kept in order under a safe name; only the one-pixel picture is no file."""
    message = parse((MAILS / "files.eml").read_bytes())

    assert [(each.name, len(each.octets)) for each in message.attachments] == [
        ("image-1.png", 52),
        ("€ rates.pdf", 18),
        ("_.._etc_notes.txt", 26),
        ("empty.bin", 0),
        ("An older mail.eml", 67),
    ]
    assert [body.plain for body in message.bodies if body.plain] == ["A note that is a file too."]
    assert [address.group for address in message.cc] == ["Project team"] * 2


def test_japanese_mail_is_read() -> None:
    """Words of ISO-2022-JP are joined before they are decoded."""
    message = parse((MAILS / "japanese.eml").read_bytes())

    assert message.subject == "【重要】会議"
    assert message.sender == Address("山田", "yamada@jp.example")
    assert message.bodies[0].plain == "こんにちは\n"


@pytest.mark.parametrize(
    "octets",
    [
        mail("one\r\ntwo"),
        mail("one\r\ntwo").replace(b"\r\n", b"\n"),
        mail("one\r\ntwo").replace(b"\r\n", b"\r"),
        b"\r\n\n \n" + mail("one\r\ntwo"),
        b"\xef\xbb\xbf" + mail("one\r\ntwo"),
        b"From ada@home.example Mon Nov 23 09:00:00 2026\r\n" + mail("one\r\ntwo"),
        b"+OK 512 octets\r\n" + mail("one\r\ntwo"),
        mail("one\r\ntwo").replace(b"\r\n", b"\r\r\n"),
        mail("one\r\ntwo").replace(b"Subject", b"\0Subject").replace(b"\0", b""),
    ],
)
def test_line_ends_and_leading_junk(octets: bytes) -> None:
    """Any line end, and what mail stores put before the first field, make no difference."""
    message = parse(octets)

    assert message.subject == "Hi"
    assert message.sender == Address("", "ada@home.example")
    assert only_text(octets).split() == ["one", "two"]


@pytest.mark.parametrize(
    "octets", [b"", b"\r\n\r\n", b"\x89PNG\r\n\x1a\n\0\0", b"just words\nand more", b"\xff" * 5000, b"a:b"]
)
def test_no_mail_at_all(octets: bytes) -> None:
    """Rubbish is a message too, marked as none."""
    assert Fault.NOT_A_MAIL in parse(octets).faults
    assert Fault.NOT_A_MAIL in parse_header(octets).faults


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"=?utf-8?q?J=C3=B6rg?=", "Jörg"),
        (b"=?UTF8?B?SsO2cmc?= x", "Jörg x"),
        (b"=?utf-8?b?Z3LDvA==?= =?utf-8?b?w59l?=", "grüße"),
        (b"=?utf-8?q?gr=C3?= =?utf-8?q?=BC=C3=9Fe?=", "grüße"),
        (b"=?utf-8?b?Z3I=?= und =?utf-8?q?x?=", "gr und x"),
        (b"=?iso-8859-1*de?q?=FC?=", "ü"),
        (b"=?no-such-charset?q?a=C3=BC?=", "aü"),
        (b"=?utf-8?q?a b?c?=", "a b?c"),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("rohe Grüße".encode(), "rohe Grüße"),
        ("rohe Grüße".encode("latin-1"), "rohe Grüße"),
        (b"=?utf-8?b?!!!?=", ""),
        (b"=?punycode?q?a-b?=", "a-b"),
    ],
)
def test_encoded_words(raw: bytes, text: str) -> None:
    """Encoded words are read as mailers write them, not only as RFC 2047 has them."""
    assert headers.text(raw) == text


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b'"Doe, John" <j@x.example>', [Address("Doe, John", "j@x.example")]),
        (b"b@y.example (Bee)", [Address("Bee", "b@y.example")]),
        (b"undisclosed-recipients:;", [Address("", "", "undisclosed-recipients")]),
        (
            b"Foo <a@b.example, Bar <c@d.example>",
            [Address("Foo", "a@b.example"), Address("Bar", "c@d.example")],
        ),
        (b"a@b.example; c@d.example", [Address("", "a@b.example"), Address("", "c@d.example")]),
        (b'"open <a@b.example>', [Address('"open', "a@b.example")]),
        (b"=?utf-8?q?a=40bank.example=2C?= <e@f.example>", [Address("a@bank.example,", "e@f.example")]),
        (b"=?utf-8?q?Foo_=3Ca=40b=3E?=", [Address("Foo <a@b>", "")]),
        (b"<@relay.example,@other.example:u@v.example>", [Address("", "u@v.example")]),
        (
            b"A\r\nBcc: x@y.example <a@b.example>",
            [Address("A Bcc: x@y.example".partition(":")[2].strip(), "a@b.example", "A Bcc")],
        ),
        (b"<<a@b.example>>", [Address("", "a@b.example")]),
        (
            b'Ada <"ada k"@b.example>, "b, c"@d.example',
            [Address("Ada", '"ada k"@b.example'), Address("", '"b, c"@d.example')],
        ),
        (
            b'<"a.b" @c.example>, < d @ c.example >',
            [Address("", "a.b@c.example"), Address("", "d@c.example")],
        ),
        (b"", []),
        (b",,;,", []),
    ],
)
def test_addresses(raw: bytes, found: list[Address]) -> None:
    """Addresses are told apart before anything in them is decoded."""
    assert list(addresses.parsed(raw)[0]) == found


def test_addresses_are_bounded_and_counted() -> None:
    """A field with thousands of addresses is counted, and a thousand are kept."""
    found, count = addresses.parsed(b"a@b.c," * 5000)

    assert (len(found), count) == (1000, 5000)


@pytest.mark.parametrize(
    ("raw", "kind", "parameters"),
    [
        (b"text/html; charset=utf-8", "text/html", {"charset": "utf-8"}),
        (b"TEXT/HTML charset=utf-8", "text/html", {"charset": "utf-8"}),
        (b"text / plain;; ;charset = 'x' ; a", "text/plain", {"charset": "'x'"}),
        (b'a/b; name="x\\"y;z"', "a/b", {"name": 'x"y;z'}),
        (b"a/b; name*0*=utf-8''a%20; name*1=\"b c\"; name*2*=%C3%BC", "a/b", {"name": "a b cü"}),
        (b"a/b; name*1=b; name*0=a", "a/b", {"name": "ab"}),
        (b'a/b; name="=?utf-8?b?w7w=?=.pdf"', "a/b", {"name": "ü.pdf"}),
        (b"a/b; name=My File.pdf; x=y", "a/b", {"name": "My File.pdf", "x": "y"}),
        (b"", "", {}),
    ],
)
def test_parameters(raw: bytes, kind: str, parameters: dict[str, str]) -> None:
    """Types and parameters are read in all the ways in which they are written."""
    assert headers.labelled(raw) == (kind, parameters)


@pytest.mark.parametrize(
    ("octets", "label", "text"),
    [
        ("grüße".encode(), "iso-8859-1", "grüße"),
        ("grüße".encode("latin-1"), "us-ascii", "grüße"),
        ("“q”".encode("cp1252"), "iso-8859-1", "“q”"),
        ("中文".encode("gb18030"), "GB2312", "中文"),
        ("한국".encode("cp949"), "ks_c_5601-1987", "한국"),
        ("Привет".encode("koi8-r"), '"koi8-r"', "Привет"),
        ("日本".encode("iso-2022-jp"), "", "日本"),
        ("x".encode("utf-16"), "", "x"),
        ("grün".encode("utf-16-be"), "utf-16", "grün"),
        (b"plain", "utf-16", "plain"),
        (b"x", "unicode_escape", "x"),
        (b"Gr+APwA3w-e +2AA-!", "utf-7", "Grüße \ufffd!"),
        ("grüße".encode(), "utf-7", "grüße"),
        ("Привет, как дела? Сегодня хорошая погода".encode("cp1251"), "", "Привет"),
    ],
)
def test_charsets(octets: bytes, label: str, text: str) -> None:
    """A text is read in the charset it is in, whatever its label says."""
    assert charsets.decoded(octets, label)[0].startswith(text)


@pytest.mark.parametrize(
    ("octets", "encoding", "found"),
    [
        (b"aGVsbG8=", "base64", (b"hello", False)),
        (b"aGVsbG8", " BASE64;", (b"hello", False)),
        (b"aG!VsbG8=", "base64", (b"hello", True)),
        (b"aGVs\r\nbG8=\r\naGVsbG8=", "base64", (b"hellohello", False)),
        (b"aGVsbG8=\r\n-- \r\nThe list\r\n", "base64", (b"hello\n-- \r\nThe list\r\n", True)),
        (b"a=3Db=\r\nc=ZZ", "quoted-printable", (b"a=bc=ZZ", False)),
        (b"as it is", "x-nothing", (b"as it is", False)),
        (b"begin 644 x\n#86)C\n`\nend\n", "x-uuencode", (b"abc", False)),
    ],
)
def test_transfer_encodings(octets: bytes, encoding: str, found: tuple[bytes, bool]) -> None:
    """A bad character costs itself, never the mail."""
    assert encodings.decoded(octets, encoding) == found


def test_a_bad_base64_character_does_not_shift_the_rest() -> None:
    """A letter that was overwritten spoils three octets at most."""
    octets, is_damaged = encodings.decoded(b"aGV!bG8gd29ybGQh", "base64")

    assert is_damaged
    assert octets[3:] == b"lo world!"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\temp\\a.txt", "C__temp_a.txt"),
        ("con.txt", "_con.txt"),
        ("inv\u202egnp.exe", "invgnp.exe"),
        ("a\0b\r\nc.txt", "ab c.txt"),
        ("...", ""),
        (" . ", ""),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("résumé.pdf", "résumé.pdf"),
    ],
)
def test_file_names(name: str, safe: str) -> None:
    """A file's name is no path, no device and no lie."""
    assert filenames.safe(name) == safe


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", ["one", "two"]),
        ("--b\r\n\r\none\r\n--b\r\n\r\ntwo", ["one", "two"]),
        ("--b--\r\n--b\r\n\r\none\r\n--b--", ["one"]),
        ("--b  \r\n\r\none\r\n--bc\r\nstill one\r\n--b--  ", ["one\r\n--bc\r\nstill one"]),
        ("--x\r\nContent-Type: text/plain\r\n\r\none\r\n--x--\r\n", ["one"]),
        ("no delimiter at all", ["no delimiter at all"]),
    ],
)
def test_boundaries(body: str, text: list[str]) -> None:
    """Parts are found when the last delimiter is missing, early, wrong, or none is there at all."""
    message = parse(mail(body, Content_Type='multipart/mixed;\r\n boundary="b"'))

    assert [each.plain for each in message.bodies] == text


def test_deep_nesting_ends_in_one_attachment() -> None:
    """What lies too deep is kept as it came."""
    octets = mail("", **{"Content-Type": "multipart/mixed; boundary=b0"})
    for level in range(60):
        octets += f"--b{level}\r\nContent-Type: multipart/mixed; boundary=b{level + 1}\r\n\r\n".encode()
    message = parse(octets + b"--b60\r\n\r\nthe deepest")

    assert Fault.NESTED_TOO_DEEP in message.faults
    assert [each.octets.endswith(b"the deepest") for each in message.attachments] == [True]


def test_too_many_parts_end_in_one_attachment() -> None:
    """Past a thousand parts the rest is one file."""
    message = parse(mail("--b\r\n\r\nx\r\n" * 1200, Content_Type="multipart/mixed; boundary=b"))

    assert Fault.TOO_MANY_PARTS in message.faults
    assert len(message.bodies) + len(message.attachments) <= 1001
    assert message.attachments[-1].octets.count(b"--b") > 150


def test_long_headers_are_cut_and_noted() -> None:
    """A header of megabytes costs its excess, and the body stays."""
    message = parse(b"From: a@b.c\nSubject: x\n" + b"X-Junk: y\n" * 100_000 + b"\nHello")

    assert (message.subject, Fault.HEADER_CUT in message.faults) == ("x", True)
    assert message.bodies[0].plain == "Hello"


def test_a_cut_address_is_left_out() -> None:
    """Where an address field is cut, no piece of an address passes for one."""
    message = parse(mail(To=", ".join(f"person{number}@home.example" for number in range(10_000))))

    assert Fault.HEADER_CUT in message.faults
    assert all(each.address.endswith("@home.example") for each in message.to)


def test_soft_line_breaks_are_joined() -> None:
    """Text of `format=flowed` is flowing again, its quotes apart."""
    text = only_text(mail("> a \r\n> b\r\nc \r\nd\r\n-- \r\nme", Content_Type="text/plain; format=flowed"))

    assert text == "> a b\nc d\n-- \nme"


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("Mon, 23 Nov 2026 10:00:00 +0100 (CET)", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 23:59:60 GMT", datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)),
        ("Mon, 99 Nov 99999 10:00:00 +9999", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(date: str, time: datetime | None) -> None:
    """A date is a time or nothing."""
    assert parse(mail(Date=date)).date == time


def test_two_senders_are_noted() -> None:
    """Two From fields are on record, the first counts."""
    message = parse(b"From: a@b.c\nFrom: x@y.z\nSubject: s\n\nt")

    assert (message.sender, Fault.SEVERAL_SENDERS in message.faults) == (Address("", "a@b.c"), True)


@given(mail_octets)
@settings(deadline=None)
def test_any_octets_are_read(octets: bytes) -> None:
    """No octets make the reader fail, and the header alone says the same."""
    message = parse(octets)

    assert parse_header(octets).subject == message.subject
    assert all(attachment.name for attachment in message.attachments)
