"""What the sandbox's tests share: a clock to push, a page to act on, builders of views."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack.manifest import EVENTS, Manifest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient

BOT_TOKEN = "xoxb-sandbox-test"
APP_TOKEN = "xapp-sandbox-test"
MARTA = "U0MARTA004"


OWEN = "U0OWEN0007"
NOOR = "U0NOOR0009"
BOT = "U0MAILBOT1"

_MANIFEST = Manifest()
# Everything that sharing asks of Slack. The posts of channels are not subscribed to.
WIDE = replace(
    _MANIFEST,
    scopes=_MANIFEST.scopes
    | {"channels:read", "groups:read", "channels:history", "groups:history", "usergroups:read", "files:read"},
    events=frozenset(EVENTS) - {"message.channels", "message.groups"},
)


class Clock:
    """The sandbox's clock: the real one, which a test may push forward, or stop."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._stopped_at: float | None = None

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return (self._stopped_at or time.time()) + self.ahead

    def stop(self) -> None:
        """From here on it moves only when it is pushed."""
        self._stopped_at = time.time()


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
    async with asyncio.timeout(30):
        while not (answer := await check()):  # noqa: ASYNC110  # what is waited for may be inside Slack's own client
            await asyncio.sleep(0.005)
    return answer


async def refusal(client: AsyncWebClient, method: str, **args: Any) -> str:
    """The error a call is answered with."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json=args)
    return str(caught.value.response["error"])


class Ear:
    """One connection of an app that hears everything and acknowledges it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def next(self) -> dict[str, Any]:
        """The next event, without its wrapper."""
        envelope = await asyncio.wait_for(self._socket.receive_json(), 30)
        await self._socket.send_json({"envelope_id": envelope["envelope_id"]})
        event: dict[str, Any] = envelope["payload"]["event"]
        return event

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """Every event up to the first of this kind, that one included."""
        heard = [await self.next()]
        while heard[-1]["type"] != kind:
            heard.append(await self.next())
        return heard


@asynccontextmanager
async def listening(client: AsyncWebClient, session: aiohttp.ClientSession) -> AsyncIterator[Ear]:
    """An app on Socket Mode, as far as its ears."""
    address = (await client.apps_connections_open(app_token=APP_TOKEN))["url"]
    async with session.ws_connect(address) as socket:
        await socket.receive_json()
        yield Ear(socket)
