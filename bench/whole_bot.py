"""What benches of the whole bot share: the bot as a process beside the sandbox's Slack, and lines of times."""

from __future__ import annotations

import statistics
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.sandbox import server
from bot.sandbox.process import BotProcess
from storage.database import Database
from storage.vault import MasterKeys, Vault, unlock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.sandbox.server import RunningSandbox

BOT_TOKEN = "xoxb-bench"
APP_TOKEN = "xapp-bench"


async def start_slack() -> RunningSandbox:
    """The sandbox's Slack without its page."""
    return await server.start(bot_token=BOT_TOKEN, app_token=APP_TOKEN, static=None)


@asynccontextmanager
async def opened(folder: Path, key: str) -> AsyncIterator[tuple[Database, Vault]]:
    """The bot's database before it starts, migrated and unlocked."""
    (folder / "data").mkdir()
    database, vault = (
        await Database.open(f"sqlite:///{folder / 'data' / 'mailbox.db'}"),
        Vault(MasterKeys.parse(key)),
    )
    try:
        await database.migrate()
        await unlock(database, vault)
        yield database, vault
    finally:
        await database.close()


def bot(folder: Path, key: str, slack: RunningSandbox, **more: str) -> BotProcess:
    """The bot on that database, not started yet.

    Args:
        more: variables beside those that every bench has.
    """
    settings = {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_API_URL": slack.api_url,
        "MAILBOX_DATA_DIR": str(folder / "data"),
        "MAILBOX_MASTER_KEYS": key,
        "MAILBOX_LOG": "warning",
        **more,
    }
    return BotProcess(settings, folder, folder / "bot.log")


def report(name: str, times: list[float], limit: float) -> float:
    """Print one line; the p99, or the worst of fewer than a hundred."""
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(
        f"{name:<10} n={len(times):<5} p50 {statistics.median(times) * 1000:6.1f} ms   p99 {p99 * 1000:6.1f} ms"
        f"   max {ordered[-1] * 1000:6.1f} ms   p99/limit {p99 / limit:.2f}"
    )
    return p99
