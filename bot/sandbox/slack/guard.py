"""Who may speak to the sandbox: this machine, and no page of another origin.

A foreign web page can make a browser send requests to loopback, or point its own name there (DNS rebinding); the
Host and Origin headers give both away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine."""
    try:
        return urlsplit(f"//{host}").hostname in _LOOPBACK
    except ValueError:
        return False


def is_own_origin(origin: str | None, host: str) -> bool:
    """Whether a request comes from the sandbox's own page, or from no page at all."""
    return origin is None or origin == f"http://{host}"


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse foreign hosts and foreign pages before anything is done."""
    if not is_loopback(request.host):
        raise web.HTTPForbidden(text="the sandbox answers to loopback names only")
    if not is_own_origin(request.headers.get("Origin"), request.host):
        raise web.HTTPForbidden(text="the sandbox answers to its own page only")
    return await handler(request)
