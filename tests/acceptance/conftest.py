"""The whole stage: pretend Slack, mail servers and the bot as a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.sandbox.demo import Demo
from bot.sandbox.person import Person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MARTA = "U0MARTA004"


@pytest.fixture
async def demo(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Demo]:
    """Everything running and connected, the bot's log at DEBUG."""
    monkeypatch.setenv("MAILBOX_LOG", "debug")
    async with Demo() as demo:
        await demo.wait_connected()
        yield demo


@pytest.fixture
async def marta(demo: Demo) -> AsyncIterator[Person]:
    """A member of the workspace at the page."""
    async with aiohttp.ClientSession() as session:
        yield Person(session, demo.slack.url, MARTA)
