"""`files.*` and the upload itself."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bot.sandbox.slack import validate
from bot.sandbox.slack.answers import ApiError, Json
from bot.sandbox.slack.files import MAX_OCTETS
from bot.sandbox.slack.interactions import say
from bot.sandbox.slack.people import BOT_USER_ID
from bot.sandbox.slack.posts import Post
from bot.sandbox.slack.workspace import new_id

if TYPE_CHECKING:
    from bot.sandbox.slack.arguments import Arguments
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.files import StoredFile
    from bot.sandbox.slack.posts import Channel

_CHANNEL_ID: Final = re.compile(r"[CGDZ][A-Z0-9]{8,}")
_MAX_FILES: Final = 50


def get_upload_url(sandbox: Sandbox, args: Arguments) -> Json:
    """`files.getUploadURLExternal`; a length of 0 counts as missing, as in Slack."""
    name, length = args.required("filename", "missing_argument"), args.text("length")
    if not length.isdecimal() or int(length) == 0:
        raise ApiError("missing_argument", ["missing required field: length"])
    if int(length) > MAX_OCTETS:
        raise ApiError("file_upload_size_restricted")
    if len(args.text("alt_txt")) > 1000:
        raise ApiError("alt_txt_too_large")
    workspace = sandbox.workspace
    file = workspace.files.reserve(new_id("F"), name, int(length), int(workspace.now()), args.text("alt_txt"))
    return {"upload_url": workspace.files.upload_url(file), "file_id": file.id}


async def receive_upload(sandbox: Sandbox, request: web.Request) -> web.Response:
    """The content of one reserved file, of exactly the length announced."""
    file = sandbox.workspace.files.by_token(request.match_info["token"])
    if file is None:
        return web.Response(status=404, text="no such upload")
    octets = await _content(request, file.length)
    if octets is None:
        return web.Response(status=400, text="the content is not of the length announced")
    sandbox.workspace.files.fill(file, octets)
    return web.Response(text=f"OK - {len(octets)}")


async def _content(request: web.Request, length: int) -> bytes | None:
    if request.content_type == "multipart/form-data":
        parts = [part for part in (await request.post()).values() if isinstance(part, web.FileField)]
        octets = parts[0].file.read() if len(parts) == 1 else b""
    else:
        octets = await request.read()
    return octets if len(octets) == length else None


def _listed(sandbox: Sandbox, args: Arguments) -> list[tuple[StoredFile, str]]:
    raw = args.value("files", "invalid_arguments")
    if not isinstance(raw, list) or not raw or len(raw) > _MAX_FILES:
        raise ApiError("invalid_arguments", ["missing required field: files"])
    return [_one(sandbox, entry) for entry in raw]


def _one(sandbox: Sandbox, entry: Any) -> tuple[StoredFile, str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise ApiError("invalid_arguments", ["missing required field: id"])
    file = sandbox.workspace.files.get(entry["id"])
    if file is None or file.octets is None:
        raise ApiError("file_not_found")
    return file, str(entry.get("title") or file.name)


def _target(sandbox: Sandbox, args: Arguments) -> Channel | None:
    named = [one for one in (args.text("channel_id"), *args.text("channels").split(",")) if one]
    if not named:
        return None
    if len(named) > 1:
        raise ApiError("invalid_channel")
    by_person = args.has("channels") and named[0] in sandbox.workspace.people
    if by_person and not args.has("thread_ts"):
        return sandbox.workspace.dm(named[0])
    if not _CHANNEL_ID.fullmatch(named[0]):
        pattern = "input must match regex pattern: ^[CGDZ][A-Z0-9]{8,}$ [json-pointer:/channel_id]"
        raise ApiError("invalid_arguments", [pattern])
    return sandbox.workspace.destination(named[0])


def complete_upload(sandbox: Sandbox, args: Arguments) -> Json:
    """`files.completeUploadExternal`: answers at once, without a `ts`; the post with the files comes later.

    A second call shares the files a second time. Slack does not say what it does; this is the worse of the two.
    """
    listed, channel = _listed(sandbox, args), _target(sandbox, args)
    thread = args.text("thread_ts") or None
    if thread and (channel is None or thread not in channel.posts):
        raise ApiError("thread_not_found")
    comment = args.text("initial_comment")
    blocks = [] if comment or not args.has("blocks") else _blocks(args)
    for file, title in listed:
        file.title, file.is_complete = title, True
    files = [file for file, _ in listed]
    if channel is not None:
        ids = tuple(file.id for file in files)
        post = Post("", BOT_USER_ID, comment, blocks, ids, thread_ts=thread, subtype="file_share")
        sandbox.spawn(_share(sandbox, channel, post))
    return {"files": [sandbox.workspace.files.record(file) for file in files]}


def _blocks(args: Arguments) -> list[Json]:
    return validate.message_blocks(args.value("blocks", "invalid_blocks_format"))


async def _share(sandbox: Sandbox, channel: Channel, post: Post) -> None:
    await asyncio.sleep(sandbox.timings.share)
    found = [sandbox.workspace.files.get(file_id) for file_id in post.file_ids]
    living = [file for file in found if file is not None]
    is_thread_gone = post.thread_ts is not None and post.thread_ts not in channel.posts
    if not living or is_thread_gone or not channel.has_bot or channel.is_archived:
        return  # deleted, or the app put out, meanwhile
    post.ts, post.file_ids = sandbox.workspace.new_ts(), tuple(file.id for file in living)
    for file in living:
        file.shares.append((channel.id, post.ts))
        if channel.kind == "channels":
            file.public_in.add(channel.id)
    say(sandbox, channel, post)


def _existing(sandbox: Sandbox, args: Arguments) -> StoredFile:
    file = sandbox.workspace.files.get(args.required("file", "file_not_found"))
    if file is None:
        raise ApiError("file_not_found")
    return file


def delete(sandbox: Sandbox, args: Arguments) -> Json:
    """`files.delete`, of the app's own files alone."""
    file = _existing(sandbox, args)
    if file.user != BOT_USER_ID:
        raise ApiError("cant_delete_file")
    sandbox.workspace.files.delete(file)
    sandbox.workspace.changed()
    return {}


def info(sandbox: Sandbox, args: Arguments) -> Json:
    """`files.info`."""
    return {
        "file": sandbox.workspace.files.record(_existing(sandbox, args), with_shares=True),
        "comments": [],
    }
