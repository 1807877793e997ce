"""The pretend Slack of `product.py`, as a process of its own, with its rate limits off.

    python bench/product_slack.py JOB.json

Prints one line of JSON when it is ready, and one for each line it reads on standard input: what it was asked for.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.sandbox import server
from bot.sandbox.slack.people import Human
from bot.sandbox.slack.views import Desk

BOT_TOKEN: Final = "xoxb-bench"
APP_TOKEN: Final = "xapp-bench"


def person(number: int) -> str:
    """The id of a person."""
    return f"UBENCH{number:06d}"


class Calls:
    """Counts calls instead of keeping them: there are more than the sandbox's own log holds."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def note(self, _time: float, method: str, error: str | None, _channel: str | None) -> None:
        """One call."""
        self.counts[method if error is None else f"{method} {error}"] += 1

    def shown(self) -> list[dict[str, Any]]:
        """None: they were not kept."""
        return []


async def serve(job: dict[str, Any]) -> None:
    """Until standard input ends."""
    slack = await server.start(bot_token=BOT_TOKEN, app_token=APP_TOKEN, static=None)
    slack.sandbox.limits.enabled = False
    calls = Calls()
    slack.sandbox.calls = calls  # type: ignore[assignment] # it counts, no more
    for number in range(job["people"]):
        name = person(number)
        slack.workspace.people[name] = Human(
            name, name.lower(), name, "member", "", "4bbe2e", "Europe/Lisbon", f"{name}@bench.example"
        )
        slack.workspace.desks[name] = Desk()
    print(json.dumps({"api_url": slack.api_url}), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        told = {"is_connected": slack.sandbox.hub.is_connected, "calls": dict(calls.counts)}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
