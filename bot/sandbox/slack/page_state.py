"""What the page shows, as JSON: people, the DM, open views, Home, errors. Pure reading."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bot.sandbox.slack.people import BOT_USER_ID

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.files import FileStore
    from bot.sandbox.slack.manifest import Command, Shortcut
    from bot.sandbox.slack.people import Human
    from bot.sandbox.slack.posts import Post
    from bot.sandbox.slack.views import Ephemeral, View


def people(sandbox: Sandbox) -> Json:
    """Everybody one can act as, and what the app offers."""
    manifest = sandbox.manifest
    return {
        "people": [_person(human) for human in sandbox.workspace.people.values()],
        "bot": {"id": BOT_USER_ID, "name": manifest.bot_name},
        "connected": sandbox.hub.is_connected,
        "commands": [_command(one) for one in manifest.commands],
        "shortcuts": [_shortcut(one) for one in manifest.shortcuts],
    }


def _person(human: Human) -> Json:
    return {
        "id": human.id,
        "name": human.name,
        "real_name": human.real_name,
        "role": human.role,
        "title": human.title,
        "color": f"#{human.color}",
        "tz": human.tz,
    }


def _command(one: Command) -> Json:
    return {"command": one.command, "description": one.description, "usage_hint": one.usage_hint}


def _shortcut(one: Shortcut) -> Json:
    return {"name": one.name, "callback_id": one.callback_id, "description": one.description}


def state(sandbox: Sandbox, user: str, newest: int | None = None) -> Json:
    """What one person has before them.

    Args:
        newest: show only that many of the newest top-level posts; all when None. `total` counts them all.
    """
    workspace = sandbox.workspace
    channel, desk = workspace.dm(user), workspace.desks[user]
    chosen = list(islice(reversed(channel.posts.values()), newest))
    return {
        "channel": channel.id,
        "posts": [_post(post, workspace.files) for post in reversed(chosen)],
        "total": len(channel.posts),
        "ephemerals": [_ephemeral(one) for one in desk.ephemerals],
        "views": [_view(view) for view in desk.stack],
        "home": _view(desk.home) if desk.home else None,
        "errors": list(desk.errors),
        "connected": sandbox.hub.is_connected,
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
        "url": record.get("url_private"),
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
