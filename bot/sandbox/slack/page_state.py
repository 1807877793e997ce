"""What the page shows, as JSON: people, the DM or a channel, open views, Home, errors. Pure reading."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bot.sandbox.slack.files import page_path
from bot.sandbox.slack.interactions import Refused
from bot.sandbox.slack.people import BOT_USER_ID, PARTNER_NAME

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.files import FileStore
    from bot.sandbox.slack.manifest import Command, Shortcut
    from bot.sandbox.slack.people import Human
    from bot.sandbox.slack.posts import Channel, Post
    from bot.sandbox.slack.views import Ephemeral, View


def people(sandbox: Sandbox) -> Json:
    """Everybody one can act as, and what the app offers."""
    manifest = sandbox.manifest
    return {
        "people": [_person(sandbox, human) for human in sandbox.workspace.people.values()],
        "bot": {"id": BOT_USER_ID, "name": manifest.bot_name},
        "connected": sandbox.hub.is_connected,
        "commands": [_command(one) for one in manifest.commands],
        "shortcuts": [_shortcut(one) for one in manifest.shortcuts],
    }


def _person(sandbox: Sandbox, human: Human) -> Json:
    return {
        "id": human.id,
        "name": human.name,
        "real_name": human.real_name,
        "role": human.role,
        "title": human.title,
        "color": f"#{human.color}",
        "tz": human.tz,
        "is_external": human.is_external,
        "is_visible": sandbox.workspace.is_visible(human.id),
        "team": PARTNER_NAME if human.is_external else None,
    }


def _command(one: Command) -> Json:
    return {"command": one.command, "description": one.description, "usage_hint": one.usage_hint}


def _shortcut(one: Shortcut) -> Json:
    return {"name": one.name, "callback_id": one.callback_id, "description": one.description}


def state(sandbox: Sandbox, user: str, newest: int | None = None, channel_id: str | None = None) -> Json:
    """What one person has before them.

    Args:
        newest: show only that many of the newest top-level posts; all when None. `total` counts them all.
        channel_id: whose posts; those of the DM with the app when None.

    Raises:
        Refused: the person is not in that channel.
    """
    workspace = sandbox.workspace
    dm, desk = workspace.dm(user), workspace.desks[user]
    channel = workspace.channels.get(channel_id) if channel_id else dm
    if channel is None or not workspace.is_in(user, channel):
        raise Refused("you are not in this channel")
    chosen = list(islice(reversed(channel.posts.values()), newest))
    return {
        "channel": channel.id,
        "dm": {"id": dm.id, "newest": _newest(dm)},
        "channels": [one for raw in workspace.channels.values() if (one := _channel(sandbox, user, raw))],
        "posts": [_post(post, workspace.files) for post in reversed(chosen)],
        "total": len(channel.posts),
        "ephemerals": [
            _ephemeral(one) for one in desk.ephemerals if not channel_id or one.channel == channel_id
        ],
        "views": [_view(view) for view in desk.stack],
        "home": _view(desk.home) if desk.home else None,
        "errors": list(desk.errors),
        "connected": sandbox.hub.is_connected,
    }


def _newest(channel: Channel) -> str | None:
    return next(reversed(channel.posts), None)


def _channel(sandbox: Sandbox, user: str, channel: Channel) -> Json | None:
    """A channel as this person knows it; None for those hidden from them."""
    is_member = sandbox.workspace.is_in(user, channel)
    human = sandbox.workspace.people[user]
    is_hidden = channel.is_private or human.is_external or "guest" in human.role
    if channel.user is not None or (is_hidden and not is_member):
        return None
    return {
        "id": channel.id,
        "name": channel.name,
        "is_member": is_member,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_ext_shared": bool(channel.shared_with),
        "has_bot": channel.has_bot,
        "members": len(sandbox.workspace.members(channel)),
        "newest": _newest(channel) if is_member else None,
    }


def _post(post: Post, files: FileStore) -> Json:
    return {
        "ts": post.ts,
        "user": post.user,
        "text": post.text,
        "blocks": post.blocks,
        "files": [_file(one) for one in files.shown(post.file_ids)],
        "metadata": post.metadata,
        "edited": post.edited_ts is not None,
        "deleted": post.is_tombstone,
        "is_broadcast": post.is_broadcast,
        "reply_count": len(post.replies),
        "replies": [_post(reply, files) for reply in post.replies.values()],
    }


def _file(record: Json) -> Json:
    return {
        "id": record["id"],
        "name": record.get("name", ""),
        "title": record.get("title", ""),
        "mimetype": record.get("mimetype", ""),
        "size": record.get("size", 0),
        "url": page_path(record["id"], record.get("name", "")),
        "deleted": record["mode"] == "tombstone",
    }


def _ephemeral(one: Ephemeral) -> Json:
    return {
        "id": one.id,
        "ts": one.ts,
        "channel": one.channel,
        "thread_ts": one.thread_ts,
        "text": one.text,
        "blocks": one.blocks,
    }


def _view(view: View) -> Json:
    return {**view.shown(), "busy": view.is_busy}
