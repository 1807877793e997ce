"""Where links lead: said in the open, whatever wraps them and however they are spelled."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import domains, html_text, links, plain_text, safe_links

WRAPPED = [
    "https://nam12.safelinks.protection.outlook.com/?url=https%3A%2F%2Fbank.example%2Flogin%3Fa%3Db&data=05%7C01",
    "https://urldefense.proofpoint.com/v1/url?u=https://bank.example/login%3Fa%3Db&k=1",
    "https://urldefense.proofpoint.com/v2/url?u=https-3A__bank.example_login-3Fa-3Db&d=DwMFaQ&c=x",
    "https://urldefense.com/v3/__https://bank.example/login?a=b__;!!abc!def$",
    "https://urldefense.com/v3/__https:/*bank.example/login*a=b__;Lz8!!abc!def$",
    "https://urldefense.us/v3/__https://bank.example/**Ba=b__;bG9naW4_!!abc$".replace("**B", "**E"),
    "https://www.google.com/url?q=https://bank.example/login%3Fa%3Db&sa=D",
    "https://www.google.co.uk/url?sa=t&url=https%3A%2F%2Fbank.example%2Flogin%3Fa%3Db",
    "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Furldefense.proofpoint.com%2Fv2%2Furl%3Fu%3Dhttps-3A__bank.example_login-3Fa-3Db",
]


@pytest.mark.parametrize("url", WRAPPED)
def test_wrapped_links_show_where_they_lead(url: str) -> None:
    """What a gateway or a search engine wrapped is shown as what it was, and still leads through them."""
    line = html_text.parsed(f"<a href='{url}'>{url}</a>").lines[0]
    to = links.target(url)

    assert safe_links.unwrapped(url) == "https://bank.example/login?a=b"
    assert line.text == "https://bank.example/login?a=b"
    assert to is not None
    assert (line.runs[0].url, to.leads) == (to.url, "bank.example")
    assert to.host != "bank.example"
    assert links.misleads("bank.example", to) is False
    assert links.misleads("shop.example", to) is True


@pytest.mark.parametrize(
    "url",
    [
        "https://safelinks.protection.outlook.com.evil.example/?url=https%3A%2F%2Fbank.example",
        "https://google.evil.example/url?q=https://bank.example",
        "https://google.evil/url?q=https://bank.example",
        "https://www.google.com/search?q=https://bank.example",
        "https://urldefense.com.evil.example/v3/__https://bank.example__;!!a$",
        "https://evil.example/?safelinks&url=https://bank.example",
        "https://x.safelinks.protection.outlook.com/?url=javascript:alert(1)",
        "https://urldefense.com/v3/__https://bank.example",
    ],
)
def test_look_alike_wrappers_stay_themselves(url: str) -> None:
    """No host passes for another by looking like a wrapper."""
    to = links.target(url)

    assert to is not None
    assert to.leads == to.host


def test_wrapped_links_in_plain_text() -> None:
    """An address in plain text is shown unwrapped too."""
    line = plain_text.parsed(f"See {WRAPPED[0]}.").lines[0]

    assert line.text == "See https://bank.example/login?a=b."
    assert "safelinks" in line.runs[1].url


@pytest.mark.parametrize(
    ("label", "href", "is_marked"),
    [
        ("shop.bank.co.uk", "https://click.bank.co.uk/x", False),
        ("bank.co.uk", "https://evil.co.uk", True),
        ("github.io", "https://evil.github.io", True),
        ("one.github.io", "https://two.github.io", True),
        ("10.0.0.1", "https://11.0.0.1", True),
        ("report.pdf", "https://files.example/report", False),
        ("müller.de", "https://xn--mller-kva.de", False),
    ],
)
def test_domains_are_compared_as_they_are_registered(label: str, href: str, *, is_marked: bool) -> None:
    """Two names of one owner agree; two owners below one suffix do not."""
    to = links.target(href)
    assert to is not None

    assert links.misleads(label, to) is is_marked


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("bank.example", "bank.example"),
        ("xn--mller-kva.de", "müller.de"),
        ("xn--r8jz45g.jp", "例え.jp"),
        ("xn--e1afmkfd.xn--p1ai", "пример.рф"),
        ("xn--80ak6aa92e.com", "xn--80ak6aa92e.com"),
        ("xn--pypal-4ve.com", "xn--pypal-4ve.com"),
        ("xn--a.example", "xn--a.example"),
        ("xn--.example", "xn--.example"),
    ],
)
def test_hosts_of_mixed_scripts_are_shown_as_punycode(host: str, shown: str) -> None:
    """A host is shown in its own letters only when it cannot pass for another."""
    assert domains.shown(host) == shown


def test_a_misleading_link_names_its_real_domain() -> None:
    """The real domain stands behind a link's text, in letters that cannot be mistaken."""
    html = f"<a href='{WRAPPED[0]}'>shop.example</a> <a href='https://xn--80ak6aa92e.com'>apple.com</a>"

    assert html_text.parsed(html).lines[0].text == (
        "shop.example (→ bank.example) apple.com (→ xn--80ak6aa92e.com)"
    )


@given(
    st.lists(
        st.sampled_from(
            ["https://", "urldefense.com/v3/__", "__;", "*", "**A", "!!", "?url=", "&u=", "%3A", "xn--"]
        )
        | st.text(max_size=6)
    ).map("".join)
)
@settings(deadline=None)
def test_any_address_is_a_clean_target_or_none(href: str) -> None:
    """No address makes the reader fail, and none that is kept holds what could mislead."""
    to = links.target(href)

    assert links.unwrapped_text(href) is not None
    assert to is None or (to.url.isascii() and to.leads and not any(c in to.leads for c in " \n\u202e@/"))
