"""The lives of the bot: processes made by `crashing_bot`, ended by their ids."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from bot.sandbox.process import ROOT, environment
from tests.acceptance.exactly_once.crashing_bot import Orders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MODULE: Final = "tests.acceptance.exactly_once.crashing_bot"
_STOP_SECONDS: Final = 12.0


class Life:
    """One process from its start to its end.

    Attributes:
        ended: its exit code, negative for a signal.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """`kill -9`."""
        self.signal(signal.SIGKILL)
        await self.ended

    async def stop(self) -> int:
        """SIGTERM, and `kill -9` when that takes too long; the exit code."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                return await asyncio.shield(self.ended)
        except TimeoutError:
            await self.kill()
            raise


class Lives:
    """Makes lives; use it as a context, which ends all of them.

    Args:
        settings: the bot's variables.
        folder: its working directory.
        log: takes what it prints.
    """

    def __init__(self, settings: Mapping[str, str], folder: Path, log: Path) -> None:
        self._order = {"environment": environment(settings), "folder": str(folder), "log": str(log)}
        self._started: asyncio.Queue[Life] = asyncio.Queue()
        self._living: dict[int, Life] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def begin(self, orders: Orders | None = None, **changes: str) -> Life:
        """Start a bot; it is not ready yet.

        Args:
            changes: variables other than those of all lives.
        """
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _MODULE,
                cwd=ROOT,
                env=environment({}),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
            self._reading = asyncio.create_task(self._read())
        assert self._process.stdin is not None
        variables = {**self._order["environment"], **changes}  # type: ignore[dict-item] # it is the one mapping there
        order = {**self._order, "environment": variables, "orders": (orders or Orders()).as_json()}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self._started.get()

    async def close(self) -> None:
        """End them all."""
        if self._process is None or self._reading is None:
            return
        for life in list(self._living.values()):
            life.signal(signal.SIGKILL)
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            what, pid, *status = line.split()
            if what == b"started":
                self._living[int(pid)] = Life(int(pid))
                self._started.put_nowait(self._living[int(pid)])
            else:
                self._living.pop(int(pid)).ended.set_result(int(status[0]))
