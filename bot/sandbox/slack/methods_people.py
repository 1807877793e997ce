"""`auth.test`, `apps.connections.open`, `team.info`, `users.*` and `usergroups.*`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.slack import groups
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


def record(sandbox: Sandbox, human: Human) -> Json:
    """A person as the app may see them."""
    with_email = "users:read.email" in sandbox.manifest.scopes
    is_stranger = human.is_external and not sandbox.workspace.shared_channels(human.id)
    return user_record(human, sandbox.workspace.now(), with_email=with_email, is_stranger=is_stranger)


def users_info(sandbox: Sandbox, args: Arguments) -> Json:
    """`users.info`."""
    user = args.required("user", "user_not_found")
    if user == BOT_USER_ID:
        return {"user": bot_record(sandbox.manifest.bot_name)}
    if user == SLACKBOT_ID:
        return {"user": slackbot_record()}
    human = sandbox.workspace.human(user)
    if not sandbox.workspace.is_visible(user):
        raise ApiError("user_not_visible")
    return {"user": record(sandbox, human)}


def users_list(sandbox: Sandbox, args: Arguments) -> Json:
    """`users.list`, in pages: people of other workspaces too, once a channel is shared with them."""
    workspace = sandbox.workspace
    people = [record(sandbox, human) for human in workspace.people.values() if workspace.is_visible(human.id)]
    everyone = [*people, bot_record(sandbox.manifest.bot_name), slackbot_record()]
    members, cursor = page_of(everyone, args, default=200, highest=1000)
    return {
        "members": members,
        "cache_ts": int(workspace.now()),
        "response_metadata": {"next_cursor": cursor},
    }


def lookup_by_email(sandbox: Sandbox, args: Arguments) -> Json:
    """`users.lookupByEmail`."""
    wanted = args.required("email", "users_not_found").lower()
    for human in sandbox.workspace.people.values():
        if human.email == wanted and human.is_active:
            return {"user": record(sandbox, human)}
    raise ApiError("users_not_found")


def _check_plan(sandbox: Sandbox) -> None:
    if not sandbox.settings.user_groups:
        raise ApiError("plan_upgrade_required")


def usergroups_list(sandbox: Sandbox, args: Arguments) -> Json:
    """`usergroups.list`: disabled ones only when asked for."""
    _check_plan(sandbox)
    with_users = args.flag("include_users")
    shown = [
        groups.record(group, sandbox.workspace.active(group.users), with_users=with_users)
        for group in sandbox.workspace.groups.values()
        if not group.deleted or args.flag("include_disabled")
    ]
    return {"usergroups": shown}


def usergroups_users_list(sandbox: Sandbox, args: Arguments) -> Json:
    """`usergroups.users.list`."""
    _check_plan(sandbox)
    group = sandbox.workspace.groups.get(args.required("usergroup"))
    if group is None or (group.deleted and not args.flag("include_disabled")):
        raise ApiError("no_such_subteam")
    return {"users": sandbox.workspace.active(group.users)}
