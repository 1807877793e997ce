"""Nothing secret and no address leaves through a log, whoever writes it."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog

from bot import logs

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "canary-Passw0rd"
ADDRESS = "ada.canary@mail.example"


@pytest.fixture
def configured() -> Iterator[None]:
    """Logging as `serve` sets it up at DEBUG, undone afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    logs.configure("debug", [PASSWORD])
    yield
    structlog.reset_defaults()
    root.handlers[:], _ = before
    root.setLevel(before[1])


def test_secrets_and_addresses_are_taken_out_last(
    configured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Own events, library records and their arguments all pass the redaction."""
    logs.configure("debug", [PASSWORD])

    structlog.get_logger("bot.x").info("event", who=ADDRESS, detail=f"-ERR {PASSWORD}")
    logging.getLogger("library").debug("login %s with %s and %s", ADDRESS, PASSWORD, "xoxb-1-canary")

    written = capsys.readouterr().err
    assert written.count("[address]") == 2
    assert "canary" not in written


def test_loggers_made_before_are_redacted_too(configured: None, capsys: pytest.CaptureFixture[str]) -> None:
    """A logger bound at import and a library's handlers on the root lead to the same redacting output."""
    early = structlog.get_logger("bot.early").bind(owner=ADDRESS)
    logging.getLogger().addHandler(logging.StreamHandler())
    logs.configure("info", [PASSWORD])

    early.warning("late_event", nested={"key": [PASSWORD, "xapp-1-canary"]})
    logging.getLogger("py.warnings").warning("%(who)s said no", {"who": ADDRESS})
    logging.getLogger("slack_sdk.web").error("token=xoxe.xoxp-1-canary rejected")

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "canary" not in "".join(lines)


def test_an_event_is_one_line_of_json(configured: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, level, time in UTC and fields, for machines; a line break in a value starts no line of its own."""
    logs.configure("info", [])

    structlog.get_logger("bot.x").info("poll_failed", detail="-ERR\r\nforged line", count=3)

    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["level"], event["count"]) == ("poll_failed", "info", 3)
    assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize("name", ["bot.x", "library"])
def test_an_exception_is_logged_by_kind_and_place(
    configured: None, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Its text may quote a server or a database, so it stays out."""
    logs.configure("debug", [])
    logger = structlog.get_logger(name) if name == "bot.x" else logging.getLogger(name)

    try:
        int(f"quotes {PASSWORD}")
    except ValueError:
        logger.exception("task_failed")

    written = capsys.readouterr().err
    assert "ValueError" in written
    assert "test_logs.py" in written
    assert "canary" not in written


def test_slack_libraries_say_nothing_below_a_warning(
    configured: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """They log request bodies at INFO and DEBUG, and set levels of their own."""
    logs.configure("debug", [])
    logging.getLogger("slack_bolt.AsyncApp").setLevel(logging.DEBUG)
    logging.getLogger("slack_bolt.AsyncApp").info("body with %s", PASSWORD)
    logging.getLogger("slack_sdk.web").debug("params with %s", PASSWORD)
    logging.getLogger("slack_bolt.AsyncApp").setLevel(logging.NOTSET)

    assert capsys.readouterr().err == ""
