"""A server that is a process with a folder of its own: started, waited for, asked for its log, ended.

Runs as an ordinary user; started by root it is given to `nobody`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class PrivateServer(ABC):
    """A running server; use it as a context manager.

    Args:
        name: of the folder, and of the configuration and the log in it.
        command: starts it in the foreground; `-c` and the configuration follow.
        seconds: it may take so long until it answers.
    """

    def __init__(self, name: str, *command: str, seconds: float) -> None:
        self._name = name
        self._command = command
        self._seconds = seconds
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._write_files()
            for path in (self._folder, *self._folder.iterdir()):
                self._own(path)
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def log(self) -> str:
        """What the server wrote to its log, and what it said before it had one."""
        paths = (self._folder / "said", self._folder / f"{self._name}.log")
        return "".join(path.read_text(errors="replace") for path in paths if path.exists())

    @abstractmethod
    def _write_files(self) -> None:
        """Its configuration, and what that names, in its folder."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether it can be used by now."""

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _start(self) -> None:
        is_root = os.geteuid() == 0
        with (self._folder / "said").open("wb") as said:
            self._process = subprocess.Popen(
                [*self._command, "-c", self._folder / f"{self._name}.conf"],
                cwd=self._folder,
                user=self._account.pw_uid if is_root else None,
                group=self._account.pw_gid if is_root else None,
                extra_groups=() if is_root else None,
                stderr=said,
            )
        deadline = time.monotonic() + self._seconds
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self._name} did not start: {self.log()[-2000:]}")
            time.sleep(0.02)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
