"""Nothing secret and no address leaves through a log, whoever writes it."""

from __future__ import annotations

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
