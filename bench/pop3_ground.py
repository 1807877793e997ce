"""What the POP3 bench stands on: a private Dovecot with many maildrops, and a proxy that delays and counts.

All on loopback, in one private folder, which lies in memory where the system has such a place: the disk is nobody's
merit. The server keeps its login processes and allows many sessions at once, so that it is as little of the time as
it can be.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import ssl
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.fakes.dovecot import Dovecot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY = Path("/dev/shm")
_TUNING = """
default_process_limit = 2000
default_client_limit = 5000
service pop3-login {
  service_count = 0
  process_min_avail = 2
  process_limit = 2
  client_limit = 2000
}
service pop3 {
  process_min_avail = 8
  process_limit = 1024
}
"""


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for everything the bench writes, in memory where there is room; others may pass through it."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="mailbox-bench-", dir=place) as name:
        Path(name).chmod(0o711)
        before, tempfile.tempdir = tempfile.tempdir, name
        try:
            yield Path(name)
        finally:
            tempfile.tempdir = before


class Ground(Dovecot):
    """A Dovecot for load."""

    def _write_files(self) -> None:
        super()._write_files()
        with (self._folder / "dovecot.conf").open("a") as config:
            config.write(_TUNING)
        (der,) = self._certificates.client().get_ca_certs(binary_form=True)
        self.ca.write_text(ssl.DER_cert_to_PEM_cert(der))

    @property
    def ca(self) -> Path:
        """The authority that vouches for it."""
        return self._folder / "ca.pem"

    def fill(self, user: str, count: int, octets: bytes) -> None:
        """Put many equal messages into a maildrop as hard links to one file; names tell the sizes."""
        folder = self._folder / "mail" / user / "cur"
        sizes = f"S={len(octets)},W={len(octets)}"
        source = None
        for number in range(count):
            path = folder / f"{1_600_000_000 + number}.M{number}P1.localhost,{sizes}:2,S"
            if source is None or number % 30_000 == 0:  # ext4 has 65,000 links at most
                source = path
                path.write_bytes(octets)
                self._own(path)
            else:
                os.link(source, path)


def messages(count: int, octets: int) -> Iterator[bytes]:
    """Mails of mixed sizes, the same in each run: most are small, a few large; `octets` in all, about.

    Lines of all kinds: long ones, some that begin with a dot, some with "From ".
    """
    draw = random.Random(3)
    text = _text(draw)
    weights = [draw.choice((1, 1, 1, 1, 1, 1, 1, 8, 8, 40)) * (0.5 + draw.random()) for _ in range(count)]
    unit = octets / sum(weights)
    for number, weight in enumerate(weights):
        start = draw.randrange(len(text) // 2)
        start = text.index(b"\r\n", start) + 2
        stop = text.index(b"\r\n", start + int(weight * unit) % (len(text) // 2)) + 2
        yield _head(number) + text[start:stop]


def one_message(octets: int) -> bytes:
    """A single large mail."""
    text = _text(random.Random(5))
    return _head(0) + (text * (octets // len(text) + 1))[: octets - 2] + b"\r\n"


def _text(draw: random.Random) -> bytes:
    lines = [draw.randbytes(57).hex().encode()[: draw.choice((20, 60, 76, 110))] for _ in range(60_000)]
    for number in range(0, len(lines), 500):
        lines[number] = draw.choice((b".", b"..", b".dot first", b"From here on", b""))
    return b"\r\n".join(lines) + b"\r\n"


def _head(number: int) -> bytes:
    return (
        b"Return-Path: <bench@example.org>\r\nFrom: Bench <bench@example.org>\r\nTo: me@example.org\r\n"
        b"Subject: Message %d\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%d@example.org>\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" % (number, number)
    )


@dataclass
class Traffic:
    """What went through the proxy.

    Attributes:
        octets_in: to the client.
        octets_out: from the client.
        waits: times the client's side fell silent until the server spoke, with one for TCP each connection. With
            many commands in flight it counts bursts, not trips.
    """

    octets_in: int = 0
    octets_out: int = 0
    waits: int = 0


class Proxy:
    """Passes TCP on to a port of loopback; each direction takes half of `round_trip`, without a limit of speed.

    The first octets of a client wait one round trip more, in the place of TCP's own greeting, which loopback
    answers at once. Runs in a thread of its own.
    """

    def __init__(self, port: int, round_trip: float = 0) -> None:
        self.traffic = Traffic()
        self._target = port
        self._round_trip = round_trip
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._listener.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._loop.create_server(self._passage, sock=self._listener))
        self._loop.run_forever()

    def _passage(self) -> asyncio.Protocol:
        self.traffic.waits += 1
        return _Passage(self._target, self._round_trip, self.traffic)


class _Passage(asyncio.Protocol):
    """The client's end of one connection; octets and ends leave in order, each after its delay."""

    def __init__(self, target: int, round_trip: float, traffic: Traffic) -> None:
        self._loop = asyncio.get_running_loop()
        self._target = target
        self._half = round_trip / 2
        self._traffic = traffic
        self._is_asking = False
        self._client: asyncio.Transport | None = None
        self._server: asyncio.Future[asyncio.Transport] = self._loop.create_future()
        self._last_out = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._client = transport
        self._last_out = self._loop.time() + 3 * self._half
        self._task = self._loop.create_task(self._dial())

    async def _dial(self) -> None:
        transport, _ = await self._loop.create_connection(lambda: _Far(self), "127.0.0.1", self._target)
        self._server.set_result(transport)

    def data_received(self, data: bytes) -> None:
        self._traffic.octets_out += len(data)
        self._is_asking = True
        self._outwards(lambda: self._to_server(lambda server: server.write(data)))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._outwards(lambda: self._to_server(lambda server: server.close()))

    def _outwards(self, act: Callable[[], None]) -> None:
        self._last_out = max(self._last_out, self._loop.time() + self._half)
        self._later(self._last_out, act)

    def _to_server(self, act: Callable[[asyncio.Transport], None]) -> None:
        self._server.add_done_callback(lambda ready: act(ready.result()))

    def inwards(self, data: bytes) -> None:
        """What the server said; empty for its end."""
        self._later(self._loop.time() + self._half, lambda: self._to_client(data))

    def _to_client(self, data: bytes) -> None:
        assert self._client is not None
        if not data:
            self._client.close()
            return
        self._traffic.octets_in += len(data)
        self._traffic.waits += self._is_asking
        self._is_asking = False
        self._client.write(data)

    def _later(self, when: float, act: Callable[[], None]) -> None:
        if self._half:
            self._loop.call_at(when, act)
        else:
            self._loop.call_soon(act)


class _Far(asyncio.Protocol):
    """The server's end."""

    def __init__(self, passage: _Passage) -> None:
        self._passage = passage

    def data_received(self, data: bytes) -> None:
        self._passage.inwards(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._passage.inwards(b"")
