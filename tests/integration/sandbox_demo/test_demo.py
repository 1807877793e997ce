"""The stage starts everything, keeps the caller's environment out, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.demo import Demo
from bot.sandbox.process import BotProcess, DemoFailed, environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def process(tmp_path: Path) -> BotProcess:
    """A bot without its settings: it ends at once and says why."""
    return BotProcess({}, tmp_path, tmp_path / "bot.log")


async def test_a_bot_that_ends_at_its_start_leaves_its_reason(process: BotProcess) -> None:
    """The reason is in the log's tail, and the process is gone."""
    await process.start()

    code = await process.wait()

    assert code == 2
    assert "SLACK_BOT_TOKEN" in process.tail()
    assert process.pid is None


async def test_stopping_what_has_ended_is_no_fault(process: BotProcess) -> None:
    """The stage may be torn down however far it came."""
    await process.stop()
    await process.start()
    await process.wait()

    await process.stop()

    assert process.pid is None


def test_nothing_of_the_callers_settings_reaches_the_bot() -> None:
    """Real tokens and proxies of the shell stay out of the sandbox."""
    outer = {
        "PATH": "/bin",
        "SLACK_BOT_TOKEN": "canary",
        "MAILBOX_DATABASE_URL": "canary",
        "HTTPS_PROXY": "canary",
    }

    given = environment({"MAILBOX_LOG": "info"}, outer)

    assert "canary" not in given.values()
    assert (given["PATH"], given["MAILBOX_LOG"]) == ("/bin", "info")


async def test_the_stage_comes_up_and_goes_without_a_trace() -> None:
    """Bot connected, welcome mail there; afterwards no process, no folder, no open port."""
    async with Demo() as demo:
        await demo.wait_connected()
        pid, folder, url = demo.bot.pid, demo.folder, demo.slack.url
        mails = {drop.account.address: len(drop.mails) for drop in demo.mail.drops}

    assert pid is not None
    assert mails["marta@local.test"] == 9
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=2)


async def test_a_kept_stage_opens_its_data_again(tmp_path: Path) -> None:
    """With a folder, a second start finds the same mail and a key that opens the database."""
    starts = []
    for _ in range(2):
        async with Demo(data=tmp_path / "kept") as demo:
            await demo.wait_connected()
            starts.append([mail.uid for drop in demo.mail.drops for mail in drop.mails])

    assert starts[0] == starts[1] != []
    assert (tmp_path / "kept/bot.env").stat().st_mode & 0o077 == 0


async def test_a_taken_port_gives_way_and_a_bad_folder_is_named(tmp_path: Path) -> None:
    """Ports that are busy are no reason to fail; a folder that cannot be one is."""
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with Demo(port=port) as demo:
            assert port < int(demo.slack.url.rpartition(":")[2]) < port + 50

    with pytest.raises(DemoFailed, match="cannot be used"):
        async with Demo(data=tmp_path / "file"):
            pass
