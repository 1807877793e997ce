"""The receiving server's judgement of a sender: read as servers write it, believed only where it is theirs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import authentication, headers
from bot.mail.special import Verdict

GOOGLE = (
    "mx.google.com; dkim=pass header.i=@x.example header.s=s1 header.b=abc; spf=pass (google.com: domain of a@x.example "
    "designates 192.0.2.1 as permitted sender; really) smtp.mailfrom=a@x.example; dmarc=fail (p=NONE sp=NONE dis=NONE) header.from=x.example"
)
MICROSOFT = "spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=x.example; dkim=fail (no key) header.d=x.example;dmarc=none action=none"


def read(*fields: str) -> tuple[Verdict, ...]:
    """What fields say, topmost first."""
    block = "".join(f"Authentication-Results: {field}\n" for field in fields)
    return authentication.verdicts(headers.parsed(block.encode())[0])


def test_google() -> None:
    """Google's field, with a semicolon within a comment."""
    assert read(GOOGLE) == (Verdict("mx.google.com", spf="pass", dkim=("pass",), dmarc="fail"),)


def test_microsoft() -> None:
    """Microsoft's field, which names no server."""
    assert read(MICROSOFT) == (Verdict("", spf="fail", dkim=("fail",), dmarc="none"),)


@pytest.mark.parametrize(
    ("field", "verdict"),
    [
        ("mx.x.example 1; none", Verdict("mx.x.example")),
        ("MX.X.Example; SPF=Pass", Verdict("mx.x.example", spf="pass")),
        ('mx.x.example; dkim=fail reason="bad; dmarc=pass" header.d=x; dmarc=fail', Verdict("mx.x.example", dkim=("fail",), dmarc="fail")),
        ("(hi) mx.x.example (there); spf = softfail", Verdict("mx.x.example", spf="softfail")),
        ("", Verdict("")),
        ("(((", Verdict("")),
        ('"', Verdict("")),
    ],
)  # fmt: skip
def test_tolerant(field: str, verdict: Verdict) -> None:
    """Comments, quotes, capitals and versions change nothing."""
    assert read(field or " ")[:1] in {(verdict,), ()}


@pytest.mark.parametrize(
    ("fields", "host", "trusted", "is_doubtful"),
    [
        ([GOOGLE], "pop.gmail.com", (), True),
        ([GOOGLE], "pop.other.example", (), False),
        ([GOOGLE], "pop.other.example", ("mx.google.com",), True),
        ([MICROSOFT], "outlook.office365.com", (), True),
        ([MICROSOFT], "pop.gmail.com", (), False),
        (["mx1.mail.home.example; dmarc=fail"], "pop.home.example", (), True),
        (["home.example; dmarc=fail"], "pop.home.example", (), True),
        (["evilhome.example; dmarc=fail"], "pop.home.example", (), False),
        (["mx.bank.co.uk; dmarc=fail"], "pop.other.co.uk", (), False),
        (["home.example; dmarc=pass", "home.example; dmarc=fail"], "pop.home.example", (), False),
        (["elsewhere.example; dmarc=pass", "home.example; dmarc=fail"], "pop.home.example", (), True),
        (["home.example; dmarc=pass; spf=fail; dkim=fail"], "pop.home.example", (), False),
        (["home.example; spf=fail; dkim=fail"], "pop.home.example", (), True),
        (["home.example; spf=softfail; dkim=fail; dkim=fail"], "pop.home.example", (), True),
        (["home.example; spf=fail; dkim=pass"], "pop.home.example", (), False),
        (["home.example; spf=fail; dkim=fail; dkim=pass"], "pop.home.example", (), False),
        (["home.example; spf=pass; dkim=fail"], "pop.home.example", (), False),
        (["home.example; spf=fail"], "pop.home.example", (), False),
        ([], "pop.home.example", (), False),
        ([GOOGLE], "", (), False),
    ],
)
def test_doubt(fields: list[str], host: str, trusted: tuple[str, ...], is_doubtful: bool) -> None:  # noqa: FBT001 - a column
    """Only the topmost field of a trusted server counts; DMARC failing, or SPF and DKIM both, is a doubt."""
    assert authentication.is_doubtful(read(*fields), host, trusted) is is_doubtful


@given(st.text(alphabet=' ();="\\apdkimscfrl.', max_size=200))
@settings(max_examples=100, deadline=None)
def test_never_raises(field: str) -> None:
    """No field makes it fail."""
    authentication.is_doubtful(read(field.replace("\n", " ") or "x"), "pop.gmail.com", ())
