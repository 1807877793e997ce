"""The sandbox's one HTTP server: Web API, Socket Mode, uploads, response URLs, page API, page.

Listens on loopback. Everything is in memory and gone when it stops.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from aiohttp import web

from bot.sandbox.slack import form_files, methods_files, response_urls, web_api
from bot.sandbox.slack.core import Credentials, Sandbox, Timings
from bot.sandbox.slack.guard import guard, is_loopback
from bot.sandbox.slack.manifest import Manifest
from bot.sandbox.slack.page_api import PageApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.slack.workspace import Workspace

STATIC: Final = Path(__file__).parent / "static"
MANIFEST: Final = Path(__file__).parents[2] / "manifest.yml"
# The page shows strangers' mail; nothing from elsewhere is loaded or run in it.
_PAGE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_MAX_BODY: Final = 512 * 1024 * 1024


@dataclass(slots=True)
class RunningSandbox:
    """A sandbox that answers; `sandbox` is its inside, for tests in the same process."""

    url: str
    sandbox: Sandbox = field(repr=False)
    _runner: web.AppRunner = field(repr=False)
    _page: PageApi = field(repr=False)

    @property
    def api_url(self) -> str:
        """The base URL for Slack's clients."""
        return f"{self.url}/api/"

    @property
    def workspace(self) -> Workspace:
        """The state of the pretend workspace."""
        return self.sandbox.workspace

    async def stop(self) -> None:
        """End every connection and stop listening."""
        self._page.close()
        await self.sandbox.close()
        await self._runner.cleanup()


async def start(
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    bot_token: str,
    app_token: str,
    mail_routes: Callable[[web.Application], None] | None = None,
    static: Path | None = STATIC,
    manifest: Manifest | None = None,
    timings: Timings | None = None,
    clock: Callable[[], float] = time.time,
) -> RunningSandbox:
    """Start listening.

    Args:
        port: 0 takes a free one.
        mail_routes: adds the routes of the mail side to the application.
        static: the page's folder, served at `/`; None serves no page.
        manifest: scopes, commands and events; when None, those of `manifest.yml`, or built-in ones without that file.

    Raises:
        ValueError: `host` is not loopback, or `manifest.yml` is no manifest.
    """
    listener = _listener(host, port)
    url = f"http://{host}:{listener.getsockname()[1]}"
    credentials = Credentials(bot_token, app_token)
    sandbox = Sandbox(url, credentials, manifest or _own_manifest(), timings or Timings(), clock)
    page = PageApi(sandbox)
    app = web.Application(middlewares=[guard], client_max_size=_MAX_BODY)
    _add_routes(app, sandbox, page, static)
    if mail_routes is not None:
        mail_routes(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return RunningSandbox(url, sandbox, runner, page)


def _own_manifest() -> Manifest:
    return Manifest.read(MANIFEST) if MANIFEST.is_file() else Manifest()


def _listener(host: str, port: int) -> socket.socket:
    if not is_loopback(host):
        raise ValueError("the sandbox listens on loopback only")
    return socket.create_server((host, port))


def _add_routes(app: web.Application, sandbox: Sandbox, page: PageApi, static: Path | None) -> None:
    async def api(request: web.Request) -> web.StreamResponse:
        return await web_api.handle(sandbox, request)

    async def upload(request: web.Request) -> web.StreamResponse:
        return await web_api.with_faults(
            sandbox, "upload", request, lambda: methods_files.receive_upload(sandbox, request)
        )

    async def response(request: web.Request) -> web.StreamResponse:
        return await web_api.with_faults(
            sandbox, "response_url", request, lambda: response_urls.handle(sandbox, request)
        )

    async def download(request: web.Request) -> web.StreamResponse:
        return await web_api.with_faults(
            sandbox, "download", request, lambda: form_files.download(sandbox, request)
        )

    async def permalink(request: web.Request) -> web.StreamResponse:
        channel = sandbox.workspace.channels.get(request.match_info["channel"])
        if channel is None:
            raise web.HTTPNotFound
        digits = request.match_info["digits"]
        query = {"post": f"{digits[:-6]}.{digits[-6:]}"}
        place = {"channel": channel.id} if channel.user is None else {"user": channel.user, "tab": "messages"}
        raise web.HTTPFound(f"/?{urlencode({**place, **query})}")

    app.router.add_route("*", "/api/{method}", api)
    app.router.add_get("/socket", sandbox.hub.serve)
    app.router.add_post("/upload/{token}", upload)
    app.router.add_post("/response/{token}", response)
    app.router.add_get("/files-pri/{place}/{name}", download)
    app.router.add_get("/files-pri/{place}/download/{name}", download)
    app.router.add_get("/signin", form_files.sign_in)
    app.router.add_get("/archives/{channel}/p{digits:[0-9]+}", permalink)
    page.add_to(app.router)
    if static is not None:
        _add_page(app, static)


def _add_page(app: web.Application, static: Path) -> None:
    async def index(_request: web.Request) -> web.StreamResponse:
        if not (static / "index.html").is_file():
            raise web.HTTPNotFound(text="the page is not installed")
        return web.FileResponse(static / "index.html", headers=_PAGE_HEADERS)

    app.router.add_get("/", index)
    if static.is_dir():
        app.router.add_static("/", static)
