"""Mailboxes, providers and views for the tests of the Slack side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.errors import CertificateInvalid, LoginRejected, Step
from bot.mail import providers
from bot.slack import drafts, views
from bot.slack.views import Report
from storage.records import Health, Mailbox, OldMail, Person, Profile, Retention, Security, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PROVIDERS = providers.load()
INCOMING = ServerAddress("pop.example.org", 995, Security.TLS)
OUTGOING = ServerAddress("smtp.example.org", 465, Security.TLS)
PROFILE = Profile("Work", "ana@example.org", INCOMING, "ana@example.org", OUTGOING, None)
MAILBOX = Mailbox(
    id="0f8fad5b-d9cb-469f-a165-70867728950e",
    owner=Person("T1", "U1"),
    profile=PROFILE,
    retention=Retention.LEAVE,
    is_active=True,
    is_paused=False,
    health=Health.OK,
    has_alarm=False,
    failures=0,
    created_at=NOW - timedelta(days=3),
    due_at=NOW + timedelta(minutes=4),
    last_success_at=NOW - timedelta(minutes=1),
    tail=None,
    listed_at=None,
    capabilities=None,
    one_by_one=False,
)
HOME = replace(
    MAILBOX,
    id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
    profile=replace(PROFILE, name="Home", address="ana@example.net", outgoing=None),
    is_active=False,
    due_at=None,
)
SIGNED_IN = (Step.NAME, Step.CONNECT, Step.TLS, Step.GREETING, Step.CAPABILITIES, Step.LOGIN, Step.UIDL)
FINE = Report(views.outcome(SIGNED_IN), views.outcome(SIGNED_IN[:-1]), messages=120)
REFUSED = Report(views.outcome(SIGNED_IN[:-1], LoginRejected()))
NO_SENDING = Report(
    views.outcome(SIGNED_IN), views.outcome(SIGNED_IN[:3], CertificateInvalid()), messages=120
)


def named(mailbox: Mailbox, text: str) -> Mailbox:
    """The mailbox with a text wherever a person may type one."""
    server = replace(INCOMING, host=text)
    profile = Profile(text, text, server, text, server, text)
    return replace(mailbox, profile=profile)


def typed_draft(text: str) -> drafts.Draft:
    """A form that came back with a text in every field."""
    filled = dict.fromkeys(drafts.draft_of(MAILBOX).texts, text)
    return drafts.after_failure(
        drafts.Draft(texts=filled, asks_active=True), draft_id="d1", offers_receiving_only=True
    )


def view_samples(mailbox: Mailbox = MAILBOX, other: Mailbox = HOME) -> dict[str, dict[str, Any]]:
    """Every view and answer in its telling states, by file name."""
    gmail = PROVIDERS.by_address("ana@gmail.com")
    added = drafts.new_draft(draft_id="d1")
    both = [mailbox, other]
    once: dict[str, Callable[[], dict[str, Any]]] = {
        "add_form": lambda: views.mailbox_form(added),
        "add_form_second": lambda: views.mailbox_form(
            drafts.new_draft(address="ana@gmail.com", provider=gmail, asks_active=True), provider=gmail
        ),
        "add_form_login_refused": lambda: views.mailbox_form(_came_back(mailbox), report=REFUSED),
        "add_form_no_sending": lambda: views.mailbox_form(
            drafts.after_failure(_came_back(mailbox), draft_id="d3", offers_receiving_only=True),
            report=NO_SENDING,
        ),
        "edit_form": lambda: views.mailbox_form(drafts.draft_of(mailbox)),
        "edit_form_second": lambda: views.mailbox_form(drafts.draft_of(other, asks_active=True)),
        "loading": views.loading,
        "in_progress": lambda: views.in_progress(mailbox.profile),
        "saved_new": lambda: views.saved(
            mailbox, FINE, old_mail=OldMail.LAST_50, interval=timedelta(minutes=5)
        ),
        "saved_not_active": lambda: views.saved(
            other, Report(FINE.incoming, messages=0), old_mail=OldMail.ALL, active=mailbox
        ),
        "saved_changed": lambda: views.saved(mailbox, FINE, is_new=False),
        "expired": views.expired,
        "could_not_open": lambda: views.could_not_open("The database is busy."),
        "password_form": lambda: views.password_form(mailbox, drafts.draft_of(mailbox)),
        "password_refused": lambda: views.password_form(
            mailbox, drafts.after_failure(drafts.draft_of(mailbox), draft_id="d4"), report=REFUSED
        ),
        "password_in_progress": lambda: views.password_in_progress(mailbox),
        "password_saved": lambda: views.password_saved(mailbox, FINE),
        "list": lambda: views.mailbox_list(both, {mailbox.id: 3}, NOW),
        "list_empty": lambda: views.mailbox_list([], {}, NOW),
        "home": lambda: views.home(both, {other.id: 1}, NOW),
        "home_empty": lambda: views.home([], {}, NOW),
        "picker": lambda: views.picker("edit", both),
        "picker_many": lambda: views.picker("remove", many(mailbox, 12)),
        "remove_form": lambda: views.remove_form(mailbox, 3),
        "help": views.help_answer,
        "unknown_word": lambda: views.unknown_word("pasword"),
        "activated": lambda: views.activated(mailbox, previous=other),
        "checking_in_modal": lambda: views.as_modal(views.checking(mailbox, not_before=NOW)),
        "paused": lambda: views.paused(mailbox),
        "resumed": lambda: views.resumed(mailbox),
        "checking": lambda: views.checking(mailbox),
        "checking_later": lambda: views.checking(mailbox, not_before=NOW),
        "checking_inactive": lambda: views.checking(other),
        "removed": lambda: views.removed(mailbox.profile.name),
        "nothing_to_do": lambda: views.nothing_to_do("edit"),
        "interrupted": views.interrupted,
        "failed": lambda: views.failed("Something went wrong on our side.", reference="4f2a"),
    }
    return {name: build() for name, build in once.items()}


def _came_back(mailbox: Mailbox) -> drafts.Draft:
    """The add form after a failed test."""
    draft = replace(drafts.draft_of(mailbox), mailbox_id="", asks_active=True)
    return drafts.after_failure(draft, draft_id="d2")


def many(mailbox: Mailbox, number: int) -> list[Mailbox]:
    """As many mailboxes, with ids of their own."""
    return [replace(mailbox, id=f"{order:08}-d9cb-469f-a165-70867728950e") for order in range(number)]
