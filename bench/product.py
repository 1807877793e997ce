"""The whole product: what a message and a poll cost, by stage, and whether that grows with what is stored.

    python bench/product.py [mail] [polls] [growth] [mailboxes] [stored] [slow] [--quick] [--profile]

    mail     new mail in many mailboxes, from claim to settled post: messages a second, CPU of each by stage
    polls    20,000 mailboxes, each due every five minutes: the bot's CPU, and how late polls are
    growth   CPU, memory and database time of a poll at 100 to 20,000 mailboxes, of a message at 100 to 100,000 stored;
             its halves alone are `mailboxes` and `stored`
    slow     not by default: polls while one host of many takes seconds for each answer

The bot is `bot serve` on SQLite, a process of its own with its renderer's children; so are the pretend Slack with its
rate limits off and the mail servers (`product_slack.py`, `product_mail.py`), whose CPU counts nowhere. Mail comes over
TLS from 40 addresses, each answer 20 ms after its question. CPU is what the system counted. Stages come from a
sampler inside the bot (`product_inside.py`), which `mail` and `growth` always have and `polls` has with `--profile`.
MAILBOX_CORPUS names a folder of real mails; without it they are invented. The database lies on the disk under TMPDIR.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.pop3 import machine
from bench.product_ground import Stage, Used
from bench.product_mail import CORPUS, Drops

PARTS: Final = ("mail", "polls", "growth")
MORE: Final = ("mailboxes", "stored", "slow")
EARLY: Final = 8
DATABASE: Final = ("claim", "poll: database", "commit", "render: load", "settle", "database thread")


@dataclass
class Bench:
    """What was asked for, and what was found."""

    folder: Path
    is_quick: bool
    shows_profile: bool
    goals: list[tuple[str, float, float, bool]] = field(default_factory=list)
    runs: int = 0

    def place(self) -> Path:
        """A folder for one run."""
        self.runs += 1
        return self.folder / str(self.runs)

    def goal(self, what: str, found: float, limit: float, *, at_least: bool = False) -> None:
        """Hold what was found against what is wanted."""
        self.goals.append((what, found, limit, at_least))


@dataclass(frozen=True)
class Found:
    """One run.

    Attributes:
        count: messages settled, or polls begun.
        others: CPU seconds of the pretend Slack and the mail servers.
        late: seconds from due to connected, of each poll.
        stages: CPU seconds by stage; empty without a look inside.
    """

    count: int
    seconds: float
    used: Used
    others: float
    late: list[float]
    stages: dict[str, float]
    samples: dict[str, Any]

    def each(self, seconds: float) -> float:
        """Milliseconds for each of what was counted."""
        return seconds * 1000 / max(1, self.count)

    @property
    def database(self) -> float:
        """CPU seconds of the database's thread, and of what speaks to it."""
        return sum(self.stages.get(name, 0.0) for name in DATABASE)


async def samples_of(stage: Stage) -> dict[str, Any]:
    """What the sampler saw, once it has written it down."""
    stage.signal(signal.SIGUSR2)
    while not stage.samples.exists():  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.05)
    return dict(json.loads(stage.samples.read_text()))


async def delivered(bench: Bench, mailboxes: int, each: int, *, stored: int = 0) -> Found:
    """New mail in many mailboxes, all due at once, until every message is settled."""
    drops = Drops(known=10 if stored else 0, waiting=each)
    async with Stage.open(
        bench.place(), mailboxes=mailboxes, drops=drops, lead=8, due=0, poll_seconds=3600, is_met=stored > 0,
        early=EARLY, stored=stored, looks_inside=True,
    ) as stage:  # fmt: skip
        await settled(stage, stored + EARLY * each)
        await stage.begins()
        before, others = stage.used(), stage.beside()
        stage.signal(signal.SIGUSR1)
        began = time.monotonic()
        await settled(stage, stored + mailboxes * each)
        seconds, used = time.monotonic() - began - 0.2, stage.used().since(before)
        others = stage.beside() - others
        samples = await samples_of(stage)
        calls = (await stage.slack.ask())["calls"]
    count = (mailboxes - EARLY) * each
    refused = {name: times for name, times in calls.items() if " " in name}
    if refused:
        print(f"  refused by Slack: {refused}")
    assert calls["chat.postMessage"] >= mailboxes * each, calls
    return Found(count, seconds, used, others, [], samples["stages"], samples)


async def settled(stage: Stage, entries: int) -> None:
    """Until so many entries are there and all of them finished."""
    ends = time.monotonic() + 300
    while stage.unfinished() != (entries, 0):
        assert time.monotonic() < ends, stage.unfinished()
        await asyncio.sleep(0.1)


async def polled(
    bench: Bench, mailboxes: int, poll_seconds: int, seconds: float, *, looks_inside: bool, slow: float = 0.0
) -> Found:
    """Polls in a steady state, for some seconds; one in fifty finds a new message."""
    drops = Drops(arrivals=0.02, slow=slow)
    async with Stage.open(
        bench.place(), mailboxes=mailboxes, drops=drops, lead=6, due=poll_seconds * 1.05,
        poll_seconds=poll_seconds, looks_inside=looks_inside,
    ) as stage:  # fmt: skip
        await stage.begins()
        await asyncio.sleep(2 if bench.is_quick else 15)
        await stage.mail.ask()
        before, others = stage.used(), stage.beside()
        if looks_inside:
            stage.signal(signal.SIGUSR1)
        began = time.monotonic()
        await asyncio.sleep(seconds)
        took, used = time.monotonic() - began, stage.used().since(before)
        others = stage.beside() - others
        logins = (await stage.mail.ask())["logins"]
        samples = await samples_of(stage) if looks_inside else {}
        late = [at - stage.plan.due_at(account).timestamp() for account, at in logins]
    # Later polls of a mailbox are due at a time that only the bot knows.
    first = [seconds for seconds in late if seconds < poll_seconds]
    return Found(len(logins), took, used, others, first, samples.get("stages", {}), samples)


# Parts


async def mail(bench: Bench) -> None:
    """What a message costs, by stage."""
    mailboxes, each = (60, 4) if bench.is_quick else (400, 4)
    found = await delivered(bench, mailboxes, each)
    print(f"\n{found.count} messages in {mailboxes} mailboxes, {each} each, all due at once")
    print(f"  {found.count / found.seconds:.1f} messages a second, {found.seconds:.1f} s")
    by_process(found)
    by_stage(found)
    if bench.shows_profile:
        profile(found)


async def polls(bench: Bench) -> None:
    """Many mailboxes that have nothing new, mostly."""
    mailboxes, interval, seconds = (2_000, 60, 15) if bench.is_quick else (20_000, 300, 75)
    found = await polled(bench, mailboxes, interval, seconds, looks_inside=bench.shows_profile)
    print(f"\n{mailboxes} mailboxes, each every {interval} s, measured for {seconds} s")
    steady(found)
    by_process(found)
    if bench.shows_profile:
        by_stage(found)
        profile(found)
    bench.goal(f"{mailboxes} mailboxes: the bot's share of a core", found.used.total / found.seconds, 0.5)


async def slow(bench: Bench) -> None:
    """The same while one host of forty takes its time."""
    mailboxes, interval, seconds = (2_000, 60, 20) if bench.is_quick else (20_000, 300, 60)
    found = await polled(bench, mailboxes, interval, seconds, looks_inside=False, slow=5.0)
    print(f"\n{mailboxes} mailboxes, each every {interval} s; one host of 40 takes 5 s for each answer")
    steady(found)


async def growth(bench: Bench) -> None:
    """Whether a poll and a message cost more where more is stored."""
    await mailboxes(bench)
    await stored(bench)


async def mailboxes(bench: Bench) -> None:
    """Polls at the same rate, of few mailboxes and of many."""
    many = ((100, 3), (500, 15), (2_000, 60)) if bench.is_quick else ((100, 3), (1_000, 30), (20_000, 600))
    print("\npolls, about 32 a second          CPU ms  database ms   RSS MiB")
    runs = []
    for count, interval in many:
        found = await polled(bench, count, interval, 10 if bench.is_quick else 25, looks_inside=True)
        row(f"{count} mailboxes, {found.count} polls", found)
        runs.append(found)
    ratios(bench, "a poll", f"{many[-1][0]} mailboxes", runs)


async def stored(bench: Bench) -> None:
    """New messages where few and where many are stored."""
    print("\nmessages                          CPU ms  database ms   RSS MiB")
    sizes = (100, 1_000, 5_000) if bench.is_quick else (100, 10_000, 100_000)
    runs = []
    for count in sizes:
        found = await delivered(bench, 40 if bench.is_quick else 150, 4, stored=count)
        row(f"{count} stored, {found.count} new", found)
        runs.append(found)
    ratios(bench, "a message", f"{sizes[-1]} stored", runs)


# What is printed


def row(name: str, found: Found) -> None:
    """One line of `growth`."""
    cpu, database = found.each(found.used.total), found.each(found.database)
    print(f"  {name:<30}{cpu:8.2f}{database:13.2f}{found.used.rss:10.1f}")


def ratios(bench: Bench, what: str, most: str, runs: list[Found]) -> None:
    """The last of the runs against the first."""
    few, many = runs[0], runs[-1]
    bench.goal(f"{what}, {most}: CPU against 100", many.each(many.used.total) / few.each(few.used.total), 1.3)
    bench.goal(
        f"{what}, {most}: database against 100", many.each(many.database) / few.each(few.database), 1.3
    )


def steady(found: Found) -> None:
    """How fast and how late."""
    late = statistics.quantiles(found.late, n=100)
    print(
        f"  {found.count / found.seconds:.1f} polls a second, {found.each(found.used.total):.2f} ms CPU each,"
        f" {found.used.total / found.seconds:.3f} of a core, RSS {found.used.rss:.0f} MiB"
    )
    print(
        f"  late: p50 {late[49]:.2f} s, p99 {late[98]:.2f} s, most {max(found.late):.2f} s, n={len(found.late)}"
    )


def by_process(found: Found) -> None:
    """CPU where the system counts it."""
    parts = "".join(f"   {name} {found.each(took):.2f}" for name, took in found.used.cpu.items())
    print(
        f"  CPU ms each {found.each(found.used.total):.2f}:{parts}"
        f"   ({found.used.total / found.seconds:.2f} of a core, RSS {found.used.rss:.0f} MiB;"
        f" Slack and mail servers {found.others / found.seconds:.2f} of a core)"
    )


def by_stage(found: Found) -> None:
    """CPU by stage, the renderer's child with them."""
    stages = {**found.stages, "renderer's children": found.used.cpu["child"]}
    total = sum(stages.values())
    print(f"  by stage, from {found.samples['samples']} samples: ms CPU each")
    for name, took in sorted(stages.items(), key=lambda item: -item[1]):
        print(f"    {name:<22}{found.each(took):7.3f}   {took / total:5.1%}")


def profile(found: Found) -> None:
    """Functions by their own CPU, and by all that they call."""
    for what, most in (("own", 40), ("within", 60)):
        print(f"  functions by CPU, {what}: ms each")
        for label, took in list(found.samples[what].items())[:most]:
            print(f"    {label:<60}{found.each(took):7.3f}")


def verdicts(bench: Bench) -> int:
    """Print the goals; how many were missed."""
    print("\ngoals")
    missed = 0
    for what, found, limit, at_least in bench.goals:
        is_met = found >= limit if at_least else found <= limit
        missed += not is_met
        print(
            f"  {'reached' if is_met else 'MISSED':<9}{what:<52}{found:>8.3f}"
            f"   {'at least' if at_least else 'at most'} {limit:g}   ratio {found / limit:.2f}"
        )
    return missed


async def run(parts: list[str], bench: Bench) -> None:
    """The parts, one after the other."""
    for part in parts:
        await globals()[part](bench)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", help=f"some of {', '.join((*PARTS, *MORE))}; the first three by default"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it runs")
    parser.add_argument("--profile", action="store_true", help="print where the CPU goes, by function")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - {*PARTS, *MORE}:
        parser.error(f"no such part: {', '.join(unknown)}")
    print(machine())
    print(f"{datetime.now(UTC):%d %B %Y}, {'real' if os.environ.get(CORPUS) else 'invented'} mails")
    with tempfile.TemporaryDirectory(prefix="mailbox-product-") as name:
        bench = Bench(Path(name), arguments.quick, arguments.profile)
        asyncio.run(run(arguments.parts or list(PARTS), bench))
        sys.exit(int(verdicts(bench) > 0))


if __name__ == "__main__":
    main()
