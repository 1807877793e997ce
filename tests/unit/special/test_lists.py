"""What mailing lists and newsletters say of themselves in their header, as they say it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail.message import parse
from bot.mail.special import MailingList
from bot.slack.cards import unsubscribing


def of(fields: str) -> MailingList | None:
    """The list of a mail with these fields."""
    return parse(f"From: a@b.example\n{fields}\n\nx".encode()).special.mailing_list


MAILMAN = of(
    "List-Id: Cyclists of Lindhamn <cyclists.lists.example>\n"
    "List-Unsubscribe: <https://lists.example/options/cyclists>,\n <mailto:cyclists-request@lists.example?subject=unsubscribe>\n"
    "List-Post: <mailto:cyclists@lists.example>\nList-Archive: <https://lists.example/archive/>"
)
GOOGLE = of(
    "List-ID: <plans.groups.example>\nList-Post: <https://groups.example/group/plans/post>, <mailto:plans@groups.example>\n"
    "List-Unsubscribe: <mailto:googlegroups-manage+1+unsubscribe@googlegroups.com>,\n <https://groups.google.com/group/plans/subscribe>"
)
SENDGRID = of(
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
    "List-Unsubscribe: <https://u1.ct.sendgrid.net/wf/unsubscribe?upn=abc>,\n <mailto:unsubscribe@sendgrid.example?subject=https%3A%2F%2Fx>"
)


def test_mailman() -> None:
    """A Mailman list: its name, the page and the address to leave it, where to write."""
    assert (
        MailingList(
            name="Cyclists of Lindhamn",
            page="https://lists.example/options/cyclists",
            page_host="lists.example",
            address="mailto:cyclists-request@lists.example?subject=unsubscribe",
            post="mailto:cyclists@lists.example",
        )
        == MAILMAN
    )


def test_google_groups() -> None:
    """A Google group without a phrase is called by the first word of its identity."""
    assert GOOGLE is not None
    assert (GOOGLE.name, GOOGLE.page_host) == ("plans", "groups.google.com")
    assert GOOGLE.post == "mailto:plans@groups.example"


def test_sendgrid() -> None:
    """A newsletter has no name, and is left on the page of who sends it out."""
    assert SENDGRID is not None
    assert SENDGRID.name == ""
    assert SENDGRID.page_host == "u1.ct.sendgrid.net"


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ('"3f21937f0f636c8cec1db30bfmc list" <3f21937f0f636c8cec1db30bf.140953.list-id.mcsv.net>', ""),
        ("=?utf-8?q?Caf=C3=A9?= <cafe.lists.example>", "Café"),
        ("just words", "just words"),
        ("plain.lists.example", ""),
        ("<>", "<>"),
    ],
)
def test_name(field: str, name: str) -> None:
    """A list is called what people call it; a number of some sender's machine is no name."""
    found = of(f"List-Id: {field}")

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "target",
    [
        "<javascript:alert(1)>",
        "<http://plain.example/leave>",
        "<ftp://a.example/>",
        "https://a.example/",
        "<https://>",
        "<>",
    ],
)
def test_no_page(target: str) -> None:
    """Only a page over https is ever a button."""
    found = of(f"List-Unsubscribe: {target}")

    assert found is not None
    assert found.page == ""
    assert unsubscribing.line(found) == []


def test_line() -> None:
    """The button names the host it opens; without a page the address to write to is text."""
    (button,) = unsubscribing.line(MAILMAN)[0]["elements"]
    by_mail = of("List-Unsubscribe: <mailto:leave@lists.example?subject=Bye%20now>")

    assert button["text"]["text"] == "Unsubscribe at lists.example"
    assert button["url"] == "https://lists.example/options/cyclists"
    assert unsubscribing.line(by_mail)[0]["elements"][0]["text"].replace("\u2068", "").replace(
        "\u2069", ""
    ) == ("To leave this list, write to leave@lists.example with the subject “Bye now”.")
    assert unsubscribing.line(None) == []


def test_no_userinfo() -> None:
    """The host that is named is the one that is opened, whatever stands before an @."""
    found = of("List-Unsubscribe: <https://bank.example@evil.example/x>")

    assert found is not None
    assert (found.page, found.page_host) == ("https://evil.example/x", "evil.example")


@given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_never_raises(identity: str, leave: str) -> None:
    """No fields make it fail, and what becomes a button is https."""
    clean = [" ".join(each.split()).encode("utf-8", "replace").decode() for each in (identity, leave)]
    found = of(f"List-Id: {clean[0]}\nList-Unsubscribe: <{clean[1]}>")

    assert found is None or found.page.startswith("https://") or not found.page
    unsubscribing.line(found)
