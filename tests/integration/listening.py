"""A bot that listens on the sandbox, with only the use cases behind it that a walk needs, and what its people see."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic import SecretStr

from bot.mail import providers
from bot.sandbox.person import top_view, words
from bot.sandbox.slack.people import TEAM_ID
from bot.slack import connection, listeners
from bot.slack.listeners.desk import Desk

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.rechecking import Cause
    from bot.sandbox.person import Person

SECONDS: Final = 10


class _Tokens:
    """The settings that a connection needs."""

    slack_bot_token = SecretStr("xoxb-t")
    slack_signing_secret = SecretStr("s")


class _Idle:
    """A rechecker where nothing is shared."""

    async def recheck(self, cause: Cause) -> None:
        """Nothing follows from an event."""


async def listen(web: AsyncWebClient, stack: AsyncExitStack, **parts: Any) -> None:
    """Answer what people do on the page, until the stack ends; a part that is not given is never called."""
    known = {
        "providers": providers.load(),
        "workspace": TEAM_ID,
        "allows_plain": lambda _: False,
        "allows_some_plain": False,
        "rechecker": _Idle(),
    }
    absent = dict.fromkeys(field.name for field in fields(Desk) if field.name not in {"waiting", "testing"})
    desk = Desk(**cast("Any", absent | known | parts))
    bolt = connection.bolt(cast("Any", _Tokens()), cast("Any", (await web.auth_test()).data), web)
    listeners.register(bolt, desk)
    is_connected = await connection.open_socket(bolt, "xapp-t", asyncio.Event(), stack)
    async with asyncio.timeout(SECONDS):
        while not await is_connected():  # noqa: ASYNC110 - the SDK tells nobody
            await asyncio.sleep(0.02)


async def settled(somebody: Person, text: str) -> dict[str, Any]:
    """The view in front, once it says this."""

    def holds(shown: dict[str, Any]) -> dict[str, Any] | None:
        view = top_view(shown)
        return view if view is not None and text in words(view) else None

    return await somebody.until(f"a view with “{text}”", holds, SECONDS)
