"""The post over a digest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail.content import Arrival
from bot.mail.message import parse_header
from bot.slack import blocks, digest
from storage.records import Shape
from tests.fakes.block_rules import text_problems, width

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ARRIVAL = Arrival(Shape.WHOLE, 100, NOW, None, "me@example.org")


def line(octets: bytes) -> Any:
    """The line of a mail with this header."""
    return digest.line(parse_header(octets), ARRIVAL)


def test_a_line_says_who_about_what_and_when() -> None:
    """The name in bold, the subject, the mail's own date in the reader's zone."""
    made = line(b"From: Ada <a@b.example>\r\nSubject: Hi\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n")

    (section,) = made.blocks
    name, subject, _, date = section["elements"]
    assert made.text == "Ada: Hi"
    assert (name["text"], name["style"]) == ("Ada", {"bold": True})
    assert subject["text"] == "  Hi"
    assert date == {
        "type": "date",
        "timestamp": 1_795_341_600,
        "format": "{date_short_pretty} {time}",
        "fallback": "2026-11-22 10:00 UTC",
    }


def test_many_messages_are_counted() -> None:
    """Those that are named, and how many more there are."""
    lines = [line(b"From: a@b.example\r\nSubject: %d\r\n\r\n" % number) for number in range(20)]

    post = digest.post("Work", 1_234, lines)

    assert post.blocks[0]["text"]["text"] == "1,234 new messages in “Work”"
    assert len(post.blocks[1]["elements"][0]["elements"]) == 20
    assert post.blocks[2]["elements"][0]["text"].startswith("And 1,214 more. ")
    assert digest.post("Work", 1, lines[:1]).blocks[0]["text"]["text"] == "1 new message in “Work”"
    assert [block["type"] for block in digest.post("Work", 3, []).blocks] == ["section", "context"]


@settings(max_examples=50, deadline=None)
@given(name=st.text(max_size=400), sender=st.binary(max_size=400), subject=st.binary(max_size=2000))
def test_whatever_a_mail_says_a_digest_is_one_slack_takes(name: str, sender: bytes, subject: bytes) -> None:
    """Within the limits of a post and its notification, with nothing live in it, also as plain text."""
    made = line(b"From: " + sender + b"\r\nSubject: " + subject + b"\r\n\r\n")

    post, plain = digest.post(name, 99, [made] * 20), digest.plain(name, 99, [made] * 20)

    assert text_problems(post.text) == []
    assert text_problems(plain.text) == []
    assert plain.blocks == []
    assert blocks.weight(post.blocks) <= 8_900
    texts = [element["text"] for element in made.blocks[0]["elements"] if element["type"] == "text"]
    assert all(0 < width(text) <= 200 for text in texts)
    assert {element["type"] for element in made.blocks[0]["elements"]} == {"text", "date"}
