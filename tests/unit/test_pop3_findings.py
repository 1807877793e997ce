"""Inputs that the fuzzer once broke a promise with, and those of the same kind; they stay mended."""

from __future__ import annotations

from itertools import product

import pytest

from bot.errors import RemoteProtocolError
from bot.mail.pop3 import Chunk, State
from tests.unit.pop3_oracle import ASKED, LIMITS, UIDL, check, told

FINDINGS = {
    "a dot behind a lone LF in CAPA": b"\x09\x02+OK\r\n1\x04\x02+.\n\n1 10\r\n2 20\r\n.\n..\n.\n&\x00\n1 10\r\n.\r\n",
    "a final dot behind a lone LF in UIDL": b"\x05\x03+OK\r\n1 a\n2 b\n.\r\n+OK\r\n1 10\r\n.\r\n",
    "a line over the limit that came whole": b"\x05\x04+OK\r\n1 a\r\n2 " + b"x" * 80 + b"\r\n.\r\n",
    "a long line whose end was held back": b"\x05\x04+OK\n\x00\n1\r\n.\r\n+OK\r\n" + bytes(70) + b"..\n.#",
}

STATUSES = (b"+OK", b"-ERR x", b"+ ")
ENDS = (b"\r\n", b"\n", b"\n\r\n", b"\r")
LINES = (b".", b"..", b"...", b"1 a", b"+OK", b"-ERR [AUTH] no", b"+ x", b"1 " + b"u" * 70)


@pytest.mark.parametrize("finding", FINDINGS)
def test_findings_stay_mended(finding: str) -> None:
    """The same events however the stream is cut, and within bounds."""
    check(FINDINGS[finding])


@pytest.mark.parametrize("asked", range(len(ASKED)))
def test_any_line_with_any_end_means_the_same_however_it_is_cut(asked: int) -> None:
    """Lines of every kind behind every status line, for every question."""
    for status, end, line in product(STATUSES, ENDS, LINES):
        octets = status + end + (line + end) * 3 + b"." + end + b"+OK" + end
        try:
            check(bytes([asked, 1]) + octets)
        except AssertionError as wrong:
            wrong.add_note(repr(octets))
            raise


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_every_line_feed_ends_a_line_of_a_listing(size: int) -> None:
    """A server that mixes both ends is read, and its listing ends."""
    heard = told(State.TRANSACTION, (UIDL,), b"+OK\r\n1 a\n2 b\r\n.\r\n", size)

    assert Chunk(b"1 a\n2 b\r\n") in heard.events
    assert heard.error is None


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_long_line_in_a_listing_is_refused_however_it_comes(size: int) -> None:
    """Its limit is that of a status line."""
    stream = b"+OK\r\n1 " + b"x" * LIMITS.status_octets + b"\r\n.\r\n"

    assert told(State.TRANSACTION, (UIDL,), stream, size).error is RemoteProtocolError
