"""The bots of the tests: none is left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.vault import new_master_key
from tests.acceptance.lives import Lives
from tests.fakes.processes import IS_TOLD, Process

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(not IS_TOLD, reason="Linux tells of processes")
async def test_no_bot_outlives_the_test_that_began_it(tmp_path: Path) -> None:
    """Whatever it was doing, it is gone and reaped once its lives are closed."""
    settings = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "MAILBOX_MASTER_KEYS": new_master_key(),
    }

    async with Lives() as lives:
        life = await lives.begin(settings, tmp_path, tmp_path / "log")
        assert Process(life.pid).is_alive

    assert Process(life.pid).state == ""
