"""User groups: who is in them, and how the Web API and the events show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack.people import TEAM_ID

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json

SUPPORT_ID: Final = "S0SUPPORT1"
AGENCY_ID: Final = "S0AGENCY01"
_EVENT_USERS: Final = 500  # `subteam_updated` lists no more of them


@dataclass(slots=True)
class Group:
    """One user group; `deleted` is when it was disabled, 0 while it is not."""

    id: str
    handle: str
    name: str
    created: int
    updated: int
    users: list[str] = field(default_factory=list)
    deleted: int = 0


def starting(now: int) -> list[Group]:
    """The groups a fresh sandbox has."""
    return [
        Group(SUPPORT_ID, "support", "Support", now, now, ["U0KENJI005", "U0MARTA004"]),
        Group(AGENCY_ID, "agency", "Agency", now, now),
    ]


def record(group: Group, users: list[str], *, with_users: bool) -> Json:
    """The group as `usergroups.list` gives it.

    Args:
        users: those of its members whose accounts are active.
    """
    shown: Json = {
        "id": group.id,
        "team_id": TEAM_ID,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_create": group.created,
        "date_update": group.updated,
        "date_delete": group.deleted,
        "auto_type": None,
        "auto_provision": False,
        "enterprise_subteam_id": "",
        "prefs": {"channels": [], "groups": []},
        "user_count": len(users),
    }
    return {**shown, "users": users} if with_users else shown


def told(group: Group, users: list[str]) -> Json:
    """The group as `subteam_created` and `subteam_updated` carry it: at most 500 users, counted in full."""
    return {**record(group, users, with_users=False), "users": users[:_EVENT_USERS]}
