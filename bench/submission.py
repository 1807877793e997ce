"""Sending by SMTP beside `smtplib` in a thread: 20 mails of 10 KB and one of 10 MB, over TLS on loopback.

python bench/submission.py [rounds]

Both sign in for each mail, as sending one at a time does, and speak to the same server, which runs in a process of
its own and keeps nothing. Time and processor time are taken without anything between; octets and waits, and the time
at 20 ms round trip, through a proxy. What is fair and what is not: smtplib looks at no deadline, holds a second copy
of the mail, and asks nobody before the last dot; ours runs on uvloop, as the bot does.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.util
import smtplib
import ssl
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.pop3_ground import Proxy, one_message
from bot.mail.hosts import Hosts
from bot.mail.smtp import Submittable, submit
from storage.records import Secret, Security, ServerAddress
from tests.fakes.certificates import Certificates
from tests.fakes.smtp_server import Ending, SmtpServer, Transaction

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from multiprocessing.connection import Connection

HOSTS: Final = Hosts({"localhost"})
USER, PASSWORD = "ada", "correct horse"
SENDER, RECIPIENT = "ada@a.example", "b@b.example"
ROUND_TRIP: Final = 0.02


@dataclass(frozen=True)
class Ground:
    """What both clients need."""

    port: int
    tls: ssl.SSLContext


async def ours(ground: Ground, mails: Sequence[bytes]) -> None:
    """Our client, mail by mail."""
    address = ServerAddress("localhost", ground.port, Security.TLS)
    for octets in mails:
        await submit(
            address,
            USER,
            Secret(PASSWORD),
            Submittable(SENDER, (RECIPIENT,), octets),
            hosts=HOSTS,
            tls=ground.tls,
            before_dot=_nothing,
        )


async def theirs(ground: Ground, mails: Sequence[bytes]) -> None:
    """`smtplib`, mail by mail, in a thread."""
    for octets in mails:
        await asyncio.to_thread(_by_smtplib, ground, octets)


def _by_smtplib(ground: Ground, octets: bytes) -> None:
    with smtplib.SMTP_SSL(
        "localhost", ground.port, context=ground.tls, local_hostname="localhost", timeout=60
    ) as client:
        client.login(USER, PASSWORD)
        client.sendmail(SENDER, [RECIPIENT], octets)


async def _nothing() -> None:
    """Nobody objects."""


CLIENTS: Final = {"ours": ours, "smtplib": theirs}


def main() -> None:
    """Print a table for each load."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    certificates = Certificates()
    near, far = multiprocessing.Pipe()
    folder = Path(multiprocessing.util.get_temp_dir())
    chain, key = certificates.write(folder)
    server = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(far, str(chain), str(key)), daemon=True
    )
    server.start()
    try:
        port = near.recv()
        print(f"Python {sys.version.split()[0]}, {ssl.OPENSSL_VERSION}, {rounds} rounds, in turn")
        for title, mails in {
            "20 mails of 10 KB": [one_message(10_000)] * 20,
            "1 mail of 10 MB": [one_message(10_000_000)],
        }.items():
            _load(title, Ground(port, certificates.client()), mails, rounds)
    finally:
        server.terminate()
        server.join()


def _load(title: str, ground: Ground, mails: Sequence[bytes], rounds: int) -> None:
    print(f"\n{title}\n{'':10}  wall ms    best  CPU ms   KB out    KB in  waits  wall ms at 20 ms")
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in CLIENTS}
    for _ in range(rounds):
        for name, client in CLIENTS.items():
            spent[name].append(_timed(client, ground, mails))
    figures = {}
    for name, client in CLIENTS.items():
        with Proxy(ground.port, ROUND_TRIP) as proxy:
            slow, _ = _timed(client, Ground(proxy.port, ground.tls), mails)
            traffic = proxy.traffic
        wall = statistics.median(wall for wall, _ in spent[name])
        best = min(wall for wall, _ in spent[name])
        work = statistics.median(work for _, work in spent[name])
        figures[name] = (wall, best, work, traffic.octets_out, slow)
        print(
            f"{name:10} {wall * 1e3:8.1f} {best * 1e3:7.1f} {work * 1e3:7.1f} {traffic.octets_out / 1e3:8.1f}"
            f" {traffic.octets_in / 1e3:8.1f} {traffic.waits:6} {slow * 1e3:18.1f}"
        )
    ratios = [one / other for one, other in zip(figures["ours"], figures["smtplib"], strict=True)]
    print(
        "ours/smtplib: wall {:.2f}, best {:.2f}, CPU {:.2f}, octets out {:.4f}, at 20 ms {:.2f}".format(
            *ratios
        )
    )


def _timed(
    client: Callable[[Ground, Sequence[bytes]], Awaitable[None]], ground: Ground, mails: Sequence[bytes]
) -> tuple[float, float]:
    async def run() -> tuple[float, float]:
        wall, work = time.perf_counter(), time.process_time()
        await client(ground, mails)
        return time.perf_counter() - wall, time.process_time() - work

    return uvloop.run(run())


def _serve(told: Connection, chain: str, key: str) -> None:
    async def serve() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(chain, key)
        async with SmtpServer(tls=tls, is_implicit=True, ending=_forgotten) as server:
            told.send(server.port)
            await asyncio.Event().wait()

    uvloop.run(serve())


def _forgotten(mail: Transaction) -> Ending:
    mail.octets = b""
    return Ending(b"250 2.0.0 thanks\r\n", is_kept=False)


if __name__ == "__main__":
    main()
