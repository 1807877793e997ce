"""Logs: one line an event on standard error, with every secret and address taken out last.

The redaction is the final step of every logger, the libraries' included, so that nothing reaches the output around
it. Slack's libraries log request bodies at DEBUG and, for a bad signature, at INFO: they start at WARNING.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Collection, MutableMapping

QUIET = (  # nothing of these below a warning, whatever level they set themselves: Bolt sets its own
    "slack_bolt",
    "slack_sdk",
    "aiosqlite",
    "sqlalchemy",
    "asyncio",
    "aiohttp",
    "alembic",
    "aiosmtplib",
    "schedule",
)

ADDRESS = re.compile(r"[^\s<>@\"'(),;:=]{1,64}@[^\s<>@\"'(),;:]{1,255}")
TOKEN = re.compile(r"x(?:ox[a-z]|app)-[\w-]+")


class _Quiet(logging.Filter):
    """Drops what the chatty libraries say below a warning."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record is to be written."""
        return record.levelno >= logging.WARNING or record.name.partition(".")[0] not in QUIET


class Redaction:
    """Takes tokens, e-mail addresses and the given secrets out of a finished line."""

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = sorted((secret for secret in secrets if secret), key=len, reverse=True)

    def __call__(self, line: str) -> str:
        """The line without them."""
        for secret in self._secrets:
            line = line.replace(secret, "[secret]")
        return ADDRESS.sub("[address]", TOKEN.sub("[token]", line))


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Formats library and own records alike, then redacts the whole line."""

    def __init__(self, redaction: Redaction, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        """The finished line, redacted."""
        return self._redaction(super().format(record))


def _places(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its types and places: its texts may quote what a server or a database said."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        event["error"] = type(error).__name__
        event["at"] = [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
        cause = error.__cause__ or error.__context__
        if cause is not None:
            event["cause"] = type(cause).__name__
    return event


def configure(level: str, secrets: Collection[str]) -> None:
    """Send every logger of the process through one redacting handler on standard error.

    Args:
        level: debug, info, warning or error.
        secrets: values that must never appear, whatever logs them.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _places,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=True)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_Quiet())
    handler.setFormatter(
        _Formatter(
            Redaction(secrets),
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
