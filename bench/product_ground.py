"""What `product.py` stands on: a database filled in bulk, the processes, and what the system says they took."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import sys
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from bench.product_mail import CAPABILITIES, PASSWORD, Drops, uid
from bench.product_slack import APP_TOKEN, BOT_TOKEN, person
from bot.sandbox.process import ROOT, environment
from bot.sandbox.slack.people import TEAM_ID
from storage.database import Database, new_id
from storage.mailboxes import Mailboxes
from storage.pieces import MESSAGE_CHUNKS, chunk_place
from storage.records import (
    EntryState,
    Health,
    NewMailbox,
    Passwords,
    Person,
    Profile,
    Retention,
    Secret,
    Security,
    SeenState,
    ServerAddress,
    Shape,
)
from storage.sealing import packed_capabilities
from storage.statements import insert_rows
from storage.tables import ChunkRow, EntryRow, MailboxRow, MessageRow, SeenRow
from storage.vault import MasterKeys, Vault, new_master_key, unlock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

BATCH: Final = 2_000
OLD_MAIL: Final = b"Subject: Old\r\n\r\n" + b"A line of a mail that came long ago.\r\n" * 40
_COLUMNS: Final = tuple(MailboxRow.model_fields)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the database holds when the bot starts.

    Attributes:
        due: seconds from `begins` on over which the mailboxes come due.
        early: so many mailboxes are due at once, to warm up.
        stored: messages delivered earlier, spread over all mailboxes.
        is_met: whether the bot polled these mailboxes before.
    """

    mailboxes: int
    begins: datetime
    due: float
    drops: Drops
    port: int
    early: int = 0
    stored: int = 0
    is_met: bool = True

    def due_at(self, account: int) -> datetime:
        """When a mailbox is first due; neighbours by number are far apart in time."""
        if account < self.early:
            return self.begins - timedelta(hours=1)
        place = account * 7919 % self.mailboxes if self.mailboxes % 7919 else account
        return self.begins + timedelta(seconds=self.due * place / self.mailboxes)


async def seed(url: str, key: str, plan: Plan) -> None:
    """Fill the tables."""
    database = await Database.open(url)
    vault = Vault(MasterKeys.parse(key))
    await database.migrate()
    await unlock(database, vault)
    store = Mailboxes(database, vault)
    rows = [_mailbox(store, plan, account) for account in range(plan.mailboxes)]
    await _fill(database, MailboxRow, ({name: getattr(row, name) for name in _COLUMNS} for row in rows))
    if plan.is_met:
        await _fill(database, SeenRow, _known(plan, rows))
    if plan.stored:
        await _store(database, vault, plan, rows)
    await database.checkpoint()
    await database.close()


async def _fill(database: Database, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    async with database.write() as session:
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                await insert_rows(session, table, batch)
                batch = []
        if batch:
            await insert_rows(session, table, batch)


def _mailbox(store: Mailboxes, plan: Plan, account: int) -> MailboxRow:
    name, now = f"b{account}", datetime.now(UTC)
    server = ServerAddress(plan.drops.host(account), plan.port, Security.TLS)
    new = NewMailbox(
        owner=Person(TEAM_ID, person(account)),
        profile=Profile("Bench", f"{name}@bench.example", server, name, None, None),
        passwords=Passwords(Secret(PASSWORD), None),
        retention=Retention.LEAVE,
        delete_days=None,
        skip=(),
        old=(),
        make_active=True,
        form_id="bench",
    )
    row = store._new_row(new, now, is_active=True)  # noqa: SLF001 - the form's way in is one commit a mailbox
    row.due_at = plan.due_at(account)
    if plan.is_met:
        row.health, row.last_success_at = Health.OK, now
        row.polled_at = row.due_at - timedelta(seconds=plan.due)  # due by itself: nobody asked
        row.tail_number, row.tail_uid = plan.drops.known, uid(account, plan.drops.known)
        # A full listing once a day: the polls of a steady state hold their share of them.
        row.listed_at = now - timedelta(hours=24 * random.Random(account).random())
        row.capabilities = packed_capabilities(frozenset(CAPABILITIES))
    return row


def _known(plan: Plan, rows: list[MailboxRow]) -> Iterator[dict[str, Any]]:
    for account, row in enumerate(rows):
        for number in range(1, plan.drops.known + 1):
            yield _seen(row, uid(account, number))


def _seen(row: MailboxRow, key: bytes) -> dict[str, Any]:
    return {
        "mailbox_id": row.id, "uid": key, "state": SeenState.KEPT, "attempts": 0, "is_settled": True,
        "changed_at": row.created_at,
    }  # fmt: skip


async def _store(database: Database, vault: Vault, plan: Plan, rows: list[MailboxRow]) -> None:
    """Messages that are in Slack already, with their octets."""
    keys = [vault.data_key(row.wrapped_key or b"", row.workspace, row.id) for row in rows]
    for first in range(0, plan.stored, BATCH):
        numbers = range(first, min(first + BATCH, plan.stored))
        made = [(new_id(), number % len(rows), number) for number in numbers]
        await _fill(database, SeenRow, (_seen(rows[at], b"old-%d" % number) for _, at, number in made))
        await _fill(database, MessageRow, (_message(one, rows[at], number) for one, at, number in made))
        places = [chunk_place(TEAM_ID, MESSAGE_CHUNKS, one, 0, is_last=True) for one, _, _ in made]
        sealed = (keys[at].seal(OLD_MAIL, place) for (_, at, _), place in zip(made, places, strict=True))
        chunks = zip(made, sealed, strict=True)
        await _fill(
            database,
            ChunkRow,
            ({"message_id": one, "number": 0, "octets": octets} for (one, _, _), octets in chunks),
        )
        await _fill(database, EntryRow, (_entry(one, rows[at]) for one, at, _ in made))


def _message(message_id: str, row: MailboxRow, number: int) -> dict[str, Any]:
    return {
        "id": message_id, "mailbox_id": row.id, "uid": b"old-%d" % number, "fingerprint": b"f" * 32,
        "shape": Shape.WHOLE, "octets": len(OLD_MAIL), "listed_octets": len(OLD_MAIL),
        "received_at": row.created_at, "settled_at": row.created_at,
    }  # fmt: skip


def _entry(message_id: str, row: MailboxRow) -> dict[str, Any]:
    return {
        "id": new_id(), "mailbox_id": row.id, "workspace": row.workspace, "owner": row.owner,
        "message_id": message_id, "state": EntryState.SETTLED, "attempts": 1, "file_ids": "[]", "plain": False,
        "channel": "D0OLD", "ts": "1.1", "finished_at": row.created_at,
    }  # fmt: skip


class Helper:
    """A process of ours that answers one line of JSON to each line."""

    def __init__(self, process: asyncio.subprocess.Process, first: dict[str, Any]) -> None:
        self.first = first
        self.pid = process.pid
        self._process = process

    @classmethod
    async def start(cls, program: str, job: Path, **variables: str) -> Helper:
        """Start it and wait until it is ready."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(ROOT / "bench" / program), str(job),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**environment({}), **variables},
            limit=256 * 1024 * 1024,
        )  # fmt: skip
        assert process.stdout is not None
        return cls(process, json.loads(await process.stdout.readline()))

    async def ask(self) -> dict[str, Any]:
        """Its figures."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        return dict(json.loads(await self._process.stdout.readline()))

    async def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


@dataclass(frozen=True)
class Used:
    """What a process and its children took so far.

    Attributes:
        cpu: seconds of processor time, user's and system's, by "main", "threads" and "child".
        rss: MiB, of the process itself.
    """

    cpu: Mapping[str, float] = field(default_factory=dict)
    rss: float = 0.0

    @classmethod
    def of(cls, pid: int) -> Used:
        """Read it from /proc."""
        own = _seconds(pid)
        main = int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9
        children = {child for task in Path(f"/proc/{pid}/task").iterdir() for child in _children(task)}
        cpu = {"main": main, "threads": max(0.0, own - main), "child": sum(map(_seconds, children))}
        return cls(cpu, _resident(pid))

    def since(self, before: Used) -> Used:
        """What was taken since `before`; memory as it is now."""
        return Used({name: took - before.cpu.get(name, 0.0) for name, took in self.cpu.items()}, self.rss)

    @property
    def total(self) -> float:
        """All of its CPU seconds."""
        return sum(self.cpu.values())


def _children(task: Path) -> list[int]:
    try:
        return [int(pid) for pid in (task / "children").read_text().split()]
    except OSError:  # the thread has ended
        return []


def _seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


class Stage:
    """Everything that one run needs, with the bot running.

    Attributes:
        plan: what it began with.
        samples: where a bot with a look inside leaves what it saw.
    """

    def __init__(
        self, folder: Path, plan: Plan, mail: Helper, slack: Helper, bot: asyncio.subprocess.Process
    ) -> None:
        self.folder = folder
        self.plan = plan
        self.mail = mail
        self.slack = slack
        self.samples = folder / "samples.json"
        self._bot = bot

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, *, mailboxes: int, drops: Drops, lead: float, due: float, poll_seconds: int,
        is_met: bool = True, early: int = 0, stored: int = 0, looks_inside: bool = False,
    ) -> AsyncIterator[Self]:  # fmt: skip
        """Fill, start, and wait until the bot is connected; end it all afterwards.

        Args:
            lead: seconds from the end of the filling until the first mailbox is due.
            looks_inside: sample the bot's stacks.
        """
        (folder / "data").mkdir(parents=True)
        job = folder / "job.json"
        job.write_text(
            json.dumps({"drops": asdict(drops), "ca": str(folder / "ca.pem"), "people": mailboxes})
        )
        corpus = {name: os.environ[name] for name in ("MAILBOX_CORPUS",) if name in os.environ}
        mail = await Helper.start("product_mail.py", job, **corpus)
        slack = await Helper.start("product_slack.py", job)
        url, key = f"sqlite:///{folder / 'data' / 'mailbox.db'}", new_master_key()
        began = datetime.now(UTC)
        guess = timedelta(
            seconds=lead + mailboxes / 2_000 + stored / 5_000
        )  # the filling takes this long, about
        plan = Plan(mailboxes, began + guess, due, drops, mail.first["port"], early, stored, is_met)
        await seed(url, key, plan)
        bot = await _start_bot(folder, key, slack.first["api_url"], poll_seconds, looks_inside=looks_inside)
        stage = cls(folder, plan, mail, slack, bot)
        try:
            await stage._connected()
            yield stage
        finally:
            if bot.returncode is None:
                bot.terminate()
            await bot.wait()
            await mail.stop()
            await slack.stop()

    async def _connected(self) -> None:
        while not (await self.slack.ask())["is_connected"]:
            assert self._bot.returncode is None, (self.folder / "bot.log").read_text()[-3000:]
            await asyncio.sleep(0.1)
        assert datetime.now(UTC) < self.plan.begins, "filling and starting took longer than was allowed for"

    async def begins(self) -> None:
        """Until the first mailbox is nearly due."""
        await asyncio.sleep((self.plan.begins - datetime.now(UTC)).total_seconds() - 0.2)

    def used(self) -> Used:
        """What the bot took so far."""
        return Used.of(self._bot.pid)

    def beside(self) -> float:
        """CPU seconds of the pretend Slack and of the mail servers so far."""
        return _seconds(self.slack.pid) + _seconds(self.mail.pid)

    def signal(self, number: int) -> None:
        """Tell the bot's sampler to begin, or to write down what it saw."""
        self._bot.send_signal(number)

    def unfinished(self) -> tuple[int, int]:
        """Entries there are, and how many of them are unfinished; read beside the bot."""
        with closing(sqlite3.connect(f"file:{self.folder}/data/mailbox.db?mode=ro", uri=True)) as database:
            (open_now,) = database.execute("SELECT count(*) FROM entry WHERE finished_at IS NULL").fetchone()
            (last,) = database.execute("SELECT coalesce(max(number), 0) FROM entry").fetchone()
        return int(last), int(open_now)


async def _start_bot(
    folder: Path, key: str, api_url: str, poll_seconds: int, *, looks_inside: bool
) -> asyncio.subprocess.Process:
    settings = {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_API_URL": api_url,
        "MAILBOX_DATA_DIR": str(folder / "data"),
        "MAILBOX_MASTER_KEYS": key,
        "MAILBOX_ALLOWED_HOSTS": "127.0.0.0/8",
        "MAILBOX_CA_FILE": str(folder / "ca.pem"),
        "MAILBOX_POLL_SECONDS": str(poll_seconds),
        "MAILBOX_FLOOD": "1000",
    }
    inside = [str(ROOT / "bench" / "product_inside.py"), str(folder / "samples.json")]
    with (folder / "bot.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, *(inside if looks_inside else ["-m", "bot", "serve"]),
            cwd=folder, env=environment(settings), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
