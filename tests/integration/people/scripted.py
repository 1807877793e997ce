"""A Slack on loopback that answers as it is told, and counts what it is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reply = Callable[[Mapping[str, str]], dict[str, Any]]


class Scripted:
    """Answers by method; an answer is a body, or a function of the arguments. Unknown methods get an error."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any] | Reply] = {}
        self.limited: dict[str, int] = {}
        self.calls: Counter[str] = Counter()
        self.asked = asyncio.Semaphore(0)
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def says(self, method: str, body: dict[str, Any] | Reply) -> None:
        """What it answers from now on."""
        self.answers[method] = body

    def refuses(self, method: str, error: str) -> None:
        """Which error it answers from now on."""
        self.answers[method] = {"ok": False, "error": error}

    async def handle(self, request: web.Request) -> web.Response:
        """One call."""
        method = request.match_info["method"]
        self.calls[method] += 1
        self.asked.release()
        given = {**request.query, **await request.post()}
        await self.may_answer.wait()
        if method in self.limited:
            seconds = str(self.limited[method])
            return web.json_response(
                {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": seconds}
            )
        answer = self.answers.get(method, {"ok": False, "error": "unknown_method"})
        body = answer if isinstance(answer, dict) else answer({name: str(given[name]) for name in given})
        return web.json_response({"ok": True, **body})

    async def start(self) -> tuple[web.AppRunner, str]:
        """Listen on a free port; gives the address of its methods."""
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        return runner, f"http://127.0.0.1:{port}/api/"


def user(user_id: str, **flags: Any) -> dict[str, Any]:
    """A member's record."""
    return {
        "id": user_id,
        "team_id": "T1",
        "deleted": False,
        "is_bot": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        **flags,
    }


def in_pages(key: str, items: list[Any], size: int) -> Reply:
    """A list in pages of so many, whatever is asked for."""

    def page(given: Mapping[str, str]) -> dict[str, Any]:
        start = int(given.get("cursor") or "0")
        end = start + size
        cursor = str(end) if end < len(items) else ""
        return {key: items[start:end], "response_metadata": {"next_cursor": cursor}}

    return page
