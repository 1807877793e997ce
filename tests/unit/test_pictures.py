"""Pictures: none is ever fetched; those that came with a mail are files, and the text says where they stood."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import html_text, images
from bot.mail.content import Arrival
from bot.mail.message import parse
from bot.slack import posts
from storage.records import Shape
from tests.fakes.block_rules import problems, text_problems, visible

if TYPE_CHECKING:
    from bot.mail.content import Rendered

ARRIVAL = Arrival(Shape.WHOLE, 100, datetime(2026, 11, 23, tzinfo=UTC), None, "ada@home.example")


def png(width: int, height: int, octets: int = 100) -> bytes:
    """The start of a picture of that size."""
    head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return head.ljust(octets, b"x")


def mail(page: str, *parts: tuple[str, str, bytes]) -> bytes:
    """A mail with a page and pictures, each with its content id, its name and its octets."""
    found = f"From: bob@x.example\nSubject: Hi\nContent-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n{page}\n"
    octets = found.encode()
    for content_id, name, content in parts:
        head = f"--b\nContent-Type: image/png; name={name}\nContent-ID: <{content_id}>\nContent-Transfer-Encoding: base64\n\n"
        octets += head.encode() + base64.encodebytes(content)
    return octets + b"--b--\n"


def posted(octets: bytes) -> Rendered:
    """The post of a mail, held against Slack's rules."""
    rendered = posts.post(parse(octets), ARRIVAL, octets)
    assert problems(rendered.blocks) == []
    return rendered


def test_pictures_in_the_text_are_files_in_order() -> None:
    """A picture in the text is uploaded with the others, and its name or what it shows stands where it stood."""
    page = "<p>One<p><img src='cid:a@x'><p>two<img src=cid:b%40x alt='the harbour'>"
    octets = mail(page, ("a@x", "chart.png", png(400, 300)), ("b@x", "photo.png", png(300, 400)))

    post = posted(octets)

    assert [file.name for file in post.files] == ["chart.png", "photo.png"]
    assert "One\n\n[picture: chart.png]\n\ntwo the harbour" in visible(post.blocks)
    assert "not loaded" not in visible(post.blocks)


def test_small_logos_in_the_text_are_left_out() -> None:
    """A logo that stands in the text is no file, and the post says so; one that stands nowhere is a file."""
    page = "<p>Hello<img src=cid:logo><img src=cid:big>"
    parts = ("logo", "logo.png", png(120, 40)), ("big", "big.png", png(120, 40, 60_000))

    post = posted(mail(page, *parts, ("other", "other.png", png(20, 20))))

    assert [file.name for file in post.files] == ["big.png", "other.png"]
    assert "1 small logo left out" in visible(post.blocks)
    assert "[picture: big.png]" in visible(post.blocks)
    assert "logo.png" not in visible(post.blocks)


def test_trackers_and_remote_pictures_are_counted() -> None:
    """What would tell the sender that the mail was read is not loaded, and the post says how much there was."""
    page = (
        "<p>Hello<img src=http://t.example/1 width=1 height=1><img src=//t.example/2 style='width:1px;height:1px'>"
        "<img src=https://t.example/3 style='display:none'><div hidden><img src=http://t.example/4 height=0></div>"
        "<img src=https://x.example/photo.jpg width=600><img src=http://x.example/line.gif width=600 height=1>"
        "<img src=data:image/png;base64,AAAA width=1 height=1><img src=cid:gone>"
    )

    post = posted(mail(page))

    assert "4 trackers blocked, 1 picture not loaded" in visible(post.blocks)


def test_no_picture_of_another_server_is_given_to_slack() -> None:
    """Slack would fetch it, and the sender would know."""
    page = "<img src=http://t.example/a.png alt=A><table background=http://t.example/b><tr><td>x</table>"

    post = posted(mail(page))

    assert "image_url" not in json.dumps(post.blocks)
    assert "t.example" not in json.dumps(post.blocks)


@pytest.mark.parametrize(
    ("octets", "size"),
    [
        (png(3, 4), (3, 4)),
        (b"GIF89a\x05\0\x06\0", (5, 6)),
        (b"\xff\xd8\xff\xe0\0\x10" + b"x" * 14 + b"\xff\xc0\0\x11\x08\0\x07\0\x08\x03", (8, 7)),
        (b"\xff\xd8\xff\xe0\0\0" * 300, None),
        (b"\xff\xd8\xff", None),
        (b"BM", None),
        (b"", None),
    ],
)
def test_sizes_are_told_from_the_first_octets(octets: bytes, size: tuple[int, int] | None) -> None:
    """The common formats say how large their pictures are; for others nobody guesses."""
    assert images.size(octets) == size


def test_a_picture_that_is_not_known_leaves_no_mark() -> None:
    """Where a part is missing, no name is made up."""
    document = html_text.parsed("a<img src=cid:x>b", {"y": "y.png"})

    assert (document.full, document.inline) == ("ab", frozenset({"x"}))


PIECES = [
    "<table>", "</table>", "<tr>", "<td>", "<th>", "<td colspan=3>", "<td rowspan=9>", "<p>", "<img src=cid:a>", "<img src=http://x.y/ width=1>",
    "<img src=//x.y alt='<!channel> <@U1>'>", "<a href=https://urldefense.com/v3/__http://a.b__;!!>", "</a>", "<!channel>", "&lt;!here&gt;",
    "<https://x.y|z>", ":tada:", "*b*", "@here", "&#x202e;", "\u05d0\u05d1", "日本", "<blockquote>", "<ul><li>", "<hr>", "<pre>", "\n", "<br>", "1 ", "x",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=120).map("".join),
    st.sampled_from(["Bob", "\u05d1\u05d5\u05d1 Bob", "<!channel>", "\u2068\u05d0"]),
)
@settings(deadline=None)
def test_any_page_makes_a_valid_post(page: str, name: str) -> None:
    """No page makes a block that Slack refuses, or a mention that is alive."""
    octets = mail(page, ("a", "a.png", png(200, 200)))
    octets = octets.replace(b"bob@x.example", f'"{name}" <bob@x.example>'.encode(), 1)

    post = posted(octets)

    assert text_problems(post.text) == []
    assert "mrkdwn" not in json.dumps([block for block in post.blocks if block["type"] != "context"])
