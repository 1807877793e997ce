"""Mailboxes, providers and views for the tests of the Slack side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot import limits
from bot.doctor import Facts, causes
from bot.errors import CertificateInvalid, LoginRejected, Step, TooOften
from bot.mail import providers
from bot.mail.suggestions import Suggestion, by_provider, guess
from bot.slack import drafts, names, shapes, views
from bot.slack.views import OldMailComing, Report
from storage.dossier import Holding
from storage.records import Health, Mailbox, Person, Profile, Retention, Security, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.mail.providers import Provider

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
    delete_days=None,
    is_active=True,
    is_paused=False,
    health=Health.OK,
    has_alarm=False,
    failures=0,
    created_at=NOW - timedelta(days=3),
    due_at=NOW + timedelta(minutes=4),
    polled_at=NOW - timedelta(minutes=1),
    last_success_at=NOW - timedelta(minutes=1),
    last_mail_at=None,
    watched=timedelta(0),
    tail=None,
    listed_at=None,
    listed=0,
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


FEW_OF_MANY = OldMailComing(50, timedelta(minutes=1), is_in_pieces=True)
MANY = OldMailComing(1_234, timedelta(minutes=40), is_in_pieces=True)
NONE_THERE = OldMailComing(0, timedelta(0), is_in_pieces=False)


def shaped(draft: drafts.Draft, field: str, text: str, provider: Provider | None = None) -> dict[str, Any]:
    """The add form after a choice that shows or hides other fields."""
    after = shapes.reshaped(replace(draft, texts={**draft.texts, field: text}), drafts.new_draft(), field)
    return views.mailbox_form(after, provider=provider)


SENDING_FINE = Report(views.Tested(()), views.outcome([Step.CONNECT, Step.TLS, Step.LOGIN]))
OWN_LOGIN = replace(MAILBOX, profile=replace(PROFILE, outgoing_username="ana-out"))


def known(address: str) -> Suggestion:
    """What the table proposes for an address."""
    provider = PROVIDERS.by_address(address)
    assert provider is not None
    return by_provider(provider)


TOO_OFTEN = Report(
    views.outcome((Step.TURN,), TooOften(NOW, sentence=limits.too_often(NOW + timedelta(minutes=7), NOW)))
)
HELD = Holding(mailboxes=1, copies=34, waiting=3, uids=1_240, others=2)
RECEIPT = views.Receipt("3f9a0c51d2e7", NOW, HELD)


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
    gmail, outlook = known("ana@gmail.com"), known("ana@outlook.com")
    added = drafts.new_draft(draft_id="d1")
    both = [mailbox, other]
    once: dict[str, Callable[[], dict[str, Any]]] = {
        "add_form": lambda: views.mailbox_form(added),
        "add_form_second": lambda: views.mailbox_form(
            drafts.new_draft(address="ana@gmail.com", found=gmail, asks_active=True), provider=gmail.provider
        ),
        "add_form_no_password": lambda: views.mailbox_form(
            drafts.new_draft(address="ana@outlook.com", found=outlook), provider=outlook.provider
        ),
        "add_form_guess": lambda: views.mailbox_form(
            drafts.new_draft(address="ana@example.org", found=guess("example.org"))
        ),
        "add_form_receiving_only": lambda: shaped(added, names.RECEIVING_ONLY, names.YES),
        "add_form_other_login": lambda: shaped(added, names.SAME_CREDENTIALS, ""),
        "add_form_delete_later": lambda: shaped(added, names.RETENTION, Retention.DELETE_LATER),
        "add_form_recent": lambda: shaped(
            drafts.new_draft(address="ana@gmail.com", found=gmail), names.RECENT, names.YES, gmail.provider
        ),
        "add_form_login_refused": lambda: views.mailbox_form(_came_back(mailbox), report=REFUSED),
        "add_form_no_sending": lambda: views.mailbox_form(
            drafts.after_failure(_came_back(mailbox), draft_id="d3", offers_receiving_only=True),
            report=NO_SENDING,
        ),
        "edit_form": lambda: views.mailbox_form(drafts.draft_of(mailbox)),
        "edit_form_second": lambda: views.mailbox_form(drafts.draft_of(other, asks_active=True)),
        "loading": lambda: views.loading("Mailbox"),
        "in_progress": lambda: views.in_progress(mailbox.profile),
        "saved_new": lambda: views.saved(mailbox, FINE, old=FEW_OF_MANY, interval=timedelta(minutes=5)),
        "saved_not_active": lambda: views.saved(
            other, Report(FINE.incoming, messages=0), old=NONE_THERE, active=[mailbox]
        ),
        "saved_all_old_mail": lambda: views.saved(mailbox, FINE, old=MANY, interval=timedelta(minutes=5)),
        "saved_delete_later": lambda: views.saved(
            replace(mailbox, retention=Retention.DELETE_LATER, delete_days=30), FINE, is_new=False
        ),
        "saved_changed": lambda: views.saved(mailbox, FINE, is_new=False),
        "expired": views.expired,
        "could_not_open": lambda: views.could_not_open("The database is busy."),
        "password_form": lambda: views.password_form(mailbox, drafts.draft_of(mailbox)),
        "password_form_both": lambda: views.password_form(OWN_LOGIN, drafts.draft_of(OWN_LOGIN)),
        "password_form_outgoing": lambda: views.password_form(
            mailbox, drafts.for_outgoing(drafts.draft_of(mailbox))
        ),
        "password_in_progress_outgoing": lambda: views.password_in_progress(mailbox, is_outgoing=True),
        "password_one_saved": lambda: views.password_form(
            OWN_LOGIN, drafts.after_failure(drafts.draft_of(OWN_LOGIN), draft_id="d5"), report=NO_SENDING
        ),
        "password_outgoing_saved": lambda: views.password_saved(OWN_LOGIN, SENDING_FINE),
        "password_refused": lambda: views.password_form(
            mailbox, drafts.after_failure(drafts.draft_of(mailbox), draft_id="d4"), report=REFUSED
        ),
        "password_in_progress": lambda: views.password_in_progress(mailbox),
        "password_saved": lambda: views.password_saved(mailbox, FINE),
        "list": lambda: views.mailbox_list(both, {mailbox.id: 3}, NOW),
        "list_empty": lambda: views.mailbox_list([], {}, NOW),
        "home": lambda: views.home(views.HomePage(both, {other.id: 1}), NOW),
        "home_empty": lambda: views.home(views.HomePage([]), NOW),
        "picker": lambda: views.picker("edit", both),
        "picker_many": lambda: views.picker("remove", many(mailbox, 12)),
        "doctor_running": lambda: views.doctor_running(
            mailbox.profile.name, views.Progress(list(SIGNED_IN), [Step.NAME, Step.CONNECT])
        ),
        "doctor": lambda: views.doctor_result(REFUSED, _facts(mailbox), causes(_facts(mailbox)), NOW),
        "remove_form": lambda: views.remove_form(mailbox, HELD),
        "erase_form": lambda: views.erase_form(replace(HELD, mailboxes=2), NOW),
        "erased": lambda: views.erased(RECEIPT),
        "nothing_stored": views.nothing_stored,
        "given": views.given,
        "not_given": lambda: views.not_given("file_uploads_disabled"),
        "add_form_too_often": lambda: views.mailbox_form(_came_back(mailbox), report=TOO_OFTEN),
        "help": lambda: views.help_answer(names.COMMANDS),
        "unknown_word": lambda: views.unknown_word("pasword"),
        "activated": lambda: views.activated(mailbox, rested=[other]),
        "checking_in_modal": lambda: views.as_modal(views.checking(mailbox, not_before=NOW)),
        "paused": lambda: views.paused(mailbox),
        "resumed": lambda: views.resumed(mailbox),
        "checking": lambda: views.checking(mailbox),
        "checking_later": lambda: views.checking(mailbox, not_before=NOW),
        "checking_inactive": lambda: views.checking(other),
        "removed": lambda: views.removed(mailbox.profile.name, RECEIPT),
        "nothing_to_do": lambda: views.nothing_to_do("edit"),
        "interrupted": views.interrupted,
        "failed": lambda: views.failed("Something went wrong on our side.", reference="4f2a"),
    }
    return {name: build() for name, build in once.items()}


def _facts(mailbox: Mailbox) -> Facts:
    """A login refused at a provider where POP may be off, and posts that wait."""
    return Facts(
        mailbox=mailbox,
        active=(),
        failed=Step.LOGIN,
        is_busy=False,
        sends=None,
        provider=PROVIDERS.by_address("ana@gmail.com"),
        home=None,
        counts=None,
        waiting=3,
        held_until=None,
        is_closed=False,
    )


def _came_back(mailbox: Mailbox) -> drafts.Draft:
    """The add form after a failed test."""
    draft = replace(drafts.draft_of(mailbox), mailbox_id="", asks_active=True)
    return drafts.after_failure(draft, draft_id="d2")


def many(mailbox: Mailbox, number: int) -> list[Mailbox]:
    """As many mailboxes, with ids of their own."""
    return [replace(mailbox, id=f"{order:08}-d9cb-469f-a165-70867728950e") for order in range(number)]
