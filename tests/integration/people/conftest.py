"""People on the sandbox as a real workspace, and on a Slack that answers as it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.sandbox.server import start
from bot.sandbox.slack.core import Timings
from bot.sandbox.slack.people import TEAM_ID
from bot.slack.client import SlackClient, web_client
from bot.slack.people import People
from tests.integration.people.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.sandbox.slack.core import Sandbox


@dataclass(slots=True)
class Clock:
    """A clock that stands until it is pushed."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        """The time now."""
        return datetime(2026, 11, 20, 9, tzinfo=UTC) + self.ahead


@dataclass(slots=True)
class Town:
    """The sandbox, and what Mailbox knows of the people in it."""

    sandbox: Sandbox
    slack: SlackClient
    people: People
    clock: Clock
    api_url: str

    def calls(self, method: str) -> int:
        """How often Mailbox called a method."""
        return sum(call["method"] == method for call in self.sandbox.calls.shown())


@dataclass(slots=True)
class Told:
    """A Slack that answers as it is told."""

    scripted: Scripted
    slack: SlackClient
    people: People
    clock: Clock


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """By the manifest of the app, without rate limits."""
    running = await start(
        bot_token="xoxb-t",
        app_token="xapp-t",
        static=None,
        timings=Timings(ack=30.0, trigger=30.0, share=0.01),
    )
    running.sandbox.limits.enabled = False
    clock = Clock()
    async with aiohttp.ClientSession() as session:
        slack = SlackClient(web_client("xoxb-t", running.api_url, 30), session)
        yield Town(running.sandbox, slack, People(slack, TEAM_ID, clock), clock, running.api_url)
    await running.stop()


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    """It knows U1 and no groups."""
    scripted = Scripted()
    runner, url = await scripted.start()
    clock = Clock()
    async with aiohttp.ClientSession() as session:
        slack = SlackClient(web_client("xoxb-t", url, 30), session)
        yield Told(scripted, slack, People(slack, "T1", clock), clock)
        scripted.may_answer.set()
    await runner.cleanup()
