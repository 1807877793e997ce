"""The long storm, by command; one line for each promise, exit code 0 when all were kept.

python -m tests.acceptance.exactly_once --messages 10000 --mailboxes 50 --kills 200 [--postgres] [--restarts N]
"""

# A command prints.
# ruff: noqa: T201

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.acceptance.exactly_once.stage import Stage, Unsettled
from tests.acceptance.exactly_once.storm import CUTS, Weather, storm
from tests.fakes import postgres
from tests.fakes.cutting_proxy import Fate

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> int:
    """Run one storm and print its verdict."""
    options = _options()
    print(f"seed {options.seed}, {os.cpu_count()} cores", flush=True)
    with ExitStack() as stack:
        url, restart = _database(stack) if options.postgres else (None, None)
        restarts = options.restarts if options.postgres else 0
        weather = Weather(options.messages, options.kills, restarts, restart)
        return asyncio.run(_storm(options, weather, url))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.exactly_once", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--mailboxes", type=int, default=50)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, which crashes too")
    parser.add_argument("--restarts", type=int, default=5, help="crashes of PostgreSQL")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    return parser.parse_args()


def _database(stack: ExitStack) -> tuple[str, Callable[[], None]]:
    server = stack.enter_context(postgres.server())
    return asyncio.run(server.create("exactly_once")), server.restart


async def _storm(options: argparse.Namespace, weather: Weather, url: str | None) -> int:
    began = time.monotonic()
    async with Stage(options.mailboxes, database_url=url, cuts=CUTS, seed=options.seed) as stage:
        try:
            verdict = await storm(stage, weather, random.Random(options.seed))
        except Unsettled as reason:
            print(f"It did not settle: {reason}", file=sys.stderr)
            verdict = stage.verdict()
        met = sum((proxy.met for proxy in stage.proxies.values()), start=Counter[Fate]())
        print(verdict)
        print("connections:", ", ".join(f"{count} {fate}" for fate, count in sorted(met.items())))
        print(f"took {time.monotonic() - began:.0f} s")
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
