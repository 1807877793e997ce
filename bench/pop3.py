"""Our POP3 client beside mpop, fetchmail, getmail6 and `poplib`, in turn, against one private Dovecot over TLS.

    python bench/pop3.py [bulk] [latency] [idle] [many] [large] [--quick] [--rounds 5]

    bulk     2,000 messages, 58 MiB; "(drain)" is no client but the server's own speed: it throws away what it asked for
    latency  200 of them at 20 and at 80 ms round trip, through a proxy that delays and has no limit of speed
    idle     a poll of a maildrop of 100,000 known messages
    many     1,000 mailboxes that were met before, one tenth with a new message
    large    one message of 50 MB

Every client is a process, logs in (for `many` mpop stands once as one process for all and, a sample, as a process
each, 16 at a time under xargs, as getmail6 always is), fetches what it has not seen and leaves it there. All write to one file: ours and `poplib` the octets as they came, mpop
and getmail6 an mbox, fetchmail a BSMTP file. Wall is of the whole process, CPU that of the client with its
children. Start-up of the two that are Python scripts here (imports, one TLS context; `Run.work_*`) stands apart, since
the bot starts once. Octets and waits are counted in a run of their own through the proxy without delay. Mail, server
and results lie in memory. The slow ones run once and not in each round. Trust the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import os
import platform
import poplib
import pwd
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.pop3_ground import Ground, Proxy, messages, one_message, private_folder
from bench.pop3_peers import (
    PASSWORD,
    Client,
    Drain,
    Fetchmail,
    Getmail,
    Job,
    Mpop,
    MpopEach,
    Ours,
    Poplib,
    Run,
    median,
    run,
)
from tests.fakes import dovecot
from tests.fakes.certificates import Certificates

if TYPE_CHECKING:
    from collections.abc import Collection

CLIENTS: Final[tuple[type[Client], ...]] = (Ours, Mpop, Poplib, Fetchmail, Getmail)
PARTS: Final = ("bulk", "latency", "idle", "many", "large")
SLOW: Final = ("getmail6", "fetchmail")
MEBI: Final = 1024 * 1024
CAPABILITIES: Final = (
    "TOP",
    "UIDL",
    "RESP-CODES",
    "PIPELINING",
    "AUTH-RESP-CODE",
    "USER",
    "SASL PLAIN LOGIN",
)

Runs = dict[str, list[Run]]


@dataclass
class Sizes:
    """How much of everything; `--quick` is a tenth and less."""

    bulk: int = 2000
    bulk_octets: int = 58 * MEBI
    latency: int = 200
    idle: int = 100_000
    mailboxes: int = 1000
    mpop_mailboxes: int = 200
    getmail_mailboxes: int = 20
    large_octets: int = 50_000_000


QUICK: Final = Sizes(200, 6 * MEBI, 50, 5000, 100, 50, 5, 10_000_000)


@dataclass
class Bench:
    """Where the clients run, and what was found."""

    folder: Path
    ground: Ground
    rounds: int
    sizes: Sizes
    clients: list[type[Client]]
    goals: list[tuple[str, float, float, bool]] = field(default_factory=list)

    def job(self, what: str, *accounts: str) -> Job:
        """A job at the server itself."""
        return Job(what, accounts, self.ground.tls_port, self.ground.ca, capabilities=CAPABILITIES)

    def in_turn(
        self,
        job: Job,
        least_octets: int,
        *,
        proxy: Proxy | None = None,
        but: str = "",
        once: Collection[str] = (),
    ) -> Runs:
        """Every client, in turn, round after round; a peer that fails is named and left out from then on."""
        found: Runs = {}
        failed = {but}
        for number in range(self.rounds):
            for kind in self.clients:
                if kind.name in failed or (number and kind.name in {*SLOW, *once}):
                    continue
                if result := attempt(kind(self.folder, job, ACCOUNT), proxy, least_octets):
                    found.setdefault(kind.name, []).append(result)
                else:
                    failed.add(kind.name)
        return found

    def goal(self, what: str, found: float, limit: float, *, at_least: bool = False) -> None:
        """Note a goal."""
        self.goals.append((what, found, limit, at_least))


ACCOUNT: Final = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _one(client: Client, proxy: Proxy | None, least_octets: int) -> Run:
    client.prepare()
    before = replace(proxy.traffic) if proxy else None
    result = run(client)
    if result.written < least_octets:
        raise RuntimeError(f"{client.name} wrote {result.written} octets of {least_octets}")
    if proxy and before:
        result.octets_in = proxy.traffic.octets_in - before.octets_in
        result.octets_out = proxy.traffic.octets_out - before.octets_out
        result.waits = proxy.traffic.waits - before.waits
    return result


def attempt(client: Client, proxy: Proxy | None, least_octets: int) -> Run | None:
    """A run of a client; None when it failed. Ours must not."""
    try:
        return _one(client, proxy, least_octets)
    except RuntimeError as error:
        if isinstance(client, Ours):
            raise
        print(f"{client.name} failed: {error}")
        return None


def counted(bench: Bench, job: Job, least_octets: int, runs: Runs) -> None:
    """Octets and waits of every client, from one run more through the proxy."""
    with Proxy(job.port) as proxy:
        for kind in bench.clients:
            if kind.name not in runs or kind is Getmail:
                continue
            once = _one(kind(bench.folder, replace(job, port=proxy.port), ACCOUNT), proxy, least_octets)
            for found in runs[kind.name]:
                found.octets_in, found.octets_out, found.waits = once.octets_in, once.octets_out, once.waits


def table(title: str, runs: Runs, *, per: int = 1) -> None:
    """Medians, and ratios to mpop; work is without start-up. `per`: CPU is shown in ms for each of so many."""
    print(f"\n{title}")
    unit = "CPU s" if per == 1 else "ms each"
    print(
        f"  {'':<16}{'runs':>5}{'wall s':>9}{unit:>9}{'work s':>9}{'best':>8}{'its CPU':>9}{'KB in':>9}{'KB out':>8}{'waits':>7}"
        f"{'peak MB':>9}{'work/mpop':>11}{'CPU/mpop':>10}"
    )
    for name, found in runs.items():
        cpu, work_cpu = (median(found, key) * (1000 / per if per > 1 else 1) for key in ("cpu", "work_cpu"))
        octets = [f"{median(found, key) / 1000:.1f}" for key in ("octets_in", "octets_out")]
        counts = [*octets, f"{median(found, 'waits'):.0f}"] if found[0].waits else ["-", "-", "-"]
        ratios = ["-", "-"]
        if "mpop" in runs:
            ratios = [
                f"{median(found, key) / median(runs['mpop'], key):.2f}" for key in ("work_wall", "work_cpu")
            ]
        print(
            f"  {name:<16}{len(found):>5}{median(found, 'wall'):>9.3f}{cpu:>9.3f}{median(found, 'work_wall'):>9.3f}"
            f"{min(each.work_wall for each in found):>8.3f}"
            f"{work_cpu:>9.3f}{counts[0]:>9}{counts[1]:>8}{counts[2]:>7}{median(found, 'peak_kib') / 1024:>9.0f}"
            f"{ratios[0]:>11}{ratios[1]:>10}"
        )


def ratio(runs: Runs, upper: str, lower: str, figure: str = "work_wall") -> float:
    """One client's median over another's; NaN when one did not run."""
    if upper not in runs or lower not in runs:
        return float("nan")
    return median(runs[upper], figure) / median(runs[lower], figure)


def bulk(bench: Bench) -> None:
    """Many messages on a short way."""
    sizes = bench.sizes
    bench.ground.deliver("bulk", *messages(sizes.bulk, sizes.bulk_octets))
    known_uids(bench.ground, ["bulk"])
    job = bench.job("fetch", "bulk")
    runs = bench.in_turn(job, sizes.bulk_octets * 9 // 10)
    if "ours" in runs:
        runs["(drain)"] = [_one(Drain(bench.folder, job, ACCOUNT), None, 0) for _ in range(bench.rounds)]
    counted(bench, job, sizes.bulk_octets * 9 // 10, runs)
    table(f"{sizes.bulk} messages, {sizes.bulk_octets / MEBI:.0f} MiB, TLS", runs)
    bench.goal("bulk: wall, of mpop's", ratio(runs, "ours", "mpop"), 1.3)
    bench.goal("bulk: CPU, of mpop's", ratio(runs, "ours", "mpop", "work_cpu"), 1.3)
    bench.goal("bulk: times faster than poplib", ratio(runs, "poplib", "ours"), 3, at_least=True)
    print(
        f"  no client can be more than {ratio(runs, 'poplib', '(drain)'):.2f} times faster than poplib here"
    )


def latency(bench: Bench) -> None:
    """Some messages on a long way."""
    sizes = bench.sizes
    octets = sizes.bulk_octets * sizes.latency // sizes.bulk
    bench.ground.deliver("latency", *messages(sizes.latency, octets))
    known_uids(bench.ground, ["latency"])
    for milliseconds in (20, 80):
        with Proxy(bench.ground.tls_port, milliseconds / 1000) as proxy:
            job = replace(bench.job("fetch", "latency"), port=proxy.port)
            runs = bench.in_turn(job, octets * 9 // 10, proxy=proxy, once=(Poplib.name,))
        table(f"{sizes.latency} messages, {octets / MEBI:.1f} MiB, {milliseconds} ms round trip", runs)
        bench.goal(f"{milliseconds} ms: wall, of mpop's", ratio(runs, "ours", "mpop"), 1.1)
        if milliseconds == 80:
            bench.goal("80 ms: times faster than poplib", ratio(runs, "poplib", "ours"), 10, at_least=True)


def idle(bench: Bench) -> None:
    """Nothing new in a large maildrop."""
    bench.ground.fill("idle", bench.sizes.idle, next(messages(1, 1000)))
    seen = known_uids(bench.ground, ["idle"])
    with Proxy(bench.ground.tls_port) as proxy:
        job = replace(bench.job("idle", "idle"), port=proxy.port, seen=seen)
        runs = bench.in_turn(job, 0, proxy=proxy)
        if "ours" in runs:
            full = [
                _one(Ours(bench.folder, replace(job, what="listing"), ACCOUNT), proxy, 0) for _ in range(3)
            ]
            runs = {"ours": runs["ours"], "ours, full list": full, **runs}
    table(f"idle poll of a maildrop of {bench.sizes.idle} messages", runs)
    if "ours" in runs:
        bench.goal("idle: KB in", median(runs["ours"], "octets_in") / 1000, 3)
        bench.goal("idle: waits", median(runs["ours"], "waits"), 5)


def many(bench: Bench) -> None:
    """Many mailboxes, most without news."""
    accounts = bench_accounts(bench.sizes)
    mails = list(messages(10, 100_000))
    for account in accounts:
        bench.ground.deliver(account, *mails[:3])
    seen = known_uids(bench.ground, accounts)
    for account in accounts[::10]:
        bench.ground.deliver(account, mails[3])
    known_uids(bench.ground, accounts)
    least = len(mails[3]) * len(accounts) // 10 * 9 // 10
    job = replace(bench.job("many", *accounts), seen=seen)
    runs = bench.in_turn(job, least, but=Getmail.name)
    table(
        f"{len(accounts)} mailboxes, one tenth with a new message; CPU in ms for each",
        runs,
        per=len(accounts),
    )
    each = sample(bench, MpopEach, replace(job, accounts=accounts[: bench.sizes.mpop_mailboxes]))
    sample(bench, Getmail, replace(job, accounts=accounts[: bench.sizes.getmail_mailboxes]))
    for name, found in runs.items():
        print(f"  {name:<16}{len(accounts) / median(found, 'work_wall'):>8.0f} mailboxes/s")
    bench.goal(
        "many: mailboxes/s, of poplib's with 200 threads", ratio(runs, "poplib", "ours"), 1, at_least=True
    )
    if each and "ours" in runs:
        share = median(runs["ours"], "work_cpu") / len(accounts) / (each.cpu / bench.sizes.mpop_mailboxes)
        bench.goal("many: CPU a mailbox, of mpop's, a process each", share, 1.1)
    bench.goal(
        "many: CPU a mailbox, of mpop's, one process for all", ratio(runs, "ours", "mpop", "work_cpu"), 1.1
    )


def sample(bench: Bench, kind: type[Client], job: Job) -> Run | None:
    """One run over the first few mailboxes, a process for each: they stand for all."""
    if kind.why_missing() or not job.accounts:
        return None
    once = attempt(kind(bench.folder, job, ACCOUNT), None, 0)
    if once is None:
        return None
    count = len(job.accounts)
    print(
        f"  {kind.name}, {count} mailboxes: {count / once.wall:.0f}/s, {once.cpu / count * 1000:.1f} ms CPU each"
    )
    return once


def large(bench: Bench) -> None:
    """One large message."""
    mail = one_message(bench.sizes.large_octets)
    bench.ground.deliver("large", mail)
    known_uids(bench.ground, ["large"])
    runs = bench.in_turn(bench.job("fetch", "large"), len(mail) * 9 // 10)
    table(f"one message of {len(mail) / 1e6:.0f} MB", runs)
    if "ours" in runs:
        over = (median(runs["ours"], "peak_kib") - median(runs["ours"], "idle_kib")) / 1024
        print(
            f"  ours: {median(runs['ours'], 'idle_kib') / 1024:.1f} MB idle, {over:.1f} MB over it at the peak"
        )
        bench.goal("large: peak over idle, MB", over, 30)


def known_uids(ground: Ground, accounts: list[str]) -> dict[str, list[str]]:
    """What lies in the maildrops now, by the standard library."""
    tls = ssl.create_default_context(cafile=str(ground.ca))

    def uids(account: str) -> list[str]:
        session = poplib.POP3_SSL("localhost", ground.tls_port, context=tls)
        session.user(account)
        session.pass_(PASSWORD)
        session.stat()  # the server looks at sizes once and keeps them: nobody's run should pay for it
        found = [line.split()[1].decode() for line in session.uidl()[1]]
        session.quit()
        return found

    with ThreadPoolExecutor(8) as pool:
        return dict(zip(accounts, pool.map(uids, accounts), strict=True))


def bench_accounts(sizes: Sizes) -> list[str]:
    """The accounts of `many`."""
    return [f"box{number:04d}" for number in range(sizes.mailboxes)]


def verdicts(bench: Bench) -> int:
    """Print the goals; how many were missed."""
    print("\ngoals")
    missed = 0
    for what, found, limit, at_least in bench.goals:
        is_met = found >= limit if at_least else found <= limit
        missed += not is_met
        sign = "at least" if at_least else "at most"
        print(f"  {'reached' if is_met else 'MISSED':<9}{what:<52}{found:>8.2f}   {sign} {limit:g}")
    return missed


def machine() -> str:
    """Where this was measured."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, load before {load}"


def present(wanted: list[str]) -> list[type[Client]]:
    """The clients that can run here; says which cannot."""
    for kind in CLIENTS:
        if reason := kind.why_missing():
            print(f"without {kind.name}: {reason}")
    return [kind for kind in CLIENTS if not kind.why_missing() and (not wanted or kind.name in wanted)]


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it runs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", nargs="*", default=[], help="only these")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")
    if reason := dovecot.why_missing():
        sys.exit(f"nothing to measure against: {reason}")
    sizes = QUICK if arguments.quick else Sizes()
    users = dict.fromkeys(("bulk", "latency", "idle", "large", *bench_accounts(sizes)), PASSWORD)
    print(machine())
    with private_folder() as folder, Ground(Certificates(), users) as ground:
        bench = Bench(folder, ground, arguments.rounds, sizes, present(arguments.clients))
        for part in arguments.parts or PARTS:
            globals()[part](bench)
        missed = verdicts(bench)
    sys.exit(int(missed > 0))


if __name__ == "__main__":
    main()
