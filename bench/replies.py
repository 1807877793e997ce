"""Replies under `kill -9`, with answers lost after the last dot: none lost without saying so, none sent twice.

python -m bench.replies [--replies 200] [--mailboxes 10] [--kills 20] [--postgres] [--seed N]

The program itself runs and is killed at random; the submission server and Slack are pretended in this process, and the
verdict is counted from what they hold. Exit code 0 when every promise was kept.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from contextlib import ExitStack

from tests.acceptance.exactly_once.replies import ReplyStage
from tests.acceptance.exactly_once.reply_storm import Squall, reply_storm
from tests.acceptance.exactly_once.stage import Unsettled
from tests.fakes import postgres


def main() -> int:
    """Run one storm and print its verdict."""
    options = _options()
    print(
        f"seed {options.seed}, {os.cpu_count()} cores, {'PostgreSQL' if options.postgres else 'SQLite'}",
        flush=True,
    )
    with ExitStack() as stack:
        url = None
        if options.postgres:
            url = asyncio.run(stack.enter_context(postgres.server()).create("replies"))
        return asyncio.run(_storm(options, url))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.replies", description=__doc__)
    parser.add_argument("--replies", type=int, default=200)
    parser.add_argument("--mailboxes", type=int, default=10)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    return parser.parse_args()


async def _storm(options: argparse.Namespace, url: str | None) -> int:
    began = time.monotonic()
    async with ReplyStage(options.mailboxes, database_url=url, seed=options.seed) as stage:
        squall = Squall(options.replies, options.kills)
        try:
            verdict, endings = await reply_storm(stage, squall, random.Random(options.seed))
        except Unsettled as reason:
            print(f"It did not settle: {reason}", file=sys.stderr)
            return 1
        ends, server = stage.ends(), stage.server
        print(verdict)
        print(
            f"{ends.sent} sent, {ends.unknown} unknown ({ends.unknown_and_there} of them are with the server), "
            f"{ends.failed} not sent"
        )
        dots = sum(mail.has_dot for mail in server.transactions)
        print(
            f"{squall.kills} kills, {server.sessions} sessions, {len(server.transactions)} mails begun, {dots} last dots, "
            f"{endings.unanswered} of them unanswered"
        )
        print(f"took {time.monotonic() - began:.0f} s")
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
