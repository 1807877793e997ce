"""The lives of the bot: processes forked by `maker`, ended by their ids."""

from __future__ import annotations

import asyncio
import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from bot.sandbox.process import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.acceptance.exactly_once.crashing_bot import Orders

_MODULE: Final = "tests.acceptance.maker"
_STOP_SECONDS: Final = 30.0


class Life:
    """One process from its start to its end.

    Attributes:
        ended: its exit code, negative for a signal.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def returncode(self) -> int | None:
        """Its exit code, None while it runs."""
        return self.ended.result() if self.ended.done() else None

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.shield(self.ended)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def kill(self) -> None:
        """`kill -9`."""
        self.send_signal(signal.SIGKILL)
        await self.wait()

    async def stop(self) -> int:
        """SIGTERM, and `kill -9` when that takes too long; the exit code."""
        self.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                return await self.wait()
        except TimeoutError:
            await self.kill()
            raise


class Lives:
    """Makes lives; use it as a context, which ends all of them."""

    def __init__(self) -> None:
        self._started: asyncio.Queue[Life | None] = asyncio.Queue()
        self._living: dict[int, Life] = {}
        self._writer: asyncio.StreamWriter
        self._reading: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        reader, self._writer = await asyncio.open_unix_connection(sock=_imported().connection())
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            self._writer.write_eof()
            await self._reading
        finally:
            self._writer.close()

    async def begin(
        self, environment: Mapping[str, str], folder: Path, log: Path, orders: Orders | None = None
    ) -> Life:
        """Start a bot, a `Launch` of the sandbox's; it is not ready yet.

        Args:
            orders: how it dies or what it lacks; None leaves the product as it is.
        """
        order = {
            "environment": dict(environment),
            "folder": str(folder),
            "log": str(log),
            "orders": orders and orders.as_json(),
        }
        self._writer.write(json.dumps(order).encode() + b"\n")
        life = await self._started.get()
        assert life is not None, f"{_MODULE} has ended"
        return life

    async def _read(self, reader: asyncio.StreamReader) -> None:
        async for line in reader:
            what, pid, *status = line.split()
            if what == b"started":
                self._living[int(pid)] = Life(int(pid))
                self._started.put_nowait(self._living[int(pid)])
            else:
                self._living.pop(int(pid)).ended.set_result(int(status[0]))
        self._started.put_nowait(None)


class _Imported:
    """The process of `maker`, which has imported the product; it ends with this one."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, str(theirs.fileno())],
                cwd=ROOT,
                env=environment({}),
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        atexit.register(self.close)

    def connection(self) -> socket.socket:
        """A new one, on which orders are taken."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._ours, [b"+"], [theirs.fileno()])
        return ours

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.wait()


@functools.cache
def _imported() -> _Imported:
    """One for all tests that run in this process: the imports take longer than most lives."""
    return _Imported()
