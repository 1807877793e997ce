"""How soon App Home is drawn for an administrator with 50 mailboxes, while 40 of others are shared with them.

    python bench/home.py [--mailboxes 50] [--times 200] [--starts 8]

The whole product on loopback: the bot as a process of its own with SQLite, the sandbox's Slack in this one. A time runs
from the event that Home was opened to `views.publish` with the page in Slack's hands. Each of one's mailboxes has three
shares (a person, a user group, a role); 20 owners share two mailboxes each, one with the person by name, one with a
role. `cold` is the first page after a start: nobody was asked for yet, no page of the database is in memory. `warm` are
the ones after it. The limit is 300 ms at p99.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import whole_bot
from bot.sandbox.slack import changes, interactions
from bot.sandbox.slack.people import TEAM_ID
from storage.grants import Grants
from storage.mailboxes import Mailboxes
from storage.records import NewMailbox, Passwords, Person, Profile, Retention, Secret, Security, ServerAddress
from storage.shares import Shares
from storage.sharing import (
    Audience,
    AudienceKind,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
)
from storage.vault import Vault, new_master_key

if TYPE_CHECKING:
    from bot.sandbox.server import RunningSandbox
    from storage.database import Database

INES = Person(TEAM_ID, "U0INES0001")
KENJI = "U0KENJI005"
OWNERS = 20
LIMIT_SECONDS = 0.3
LOOK_SECONDS = 0.0005
SERVER = ServerAddress("127.0.0.1", 9, Security.TLS)


class Town:
    """What is stored before the bot starts."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._mailboxes = Mailboxes(database, vault)
        self._shares = Shares(database)
        self._grants = Grants(database)
        self._now = datetime.now(UTC)

    async def allow(self) -> None:
        """Everybody may open everything to anybody."""
        for role in (Role.PRIMARY_OWNER, Role.MEMBER):
            grant = Grant(
                Subject(SubjectKind.ROLE, role),
                GrantKind.CHOICE,
                Level.MANAGE,
                reach=Reach.ROLES,
                active=None,
            )
            await self._grants.set(TEAM_ID, grant, INES, self._now, lambda _: True)

    async def add(self, owner: Person, number: int, audiences: list[Audience]) -> None:
        """A mailbox that is not fetched, opened to these."""
        mailbox = await self._mailboxes.add(
            NewMailbox(
                owner=owner,
                profile=Profile(f"Mailbox {number}", f"m{number}@bench.test", SERVER, "bench", None, None),
                passwords=Passwords(Secret("bench"), None),
                retention=Retention.LEAVE,
                delete_days=None,
                skip=(),
                old=(),
                make_active=False,
                form_id=f"bench-{number}",
            ),
            self._now,
        )
        await self._mailboxes.pause(owner, mailbox.id, self._now)
        new = [Share("", mailbox.id, audience, Level.OPEN, self._now) for audience in audiences]
        await self._shares.open(owner, new, self._now, lambda _: True)


async def seed(database: Database, vault: Vault, slack: RunningSandbox, mailboxes: int) -> None:
    """Fill the database and hire the other owners."""
    town = Town(database, vault)
    await town.allow()
    group = next(iter(slack.workspace.groups))
    mine = [
        Audience(AudienceKind.PERSON, KENJI),
        Audience(AudienceKind.GROUP, group),
        Audience(AudienceKind.ROLE, Role.ADMIN),
    ]
    for number in range(mailboxes):
        await town.add(INES, number, mine)
    for number in range(OWNERS):
        owner = Person(TEAM_ID, changes.hire(slack.sandbox, f"Owner {number}", "member"))
        await town.add(owner, 1000 + 2 * number, [Audience(AudienceKind.PERSON, INES.user)])
        await town.add(owner, 1001 + 2 * number, [Audience(AudienceKind.ROLE, Role.ADMIN)])


async def drawn(slack: RunningSandbox) -> tuple[float, int]:
    """One look at Home: seconds from the event to the page, and its blocks."""
    desk = slack.workspace.desks[INES.user]
    before = desk.home
    began = time.perf_counter()
    stamp = None if before is None else before.hash
    interactions.open_tab(slack.sandbox, INES.user, "home")
    async with asyncio.timeout(20):
        while desk.home is None or desk.home.hash == stamp:  # noqa: ASYNC110 - the sandbox calls nobody
            await asyncio.sleep(LOOK_SECONDS)
    return time.perf_counter() - began, len(desk.home.body["blocks"])


async def run(mailboxes: int, times: int, starts: int) -> int:
    """The whole bench; 0 when both p99 are within the limit."""
    cold, warm, blocks = [], [], 0
    with tempfile.TemporaryDirectory(prefix="mailbox-bench-") as name:
        folder = Path(name)
        slack, key = await whole_bot.start_slack(), new_master_key()
        slack.sandbox.limits.enabled = False
        async with whole_bot.opened(folder, key) as (database, vault):
            await seed(database, vault, slack, mailboxes)
        for _ in range(starts):
            bot = whole_bot.bot(folder, key, slack)
            await bot.start()
            while not slack.sandbox.hub.is_connected:  # noqa: ASYNC110 - the hub calls nobody
                await asyncio.sleep(0.05)
            await asyncio.sleep(1)  # what is owed after a start is under way
            took, blocks = await drawn(slack)
            cold.append(took)
            for _ in range(times // starts):
                warm.append((await drawn(slack))[0])
                await asyncio.sleep(0.02)
            await bot.stop()
        await slack.stop()
    print(
        f"{mailboxes} mailboxes, {2 * OWNERS} shared by {OWNERS} owners, {blocks} blocks, {os.cpu_count()} cores"
    )
    worst = max(whole_bot.report("cold", cold, LIMIT_SECONDS), whole_bot.report("warm", warm, LIMIT_SECONDS))
    return int(worst > LIMIT_SECONDS)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mailboxes", type=int, default=50)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--starts", type=int, default=8)
    arguments = parser.parse_args()
    sys.exit(asyncio.run(run(arguments.mailboxes, arguments.times, arguments.starts)))


if __name__ == "__main__":
    main()
