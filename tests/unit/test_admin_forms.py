"""The form of a grant: what is read from it, and what is said of what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import granting, policy
from bot.slack import names
from bot.slack.admin_forms import Shape, domains, parse_grant, shape_of, subject_of
from bot.slack.checks import Fault
from bot.slack.views.admin import GrantSheet, grant_form
from storage.sharing import (
    EVERYONE,
    AudienceKind,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Subject,
    SubjectKind,
)
from tests.unit.admin_samples import FIXED, GROUPS, MEMBERS, state

ANA = Subject(SubjectKind.PERSON, "U1")

GRANTS = [
    Grant(MEMBERS, GrantKind.PRIVATE),
    Grant(MEMBERS, GrantKind.CHOICE, Level.OPEN),
    Grant(EVERYONE, GrantKind.CHOICE, Level.MANAGE, reach=Reach.ROLES, channels=ChannelReach.ANY, active=None),
    Grant(ANA, GrantKind.CHOICE, Level.SEE, mailboxes=3, active=2, may_hold=False, may_view=False),
    Grant(MEMBERS, GrantKind.PRIVATE, excluded=frozenset({"bank.example", "law.example"}), allows_plain=True),
    *FIXED,
]  # fmt: skip


@pytest.mark.parametrize("grant", GRANTS)
def test_the_form_gives_back_what_it_shows(grant: Grant) -> None:
    """A form that is sent as it was opened changes nothing."""
    view = grant_form(GrantSheet(grant.subject, grant, groups=GROUPS))

    assert parse_grant(state(view), grant.subject) == grant


@pytest.mark.parametrize(
    ("field", "entered", "said"),
    [
        (names.GRANT_KIND, {"selected_option": None}, "Choose one"),
        (names.GRANT_KIND, {"selected_option": {"value": "open"}}, "Choose one"),
        (names.GRANT_LEVEL, {"selected_option": {"value": "5"}}, "Choose one"),
        (names.GRANT_LEVEL, {"selected_option": {"value": "0"}}, "Choose one"),
        (names.GRANT_REACH, {"selected_option": {"value": "7"}}, "Choose one"),
        (names.MOST_MAILBOXES, {"value": "0"}, "from 1 to"),
        (names.MOST_MAILBOXES, {"value": "-1"}, "from 1 to"),
        (names.MOST_ACTIVE, {"value": "1e3"}, "from 1 to"),
        (names.MOST_ACTIVE, {"value": "1000"}, "from 1 to"),
        (names.EXCLUDED, {"value": "bank.example\nno domain!"}, "“domain!” is no domain"),
        (names.EXCLUDED, {"value": "10.0.0.1"}, "is no domain"),
        (names.EXCLUDED, {"value": "a..b"}, "is no domain"),
        (names.EXCLUDED, {"value": "\n".join(f"d{i}.example" for i in range(101))}, "at most 100"),
    ],
)
def test_faults_stand_under_their_field(field: str, entered: dict[str, Any], said: str) -> None:
    """What is wrong is said under its own field, in one sentence."""
    view = grant_form(GrantSheet(MEMBERS, Grant(MEMBERS, GrantKind.CHOICE, Level.OPEN)))

    errors = parse_grant(state(view, {field: entered}), MEMBERS)

    assert isinstance(errors, dict)
    assert list(errors) == [field]
    assert said in errors[field]


@pytest.mark.parametrize("kind", AudienceKind)
def test_a_fixed_grant_needs_its_audience(kind: AudienceKind) -> None:
    """Fixed without somebody who gets the mail is not taken, and says what is missing."""
    sheet = GrantSheet(MEMBERS, Grant(MEMBERS, GrantKind.PRIVATE), groups=GROUPS)
    view = grant_form(sheet, Shape(GrantKind.FIXED, kind))
    field = f"audience_{kind}"

    for entered in (None, "nobody there", "<!channel>"):
        option = None if entered is None else {"value": entered}
        empty = {"selected_option": option, "selected_user": entered, "selected_conversation": entered}
        errors = parse_grant(state(view, {field: empty}), MEMBERS)
        assert isinstance(errors, dict)
        assert list(errors) == [field]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", set()),
        (" Bank.Example \n\n law.example,\tx.example;y.example ", {"bank.example", "law.example", "x.example", "y.example"}),
        ("*.bank.example\n@law.example\nx.example.", {"bank.example", "law.example", "x.example"}),
        ("bücher.example\nBÜCHER.example", {"xn--bcher-kva.example"}),
        ("local", {"local"}),
    ],
)  # fmt: skip
def test_domains_are_taken_as_people_write_them(typed: str, found: set[str]) -> None:
    """One a line or with commas, with what people put before them, in any script, each once."""
    assert domains(typed) == found


@given(st.text(max_size=200))
def test_domains_are_domains_or_a_fault(typed: str) -> None:
    """Whatever is typed: what comes out is ASCII in lower case that a form can show again."""
    try:
        found = domains(typed)
    except Fault:
        return
    for domain in found:
        assert domain.isascii()
        assert domain == domain.lower()
    assert domains("\n".join(found)) == found


@given(
    st.dictionaries(
        st.sampled_from([names.GRANT_KIND, names.GRANT_LEVEL, names.AUDIENCE_KIND, names.EXCLUDED, "x"]),
        st.one_of(
            st.none(),
            st.dictionaries(
                st.text(max_size=5),
                st.one_of(st.none(), st.dictionaries(st.text(max_size=5), st.none())),
            ),
        ),
    )
)
def test_no_payload_breaks_the_form(values: dict[str, Any]) -> None:
    """Anything may be missing or odd: then there are faults, never an exception, and never a sharing grant."""
    found = parse_grant(values, MEMBERS)

    assert isinstance(found, dict)
    assert isinstance(shape_of(values, Shape(GrantKind.PRIVATE)), Shape)
    assert parse_grant(None, MEMBERS) == {names.GRANT_KIND: "Choose one of the options."}


@pytest.mark.parametrize(
    "subject",
    [EVERYONE, *(Subject(SubjectKind.ROLE, role) for role in Role), ANA, Subject(SubjectKind.GROUP, "S1")],
)
def test_subjects_come_back_from_buttons(subject: Subject) -> None:
    """A button's value names its grant."""
    assert subject_of(subject.key) == subject


@pytest.mark.parametrize(
    "text", ["", "person", "person:", "role:boss", "everyone:U1", "group:<!here>", "x:U1"]
)
def test_strange_values_name_no_grant(text: str) -> None:
    """A value that names none leads nowhere."""
    assert subject_of(text) is None


@pytest.mark.parametrize("limit", [*GRANTS, policy.NO_LIMIT, *map(policy.defaults, Role)])
def test_what_a_limited_form_offers_is_never_wider(limit: Grant) -> None:
    """Sent as it was opened, a form for a higher role asks for nothing that would be refused."""
    view = grant_form(GrantSheet(limit.subject, limit, limit=limit, groups=GROUPS))

    grant = parse_grant(state(view), limit.subject)

    assert isinstance(grant, Grant)
    assert not granting.is_wider(grant, limit)
    assert not granting.imposes(grant, limit)
