"""What comes out of a form: trimmed and checked, or a sentence under each wrong field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.retention import WORDS, WhyNot, allowed_retentions, without_recent
from bot.slack import drafts, forms, names, views
from bot.slack.forms import MailboxForm
from storage.records import Mailbox, OldMail, Profile, Retention, Secret, Security, ServerAddress
from tests.unit import kit
from tests.unit.samples import MAILBOX, OWN_LOGIN, PROFILE, PROVIDERS
from tests.unit.typing_person import ADD_FORM, FULL, edit, parse

PLAIN_ADD: dict[str, Any] = {
    "is_edit": False,
    "has_stored_password": False,
    "has_typed_before": False,
    "allows_plain": lambda _: False,
}


def allowed(host: str, username: str) -> tuple[tuple[Retention, WhyNot | None], ...]:
    """What the table says of a server."""
    return allowed_retentions(PROVIDERS.by_host(host), username)


def test_a_full_form_becomes_a_profile() -> None:
    """What was typed comes out trimmed, with the password exactly as typed."""
    form = parse({})

    assert form == MailboxForm(
        profile=Profile(
            name="Work",
            address="ana@example.org",
            incoming=ServerAddress("pop.example.org", 995, Security.TLS),
            username="ana",
            outgoing=ServerAddress("smtp.example.org", 465, Security.TLS),
            outgoing_username=None,
        ),
        incoming_password=Secret(" hunter2 "),
        outgoing_password=None,
        retention=Retention.LEAVE,
        delete_days=None,
        old_mail=OldMail.LAST_50,
        make_active=True,
    )


def test_choices_come_out_as_chosen() -> None:
    """Every select and radio reaches the form."""
    form = parse(
        {
            names.INCOMING_SECURITY: "starttls",
            names.INCOMING_PORT: "110",
            names.RETENTION: "delete_posted",
            names.OLD_MAIL: "all",
            names.MAKE_ACTIVE: "no",
        }
    )

    assert form.profile.incoming == ServerAddress("pop.example.org", 110, Security.STARTTLS)
    assert (form.retention, form.old_mail, form.make_active) == (Retention.DELETE_POSTED, OldMail.ALL, False)


def test_an_edit_keeps_what_was_not_touched() -> None:
    """The edit form sent as it opened changes nothing, and keeps the stored password."""
    form = edit({})

    assert form.profile == PROFILE
    assert form.incoming_password is None


@pytest.mark.parametrize(
    "values", [None, {}, {"account_name": None}, {"account_name": {}}, {"account_name": {"value": None}}]
)
def test_anything_may_be_missing(values: Any) -> None:
    """A payload without fields is answered with what is missing, and never breaks the form."""
    errors = forms.parse_mailbox(
        values, is_edit=False, has_stored_password=True, has_typed_before=False, allows_plain=lambda _: False
    )

    assert isinstance(errors, dict)
    assert set(errors) == {
        names.NAME,
        names.ADDRESS,
        names.INCOMING_SERVER,
        names.INCOMING_PORT,
        names.USERNAME,
        names.INCOMING_PASSWORD,
    }


@given(
    st.dictionaries(
        st.sampled_from(
            [*FULL, names.SAME_CREDENTIALS, names.RETENTION, names.INCOMING_PORT, names.INCOMING_SECURITY]
        ),
        st.dictionaries(
            st.text(max_size=5),
            st.none()
            | st.fixed_dictionaries(
                {},
                optional={
                    "value": st.none() | st.text() | st.integers(),
                    "selected_option": st.none() | st.fixed_dictionaries({"value": st.none() | st.text()}),
                    "selected_options": st.none()
                    | st.lists(st.none() | st.fixed_dictionaries({"value": st.text()})),
                },
            ),
            max_size=2,
        ),
    )
)
def test_no_payload_breaks_the_form(values: dict[str, Any]) -> None:
    """Whatever arrives, the answer is a form or sentences of a fitting length, each with its full stop."""
    answer = forms.parse_mailbox(
        values, is_edit=False, has_stored_password=False, has_typed_before=True, allows_plain=lambda _: False
    )

    if isinstance(answer, dict):
        assert all(sentence.endswith(".") and len(sentence) < 150 for sentence in answer.values())


def test_an_empty_password_needs_one_to_stand_in() -> None:
    """Only a stored or a just typed password may stand in for an empty field, a stored one only in an edit."""
    empty = {names.INCOMING_PASSWORD: ""}

    assert list(parse(empty)) == [names.INCOMING_PASSWORD]
    assert list(parse(empty, has_stored_password=True)) == [names.INCOMING_PASSWORD]
    assert list(edit({}, has_stored_password=False)) == [names.INCOMING_PASSWORD]
    assert parse(empty, has_typed_before=True).incoming_password is None


@pytest.mark.parametrize("side", ["incoming", "outgoing"])
def test_no_encryption_needs_leave(side: str) -> None:
    """Security "None" is refused with a sentence, except for hosts that may be used so."""
    host, security = f"{side}_server", f"{side}_security"

    errors = parse({security: "none"})

    assert list(errors) == [security]
    assert "TLS" in errors[security]
    assert isinstance(parse({host: "mail.test", security: "none"}), MailboxForm)


def test_an_empty_outgoing_server_is_receiving_only() -> None:
    """Without an outgoing server the rest of that part does not matter."""
    form = parse({names.OUTGOING_SERVER: "", names.OUTGOING_PORT: ""})

    assert form.profile.outgoing is None
    assert form.profile.outgoing_username is None


def test_an_outgoing_server_needs_its_port() -> None:
    """An outgoing server is all or nothing."""
    assert list(parse({names.OUTGOING_PORT: ""})) == [names.OUTGOING_PORT]


def test_outgoing_credentials_need_a_server() -> None:
    """Credentials without a server are a slip, not a wish to only receive."""
    typed = {names.OUTGOING_SERVER: "", names.SAME_CREDENTIALS: "", names.OUTGOING_USERNAME: "ana"}

    assert list(parse(typed)) == [names.OUTGOING_SERVER]


def test_the_same_credentials_ignore_the_others() -> None:
    """With the box ticked there are no fields for others, and what a forged form sends in them is ignored."""
    values = kit.state_values(ADD_FORM, FULL)
    extra = {
        name: {"value": {"value": "other"}} for name in (names.OUTGOING_USERNAME, names.OUTGOING_PASSWORD)
    }

    form = forms.parse_mailbox({**values, **extra}, **PLAIN_ADD)

    assert isinstance(form, MailboxForm)
    assert (form.profile.outgoing_username, form.outgoing_password) == (None, None)


def test_other_credentials_are_needed_whole() -> None:
    """With the box not ticked, username and password are needed, and come out."""
    unticked = {names.SAME_CREDENTIALS: ""}

    assert set(parse(unticked)) == {names.OUTGOING_USERNAME, names.OUTGOING_PASSWORD}

    form = parse({**unticked, names.OUTGOING_USERNAME: " other ", names.OUTGOING_PASSWORD: "pw"})
    assert (form.profile.outgoing_username, form.outgoing_password) == ("other", Secret("pw"))


def test_a_known_outgoing_password_may_stand_in() -> None:
    """An outgoing password that is stored or was just typed need not be typed again."""
    typed = {names.SAME_CREDENTIALS: "", names.OUTGOING_USERNAME: "other"}

    form = parse(typed, has_outgoing_password=True)

    assert form.outgoing_password is None
    assert form.profile.outgoing_username == "other"


def test_receiving_only_leaves_out_the_server() -> None:
    """The box of the failed form saves without the outgoing server, whatever still stands there."""
    draft = drafts.after_failure(drafts.draft_of(MAILBOX), draft_id="d", offers_receiving_only=True)
    view = views.mailbox_form(draft)

    form = parse({names.RECEIVING_ONLY: "yes", names.OUTGOING_PORT: "0"}, view=view)

    assert form.profile.outgoing is None


def test_errors_stand_under_the_fields_as_shown() -> None:
    """Errors carry the block ids of the view they answer, generation and all."""
    draft = drafts.after_failure(drafts.new_draft(), draft_id="d")
    view = views.mailbox_form(draft)

    errors = parse({names.INCOMING_PASSWORD: ""}, view=view)

    assert errors == {f"{names.INCOMING_PASSWORD}:1": "Enter the password."}


@pytest.mark.parametrize(
    ("typed", "refused"),
    [
        ({names.INCOMING_SERVER: "pop.attacker.example"}, [names.INCOMING_PASSWORD]),
        ({names.OUTGOING_SERVER: "smtp.attacker.example"}, [names.INCOMING_PASSWORD]),
        ({names.INCOMING_SECURITY: "none"}, [names.INCOMING_PASSWORD]),
        ({names.INCOMING_PORT: "1995", names.NAME: "Other"}, None),
        ({names.INCOMING_SERVER: "pop.attacker.example", names.INCOMING_PASSWORD: "new"}, None),
    ],
)
def test_a_stored_password_goes_nowhere_else(typed: dict[str, str], refused: list[str] | None) -> None:
    """A stored password is not sent to another server than its own, nor in clear, by whoever edits the mailbox."""
    answer = edit(typed, stored=PROFILE, has_typed_before=False, allows_plain=lambda _: True)

    assert (list(answer) if isinstance(answer, dict) else None) == refused
    assert not isinstance(
        edit(typed, stored=PROFILE, has_typed_before=True, allows_plain=lambda _: True), dict
    ), "one typed a moment ago may"


@pytest.mark.parametrize("is_typed", [False, True])
def test_a_stored_outgoing_password_stays_guarded_beside_a_typed_incoming_one(*, is_typed: bool) -> None:
    """After a failed test, the stored outgoing password still serves its own server, and no other."""
    own = {names.SAME_CREDENTIALS: "", names.OUTGOING_USERNAME: "out"}
    known = {"has_typed_before": True, "has_outgoing_password": True, "has_typed_outgoing": is_typed}

    assert not isinstance(edit(own, stored=PROFILE, **known), dict)
    elsewhere = edit({**own, names.OUTGOING_SERVER: "smtp.attacker.example"}, stored=PROFILE, **known)
    assert isinstance(elsewhere, dict) is not is_typed


@pytest.mark.parametrize("name", [names.INCOMING_SECURITY, names.RETENTION, names.OLD_MAIL])
def test_a_choice_that_was_not_offered_is_refused(name: str) -> None:
    """A made-up option is answered under its field."""
    assert list(parse({name: "everything"})) == [name]


def test_no_error_repeats_what_was_typed() -> None:
    """Sentences hold nothing of what they are about, so no password gets into a view or a log."""
    canary = "canary\x00canary"

    errors = parse(dict.fromkeys([*FULL, names.OUTGOING_USERNAME, names.OUTGOING_PASSWORD], canary))

    assert len(errors) == len(FULL)
    assert "canary" not in json.dumps(errors)
    assert "hunter2" not in repr(parse({}))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({names.INCOMING_PASSWORD: "pw "}, (Secret("pw "), None)),
        ({names.OUTGOING_PASSWORD: "out"}, (None, Secret("out"))),
        ({names.INCOMING_PASSWORD: "pw", names.OUTGOING_PASSWORD: "out"}, (Secret("pw"), Secret("out"))),
    ],
)
def test_the_password_form(typed: dict[str, str], expected: tuple[Secret | None, Secret | None]) -> None:
    """The incoming password, the outgoing one or both; each comes out as typed."""
    values = kit.state_values(views.password_form(OWN_LOGIN, drafts.draft_of(OWN_LOGIN)), typed)

    form = forms.parse_passwords(values, has_typed_before=False)

    assert isinstance(form, forms.PasswordForm)
    assert (form.incoming, form.outgoing) == expected


def test_the_outgoing_password_can_be_changed_alone() -> None:
    """With a user name of its own or without; an empty field needs one typed before."""
    for mailbox in (MAILBOX, OWN_LOGIN):
        draft = drafts.for_outgoing(drafts.draft_of(mailbox))
        view = views.password_form(mailbox, draft)

        typed = kit.state_values(view, {names.OUTGOING_PASSWORD: " new "})
        empty = kit.state_values(view)

        assert list(kit.inputs(view)) == ["New outgoing password"]
        assert forms.parse_passwords(typed, has_typed_before=False) == forms.PasswordForm(
            None, Secret(" new ")
        )
        assert forms.parse_passwords(empty, has_typed_before=True) == forms.PasswordForm(None, None)
        assert forms.parse_passwords(empty, has_typed_before=False) == {
            names.OUTGOING_PASSWORD: "Enter the password."
        }


def test_the_form_of_the_outgoing_password_stays_one_after_a_failure() -> None:
    """Its field is a new one, and still the only one."""
    first = views.password_form(MAILBOX, drafts.for_outgoing(drafts.draft_of(MAILBOX)))

    again = drafts.after_failure(drafts.read(kit.payload(first)), draft_id="d1")

    assert list(kit.inputs(views.password_form(MAILBOX, again))) == ["New outgoing password"]
    assert again.block_id(names.OUTGOING_PASSWORD) != names.OUTGOING_PASSWORD


@pytest.mark.parametrize("mailbox", [MAILBOX, OWN_LOGIN], ids=["shared", "own"])
def test_an_empty_password_form_needs_one_typed_before(mailbox: Mailbox) -> None:
    """Nothing typed is a slip, unless a test of it just failed."""
    values = kit.state_values(views.password_form(mailbox, drafts.draft_of(mailbox)))

    assert forms.parse_passwords(values, has_typed_before=True) == forms.PasswordForm(None, None)
    assert forms.parse_passwords(values, has_typed_before=False) == {
        names.INCOMING_PASSWORD: "Enter the password."
    }


@pytest.mark.parametrize("days", ["", "0", "91", "-1", "1.5", "x", "３０"])
def test_days_are_from_1_to_90(days: str) -> None:
    """A delete setting with days needs a number of them."""
    later = {names.RETENTION: Retention.DELETE_LATER}

    assert list(parse({**later, names.DELETE_DAYS: days})) == [f"{names.DELETE_DAYS}:1"]
    assert parse({**later, names.DELETE_DAYS: "90"}).delete_days == 90
    assert parse({names.RETENTION: Retention.DELETE_ASKED}).delete_days is None


def test_recent_mode_goes_before_the_user_name() -> None:
    """At Gmail only; nothing is deleted there, and sending takes the user name without it."""
    gmail = {names.INCOMING_SERVER: "pop.gmail.com", names.USERNAME: "ana@gmail.com", names.RECENT: names.YES}

    form = parse({**gmail, names.RETENTION: Retention.LEAVE})

    assert (form.profile.username, form.retention) == ("recent:ana@gmail.com", Retention.LEAVE)
    assert without_recent(form.profile.username) == "ana@gmail.com"
    assert parse({**gmail, names.INCOMING_SERVER: "pop.example.org"}).profile.username == "ana@gmail.com"


def test_a_setting_the_provider_cannot_carry_out_is_refused_with_the_reason() -> None:
    """Also when the server was typed by hand, so that the form still offered it."""
    typed = {names.INCOMING_SERVER: "pop.gmail.com", names.RETENTION: Retention.DELETE_POSTED}
    values = kit.state_values(ADD_FORM, {**FULL, **typed})

    errors = forms.parse_mailbox(values, **PLAIN_ADD, allowed=allowed)

    assert errors == {names.RETENTION: WORDS[WhyNot.HIDES_FETCHED]}


def test_receiving_only_is_a_choice() -> None:
    """With its tick, no outgoing server is stored, and none is asked for."""
    assert parse({names.RECEIVING_ONLY: names.YES}).profile.outgoing is None


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (None, ("list", "")),
        ("", ("list", "")),
        ("   ", ("list", "")),
        ("add", ("add", "")),
        ("ADD  ana@example.org ", ("add", "ana@example.org")),
        ("add <mailto:ana@example.org|ana@example.org>", ("add", "ana@example.org")),
        ("add\u00a0ana@example.org", ("add", "ana@example.org")),
        ("status", ("list", "")),
        ("fnord <!channel>", ("fnord", "<!channel>")),
    ],
)
def test_commands_are_read(text: str | None, command: tuple[str, str]) -> None:
    """The first word is the command in any case, the rest is what it is about."""
    assert forms.parse_command(text) == command
