"""What the form says about a provider, for every row of the table, and about servers found elsewhere."""

from __future__ import annotations

import csv
from importlib import resources

import pytest

from bot.mail.suggestions import Offer, Source, Suggestion, by_provider, guess, settled
from bot.slack import drafts, names, views
from tests.unit import kit
from tests.unit.samples import INCOMING, OUTGOING, PROVIDERS, known

ROWS = list(
    csv.DictReader(resources.files("bot.mail").joinpath("providers.csv").read_text("utf-8").splitlines())
)
PASSWORDS = {"Password", "Outgoing password"}


def found_for(row: dict[str, str]) -> Suggestion:
    """What is found for an address at a row's provider, by its domain or by its mail exchanger."""
    domain = row["domains"].partition(";")[0]
    provider = PROVIDERS.by_address(f"ana@{domain}") if domain else PROVIDERS.by_id(row["id"])
    assert provider is not None
    return by_provider(provider, Source.TABLE if domain else Source.EXCHANGER)


def form(found: Suggestion, address: str = "ana@example.org", **typed: str) -> dict[str, object]:
    """The add form as it is shown for an address, after what a person typed into it before."""
    draft = drafts.read(kit.payload(views.mailbox_form(drafts.new_draft()), {"address": address, **typed}))
    return views.mailbox_form(drafts.fill_in(draft, found), provider=found.provider)


def said(view: dict[str, object]) -> str:
    """The advice that a form shows."""
    blocks = view["blocks"]
    assert isinstance(blocks, list)
    return " ".join(kit.texts([block for block in blocks if block.get("block_id") == "advice"]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_slack_takes_the_form_of_every_provider(row: dict[str, str]) -> None:
    """Whatever the table knows of a provider is shown within Slack's limits."""
    view = form(found_for(row))

    assert kit.faults(view) == []
    assert kit.sdk_accepts(view)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_every_row_is_said_and_nothing_else(row: dict[str, str]) -> None:
    """Each fact of a row has its sentence or its button; a fact that the row does not have, has none."""
    view = form(found_for(row))
    words = said(view)
    has_way_in = row["pop_security"] != "none" and row["auth"] not in {"oauth2_only", "none"}
    links = [part["url"] for _, _, part in kit.walk(view) if "url" in part]

    assert ("app password here" in words) == (has_way_in and "app_password" in row["auth"])
    assert ("authorisation code here" in words) == (row["auth"] == "authorisation_code")
    assert ("must be switched on" in words) == (has_way_in and row["pop_switch"].startswith("must_enable"))
    assert ("only once" in words) == (has_way_in and "popped" in row["deletion_and_quirks"])
    assert ("asks not to be checked" in words) == (has_way_in and bool(row["min_poll_minutes_documented"]))
    assert ("has no POP" in words) == (row["pop_security"] == "none")
    assert ("takes no passwords" in words) == (row["auth"] == "oauth2_only")
    assert ("What you can do" in words) == (not has_way_in)
    assert links == [link for link in (row["app_password_link"], row["pop_link"]) if link and has_way_in]
    assert ("Password" in kit.inputs(view)) == has_way_in
    assert has_way_in or set(kit.inputs(view)).isdisjoint(PASSWORDS)


@pytest.mark.parametrize("row", [row for row in ROWS if row["enable_where"]], ids=lambda row: row["id"])
def test_where_to_do_it_is_said_with_what_to_do(row: dict[str, str]) -> None:
    """The place in the provider's settings stands beside what is to be done there."""
    words = said(form(found_for(row)))
    names_something = any(part in words for part in ("app password here", "switched on at", "wants "))

    assert (row["enable_where"].rstrip(". ") in words) == names_something


def test_links_are_the_provider_s_own() -> None:
    """A button leads nowhere but over HTTPS, and each link names its source."""
    for row in ROWS:
        links = [link for link in (row["app_password_link"], row["pop_link"]) if link]

        assert all(link.startswith("https://") for link in links), row["id"]
        assert bool(links) == ("link:" in row["source"]), row["id"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ana@gmail.com", "Gmail wants an app password here"),
        ("ana@gmail.com", "Forwarding and POP/IMAP"),
        ("ana@gmail.com", "hands each message to mail programs only once"),
        ("ana@outlook.com", "Since September 2024, Outlook.com takes no passwords"),
        ("ana@outlook.com", "let Outlook.com forward your mail"),
        ("ana@onmicrosoft.com", "Microsoft 365 takes no passwords from mail programs any more"),
        ("ana@icloud.com", "has no POP"),
        ("ana@web.de", "15 minutes"),
        ("ana@163.com", "authorisation code"),
    ],
)
def test_advice_says_what_is_known(address: str, words: str) -> None:
    """A provider's peculiarities are said before the test runs into them."""
    assert words in " ".join(views.advice(PROVIDERS.by_address(address)))


def test_nothing_known_is_silence() -> None:
    """An unknown provider, or one about which nothing is known, gets no advice."""
    assert views.advice(None) == ()
    assert views.advice(PROVIDERS.by_address("ana@posteo.de")) == ()
    assert said(form(known("ana@posteo.de"))) == ""


def test_a_guess_is_said_to_be_one() -> None:
    """Guessed servers stand in the form as a guess, until the person has replaced them by their own."""
    guessed = form(guess("example.org"))
    own = form(guess("example.org"), incoming_server="mail.ana.example", outgoing_server="out.ana.example")

    assert "only a guess" in said(guessed)
    assert kit.inputs(guessed)["Incoming server"]["element"]["initial_value"] == "pop.example.org"
    assert "guess" not in said(own)


@pytest.mark.parametrize("source", [Source.SRV, Source.AUTOCONFIG])
def test_servers_that_a_domain_names_are_said_to_be_its_own(source: Source) -> None:
    """A person sees where the servers come from."""
    assert "names itself" in said(form(Suggestion(source, INCOMING, OUTGOING)))


def test_a_domain_without_pop_is_said_before_a_password_is_asked_for() -> None:
    """Where the domain says that it offers none, no password field is there to be filled in vain."""
    view = form(settled("example.org", [(Source.SRV, Offer(has_pop=False))], PROVIDERS.by_host))

    assert "offers no POP" in said(view)
    assert set(kit.inputs(view)).isdisjoint(PASSWORDS)


def test_somebody_with_a_server_of_their_own_is_asked_for_its_password() -> None:
    """A refusing provider does not stand in the way of another server."""
    view = form(known("ana@outlook.com"), incoming_server="mail.ana.example")

    assert "Password" in kit.inputs(view)


def test_advice_changes_with_the_address_and_goes_with_it() -> None:
    """Another provider's advice replaces the first one's, and an unknown address leaves none."""
    gmail, outlook = known("ana@gmail.com"), known("ana@outlook.com")
    first = form(gmail, "ana@gmail.com")
    draft = drafts.fill_in(drafts.read(kit.payload(first, {"address": "ana@outlook.com"})), outlook)
    second = views.mailbox_form(draft, provider=outlook.provider)
    draft = drafts.fill_in(drafts.read(kit.payload(second, {"address": "ana@outlook.co"})), None)
    third = views.mailbox_form(draft)

    assert "Gmail" in said(first)
    assert "Gmail" not in said(second)
    assert "Outlook.com" in said(second)
    assert set(kit.inputs(second)).isdisjoint(PASSWORDS)
    assert said(third) == ""
    assert "Password" in kit.inputs(third)


def test_what_an_address_fills_in_reports_what_is_typed_there() -> None:
    """A late answer can only respect what the bot is told of."""
    fields = [kit.inputs(view) for view in (views.mailbox_form(drafts.new_draft()), form(guess("a.example")))]
    shown = [block for each in fields for block in each.values()]
    filled = [block for block in shown if names.field_of(block["block_id"]) in drafts.FILLABLE]

    assert len(filled) == 2 * len(drafts.FILLABLE)
    assert all(block["dispatch_action"] for block in filled)
    assert {block["element"]["action_id"] for block in filled} == {names.SERVER_TYPED}
