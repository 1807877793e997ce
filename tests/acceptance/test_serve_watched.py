"""The program seen from outside while it runs, and while it waits for Slack."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.sandbox.demo import Demo
from bot.sandbox.person import Person, top_view
from bot.sandbox.process import environment
from storage.vault import new_master_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.sandbox.process import Launch
    from tests.acceptance.lives import Lives

MARTA = "U0MARTA004"


@pytest.fixture
def place() -> str:
    """An address on which nothing listens yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Whoever asks."""
    async with aiohttp.ClientSession() as session:
        yield session


async def until(http: aiohttp.ClientSession, url: str, status: int, wanted: str) -> str:
    """The text, as soon as status and words are as wanted."""
    async with asyncio.timeout(30):
        while True:
            try:
                async with http.get(url) as answer:
                    text = await answer.text()
                    if answer.status == status and re.search(wanted, text):
                        return text
            except aiohttp.ClientConnectorError:
                pass
            await asyncio.sleep(0.05)


async def test_a_working_bot_shows_what_it_does(
    place: str,
    http: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    stage_folder: Path,
    launch: Launch,
) -> None:
    """Ready once connected; what Bolt asks of Slack for a command is counted too; nobody is named."""
    monkeypatch.setenv("MAILBOX_METRICS", place)
    async with Demo(data=stage_folder, launch=launch) as demo:
        await demo.wait_connected()
        await until(http, f"http://{place}/readyz", 200, "ok")
        marta = Person(http, demo.slack.url, MARTA)
        await marta.command("/mailbox add")
        await marta.until("the form", top_view, 30)

        called = r'mailbox_slack_calls_total\{method="views.open",outcome="ok"\} 1.0'
        text = await until(http, f"http://{place}/metrics", 200, called)

    assert "process_resident_memory_bytes" in text
    assert MARTA not in text
    assert "@" not in text


async def test_a_bot_that_waits_for_slack_is_alive_and_not_ready(
    place: str, http: aiohttp.ClientSession, lives: Lives, tmp_path: Path
) -> None:
    """Whoever watches leaves it alone; it also ends calmly while it waits."""
    settings = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "MAILBOX_MASTER_KEYS": new_master_key(),
        "MAILBOX_METRICS": place,
    }
    life = await lives.begin(environment(settings), tmp_path, tmp_path / "log")

    await until(http, f"http://{place}/healthz", 200, "ok")
    await until(http, f"http://{place}/readyz", 503, "Slack not connected")
    waits = r'mailbox_slack_calls_total\{method="auth.test",outcome="unanswered"\} [1-9]'
    await until(http, f"http://{place}/metrics", 200, waits)

    assert await life.stop() == 0
