"""Makes bots: imports the product once, and forks a process of it for each order.

Run with the number of a socket, by which come the connections of those who order. A process of its own serves each:
it reads one JSON order a line, answers with "started PID" and "ended PID STATUS", and ends with the connection, as
do the bots it made. A bot is the product's own `serve`, under the environment, in the folder and with the log of its
order; what follows the fork is what follows the imports of `python -m bot serve`.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import uvloop

import bot.__main__ as program
from bot import app, settings
from tests.acceptance.exactly_once import crashing_bot

if TYPE_CHECKING:
    from collections.abc import Callable

IMPORTED = (app, settings, uvloop)
"""What `serve` imports once it is called."""


def main(descriptor: int) -> None:
    """Serve all connections, until whoever gives them has ended."""
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=descriptor) as given:
        while descriptors := socket.recv_fds(given, 1, 1)[1]:
            if os.fork() == 0:
                given.close()
                _end_with(_Maker(socket.socket(fileno=descriptors[0])).run)
            os.close(descriptors[0])
            _bury(os.WNOHANG)
    _bury(0)


def _bury(options: int) -> None:
    """Reap whoever has served."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, options)[0]:
            pass


class _Maker:
    """Makes a process of each order, and tells when it has ended."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._wakes, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._living: set[int] = set()
        self._unread = b""

    def run(self) -> None:
        """Until the connection ends; whatever still lives then is killed, by its id."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        while True:
            ready, _, _ = select.select([self._client, self._wakes], [], [])
            if self._wakes in ready:
                self._wakes.recv(4096)
                self._reap()
            if self._client in ready and not self._read():
                break
        for pid in self._living:
            os.kill(pid, signal.SIGKILL)
        for pid in self._living:
            os.waitpid(pid, 0)

    def _read(self) -> bool:
        octets = self._client.recv(65_536)
        *lines, self._unread = (self._unread + octets).split(b"\n")
        for line in lines:
            self._start(json.loads(line))
        return bool(octets)

    def _start(self, order: dict[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for ours in (self._wakes, self._waker, self._client):
                ours.close()
            _end_with(lambda: _be_a_bot(order))
        self._living.add(pid)
        self._say(f"started {pid}")

    def _reap(self) -> None:
        while self._living:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._living.discard(pid)
            self._say(f"ended {pid} {os.waitstatus_to_exitcode(status)}")

    def _say(self, line: str) -> None:
        with suppress(BrokenPipeError):  # its end is read next
            self._client.sendall(line.encode() + b"\n")


def _be_a_bot(order: dict[str, Any]) -> None:
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number, target in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(target, number)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    if order["orders"] is not None:
        crashing_bot.obey(crashing_bot.Orders(**order["orders"]))
    program.cli(["serve"], prog_name="python -m bot")


def _end_with(work: Callable[[], None]) -> None:
    """End this process with its work: nothing of whoever forked it is gone through again.

    What the interpreter does at its end is done: it waits for threads, and what nobody has asked about is complained of.
    """
    status = 1
    try:
        work()
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 0
    except BaseException:  # noqa: BLE001 - it goes no further: said where the interpreter says it
        sys.excepthook(*sys.exc_info())
    try:
        threading._shutdown()  # type: ignore[attr-defined] # as `multiprocessing` does
        gc.collect()
        sys.stdout.flush()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main(int(sys.argv[1]))
