"""Hostile mail costs in proportion to its size: twice the octets, at most two and a half times the work."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot.mail.content import Arrival
from bot.mail.message import parse
from bot.slack import posts
from storage.records import Shape

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = b"From: a@b.c\nSubject: x\n"
HTML = HEAD + b"Content-Type: text/html\n\n"
TEXT = HEAD + b"\n"
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n"
ARRIVAL = Arrival(Shape.WHOLE, 0, datetime(2026, 11, 23, tzinfo=UTC), None, "a@b.c")

FLOOR = 0.02
"""Seconds below which a clock measures the machine rather than the program."""


def nested(levels: int) -> bytes:
    """A mail of multiparts within multiparts."""
    head = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
    return HEAD + b"".join(head % (level, level) for level in range(levels)) + b"\nx" * 500


ATTACKS: list[tuple[str, Callable[[int], bytes], int]] = [
    ("long subject", lambda n: b"Subject: " + b"=?utf-8?q?a?= " * n + b"\n\nx", 60_000),
    ("open encoded words", lambda n: b"Subject: " + b"=?utf-8?q?" * n + b"\n\nx", 60_000),
    ("folded field", lambda n: b"From: x\nSubject: a\n" + b" b\n" * n + b"\n", 40_000),
    ("many Received", lambda n: HEAD + b"Received: from a by b; x\n" * n + b"\nx", 40_000),
    ("many addresses", lambda n: HEAD + b"To: " + b"a@b.c, " * n + b"\n\nx", 40_000),
    ("open quotes", lambda n: HEAD + b"To: " + b'"\\"' * n + b"\n\nx", 30_000),
    ("open brackets", lambda n: HEAD + b"To: " + b"(<" * n + b"\n\nx", 30_000),
    ("many parameters", lambda n: HEAD + b"Content-Type: a/b" + b'; n*0*="' * n + b"\n\nx", 30_000),
    ("semicolons", lambda n: HEAD + b"Content-Type: a/b" + b"; " * n + b"\n\nx", 30_000),
    ("carriage returns", lambda n: HEAD + b"\r" * n, 500_000),
    ("many boundaries", lambda n: MIXED + b"--b\n\nx\n" * n, 5_000),
    ("nearly boundaries", lambda n: MIXED + b"--bb\n" * n, 200_000),
    ("deep nesting", nested, 400),
    (
        "one boundary, nested",
        lambda n: MIXED + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * n,
        5_000,
    ),
    ("many lines", lambda n: TEXT + b"x\n" * n, 100_000),
    ("long line", lambda n: TEXT + b"x" * n, 1_000_000),
    ("flowed lines", lambda n: HEAD + b"Content-Type: text/plain; format=flowed\n\n" + b"x \n" * n, 50_000),
    ("quote marks", lambda n: TEXT + b">" * n, 65_536),
    ("attribution", lambda n: TEXT + b"On " * n, 22_000),
    ("addresses of pages", lambda n: TEXT + b"http://a.b/((((( " * n, 30_000),
    (
        "long base64",
        lambda n: HEAD + b"Content-Type: a/b\nContent-Transfer-Encoding: base64\n\n" + b"QUJD" * n,
        1_000_000,
    ),
    ("padded base64", lambda n: HEAD + b"Content-Transfer-Encoding: base64\n\n" + b"QQ=" * n, 300_000),
    (
        "quoted-printable",
        lambda n: HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\n=3D" * n,
        200_000,
    ),
    ("HTML: <", lambda n: HTML + b"<" * n, 65_536),
    ("HTML: >", lambda n: HTML + b">" * n, 65_536),
    ("HTML: On", lambda n: HTML + b"On " * n, 22_000),
    ("HTML: nested div", lambda n: HTML + b"<div>" * n + b"x", 10_000),
    ("HTML: nested quotes", lambda n: HTML + b"<blockquote>x" * n, 5_000),
    ("HTML: nested lists", lambda n: HTML + b"<ul><li>x" * n, 5_000),
    ("HTML: nested tables", lambda n: HTML + b"<table><tr><td>" * n, 5_000),
    ("HTML: open formatting", lambda n: HTML + b"<b><i><font color=red>x<p>" * n, 300),
    ("HTML: one long line", lambda n: HTML + b"a<wbr>" * n, 20_000),
    ("HTML: links", lambda n: HTML + b"<a href=http://x.y/>www.a.b</a>" * n, 4_000),
    (
        "HTML: attributes",
        lambda n: HTML + b"<p " + b" ".join(b"a%d=x" % at for at in range(n)) + b">",
        20_000,
    ),
    ("HTML: entities", lambda n: HTML + b"&zwnj;&nbsp;" * n, 30_000),
    ("HTML: comments", lambda n: HTML + b"<!--" * n, 60_000),
    ("CSS: braces", lambda n: HTML + b"<style>" + b".a{" * n + b"</style>x", 60_000),
    ("CSS: comments", lambda n: HTML + b"<style>" + b"/*" * n + b"</style>x", 60_000),
    ("CSS: selectors", lambda n: HTML + b"<style>" + b".a .b,\n " * n + b"{display:none}</style>x", 30_000),
]


def cost(octets: bytes) -> float:
    """Seconds of processor time that a post of the octets takes, at best."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        posts.post(parse(octets), ARRIVAL, octets)
        spent.append(time.process_time() - start)
    return max(min(spent), FLOOR)


@pytest.mark.parametrize(("make", "size"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_work_grows_with_size(make: Callable[[int], bytes], size: int) -> None:
    """No mail takes time out of proportion, and none of these comes near the limit of two seconds."""
    single, double = make(size), make(2 * size)

    # Other work on the machine may spoil one measurement, not three in a row.
    assert any(cost(double) <= min(2.5 * cost(single), 1.5) for _ in range(3))
