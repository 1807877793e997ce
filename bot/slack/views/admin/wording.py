"""Grants, subjects, audiences and levels in words; ids become mentions, names of groups go through `literal`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.slack.views.words import counted, literal
from storage.sharing import (
    AudienceKind,
    ChannelReach,
    GrantKind,
    Level,
    Reach,
    Role,
    SubjectKind,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.sharing import Audience, Grant, Subject

LEVELS: Final = {
    Level.NONE: "nothing",
    Level.SEE: "See",
    Level.OPEN: "Open",
    Level.REPLY: "Reply",
    Level.MANAGE: "Manage",
    Level.OWN: "everything",
}
LEVEL_WORDS: Final = {
    Level.SEE: "See: sender, subject, date, size",
    Level.OPEN: "Open: body and attachments too",
    Level.REPLY: "Reply: send as the mailbox too",
    Level.MANAGE: "Manage: check, pause and change settings too",
}
ROLES: Final = {
    Role.PRIMARY_OWNER: "Primary owner",
    Role.OWNER: "Owners",
    Role.ADMIN: "Admins",
    Role.MEMBER: "Members",
    Role.MULTI_CHANNEL_GUEST: "Multi-channel guests",
    Role.SINGLE_CHANNEL_GUEST: "Single-channel guests",
}
REACHES: Final = {
    Reach.PEOPLE: "people they name",
    Reach.GROUPS: "people and user groups",
    Reach.ROLES: "people, user groups and “role and above”",
}
CHANNELS: Final = {
    ChannelReach.NONE: "none",
    ChannelReach.PRIVATE: "private ones",
    ChannelReach.ANY: "any",
}
UNKNOWN_GROUP: Final = "a group that is gone"


def person(user: str) -> str:
    """A mention; Slack shows the name, and pings nobody in a view."""
    return f"<@{user}>"


def group_name(group: str, groups: Mapping[str, str]) -> str:
    """A user group by its name: a mention would ping it."""
    return f"“{literal(groups[group], 60)}”" if groups.get(group) else UNKNOWN_GROUP


def subject_words(subject: Subject, groups: Mapping[str, str]) -> str:
    """For whom a grant is."""
    if subject.kind is SubjectKind.EVERYONE:
        return "Everyone"
    if subject.kind is SubjectKind.ROLE:
        return ROLES[Role(subject.id)]
    if subject.kind is SubjectKind.GROUP:
        return f"Group {group_name(subject.id, groups)}"
    return person(subject.id)


def role_and_above(role: Role) -> str:
    """A role with those above it."""
    return ROLES[role] if role is Role.PRIMARY_OWNER else f"{ROLES[role]} and above"


def audience_words(audience: Audience, groups: Mapping[str, str]) -> str:
    """Whom a share reaches."""
    if audience.kind is AudienceKind.PERSON:
        return person(audience.id)
    if audience.kind is AudienceKind.GROUP:
        return f"the group {group_name(audience.id, groups)}"
    if audience.kind is AudienceKind.ROLE:
        return role_and_above(Role(audience.id)) if audience.id in set(Role) else "a role"
    return f"<#{audience.id}>"


def grant_words(grant: Grant, groups: Mapping[str, str]) -> str:
    """A grant on one line."""
    return " · ".join([_sharing(grant, groups), *_holding(grant), *_rest(grant)])


def _sharing(grant: Grant, groups: Mapping[str, str]) -> str:
    if grant.kind is GrantKind.PRIVATE:
        return "share nothing"
    if grant.kind is GrantKind.FIXED and grant.audience is not None:
        return f"always shared at {LEVELS[grant.level]} with {audience_words(grant.audience, groups)}"
    channels = CHANNELS[grant.channels]
    return f"may share up to {LEVELS[grant.level]} with {REACHES[grant.reach]} · channels: {channels}"


def _holding(grant: Grant) -> list[str]:
    if not grant.may_hold:
        return ["*no mailbox*"]
    said = [] if grant.mailboxes is None else [counted(grant.mailboxes, "mailbox", "mailboxes")]
    if grant.active is not None:
        said.append("one active mailbox" if grant.active == 1 else f"{grant.active:,} active mailboxes")
    return said or ["any number of mailboxes"]


def _rest(grant: Grant) -> list[str]:
    said = [] if grant.may_view else ["*may not see what others share*"]
    if grant.excluded:
        said.append(f"never shared: mail with {counted(len(grant.excluded), 'domain', 'domains')}")
    if grant.allows_plain:
        said.append("servers without encryption allowed")
    return said
