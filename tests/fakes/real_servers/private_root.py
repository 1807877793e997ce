"""Debian packages unpacked into folders of their own, and servers started in a copy of one.

Courier, Cyrus, popa3d and Dovecot exclude each other as packages, Postfix and Exim do, and some have paths and ports
compiled in. So each gets a small root of its own, from the archive, with every library it needs, and is started in
there by `chroot`; nothing of the machine is changed. Unpack them once:

    python -m tests.fakes.real_servers.unpack
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

START_SECONDS = 30
DONE = "unpacked.txt"
UNWANTED = ("libclamav", "libperl", "libpam-systemd", "libc-bin")
"""Named as dependencies and not needed by a mail server."""

NOBODY = 65534
USER, PASSWORD = "anna", "right word"  # no @: popa3d's users are users of its system


def cache() -> Path:
    """Where unpacked packages lie, outside of the repository."""
    home = os.environ.get("XDG_CACHE_HOME")
    if home:
        return Path(home) / "mailbox-tests"
    return Path("/var/cache/mailbox-tests") if os.geteuid() == 0 else Path.home() / ".cache" / "mailbox-tests"


def why_missing(name: str) -> str | None:
    """Why a server cannot be started here; None when it can."""
    if not (cache() / name / DONE).exists():
        return f"{name} is not unpacked in {cache()}: python -m tests.fakes.real_servers.unpack"
    return None


def why_forbidden() -> str | None:
    """Why nobody may start servers in a root of their own here; None when we may."""
    if os.geteuid() != 0:
        return "only root may chroot"
    is_allowed = subprocess.run(["chroot", "/", "true"], check=False, capture_output=True).returncode == 0
    return None if is_allowed else "chroot is not allowed here"


def unpack(name: str, packages: Sequence[str]) -> None:
    """Download packages and the libraries they need, and unpack them as the root `name`, which is made anew."""
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix=f"{name}-") as work:
        root, downloads = Path(work) / "root", Path(work) / "downloads"
        downloads.mkdir()
        wanted = sorted(_with_libraries(packages))
        quiet = ["-qq", "-o", "APT::Sandbox::User=root"]
        subprocess.run(["apt-get", "download", *quiet, *wanted], cwd=downloads, check=True)
        for package in sorted(downloads.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, root], check=True)
        (root / DONE).write_text("".join(f"{path.stem}\n" for path in sorted(downloads.glob("*.deb"))))
        shutil.rmtree(cache() / name, ignore_errors=True)
        root.rename(cache() / name)


def _with_libraries(packages: Iterable[str]) -> set[str]:
    """The packages and, step by step, the libraries they depend on: no programs, mail transports or Perl."""
    found: set[str] = set()
    new = set(packages)
    while new:
        found |= new
        listed = subprocess.run(
            ["apt-cache", "depends", "--important", *sorted(new)], check=True, capture_output=True, text=True
        ).stdout
        names = {line.rpartition(": ")[2].strip() for line in listed.splitlines() if "Depends: " in line}
        new = {
            name for name in names if name.startswith(("lib", "zlib")) and not name.startswith(UNWANTED)
        } - found
    return found


class PrivateRoot:
    """A copy of an unpacked root, made of links, and the programs that run in it; use it as a context manager."""

    def __init__(self, name: str) -> None:
        self.path = Path(tempfile.mkdtemp(dir=cache(), prefix=f"run-{name}-"))
        self._processes: list[subprocess.Popen[bytes]] = []
        subprocess.run(["cp", "-a", "--link", f"{cache() / name}/.", self.path], check=True)
        self.path.chmod(0o755)
        for folder in ("dev", "etc", "run", "tmp", "var/log", "var/mail"):
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        (self.path / "tmp").chmod(0o1777)
        for minor, device in ((3, "null"), (9, "urandom")):
            self._device(self.path / "dev" / device, minor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, path: str, text: str | bytes, *, mode: int = 0o644, owner: int = 0) -> None:
        """Put a file at a path as the server sees it; what was linked there stays as it is elsewhere."""
        place = self.folder(str(Path(path).parent)) / Path(path).name
        place.unlink(missing_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        place.chmod(mode)
        os.chown(place, owner, owner)

    def folder(self, path: str, *, owner: int | None = None) -> Path:
        """A folder as the server sees it."""
        place = self.path / path.lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        if owner is not None:
            os.chown(place, owner, owner)
        return place

    def users(self, names: Mapping[str, int]) -> None:
        """The only users and groups there are."""
        known = {"root": 0, **names}
        lines = (f"{name}:x:{number}:{number}::/home/{name}:/bin/false\n" for name, number in known.items())
        self.write("/etc/passwd", "".join(lines))
        self.write("/etc/group", "".join(f"{name}:x:{number}:\n" for name, number in known.items()))
        self.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nservices: files\n")

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> None:
        """Run a program in there to its end."""
        subprocess.run(
            ["chroot", self.path, *command],
            env=self._environment(environment),
            check=True,
            capture_output=True,
        )

    def start(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a program in there; it ends with the root."""
        with (self.path / "var/log/output.txt").open("ab") as log:
            process = subprocess.Popen(
                ["chroot", self.path, *command],
                env=self._environment(environment),
                stdin=stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def log(self) -> str:
        """What the programs said."""
        return (self.path / "var/log/output.txt").read_text(errors="replace")

    def close(self) -> None:
        """End every program that was started, with its children, and remove the copy."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.path, ignore_errors=True)

    def _device(self, place: Path, minor: int) -> None:
        with contextlib.suppress(FileExistsError, PermissionError):
            os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        place.touch()
        place.chmod(0o666)

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(more or {})}


def wait_for(port: int, why: Callable[[], str], greeting: bytes = b"+OK") -> None:
    """Returns once a server greets on a port."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=5) as probe,
        ):
            if probe.recv(3) == greeting:
                return
        time.sleep(0.02)
    raise RuntimeError(f"the server did not start: {why()[-2000:]}")
