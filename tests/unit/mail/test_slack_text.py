"""What people write in Slack reads the same in a mail; whatever a client sends, it is text and nothing else."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.mail import html_text, slack_text
from bot.mail.slack_text import CHARACTERS, html, plain, read
from tests.unit.mail.written import items, rich, section, text

NAMES = {"U1ANA": "Ana Doe", "S1": "Sales", "C1": "general", "C2": "#plans"}

ALLOWED = {"p", "br", "b", "i", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}


def quote(*elements: dict[str, Any], **shape: int) -> dict[str, Any]:
    """A quote."""
    return {"type": "rich_text_quote", "elements": list(elements), **shape}


def code(*elements: dict[str, Any], **shape: int) -> dict[str, Any]:
    """Preformatted text."""
    return {"type": "rich_text_preformatted", "elements": list(elements), **shape}


def link(url: Any, label: Any = None) -> dict[str, Any]:
    """A link."""
    return {"type": "link", "url": url} | ({} if label is None else {"text": label})


def one(kind: str, **rest: Any) -> dict[str, Any]:
    """A text of one element between two letters."""
    return rich(section(text("<"), {"type": kind, **rest}, text(">")))


class Page(HTMLParser):
    """Reads a part of a page: every tag is allowed and closed, every link leads to a page or an address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that opens."""
        assert tag in ALLOWED
        for name, value in attrs:
            assert (tag, name) in {("a", "href"), ("li", "value"), ("blockquote", "type")} or name == "dir"
            assert name != "href" or (value or "").startswith(("http://", "https://", "mailto:"))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """A tag that closes: the last one opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text between."""
        self.said.append(data)

    def handle_comment(self, data: str) -> None:
        """No comment is ever made."""
        raise AssertionError(data)


@pytest.mark.parametrize(
    ("block", "said", "page"),
    [
        (rich(section(text("Hi"))), "Hi", "<p>Hi</p>\n"),
        (rich(section(text("a\nb\n\nc"))), "a\nb\n\nc", "<p>a<br>\nb</p>\n<p>c</p>\n"),
        (rich(section(text("a\n\n\nb"))), "a\n\n\nb", "<p>a</p>\n<p><br></p>\n<p>b</p>\n"),
        (rich(section(text("\n\n  a  b \n\n"))), "  a  b", "<p>&nbsp; a &nbsp;b </p>\n"),
        (rich(section(text("<b>&\"'"))), "<b>&\"'", "<p>&lt;b&gt;&amp;\"'</p>\n"),
        (rich(section(text("a", bold=True, italic=True))), "a", "<p><b><i>a</i></b></p>\n"),
        (rich(section(text("a", strike=True), text("b", code=True))), "ab", "<p><s>a</s><code>b</code></p>\n"),
        (rich(section(text("a", underline=True, client_highlight=True))), "a", "<p>a</p>\n"),
        (
            rich(section(text("a:\n")), items(section(text("b")), section(text("c")))),
            "a:\n- b\n- c",
            "<p>a:</p>\n<ul>\n<li>b</li>\n<li>c</li></ul>\n",
        ),
        (
            rich(items(section(text("a")), section(text("b\nc")), style="ordered", offset=3)),
            "4. a\n5. b\n   c",
            '<ol>\n<li value="4">a</li>\n<li>b<br>\nc</li></ol>\n',
        ),
        (
            rich(
                items(section(text("a")), style="ordered"),
                items(section(text("b")), indent=1),
                items(section(text("c")), style="ordered", offset=1),
            ),
            "1. a\n  - b\n2. c",
            "<ol>\n<li>a\n<ul>\n<li>b</li></ul>\n</li>\n<li>c</li></ol>\n",
        ),
        (
            rich(items(section(text("a"))), items(section(text("b")), style="ordered")),
            "- a\n1. b",
            "<ul>\n<li>a</li></ul>\n<ol>\n<li>b</li></ol>\n",
        ),
        (rich(items(section(), section(text("a")))), "-\n- a", "<ul>\n<li></li>\n<li>a</li></ul>\n"),
        (
            rich(quote(text("a\nb")), section(text("c"))),
            "> a\n> b\nc",
            "<blockquote>\n<p>a<br>\nb</p>\n</blockquote>\n<p>c</p>\n",
        ),
        (
            rich(items(section(text("a")), border=1)),
            "> - a",
            "<blockquote>\n<ul>\n<li>a</li></ul>\n</blockquote>\n",
        ),
        (rich(code(text("if a:\n  <b>"))), "if a:\n  <b>", "<pre>if a:\n  &lt;b&gt;</pre>\n"),
        (
            rich(section(link("https://x.example/a", "the page"))),
            "the page (https://x.example/a)",
            '<p><a href="https://x.example/a">the page</a></p>\n',
        ),
        (
            rich(section(link("https://x.example/a"), text(".", bold=True))),
            "https://x.example/a.",
            '<p><a href="https://x.example/a">https://x.example/a</a><b>.</b></p>\n',
        ),
        (
            rich(section(link("mailto:a@x.example", "a@x.example"))),
            "a@x.example",
            '<p><a href="mailto:a@x.example">a@x.example</a></p>\n',
        ),
        (
            rich(section(link("http://x.example/?a=1&b='\"<", "x"))),
            "x (http://x.example/?a=1&b='%22%3C)",
            '<p><a href="http://x.example/?a=1&amp;b=&#x27;%22%3C">x</a></p>\n',
        ),
        (rich(section(link("javascript:alert(1)", "x"))), "x (javascript:alert(1))", "<p>x (javascript:alert(1))</p>\n"),
        (rich(section(link("tel:+351", "+351"))), "+351 (tel:+351)", "<p>+351 (tel:+351)</p>\n"),
        (rich(section(link("", ""))), "", ""),
        (rich(section(text("שלום"))), "שלום", '<p dir="auto">שלום</p>\n'),
    ],
)  # fmt: skip
def test_forms(block: dict[str, Any], said: str, page: str) -> None:
    """Every kind of paragraph, list, quote, code and link, as plain text and as HTML."""
    assert plain(block, NAMES) == said
    assert html(block, NAMES) == page
    Page(page)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (one("user", user_id="U1ANA"), "<Ana Doe>"),
        (one("user", user_id="U2BOB"), "<somebody>"),
        (one("user"), "<somebody>"),
        (one("user", user_id=["U1ANA"]), "<somebody>"),
        (one("usergroup", usergroup_id="S1"), "<Sales>"),
        (one("usergroup", usergroup_id="S2"), "<somebody>"),
        (one("channel", channel_id="C1"), "<#general>"),
        (one("channel", channel_id="C2"), "<#plans>"),
        (one("channel", channel_id="C3"), "<a channel>"),
        (one("broadcast", range="here"), "<@here>"),
        (one("broadcast", range={"a": 1}), "<@everyone>"),
        (one("emoji", name="wave", unicode="1f44b"), "<👋>"),
        (one("emoji", name="wave", unicode="1f44b", skin_tone=4), "<👋🏽>"),
        (one("emoji", name="wave", unicode="1f44b-1f3fd", skin_tone=4), "<👋🏽>"),
        (one("emoji", name="family", unicode="1f468-200d-1f469-200d-1f467"), "<👨\u200d👩\u200d👧>"),
        (one("emoji", name="our-logo"), "<:our-logo:>"),
        (one("emoji", name="x", unicode="d800"), "<:x:>"),
        (one("emoji", name="x", unicode="110000"), "<:x:>"),
        (one("emoji", name="x", unicode="a"), "<:x:>"),
        (one("emoji", name="a b"), "<\ufffd>"),
        (one("date", timestamp=1_700_000_000, format="{date}", fallback="14 Nov"), "<14 Nov>"),
        (one("date", timestamp=1_700_000_000, format="{date}"), "<2023-11-14 22:13 UTC>"),
        (one("date", timestamp=10**30), "<>"),
        (one("color", value="#ff0000"), "<#ff0000>"),
        (one("mystery", text="kept"), "<kept>"),
        (one("mystery", text={"type": "plain_text", "text": "kept"}), "<kept>"),
        (one("mystery", elements=[text("a"), {"type": "x", "elements": [text("b")]}, text("c")]), "<abc>"),
        (rich({"type": "mystery", "elements": [section(text("a")), text("b")]}, section(text("c"))), "ab\nc"),
        (rich(text("alone")), "alone"),
        (rich(items(text("a"), {"type": "x", "text": "b"})), "- a\n- b"),
        (rich(items(items(section(text("a"))))), "- a"),
    ],
)
def test_elements(block: dict[str, Any], said: str) -> None:
    """Mentions are names and never ids, emoji are characters, and what nobody knows keeps its text."""
    assert plain(block, NAMES) == said
    assert "".join(Page(html(block, NAMES)).said).strip().replace("\n\n", "\n").replace(
        "\n", ""
    ) == said.replace("- ", "").replace("\n", "")


@pytest.mark.parametrize(
    "block", [None, "", [], {}, 7, {"elements": None}, {"elements": 5}, {"elements": [None, 1, "x", []]}]
)
def test_no_block(block: Any) -> None:
    """What is no block is no text."""
    assert plain(block, NAMES) == html(block, NAMES) == ""
    assert not read(block, NAMES).is_formatted


@pytest.mark.parametrize(
    ("block", "is_formatted"),
    [
        (rich(section(text("a\n\nb"))), False),
        (rich(section(link("https://x.example/"))), False),
        (rich(section(link("https://x.example/", "x.example"))), False),
        (rich(section(link("https://x.example/", "here"))), True),
        (rich(section(text("a", bold=True))), True),
        (rich(items(section(text("a")))), True),
        (rich(quote(text("a"))), True),
        (rich(code(text("a"))), True),
    ],
)
def test_is_formatted(block: dict[str, Any], is_formatted: bool) -> None:  # noqa: FBT001 - a row of the table
    """Whether a mail needs more than plain text."""
    assert read(block, {}).is_formatted is is_formatted


def test_no_trailing_space() -> None:
    """No line ends in a space, so that none reads as the mark above a signature."""
    assert plain(rich(section(text("a\n-- \nb \n"))), {}) == "a\n--\nb"


def test_text_is_bounded() -> None:
    """Far more text than Slack takes is cut, and elements without end cost no more than those within the bound."""
    start = time.process_time()

    assert len(plain(rich(section(*[text("x" * 1000)] * 1000)), {})) == CHARACTERS
    assert len(plain(rich(*[section(text("x"))] * 300_000), {})) < CHARACTERS
    assert len(plain(one("x", elements=[text("y")] * 300_000), {})) < CHARACTERS
    far = [link(f"https://x.example/{at}/{'a' * 2900}", "y") for at in range(1000)]
    assert len(plain(rich(section(*far)), {})) < 2 * CHARACTERS

    assert time.process_time() - start < 5


def test_depth() -> None:
    """Elements within elements, however deep, are read without running out of stack."""
    deep: dict[str, Any] = {"type": "x", "text": "bottom"}
    for _ in range(5000):
        deep = {"type": "x", "elements": [deep]}

    assert plain(rich(deep), {}) == plain(rich(section(deep)), {}) == "bottom"


def test_as_our_own_reader_reads_it() -> None:
    """The page of a text says to a reader of HTML what its plain form says."""
    block = rich(
        section(text("Hello "), text("you", bold=True), text("\n\nsee:\n")),
        items(section(text("a")), section(text("b"))),
        quote(text("c")),
        code(text("d  e")),
    )

    shown = html_text.parsed(html(block, {})).full
    assert [line.strip("•-> ") for line in shown.split("\n") if line.strip(" >")] == [
        line.strip("•-> ") for line in plain(block, {}).split("\n") if line.strip()
    ]


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30)
KEYS = st.sampled_from(
    ["type", "elements", "text", "url", "style", "indent", "offset", "border", "user_id", "channel_id", "usergroup_id",
     "range", "name", "unicode", "skin_tone", "timestamp", "fallback", "value", "bold", "code"]
)  # fmt: skip
KIND = st.sampled_from(
    ["rich_text", "rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted", "text", "link",
     "emoji", "user", "usergroup", "channel", "broadcast", "date", "color", "mystery"]
)  # fmt: skip
VALUE = SCALAR | st.sampled_from(["U1ANA", "ordered", "https://x.example", "mailto:a@b.c", "1f44b"])
JSON = st.recursive(
    VALUE,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(
            lambda kind, found, within: {**found, "type": kind, "elements": within},
            KIND,
            st.dictionaries(KEYS, inner, max_size=4),
            st.lists(inner, max_size=4),
        )
        | st.dictionaries(KEYS, inner, max_size=5)
    ),
    max_leaves=25,
)


@settings(max_examples=100, deadline=None)
@given(JSON)
@example({"elements": [{"type": {}, "style": [], "elements": {"a": 1}}]})
@example({"elements": [{"type": ["rich_text_list"], "indent": "x", "border": None}]})
@example({"elements": [{"type": "rich_text_list", "indent": 1e400, "offset": -(10**40), "elements": [{}]}]})
def test_hostile_json(block: Any) -> None:
    """Whatever a client sends, there is text without controls, and a page of known tags alone."""
    said = plain(block, NAMES)

    said.encode()
    assert not {letter for letter in said if letter < " "} - {"\n", "\t"}
    Page(html(block, NAMES))


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])))
def test_text_is_literal(said: str) -> None:
    """Letters, digits and marks stay as they are typed, in both forms."""
    words = slack_text.read(rich(section(text(said))), {})

    assert words.plain == said.rstrip() or not said.strip()
    assert "".join(Page(words.html).said).strip().replace("\xa0", " ") == said.strip().replace("\xa0", " ")
