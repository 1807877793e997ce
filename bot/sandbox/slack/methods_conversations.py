"""`conversations.*`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import channels
from bot.sandbox.slack.answers import ApiError, Json
from bot.sandbox.slack.pages import opened, page_of, sealed
from bot.sandbox.slack.people import BOT_ID, BOT_USER_ID, SLACKBOT_ID
from bot.sandbox.slack.posts import seconds, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.slack.arguments import Arguments
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.posts import Channel, Post

_FOREVER: Final = 10**18
_TYPES: Final = {"im": "im", "channels": "public_channel", "groups": "private_channel"}


def open_dm(sandbox: Sandbox, args: Arguments) -> Json:
    """`conversations.open` for one person; DMs of several are not part of the sandbox."""
    channel = _asked_for(sandbox, args)
    if not args.flag("return_im"):
        return {"channel": {"id": channel.id}}
    return {"channel": _info(sandbox, channel)}


def _asked_for(sandbox: Sandbox, args: Arguments) -> Channel:
    workspace = sandbox.workspace
    if args.has("channel"):
        return workspace.conversation(args.text("channel"))
    users = [user for user in args.text("users").split(",") if user]
    if not users:
        raise ApiError("users_list_not_supplied")
    if len(users) > 1:
        raise ApiError("method_not_supported_for_channel_type")
    if users[0] in {BOT_USER_ID, BOT_ID, SLACKBOT_ID}:
        raise ApiError("cannot_dm_bot")
    if not workspace.human(users[0]).is_active:
        raise ApiError("user_disabled")
    if workspace.people[users[0]].is_external and not workspace.shared_channels(users[0]):
        raise ApiError("user_not_visible")
    return workspace.dm(users[0])


def _bound(args: Arguments, name: str, default: int) -> int:
    if not args.has(name):
        return default
    try:
        return seconds(args.text(name))
    except ValueError:
        raise ApiError(f"invalid_ts_{name}") from None


def _between(args: Arguments, posts: Iterator[Post]) -> Iterator[Post]:
    oldest, latest = _bound(args, "oldest", 0), _bound(args, "latest", _FOREVER)
    edge = 0 if args.flag("inclusive") else 1
    for post in posts:
        if oldest + edge <= seconds(post.ts) <= latest - edge:
            yield post


def history(sandbox: Sandbox, args: Arguments) -> Json:
    """`conversations.history`: newest first, roots only."""
    channel = sandbox.workspace.conversation(args.required("channel", "channel_not_found"))
    limit = min(args.number("limit", 100, 999), sandbox.settings.history_cap or 999)
    before = seconds(opened(args.text("cursor"))) if args.has("cursor") else _FOREVER
    posts = [post for post in _between(args, iter(channel.top_level())) if seconds(post.ts) < before]
    page, has_more = posts[:limit], len(posts) > limit
    with_metadata = args.flag("include_all_metadata")
    answer: Json = {
        "messages": [shown(post, sandbox.workspace.files, with_metadata=with_metadata) for post in page],
        "has_more": has_more,
        "pin_count": 0,
    }
    if has_more:
        answer["response_metadata"] = {"next_cursor": sealed(page[-1].ts)}
    return answer


def replies(sandbox: Sandbox, args: Arguments) -> Json:
    """`conversations.replies`: the root, then its replies, oldest first."""
    channel = sandbox.workspace.conversation(args.required("channel", "channel_not_found"))
    root = channel.root_of(args.required("ts", "thread_not_found"))
    if root is None:
        raise ApiError("thread_not_found")
    limit = min(args.number("limit", 1000, 1000), sandbox.settings.history_cap or 1000)
    after = seconds(opened(args.text("cursor"))) if args.has("cursor") else 0
    found = [post for post in _between(args, iter(root.replies.values())) if seconds(post.ts) > after]
    posts = found if after else [root, *found]
    page, has_more = posts[:limit], len(posts) > limit
    with_metadata = args.flag("include_all_metadata")
    answer: Json = {
        "messages": [shown(post, sandbox.workspace.files, with_metadata=with_metadata) for post in page],
        "has_more": has_more,
    }
    if has_more:
        answer["response_metadata"] = {"next_cursor": sealed(page[-1].ts)}
    return answer


def _info(sandbox: Sandbox, channel: Channel) -> Json:
    if channel.user is None:
        return channels.info(channel)
    is_gone = not sandbox.workspace.people[channel.user].is_active
    return {
        "id": channel.id,
        "created": channel.created,
        "is_im": True,
        "is_org_shared": False,
        "user": channel.user,
        "is_user_deleted": is_gone,
        "is_archived": is_gone,
        "is_open": True,
        "priority": 0,
    }


def info(sandbox: Sandbox, args: Arguments) -> Json:
    """`conversations.info`: of private channels, those alone that the app is in."""
    channel = sandbox.workspace.known(args.required("channel", "channel_not_found"))
    shown = _info(sandbox, channel)
    if args.flag("include_num_members"):
        shown["num_members"] = len(sandbox.workspace.members(channel))
    return {"channel": shown}


def members(sandbox: Sandbox, args: Arguments) -> Json:
    """`conversations.members`: of any public channel, of private ones from within."""
    channel = sandbox.workspace.known(args.required("channel", "channel_not_found"))
    everyone = sandbox.workspace.members(channel)
    page, cursor = page_of(everyone, args, default=100, highest=999)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def list_(sandbox: Sandbox, args: Arguments) -> Json:
    """`conversations.list` by `types`."""
    types = set((args.text("types") or "public_channel").split(","))
    if not types <= {"public_channel", "private_channel", "mpim", "im"}:
        raise ApiError("invalid_types")
    wanted = [
        _info(sandbox, channel)
        for channel in sandbox.workspace.channels.values()
        if _TYPES[channel.kind] in types
        and (channel.has_bot or not channel.is_private)
        and not (channel.is_archived and args.flag("exclude_archived"))
    ]
    page, cursor = page_of(wanted, args, default=100, highest=999)
    return {"channels": page, "response_metadata": {"next_cursor": cursor}}
