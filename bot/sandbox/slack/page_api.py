"""The page's API below `/sandbox/api/`: what a person sees and does, faults, settings, the log of calls."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bot.sandbox.slack import clicks, form_files, interactions
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.inputs import BadValue
from bot.sandbox.slack.interactions import FormFaults, Refused
from bot.sandbox.slack.page_state import people, state
from bot.sandbox.slack.page_workspace import overview, workspace_actions
from bot.sandbox.slack.workspace import Forbidden

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.core import Sandbox

_KEEP_ALIVE_SECONDS: Final = 15.0
_SHOWN_INLINE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


class PageApi:
    """The handlers, on one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._is_closing = False

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register every route."""
        router.add_get("/sandbox/api/people", self._people)
        router.add_get("/sandbox/api/state", self._state)
        router.add_get("/sandbox/api/workspace", self._workspace)
        router.add_get("/sandbox/api/events", self._events)
        router.add_get("/sandbox/api/log", self._log)
        router.add_get("/sandbox/api/faults", self._show_faults)
        router.add_get("/sandbox/files/{id}/{name}", self._file)
        router.add_post("/sandbox/api/upload", self._upload)
        for name, action in self._actions().items():
            router.add_post(f"/sandbox/api/{name}", _posted(action))

    def _actions(self) -> dict[str, Callable[[Json], Awaitable[Json]]]:
        return {
            "command": self._command,
            "action": self._action,
            "options": self._options,
            "submit": self._submit,
            "close": self._close,
            "message": self._message,
            "home": self._home,
            "shortcut": self._shortcut,
            **workspace_actions(self._sandbox),
            "faults": self._order_faults,
            "settings": self._settings,
        }

    def close(self) -> None:
        """End every stream of events."""
        self._is_closing = True
        self._sandbox.workspace.wake_all()

    def _user(self, raw: Any) -> str:
        human = self._sandbox.workspace.people.get(raw) if isinstance(raw, str) else None
        if human is None:
            raise web.HTTPNotFound(text="no such person")
        return human.id

    def _actor(self, body: Json) -> str:
        user = self._user(body.get("user"))
        if not self._sandbox.workspace.people[user].is_active:
            raise Refused("this account is deactivated")
        return user

    async def _people(self, _request: web.Request) -> web.Response:
        return web.json_response(people(self._sandbox))

    async def _workspace(self, _request: web.Request) -> web.Response:
        return web.json_response(overview(self._sandbox))

    async def _state(self, request: web.Request) -> web.Response:
        limit = request.query.get("limit", "")
        newest = int(limit) if limit.isdecimal() else None
        user = self._user(request.query.get("user"))
        try:
            shown = state(self._sandbox, user, newest, request.query.get("channel"))
        except Refused as error:
            return web.json_response({"ok": False, "error": str(error)})
        return web.json_response(shown)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        user = self._user(request.query.get("user"))
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        event = self._sandbox.workspace.watch(user)
        try:
            await self._stream(response, event)
        except ConnectionError:
            pass  # the page went away
        finally:
            self._sandbox.workspace.unwatch(user, event)
        return response

    async def _stream(self, response: web.StreamResponse, event: asyncio.Event) -> None:
        await response.write(b"data: changed\n\n")
        while not self._is_closing:
            try:
                await asyncio.wait_for(event.wait(), _KEEP_ALIVE_SECONDS)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            event.clear()
            await response.write(b"data: changed\n\n")

    async def _log(self, _request: web.Request) -> web.Response:
        return web.json_response({"calls": self._sandbox.calls.shown()})

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": self._sandbox.faults.shown()})

    async def _file(self, request: web.Request) -> web.Response:
        file = self._sandbox.workspace.files.get(request.match_info["id"])
        if file is None or file.octets is None:
            raise web.HTTPNotFound(text="no such file")
        is_image = file.media_type in _SHOWN_INLINE
        # Files come from strangers' mail: nothing of them may run in the sandbox's origin.
        headers = {
            "Content-Type": file.media_type if is_image else "application/octet-stream",
            "Content-Disposition": "inline" if is_image else "attachment",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=file.octets, headers=headers)

    async def _upload(self, request: web.Request) -> web.Response:
        """A file chosen in a form, its octets as they are: `?user=U&name=NAME`."""
        if request.content_type != "application/octet-stream":
            raise web.HTTPUnsupportedMediaType(text="application/octet-stream is expected")
        if (request.content_length or 0) > form_files.MAX_FILE_OCTETS:
            return web.json_response({"ok": False, "error": form_files.TOO_LARGE})
        try:
            user = self._actor(dict(request.query))
            name = request.query.get("name", "")
            file = form_files.taken(self._sandbox.workspace, user, name, await request.read())
        except (Refused, BadValue) as error:
            return web.json_response({"ok": False, "error": str(error)})
        return web.json_response({"ok": True, "file": file})

    async def _command(self, body: Json) -> Json:
        await interactions.command(
            self._sandbox, self._actor(body), str(body["text"]), _text(body, "channel")
        )
        return {}

    async def _action(self, body: Json) -> Json:
        values = body.get("values") or {}
        await clicks.act(self._sandbox, self._actor(body), body["container"], body["action"], values)
        return {}

    async def _options(self, body: Json) -> Json:
        return await clicks.suggest(self._sandbox, self._actor(body), body["container"], body)

    async def _submit(self, body: Json) -> Json:
        await interactions.submit(
            self._sandbox, self._actor(body), str(body["view_id"]), body.get("values") or {}
        )
        return {}

    async def _close(self, body: Json) -> Json:
        interactions.close(
            self._sandbox, self._actor(body), str(body["view_id"]), close_all=bool(body.get("all"))
        )
        return {}

    async def _message(self, body: Json) -> Json:
        ts = interactions.message(
            self._sandbox,
            self._actor(body),
            str(body["text"]),
            _text(body, "thread_ts"),
            _text(body, "channel"),
        )
        return {"ts": ts}

    async def _home(self, body: Json) -> Json:
        interactions.open_tab(self._sandbox, self._actor(body), str(body.get("tab", "home")))
        return {}

    async def _shortcut(self, body: Json) -> Json:
        await interactions.shortcut(self._sandbox, self._actor(body), str(body["callback_id"]))
        return {}

    async def _order_faults(self, body: Json) -> Json:
        faults = [Fault.from_json(raw) for raw in body["faults"]]
        if not faults:
            self._sandbox.faults.clear()
        for fault in faults:
            self._sandbox.faults.add(fault)
        return {"faults": self._sandbox.faults.shown()}

    async def _settings(self, body: Json) -> Json:
        sandbox = self._sandbox
        if "rate_limits" in body:
            sandbox.limits.enabled = bool(body["rate_limits"])
        if "view_lag" in body:
            sandbox.settings.view_lag = float(body["view_lag"])
        if "history_cap" in body:
            sandbox.settings.history_cap = body["history_cap"] and int(body["history_cap"])
        if "user_groups" in body:
            sandbox.settings.user_groups = bool(body["user_groups"])
        if "messages_tab" in body:
            sandbox.manifest = replace(sandbox.manifest, is_messages_enabled=bool(body["messages_tab"]))
        wanted = body.get("socket_disconnect")
        if wanted:
            reason = wanted if isinstance(wanted, str) else "refresh_requested"
            sandbox.spawn(sandbox.hub.refresh(reason, sandbox.timings.grace))
        return {}


def _text(body: Json, name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None


def _posted(action: Callable[[Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        # Only a page of this origin can send JSON without a preflight that nobody answers.
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="send JSON")
        try:
            body = json.loads(await request.read())
            return web.json_response({"ok": True, **await action(body)})
        except FormFaults as faults:
            return web.json_response({"ok": False, "errors": faults.errors})
        except (Refused, BadValue, Forbidden) as error:
            return web.json_response({"ok": False, "error": str(error)})
        except (ValueError, TypeError, KeyError, AttributeError):
            return web.json_response({"ok": False, "error": "that is not what this call takes"}, status=400)

    return handler
