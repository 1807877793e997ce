"""What is found for an address, asked of a real name server and a local HTTPS server."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.mail.suggestions import Source
from storage.records import Security, ServerAddress
from tests.fakes.autoconfig_documents import document, incoming, outgoing
from tests.fakes.https_server import found
from tests.fakes.name_server import NameServer, records

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.mail.discovery import Discovery
    from tests.fakes.clock import Clock
    from tests.fakes.https_server import HttpsServer
    from tests.fakes.nsd import Nsd

POP = ServerAddress("pop.srv.example.test", 995, Security.TLS)
SMTP = ServerAddress("smtp.srv.example.test", 465, Security.TLS)
FULL = found(document(incoming(), outgoing()))


async def test_the_table_asks_nobody(make: Callable[..., Discovery]) -> None:
    """A domain of the table is known at once, without a question to anyone."""
    async with NameServer(records({})) as names:
        suggestion = await make(names.port).ask("ada@gmail.com")

    assert suggestion is not None
    assert (suggestion.source, suggestion.incoming) == (
        Source.TABLE,
        ServerAddress("pop.gmail.com", 995, Security.TLS),
    )
    assert names.asked == []


async def test_whoever_receives_the_mail_is_known_by_it(discovery: Discovery) -> None:
    """A domain whose mail goes to a known provider gets that provider's servers, whatever else it publishes."""
    suggestion = await discovery.ask("ada@mx.example.test")

    assert suggestion is not None
    assert suggestion.source is Source.EXCHANGER
    assert suggestion.provider is not None
    assert suggestion.provider.id == "google_workspace"


@pytest.mark.parametrize("domain", ["backup", "unlike"])
async def test_only_the_first_exchanger_and_whole_labels_count(discovery: Discovery, domain: str) -> None:
    """Neither a backup exchanger nor a name that merely ends alike says where the mailbox is."""
    suggestion = await discovery.ask(f"ada@{domain}.example.test")

    assert suggestion is not None
    assert suggestion.source is Source.GUESS


async def test_service_records_are_taken_by_priority_and_weight(discovery: Discovery) -> None:
    """Of several servers in DNS the one that the domain prefers is proposed, under TLS before STARTTLS."""
    suggestion = await discovery.ask("Ada@SRV.example.test")

    assert suggestion is not None
    assert (suggestion.source, suggestion.incoming, suggestion.outgoing) == (Source.SRV, POP, SMTP)
    assert suggestion.username_of("Ada@SRV.example.test") == "Ada@SRV.example.test"


async def test_a_service_without_tls_is_proposed_with_starttls(discovery: Discovery) -> None:
    """Where only the plain service is in DNS, it is never proposed in clear."""
    suggestion = await discovery.ask("ada@starttls.example.test")

    assert suggestion is not None
    assert suggestion.incoming == ServerAddress("pop.srv.example.test", 110, Security.STARTTLS)
    assert suggestion.outgoing == ServerAddress("smtp.srv.example.test", 587, Security.STARTTLS)


async def test_a_domain_may_say_that_it_has_no_pop(discovery: Discovery, web: HttpsServer) -> None:
    """A target of "." is an answer: nothing is guessed."""
    suggestion = await discovery.ask("ada@nopop.example.test")

    assert suggestion is not None
    assert (suggestion.source, suggestion.incoming, suggestion.outgoing) == (Source.NO_POP, None, None)


async def test_a_domain_may_say_that_it_takes_no_submission(discovery: Discovery) -> None:
    """An outgoing server that is not offered is not guessed either."""
    suggestion = await discovery.ask("ada@receiving.example.test")

    assert suggestion is not None
    assert (suggestion.source, suggestion.incoming, suggestion.outgoing) == (Source.SRV, POP, None)


async def test_a_known_provider_behind_a_domain_is_recognised(
    make: Callable[..., Discovery], nsd: Nsd
) -> None:
    """Servers in DNS that are a known provider's bring its advice."""
    suggestion = await make(nsd.port, ("outlook.office365.com",)).ask("ada@runby.example.test")

    assert suggestion is not None
    assert suggestion.provider is not None
    assert not suggestion.provider.takes_passwords


@pytest.mark.parametrize("domain", ["private", "mixed", "odd", "nowhere", "crooked"])
async def test_a_server_that_may_not_be_used_is_not_proposed(discovery: Discovery, domain: str) -> None:
    """Private addresses, one private among public ones, other ports, and names that are none: only a guess is left."""
    suggestion = await discovery.ask(f"ada@{domain}.example.test")

    assert suggestion is not None
    assert suggestion.source is Source.GUESS
    assert suggestion.incoming == ServerAddress(f"pop.{domain}.example.test", 995, Security.TLS)


async def test_ten_thousand_records_do_no_harm(discovery: Discovery) -> None:
    """An answer that is too large even for TCP is cut off by its server; what is proposed is sound."""
    suggestion = await discovery.ask("ada@many.example.test")

    assert suggestion is not None
    assert suggestion.source in {Source.SRV, Source.GUESS}


@pytest.mark.parametrize(
    ("domain", "page"),
    [
        ("auto", "autoconfig.auto.example.test/mail/config-v1.1.xml"),
        ("known", "known.example.test/.well-known/autoconfig/mail/config-v1.1.xml"),
    ],
)
async def test_a_domain_s_own_document_is_read(
    discovery: Discovery, web: HttpsServer, domain: str, page: str
) -> None:
    """Either place of the convention serves, and its placeholders are filled in."""
    host = "%EMAILDOMAIN%" if domain == "auto" else "pop.auto.example.test"
    pop = incoming(f"pop.{host}" if domain == "auto" else host, username="%EMAILLOCALPART%")
    web.pages[page] = found(document(incoming(kind="imap"), pop, outgoing("smtp.auto.example.test")))

    suggestion = await discovery.ask(f"ada@{domain}.example.test")

    assert suggestion is not None
    assert suggestion.source is Source.AUTOCONFIG
    assert suggestion.incoming == ServerAddress("pop.auto.example.test", 995, Security.TLS)
    assert suggestion.outgoing == ServerAddress("smtp.auto.example.test", 465, Security.TLS)
    assert suggestion.username_of("ada@x.example") == "ada"


async def test_the_local_part_leaves_the_bot_nowhere(discovery: Discovery, web: HttpsServer) -> None:
    """The domain is asked for its servers without being told for whom."""
    await discovery.ask("secret.person@auto.example.test")

    assert web.asked
    assert not any("secret" in line or "?" in line or "@" in line for line in web.asked)


async def test_a_server_in_clear_is_proposed_only_where_it_is_allowed(
    make: Callable[..., Discovery], nsd: Nsd, web: HttpsServer
) -> None:
    """Without encryption only for hosts that the administrator allows."""
    page = found(document(incoming("localhost", 110, "plain"), outgoing("localhost", 25, "plain")))
    web.pages["autoconfig.plain.example.test/mail/config-v1.1.xml"] = page

    refused = await make(nsd.port).ask("ada@plain.example.test")
    allowed = await make(nsd.port, ("autoconfig.plain.example.test", "localhost")).ask(
        "ada@plain.example.test"
    )

    assert refused is not None
    assert refused.source is Source.GUESS
    assert allowed is not None
    assert allowed.incoming == ServerAddress("localhost", 110, Security.NONE)


async def test_a_guess_is_called_one(discovery: Discovery) -> None:
    """A domain about which nothing can be found gets the usual names, as a guess."""
    suggestion = await discovery.ask("ada@odd.example.test")

    assert suggestion is not None
    assert suggestion.source is Source.GUESS
    assert suggestion.outgoing == ServerAddress("smtp.odd.example.test", 465, Security.TLS)


@pytest.mark.parametrize(
    "address",
    ["ada@not.there.example.test", "ada@nothing.example.test", "ada@local", "ada@", "ada", "", "a@b@"],
)
async def test_where_there_is_no_domain_nothing_is_guessed(discovery: Discovery, address: str) -> None:
    """A name that is not in DNS, or takes no mail, or is none, brings silence."""
    assert await discovery.ask(address) is None


async def test_answers_are_kept_by_domain(make: Callable[..., Discovery], clock: Clock) -> None:
    """A second address of a domain costs no question for an hour."""
    table = {("x.test", "MX"): ["10 aspmx.l.google.com."]}
    async with NameServer(records(table)) as names:
        discovery = make(names.port)
        first = await discovery.ask("ada@x.test")
        names.asked.clear()

        second = await discovery.ask("bob@X.TEST")
        at_once = discovery.known("eve@x.test")
        clock.ahead = timedelta(minutes=59)
        kept = list(names.asked)
        await discovery.ask("ada@x.test")
        clock.ahead = timedelta(minutes=61)
        forgotten = discovery.known("ada@x.test")
        await discovery.ask("ada@x.test")

    assert first == second == at_once
    assert kept == []
    assert forgotten is None
    assert ("x.test", "MX") in names.asked


@pytest.mark.parametrize("domain", ["guessed.test", "not-there.test"])
async def test_a_poor_answer_is_kept_for_minutes_only(
    make: Callable[..., Discovery], clock: Clock, domain: str
) -> None:
    """A guess, and that there is no such domain, are soon asked about again."""
    async with NameServer(records({("guessed.test", "TXT"): ['"here"']})) as names:
        discovery = make(names.port)
        await discovery.ask(f"ada@{domain}")
        names.asked.clear()

        clock.ahead = timedelta(minutes=4)
        await discovery.ask(f"ada@{domain}")
        kept = list(names.asked)
        clock.ahead = timedelta(minutes=6)
        await discovery.ask(f"ada@{domain}")

    assert kept == []
    assert names.asked


async def test_what_is_kept_is_bounded(make: Callable[..., Discovery]) -> None:
    """However many domains are typed, the oldest answers go."""
    async with NameServer(records({})) as names:
        discovery = make(names.port, most_kept=3)
        for number in range(5):
            await discovery.ask(f"ada@x{number}.test")
        names.asked.clear()

        await discovery.ask("ada@x4.test")
        kept = list(names.asked)
        await discovery.ask("ada@x0.test")

    assert kept == []
    assert names.asked
