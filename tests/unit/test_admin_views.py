"""What administrators see: within Slack's limits, in words, and nothing live of what somebody typed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import policy
from bot.sandbox.slack import validate
from bot.slack import names
from bot.slack.views import admin
from bot.slack.views.admin import GrantSheet, Overview, Preview
from bot.slack.views.admin.wording import grant_words
from storage.headcount import Counts
from storage.sharing import (
    EVERYONE,
    Act,
    AuditEntry,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Subject,
    SubjectKind,
)
from tests.unit import kit
from tests.unit.admin_samples import (
    AUDIENCES,
    FIXED,
    GROUPS,
    MEMBERS,
    admin_views,
    effects,
    mailbox_states,
)
from tests.unit.samples import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

VIEWS = admin_views()
COUNTS = Counts(5, 1, 1)


def said(view: dict[str, Any]) -> str:
    """All that a person reads."""
    return "\n".join(kit.texts(view))


@pytest.mark.parametrize("name", VIEWS)
def test_slack_takes_every_full_view(name: str) -> None:
    """However much there is, every view keeps to Slack's limits."""
    view = VIEWS[name]

    validate.view(view, view["type"])
    assert len(json.dumps(view)) < 250_000
    assert kit.sdk_accepts(view)


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=200))
def test_no_name_of_a_group_is_live(name: str) -> None:
    """Whatever a group is called, no mention or link of it comes to life, and Slack takes the view."""
    for view in admin_views(f"{name}<!channel><https://x.example|y>").values():
        validate.view(view, view["type"])
        live = [part["text"] for _, _, part in kit.walk(view) if part.get("type") == "mrkdwn"]
        assert not any("<!channel>" in text or "<https:" in text for text in live)


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (policy.defaults(Role.MEMBER), "may share up to Open with people they name · channels: none · one active mailbox"),
        (policy.defaults(Role.SINGLE_CHANNEL_GUEST), "share nothing · one active mailbox"),
        (FIXED[0], "always shared at Reply with <@U2> · one active mailbox"),
        (FIXED[1], "always shared at Reply with the group “Support &amp; &lt;friends&gt;” · one active mailbox"),
        (FIXED[2], "always shared at Reply with Admins and above · one active mailbox"),
        (FIXED[3], "always shared at Reply with <#C1> · one active mailbox"),
        (Grant(MEMBERS, GrantKind.PRIVATE, may_hold=False), "share nothing · *no mailbox*"),
        (replace(policy.NO_LIMIT, mailboxes=2, active=None), "may share up to Manage with people, user groups and “role and above” · channels: any · 2 mailboxes · servers without encryption allowed"),
    ],
)  # fmt: skip
def test_grants_read_as_sentences(grant: Grant, words: str) -> None:
    """Each grant is one line that says what it allows."""
    assert grant_words(grant, GROUPS) == words


def test_the_overview_shows_what_nobody_wrote() -> None:
    """Everyone and the six roles stand there with what holds from the start, each with its button."""
    view = admin.overview_view(Overview([], COUNTS, GROUPS))

    text = said(view)
    assert "*Everyone*: no limit beside those below" in text
    assert text.count("may share up to Open with people they name") == 4
    assert text.count("share nothing") == 2
    values = [part["value"] for _, _, part in kit.walk(view) if part.get("action_id") == names.EDIT_GRANT]
    assert values == ["everyone", *(f"role:{role}" for role in Role)]


def test_the_overview_counts_mailboxes() -> None:
    """Well, failing and suspended mailboxes are counted."""
    assert "5 mailboxes: 3 well, *1 failing*, *1 suspended*" in said(
        admin.overview_view(Overview([], COUNTS))
    )
    assert "Nobody has a mailbox yet." in said(admin.overview_view(Overview([], Counts())))


def test_grants_of_former_administrators_are_marked() -> None:
    """A grant whose writer lost the role stands there for review, with who wrote it."""
    grant = Grant(MEMBERS, GrantKind.PRIVATE, written_by="U9")

    text = said(admin.overview_view(Overview([grant], COUNTS, review=frozenset({MEMBERS}))))

    assert "for review: written by <@U9>, who is no administrator now" in text
    assert "1 grant is for review" in said(
        {"blocks": admin.admin_blocks(Overview([grant], COUNTS, review=frozenset({MEMBERS})))}
    )


def test_a_plan_without_groups_shows_no_menu_of_them() -> None:
    """Where Slack tells of no groups, only people can be chosen."""
    nothing: dict[str, str] = {}
    for groups in (None, nothing):
        view = admin.overview_view(Overview([], COUNTS, groups))
        kinds = [part["type"] for _, _, part in kit.walk(view) if part.get("type", "").endswith("_select")]
        assert kinds == ["users_select"]


def test_a_higher_role_is_offered_nothing_wider() -> None:
    """Who ranks below those a grant is for is offered what they have now or less, and told why."""
    owners = Subject(SubjectKind.ROLE, Role.OWNER)
    limit = Grant(owners, GrantKind.CHOICE, Level.OPEN, mailboxes=3, excluded=frozenset({"bank.example"}))

    view = admin.grant_form(GrantSheet(owners, limit, limit=limit))

    inputs = {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}
    assert "Owners rank above you" in said(view)
    assert [each["value"] for each in inputs[names.GRANT_KIND]["options"]] == ["private", "choice"]
    assert [each["value"] for each in inputs[names.GRANT_LEVEL]["options"]] == ["1", "2"]
    assert [each["value"] for each in inputs[names.GRANT_REACH]["options"]] == ["0"]
    assert inputs[names.MOST_MAILBOXES]["max_value"] == "3"
    assert names.ALLOWS_PLAIN not in inputs
    assert "take none away" in said(view)


def test_the_preview_says_who_is_affected() -> None:
    """People, mailboxes, shares before and after, and who loses what, ten of each by name."""
    preview = Preview(
        MEMBERS, policy.defaults(Role.MEMBER), Grant(MEMBERS, GrantKind.PRIVATE), effects(12), GROUPS
    )

    text = said(admin.preview_view(preview, "d"))

    assert "12 people, 36 mailboxes of" in text
    assert "and 2 more" in text
    assert "*4 shares end and 8 shares are lowered:*" in text
    assert f"<@{'U' + '0' * 39}> → <@U2> (one message): Manage → ends" in text
    assert "May not have a mailbox any more" in text
    assert "More active mailboxes than allowed" in text
    assert "it will bind only as far as" in text


def test_a_preview_of_nothing_says_so() -> None:
    """A grant for nobody, or one that changes nothing, is not dressed up."""
    grant = policy.defaults(Role.MEMBER)

    text = said(admin.preview_view(Preview(MEMBERS, grant, grant), "d"))

    assert "Nobody right now." in text
    assert "Nothing in this differs" in text


def test_a_stale_preview_says_that_nothing_was_saved() -> None:
    """Who was slower than another administrator reads that first."""
    grant = policy.defaults(Role.MEMBER)

    view = admin.preview_view(Preview(MEMBERS, grant, grant, is_stale=True), "d")

    assert kit.texts(view["blocks"])[0].startswith("⚠ Somebody changed this grant")


def test_mailboxes_show_no_address_and_no_way_to_read() -> None:
    """A line has the owner, the server and the state; the buttons suspend, lift and delete."""
    view = admin.mailboxes_view(mailbox_states(20), 0, 21)

    labels = {part["text"]["text"] for _, _, part in kit.walk(view) if part.get("type") == "button"}
    assert labels == {"Suspend", "Lift", "Delete …", "Next"}
    assert "@example" not in said(view)


def test_the_audit_reads_in_words() -> None:
    """Ids become mentions and names of groups; what was refused is shown too."""
    entry = AuditEntry(
        NOW, "T1", "U1", Act.GRANT_SET, subject="group:S1", before="private", after="fixed, open, to person:U2", id="1"
    )  # fmt: skip
    refused = AuditEntry(NOW, "T1", "U3", Act.REFUSED, subject="admin:overview", id="2")

    text = said(admin.audit_view([entry, refused], admin.AuditFilter(), GROUPS))

    assert "*<@U1>* set a grant · Group “Design”\nprivate → fixed, open, to <@U2>" in text
    assert "*<@U3>* was refused · admin:overview" in text


def test_whoever_is_refused_reads_whom_to_ask() -> None:
    """A refusal is polite, and names administrators."""
    assert "Please ask <@U1>, <@U2>" in admin.refused(["U1", "U2", "U3"])["text"]
    assert "Please ask one of them." in admin.refused([])["text"]


def test_everyone_s_written_grant_is_shown() -> None:
    """Once somebody wrote a grant for everyone, it is said what it allows."""
    grant = Grant(EVERYONE, GrantKind.CHOICE, Level.SEE, reach=Reach.GROUPS, active=None)

    text = said(admin.overview_view(Overview([grant], COUNTS)))

    assert "*Everyone*: may share up to See with people and user groups" in text


def test_an_audience_is_named_by_its_kind() -> None:
    """The form of a fixed grant has the audience in place."""
    for audience, grant in zip(AUDIENCES, FIXED, strict=True):
        view = admin.grant_form(GrantSheet(MEMBERS, grant, groups=GROUPS))
        assert json.dumps(audience.id) in json.dumps(view)


def _stored() -> dict[str, dict[str, Any]]:
    grants = [
        Grant(
            Subject(SubjectKind.GROUP, "S1"),
            GrantKind.CHOICE,
            Level.SEE,
            excluded=frozenset({"bank.example"}),
        ),
        replace(FIXED[1], written_by="U9"),
    ]
    overview = Overview(grants, COUNTS, GROUPS, frozenset({MEMBERS}))
    preview = Preview(MEMBERS, policy.defaults(Role.MEMBER), FIXED[1], effects(2), GROUPS, is_one_way=True)
    return {
        "overview": admin.overview_view(overview),
        "home": {"blocks": admin.admin_blocks(overview)},
        "grant": admin.grant_form(GrantSheet(MEMBERS, FIXED[1], is_written=True, groups=GROUPS)),
        "preview": admin.preview_view(preview, "draft"),
    }


STORED = _stored()


@pytest.mark.parametrize("name", STORED)
def test_administration_is_as_stored(name: str, assert_stored: Callable[[str, Any], None]) -> None:
    """A view of administration changes only when somebody means it to."""
    assert_stored(f"admin_views/{name}", STORED[name])
