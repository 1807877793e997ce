"""What Linux tells of other processes, for tests that look at children."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
IS_TOLD = PROC.joinpath("self", "stat").exists()


@dataclass(frozen=True)
class Process:
    """A process by its number."""

    pid: int

    @property
    def state(self) -> str:
        """One letter: R running, S sleeping, Z dead and not yet reaped; "" when there is no such process."""
        return _stat(self.pid)[0]

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.state not in {"", "Z", "X"}

    @property
    def environment(self) -> dict[str, str]:
        """The environment it was started with."""
        pairs = (PROC / str(self.pid) / "environ").read_text().split("\0")
        return dict(pair.split("=", 1) for pair in pairs if pair)

    @property
    def files(self) -> list[str]:
        """What its descriptors lead to."""
        folder = PROC / str(self.pid) / "fd"
        return [str(link.readlink()) for link in folder.iterdir()]


def children(pid: int | None = None) -> list[Process]:
    """The children of a process, of this one by default; those not yet reaped too."""
    parent = pid or os.getpid()
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [Process(each) for each in pids if _stat(each)[1] == parent]


def _stat(pid: int) -> tuple[str, int]:
    try:
        state, parent = (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return "", 0
    return state, int(parent)
