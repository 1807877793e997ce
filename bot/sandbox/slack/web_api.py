"""The Web API at `/api/<method>`: token, rate, scope, arguments, then the method.

Every call leaves a line in the log; ordered faults come before everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from aiohttp import web

from bot.sandbox.slack import (
    methods_chat,
    methods_conversations,
    methods_files,
    methods_people,
    methods_views,
)
from bot.sandbox.slack.answers import ApiError
from bot.sandbox.slack.arguments import Arguments, read
from bot.sandbox.slack.faults import befall, rate_limited
from bot.sandbox.slack.limits import POSTING, Rate, tier

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.faults import Effect

    Run: TypeAlias = Callable[[Sandbox, Arguments], Json]


@dataclass(frozen=True, slots=True)
class Method:
    """One method: what it does, which scope it needs, how often it may be called.

    `scope` with a `*` stands for the kind of conversation: `im`, `channels` or `groups`.
    """

    run: Run
    scope: str | None
    rate: Rate
    is_per_channel: bool = False
    needs_app_token: bool = False


METHODS: Final[dict[str, Method]] = {
    "auth.test": Method(methods_people.auth_test, None, tier(None)),
    "apps.connections.open": Method(methods_people.connections_open, None, tier(2), needs_app_token=True),
    "team.info": Method(methods_people.team_info, "team:read", tier(3)),
    "chat.postMessage": Method(methods_chat.post_message, "chat:write", POSTING, is_per_channel=True),
    "chat.update": Method(methods_chat.update, "chat:write", tier(3)),
    "chat.delete": Method(methods_chat.delete, "chat:write", tier(3)),
    "chat.postEphemeral": Method(methods_chat.post_ephemeral, "chat:write", tier(4)),
    "chat.getPermalink": Method(methods_chat.permalink, None, tier(None)),
    "reactions.add": Method(methods_chat.add_reaction, "reactions:write", tier(3)),
    "conversations.open": Method(methods_conversations.open_dm, "im:write", tier(3)),
    "conversations.history": Method(methods_conversations.history, "*:history", tier(3)),
    "conversations.replies": Method(methods_conversations.replies, "*:history", tier(3)),
    "conversations.info": Method(methods_conversations.info, "*:read", tier(3)),
    "conversations.members": Method(methods_conversations.members, "*:read", tier(4)),
    "conversations.list": Method(methods_conversations.list_, "*:read", tier(2)),
    "users.info": Method(methods_people.users_info, "users:read", tier(4)),
    "users.list": Method(methods_people.users_list, "users:read", tier(2)),
    "users.lookupByEmail": Method(methods_people.lookup_by_email, "users:read.email", tier(3)),
    "usergroups.list": Method(methods_people.usergroups_list, "usergroups:read", tier(2)),
    "usergroups.users.list": Method(methods_people.usergroups_users_list, "usergroups:read", tier(2)),
    "views.open": Method(methods_views.open_, None, tier(4)),
    "views.push": Method(methods_views.push, None, tier(4)),
    "views.update": Method(methods_views.update, None, tier(4)),
    "views.publish": Method(methods_views.publish, None, tier(4)),
    "files.getUploadURLExternal": Method(methods_files.get_upload_url, "files:write", tier(4)),
    "files.completeUploadExternal": Method(methods_files.complete_upload, "files:write", tier(4)),
    "files.delete": Method(methods_files.delete, "files:write", tier(3)),
    "files.info": Method(methods_files.info, "files:read", tier(4)),
}


class _TooMany(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__("too many calls")
        self.seconds = seconds


async def handle(sandbox: Sandbox, request: web.Request) -> web.StreamResponse:
    """Answer one call, or let it meet its fault."""
    name = request.match_info["method"]
    return await with_faults(sandbox, name, request, lambda: _answer(sandbox, name, request))


async def with_faults(
    sandbox: Sandbox, name: str, request: web.Request, effect: Effect
) -> web.StreamResponse:
    """Run `effect`, or what a fault ordered for `name` makes of it."""
    fault = sandbox.faults.take(name)
    if fault is None:
        return await effect()
    if not fault.kind.startswith(("accept_", "late")):
        error = fault.error if fault.kind == "error" else fault.kind
        sandbox.calls.note(sandbox.workspace.now(), name, error, None)
    return await befall(fault, request, effect, sandbox.spawn)


async def _answer(sandbox: Sandbox, name: str, request: web.Request) -> web.StreamResponse:
    channel: str | None = None
    try:
        values = await read(request)
        channel = _channel(values)
        body = _run(sandbox, name, values, request.headers.get("Authorization", ""))
    except ApiError as error:
        sandbox.calls.note(sandbox.workspace.now(), name, error.code, channel)
        return web.json_response(error.answer())
    except _TooMany as error:
        sandbox.calls.note(sandbox.workspace.now(), name, "ratelimited", channel)
        return rate_limited(error.seconds)
    sandbox.calls.note(sandbox.workspace.now(), name, None, channel)
    return web.json_response({"ok": True, **body}, headers=_scope_headers(sandbox))


def _channel(values: Json) -> str | None:
    named = values.get("channel") or values.get("channel_id")
    return named if isinstance(named, str) else None


def _scope_headers(sandbox: Sandbox) -> dict[str, str]:
    return {"X-OAuth-Scopes": ",".join(sorted(sandbox.manifest.scopes))}


def _run(sandbox: Sandbox, name: str, values: Json, authorization: str) -> Json:
    method = METHODS.get(name)
    if method is None:
        raise ApiError("unknown_method", req_method=name)
    _check_token(
        sandbox, method, authorization.removeprefix("Bearer ").strip() or str(values.get("token", ""))
    )
    args = Arguments(values)
    place = args.text("channel") if method.is_per_channel else ""
    seconds = sandbox.limits.wait(name, place, method.rate, sandbox.workspace.now())
    if seconds is not None:
        raise _TooMany(seconds)
    _check_scope(sandbox, method, args)
    return method.run(sandbox, args)


def _check_token(sandbox: Sandbox, method: Method, token: str) -> None:
    known = {sandbox.credentials.bot_token: False, sandbox.credentials.app_token: True}
    if not token:
        raise ApiError("not_authed")
    if token not in known:
        raise ApiError("invalid_auth")
    if known[token] is not method.needs_app_token:
        raise ApiError("not_allowed_token_type")


def _check_scope(sandbox: Sandbox, method: Method, args: Arguments) -> None:
    if method.scope is None:
        return
    scopes = sandbox.manifest.scopes
    needed = [method.scope]
    if method.scope.startswith("*"):
        kinds = _kinds(sandbox, args)
        needed = [method.scope.replace("*", kind) for kind in kinds or _ANY_KIND]
        # Of what the app cannot see Slack does not tell the kind: any of the scopes leads to `channel_not_found`.
        if kinds is None and scopes.intersection(needed):
            return
    if not scopes.issuperset(needed):
        raise ApiError("missing_scope", needed=",".join(needed), provided=",".join(sorted(scopes)))


_KINDS: Final = {"public_channel": "channels", "private_channel": "groups", "mpim": "mpim", "im": "im"}
_ANY_KIND: Final = ("channels", "groups", "im")


def _kinds(sandbox: Sandbox, args: Arguments) -> list[str] | None:
    if not args.has("channel"):
        types = (args.text("types") or "public_channel").split(",")
        return [_KINDS[one] for one in types if one in _KINDS]
    channel = sandbox.workspace.channels.get(args.text("channel"))
    if channel is None or (channel.is_private and not channel.has_bot):
        return None
    return [channel.kind]
