"""Rendering: every mail of a folder to its post; speed, and what of its page a browser would show.

    python bench/rendering.py [FOLDER] [--rounds 3] [--no-peers] [--no-browser] [--hostile]

FOLDER (or MAILBOX_CORPUS) holds mails (`.eml`, `.mbox`), pages (`.html`), texts (`.txt`) and winmail.dat files
(`.dat`), at any depth; what is no mail is put into one. Three parts, all in one run:

- Speed: octets to post on one core, with the collection of garbage that the render child does after each mail.
- Peers: html2text and html-to-markdown, installed for this run alone, and our own walker on the same HTML bodies.
- Fidelity: headless Chromium's `innerText` of every HTML body, scripts off and the network refused, beside each of the
  three: the share of its words that are told, words told that it hides, the share of its lines that are lines.

`--hostile` runs the inputs of `tests/fakes/hostile_mail.py` instead, each at two sizes, in a process with a mail after it.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import rendering_browser, rendering_hostile, rendering_measures, rendering_peers
from bench.pop3 import machine
from bot.mail import html_text
from bot.mail.content import Arrival
from bot.mail.message import parse
from bot.slack import posts
from storage.records import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.rendering_measures import Fidelity

ARRIVAL: Final = Arrival(Shape.WHOLE, 0, datetime(2026, 11, 23, tzinfo=UTC), None, "owner@home.example")
WORST: Final = 10
OURS: Final = "ours"
HEAD: Final = b"From: bench@home.example\nSubject: %s\nMIME-Version: 1.0\nContent-Type: %s\n\n"
KINDS: Final = {
    ".html": b"text/html; charset=utf-8",
    ".txt": b"text/plain; charset=utf-8",
    ".dat": b"application/ms-tnef; name=winmail.dat",
}


@dataclass(frozen=True)
class Mail:
    """One file of the corpus as a mail."""

    name: str
    octets: bytes


@dataclass(frozen=True)
class Page:
    """One HTML body."""

    name: str
    html: str


def mails(folder: Path) -> list[Mail]:
    """Every mail of a folder, in the order of their names."""
    found = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        octets = path.read_bytes()
        if path.suffix in KINDS:
            octets = HEAD % (path.name.encode(), KINDS[path.suffix]) + octets
        elif path.suffix not in {".eml", ".mbox"}:
            continue
        found.append(Mail(str(path.relative_to(folder)), octets))
    return found


def timed(work: Callable[[], object], rounds: int) -> float:
    """The least seconds of processor time of some rounds."""
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def crashes(found: Sequence[Mail]) -> list[str]:
    """The mails that our code fails on."""
    failed = []
    for mail in found:
        try:
            posts.post(parse(mail.octets), ARRIVAL, mail.octets)
        except Exception as error:  # noqa: BLE001 - counting these is the point
            failed.append(f"{mail.name}: {type(error).__name__}")
    return failed


def speed(found: Sequence[Mail], rounds: int) -> bool:
    """Prints what a mail takes from its octets to its post; whether the goals are met."""
    gc.freeze()
    gc.disable()

    def render(octets: bytes) -> None:
        posts.post(parse(octets), ARRIVAL, octets)
        gc.collect()

    spent = [(timed(lambda each=mail: render(each.octets), rounds), mail.name) for mail in found]  # type: ignore[misc]
    gc.enable()
    seconds = sorted(each for each, _ in spent)
    rate, median, p99 = len(found) / sum(seconds), statistics.median(seconds), quantile(seconds, 0.99)
    megabytes = sum(len(mail.octets) for mail in found) / 2**20
    print(f"\n{len(found)} mails, {megabytes:.1f} MB, one core, least of {rounds} rounds")
    met = [
        goal("mails a second", rate, 300, at_least=True),
        goal("median ms", 1000 * median, 3),
        goal("p99 ms", 1000 * p99, 50),
    ]
    slowest = ", ".join(f"{name} {1000 * each:.1f} ms" for each, name in sorted(spent, reverse=True)[:3])
    print(f"  slowest: {slowest}")
    return all(met)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of an ordered list is below."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def goal(what: str, found: float, limit: float, *, at_least: bool = False) -> bool:
    """Prints a figure beside its goal; whether it is met."""
    is_met = found >= limit if at_least else found <= limit
    sign = "at least" if at_least else "at most"
    print(f"  {'reached' if is_met else 'MISSED':<9}{what:<34}{found:>10.4g}   {sign} {limit:g}")
    return is_met


def bodies(found: Sequence[Mail]) -> list[Page]:
    """Every HTML body of the mails."""
    return [
        Page(mail.name, body.html)
        for mail in found
        for body in parse(mail.octets).bodies
        if body.html is not None
    ]


def compare(pages: Sequence[Page], rounds: int, *, has_peers: bool, has_browser: bool) -> bool:
    """Prints what the three make of the HTML bodies; whether the goals are met."""
    documents = [html_text.parsed(page.html) for page in pages]
    lines = {OURS: [rendering_measures.document_lines(document) for document in documents]}
    seconds = {OURS: [timed(lambda each=page: html_text.parsed(each.html), rounds) for page in pages]}  # type: ignore[misc]
    if has_peers:
        for name, rows in rendering_peers.converted([page.html for page in pages], rounds).items():
            lines[name] = [rendering_measures.peer_lines(row.text or "") for row in rows]
            seconds[name] = [row.seconds for row in rows]
            failed = sum(row.text is None for row in rows)
            print(
                f"  {name} fails on {failed} of {len(rows)} pages" if failed else "",
                end="\n" if failed else "",
            )
    print(f"\n{len(pages)} HTML bodies to text, ms a page, least of {rounds} rounds")
    print(f"  {'':<18}{'median':>9}{'p99':>9}{'all, s':>9}{'ours/theirs':>13}")
    for name, each in seconds.items():
        ratio = "" if name == OURS else f"{sum(seconds[OURS]) / sum(each):.2f}"
        median, p99 = 1000 * statistics.median(each), 1000 * quantile(sorted(each), 0.99)
        print(f"  {name:<18}{median:>9.3f}{p99:>9.2f}{sum(each):>9.3f}{ratio:>13}")
    return not has_browser or in_browser(pages, lines)


def in_browser(pages: Sequence[Page], lines: dict[str, list[list[str]]]) -> bool:
    """Prints how near each comes to what a browser shows; whether ours meets the goals."""
    seen = rendering_browser.seen(page.html for page in pages)
    print(
        f"\n{len(pages)} HTML bodies beside Chromium's innerText ({sum(each is None for each in seen)} it gave up)"
    )
    print(f"  {'':<18}{'word recall':>20}{'hidden words told':>20}{'lines kept':>20}")
    print(f"  {'':<18}{'all    median' * 1:>20}{'all    median':>20}{'all    median':>20}")
    found: dict[str, list[tuple[Fidelity, str]]] = {}
    for name, texts in lines.items():
        found[name] = [
            (rendering_measures.fidelity(each, text), page.name)
            for each, text, page in zip(seen, texts, pages, strict=True)
            if each is not None
        ]
        figures = [each for each, _ in found[name]]
        columns = zip(rendering_measures.totals(figures), rendering_measures.medians(figures), strict=True)
        print(f"  {name:<18}" + "".join(f"{total:>12.4f}{median:>8.4f}" for total, median in columns))
    recall, leaked, kept = rendering_measures.totals([each for each, _ in found[OURS]])
    met = [
        goal("word recall", recall, 0.97, at_least=True),
        goal("hidden words told", leaked, 0.02),
        goal("lines kept", kept, 0.95, at_least=True),
    ]
    worst(found[OURS])
    return all(met)


def worst(found: Sequence[tuple[Fidelity, str]]) -> None:
    """Names the pages that are furthest from the browser."""

    def distance(row: tuple[Fidelity, str]) -> float:
        recall, leaked, kept = rendering_measures.shares(row[0])
        return (1 - recall) + leaked + (1 - kept)

    print(f"  the worst {WORST}: word recall, hidden words told, lines kept")
    for row in sorted(found, key=distance, reverse=True)[:WORST]:
        figures = "".join(f"{share:>8.3f}" for share in rendering_measures.shares(row[0]))
        print(f"  {figures}   {row[1]}")


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", default=os.environ.get("MAILBOX_CORPUS"), type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--hostile", action="store_true", help="hostile inputs instead of a folder")
    return parser.parse_args()


def main() -> int:
    """0 when every goal is met."""
    asked = options()
    print(machine())
    if asked.hostile:
        return 0 if rendering_hostile.run() else 1
    if asked.folder is None or not Path(asked.folder).is_dir():
        print("Name a folder of mails, or set MAILBOX_CORPUS.")
        return 2
    found = mails(Path(asked.folder))
    failed = crashes(found)
    print(f"{len(failed)} of {len(found)} mails crash", *failed[:WORST], sep="\n  ")
    is_fast = speed(found, asked.rounds)
    is_near = compare(
        bodies(found), asked.rounds, has_peers=not asked.no_peers, has_browser=not asked.no_browser
    )
    return 0 if is_fast and is_near and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
