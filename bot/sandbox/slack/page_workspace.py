"""The page's panel of the workspace: people, user groups and channels, and the changes made there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.slack import changes, channel_changes
from bot.sandbox.slack.people import BOT_USER_ID, PARTNER_NAME
from bot.sandbox.slack.workspace import Forbidden

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.posts import Channel


def overview(sandbox: Sandbox) -> Json:
    """User groups and channels with their members; people are told by `people`."""
    workspace = sandbox.workspace
    return {
        "groups": [
            {
                "id": group.id,
                "name": group.name,
                "handle": group.handle,
                "users": list(group.users),
                "is_disabled": bool(group.deleted),
            }
            for group in workspace.groups.values()
        ],
        "channels": [_channel(channel) for channel in workspace.channels.values() if channel.user is None],
        "partner": PARTNER_NAME,
        "has_groups": sandbox.settings.user_groups,
    }


def _channel(channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "members": [user for user in channel.members if user != BOT_USER_ID],
        "has_bot": channel.has_bot,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": channel.is_general,
        "is_ext_shared": bool(channel.shared_with),
    }


def workspace_actions(sandbox: Sandbox) -> dict[str, Callable[[Json], Awaitable[Json]]]:
    """The calls that change people, groups and channels, by their paths."""

    async def role(body: Json) -> Json:
        changes.change_role(sandbox, _person(sandbox, body.get("user")), str(body["role"]))
        return {}

    async def person(body: Json) -> Json:
        return {"user": changes.hire(sandbox, str(body["name"]), str(body.get("role", "member")))}

    async def group(body: Json) -> Json:
        return _group(sandbox, body)

    async def channel(body: Json) -> Json:
        return _change_channel(sandbox, body)

    return {"role": role, "person": person, "group": group, "channel": channel}


def _person(sandbox: Sandbox, user: Any) -> str:
    if not isinstance(user, str) or user not in sandbox.workspace.people:
        raise Forbidden("There is no such person.")
    return user


def _group(sandbox: Sandbox, body: Json) -> Json:
    group_id = body.get("group")
    if group_id is None:
        return {"group": changes.create_group(sandbox, str(body["name"]), str(body["handle"]))}
    if group_id not in sandbox.workspace.groups:
        raise Forbidden("There is no such group.")
    if "users" in body:
        users = [_person(sandbox, user) for user in body["users"]]
        changes.set_group_members(sandbox, group_id, users)
    if "is_disabled" in body:
        changes.set_group_disabled(sandbox, group_id, is_disabled=bool(body["is_disabled"]))
    return {}


def _change_channel(sandbox: Sandbox, body: Json) -> Json:
    if "channel" not in body:
        is_private = bool(body.get("is_private"))
        return {"channel": channel_changes.create(sandbox, str(body["name"]), is_private=is_private)}
    channel = sandbox.workspace.channels.get(body["channel"])
    if channel is None or channel.user is not None:
        raise Forbidden("There is no such channel.")
    if "add" in body:
        channel_changes.join(sandbox, channel, _member(sandbox, body["add"]))
    if "remove" in body:
        channel_changes.leave(sandbox, channel, _member(sandbox, body["remove"]))
    if "is_private" in body:
        channel_changes.convert(sandbox, channel, is_private=bool(body["is_private"]))
    if "is_ext_shared" in body:
        (channel_changes.share if body["is_ext_shared"] else channel_changes.unshare)(sandbox, channel)
    if "is_archived" in body:
        channel_changes.archive(sandbox, channel, is_archived=bool(body["is_archived"]))
    if body.get("is_deleted"):
        channel_changes.delete(sandbox, channel)
    elif "name" in body:
        channel_changes.rename(sandbox, channel, str(body["name"]))
    return {}


def _member(sandbox: Sandbox, user: Any) -> str:
    return BOT_USER_ID if user in {"bot", BOT_USER_ID} else _person(sandbox, user)
