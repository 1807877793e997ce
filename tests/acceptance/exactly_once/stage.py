"""The stage: pretend Slack and mail servers in this process, proxies that cut before them, the bot in its own.

What happened is read from the fakes alone: the posts in Slack, the journals of the maildrops, the log of calls.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from bot.sandbox import server
from bot.sandbox.mail.maildrops import Account, Maildrop
from bot.sandbox.mail.servers import MailServers
from bot.sandbox.process import environment
from bot.sandbox.slack.people import TEAM_ID, Human
from bot.sandbox.slack.views import Desk
from storage.database import Database
from storage.mailboxes import Mailboxes
from storage.records import NewMailbox, Passwords, Person, Profile, Retention, Secret, Security, ServerAddress
from storage.vault import MasterKeys, Vault, new_master_key, unlock
from tests.acceptance.exactly_once.crashing_bot import Orders
from tests.acceptance.exactly_once.mails import has_file, mark, numbered
from tests.acceptance.exactly_once.verdict import Interruptions, Seen, Verdict, judged
from tests.acceptance.lives import Life, Lives
from tests.fakes.cutting_proxy import CuttingProxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.slack.posts import Channel

GRACE_SECONDS: Final = 2.0
"""At most half of it is one request's time; so nothing is in flight when Slack is asked."""

FLOOD: Final = 1_000
"""As high as it goes: each message is to come by itself, in the thread where it belongs."""

IDLE_SECONDS: Final = 45.0
"""Longer than any wait of the bot here: twelve seconds between polls that fail, a few between attempts."""

_LOOK_SECONDS: Final = 0.1
_BOT_TOKEN: Final = "xoxb-1"
_APP_TOKEN: Final = "xapp-1"


class Unsettled(Exception):
    """Not everything came to rest in time; the text says what is missing and ends with the bot's log."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message put into a maildrop."""

    mailbox: int
    number: int
    uid: str

    @property
    def mark(self) -> str:
        """What it is known by."""
        return mark(self.mailbox, self.number)


class Stage:
    """Everything but the bot; use it as a context, which ends all of it.

    Args:
        mailboxes: how many, each of another person. Every second one is reached by TLS, the others in the clear,
            where the proxy also knows a QUIT when it sees one.
        database_url: of a database of its own; None makes a SQLite file.
        cuts: share of the connections to the mail servers that break.
        old: messages without files that lie in each maildrop before its mailbox is added, and are wanted.
    """

    def __init__(
        self,
        mailboxes: int,
        *,
        database_url: str | None = None,
        cuts: float = 0.0,
        seed: int = 1,
        old: int = 0,
    ) -> None:
        self.people = [_human(number) for number in range(mailboxes)]
        self.interruptions = Interruptions()
        self.sent: list[Sent] = []
        self._chance = random.Random(seed)
        self._cuts = cuts
        self._old = old
        self._database_url = database_url
        self._stack = AsyncExitStack()
        self._counts = [0] * mailboxes
        self.folder = Path()
        self.mail = MailServers(())
        self.proxies: dict[Security, CuttingProxy] = {}
        self.slack: server.RunningSandbox
        self.settings: dict[str, str] = {}
        self.lives: Lives

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mailbox-once-")))
        accounts = [Account(person.email, "password") for person in self.people]
        self.mail = MailServers(accounts, folder=self.folder, keep=True)
        self._stack.push_async_callback(self.mail.stop)
        await self.mail.start()
        for security, port in ((Security.TLS, self.mail.ports.pop3s), (Security.NONE, self.mail.ports.pop3)):
            proxy = self.proxies[security] = CuttingProxy(port, self._chance, share=self._cuts)
            self._stack.push_async_callback(proxy.stop)
            await proxy.start()
        self.slack = await server.start(bot_token=_BOT_TOKEN, app_token=_APP_TOKEN, static=None)
        self._stack.push_async_callback(self.slack.stop)
        self.slack.sandbox.limits.enabled = False
        for person in self.people:
            self.slack.workspace.people[person.id] = person
            self.slack.workspace.desks[person.id] = Desk()
        for number in range(len(self.people)):
            self._put_old(number)
        settings = self.settings = self._settings()
        await self._seed(settings)
        self.lives = await self._stack.enter_async_context(Lives())

    @property
    def log(self) -> Path:
        """What all lives of the bot printed."""
        return self.folder / "bot.log"

    def _settings(self) -> dict[str, str]:
        data = self.folder / "data"
        return {
            "SLACK_BOT_TOKEN": _BOT_TOKEN,
            "SLACK_APP_TOKEN": _APP_TOKEN,
            "SLACK_API_URL": self.slack.api_url,
            "MAILBOX_DATA_DIR": str(data),
            "MAILBOX_DATABASE_URL": self._database_url or f"sqlite:///{data / 'mailbox.db'}",
            "MAILBOX_MASTER_KEYS": new_master_key(),
            "MAILBOX_ALLOWED_HOSTS": "localhost,127.0.0.1",
            "MAILBOX_CA_FILE": str(self.mail.ca_pem),
            "MAILBOX_POLL_SECONDS": "1",
            "MAILBOX_GRACE_SECONDS": str(GRACE_SECONDS),
            "MAILBOX_FLOOD": str(FLOOD),
        }

    async def _seed(self, settings: dict[str, str]) -> None:
        """Store the mailboxes, as the form does once its test has passed."""
        database = await Database.open(settings["MAILBOX_DATABASE_URL"])
        try:
            vault = Vault(MasterKeys.parse(settings["MAILBOX_MASTER_KEYS"]))
            await database.migrate()
            await unlock(database, vault)
            store = Mailboxes(database, vault)
            for number, person in enumerate(self.people):
                await store.add(self._mailbox(number, person), datetime.now(UTC))
        finally:
            await database.close()

    def _mailbox(self, number: int, person: Human) -> NewMailbox:
        security = Security.TLS if number % 2 else Security.NONE
        server_address = ServerAddress("localhost", self.proxies[security].port, security)
        return NewMailbox(
            owner=self.owner(number),
            profile=Profile("Numbers", person.email, server_address, person.email, None, None),
            passwords=Passwords(Secret("password"), None),
            retention=Retention.DELETE_POSTED,
            delete_days=None,
            skip=(),
            old=tuple(sent.uid.encode() for sent in self.sent if sent.mailbox == number),
            make_active=True,
            form_id=f"form-{number}",
        )

    def owner(self, number: int) -> Person:
        """Whose mailbox it is."""
        return Person(TEAM_ID, self.people[number].id)

    # Acts

    async def begin(self, orders: Orders | None = None, **changes: str) -> Life:
        """Start the bot.

        Args:
            changes: variables other than those of all lives.
        """
        settings = environment({**self.settings, **changes})
        return await self.lives.begin(settings, self.folder, self.log, orders or Orders())

    def send(self, mailbox: int, *, with_file: bool = False) -> Sent:
        """Put the next message into a maildrop, if need be the next one that has an attachment."""
        self._counts[mailbox] += 1
        while with_file and not has_file(self._counts[mailbox]):
            self._counts[mailbox] += 1
        number = self._counts[mailbox]
        (mail,) = self.mail.deliver(self.people[mailbox].email, numbered(mailbox, number))
        self.sent.append(Sent(mailbox, number, mail.uid))
        return self.sent[-1]

    def _put_old(self, mailbox: int) -> None:
        for _ in range(self._old):
            if has_file(self._counts[mailbox] + 1):
                self._counts[mailbox] += 1
            self.send(mailbox)

    async def settled(self) -> None:
        """Until everything sent is posted and gone from the maildrops, and nothing follows.

        Raises:
            Unsettled: something is missing, and for a long while the bot does nothing.
        """
        await self._until(lambda: self._is_all_posted() and not self.left())
        # Whatever would come a second time comes within the grace time and the polls after it.
        await asyncio.sleep(GRACE_SECONDS + 1)

    async def posted(self) -> None:
        """Until everything sent is posted, wherever else it still lies. Raises as `settled` does."""
        await self._until(self._is_all_posted)

    async def _until(self, is_done: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        last, since = self.acts(), loop.time()
        while not is_done():
            await asyncio.sleep(_LOOK_SECONDS)
            if (now := self.acts()) != last:
                last, since = now, loop.time()
            if loop.time() - since > IDLE_SECONDS:
                missing = sorted({sent.mark for sent in self.sent} - self._seen().marks())[:5]
                raise Unsettled(f"missing {missing}, left {self.left()}\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The end of the bot's log."""
        return self.log.read_text(errors="replace")[-3_000:] if self.log.exists() else ""

    def _is_all_posted(self) -> bool:
        if self._posts() < len(self.sent):
            return False
        seen = self._seen()
        return {sent.mark for sent in self.sent} <= seen.marks() and seen.has_files()

    # What happened

    def acts(self) -> int:
        """Messages fetched, posted and deleted, repetitions too."""
        fetched = sum(drop.counters.commands["RETR"] for drop in self.mail.drops)
        deleted = sum(len(drop.counters.deleted) for drop in self.mail.drops)
        return fetched + deleted + self._posts()

    def _posts(self) -> int:
        """How many stand in the DMs and their threads, files too."""
        posts = [post for channel in self._dms() for post in channel.posts.values()]
        return len(posts) + sum(len(post.replies) for post in posts)

    def left(self) -> int:
        """Messages in the maildrops."""
        return sum(len(drop.mails) for drop in self.mail.drops)

    def verdict(self) -> Verdict:
        """Count, from what the fakes hold."""
        retrs = sum(drop.counters.retr.total() for drop in self.mail.drops)
        return judged(
            [[sent for sent in self.sent if sent.mailbox == number] for number in range(len(self.people))],
            self._seen(),
            deleted={uid: at for drop in self.mail.drops for uid, at in self._deleted(drop)},
            left=self.left(),
            retrs=retrs,
            calls=self.slack.sandbox.calls.shown(),
            interruptions=self.interruptions,
        )

    def _dms(self) -> list[Channel]:
        return [self.slack.workspace.dm(person.id) for person in self.people]

    def _seen(self) -> Seen:
        return Seen.of(self._dms(), self.slack.workspace.files)

    def _deleted(self, drop: Maildrop) -> list[tuple[str, float]]:
        journal = (self.folder / "mail" / drop.account.address / "journal.jsonl").read_text(encoding="utf-8")
        lines = [json.loads(line) for line in journal.splitlines()]
        return [(line["uid"], line["time"]) for line in lines if line["event"] == "DELETED"]


def _human(number: int) -> Human:
    name = f"person{number:04d}"
    return Human(
        f"UONCE{number:05d}", name, name, "member", "", "3c989f", "Europe/Paris", f"{name}@local.test"
    )
