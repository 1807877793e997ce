"""What the look for lost events costs: mailboxes shared into many channels and groups, on a pretend Slack.

    python bench/patrol.py [--mailboxes 3000] [--owners 600] [--channels 160] [--groups 40] [--limits]

The bot's own rechecker on SQLite, minutes told to it by a clock that is pushed. Three times are measured: the look at
everything (at each start and every night), the look at channels that comes every minute, a few of them at a time, and
until a channel is found that got people of another company and sent no event, right after it had its turn. `longest` is
what the event loop spent in one go for the bot, of processor time; the pretend Slack in the same process is left out, and
what it holds is kept from the collector of garbage.
The limit is 10 ms for everything and 5 ms for channels.

With `--limits` Slack's rate limits are on, by the same clock: how long until the look at everything is done, at the start
and at night. In every channel the owner of some mailboxes became a guest, which no event told of; it is done when the
shares of all of them have ended, and nobody else's.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.copies import CopyPosts
from bot.judging import Judge
from bot.mail.renderer import Renderer
from bot.mail_posts import MailPosts
from bot.rechecking import CHANNELS_EVERY, Rechecker
from bot.sandbox import server
from bot.sandbox.slack import changes, channel_changes
from bot.sandbox.slack.people import BOT_USER_ID, TEAM_ID
from bot.slack.client import SlackClient, keep_alive, web_client
from bot.slack.people import People
from bot.suspending import Suspending
from storage.copies import Copies
from storage.database import Database
from storage.grants import Grants
from storage.mailboxes import Mailboxes
from storage.messages import Messages
from storage.records import NewMailbox, Passwords, Person, Profile, Retention, Secret, Security, ServerAddress
from storage.shares import Shares
from storage.sharing import (
    EVERYONE,
    Audience,
    AudienceKind,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
)
from storage.surveys import Surveys
from storage.suspension import Suspensions
from storage.tellings import Tellings
from storage.vault import MasterKeys, Vault, new_master_key

if TYPE_CHECKING:
    from bot.sandbox.server import RunningSandbox

INES: Final = Person(TEAM_ID, "U0INES0001")
SERVER: Final = ServerAddress("pop.bench.example", 995, Security.TLS)
MOST_ROUNDS: Final = 200
STEP: Final = timedelta(seconds=5)
LONGEST: Final = timedelta(minutes=10)
DAY: Final = timedelta(hours=24)
LIMITS: Final = {"everything": 0.010, "channels": 0.005, "found": 0.005}


@dataclass
class Clock:
    """A clock that stands until it is pushed."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        """The time now."""
        return self.now


class Timed(Coroutine[Any, Any, Any]):
    """A coroutine, and the longest it held the event loop between two waits."""

    longest: ClassVar[float] = 0.0

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._is_slack = inner.__qualname__.startswith("RequestHandler")

    def send(self, value: Any) -> Any:
        """Go on to the next wait."""
        return self._timed(self._inner.send, value)

    def throw(self, *what: Any) -> Any:
        """The same with an error."""
        return self._timed(self._inner.throw, *what)

    def close(self) -> None:
        """Nothing more of it."""
        self._inner.close()

    def __await__(self) -> Any:
        return self._inner.__await__()

    def _timed(self, step: Any, *what: Any) -> Any:
        start = time.thread_time()
        try:
            return step(*what)
        finally:
            if not self._is_slack:
                Timed.longest = max(Timed.longest, time.thread_time() - start)


def _task(loop: asyncio.AbstractEventLoop, inner: Any, **options: Any) -> asyncio.Task[Any]:
    return asyncio.Task(Timed(inner), loop=loop, **options)


@dataclass(frozen=True)
class Ground:
    """What the bench stands on."""

    sandbox: RunningSandbox
    database: Database
    vault: Vault
    clock: Clock
    rechecker: Rechecker


def _rechecker(database: Database, vault: Vault, slack: SlackClient, clock: Clock, folder: Path) -> Rechecker:
    """The bot's own."""
    people, shares, grants, copies = (
        People(slack, TEAM_ID, clock),
        Shares(database),
        Grants(database),
        Copies(database),
    )
    mailboxes = Mailboxes(database, vault)
    mails = MailPosts(Messages(database, vault, folder), Renderer())
    return Rechecker(
        workspace=TEAM_ID,
        shares=shares,
        grants=grants,
        copies=copies,
        suspending=Suspending(
            workspace=TEAM_ID,
            shares=shares,
            grants=grants,
            surveys=Surveys(database, vault),
            suspensions=Suspensions(database),
            people=people,
            clock=clock,
        ),
        posts=CopyPosts(
            copies,
            Tellings(database),
            shares,
            mailboxes,
            mails=mails,
            judge=Judge(people, clock),
            people=people,
            clock=clock,
        ),
        people=people,
        clock=clock,
    )


async def filled(ground: Ground, chosen: argparse.Namespace) -> list[str]:
    """People, channels, groups, and mailboxes shared with one of these each; the ids of the channels."""
    sandbox, now = ground.sandbox.sandbox, ground.clock()
    owners = [changes.hire(sandbox, f"Owner {number}", "member") for number in range(chosen.owners)]
    channels = [
        channel_changes.create(sandbox, f"room-{number}", is_private=True)
        for number in range(chosen.channels)
    ]
    for number, channel in enumerate(channels):
        for user in (BOT_USER_ID, *owners[number % chosen.owners :: 97][:20]):
            channel_changes.join(sandbox, sandbox.workspace.channels[channel], user)
    groups = [
        changes.create_group(sandbox, f"Team {number}", f"team{number}") for number in range(chosen.groups)
    ]
    for number, group in enumerate(groups):
        changes.set_group_members(sandbox, group, owners[number::61][:20])
    for subject in (EVERYONE, Subject(SubjectKind.ROLE, Role.MEMBER)):
        wide = Grant(
            subject, GrantKind.CHOICE, Level.MANAGE, reach=Reach.ROLES, channels=ChannelReach.ANY, active=None
        )
        await Grants(ground.database).set(TEAM_ID, wide, INES, now, lambda _: True)
    audiences = [Audience(AudienceKind.CHANNEL, each) for each in channels]
    audiences += [Audience(AudienceKind.GROUP, each) for each in groups]
    mailboxes, shares = Mailboxes(ground.database, ground.vault), Shares(ground.database)
    for number in range(chosen.mailboxes):
        owner = Person(TEAM_ID, owners[number % len(owners)])
        profile = Profile(f"Mailbox {number}", f"m{number}@bench.example", SERVER, "m", None, None)
        passwords = Passwords(Secret("bench"), None)
        new = NewMailbox(
            owner, profile, passwords, Retention.LEAVE, None, (), (), make_active=False, form_id=f"f{number}"
        )
        mailbox = await mailboxes.add(new, now, most=None)
        share = Share("", mailbox.id, audiences[number % len(audiences)], Level.OPEN, now, was_private=True)
        await shares.open(owner, [share], now, lambda _: True)
    return channels


async def _look(ground: Ground) -> None:
    ground.clock.now += CHANNELS_EVERY + timedelta(seconds=1)
    await ground.rechecker.patrol()


async def everything(ground: Ground) -> int:
    """The first look."""
    await _look(ground)
    return 1


async def channels_once(ground: Ground, channels: list[str]) -> int:
    """Each channel has its turn; how many looks that took."""
    asked: set[str] = set()
    for number in range(1, MOST_ROUNDS):
        before = len(ground.sandbox.sandbox.calls.shown())
        await _look(ground)
        new = ground.sandbox.sandbox.calls.shown()[before:]
        asked.update(str(call.get("channel")) for call in new)
        if asked.issuperset(channels):
            return number
    return MOST_ROUNDS


async def found(ground: Ground, channels: list[str]) -> int:
    """A channel got people of elsewhere and sent no event; how many looks until its shares have ended."""
    await _look(ground)
    calls = ground.sandbox.sandbox.calls.shown()
    newest = next(call["channel"] for call in reversed(calls) if call.get("channel") in channels)
    ground.sandbox.workspace.channels[newest].shared_with.append("T0PARTNER1")
    audience = Audience(AudienceKind.CHANNEL, newest)
    for number in range(1, MOST_ROUNDS):
        await _look(ground)
        if not await Shares(ground.database).facts_with(TEAM_ID, audience):
            return number
    return MOST_ROUNDS


async def demoted(ground: Ground, channels: list[str], what: str) -> bool:
    """An owner in each channel becomes a guest; whether their shares, and nobody else's, end in time."""
    shares, workspace, start = Shares(ground.database), ground.sandbox.sandbox.workspace, ground.clock()
    audiences = [Audience(AudienceKind.CHANNEL, channel) for channel in channels]
    found = {audience: await shares.facts_with(TEAM_ID, audience) for audience in audiences}
    gone = {facts[0].owner for facts in found.values()}
    left = {
        audience: {each.mailbox_id for each in facts if each.owner not in gone}
        for audience, facts in found.items()
    }
    for owner in gone:
        workspace.set_role(owner.user, "multi_channel_guest")
    before, began = len(ground.sandbox.sandbox.calls.shown()), time.monotonic()
    done: set[Audience] = set()
    while len(done) < len(left) and ground.clock() - start <= LONGEST:
        await ground.rechecker.patrol()
        for audience in left.keys() - done:
            if {facts.mailbox_id for facts in await shares.facts_with(TEAM_ID, audience)} == left[audience]:
                done.add(audience)
        ground.clock.now += STEP
    calls = Counter(call["method"] for call in ground.sandbox.sandbox.calls.shown()[before:])
    said = ", ".join(f"{method} {count}" for method, count in sorted(calls.items()))
    print(
        f"{what:11} done in {len(done)} of {len(left)} channels after {ground.clock() - STEP - start} by the clock"
        f" ({time.monotonic() - began:.1f} s here)  calls {calls.total()}: {said}"
    )
    return len(done) == len(left)


async def limited(ground: Ground, channels: list[str]) -> bool:
    """The look at everything under Slack's limits: nothing known yet, and a day later."""
    ground.sandbox.sandbox.limits.enabled = True
    start = ground.clock()
    is_fine = await demoted(ground, channels, "start")
    ground.clock.now = start + DAY - LONGEST * 2
    while ground.clock() < start + DAY - CHANNELS_EVERY * 2:
        await _look(ground)
    ground.clock.now = start + DAY
    return await demoted(ground, channels, "night") and is_fine


async def measured(ground: Ground, what: str, work: Any) -> bool:
    """One of the three, printed; whether the loop was free enough."""
    before, start = len(ground.sandbox.sandbox.calls.shown()), time.monotonic()
    Timed.longest = 0.0
    looks = await asyncio.create_task(work)
    seconds = time.monotonic() - start
    calls = Counter(call["method"] for call in ground.sandbox.sandbox.calls.shown()[before:])
    said = ", ".join(f"{method} {count}" for method, count in sorted(calls.items()))
    print(
        f"{what:11} {seconds:7.2f} s  looks {looks:3}  longest {Timed.longest * 1e3:6.1f} ms (limit"
        f" {LIMITS[what] * 1e3:.0f})  calls {calls.total()}: {said}"
    )
    return Timed.longest <= LIMITS[what]


async def unlimited(ground: Ground, channels: list[str]) -> bool:
    """What it costs, Slack answering everything."""
    is_fine = await measured(ground, "everything", everything(ground))
    is_fine &= await measured(ground, "channels", channels_once(ground, channels))
    return await measured(ground, "found", found(ground, channels)) and is_fine


async def run(chosen: argparse.Namespace) -> bool:
    """All three, or the two under Slack's limits."""
    asyncio.get_running_loop().set_task_factory(_task)
    clock = Clock()
    sandbox = await server.start(
        bot_token="xoxb-b",
        app_token="xapp-b",
        static=None,
        clock=lambda: clock().timestamp(),
    )
    sandbox.sandbox.limits.enabled = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = await Database.open(f"sqlite:///{folder}/mailbox.db")
        await database.migrate()
        vault = Vault(MasterKeys.parse(new_master_key()))
        async with keep_alive(30) as session:
            slack = SlackClient(web_client("xoxb-b", sandbox.api_url, 30, None, session), session)
            rechecker = _rechecker(database, vault, slack, clock, folder)
            ground = Ground(sandbox, database, vault, clock, rechecker)
            start = time.monotonic()
            channels = await filled(ground, chosen)
            print(
                f"{chosen.mailboxes} mailboxes of {chosen.owners} owners, {chosen.channels} channels,"
                f" {chosen.groups} groups; filled in {time.monotonic() - start:.0f} s"
            )
            gc.collect()
            gc.freeze()
            is_fine = await (limited if chosen.limits else unlimited)(ground, channels)
        await database.close()
    await sandbox.stop()
    return is_fine


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mailboxes", type=int, default=3_000)
    parser.add_argument("--owners", type=int, default=600)
    parser.add_argument("--channels", type=int, default=160)
    parser.add_argument("--groups", type=int, default=40)
    parser.add_argument("--limits", action="store_true")
    sys.exit(not asyncio.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
