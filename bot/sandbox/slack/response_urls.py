"""`/response/<token>`: the app answers where a command or click came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from bot.sandbox.slack.answers import ApiError
from bot.sandbox.slack.interactions import content, respond

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.core import ResponseUrl, Sandbox
    from bot.sandbox.slack.posts import Post
    from bot.sandbox.slack.views import Ephemeral

_GONE = frozenset({"used_url", "expired_url", "invalid_url"})


async def handle(sandbox: Sandbox, request: web.Request) -> web.Response:
    """Take one answer. 404 once the address is used up or too old, 400 for an unsound body."""
    try:
        _use(sandbox, request.match_info["token"], await request.read())
    except ApiError as error:
        sandbox.calls.note(sandbox.workspace.now(), "response_url", error.code, None)
        return web.json_response(error.answer(), status=404 if error.code in _GONE else 400)
    sandbox.calls.note(sandbox.workspace.now(), "response_url", None, None)
    return web.Response(text="ok")


def _use(sandbox: Sandbox, token: str, body: bytes) -> None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError("invalid_payload") from None
    if not isinstance(answer, dict):
        raise ApiError("invalid_payload")
    target = sandbox.use_response_url(token)
    if target.channel not in sandbox.workspace.channels:
        raise ApiError("channel_not_found")
    if answer.get("delete_original"):
        _delete(sandbox, target)
    elif not (answer.get("replace_original") and _replace(sandbox, target, answer)):
        channel = sandbox.workspace.channels[target.channel]
        respond(sandbox, target.user, channel, answer, target.thread_ts)


def _originals(sandbox: Sandbox, target: ResponseUrl) -> tuple[Post | None, Ephemeral | None]:
    channel = sandbox.workspace.channels[target.channel]
    post = channel.find(target.post_ts) if target.post_ts else None
    shown = sandbox.workspace.desks[target.user].ephemerals
    return post, next((one for one in shown if one.id == target.ephemeral_id), None)


def _delete(sandbox: Sandbox, target: ResponseUrl) -> None:
    post, ephemeral = _originals(sandbox, target)
    if post is not None and not post.is_tombstone:
        sandbox.workspace.channels[target.channel].remove(post)
    if ephemeral is not None:
        sandbox.workspace.desks[target.user].ephemerals.remove(ephemeral)
    sandbox.workspace.changed()


def _replace(sandbox: Sandbox, target: ResponseUrl, answer: Json) -> bool:
    post, ephemeral = _originals(sandbox, target)
    if post is not None and not post.is_tombstone:
        post.text, post.blocks = content(answer)
        post.edited_ts = sandbox.workspace.new_ts()
    elif ephemeral is not None:
        ephemeral.text, ephemeral.blocks = content(answer)
    else:
        return False
    sandbox.workspace.changed()
    return True
