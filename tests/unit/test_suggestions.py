"""Which proposal counts, and what a foreign answer must be to become one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mail import srv
from bot.mail.suggestions import Offer, Source, domain_of, expanded, host_name, settled
from bot.slack import checks
from storage.records import Security, ServerAddress

POP = ServerAddress("pop.a.example", 995, Security.TLS)
SMTP = ServerAddress("smtp.a.example", 465, Security.TLS)
OTHER = ServerAddress("smtp.b.example", 587, Security.STARTTLS)
GUESSED = ServerAddress("smtp.x.example", 465, Security.TLS)


@pytest.mark.parametrize(
    ("offers", "source", "incoming", "outgoing"),
    [
        ([], Source.GUESS, "pop.x.example", GUESSED),
        ([(Source.SRV, Offer(POP, SMTP))], Source.SRV, "pop.a.example", SMTP),
        ([(Source.SRV, Offer(POP))], Source.SRV, "pop.a.example", None),
        (
            [(Source.SRV, Offer(POP)), (Source.AUTOCONFIG, Offer(POP, OTHER))],
            Source.SRV,
            "pop.a.example",
            OTHER,
        ),
        (
            [(Source.SRV, Offer(POP, has_submission=False)), (Source.AUTOCONFIG, Offer(POP, OTHER))],
            Source.SRV,
            "pop.a.example",
            None,
        ),
        (
            [(Source.SRV, Offer()), (Source.AUTOCONFIG, Offer(POP, SMTP))],
            Source.AUTOCONFIG,
            "pop.a.example",
            SMTP,
        ),
        ([(Source.SRV, Offer(has_pop=False)), (Source.AUTOCONFIG, Offer(POP))], Source.NO_POP, None, None),
        ([(Source.SRV, Offer(None, SMTP))], Source.GUESS, "pop.x.example", SMTP),
        ([(Source.SRV, Offer(has_submission=False))], Source.GUESS, "pop.x.example", None),
    ],
)
def test_the_best_offer_counts(
    offers: list[tuple[Source, Offer]], source: Source, incoming: str | None, outgoing: ServerAddress | None
) -> None:
    """The first with an incoming server, completed by the next; a refusal is an answer; a guess comes last."""
    suggestion = settled("x.example", offers, lambda _: None)

    assert suggestion.source is source
    assert (suggestion.incoming and suggestion.incoming.host) == incoming
    assert suggestion.outgoing == outgoing


@given(st.text(max_size=300))
def test_a_foreign_host_is_one_the_form_would_take(text: str) -> None:
    """Whatever an answer names, what gets through is a plain name that the form itself accepts."""
    name = host_name(text)

    if name is not None:
        assert checks.host_name(name) == name
        assert name.isascii()
        assert name.isprintable()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("POP.Example.ORG.", "pop.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("127.0.0.1", None),
        ("::1", None),
        ("0x7f000001", None),
        ("a.0x7f", None),
        ("2130706433", None),
        ("-a.example", None),
        ("a..example", None),
        ("a_b.example", None),
        ("a b.example", None),
        ("a.example\n", "a.example"),
        ("a.exam\nple", None),
        ("a/b.example", None),
        ("x" * 64 + ".example", None),
        ("", None),
        (".", None),
    ],
)
def test_host_names(text: str, name: str | None) -> None:
    """Plain names come out in one spelling; numbers and nonsense do not come out."""
    assert host_name(text) == name


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("ana@Example.ORG", "example.org"),
        (" ana@bücher.example ", "xn--bcher-kva.example"),
        ("ana@localhost", None),
        ("ana@example.o", None),
        ("ana@example.", None),
        ("ana@[127.0.0.1]", None),
        ("@example.org", None),
        ("ana", None),
        ("ana@" + "x." * 120 + "org", None),
    ],
)
def test_a_domain_is_asked_about_once_it_could_be_one(address: str, domain: str | None) -> None:
    """Half a name, a machine's own name or a number is nobody's domain."""
    assert domain_of(address) == domain


def test_placeholders_are_filled_in() -> None:
    """Each placeholder of the format stands for its part of the address."""
    assert expanded("%EMAILLOCALPART%+%EMAILDOMAIN%=%EMAILADDRESS%", " a@b.c ") == "a+b.c=a@b.c"


@pytest.mark.parametrize(
    ("records", "host"),
    [
        ([(0, 0, 995, "b."), (0, 0, 995, "a.")], "a"),
        ([(1, 100, 995, "a."), (0, 0, 995, "b.")], "b"),
        ([(0, 1, 995, "a."), (0, 2, 995, "b.")], "b"),
        ([(0, 0, 0, "."), (1, 0, 995, "a.")], "a"),
        ([(0, 0, 0, "a."), (1, 0, 995, "b.")], "b"),
        ([(0, 0, 995, "a\\010b."), (1, 0, 995, "b.")], "b"),
    ],
)
def test_records_are_ranked(records: list[tuple[int, int, int, str]], host: str) -> None:
    """The lowest priority first, then the heaviest, and never one that could not be a server."""
    offer = srv.offer({"_pop3s._tcp": [srv.Record(*record) for record in records]})

    assert offer.incoming == ServerAddress(host, 995, Security.TLS)
