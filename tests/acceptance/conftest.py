"""The whole stage: pretend Slack, mail servers and the bot as a process of its own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.sandbox.demo import Demo
from bot.sandbox.person import Person
from bot.sandbox.slack.core import Timings
from storage.vault import new_master_key
from tests.acceptance.lives import Lives

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.sandbox.process import Launch

MARTA = "U0MARTA004"
PATIENT = Timings(ack=20.0, trigger=20.0)
"""How quick the bot is, `bench/` says; a machine that is busy with tests may need more than Slack's three seconds."""


@pytest.fixture
def stage_folder(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder as a first start leaves it, with key and tables, which saves each test two seconds of it."""
    folder = tmp_path / "stage"
    (folder / "data").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    shutil.copy(sqlite_template, folder / "data" / "mailbox.db")
    key = folder / "master-key"
    key.write_text(new_master_key(), encoding="ascii")
    key.chmod(0o600)
    return folder


@pytest.fixture
async def lives() -> AsyncIterator[Lives]:
    """Starts bots without the second that their imports take."""
    async with Lives() as lives:
        yield lives


@pytest.fixture
def launch(lives: Lives) -> Launch:
    """How the stage starts its bot."""
    return lives.begin


@pytest.fixture
async def demo(monkeypatch: pytest.MonkeyPatch, stage_folder: Path, launch: Launch) -> AsyncIterator[Demo]:
    """Everything running and connected, the bot's log at DEBUG."""
    monkeypatch.setenv("MAILBOX_LOG", "debug")
    async with Demo(data=stage_folder, launch=launch) as demo:
        demo.slack.sandbox.timings = PATIENT
        await demo.wait_connected()
        yield demo


@pytest.fixture
async def marta(demo: Demo) -> AsyncIterator[Person]:
    """A member of the workspace at the page."""
    async with aiohttp.ClientSession() as session:
        yield Person(session, demo.slack.url, MARTA)
