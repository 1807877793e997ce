"""What goes out between DATA and the last dot says the mail, and cannot end it early."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.mail.smtp_content import END, pieces, size_of

OCTETS = st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"..", b"a", b"\xff", b"bc"])).map(b"".join)


def received(sent: bytes) -> bytes:
    """What a server takes for the mail (RFC 5321 section 4.5.2): up to the first lone dot, doubled ones undone."""
    mail, _, rest = (b"\r\n" + sent).partition(END)
    assert rest == b""
    return (mail.replace(b"\r\n.", b"\r\n") + b"\r\n").removeprefix(b"\r\n")


def normal(octets: bytes) -> bytes:
    """The mail with every line end as CRLF, the last one too."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", octets)
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


@settings(max_examples=100)
@given(octets=OCTETS, size=st.integers(1, 9))
@example(b".\r\n", 1)
@example(b"\r\n.\r\n", 3)
@example(b"a\r\n.\r\nMAIL FROM:<x>\r\n", 4)
@example(b"a\n.\nb", 2)
@example(b"a\r.\rb", 2)
@example(b"a\r\r\n", 2)
@example(b"", 1)
def test_a_server_takes_what_was_meant(octets: bytes, size: int) -> None:
    """However a mail is cut into pieces, it arrives whole, with CRLF, and its end is the last dot alone."""
    sent = b"".join(pieces(octets, size)) + END

    assert received(sent) == normal(octets)
    assert size_of(octets) == len(normal(octets))


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_nothing_before_the_end_can_be_taken_for_it(size: int) -> None:
    """Without the last line end and dot no server has all of the mail, even one that is lax about line ends."""
    octets = b".\r\n.\n.\r.\r\n\r\n.\n\r.\r\n."

    sent = b"".join(pieces(octets, size))

    assert END not in b"\r\n" + sent + b"\r\n"
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", sent)


def test_a_mail_is_cut_into_pieces_of_the_size() -> None:
    """A large mail is never copied as a whole."""
    octets = b".x\r\n" * 100_000

    assert max(map(len, pieces(octets, 1000))) <= 1300
