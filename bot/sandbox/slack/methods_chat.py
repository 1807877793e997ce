"""`chat.*` and `reactions.add`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack import payloads, validate
from bot.sandbox.slack.answers import ApiError, Json
from bot.sandbox.slack.interactions import say
from bot.sandbox.slack.people import BOT_USER_ID
from bot.sandbox.slack.posts import Post, shown
from bot.sandbox.slack.views import Ephemeral
from bot.sandbox.slack.workspace import new_id

if TYPE_CHECKING:
    from bot.sandbox.slack.arguments import Arguments
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.posts import Channel

MAX_TEXT: Final = 40_000
MAX_UPDATE_TEXT: Final = 4_000


def _blocks(args: Arguments) -> list[Json]:
    return (
        validate.message_blocks(args.value("blocks", "invalid_blocks_format")) if args.has("blocks") else []
    )


def _text(args: Arguments, highest: int) -> str:
    text = args.text("text")
    if len(text) > highest:
        raise ApiError("msg_too_long")
    return text


def _metadata(args: Arguments) -> Json | None:
    if not args.has("metadata"):
        return None
    return validate.metadata(args.value("metadata", "invalid_metadata_format"))


def _thread(channel: Channel, ts: str) -> str | None:
    if not ts:
        return None
    if ts in channel.posts:
        return ts
    raise ApiError("cannot_reply_to_message" if channel.find(ts) else "thread_not_found")


def _destination(sandbox: Sandbox, args: Arguments) -> Channel:
    channel = sandbox.workspace.destination(args.required("channel", "channel_not_found"))
    if channel.user is not None and not sandbox.manifest.is_messages_enabled:
        raise ApiError("messages_tab_disabled")
    return channel


def post_message(sandbox: Sandbox, args: Arguments) -> Json:
    """`chat.postMessage`."""
    channel = _destination(sandbox, args)
    text, blocks, metadata = _text(args, MAX_TEXT), _blocks(args), _metadata(args)
    if not text.strip() and not blocks:
        raise ApiError("no_text")
    thread = _thread(channel, args.text("thread_ts"))
    is_broadcast = thread is not None and args.flag("reply_broadcast")
    post = Post(
        sandbox.workspace.new_ts(),
        BOT_USER_ID,
        text,
        blocks,
        metadata=metadata,
        thread_ts=thread,
        is_broadcast=is_broadcast,
        subtype="thread_broadcast" if is_broadcast else None,
    )
    say(sandbox, channel, post)
    return {
        "channel": channel.id,
        "ts": post.ts,
        "message": shown(post, sandbox.workspace.files, with_metadata=True),
    }


def _own_post(sandbox: Sandbox, args: Arguments, refusal: str) -> tuple[Channel, Post]:
    channel = sandbox.workspace.conversation(args.required("channel", "channel_not_found"))
    post = channel.find(args.required("ts"))
    if post is None or post.is_tombstone:
        raise ApiError("message_not_found")
    if not post.is_by_bot:
        raise ApiError(refusal)
    return channel, post


def update(sandbox: Sandbox, args: Arguments) -> Json:
    """`chat.update`: what is not given stays, an empty list of blocks removes them."""
    channel, post = _own_post(sandbox, args, "cant_update_message")
    if channel.is_archived:
        raise ApiError("is_archived")
    text, blocks, metadata = _text(args, MAX_UPDATE_TEXT), _blocks(args), _metadata(args)
    if not any(args.has(name) for name in ("text", "blocks", "metadata", "attachments")):
        raise ApiError("no_text")
    if post.subtype == "file_share" and args.has("blocks"):
        raise ApiError("cant_update_message")
    post.text = text if args.has("text") else post.text
    post.blocks = blocks if args.has("blocks") else post.blocks
    post.metadata = metadata if args.has("metadata") else post.metadata
    if not post.text.strip() and not post.blocks and not post.file_ids:
        raise ApiError("no_text")
    post.edited_ts = sandbox.workspace.new_ts()
    message = shown(post, sandbox.workspace.files, with_metadata=True)
    _emit_change(sandbox, channel, "message_changed", post.edited_ts, message=message)
    return {"channel": channel.id, "ts": post.ts, "text": post.text, "message": message}


def _emit_change(sandbox: Sandbox, channel: Channel, subtype: str, ts: str, **fields: Any) -> None:
    sandbox.workspace.changed(channel.user)
    event = {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel": channel.id,
        "channel_type": payloads.CHANNEL_TYPES[channel.kind],
        **fields,
    }
    sandbox.emit(event, channel)


def delete(sandbox: Sandbox, args: Arguments) -> Json:
    """`chat.delete`: replies survive under a tombstone, files survive altogether."""
    channel, post = _own_post(sandbox, args, "cant_delete_message")
    channel.remove(post)
    _emit_change(sandbox, channel, "message_deleted", sandbox.workspace.new_ts(), deleted_ts=post.ts)
    return {"channel": channel.id, "ts": post.ts}


def post_ephemeral(sandbox: Sandbox, args: Arguments) -> Json:
    """`chat.postEphemeral`: shown to one person of the channel, stored nowhere."""
    channel = _destination(sandbox, args)
    user = args.required("user")
    text, blocks = _text(args, MAX_TEXT), _blocks(args)
    if not text.strip() and not blocks:
        raise ApiError("no_text")
    if user not in sandbox.workspace.members(channel) or user == BOT_USER_ID:
        raise ApiError("user_not_in_channel")
    ts = sandbox.workspace.new_ts()
    thread = _thread(channel, args.text("thread_ts"))
    sandbox.workspace.add_ephemeral(user, Ephemeral(new_id("Eph"), ts, channel.id, text, blocks, thread))
    return {"message_ts": ts}


def permalink(sandbox: Sandbox, args: Arguments) -> Json:
    """`chat.getPermalink`."""
    channel = sandbox.workspace.conversation(args.required("channel", "channel_not_found"))
    post = channel.find(args.required("message_ts"))
    if post is None:
        raise ApiError("message_not_found")
    link = f"{sandbox.base_url}/archives/{channel.id}/p{post.ts.replace('.', '')}"
    if post.thread_ts:
        link += f"?thread_ts={post.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def add_reaction(sandbox: Sandbox, args: Arguments) -> Json:
    """`reactions.add`: checked, not shown."""
    channel = sandbox.workspace.conversation(args.required("channel", "channel_not_found"))
    if not args.text("name"):
        raise ApiError("invalid_name")
    if channel.find(args.required("timestamp")) is None:
        raise ApiError("message_not_found")
    return {}
