"""The provider table answers for addresses and servers as people type them."""

from __future__ import annotations

import csv
from datetime import timedelta
from importlib import resources

import pytest

from bot.mail.providers import Providers, load
from storage.records import Security, ServerAddress

TEXT = resources.files("bot.mail").joinpath("providers.csv").read_text("utf-8")
ROWS = list(csv.DictReader(TEXT.splitlines()))
HEADER = TEXT.splitlines()[0]


def test_every_row_is_found_by_its_domains_and_its_server() -> None:
    """Each provider of the table answers for every domain it lists."""
    providers = load()
    for row in ROWS:
        domains = [domain for domain in row["domains"].split(";") if domain]
        found = [providers.by_address(f"ada@{domain}") for domain in domains]
        host = row["pop_host"]

        assert [provider and provider.id for provider in found] == [row["id"]] * len(domains), row["id"]
        assert "{domain}" in host or not host or providers.by_host(host), row["id"]


def test_ids_and_domains_are_unique_and_each_row_names_its_source() -> None:
    """No two rows compete for a domain, and every row says where it comes from."""
    ids = [row["id"] for row in ROWS]
    domains = [domain for row in ROWS for domain in row["domains"].split(";") if domain]

    assert len(set(ids)) == len(ids) == 91
    assert len(set(domains)) == len(domains)
    assert all(row["source"] for row in ROWS)


def test_a_row_becomes_servers_and_habits() -> None:
    """Gmail comes with both servers, its sign-in, its switch and its pace."""
    gmail = load().by_address("ada@gmail.com")

    assert gmail is not None
    assert gmail.incoming == ServerAddress("pop.gmail.com", 995, Security.TLS)
    assert gmail.outgoing == ServerAddress("smtp.gmail.com", 465, Security.TLS)
    assert (gmail.username, gmail.auth, gmail.pop_switch) == (
        "email",
        "app_password_or_oauth2",
        "must_enable",
    )
    assert (gmail.min_poll, gmail.suggested_poll) == (None, timedelta(minutes=10))


@pytest.mark.parametrize("address", ["ada@icloud.com", "ada@proton.me", "ada@tuta.com"])
def test_a_provider_without_pop_has_no_incoming_server(address: str) -> None:
    """A provider without POP is known as one before anybody types a password."""
    provider = load().by_address(address)

    assert provider is not None
    assert provider.incoming is None
    assert provider.pop_switch == "no_pop"


@pytest.mark.parametrize(
    "address",
    [
        "ADA@GMAIL.COM",
        "Ada@Gmail.Com",
        " ada@gmail.com ",
        "ada@gmail.com.",
        '"a@b"@gmail.com',
        "ada@ｇmail.com",
    ],
)
def test_the_spelling_of_an_address_does_not_matter(address: str) -> None:
    """Case, blanks around, a final dot and full-width letters lead to the same provider."""
    provider = load().by_address(address)

    assert provider is not None
    assert provider.id == "gmail"


@pytest.mark.parametrize(
    "address",
    ["", "@", "ada", "gmail.com", "@gmail.com", "ada@", "ada@example.com", "ada@a..b", "ada@" + "x" * 300],
)
def test_what_is_no_known_address_finds_nobody(address: str) -> None:
    """Nonsense and unknown domains find no provider and raise nothing."""
    assert load().by_address(address) is None


def test_names_in_unicode_and_in_ascii_are_one() -> None:
    """A domain with an umlaut is found in both spellings, and its server carries the ASCII one."""
    providers = Providers(_table(domains="bücher.example", pop_host="mail.{domain}"))

    found = [providers.by_address(f"ada@{domain}") for domain in ("bücher.example", "xn--bcher-kva.example")]

    assert found[0] is found[1]
    assert found[0] is not None
    assert found[0].incoming == ServerAddress("mail.xn--bcher-kva.example", 995, Security.TLS)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("POP.GMAIL.COM", "gmail"),
        ("outlook.office365.com.", "outlook_com"),
        ("mail.inbox.lv", "inbox_lv"),
        ("mail.{domain}", None),
        ("gmail.com", None),
        ("", None),
    ],
)
def test_a_provider_is_found_by_its_incoming_server(host: str, expected: str | None) -> None:
    """Somebody with a domain of their own still gets the provider's advice."""
    provider = load().by_host(host)

    assert (provider and provider.id) == expected


@pytest.mark.parametrize(
    ("exchangers", "expected"),
    [
        (["aspmx.l.google.com"], "google_workspace"),
        (["ASPMX.L.GOOGLE.COM."], "google_workspace"),
        (["mail.example.org", "aspmx.l.google.com"], "google_workspace"),
        (["contoso-com.mail.protection.outlook.com"], "microsoft365"),
        (["x.olc.protection.outlook.com"], "outlook_com"),
        (["mx-aol.mail.gm0.yahoodns.net"], "aol"),
        (["mta5.am0.yahoodns.net"], "yahoo"),
        (["mx01.mail.icloud.com"], "icloud"),
        (["in1-smtp.messagingengine.com"], "fastmail"),
        (["aspmx.notgoogle.com"], None),
        (["google.com.evil.example"], None),
        (["mxmail.netease.com"], None),
        (["", ".", "a..b"], None),
        ([], None),
    ],
)
def test_a_provider_is_found_by_who_receives_the_mail(exchangers: list[str], expected: str | None) -> None:
    """Whole labels, the longest suffix, and nobody where two providers share an exchanger."""
    provider = load().by_exchangers(exchangers, "ana.example")

    assert (provider and provider.id) == expected


def test_every_mx_row_is_found_by_its_exchangers() -> None:
    """A row for domains of one's own answers for every suffix it lists."""
    providers = load()
    for row in ROWS:
        suffixes = [suffix for suffix in row["mx_suffixes"].split(";") if suffix and not row["domains"]]
        found = [providers.by_exchangers([f"mx.{suffix}"], "ana.example") for suffix in suffixes]

        assert {provider and provider.id for provider in found} <= {row["id"]}


def test_servers_named_after_a_domain_are_named_after_the_person_s() -> None:
    """A placeholder in a row that is found by its exchanger becomes the domain of the address."""
    providers = Providers(_table(mx_suffixes="host.example", pop_host="mail.{domain}"))

    provider = providers.by_exchangers(["mx1.host.example"], "ana.example")

    assert provider is not None
    assert provider.incoming == ServerAddress("mail.ana.example", 995, Security.TLS)


def test_documented_minimum_and_unusual_ports_are_kept() -> None:
    """What a provider documents is not rounded to the usual."""
    web_de, rediff, tim = (
        load().by_address(f"ada@{domain}") for domain in ("web.de", "rediffmail.com", "tim.it")
    )

    assert web_de is not None
    assert rediff is not None
    assert tim is not None
    assert web_de.suggested_poll == timedelta(minutes=15)
    assert rediff.outgoing == ServerAddress("smtp.rediffmail.com", 586, Security.TLS)
    assert tim.incoming == ServerAddress("pop.tim.it", 110, Security.STARTTLS)


@pytest.mark.parametrize("domains", ["a.example;A.example", "a.example;a..b"])
def test_a_table_with_a_domain_twice_or_broken_does_not_load(domains: str) -> None:
    """A slip in the table is found when it is loaded, not when a person types an address."""
    with pytest.raises(ValueError, match=r"providers\.csv"):
        Providers(_table(domains=domains, pop_host="pop.example"))


def _table(**values: str) -> str:
    row = {"id": "x", "pop_port": "995", "pop_security": "tls", "username": "email", **values}
    return f"{HEADER}\n{','.join(row.get(column, '') for column in HEADER.split(','))}\n"
