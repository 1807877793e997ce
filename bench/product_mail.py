"""The mail servers of `product.py`, as a process of its own: many maildrops that cost next to nothing.

    python bench/product_mail.py JOB.json

Listens with TLS on one port of many addresses of loopback, so that the bot meets many hosts. A maildrop is a name and
a number; what lies in it follows from these and from how much came since. Prints one line of JSON when it is ready,
and one for each line it reads on standard input: what it was asked for since the last one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import re
import socket
import ssl
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import trustme

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from collections.abc import Callable

PASSWORD: Final = "bench"
CAPABILITIES: Final = ("TOP", "UIDL", "RESP-CODES", "PIPELINING", "USER", "SASL PLAIN")
CORPUS: Final = "MAILBOX_CORPUS"
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_HEAD: Final = (
    b"From: Ada Lovelace <ada@elsewhere.example>\r\nTo: you@bench.example\r\nSubject: Report %d of this week\r\n"
    b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%d@elsewhere.example>\r\nMIME-Version: 1.0\r\n"
)


@dataclass(frozen=True, slots=True)
class Drops:
    """What the maildrops hold; part of the job, so that the bench knows the same UIDs.

    Attributes:
        known: messages that the bot knows from before.
        waiting: messages that lie there new at the start.
        arrivals: chance that a session finds one more.
        latency: seconds before each answer.
        slow: of the last of the hosts.
        hosts: addresses the servers answer on.
    """

    known: int = 10
    waiting: int = 0
    arrivals: float = 0.0
    latency: float = 0.02
    slow: float = 0.0
    hosts: int = 40

    def host(self, account: int) -> str:
        """Where an account is."""
        return f"127.0.1.{1 + account % self.hosts}"


def uid(account: int, number: int) -> bytes:
    """The UID of a message."""
    return b"u%06d-%06d" % (account, number)


def mails() -> list[bytes]:
    """Real mails where MAILBOX_CORPUS names a folder of them, else a mix of invented ones; CRLF line ends."""
    folder = os.environ.get(CORPUS)
    if not folder:
        return [_invented(number) for number in range(200)]
    rows = [json.loads(line) for line in (Path(folder) / "manifest.jsonl").read_text().splitlines()]
    whole = [Path(folder, row["file"]).read_bytes() for row in rows if row["kind"] == "eml"]
    drawn = [_LINE_END.sub(b"\r\n", octets) for octets in whole if octets.strip()]
    random.Random(5).shuffle(drawn)
    return drawn


def _invented(number: int) -> bytes:
    """Text, HTML beside text, and an attachment now and then."""
    head = _HEAD % (number, number)
    text = b"".join(
        b"Line %d of a mail that says what happened and what comes next.\r\n" % at for at in range(30)
    )
    if number % 3 == 0:
        return head + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text
    html = (
        b"<html><body>" + b"".join(b"<p>%b</p>" % line for line in text.splitlines()) + b"</body></html>\r\n"
    )
    parts = (
        b"--b\r\nContent-Type: text/plain\r\n\r\n" + text + b"--b\r\nContent-Type: text/html\r\n\r\n" + html
    )
    if number % 10:
        return head + b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n' + parts + b"--b--\r\n"
    file = base64.encodebytes(random.Random(number).randbytes(20_000)).replace(b"\n", b"\r\n")
    leaf = b'--b\r\nContent-Type: application/pdf; name="r.pdf"\r\nContent-Disposition: attachment; filename="r.pdf"\r\n'
    return (
        head + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + parts
        + leaf + b"Content-Transfer-Encoding: base64\r\n\r\n" + file + b"--b--\r\n"
    )  # fmt: skip


@dataclass
class Server:
    """All the maildrops.

    Attributes:
        arrived: messages that came while it ran, by account.
        logins: account and time of the connection, of each session since the last question.
    """

    drops: Drops
    sent: list[bytes]
    sizes: list[int]
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    arrived: Counter[int] = field(default_factory=Counter)
    logins: list[tuple[int, float]] = field(default_factory=list)
    retrs: int = 0

    def count(self, account: int) -> int:
        """How many messages lie in a maildrop."""
        return self.drops.known + self.drops.waiting + self.arrived[account]

    def opened(self, account: int, since: float) -> None:
        """A session begins."""
        self.logins.append((account, since))
        self.arrived[account] += self.chance.random() < self.drops.arrivals

    def place(self, account: int, number: int) -> int:
        """Which of the mails a message is."""
        return (account * 31 + number) % len(self.sent)

    def report(self) -> dict[str, Any]:
        """What happened since the last time."""
        told = {"logins": self.logins, "retrs": self.retrs, "arrived": self.arrived.total()}
        self.logins, self.retrs = [], 0
        return told


class Dialogue(asyncio.Protocol):
    """One session."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._since = time.time()
        self._latency = server.drops.latency
        self._account = 0
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greets."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        last = self._server.drops.host(self._server.drops.hosts - 1)
        if self._server.drops.slow and transport.get_extra_info("sockname")[0] == last:
            self._latency = self._server.drops.slow
        self._say(b"+OK ready\r\n")

    def data_received(self, data: bytes) -> None:
        """Answers whole lines, all that came together with one write."""
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        self._say(b"".join(map(self._answer, lines)))

    def _say(self, octets: bytes) -> None:
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, self._write, octets)
        else:
            self._write(octets)

    def _write(self, octets: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(octets)

    def _answer(self, line: bytes) -> bytes:
        verb, _, argument = line.partition(b" ")
        answer: Callable[[bytes], bytes] | None = getattr(self, f"_on_{verb.decode().lower()}", None)
        return b"-ERR unknown command\r\n" if answer is None else answer(argument)

    def _on_auth(self, argument: bytes) -> bytes:
        name = base64.b64decode(argument.partition(b" ")[2]).split(b"\0")[1]
        self._account = int(name[1:])
        self._server.opened(self._account, self._since)
        return b"+OK\r\n"

    def _on_capa(self, _: bytes) -> bytes:
        return b"+OK\r\n" + "".join(f"{line}\r\n" for line in CAPABILITIES).encode() + b".\r\n"

    def _on_stat(self, _: bytes) -> bytes:
        return b"+OK %d 100000\r\n" % self._server.count(self._account)

    def _on_uidl(self, argument: bytes) -> bytes:
        return self._rows(argument, lambda number: uid(self._account, number))

    def _on_list(self, argument: bytes) -> bytes:
        return self._rows(
            argument, lambda number: b"%d" % self._server.sizes[self._server.place(self._account, number)]
        )

    def _rows(self, argument: bytes, value: Callable[[int], bytes]) -> bytes:
        count = self._server.count(self._account)
        if not argument:
            rows = (b"%d %b\r\n" % (number, value(number)) for number in range(1, count + 1))
            return b"+OK\r\n" + b"".join(rows) + b".\r\n"
        number = int(argument)
        return b"+OK %d %b\r\n" % (number, value(number)) if number <= count else b"-ERR no such message\r\n"

    def _on_retr(self, argument: bytes) -> bytes:
        self._server.retrs += 1
        return self._server.sent[self._server.place(self._account, int(argument))]

    def _on_quit(self, _: bytes) -> bytes:
        return b"+OK bye\r\n"


def stuffed(octets: bytes) -> bytes:
    """A message as it goes on the wire, with its first and last line."""
    end = b"" if octets.endswith(b"\r\n") else b"\r\n"
    return b"+OK\r\n" + (b"\r\n" + octets + end).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


async def serve(job: dict[str, Any]) -> None:
    """Until standard input ends."""
    drops = Drops(**job["drops"])
    authority = trustme.CA()
    authority.cert_pem.write_to_path(job["ca"])
    names = [drops.host(number) for number in range(drops.hosts)]
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(tls)
    octets = mails()
    server = Server(drops, [stuffed(mail) for mail in octets], [len(mail) for mail in octets])
    with socket.create_server((names[0], 0)) as first:
        port = first.getsockname()[1]
    await asyncio.get_running_loop().create_server(
        lambda: Dialogue(server), names, port, ssl=tls, backlog=1000
    )
    print(json.dumps({"port": port, "mails": len(octets), "octets": sum(map(len, octets))}), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(server.report()), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
