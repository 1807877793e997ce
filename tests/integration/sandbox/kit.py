"""What the sandbox's tests share: a clock to push, a page to act on, builders of views."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import aiohttp

BOT_TOKEN = "xoxb-sandbox-test"
APP_TOKEN = "xapp-sandbox-test"
MARTA = "U0MARTA004"


class Clock:
    """The sandbox's clock: the real one, which a test may push forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.ahead


class Page:
    """What the page does over HTTP, for one person."""

    def __init__(self, url: str, session: aiohttp.ClientSession, user: str = MARTA) -> None:
        self._url, self._session, self.user = url, session, user

    async def get(self, path: str) -> Any:
        """Read."""
        async with self._session.get(f"{self._url}/sandbox/api/{path}") as answer:
            return await answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        """Act."""
        async with self._session.post(
            f"{self._url}/sandbox/api/{path}", json={"user": self.user, **body}
        ) as answer:
            return await answer.json()

    async def state(self) -> Any:
        """What the person has before them."""
        return await self.get(f"state?user={self.user}")

    async def top(self) -> Any:
        """The view on top of the stack."""
        return (await self.state())["views"][-1]

    async def fault(self, method: str, kind: str, **more: Any) -> None:
        """Order one fault."""
        await self.post("faults", faults=[{"method": method, "kind": kind, **more}])


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A modal with a submit button."""
    view: dict[str, Any] = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Form"},
        "submit": {"type": "plain_text", "text": "Send"},
        "callback_id": "form",
        "blocks": list(blocks) or [section("hello")],
    }
    return {**view, **more}


def section(text: str) -> dict[str, Any]:
    """A section of text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def text_input(name: str, *, optional: bool = False, **more: Any) -> dict[str, Any]:
    """An input block of one line; block id and action id alike."""
    return {
        "type": "input",
        "block_id": name,
        "optional": optional,
        "label": {"type": "plain_text", "text": name},
        "element": {"type": "plain_text_input", "action_id": name, **more},
    }


def typed(**values: str) -> dict[str, Any]:
    """Values as the page sends them."""
    return {name: {name: {"type": "plain_text_input", "value": value}} for name, value in values.items()}


async def until(check: Callable[[], Awaitable[Any]]) -> Any:
    """Ask again until the answer is true, and give it back."""
    async with asyncio.timeout(5):
        while not (answer := await check()):  # noqa: ASYNC110  # what is waited for may be inside Slack's own client
            await asyncio.sleep(0.005)
    return answer
