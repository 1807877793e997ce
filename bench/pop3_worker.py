"""One run of our POP3 client, or of `poplib`, as a process of its own; `pop3.py` starts it.

    python bench/pop3_worker.py ours|poplib|drain fetch|idle|listing|many JOB.json

Prints one line of JSON: seconds and CPU seconds of the work, without start-up (imports, one TLS context), and memory
before the messages came and at its peak. Messages go to one file as they came, each behind a "From " line.
"""

from __future__ import annotations

import asyncio
import json
import poplib
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.mail.pop3_client import Session

SEPARATOR = b"\nFrom bench Mon Nov 23 10:00:00 2026\n"
THREADS = 200
SESSIONS = 32
DRAINED = 256
"""RETRs in flight where nothing is kept, and half as many more at most."""


def memory(field: str) -> int:
    """VmRSS or VmHWM of this process in KiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    return 0


class Work:
    """What every run needs: the job, the open file, one TLS context."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.out: BinaryIO = Path(job["out"]).open("wb", buffering=256 * 1024)  # noqa: SIM115 - closed by `main`
        self.tls = ssl.create_default_context()
        self.tls.load_verify_locations(job["ca"])
        self.messages = 0
        self.idle_kib = 0


class Ours:
    """Our client, used as `bot/poll.py` uses it: capabilities remembered where a mailbox was met before."""

    def __init__(self, work: Work) -> None:
        from bot.mail import pop3_client  # noqa: PLC0415 - start-up of the other side should not carry it
        from bot.mail.hosts import Hosts  # noqa: PLC0415 - the same
        from storage.records import Secret, Security, ServerAddress  # noqa: PLC0415 - the same

        self._work = work
        self._connect = pop3_client.connect
        self._hosts = Hosts(("localhost",))
        self._server = ServerAddress("localhost", work.job["port"], Security.TLS)
        self._password = Secret(work.job["password"])

    def fetch(self) -> None:
        """All messages of the first maildrop."""
        uvloop.run(self._fetch(self._work.job["accounts"][0]))

    def idle(self) -> None:
        """The tail probe."""
        uvloop.run(self._poll(self._work.job["accounts"][0]))

    def listing(self) -> None:
        """The daily truth."""
        uvloop.run(self._listing(self._work.job["accounts"][0]))

    def many(self) -> None:
        """A poll of every mailbox, some at a time."""
        uvloop.run(self._many())

    async def _session(self, account: str, *, is_known: bool) -> Session:
        remembered = frozenset(self._work.job["capabilities"]) if is_known else None
        session = await self._connect(
            self._server, hosts=self._hosts, tls=self._work.tls, remembered=remembered
        )
        await session.login(account, self._password)
        return session

    async def _fetch(self, account: str) -> None:
        session = await self._session(account, is_known=False)
        numbers = [number for number, _ in await session.uidl()]
        self._work.idle_kib = memory("VmRSS")
        await self._take(session, numbers)
        await session.quit(wait=False)  # as the bot: the answer matters after DELE only

    async def _listing(self, account: str) -> None:
        session = await self._session(account, is_known=True)
        known = set(self._work.job["seen"][account])
        fresh = [number for number, uid in await session.uidl() if uid.decode() not in known]
        assert not fresh
        await session.quit(wait=False)

    async def _poll(self, account: str) -> None:
        last, uid = self._work.job["tail"][account]
        session = await self._session(account, is_known=True)
        found = await session.probe([last, last + 1])
        assert found.uids[last] == uid.encode()
        if found.count > last:
            await self._take(session, list(range(last + 1, found.count + 1)))
        await session.quit(wait=False)

    async def _take(self, session: Session, numbers: Sequence[int]) -> None:
        await session.sizes(numbers)
        async for incoming in session.retr(numbers):
            self._work.messages += 1
            if len(self._work.job["accounts"]) > 1:  # others write to this file at the same time
                self._work.out.write(SEPARATOR + b"".join([chunk async for chunk in incoming.chunks]))
                continue
            self._work.out.write(SEPARATOR)
            async for chunk in incoming.chunks:
                self._work.out.write(chunk)

    async def _many(self) -> None:
        places = asyncio.Semaphore(SESSIONS)

        async def poll(account: str) -> None:
            async with places:
                await self._poll(account)

        async with asyncio.TaskGroup() as group:
            for account in self._work.job["accounts"]:
                group.create_task(poll(account))


class Drain:
    """No client: asks for all mail, a window at a time, and throws it away; nothing can be faster than its server."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def fetch(self) -> None:
        """All messages of the first maildrop, unread."""
        job = self._work.job
        session = poplib.POP3_SSL("localhost", job["port"], context=self._work.tls, timeout=120)
        session.user(job["accounts"][0])
        session.pass_(job["password"])
        count, sent, done = session.stat()[0], 0, 0
        block, tail = bytearray(256 * 1024), b""
        while done < count:
            if sent - done <= DRAINED // 2 and sent < count:
                more = range(sent + 1, min(sent + DRAINED, count) + 1)
                session.sock.sendall(b"".join(b"RETR %d\r\n" % number for number in more))
                sent = more[-1]
            octets = tail + block[: session.sock.recv_into(block)]
            done += octets.count(b"\r\n.\r\n")
            tail = octets[-4:]
        session.quit()


class Plain:
    """`poplib` in a plain loop, threads for many."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def fetch(self) -> None:
        """All messages of the first maildrop."""
        session = self._session(self._work.job["accounts"][0])
        numbers = [int(line.split()[0]) for line in session.uidl()[1]]
        self._work.idle_kib = memory("VmRSS")
        for number in numbers:
            self._take(session, number)
        session.quit()

    def idle(self) -> None:
        """What is new, by the list of all: `poplib` knows no other way."""
        self._poll(self._work.job["accounts"][0])

    def many(self) -> None:
        """A poll of every mailbox, a thread for each of 200."""
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self._poll, self._work.job["accounts"]))

    def _session(self, account: str) -> poplib.POP3_SSL:
        session = poplib.POP3_SSL("localhost", self._work.job["port"], context=self._work.tls, timeout=120)
        session.user(account)
        session.pass_(self._work.job["password"])
        return session

    def _poll(self, account: str) -> None:
        session = self._session(account)
        known = set(self._work.job["seen"][account])
        rows = [line.split() for line in session.uidl()[1]]
        for number in [int(row[0]) for row in rows if row[1].decode() not in known]:
            self._take(session, number)
        session.quit()

    def _take(self, session: poplib.POP3_SSL, number: int) -> None:
        lines = session.retr(number)[1]
        self._work.messages += 1
        self._work.out.write(SEPARATOR + b"\r\n".join(lines) + b"\r\n")


def main() -> None:
    """Do one job and say what it took."""
    who, what, job = sys.argv[1:]
    work = Work(json.loads(Path(job).read_text()))
    sides: dict[str, type[Ours | Plain | Drain]] = {"ours": Ours, "poplib": Plain, "drain": Drain}
    side = sides[who](work)
    act: Callable[[], None] = getattr(side, what)
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    work.out.close()
    took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(
        json.dumps(
            {**took, "messages": work.messages, "idle_kib": work.idle_kib, "peak_kib": memory("VmHWM")}
        )
    )


if __name__ == "__main__":
    main()
