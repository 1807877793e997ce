"""What hostile servers cost the other mailboxes: poll times without and with them, in turn within one run.

    python bench/hostile.py [--seconds 3] [--rounds 12] [--rate 40] [--hostile-rate 1]

Honest and hostile servers run in a process each, so that a flood holds up no other server. This process polls with the product's client: honest
maildrops over TLS at a steady rate (connect, login, probe, one message, QUIT), each counted from the moment it was
due, so that a loop held up by a hostile answer shows; hostile ones at their own rate, each as long as the limits let
it. Rounds alternate, so that the machine's other work falls on both. The goal is a p99 unchanged within 10 %.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import multiprocessing
import resource
import ssl
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.errors import BotError
from bot.mail.hosts import Hosts
from bot.mail.pop3_client import Limits, connect
from storage.records import Secret, Security, ServerAddress
from tests.fakes.certificates import Certificates
from tests.fakes.pop3_server import Answer, Dialogue, Pop3Server, drip, endless, hang_up, silence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

MESSAGES = [b"Subject: %d\r\n\r\n" % number + b"body of a mail\r\n" * 200 for number in range(20)]
GOAL = 1.1


async def distinct_rows(dialogue: Dialogue, _: str) -> None:
    """A listing of as many messages as the limit allows, and on."""
    await dialogue.write(b"+OK\r\n")
    for start in itertools.count(1, 1000):
        numbers = range(start, start + 1000)
        await dialogue.write(b"".join(b"%d uid-%016d\r\n" % (number, number) for number in numbers))
        await asyncio.sleep(0)


ATTACKS: dict[str, dict[str, Answer]] = {
    "silence": {"STAT": silence},
    "closed": {"STAT": hang_up},
    "drip": {"UIDL": drip(b"+OK\r\n" + b"1 a\r\n" * 10_000, 0.01)},
    "endless line": {"STAT": endless(b"+OK ", b"x" * 65_536)},
    "endless listing": {"UIDL": distinct_rows},
    "listing of long UIDs": {"UIDL": endless(b"+OK\r\n", (b"1 " + b"u" * 1000 + b"\r\n") * 60)},
    "endless message": {"RETR": endless(b"+OK\r\n", b"x" * 65_536)},
    "endless lines": {"RETR": endless(b"+OK\r\n", b"\r\n" * 32_768)},
    "nearly ends": {"RETR": endless(b"+OK\r\n", b"\r\n.\r" * 16_384)},
    "garbage": {"UIDL": b"\xff\x00 not a status line\r\n" * 100},
}


def serve(names: list[str], chain: Path, key: Path, pipe: Connection) -> None:
    """A process of servers, until the pipe is closed."""

    async def run() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        async with contextlib.AsyncExitStack() as stack:
            ports = {}
            for name in names:
                server = Pop3Server(
                    MESSAGES, security=Security.TLS, tls=context, answers=ATTACKS.get(name, {})
                )
                ports[name] = (await stack.enter_async_context(server)).port
            pipe.send(ports)
            await asyncio.to_thread(pipe.poll, None)

    asyncio.run(run())


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

    def __init__(self, ports: dict[str, int], tls: ssl.SSLContext) -> None:
        self.took: list[float] = []
        self.ended: dict[str, list[float]] = {name: [] for name in ATTACKS}
        self._ports = ports
        self._attacks = itertools.cycle(ATTACKS)
        self._tls = tls
        self._hosts = Hosts(["localhost", "127.0.0.1", "::1"])

    async def poll(self, name: str, due: float) -> None:
        """One poll: everything a poll may ask for, as far as the server lets it come."""
        began = time.perf_counter()
        address = ServerAddress("localhost", self._ports[name], Security.TLS)
        limits = Limits(message_octets=25 * 1024 * 1024)
        try:
            async with await connect(address, hosts=self._hosts, tls=self._tls, limits=limits) as session:
                await session.login("user@example.org", Secret("correct"))
                if name != "honest":
                    await session.uidl()
                await session.probe([20, 21])
                async for incoming in session.retr([20]):
                    async for _ in incoming.chunks:
                        pass
                await session.quit(wait=False)
        except BotError:
            if name == "honest":
                raise
        finally:
            if name != "honest":
                self.ended[name].append(time.perf_counter() - began)
        if name == "honest":
            self.took.append(time.perf_counter() - due)

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
            tasks.add(asyncio.create_task(self.poll(name, due), name=name))


def p99(took: list[float]) -> float:
    """In milliseconds."""
    return 1000 * statistics.quantiles(took, n=100)[98]


async def measure(options: argparse.Namespace, ports: dict[str, int], tls: ssl.SSLContext) -> bool:
    """Rounds in turn, then the verdict; whether the goal was met."""
    client = Client(ports, tls)
    await client.round(2, options.rate, 0)  # warm
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    without: list[list[float]] = []
    with_hostile: list[list[float]] = []
    for _ in range(options.rounds):
        without.append(await client.round(options.seconds, options.rate, 0))
        with_hostile.append(await client.round(options.seconds, options.rate, options.hostile_rate))
    for title, rounds in (("without", without), ("with hostile", with_hostile)):
        took = list(itertools.chain.from_iterable(rounds))
        each = " ".join(f"{p99(one):.1f}" for one in rounds)
        print(
            f"{title:14} polls {len(took):5}  p50 {1000 * statistics.median(took):6.2f} ms  p99 {p99(took):6.2f} ms  (rounds: {each})"
        )
    ratio = statistics.median(map(p99, with_hostile)) / statistics.median(map(p99, without))
    print(f"p99 with hostile servers / without, medians of rounds: {ratio:.2f}  (goal {GOAL})")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"peak memory: {before / 1024:.0f} MB before the first hostile poll, {after / 1024:.0f} MB at the end"
    )
    for name, seconds in client.ended.items():
        print(f"  {name:22} polls {len(seconds):3}  longest {max(seconds, default=0):6.2f} s")
    return ratio <= GOAL


def main() -> None:
    """Start the servers, measure, exit with 1 when the goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=3, help="of each round")
    parser.add_argument("--rounds", type=int, default=12, help="of each kind")
    parser.add_argument("--rate", type=float, default=40, help="honest polls a second")
    parser.add_argument("--hostile-rate", type=float, default=1, help="hostile polls a second")
    options = parser.parse_args()
    certificates = Certificates()
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        chain, key = certificates.write(Path(folder))
        with started(["honest"], chain, key) as honest, started([*ATTACKS], chain, key) as hostile:
            is_met = asyncio.run(measure(options, {**honest, **hostile}, certificates.client()))
    sys.exit(0 if is_met else 1)


if __name__ == "__main__":
    main()
