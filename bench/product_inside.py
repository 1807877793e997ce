"""The bot with a look inside: `bot serve`, and beside it a sampler of who uses the processor.

    python bench/product_inside.py SAMPLES.json

Every few milliseconds of processor time the sampler reads the processor clock of each thread, and what a thread took
since the last look goes to what its stack shows now: exact by thread, a sample by place. SIGUSR1 begins, SIGUSR2
writes down. The renderer's child is a process of its own and not seen here.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import defaultdict
from heapq import nlargest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import greenlet  # type: ignore[import-untyped] # SQLAlchemy brings it along

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.__main__ import cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

PERIOD: Final = 0.002

RULES: Final = (  # the first that a stack, read from the inside out, meets
    ("storage/spool.py", "_take _seal", "seal"),
    ("storage/vault.py", "", "seal"),
    ("storage/sealing.py", "", "seal"),
    ("storage/polled_mailboxes.py", "claim_due _claim", "claim"),
    ("storage/outbox.py", "claim_due", "claim"),
    ("storage/outbox.py", "", "settle"),
    ("storage/messages.py", "keep _admit", "commit"),
    ("storage/messages.py", "load", "render: load"),
    ("storage/mailboxes.py", "get of", "render: load"),
    ("storage/mailboxes.py", "", "poll: database"),
    ("storage/polled_mailboxes.py", "", "poll: database"),
    ("storage/messages.py", "", "poll: database"),
    ("storage/spool.py", "", "poll"),
    ("mail/renderer.py", "", "render"),
    ("slack/client.py", "", "post"),
    ("slack_sdk/", "", "post"),
    ("bot/mail/", "", "poll"),
    ("bot/poll.py", "", "poll"),
    ("aiohttp/", "", "post"),
    ("asyncio/sslproto.py", "", "poll"),
    ("/ssl.py", "", "poll"),  # all that shows of TLS under uvloop
    ("bot/deliver.py", "", "settle"),
    ("bot/runner.py", "_claim_polls _claim_deliveries", "claim"),
    ("bot/lease.py", "", "runner, leases"),
    ("bot/runner.py", "", "runner, leases"),
)
THREADS: Final = (
    ("aiosqlite/", "", "database thread"),
    ("concurrent/futures/", "", "resolver threads"),
)


def frames(frame: FrameType | None) -> Iterator[FrameType]:
    """A stack from the inside out, past the border of SQLAlchemy's greenlets too."""
    inner: Any = greenlet.getcurrent()
    while frame is not None:
        yield frame
        frame = frame.f_back
        if frame is None and inner is not None:
            inner = inner.parent
            frame = inner.gr_frame if inner is not None else None


def stack(frame: FrameType | None) -> Iterator[FrameType]:
    """The stack of another thread."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def stage(codes: list[tuple[str, str]], rules: tuple[tuple[str, str, str], ...]) -> str:
    """Which stage a stack belongs to."""
    for file, function in codes:
        for place, functions, name in rules:
            if place in file and (not functions or function in functions.split()):
                return name
    return "event loop" if rules is RULES else "other threads"


class Sampler:
    """Counts processor time by stage and by function."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._main = threading.get_ident()
        self._clocks: dict[int, float] = {}
        self._stages: dict[str, float] = defaultdict(float)
        self._own: dict[str, float] = defaultdict(float)
        self._within: dict[str, float] = defaultdict(float)
        self._samples = 0
        signal.signal(signal.SIGUSR1, self._begin)
        signal.signal(signal.SIGUSR2, self._write)

    def _begin(self, *_: object) -> None:
        self._took()
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, PERIOD, PERIOD)

    def _took(self) -> dict[int, float]:
        """Seconds of each thread since the last time."""
        took = {}
        for thread in threading.enumerate():
            ident = thread.ident
            if ident is None or not thread.is_alive():
                continue
            now = time.clock_gettime(time.pthread_getcpuclockid(ident))
            took[ident] = now - self._clocks.get(ident, 0.0)
            self._clocks[ident] = now
        return took

    def _look(self, _: int, frame: FrameType | None) -> None:
        self._samples += 1
        others = sys._current_frames()  # noqa: SLF001 - there is no other way to look at threads
        for ident, seconds in self._took().items():
            is_main = ident == self._main
            met = list(frames(frame) if is_main else stack(others.get(ident)))
            if seconds and met:
                self._note(met, seconds, is_main=is_main)

    def _note(self, met: list[FrameType], seconds: float, *, is_main: bool) -> None:
        codes = [(frame.f_code.co_filename, frame.f_code.co_name) for frame in met]
        self._stages[stage(codes, RULES if is_main else THREADS)] += seconds
        labels = [f"{'/'.join(file.split('/')[-2:])}:{name}" for file, name in codes]
        self._own[labels[0]] += seconds
        for label in set(labels):
            self._within[label] += seconds

    def _write(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        found = {
            "samples": self._samples,
            "stages": self._stages,
            "own": dict(nlargest(60, self._own.items(), key=lambda item: item[1])),
            "within": dict(nlargest(150, self._within.items(), key=lambda item: item[1])),
        }
        unfinished = self._out.with_suffix(".part")
        unfinished.write_text(json.dumps(found))
        unfinished.replace(self._out)


if __name__ == "__main__":
    Sampler(Path(sys.argv[1]))
    cli(["serve"], prog_name="python -m bot")
