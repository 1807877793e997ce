"""A private NSD on a free loopback port: one zone, its configuration and files in a folder of its own.

Runs as an ordinary user; started by root it is given to `nobody`. Debian: `apt-get install nsd`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import dns.exception
import dns.message
import dns.query

from tests.fakes.ports import free_port

if TYPE_CHECKING:
    from types import TracebackType

PROGRAM = Path("/usr/sbin/nsd")
START_SECONDS = 45

_CONFIG = """
server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  logfile: "{folder}/nsd.log"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "{zone}"
  zonefile: "zone"
"""
_HEAD = """$ORIGIN {zone}.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
"""


def why_missing() -> str | None:
    """Why no NSD can be started here; None when it can."""
    return None if PROGRAM.exists() else f"{PROGRAM} is not installed (Debian: nsd)"


class Nsd:
    """A running name server; use it as a context manager.

    Args:
        zone: the one domain it knows.
        records: lines of its zone file, relative to the domain.
    """

    def __init__(self, zone: str, records: str) -> None:
        self.port = free_port()
        self._zone = zone
        self._records = records
        self._folder = Path(tempfile.mkdtemp(prefix="nsd-"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._write_files()
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
        """What the server wrote to its log."""
        path = self._folder / "nsd.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _write_files(self) -> None:
        configuration = _CONFIG.format(folder=self._folder, port=self.port, zone=self._zone)
        (self._folder / "nsd.conf").write_text(configuration)
        (self._folder / "zone").write_text(_HEAD.format(zone=self._zone) + self._records)
        if os.geteuid() == 0:
            account = pwd.getpwnam("nobody")
            for path in (self._folder, *self._folder.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)

    def _start(self) -> None:
        account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._process = subprocess.Popen(
            [PROGRAM, "-d", "-c", self._folder / "nsd.conf"],
            cwd=self._folder,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=() if account else None,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"NSD did not start: {self.log()[-2000:]}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        question = dns.message.make_query(self._zone, "SOA")
        try:
            answer = dns.query.udp(question, "127.0.0.1", port=self.port, timeout=1)
        except (dns.exception.DNSException, OSError):
            return False
        return bool(answer.answer)

    def _stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
