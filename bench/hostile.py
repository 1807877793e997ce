"""What hostile servers cost the other mailboxes: poll times without and with them, in turn within one run.

    python bench/hostile.py [--only NAME,NAME] [--seconds 3] [--rounds 12] [--rate 40] [--hostile-rate 1] [--each]

Honest and hostile servers run in a process each, the hostile ones where the system knows that at idle priority: they
stand for other machines, whose work takes nothing from this one. Any work beside it slows a process all the same, so
another one burns at that priority all the time, with and without hostile servers (`--no-burner`). This process polls
with the product's client: honest maildrops over TLS at a steady rate (connect, login, probe, one message, QUIT), each
counted from the moment it was due, so that a loop held up by a hostile answer shows; hostile ones at their own rate,
listed, planned and fetched as far as they let it come. Rounds alternate, so that the machine's other work falls on
both; what it does to the numbers all the same is shown by the p99 of every second round without hostile servers
against that of the others. The goal is a p99 unchanged within 10 %. `--each` instead polls each hostile server alone
and says what one such poll takes of the processor and for how long at most it holds the loop.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import multiprocessing
import os
import resource
import ssl
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot import plan
from bot.errors import BotError
from bot.mail.hosts import Hosts
from bot.mail.pop3_client import Limits, connect
from bot.mail.turns import in_turns
from storage.records import Secret, Security, ServerAddress
from tests.fakes.certificates import Certificates
from tests.fakes.pop3_server import Answer, Dialogue, Pop3Server, drip, endless, hang_up, silence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from bot.mail.pop3_client import Session

MESSAGES = [b"Subject: %d\r\n\r\n" % number + b"body of a mail\r\n" * 200 for number in range(20)]
GOAL = 1.1


@cache
def blocks(start: int, step: int) -> tuple[bytes, ...]:
    """As many lines as the limit allows, numbered from `start` by `step`."""
    numbers = range(start, start + step * Limits().listing_lines, step)
    lines = [b"%d uid-%016d\r\n" % (number, number) for number in numbers]
    return tuple(b"".join(lines[at : at + 2000]) for at in range(0, len(lines), 2000))


def listing(start: int = 1, step: int = 1, *, end: bytes = b".\r\n") -> Answer:
    """A listing as long as the limit allows, with this behind it."""

    async def answer(dialogue: Dialogue, _: str) -> None:
        await dialogue.write(b"+OK\r\n")
        for block in (*blocks(start, step), end):
            await dialogue.write(block)
            await asyncio.sleep(0)

    return answer


@dataclass(frozen=True)
class Attack:
    """A server that answers some commands badly, or does not even come so far."""

    answers: dict[str, Answer] = field(default_factory=dict)
    greeting: Answer = b"+OK ready\r\n"
    security: Security = Security.TLS


ATTACKS = {
    "silence": Attack({"STAT": silence}),
    "closed": Attack({"STAT": hang_up}),
    "drip": Attack({"UIDL": drip(b"+OK\r\n" + b"1 a\r\n" * 10_000, 0.01)}),
    "endless line": Attack({"STAT": endless(b"+OK ", b"x" * 65_536)}),
    "status lines": Attack({"STAT": endless(b"", b"+OK 1 1\r\n" * 6_000)}),
    "500000 lines": Attack({"UIDL": listing(), "LIST": listing()}),
    "lines backwards": Attack({"UIDL": listing(1_000_000, -1)}),
    "endless listing": Attack({"UIDL": listing(end=b"500001 x\r\n")}),
    "listing of long UIDs": Attack({"UIDL": endless(b"+OK\r\n", (b"1 " + b"u" * 1000 + b"\r\n") * 60)}),
    "endless message": Attack({"RETR": endless(b"+OK\r\n", b"x" * 65_536)}),
    "endless lines": Attack({"RETR": endless(b"+OK\r\n", b"\r\n" * 32_768)}),
    "nearly ends": Attack({"RETR": endless(b"+OK\r\n", b"\r\n.\r" * 16_384)}),
    "garbage": Attack({"UIDL": b"\xff\x00 not a status line\r\n" * 100}),
    "no TLS": Attack(greeting=b"+OK what is TLS?\r\n", security=Security.NONE),
    "half a handshake": Attack(greeting=b"\x16\x03\x03\x40\x00" + bytes(500), security=Security.NONE),
}
HONEST = Attack()


def serve(names: list[str], chain: Path, key: Path, pipe: Connection) -> None:
    """A process of servers, until the pipe is closed."""

    async def run() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        async with contextlib.AsyncExitStack() as stack:
            ports = {}
            for name in names:
                attack = ATTACKS.get(name, HONEST)
                server = Pop3Server(
                    MESSAGES,
                    security=attack.security,
                    tls=context,
                    greeting=attack.greeting,
                    answers=attack.answers,
                )
                ports[name] = (await stack.enter_async_context(server)).port
            pipe.send(ports)
            await asyncio.to_thread(pipe.poll, None)

    if names != ["honest"]:
        for start, step in ((1, 1), (1_000_000, -1)):
            blocks(start, step)
        lower_priority()
    asyncio.run(run())


def burn() -> None:
    """Use what nobody else wants of the machine."""
    lower_priority()
    while True:
        pass


def lower_priority() -> None:
    """Run only where everybody else leaves a processor free."""
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


@contextlib.contextmanager
def burning() -> Iterator[None]:
    """The machine is busy."""
    process = multiprocessing.get_context("spawn").Process(target=burn, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


@contextlib.contextmanager
def started(names: list[str], chain: Path, key: Path) -> Iterator[dict[str, int]]:
    """Ports of servers in a process of their own."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(names, chain, key, theirs), daemon=True
    )
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


class Client:
    """Polls; keeps how long honest polls took, and what became of hostile ones."""

    def __init__(self, ports: dict[str, int], tls: ssl.SSLContext, attacks: list[str]) -> None:
        self.took: list[float] = []
        self.ended: dict[str, list[float]] = {name: [] for name in attacks}
        self._ports = ports
        self._attacks = itertools.cycle(attacks)
        self._tls = tls
        self._hosts = Hosts(["localhost", "127.0.0.1", "::1"])

    async def honest(self, due: float) -> None:
        """The poll of a maildrop with one new message."""
        session = await self._session("honest")
        try:
            await session.probe([20, 21])
            await self._fetch(session, [20])
            await session.quit(wait=False)
        finally:
            session.abort()
        self.took.append(time.perf_counter() - due)

    async def hostile(self, name: str) -> None:
        """Everything a poll may ask for, as far as the server lets it come."""
        began = time.perf_counter()
        try:
            session = await self._session(name)
            try:
                lines = await in_turns(plan.keyed_in_steps(await session.uidl()))
                todo = await in_turns(plan.session_plan_in_steps(lines, {}))
                await session.sizes([line.number for line in todo.fetch])
                await session.probe([20, 21])
                await self._fetch(session, [20])
            finally:
                session.abort()
        except BotError:
            pass
        finally:
            self.ended[name].append(time.perf_counter() - began)

    async def _session(self, name: str) -> Session:
        address = ServerAddress("localhost", self._ports[name], Security.TLS)
        limits = Limits(message_octets=25 * 1024 * 1024)
        session = await connect(address, hosts=self._hosts, tls=self._tls, limits=limits)
        try:
            await session.login("user@example.org", Secret("correct"))
        except BaseException:
            session.abort()
            raise
        return session

    async def _fetch(self, session: Session, numbers: list[int]) -> None:
        async for incoming in session.retr(numbers):
            async for _ in incoming.chunks:
                pass

    async def round(self, seconds: float, rate: float, hostile_rate: float) -> list[float]:
        """Poll at these rates; seconds from due to done of each honest poll."""
        self.took = []
        tasks: set[asyncio.Task[None]] = set()
        honest = asyncio.ensure_future(self._steadily(itertools.repeat("honest"), rate, seconds, tasks))
        await self._steadily(self._attacks, hostile_rate, seconds, tasks)
        await honest
        ours = [task for task in tasks if task.get_name() == "honest"]
        await asyncio.gather(*ours)
        for task in tasks - set(ours):  # what still hangs in its deadline
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.took

    async def _steadily(
        self, names: Iterator[str], rate: float, seconds: float, tasks: set[asyncio.Task[None]]
    ) -> None:
        began = time.perf_counter()
        for number in range(int(seconds * rate)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            name = next(names)
            poll = self.honest(due) if name == "honest" else self.hostile(name)
            tasks.add(asyncio.create_task(poll, name=name))


async def each(client: Client, attacks: list[str]) -> None:
    """What one poll of each hostile server costs, three times each, five seconds of it at most."""
    print(f"  {'one hostile poll':22} {'CPU ms':>8} {'longest hold ms':>16} {'wall s':>7}")
    for name in attacks:
        cpu, wall, holds = [], [], []
        for _ in range(3):
            began, spent = time.perf_counter(), time.process_time()
            watching = asyncio.create_task(longest_hold())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(client.hostile(name), 5)
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            cpu.append(1000 * (time.process_time() - spent))
            wall.append(time.perf_counter() - began)
            holds.append(1000 * max(HOLDS))
        print(
            f"  {name:22} {statistics.median(cpu):8.1f} {statistics.median(holds):16.1f} {statistics.median(wall):7.2f}"
        )


HOLDS: list[float] = []
"""How late the loop came back to one who sleeps a millisecond at a time, in seconds."""


async def longest_hold() -> None:
    """Keep how long the loop was held, until cancelled."""
    HOLDS[:] = [0.0]
    while True:
        due = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)
        HOLDS.append(time.perf_counter() - due)


def p99(rounds: list[list[float]]) -> float:
    """In milliseconds."""
    return 1000 * statistics.quantiles(itertools.chain.from_iterable(rounds), n=100)[98]


def peak() -> float:
    """Of this process's memory, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(
    options: argparse.Namespace, ports: dict[str, int], tls: ssl.SSLContext, attacks: list[str]
) -> bool:
    """Rounds in turn, then the verdict; whether the goal was met."""
    client = Client(ports, tls, attacks)
    await client.round(2, options.rate, 0)  # warm
    if options.each:
        await each(client, attacks)
        return True
    before = peak()
    without: list[list[float]] = []
    with_hostile: list[list[float]] = []
    for _ in range(options.rounds):
        without.append(await client.round(options.seconds, options.rate, 0))
        with_hostile.append(await client.round(options.seconds, options.rate, options.hostile_rate))
    for title, rounds in (("without", without), ("with hostile", with_hostile)):
        took = list(itertools.chain.from_iterable(rounds))
        print(
            f"{title:14} polls {len(took):5}  p50 {1000 * statistics.median(took):6.2f} ms"
            f"  p99 {p99(rounds):6.2f} ms  longest {1000 * max(took):6.1f} ms"
        )
    ratio, noise = p99(with_hostile) / p99(without), p99(without[::2]) / p99(without[1::2])
    typical = statistics.median(p99([took]) for took in with_hostile) / statistics.median(
        p99([took]) for took in without
    )
    print(
        f"p99 with hostile servers / without: {ratio:.2f}, of the median rounds {typical:.2f}"
        f"  (goal {GOAL}; without / without: {noise:.2f})"
    )
    print(f"peak memory: {before:.0f} MB before the first hostile poll, {peak():.0f} MB at the end")
    for name, seconds in client.ended.items():
        print(f"  {name:22} polls ended {len(seconds):3}  longest {max(seconds, default=0):6.2f} s")
    return ratio <= GOAL


def main() -> None:
    """Start the servers, measure, exit with 1 when the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=3, help="of each round")
    parser.add_argument("--rounds", type=int, default=12, help="of each kind, 2 at least")
    parser.add_argument("--rate", type=float, default=40, help="honest polls a second")
    parser.add_argument("--hostile-rate", type=float, default=1, help="hostile polls a second")
    parser.add_argument(
        "--only", type=lambda names: names.split(","), default=[*ATTACKS], help="these attacks"
    )
    parser.add_argument("--each", action="store_true", help="what one poll of each hostile server costs")
    parser.add_argument("--no-burner", action="store_true", help="leave the machine idle beside the rounds")
    options = parser.parse_args()
    certificates = Certificates()
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        chain, key = certificates.write(Path(folder))
        with contextlib.ExitStack() as stack:
            ports = stack.enter_context(started(["honest"], chain, key))
            ports |= stack.enter_context(started([*ATTACKS], chain, key))
            if not options.no_burner:
                stack.enter_context(burning())
            is_met = uvloop.run(measure(options, ports, certificates.client(), options.only))
    sys.exit(0 if is_met else 1)


if __name__ == "__main__":
    main()
