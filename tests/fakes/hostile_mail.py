"""Octets that look like mail in all the wrong ways, for properties; and mails that cost a careless reader dearly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

FRAGMENTS = [
    b"From: ", b"To: ", b"a@b.c", b"Subject: ", b"=?utf-8?q?", b"?=", b"=?iso-2022-jp?b?", b"\n", b"\r\n", b"\n\n", b"--b", b"--b--",
    b'"', b"Content-Type: multipart/alternative; boundary=b\n", b"Content-Type: multipart/mixed; boundary=b\n",
    b"Content-Type: text/html\n", b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: x-uuencode\n",
    b"Content-Type: message/rfc822\n", b"charset=utf-16", b"charset=utf-7", b"<", b">", b"<p>", b"<a href=", b"https://x.y/",
    b"\x1b$B", b"\xff\xfe", b"\0", b"&#8238;", b"Content-Disposition: attachment; filename*0*=", b"''%C3", b"; ", b"(", b"\\",
    b"Date: Mon, 23 Nov 2026 10:00:00 +0000\n", b"Date: ", b"<!channel>", b"<@U1>", b"<!date^1^x|y>", b"begin 644 x\nM", b"Reply-To: x@y.z\n",
]  # fmt: skip

_pieces = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=12)), max_size=60).map(b"".join)

mail_octets = st.one_of(
    st.binary(max_size=400), _pieces, _pieces.map(lambda octets: b"From: a@b.c\nSubject: x\n" + octets)
)


# Inputs that grow


@dataclass(frozen=True)
class Attack:
    """A mail of any size that would cost a careless reader more than its size.

    Attributes:
        size: at which it is measured, beside twice as much; large enough to be told from nothing.
    """

    name: str
    make: Callable[[int], bytes]
    size: int


HEAD = b"From: a@b.c\nSubject: x\n"
HTML = HEAD + b"Content-Type: text/html\n\n"
TEXT = HEAD + b"\n"
REPLY = b"From: a@b.c\nSubject: Re: x\n\nx\n"
REPLY_HTML = b"From: a@b.c\nSubject: Re: x\nContent-Type: text/html\n\nx"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n"
BASE64 = HEAD + b"Content-Type: a/b\nContent-Transfer-Encoding: base64\n\n"
CALENDAR = HEAD + b"Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n"
EVENT = b"BEGIN:VEVENT\nUID:%d\nDTSTART:20261123T100000Z\nRRULE:FREQ=SECONDLY\nEND:VEVENT\n"


def nested(levels: int) -> bytes:
    """A mail of multiparts within multiparts."""
    head = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
    return HEAD + b"".join(head % (level, level) for level in range(levels)) + b"\nx" * 500


def nested_mails(levels: int) -> bytes:
    """A mail in a mail in a mail."""
    return HEAD + b"Content-Type: message/rfc822\n\n" * levels + b"x"


def one_wide_row(rows: int) -> bytes:
    """A table of many rows, of which one has as many cells."""
    return HTML + b"<table><tr>" + b"<th>a" * rows + b"<tr><th>a<td>b" * rows + b"</table>"


def pictures(parts: int) -> bytes:
    """A page of pictures that came with it, each in a part of its own."""
    page = b"".join(b"<img src=cid:%d>" % at for at in range(parts))
    part = b"--b\nContent-Type: image/png\nContent-ID: <%d>\n\n\x89PNG\r\n\x1a\n0000IHDR\0\0\1\0\0\0\1\0\n"
    files = b"".join(part % at for at in range(parts))
    return MIXED + b"--b\nContent-Type: text/html\n\n" + page + b"\n" + files + b"--b--\n"


ATTACKS = [
    # Header
    Attack("long subject", lambda n: b"Subject: " + b"=?utf-8?q?a?= " * n + b"\n\nx", 60_000),
    Attack("open encoded words", lambda n: b"Subject: " + b"=?utf-8?q?" * n + b"\n\nx", 60_000),
    Attack("folded field", lambda n: b"From: x\nSubject: a\n" + b" b\n" * n + b"\n", 40_000),
    Attack("many fields", lambda n: HEAD + b"".join(b"X-%d: y\n" % at for at in range(n)) + b"\nx", 40_000),
    Attack("many Received", lambda n: HEAD + b"Received: from a by b; x\n" * n + b"\nx", 40_000),
    Attack("many From", lambda n: b"From: a@b.c, d@e.f\n" * n + b"\nx", 20_000),
    Attack("many references", lambda n: HEAD + b"References: " + b"<a@b> " * n + b"\n\nx", 40_000),
    Attack("many addresses", lambda n: HEAD + b"To: " + b"a@b.c, " * n + b"\n\nx", 40_000),
    Attack("open quotes", lambda n: HEAD + b"To: " + b'"\\"' * n + b"\n\nx", 30_000),
    Attack("open brackets", lambda n: HEAD + b"To: " + b"(<" * n + b"\n\nx", 30_000),
    Attack("open groups", lambda n: HEAD + b"To: " + b"a:" * n + b"\n\nx", 30_000),
    # MIME
    Attack("many parameters", lambda n: HEAD + b"Content-Type: a/b" + b'; n*0*="' * n + b"\n\nx", 30_000),
    Attack("semicolons", lambda n: HEAD + b"Content-Type: a/b" + b"; " * n + b"\n\nx", 30_000),
    Attack("carriage returns", lambda n: HEAD + b"\r" * n, 500_000),
    Attack("many boundaries", lambda n: MIXED + b"--b\n\nx\n" * n, 5_000),
    Attack("nearly boundaries", lambda n: MIXED + b"--bb\n" * n, 200_000),
    Attack("deep nesting", nested, 400),
    Attack("mails in mails", nested_mails, 5_000),
    Attack(
        "one boundary, nested",
        lambda n: MIXED + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * n,
        5_000,
    ),
    Attack("pictures in the text", pictures, 450),
    Attack("one large file", lambda n: BASE64 + b"QUJD" * n, 3_000_000),
    Attack("padded base64", lambda n: HEAD + b"Content-Transfer-Encoding: base64\n\n" + b"QQ=" * n, 300_000),
    Attack(
        "quoted-printable",
        lambda n: HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\n=3D" * n,
        200_000,
    ),
    # Quotes and signatures
    Attack("quotes: On", lambda n: REPLY + b"On " * n, 170_000),
    Attack("quotes: On, on lines", lambda n: REPLY + b"On\n" * n, 2_400),
    Attack("quotes: marks", lambda n: REPLY + b">>>> " * n, 100_000),
    Attack("quotes: marks, on lines", lambda n: REPLY + b">>>>\n" * n, 2_400),
    Attack("quotes: answers between", lambda n: REPLY + b"> a\nb\n" * n, 1_200),
    Attack("quotes: who wrote", lambda n: REPLY + b"On 1.2.2020 10:00 a@b.c wrote:\n> a\n" * n, 1_200),
    Attack("quotes: wrote, broken", lambda n: REPLY + b"On 1\n2.3\n10:00\nwrote:\n" * n, 600),
    Attack("quotes: fields", lambda n: REPLY + b"From: a\nx\nSent: b\n" * n, 800),
    Attack("quotes: signatures", lambda n: REPLY + b"-- \na\n" * n, 1_200),
    Attack("quotes: telephones", lambda n: REPLY + b"Sent from my iPhone\n\n" * n, 1_200),
    Attack("quotes: disclaimers", lambda n: REPLY + b"confidential, intended recipient\n" * n, 2_400),
    Attack("quotes: HTML", lambda n: REPLY_HTML + b"<blockquote>a</blockquote>b" * n, 2_400),
    Attack(
        "quotes: HTML, who wrote",
        lambda n: REPLY_HTML + b"<p class=gmail_attr>On 1.2.2020 a@b.c wrote:" * n,
        2_400,
    ),
    Attack(
        "quotes: HTML, signatures", lambda n: REPLY_HTML + b"<div class=moz-signature>Ada</div>" * n, 2_400
    ),
    Attack(
        "quotes: HTML, lines above", lambda n: REPLY_HTML + b"<p style=border-top:solid>From: a" * n, 2_400
    ),
    # Text
    Attack("many lines", lambda n: TEXT + b"x\n" * n, 100_000),
    Attack("long line", lambda n: TEXT + b"x" * n, 1_000_000),
    Attack(
        "flowed lines", lambda n: HEAD + b"Content-Type: text/plain; format=flowed\n\n" + b"x \n" * n, 50_000
    ),
    Attack("quote marks", lambda n: TEXT + b">" * n, 65_536),
    Attack("attribution", lambda n: TEXT + b"On " * n, 22_000),
    Attack("addresses of pages", lambda n: TEXT + b"http://a.b/((((( " * n, 30_000),
    Attack(
        "Proofpoint's stars", lambda n: TEXT + b"https://urldefense.com/v3/__https://a.b/" + b"*" * n, 60_000
    ),
    Attack("marks on a letter", lambda n: TEXT + "e\u0301\u0301".encode() * n, 100_000),
    Attack("joiners", lambda n: TEXT + "\U0001f468\u200d".encode() * n, 60_000),
    Attack("directions", lambda n: TEXT + "\u202e\u05d0a ".encode() * n, 60_000),
    # HTML
    Attack("HTML: <", lambda n: HTML + b"<" * n, 65_536),
    Attack("HTML: >", lambda n: HTML + b">" * n, 65_536),
    Attack("HTML: On", lambda n: HTML + b"On " * n, 22_000),
    Attack("HTML: text", lambda n: HTML + b"word " * n, 200_000),
    Attack("HTML: nodes", lambda n: HTML + b"<p>x" * n, 20_000),
    Attack("HTML: nested div", lambda n: HTML + b"<div>" * n + b"x", 10_000),
    Attack("HTML: nested quotes", lambda n: HTML + b"<blockquote>x" * n, 5_000),
    Attack("HTML: nested lists", lambda n: HTML + b"<ul><li>x" * n, 5_000),
    Attack("HTML: nested tables", lambda n: HTML + b"<table><tr><td>" * n, 5_000),
    Attack("HTML: open formatting", lambda n: HTML + b"<b><i><font color=red>x<p>" * n, 300),
    Attack("HTML: one long line", lambda n: HTML + b"a<wbr>" * n, 20_000),
    Attack("HTML: links", lambda n: HTML + b"<a href=http://x.y/>www.a.b</a>" * n, 4_000),
    Attack("HTML: look-alike links", lambda n: HTML + b"<a href=http://xn--80ak6aa92e.y/>a.b</a>" * n, 4_000),
    Attack("HTML: a link in links", lambda n: HTML + b"<a href=https://www.google.com/url?q=" * n, 20_000),
    Attack("HTML: data table", lambda n: HTML + b"<table>" + b"<tr><td>a<td>b<td>c" * n, 2_000),
    Attack("HTML: data tables", lambda n: HTML + b"<table><tr><td>a<td>b<tr><td>c<td>d</table>" * n, 2_000),
    Attack("HTML: spans", lambda n: HTML + b"<table>" + b"<tr><th colspan=99 rowspan=99>a<td>b" * n, 2_000),
    Attack("HTML: one wide row", one_wide_row, 2_000),
    Attack("HTML: hidden pictures", lambda n: HTML + b"<div hidden><img src=//x.y/z width=1>" * n, 5_000),
    Attack(
        "HTML: attributes",
        lambda n: HTML + b"<p " + b" ".join(b"a%d=x" % at for at in range(n)) + b">",
        20_000,
    ),
    Attack("HTML: entities", lambda n: HTML + b"&zwnj;&nbsp;" * n, 30_000),
    Attack("HTML: comments", lambda n: HTML + b"<!--" * n, 60_000),
    # Styles
    Attack("CSS: braces", lambda n: HTML + b"<style>" + b".a{" * n + b"</style>x", 60_000),
    Attack("CSS: comments", lambda n: HTML + b"<style>" + b"/*" * n + b"</style>x", 60_000),
    Attack(
        "CSS: selectors", lambda n: HTML + b"<style>" + b".a .b,\n " * n + b"{display:none}</style>x", 30_000
    ),
    Attack(
        "CSS: rules",
        lambda n: (
            HTML
            + b"<style>"
            + b"".join(b".a%d{color:red}" % at for at in range(n))
            + b"</style>"
            + b"<p class=a1>" * 5_000
        ),
        5_000,
    ),
    Attack("CSS: declarations", lambda n: HTML + b"<p style='" + b"color:red;" * n + b"'>x", 60_000),
    # Calendar
    Attack(
        "events", lambda n: CALENDAR + b"".join(EVENT % at for at in range(n)) + b"END:VCALENDAR\n", 1_500
    ),
    Attack("folded event", lambda n: CALENDAR + b"BEGIN:VEVENT\nSUMMARY:x" + b"\n y" * n, 40_000),
]
