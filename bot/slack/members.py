"""What Slack's records say of people, user groups and channels, read so that what is missing gives no right. Pure.

Fields can be absent, above all in what Slack tells of people of other workspaces: a role comes of an explicit `true`
alone, "member" of an explicit `is_restricted: false` alone, and a channel without outsiders of an explicit
`is_ext_shared: false` alone (https://docs.slack.dev/reference/objects/user-object and conversation-object).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from storage.sharing import Channel, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SLACKBOT: Final = "USLACKBOT"
"""Its record says `is_bot: false`."""

LONGEST_NAME: Final = 80

_FOREMOST: Final = (
    ("is_primary_owner", Role.PRIMARY_OWNER),
    ("is_owner", Role.OWNER),
    ("is_admin", Role.ADMIN),
)
_STRANGE: Final = ("is_stranger", "is_workflow_bot", "is_connector_bot")
_SHARED: Final = ("is_ext_shared", "is_org_shared", "is_shared", "is_pending_ext_shared")
_PENDING: Final = ("pending_shared", "pending_connected_team_ids")


@dataclass(frozen=True, slots=True)
class Group:
    """A user group that is in use; `users` are the ids of all who are in it, whatever their role."""

    id: str
    name: str
    users: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Groups:
    """The user groups of a workspace by their ids, and by the users who are in them."""

    by_id: Mapping[str, Group] = field(default_factory=dict)
    by_user: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def of(self, user: str) -> frozenset[str]:
        """The ids of the groups that somebody is in."""
        return self.by_user.get(user, frozenset())


def role_of(record: Mapping[str, Any], user: str, workspace: str) -> Role | None:
    """The role that a user's record gives; None for none, or where the record leaves it open.

    Args:
        user: whom Slack was asked about; the record of anybody else gives nothing.
    """
    if record.get("id") != user or record.get("team_id") != workspace or user == SLACKBOT:
        return None
    if record.get("deleted") is not False or record.get("is_bot") is not False:
        return None
    if any(record.get(flag) for flag in _STRANGE):
        return None
    foremost = next((role for flag, role in _FOREMOST if record.get(flag) is True), None)
    return foremost or _lower_role(record)


def _lower_role(record: Mapping[str, Any]) -> Role | None:
    """Member or guest. Which kind of guest is a matter of `is_ultra_restricted`, and open where that is missing."""
    is_restricted, is_ultra = record.get("is_restricted"), record.get("is_ultra_restricted")
    if is_ultra is True:
        return Role.SINGLE_CHANNEL_GUEST
    if is_restricted is True:
        return Role.MULTI_CHANNEL_GUEST if is_ultra is False else None
    return Role.MEMBER if is_restricted is False else None


def roles_in(records: Iterable[Mapping[str, Any]], workspace: str) -> dict[str, Role]:
    """Everybody with a role among the records of all users, by id."""
    found = {str(record.get("id")): role_of(record, str(record.get("id")), workspace) for record in records}
    return {user: role for user, role in found.items() if role is not None}


def is_cut(record: Mapping[str, Any]) -> bool:
    """Whether a group came without all of its users, as events and, it may be, long lists do."""
    users, count = record.get("users"), record.get("user_count")
    return not isinstance(users, list) or (str(count).isdecimal() and int(str(count)) > len(users))


def is_in_use(record: Mapping[str, Any]) -> bool:
    """Whether a group is this workspace's and not disabled; `date_delete` is 0, or missing, while it is in use."""
    return bool(record.get("id")) and not record.get("date_delete") and not record.get("is_external")


def groups_in(records: Iterable[Mapping[str, Any]]) -> Groups:
    """The groups of a list, each with its users."""
    by_id = {group.id: group for group in map(_group, filter(is_in_use, records))}
    by_user: dict[str, set[str]] = {}
    for group in by_id.values():
        for user in group.users:
            by_user.setdefault(user, set()).add(group.id)
    return Groups(by_id, {user: frozenset(groups) for user, groups in by_user.items()})


def _group(record: Mapping[str, Any]) -> Group:
    users = frozenset(str(user) for user in record.get("users") or ())
    return Group(str(record["id"]), _name(record, "name"), users)


def channel_of(record: Mapping[str, Any], channel_id: str) -> Channel:
    """A channel without its members.

    Private is what says so. It is open to others than this workspace where it is shared in any way or about to be, and
    where the record does not say that it is not. A DM is no channel.
    """
    is_channel = record.get("id") == channel_id and not record.get("is_im") and not record.get("is_mpim")
    is_shared = any(record.get(flag) for flag in (*_SHARED, *_PENDING))
    return Channel(
        id=channel_id,
        name=_name(record, "name"),
        is_private=record.get("is_private") is True,
        is_external=is_shared or record.get("is_ext_shared") is not False,
        is_open=is_channel and record.get("is_member") is True and record.get("is_archived") is False,
    )


def closed(channel_id: str) -> Channel:
    """A channel that Slack does not know, or that the bot is not in."""
    return Channel(channel_id, "", is_private=False, is_external=False, is_open=False)


def _name(record: Mapping[str, Any], key: str) -> str:
    name = record.get(key)
    return name[:LONGEST_NAME] if isinstance(name, str) else ""
