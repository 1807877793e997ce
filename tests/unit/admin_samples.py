"""Grants, people and views of administration for the tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from bot.effects import Cut, Effects, Excess
from bot.slack.admin_forms import Shape
from bot.slack.views import admin
from bot.slack.views.admin import AuditFilter, GrantSheet, MailboxState, Overview, Preview
from storage.dossier import Holding
from storage.headcount import Counts
from storage.records import Health, Person
from storage.sharing import (
    EVERYONE,
    Act,
    Audience,
    AudienceKind,
    AuditEntry,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Member,
    Reach,
    Role,
    Subject,
    SubjectKind,
    Suspension,
)
from tests.unit.samples import NOW

GROUPS: Final = {"S1": "Design", "S2": "Support & <friends>"}
MEMBERS: Final = Subject(SubjectKind.ROLE, Role.MEMBER)
AUDIENCES: Final = (
    Audience(AudienceKind.PERSON, "U2"),
    Audience(AudienceKind.GROUP, "S2"),
    Audience(AudienceKind.ROLE, Role.ADMIN),
    Audience(AudienceKind.CHANNEL, "C1"),
)
FIXED: Final = tuple(
    Grant(MEMBERS, GrantKind.FIXED, Level.REPLY, audience=audience) for audience in AUDIENCES
)
LONG_USER: Final = "U" + "0" * 39
DOMAINS: Final = frozenset(f"{'d' * 22}{number:03}.ab" for number in range(100))
WIDEST: Final = Grant(
    Subject(SubjectKind.GROUP, "S2"),
    GrantKind.CHOICE,
    Level.MANAGE,
    reach=Reach.ROLES,
    channels=ChannelReach.ANY,
    mailboxes=999,
    active=999,
    may_view=False,
    excluded=DOMAINS,
    allows_plain=True,
    written_by=LONG_USER,
)


def member(user: str, role: Role | None, *groups: str) -> Member:
    """Somebody as Slack tells of them."""
    return Member(Person("T1", user), role, frozenset(groups))


def state(view: dict[str, Any], entered: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """`view.state.values` as Slack sends it, with what a person entered by field."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            initial = {
                "selected_option": element.get("initial_option"),
                "selected_options": element.get("initial_options", []),
                "selected_user": element.get("initial_user"),
                "selected_conversation": element.get("initial_conversation"),
                "value": element.get("initial_value"),
            }
            keys = {
                "checkboxes": ["selected_options"],
                "users_select": ["selected_user"],
                "conversations_select": ["selected_conversation"],
                "plain_text_input": ["value"],
                "number_input": ["value"],
            }.get(element["type"], ["selected_option"])
            found = {key: initial[key] for key in keys}
            found |= (entered or {}).get(block["block_id"], {})
            values[block["block_id"]] = {element["action_id"]: {"type": element["type"], **found}}
    return values


def mailbox_states(count: int) -> list[MailboxState]:
    """Mailboxes in every state, each as long as can be."""
    healths, suspensions = list(Health), [None, *Suspension]
    return [
        MailboxState(
            id=f"{number:032x}",
            owner=LONG_USER,
            server="&" * 253,
            health=healths[number % len(healths)],
            is_active=number % 3 != 0,
            is_paused=number % 5 == 0,
            suspension=suspensions[number % len(suspensions)],
            created_at=NOW - timedelta(days=400),
            last_success_at=None if number % 4 == 0 else NOW,
            failures=number * 100_000,
            waiting=number * 100_000,
        )
        for number in range(count)
    ]


def entries(count: int, text: str = "&" * 900) -> list[AuditEntry]:
    """Audit entries of every kind, each as long as can be."""
    acts = list(Act)
    return [
        AuditEntry(
            at=NOW,
            workspace="T1",
            actor=None if number % 3 == 0 else LONG_USER,
            act=acts[number % len(acts)],
            owner=LONG_USER if number % 2 else "erased",
            mailbox_id=f"{number:032x}",
            subject="group:S2" if number % 2 else text,
            before=text,
            after=f"fixed, open, to person:U2, to group:S2, to channel:C1, to role:admin, {text}",
            id=f"{number:032x}",
        )
        for number in range(count)
    ]


def effects(count: int) -> Effects:
    """Effects on so many people."""
    users = tuple(f"U{number:039}" for number in range(count))
    return Effects(
        people=users,
        holders=users,
        mailboxes=count * 3,
        cuts=tuple(
            Cut(user, user, AUDIENCES[number % 4], Level.MANAGE, Level(number % 3), number % 2 == 0)
            for number, user in enumerate(users)
        ),
        opened=users,
        loses_hold=users,
        loses_view=users,
        over_mailboxes=tuple(Excess(user, 900, 1) for user in users),
        over_active=tuple(Excess(user, 900, 1) for user in users),
        narrower=(EVERYONE, *(Subject(SubjectKind.ROLE, role) for role in Role)),
    )


def admin_views(group: str = "x" * 500) -> dict[str, dict[str, Any]]:
    """Every view of administration as full as it can be; `group` is what somebody called each group."""
    groups = {f"S{number:03}": group for number in range(150)} | {"S2": group}
    own = [
        Grant(Subject(kind, f"{letter}{number:039}"), GrantKind.CHOICE, Level.OPEN, written_by=LONG_USER)
        for kind, letter in ((SubjectKind.GROUP, "S"), (SubjectKind.PERSON, "U"))
        for number in range(250)
    ]
    roles = [Subject(SubjectKind.ROLE, role) for role in Role]
    wide = [
        Grant(each, GrantKind.FIXED, Level.MANAGE, AUDIENCES[1], may_view=False, excluded=DOMAINS)
        for each in roles
    ]
    overview = Overview(
        [*own, *wide], Counts(10_000, 5_000, 5_000), groups, frozenset(each.subject for each in own)
    )
    fixed = Grant(WIDEST.subject, GrantKind.FIXED, Level.MANAGE, AUDIENCES[1], excluded=DOMAINS)
    preview = Preview(
        WIDEST.subject, WIDEST, fixed, effects(250), groups, is_stale=True, is_one_way=True, closed=("C1",)
    )
    nothing = Preview(MEMBERS, WIDEST, WIDEST, groups=groups, is_removal=True)
    forms = {
        f"form-{kind}-{audience}-{is_limited}": admin.grant_form(
            GrantSheet(
                WIDEST.subject, WIDEST, is_written=True, limit=limit, groups=groups, trouble="&" * 500
            ),
            Shape(kind, audience),
        )
        for kind in GrantKind
        for audience in AudienceKind
        for is_limited, limit in enumerate((None, Grant(MEMBERS, GrantKind.PRIVATE, may_hold=False), fixed))
    }
    chosen = AuditFilter(LONG_USER, LONG_USER, Act.REFUSED, NOW.date())
    return forms | {
        "overview": admin.overview_view(overview),
        "overview-empty": admin.overview_view(Overview([], Counts())),
        "home": {"type": "home", "blocks": admin.admin_blocks(overview)},
        "preview": admin.preview_view(preview, "draft"),
        "preview-empty": admin.preview_view(nothing, "draft"),
        "written": admin.written_view(preview),
        "written-empty": admin.written_view(nothing),
        "mailboxes": admin.mailboxes_view(mailbox_states(20), 3, 10_000, notice="x" * 200),
        "mailboxes-empty": admin.mailboxes_view([], 0, 0),
        "delete": admin.delete_form(mailbox_states(1)[0], Holding(1, 9_999, 9_999, 9_999, 0), 2),
        "deleted": admin.deleted(LONG_USER, "abc", is_told=False),
        "audit": admin.audit_view(entries(25), chosen, groups, generation=3, is_first=False, has_more=True, notice="x" * 200),
        "audit-empty": admin.audit_view([], AuditFilter(), {}),
    }  # fmt: skip
