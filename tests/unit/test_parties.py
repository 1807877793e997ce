"""The domains of a mail are all of them, or not known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.mail import message, parties, render_child
from bot.mail.content import Arrival
from bot.mail.frames import Mode, Request
from storage.records import Shape

END = "Subject: x\r\n\r\nbody\r\n"
MAIL = f"From: Ada <ada@One.example>\r\nTo: b@two.example\r\nCc: c@three.example\r\n{END}".encode()
ALL = ("one.example", "three.example", "two.example")


def arrival(shape: Shape = Shape.WHOLE) -> Arrival:
    """Of any mail."""
    return Arrival(shape, 0, datetime(2026, 11, 23, tzinfo=UTC), None, "")


def found(header: str, shape: Shape = Shape.WHOLE, end: str = END) -> tuple[str, ...] | None:
    """The domains of a mail with such a header."""
    octets = f"{header}{end}".encode()
    return parties.domains(message.parse_header(octets), arrival(shape), octets)


@pytest.mark.parametrize("mode", Mode)
def test_every_way_to_read_a_mail_tells_its_domains(mode: Mode) -> None:
    """Whatever is asked for, the header is read, and whom it names is told."""
    assert render_child.rendered(Request(MAIL, arrival(), mode)).domains == ALL


@pytest.mark.parametrize(
    ("header", "domains"),
    [
        ("From: a@one.example, b@two.example\r\n", ("one.example", "two.example")),
        ("From: a@one.example\r\nFrom: b@two.example\r\n", ("one.example", "two.example")),
        ("From: a@one.example\r\nTo: b@two.example\r\nTo: c@three.example\r\n", ALL),
        ("From: a@one.example\r\nTo: undisclosed-recipients:;\r\n", ("one.example",)),
        ("From: a@one.example\r\nTo: g: b@two.example, c@three.example;\r\n", ALL),
        ("From: a@ONE.example.\r\nTo: root\r\n", ("one.example",)),
        ("From: a@bücher.example\r\n", ("xn--bcher-kva.example",)),
        ("To: b@two.example\r\n", ("two.example",)),
        ("Sender: a@one.example\r\n", ("one.example",)),
    ],
)
def test_no_party_is_overlooked(header: str, domains: tuple[str, ...]) -> None:
    """Several senders, several fields, groups and foreign letters: each domain is named once."""
    assert found(header) == domains


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"To: {', '.join(f'a{number}@one.example' for number in range(1001))}\r\n",
        f"From: {', '.join(f'a{number}@one.example' for number in range(1001))}\r\n",
        f"From: a@one.example\r\nX: {'x' * 70_000}\r\nTo: b@two.example\r\n",
        f"From: a@{'x' * 400}.example\r\n",
        "From: a@..b\u00fccher.example\r\n",
    ],
)
def test_what_may_hide_a_party_makes_the_domains_unknown(header: str) -> None:
    """A header that was cut, too many addresses, or a name that is none: nothing is said for certain."""
    assert found(header, end="Subject: x\r\n\r\n" if header else "no mail") is None


def test_a_header_that_breaks_off_may_go_on_with_any_address() -> None:
    """Of a message that is not kept whole, the header counts only with the empty line that ends it."""
    assert found("From: a@one.example\r\n", Shape.TOP, end="Subject: x\r\n") is None
    assert found("From: a@one.example\r\n", Shape.TOP) == ("one.example",)
