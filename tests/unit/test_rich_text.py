"""HTML and plain text as rich text: what a reader would see, nothing that is hidden, nothing that is alive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import html_text, links, plain_text, rich_text, text
from bot.mail.content import Body
from tests.fakes.block_rules import body, problems, width

if TYPE_CHECKING:
    from bot.mail.lines import Document


def shown(html: str) -> str:
    """What a reader of HTML sees, as plain text."""
    return html_text.parsed(html).full


def elements(document: Document, limit: int = 3000, url_limit: int = 5000) -> list[dict[str, Any]]:
    """The rich text elements of a document, dividers left out."""
    blocks = rich_text.fitted(document, limit, url_limit).blocks
    return [element for block in blocks if block["type"] == "rich_text" for element in block["elements"]]


@pytest.mark.parametrize(
    ("html", "seen"),
    [
        ("<p>a<p>b", "a\n\nb"),
        ("a<br>b<br><br><br><br>c", "a\nb\n\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("  a \n\n <b> b</b>  c ", "a b c"),
        ("<table><tr><td>a<td><p>b</table>c", "a\n\nb\n\nc"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1\n2\n3"),
        ("<ul><li>a<li>b<ol start=4><li>c<li>d</ol></ul>", "• a\n• b\n  4. c\n  5. d"),
        ("<ol><li>a</li><li value=7>b</li><li>c</li></ol>", "1. a\n7. b\n8. c"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n>\n> > b"),
        ("<blockquote><ul><li>a</ul></blockquote>", "> • a"),
        ("<pre>a\n  b\n\n\nc</pre>", "a\n  b\n\n\nc"),
        ("a<hr><hr>b", "a\n" + "-" * 40 + "\nb"),
        ("<img src=http://x alt=Logo>", "Logo"),
        ("<img src=http://x alt=T width=1 height=1>", ""),
        ("<img src=http://x alt=T style='width:2px'>", ""),
        ("<a href=http://x.example><img src=y></a>text", "x.example <http://x.example> text"),
        ("a<a href=http://x.example style='display:block'>b</a>c", "a\nb <http://x.example>\nc"),
        ("a<div style='display:inline'>b</div>c", "abc"),
        ("<div style='white-space:pre-wrap'>a\n\n\nb\nc</div>", "a\n\nb\nc"),
        ("<b style='text-transform:uppercase'>Sale</b> now", "SALE now"),
        ("a<img src=http://x alt=T style='display:block'>b", "a\nT\nb"),
        ("<img src=http://x alt='' width=9 height=9>a", "a"),
        ("<a href=http://x.example title=Home><img src=y></a>", "Home <http://x.example>"),
        ("<a href=http://x.example></a>b", "b"),
        ("a&zwnj;&nbsp;&#847;&shy;&#8203;b", "a b"),
        ("👩&zwj;🚀 می&zwnj;خواهم", "👩\u200d🚀 می\u200cخواهم"),
        ("&#8238;live&#8237;", "live"),
        ("x\x00\x07y", "xy"),
        ("", ""),
        ("<<<>>><", "<<<>>><"),
        ("<p \ud800=x>a", "a"),
    ],
)
def test_html_reads_as_in_a_browser(html: str, seen: str) -> None:
    """Text comes out in the order and the lines in which a browser shows it."""
    assert shown(html) == seen


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>",
        "<style>x</style>",
        "<head><title>x</title></head>",
        "<template>x</template>",
        "<!--[if mso]>x<![endif]-->",
        "<div hidden>x</div>",
        "<div style='display: none'>x</div>",
        "<div style='DISPLAY:NONE !important;color:red'><p>x</div>",
        "<div style='mso-hide:all'>x</div>",
        "<div style='visibility:hidden'>x</div>",
        "<div style='opacity:0.0'>x</div>",
        "<div style='max-height:0;overflow:hidden'>x</div>",
        "<div style='height:0px;overflow:hidden'>x</div>",
        "<div style='position:absolute;left:-9999px'>x</div>",
        "<div style='text-indent:-999em'>x</div>",
        "<div style='font-size:0'>x</div>",
        "<div style='font-size:1px'>x</div>",
        "<table bgcolor=#FFFFFF><td><font color=white>x</font></table>",
        "<div style='color:#fff;background:#ffffff'>x</div>",
        "<div style='color: rgb(255, 255, 255); background-color: white'>x</div>",
        "<style>/* } */ .h{display:none}</style><p class='a h'>x</p>",
        "<style>a{} #h , p.h{display:none!important}</style><p id=h style='display:block'>x</p>",
        "<svg><text>x</text></svg>",
        "<iframe>x</iframe>",
    ],
)
def test_hidden_text_stays_hidden(html: str) -> None:
    """What a browser does not show is not in the post."""
    assert shown(f"before {html} after").split() == ["before", "after"]


@pytest.mark.parametrize(
    "html",
    [
        "<div style='font-size:0'><span style='font-size:14px'>x</span></div>",
        "<div style='visibility:hidden'><b style='visibility:visible'>x</b></div>",
        "<style>@media (max-width:9px){.h{display:none}}</style><p class=h>x",
        "<style>.h{display:none} .h{display:block}</style><p class=h>x",
        "<style>.h{display:none}</style><p class=h style='display:block'>x",
        "<div style='max-height:none;opacity:1;height:0'>x</div>",
        "<![if !mso]>x<![endif]>",
        "<noscript>x</noscript>",
        "<div style='font-size:1em'>x</div>",
        "<style>{{{</style>x",
        "<td style='color:#fff'>x</td>",
    ],
)
def test_visible_text_stays_visible(html: str) -> None:
    """A rule that would hide too much hides nothing."""
    assert shown(html) == "x"


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("https://x.example/a?b=c#d", "https://x.example/a?b=c#d"),
        ("HTTP://X.Example", "http://x.example"),
        (" https://x.example/a b\u202e<> ", "https://x.example/a%20b%3C%3E"),
        ("https://bank.example@evil.example/", "https://evil.example/"),
        ("https:\\\\evil.example\\@bank.example", "https://evil.example/@bank.example"),
        ("ht\ntps://x.example", "https://x.example"),
        ("//x.example/y", "https://x.example/y"),
        ("https://раyраl.example", "https://xn--yl-6kcb1fc.example"),
        ("https://evil%2Eexample/", "https://evil.example/"),
        ("mailto:a@b.example?subject=x y", "mailto:a@b.example?subject=x%20y"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("/relative", None),
        ("cid:photo", None),
        ("tel:+491", None),
        ("https://", None),
        ("https://a b/", None),
        ("mailto:", None),
        ("https://x.example/" + "a" * 3000, None),
    ],
)
def test_targets(href: str, url: str | None) -> None:
    """A link leads by http, https or mailto to a host that is spelled out, or it is no link."""
    to = links.target(href)

    assert (to.url if to else None) == url


@pytest.mark.parametrize(
    ("label", "href", "is_marked"),
    [
        ("www.bank.example", "https://evil.example/", True),
        ("https://bank.example/login", "https://evil.example/?bank.example", True),
        ("Log in at (bank.example).", "https://evil.example", True),
        ("bank。example", "https://evil.example", True),
        ("bаnk.example", "https://bank.example", True),
        ("help@bank.example", "mailto:help@evil.example", True),
        ("bank.example", "https://www.bank.example/x", False),
        ("bank.example", "https://click.bank.example/x", False),
        ("Click here", "https://evil.example", False),
        ("Version 1.2, e.g. this", "https://evil.example", False),
    ],
)
def test_a_misleading_link_shows_its_host(label: str, href: str, *, is_marked: bool) -> None:
    """A link whose text names another host says where it leads."""
    to = links.target(href)
    assert to is not None

    assert (f"(→ {to.host})" in shown(f"<a href='{href}'>{label}</a>")) == is_marked


def test_plain_text_keeps_its_lines_quotes_and_links() -> None:
    """Quotes are quotes, addresses of pages are links without the sentence's marks, all else is literal."""
    document = plain_text.parsed(
        "See (https://x.example/a_(b)), :tada: *no* <!channel>\n\n\n> one\n> > two\nend www.y.example."
    )

    found = elements(document)

    assert [element["type"] for element in found] == [
        "rich_text_section",
        "rich_text_quote",
        "rich_text_section",
    ]
    assert found[0]["elements"][1] == {
        "type": "link",
        "url": "https://x.example/a_(b)",
        "text": "https://x.example/a_(b)",
    }
    assert found[0]["elements"][2]["text"] == "), :tada: *no* <!channel>"
    assert found[1]["elements"][0]["text"] == "one\n> two"
    assert found[2]["elements"][1]["url"] == "http://www.y.example"


def test_every_kind_of_element() -> None:
    """Sections, lists, quotes, preformatted text and dividers each become Slack's own."""
    html = "<h2>T</h2><p><i>a</i> <del>b</del> <code>c</code></p><ol start=3><li>x<br>y<ul><li>z</ul></ol><pre>p</pre><hr>q"
    blocks = rich_text.fitted(html_text.parsed(html), 3000, 5000).blocks

    section, ordered, bullets, code = blocks[0]["elements"]

    assert [block["type"] for block in blocks] == ["rich_text", "divider", "rich_text"]
    assert section["elements"][0] == {"type": "text", "text": "T\n\n", "style": {"bold": True}}
    assert (ordered["style"], ordered["indent"], ordered["offset"]) == ("ordered", 0, 2)
    assert ordered["elements"][0]["elements"][0]["text"] == "x\ny"
    assert (bullets["style"], bullets["indent"], code["type"]) == ("bullet", 1, "rich_text_preformatted")


@pytest.mark.parametrize(
    ("plain", "html", "kept"),
    [
        ("Hello *there*", "<p>Hello <b>there</b></p>", "Hello there"),
        ("", "<p>Page", "Page"),
        (None, "<p>Page", "Page"),
        ("Your client does not support HTML.", "<p>" + "word " * 50, "word"),
        (
            "All that there is to say about it",
            "<img src=http://x.example/all.png alt=All>",
            "All that there is",
        ),
        ("text only", None, "text only"),
        ("<!DOCTYPE html><p>labelled <b>wrongly</b>", None, "labelled wrongly"),
        ("stub", "<p>" + "<i>word</i> " * 60_000, "stub"),
        ("text", "<script>x</script>", "text"),
    ],
)
def test_the_better_form_is_shown(plain: str | None, html: str | None, kept: str) -> None:
    """The page is shown, for it says most; the plain text where the page is a picture, or cannot be read."""
    assert rich_text.document(Body(plain, html)).full.startswith(kept)


def test_a_long_text_ends_at_a_paragraph() -> None:
    """A cut text ends where a paragraph ends, and says that it is cut."""
    document = plain_text.parsed("\n\n".join("word " * 40 for _ in range(40)))

    fitted = rich_text.fitted(document, 3000, 5000)

    assert fitted.is_cut
    assert 1800 <= width(body(fitted.blocks)) <= 3000
    assert body(fitted.blocks).endswith("word")


def test_a_long_line_ends_at_a_word() -> None:
    """A text without paragraphs ends behind a word, with an ellipsis."""
    fitted = rich_text.fitted(plain_text.parsed("word " * 5000), 3000, 5000)

    assert 2800 <= width(body(fitted.blocks)) <= 3000
    assert body(fitted.blocks).endswith("word…")


def test_no_link_is_cut() -> None:
    """A link that does not fit is left out whole."""
    html = "x " * 1480 + "<a href=http://y.example>" + "a link of many words " * 5 + "</a>"

    fitted = rich_text.fitted(html_text.parsed(html), 3000, 5000)

    assert fitted.is_cut
    assert "link" not in {
        each["type"] for element in fitted.blocks[0]["elements"] for each in element["elements"]
    }


def test_links_beyond_the_limit_name_their_host() -> None:
    """Where link targets take too much room, the text says at least where they would lead."""
    html = "".join(f"<p><a href=http://h{number}.example/{'p' * 500}>go {number}</a>" for number in range(20))

    found = elements(html_text.parsed(html), url_limit=2700)

    assert sum(each["type"] == "link" for element in found for each in element["elements"]) == 5
    assert "go 19 (h19.example)" in found[-1]["elements"][-1]["text"]


@pytest.mark.parametrize("grapheme", ["👨‍👩‍👧‍👦", "🇩🇪", "👍🏽", "é", "각", "नि"])
@pytest.mark.parametrize("limit", range(20, 32))
def test_no_grapheme_is_torn(grapheme: str, limit: int) -> None:
    """A text is cut between what a reader takes for characters."""
    found = text.cut(grapheme * 20, limit)

    assert width(found) <= limit
    assert found.removesuffix("…").replace(grapheme, "") == ""


HTML_PIECES = [
    "<p>", "</p>", "<div style='display:none'>", "</div>", "<a href='http://x.example/", "'>", "</a>", "<ul><li>", "</li>", "<ol start=999999999>",
    "<blockquote>", "</blockquote>", "<pre>", "\n", "<table><tr><td>", "<img alt='a' src=x>", "<b>", "</b>", "<h1>", "<br>", "<hr>", "&#x202e;", "&#0;",
    "<!channel>", "<@U1>", "<#C1>", "\ud800", "\U0001f469\u200d", "\u200c", "e\u0301", "🇩", "www.a.example", "<style>.x{", "}</style>", "<svg>", "<!--", "text ",
    "<a href='mailto:a@b'>", "<a href='HTTPS://[::1]:99/é'>", "<code>", "<li value=-1>", "<a href='//u:p@h.example\\x'>",
]  # fmt: skip


@given(
    st.lists(st.one_of(st.sampled_from(HTML_PIECES), st.text(max_size=8)), max_size=80).map("".join),
    st.integers(50, 400),
)
@settings(deadline=None)
def test_any_text_makes_valid_blocks(source: str, limit: int) -> None:
    """No HTML and no text makes a block that Slack refuses, and none is longer than asked."""
    for document in (html_text.parsed(source), plain_text.parsed(source)):
        fitted = rich_text.fitted(document, limit, 500)

        assert not fitted.blocks or problems(fitted.blocks) == []
        assert sum(map(width, body(fitted.blocks).split("\n"))) <= limit


@given(st.text(), st.integers(0, 60))
@settings(deadline=None)
def test_any_text_is_cleaned_and_cut(source: str, limit: int) -> None:
    """Cleaned text stays clean, and cut text is short enough."""
    cleaned = text.clean(source)

    assert text.clean(cleaned) == cleaned
    assert width(text.cut(cleaned, limit + 1)) <= limit + 1
    assert 0 <= text.end_within(cleaned, limit) <= len(cleaned)
