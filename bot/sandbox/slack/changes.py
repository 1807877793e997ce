"""What administrators of the pretend workspace do to people and user groups, with the events that follow.

Channels are in `channel_changes.py`.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import channel_changes, groups
from bot.sandbox.slack.channels import GENERAL_ID
from bot.sandbox.slack.groups import Group
from bot.sandbox.slack.methods_people import record
from bot.sandbox.slack.people import BOT_USER_ID, TEAM_ID, Human
from bot.sandbox.slack.views import Desk
from bot.sandbox.slack.workspace import Forbidden, new_id

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.core import Sandbox

MAX_PEOPLE: Final = 1_000
MAX_GROUPS: Final = 200
_COLORS: Final = ("9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699", "43761b", "bb86b7")
_HANDLE: Final = re.compile(r"[a-z0-9._-]{1,21}")


def change_role(sandbox: Sandbox, user: str, role: str) -> None:
    """Promote, demote, deactivate or reactivate a person, and tell the app.

    Who becomes a single-channel guest keeps the first of their channels alone.

    Raises:
        ValueError: there is no such role.
    """
    workspace = sandbox.workspace
    workspace.set_role(user, role)
    if role == "single_channel_guest":
        channel_changes.keep_one(sandbox, user)
    told, ts = record(sandbox, workspace.human(user)), workspace.new_ts()
    sandbox.emit({"type": "user_change", "user": told, "cache_ts": int(workspace.now()), "event_ts": ts})
    workspace.changed()


def hire(sandbox: Sandbox, real_name: str, role: str) -> str:
    """Take on somebody new; members join #general. Gives back their id.

    Raises:
        Forbidden: there is no name, or the workspace is full.
        ValueError: there is no such role.
    """
    workspace = sandbox.workspace
    if not real_name.strip() or len(real_name) > 80 or len(workspace.people) >= MAX_PEOPLE:
        raise Forbidden("A person needs a name of at most 80 characters.")
    name = re.sub(r"[^a-z0-9]+", ".", real_name.lower()).strip(".") or "person"
    taken = {human.name for human in workspace.people.values()}
    if name in taken:
        name = next(
            f"{name}{number}" for number in range(2, MAX_PEOPLE + 2) if f"{name}{number}" not in taken
        )
    human = Human(new_id("U"), name, real_name.strip(), "member", "", random.choice(_COLORS), "UTC", "")
    workspace.people[human.id], workspace.desks[human.id] = human, Desk()
    workspace.set_role(human.id, role)
    told, ts = record(sandbox, workspace.people[human.id]), workspace.new_ts()
    sandbox.emit({"type": "team_join", "user": told, "cache_ts": int(workspace.now()), "event_ts": ts})
    if "guest" not in role:
        channel_changes.join(sandbox, workspace.channels[GENERAL_ID], human.id)
    workspace.changed()
    return human.id


def create_group(sandbox: Sandbox, name: str, handle: str) -> str:
    """A new user group with nobody in it. Gives back its id.

    Raises:
        Forbidden: name or handle are not sound, or taken.
    """
    workspace = sandbox.workspace
    living = [group for group in workspace.groups.values() if not group.deleted]
    if not name.strip() or len(name) > 80 or len(workspace.groups) >= MAX_GROUPS:
        raise Forbidden("A group needs a name of at most 80 characters.")
    if not _HANDLE.fullmatch(handle) or any(group.handle == handle for group in living):
        raise Forbidden("A handle has small letters, digits, “.”, “_” and “-”, and is not taken.")
    now = int(workspace.now())
    group = workspace.groups[new_id("S")] = Group("", handle, name.strip(), now, now)
    group.id = next(reversed(workspace.groups))
    _tell(sandbox, "subteam_created", group)
    workspace.changed()
    return group.id


def set_group_members(sandbox: Sandbox, group_id: str, users: list[str]) -> None:
    """Who is in a group from now on; two events tell it, one of the difference, one of the whole.

    Raises:
        Forbidden: the group is disabled, or somebody is of another workspace.
    """
    workspace, group = sandbox.workspace, sandbox.workspace.groups[group_id]
    if group.deleted:
        raise Forbidden("This group is disabled.")
    if any(workspace.human(user).is_external for user in users):
        raise Forbidden("People of another workspace cannot join a user group.")
    wanted = list(dict.fromkeys(users))
    added = [user for user in wanted if user not in group.users]
    removed = [user for user in group.users if user not in wanted]
    if not added and not removed:
        return
    before, group.users = group.updated, wanted
    group.updated = int(workspace.now())
    # Slack sends the two counts as strings here.
    delta: Json = {
        "type": "subteam_members_changed",
        "subteam_id": group.id,
        "team_id": TEAM_ID,
        "date_previous_update": before,
        "date_update": group.updated,
        "added_users": added,
        "added_users_count": str(len(added)),
        "removed_users": removed,
        "removed_users_count": str(len(removed)),
        "event_ts": workspace.new_ts(),
    }
    sandbox.emit(delta)
    _tell(sandbox, "subteam_updated", group)
    workspace.changed()


def set_group_disabled(sandbox: Sandbox, group_id: str, *, is_disabled: bool) -> None:
    """Disable a group, or take it into use again with the same members."""
    workspace, group = sandbox.workspace, sandbox.workspace.groups[group_id]
    group.updated = int(workspace.now())
    group.deleted = group.updated if is_disabled else 0
    _tell(sandbox, "subteam_updated", group)
    workspace.changed()


def _tell(sandbox: Sandbox, kind: str, group: Group) -> None:
    told = groups.told(group, [one for one in sandbox.workspace.active(group.users) if one != BOT_USER_ID])
    sandbox.emit({"type": kind, "subteam": told, "event_ts": sandbox.workspace.new_ts()})
