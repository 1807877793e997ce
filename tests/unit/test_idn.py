"""Names of other scripts on their way to the wire."""

from __future__ import annotations

import pytest

from bot.mail.idn import to_ascii
from bot.mail.parties import ascii_domain


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("straße.example", "xn--strae-oqa.example"),
        ("STRASSE.example", "STRASSE.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("Bücher.Example", "xn--bcher-kva.example"),
        ("почта.рф", "xn--80a1acny.xn--p1ai"),
        ("日本語。jp", "xn--wgv71a119e.jp"),
        ("☕.example", "xn--53h.example"),
        ("my_host.exämple", "my_host.xn--exmple-cua"),
    ],
)
def test_a_name_goes_where_browsers_go(name: str, wire: str) -> None:
    """ß is a letter of its own, so that no mail goes to whoever has the name with ss; older names still work."""
    assert to_ascii(name) == wire


@pytest.mark.parametrize("name", ["a..ü", "ü" * 70, "a..b"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """Empty and endless labels."""
    with pytest.raises(UnicodeError):
        to_ascii(name)
    assert ascii_domain("ü" * 70) is None
