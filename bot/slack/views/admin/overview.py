"""The overview of administration: grants in words, counts of mailboxes, and the ways to the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot import policy
from bot.slack import names
from bot.slack.views.admin.wording import grant_words, person, subject_words
from bot.slack.views.words import (
    Answer,
    Block,
    View,
    actions,
    answer,
    button,
    context,
    counted,
    header,
    listed,
    modal,
    mrkdwn,
    option,
    plain,
    section,
)
from storage.sharing import EVERYONE, Role, Subject, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.headcount import Counts
    from storage.sharing import Grant

MOST_SHOWN: Final = 30
"""Groups, and persons, with a grant of their own, that the overview shows; a menu leads to every other."""

MOST_GROUPS: Final = 100
ADMINISTRATORS_ONLY: Final = (
    "This is for the workspace's primary owner, owners and admins, so nothing was done."
)
MOST_ASKED: Final = 5

_ALL: Final = (EVERYONE, *(Subject(SubjectKind.ROLE, role) for role in Role))
"""The grants that always stand there."""

_RULE: Final = (
    "A grant is the ceiling for the mailboxes of those it is for. All that reach a person bind at once: everyone's, their "
    "role's, their groups', their own; none widens another. Being an administrator gives no right to read mail."
)


@dataclass(frozen=True, slots=True)
class Overview:
    """What the overview shows.

    Attributes:
        groups: names of user groups by id; None where Slack did not tell.
        review: subjects whose grant was written by somebody who is no administrator now.
    """

    grants: Sequence[Grant]
    counts: Counts
    groups: Mapping[str, str] | None = None
    review: frozenset[Subject] = field(default_factory=frozenset)


def overview_view(shown: Overview) -> View:
    """The modal of `/mailbox admin`."""
    blocks = [context(mrkdwn(_RULE)), header("Grants"), *(_line(each, shown) for each in _ALL)]
    blocks += _own(SubjectKind.GROUP, "Groups with a grant of their own", shown)
    blocks += _own(SubjectKind.PERSON, "People with a grant of their own", shown)
    blocks += [_adding(shown.groups), header("Mailboxes"), section(mrkdwn(_counts(shown.counts))), _ways()]
    return modal("Administration", names.ADMIN_OVERVIEW, blocks)


def admin_blocks(shown: Overview) -> list[Block]:
    """The administrator's part of App Home; five blocks."""
    groups = shown.groups or {}
    said = [f"*{subject_words(each, groups)}*: {_words(each, shown)}" for each in _ALL]
    own = len(
        [grant for grant in shown.grants if grant.subject.kind in {SubjectKind.GROUP, SubjectKind.PERSON}]
    )
    if own:
        said.append(f"and {counted(own, 'grant', 'grants')} for groups and people")
    if shown.review:
        said.append(f"*{counted(len(shown.review), 'grant is', 'grants are')} for review*")
    return [
        header("Administration"),
        section(mrkdwn("\n".join(said))),
        section(mrkdwn(_counts(shown.counts))),
        actions(button("Grants and limits", names.OPEN_ADMIN), *_ways()["elements"]),
        context(plain("Only primary owner, owners and admins see this part. It shows nothing of anybody's mail.")),
    ]  # fmt: skip


def refused(administrators: Sequence[str]) -> Answer:
    """Somebody who is no administrator asked for their part; `administrators` are users to turn to."""
    ask = f"Please ask {listed([person(user) for user in administrators[:MOST_ASKED]], MOST_ASKED)}."
    return answer(f"{ADMINISTRATORS_ONLY} {ask if administrators else 'Please ask one of them.'}")


def _line(subject: Subject, shown: Overview) -> Block:
    """One grant with its button."""
    words = f"*{subject_words(subject, shown.groups or {})}*: {_words(subject, shown)}"
    edit = button("Edit", names.EDIT_GRANT, subject.key)
    return section(mrkdwn(f"{words}{_review(subject, shown)}"), accessory=edit)


def _words(subject: Subject, shown: Overview) -> str:
    grant = policy.standing(subject, shown.grants)
    if subject == EVERYONE and grant == policy.NO_LIMIT:
        return "no limit beside those below"
    return grant_words(grant, shown.groups or {})


def _review(subject: Subject, shown: Overview) -> str:
    if subject not in shown.review:
        return ""
    writer = next((grant.written_by for grant in shown.grants if grant.subject == subject), None)
    by = person(writer) if writer else "somebody"
    return f"\n⚠ for review: written by {by}, who is no administrator now"


def _own(kind: SubjectKind, title: str, shown: Overview) -> list[Block]:
    """The grants of groups or of persons, those for review first."""
    subjects = [grant.subject for grant in shown.grants if grant.subject.kind is kind]
    subjects.sort(key=lambda subject: (subject not in shown.review, subject.id))
    if not subjects:
        return []
    blocks = [header(title), *(_line(subject, shown) for subject in subjects[:MOST_SHOWN])]
    left = len(subjects) - MOST_SHOWN
    if left > 0:
        blocks.append(context(plain(f"And {left:,} more; choose one below to see and change its grant.")))
    return blocks


def _adding(groups: Mapping[str, str] | None) -> Block:
    """Menus that open the form of a group's or a person's grant, there yet or not."""
    elements = []
    if groups:
        named = sorted(groups.items(), key=lambda each: (each[1].casefold(), each[0]))[:MOST_GROUPS]
        elements.append({
            "type": "static_select",
            "action_id": names.GRANT_GROUP,
            "placeholder": plain("Grant for a group …", 150),
            "options": [option(name, group) for group, name in named],
        })  # fmt: skip
    elements.append({
        "type": "users_select",
        "action_id": names.GRANT_PERSON,
        "placeholder": plain("Grant for a person …", 150),
    })  # fmt: skip
    return actions(*elements)


def _counts(counts: Counts) -> str:
    if not counts.mailboxes:
        return "Nobody has a mailbox yet."
    well = counts.mailboxes - counts.failing - counts.suspended
    said = [f"{counted(counts.mailboxes, 'mailbox', 'mailboxes')}: {well:,} well"]
    said.append(f"*{counts.failing:,} failing*" if counts.failing else "none failing")
    said.append(f"*{counts.suspended:,} suspended*" if counts.suspended else "none suspended")
    return ", ".join(said)


def _ways() -> Block:
    return actions(button("Mailboxes", names.OPEN_ADMIN_MAILBOXES), button("Audit", names.OPEN_ADMIN_AUDIT))
