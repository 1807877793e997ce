"""`auth.test`, `apps.connections.open`, `team.info`, `users.*` and `usergroups.*`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.slack.answers import ApiError, Json
from bot.sandbox.slack.pages import page_of
from bot.sandbox.slack.people import (
    APP_ID,
    BOT_ID,
    BOT_USER_ID,
    SLACKBOT_ID,
    TEAM_DOMAIN,
    TEAM_ID,
    TEAM_NAME,
    bot_record,
    slackbot_record,
    user_record,
)

if TYPE_CHECKING:
    from bot.sandbox.slack.arguments import Arguments
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.people import Human

_GROUPS = {
    "S0SUPPORT1": ("support", "Support", ("U0KENJI005", "U0MARTA004")),
    "S0AGENCY01": ("agency", "Agency", ()),
}


def auth_test(sandbox: Sandbox, _args: Arguments) -> Json:
    """`auth.test`."""
    return {
        "url": f"{sandbox.base_url}/",
        "team": TEAM_NAME,
        "user": sandbox.manifest.bot_name,
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def connections_open(sandbox: Sandbox, _args: Arguments) -> Json:
    """`apps.connections.open`: an address for one connection."""
    address = sandbox.base_url.replace("http", "ws", 1)
    return {"url": f"{address}/socket?ticket={sandbox.hub.ticket()}&app_id={APP_ID}"}


def team_info(sandbox: Sandbox, _args: Arguments) -> Json:
    """`team.info`."""
    return {"team": {"id": TEAM_ID, "name": TEAM_NAME, "domain": TEAM_DOMAIN, "url": f"{sandbox.base_url}/"}}


def _record(sandbox: Sandbox, human: Human) -> Json:
    with_email = "users:read.email" in sandbox.manifest.scopes
    return user_record(human, sandbox.workspace.now(), with_email=with_email)


def users_info(sandbox: Sandbox, args: Arguments) -> Json:
    """`users.info`."""
    user = args.required("user", "user_not_found")
    if user == BOT_USER_ID:
        return {"user": bot_record(sandbox.manifest.bot_name)}
    if user == SLACKBOT_ID:
        return {"user": slackbot_record()}
    return {"user": _record(sandbox, sandbox.workspace.human(user))}


def change_role(sandbox: Sandbox, user: str, role: str) -> None:
    """Promote, demote or deactivate a person, and tell the app."""
    workspace = sandbox.workspace
    workspace.set_role(user, role)
    record, ts = _record(sandbox, workspace.human(user)), workspace.new_ts()
    sandbox.emit({"type": "user_change", "user": record, "cache_ts": int(workspace.now()), "event_ts": ts})


def users_list(sandbox: Sandbox, args: Arguments) -> Json:
    """`users.list`, in pages."""
    people = [_record(sandbox, human) for human in sandbox.workspace.people.values()]
    everyone = [*people, bot_record(sandbox.manifest.bot_name), slackbot_record()]
    members, cursor = page_of(everyone, args, default=200, highest=1000)
    return {
        "members": members,
        "cache_ts": int(sandbox.workspace.now()),
        "response_metadata": {"next_cursor": cursor},
    }


def lookup_by_email(sandbox: Sandbox, args: Arguments) -> Json:
    """`users.lookupByEmail`."""
    wanted = args.required("email", "users_not_found").lower()
    for human in sandbox.workspace.people.values():
        if human.email == wanted and human.is_active:
            return {"user": _record(sandbox, human)}
    raise ApiError("users_not_found")


def usergroups_list(_sandbox: Sandbox, args: Arguments) -> Json:
    """`usergroups.list`."""
    groups = [_group(group_id, with_users=args.flag("include_users")) for group_id in _GROUPS]
    return {"usergroups": groups}


def _group(group_id: str, *, with_users: bool) -> Json:
    handle, name, users = _GROUPS[group_id]
    group = {"id": group_id, "team_id": TEAM_ID, "is_usergroup": True, "name": name, "handle": handle}
    group |= {"description": "", "is_external": False, "date_delete": 0, "user_count": len(users)}
    return {**group, "users": list(users)} if with_users else group


def usergroups_users_list(_sandbox: Sandbox, args: Arguments) -> Json:
    """`usergroups.users.list`."""
    group_id = args.required("usergroup")
    if group_id not in _GROUPS:
        raise ApiError("no_such_subteam")
    return {"users": list(_GROUPS[group_id][2])}
