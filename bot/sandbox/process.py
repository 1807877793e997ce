"""The bot as a process of its own: started with a clean environment, ended by its id, its log in a file."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import bot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

ROOT: Final = Path(bot.__file__).parents[1]
# What a program needs to run at all. Nothing else of the caller's environment reaches the bot: no proxy, no token.
_INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
_STOP_SECONDS: Final = 7.0
_TAIL_OCTETS: Final = 6_000


class DemoFailed(Exception):
    """The sandbox cannot go on; the text is one sentence for the person at the terminal."""


class Running(Protocol):
    """A process that was started."""

    @property
    def pid(self) -> int:
        """Its id, also when it has ended."""

    @property
    def returncode(self) -> int | None:
        """None while it runs, negative for a signal."""

    async def wait(self) -> int:
        """The same, once it has ended."""

    def send_signal(self, number: int, /) -> None:
        """Send one; it runs."""


Launch: TypeAlias = "Callable[[Mapping[str, str], Path, Path], Awaitable[Running]]"
"""Starts `python -m bot serve` with an environment, in a folder, with a log that takes both its outputs."""


async def executed(environment: Mapping[str, str], folder: Path, log: Path) -> Running:
    """The program as an operator starts it."""
    with log.open("ab") as output:
        # A session of its own: Ctrl-C goes to the sandbox alone, which then ends the bot in order.
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "serve",
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )  # fmt: skip


class BotProcess:
    """`python -m bot serve`, unmodified.

    Args:
        settings: the variables the bot is given.
        folder: its working directory, where no `.env` of the caller lies.
        log: takes standard output and standard error, appended.
        launch: starts it.
    """

    def __init__(
        self, settings: Mapping[str, str], folder: Path, log: Path, launch: Launch = executed
    ) -> None:
        self.log = log
        self._environment = environment(settings)
        self._folder = folder
        self._launch = launch
        self._process: Running | None = None

    @property
    def pid(self) -> int | None:
        """The running process, None when there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start it; it is not ready yet."""
        self._process = await self._launch(self._environment, self._folder, self.log)

    async def wait(self) -> int:
        """Its exit code, once it has ended; negative for a signal."""
        assert self._process is not None
        return await self._process.wait()

    async def kill(self) -> None:
        """`kill -9`: it gets no chance to tidy up."""
        self._signal(signal.SIGKILL)
        await self.wait()

    async def stop(self) -> None:
        """Ask it to end, and end it when it takes too long."""
        if self.pid is None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.wait(), _STOP_SECONDS)
        except TimeoutError:
            await self.kill()
        except asyncio.CancelledError:
            # Ctrl-C a second time: nothing may be left behind.
            self._signal(signal.SIGKILL)
            raise

    def tail(self, lines: int = 25) -> str:
        """The end of its log."""
        octets = self.log.read_bytes()[-_TAIL_OCTETS:] if self.log.exists() else b""
        return "\n".join(octets.decode("utf-8", "replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(number)


def environment(settings: Mapping[str, str], outer: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The whole environment of the bot: its settings, and what a program needs of the outer one."""
    inherited = {name: outer[name] for name in _INHERITED if name in outer}
    return {**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **settings}


async def new_master_key() -> str:
    """A key as the bot's own command makes it.

    Raises:
        DemoFailed: the command does not work.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "keys", "new",
        env=environment({}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, complaint = await process.communicate()
    lines = output.decode().split()
    if process.returncode != 0 or not lines:
        raise DemoFailed(f"The bot cannot make a master key: {_last_line(complaint)}")
    return lines[-1]


def _last_line(octets: bytes) -> str:
    return (octets.decode("utf-8", "replace").strip().splitlines() or ["it says nothing"])[-1]
