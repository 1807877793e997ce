"""The program as an operator runs it: exit codes, secrets, leaving."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.person import Person, title, top_view, words
from bot.sandbox.process import executed
from storage.vault import new_master_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.demo import Demo
    from bot.sandbox.process import Launch
    from tests.acceptance.lives import Lives

ROOT = str(Path(__file__).resolve().parents[2])
PASSWORD = "cAnAry-p4ssword"
NAME = "Canaryaccount"
SUBJECT = "Canarysubject"
BODY = "Canarybody"


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m bot` with nothing but this environment."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ROOT, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def good(tmp_path: Path) -> dict[str, str]:
    """Settings that would do, but for a Slack that answers."""
    return {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "MAILBOX_MASTER_KEYS": new_master_key(),
        "MAILBOX_DATA_DIR": str(tmp_path / "data"),
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is missing"),
        ({"MAILBOX_MASTER_KEYS": "k1:short"}, "Master key 1"),
        ({"MAILBOX_MASTER_KEYS": ""}, "keys new"),
        ({"MAILBOX_POLL_SECONDS": "0"}, "MAILBOX_POLL_SECONDS"),
        ({"MAILBOX_DATABASE_URL": "mysql://x"}, "MAILBOX_DATABASE_URL"),
        ({"MAILBOX_DATABASE_URL": "postgresql://u:canary@127.0.0.1:9/x"}, "MAILBOX_DATABASE_URL"),
        ({"MAILBOX_CA_FILE": __file__}, "MAILBOX_CA_FILE"),
        ({"MAILBOX_DATA_DIR": "/proc"}, "MAILBOX_DATA_DIR cannot be used"),
        ({"MAILBOX_GRACE": "5"}, "did you mean MAILBOX_GRACE_SECONDS?"),
    ],
)
async def test_a_wrong_setting_is_one_sentence_and_exit_code_2(
    tmp_path: Path, lives: Lives, good: dict[str, str], change: dict[str, str], says: str
) -> None:
    """The last line names the variable; no traceback, no value."""
    log = tmp_path / "log"
    life = await lives.begin({**good, **change}, tmp_path, log)

    code = await life.wait()

    said = log.read_text()
    assert code == 2
    assert says in said.splitlines()[-1]
    assert "Traceback" not in said
    assert "canary" not in said


def test_a_start_without_settings_names_the_first_that_is_missing(tmp_path: Path) -> None:
    """As an operator starts it: on standard error alone."""
    result = run(tmp_path, "serve")

    assert (result.returncode, result.stdout) == (2, "")
    assert "SLACK_BOT_TOKEN is missing" in result.stderr.splitlines()[-1]


def test_a_new_key_stands_alone_on_the_last_line(tmp_path: Path) -> None:
    """It can be piped into a secret store, and no two are alike."""
    keys = {run(tmp_path, "keys", "new").stdout.splitlines()[-1] for _ in range(2)}

    assert len(keys) == 2
    assert all(" " not in key and ":" in key for key in keys)


def test_help_and_version_answer(tmp_path: Path) -> None:
    """The command line explains itself."""
    assert "serve" in run(tmp_path, "--help").stdout
    assert run(tmp_path, "--version").stdout.startswith("mailbox")


async def test_another_master_key_is_refused_and_nothing_is_written(
    tmp_path: Path, demo: Demo, good: dict[str, str]
) -> None:
    """A database knows its keys: a start without them says so and changes nothing."""
    await demo.bot.stop()
    database = demo.folder / "data" / "mailbox.db"
    before = database.read_bytes()
    changed = {**good, "MAILBOX_DATA_DIR": str(demo.folder / "data")}

    result = await asyncio.to_thread(run, tmp_path, "serve", **changed)

    assert result.returncode == 2
    assert "key" in result.stderr.splitlines()[-1]
    assert database.read_bytes() == before


async def added(marta: Person, **answers: str) -> dict[str, Any]:
    """Fill in and send the add form; the result of its test."""
    account = await marta.mailbox("marta@local.test")
    await marta.command("/mailbox add")
    form = await marta.until("the form", top_view, 30)
    fields = {
        "Account name": NAME,
        "E-mail address": account["address"],
        "Incoming server": "localhost",
        "Port": str(account["pop"]["port"]),
        "Username": account["username"],
        "Password": account["password"],
        "How much old mail to bring": "None",
        **answers,
    }
    await marta.submit(form, fields)

    def result(shown: dict[str, Any]) -> dict[str, Any] | None:
        view = top_view(shown)
        return None if view is None or view["busy"] or title(view).startswith("Testing") else view

    return await marta.until("the result", result, 30)


def forms_of(canary: str) -> Iterator[bytes]:
    """A canary as it might be written: plain, base64 at each offset, UTF-16."""
    yield canary.encode()
    yield canary.encode("utf-16-le")
    for offset in range(3):
        yield base64.b64encode(b"\0" * offset + canary.encode())[4 if offset else 0 : -4]


async def test_no_secret_and_no_content_is_stored_or_logged_in_clear(demo: Demo, marta: Person) -> None:
    """Wrong and right passwords, names, addresses, subjects, bodies and tokens: none in any file, log at DEBUG."""
    assert "✗" in words(await added(marta, Password=PASSWORD))
    await marta.close(await marta.until("the modal", top_view, 30))
    result = await added(marta)
    await marta.close(result)
    await marta.send_mail("marta@local.test", SUBJECT, BODY)
    await marta.until("the post", lambda shown: next(iter(shown["posts"]), None), 30)
    log = demo.folder / "bot.log"
    settings = demo.env_file.read_text()

    tokens = [line.split("=", 1)[1] for line in settings.splitlines() if "TOKEN" in line or "MASTER" in line]
    canaries = [PASSWORD, NAME, SUBJECT, BODY, "marta-mail-password", "marta@local.test", *tokens]
    files = [path for path in (demo.folder / "data").rglob("*") if path.is_file()] + [log]
    octets = {path.name: path.read_bytes() for path in files}

    assert "mailbox.db" in octets
    assert "mailbox.db-wal" in octets
    assert b"mailbox_added" in octets["bot.log"]
    for name, content in octets.items():
        found = [canary for canary in canaries for form in forms_of(canary) if form in content]
        assert not found, f"{name} holds {found}"


@pytest.mark.parametrize("launch", [executed])
async def test_sigterm_ends_it_calmly_within_ten_seconds(launch: Launch, demo: Demo, marta: Person) -> None:
    """While mail is coming in: exit code 0, and what follows after the restart is neither lost nor twice."""
    await marta.close(await added(marta))
    subjects = [f"Numbered {number}" for number in range(12)]
    for subject in subjects:
        await marta.send_mail("marta@local.test", subject, BODY)
    await marta.until("the first post", lambda shown: next(iter(shown["posts"]), None), 30)
    pid = demo.bot.pid
    assert pid is not None

    began = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    code = await demo.bot.wait()
    took = time.monotonic() - began
    await demo.bot.start()

    def all_there(shown: dict[str, Any]) -> dict[str, Any] | None:
        return shown if len(shown["posts"]) >= len(subjects) else None

    posts = (await marta.until("all posts", all_there, 40))["posts"]
    assert code == 0
    assert took < 10
    assert [post["blocks"][0]["text"]["text"] for post in posts] == subjects
