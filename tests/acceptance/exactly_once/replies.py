"""Numbered replies, the stage on which they are sent, and what became of each by what the fakes hold.

The submission server is in this process: whether it has a mail, and how often, is read from it. What the bot says became
of a mail is read from its posts in Slack. Nothing is read from the bot's database.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Self

from sqlmodel import select

from storage.clues import Clues
from storage.database import Database
from storage.grants import Grants
from storage.outgoing import Outgoings
from storage.records import Person, Security, ServerAddress
from storage.sending import Letter, NewOutgoing, Recipient, RecipientField
from storage.shares import Shares
from storage.sharing import (
    Audience,
    AudienceKind,
    Grant,
    GrantKind,
    Level,
    Role,
    Share,
    Subject,
    SubjectKind,
)
from storage.tables import MailboxRow, MessageRow
from storage.vault import MasterKeys, Vault, unlock
from tests.acceptance.exactly_once.stage import IDLE_SECONDS, Stage, Unsettled
from tests.acceptance.exactly_once.verdict import Promise, Verdict
from tests.fakes.smtp_server import SmtpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from bot.sandbox.slack.people import Human
    from bot.sandbox.slack.posts import Channel, Post
    from storage.records import NewMailbox

NOBODY: Final = "nobody@away.example"
"""An address that the server refuses for good."""

LATE: Final = "late@away.example"
"""One that it puts off a few times."""

SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.1
_NUMBER: Final = re.compile(r"Reply (\d{6})")
_FINAL: Final = ("Sent", "It is not known", "Not sent")
_NEWS: Final = ("Your e-mail", "It is not known whether the server took your e-mail")
_MEMBERS: Final = Grant(Subject(SubjectKind.ROLE, Role.MEMBER), GrantKind.CHOICE, Level.MANAGE, active=None)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that somebody sent."""

    number: int
    mailbox: int
    recipients: tuple[str, ...]
    is_by_other: bool

    @property
    def message_id(self) -> str:
        """Its Message-ID."""
        return f"<reply-{self.number:06d}@local.test>"


@dataclass(frozen=True, slots=True)
class Ends:
    """How the replies of a run ended, for those who read figures."""

    sent: int
    unknown: int
    unknown_and_there: int
    failed: int


@dataclass
class Told:
    """What the posts about one reply say, in each DM where one stands.

    Attributes:
        news: the people of the DMs in which its bad end is told of in a post of its own.
    """

    texts: list[tuple[str, str]] = field(default_factory=list)
    news: list[str] = field(default_factory=list)


class ReplyStage(Stage):
    """The stage with a submission server and replies.

    Every second mailbox is open to the next person at the level that answers, and they write from it: so the bot asks
    Slack who they are before the last dot.
    """

    def __init__(self, mailboxes: int, *, database_url: str | None = None, seed: int = 1) -> None:
        super().__init__(mailboxes, database_url=database_url, seed=seed)
        self.server = SmtpServer()
        self.replies: list[Reply] = []
        self._messages: dict[int, str] = {}
        self._mailbox_ids: dict[int, str] = {}

    async def __aenter__(self) -> Self:
        self.server.accounts = {person.email: "password" for person in self.people}
        self.server.recipients = {NOBODY: b"550 5.1.1 no such user\r\n"}
        await self._stack.enter_async_context(self.server)
        return await super().__aenter__()

    def _mailbox(self, number: int, person: Human) -> NewMailbox:
        new = super()._mailbox(number, person)
        outgoing = ServerAddress("localhost", self.server.port, Security.NONE)
        return replace(new, profile=replace(new.profile, outgoing=outgoing))

    # Acts

    async def prepare(self) -> None:
        """Bring a message into each mailbox, which the replies answer, and open what is open to others."""
        life = await self.begin()
        for number in range(len(self.people)):
            self.send(number)
        async with asyncio.timeout(SECONDS):
            while not self._is_all_posted() or self.left():  # noqa: ASYNC110 - the fakes call nobody
                await asyncio.sleep(_LOOK_SECONDS)
        await life.kill()
        async with self._database() as (database, _):
            await self._find(database)
            await Grants(database).set(
                self.owner(0).workspace, _MEMBERS, self.owner(0), _now(), lambda _: True
            )
            for number in filter(self._is_open, range(len(self.people))):
                audience = Audience(AudienceKind.PERSON, self._other(number).user)
                share = Share("", self._mailbox_ids[number], audience, Level.REPLY, _now(), history=True)
                await Shares(database).open(self.owner(number), [share], _now(), lambda _: True)

    async def _find(self, database: Database) -> None:
        owners = {self.owner(number).user: number for number in range(len(self.people))}
        async with database.read() as session:
            rows = (await session.exec(select(MailboxRow.id, MailboxRow.owner))).all()
            self._mailbox_ids = {owners[owner]: mailbox_id for mailbox_id, owner in rows}
            messages = (await session.exec(select(MessageRow.id, MessageRow.mailbox_id))).all()
        by_mailbox = {mailbox_id: message_id for message_id, mailbox_id in messages}
        self._messages = {number: by_mailbox[mailbox_id] for number, mailbox_id in self._mailbox_ids.items()}

    def _is_open(self, mailbox: int) -> bool:
        return mailbox % 2 == 0 and len(self.people) > 1

    def _other(self, mailbox: int) -> Person:
        return self.owner((mailbox + 1) % len(self.people))

    async def write(self, wanted: Sequence[tuple[int, tuple[str, ...], float]]) -> None:
        """Save replies as a form does once everything was checked, while no bot lives: mailbox, recipients, undo."""
        async with self._database() as (database, vault):
            store = Outgoings(database, vault)
            for mailbox, recipients, undo in wanted:
                reply = Reply(len(self.replies) + 1, mailbox, recipients, self._is_open(mailbox))
                self.replies.append(reply)
                await store.save(self._new(reply, undo), _now(), lambda _: True)

    def _new(self, reply: Reply, undo: float) -> NewOutgoing:
        address, subject = self.people[reply.mailbox].email, f"Reply {reply.number:06d}"
        to = tuple(Recipient(each, RecipientField.TO) for each in reply.recipients)
        octets = (
            f"From: {address}\r\nTo: {', '.join(reply.recipients)}\r\nSubject: {subject}\r\n"
            f"Message-ID: {reply.message_id}\r\n\r\nGood morning,\r\n\r\n.this line begins with a dot.\r\n"
        )
        return NewOutgoing(
            mailbox_id=self._mailbox_ids[reply.mailbox],
            actor=self._actor(reply),
            form_id=f"reply-{reply.number}",
            answers=self._messages[reply.mailbox],
            letter=Letter(reply.message_id, address, to, subject, "Good morning,"),
            octets=octets.encode(),
            clues=Clues(reply.message_id, (), subject, reply.recipients, is_answer=True),
            undo=timedelta(seconds=undo),
        )

    def _actor(self, reply: Reply) -> Person:
        return self._other(reply.mailbox) if reply.is_by_other else self.owner(reply.mailbox)

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[tuple[Database, Vault]]:
        database = await Database.open(self.settings["MAILBOX_DATABASE_URL"])
        try:
            vault = Vault(MasterKeys.parse(self.settings["MAILBOX_MASTER_KEYS"]))
            await unlock(database, vault)
            yield database, vault
        finally:
            await database.close()

    async def answered(self) -> None:
        """Until every post says how its reply ended, and nothing follows.

        Raises:
            Unsettled: some do not, and for a long while the server is sent nothing.
        """
        loop = asyncio.get_running_loop()
        last, since = len(self.server.lines), loop.time()
        while self.open():
            await asyncio.sleep(_LOOK_SECONDS)
            if (now := len(self.server.lines)) != last:
                last, since = now, loop.time()
            if loop.time() - since > IDLE_SECONDS:
                raise Unsettled(f"{self.open()[:5]}\n{self.log_tail()}")
        await asyncio.sleep(1)  # what would be sent a second time is sent within a few ticks

    # What happened

    def steps(self) -> int:
        """What the server and Slack were asked, repetitions too."""
        return len(self.server.lines) + len(self.slack.sandbox.calls.shown())

    def open(self) -> list[str]:
        """Posts that are missing or do not say yet how their reply ended."""
        told = self._told()
        found = []
        for reply in self.replies:
            texts = [text for _, text in told[reply.number].texts]
            if len(texts) < 1 + reply.is_by_other:
                found.append(f"{reply.number}: {len(texts)} posts")
            found += [f"{reply.number}: {text}" for text in texts if not _ending(text)]
            if _is_bad(reply, told[reply.number]) and not told[reply.number].news:
                found.append(f"{reply.number}: no news")
        return found

    def _told(self) -> Mapping[int, Told]:
        told = {reply.number: Told() for reply in self.replies}
        for dm in self._dms():
            for post in _posts(dm):
                for number in {int(each) for each in _NUMBER.findall(post.text)}:
                    if post.text.startswith(_NEWS):
                        told[number].news.append(dm.user or "")
                    else:
                        told[number].texts.append((dm.id, post.text.partition(": ")[2]))
        return told

    def ends(self) -> Ends:
        """How many ended in which way."""
        told, there = self._told(), self._there()
        ends = Counter(_ending(told[reply.number].texts[0][1]) for reply in self.replies)
        unknown = [
            reply
            for reply in self.replies
            if _ending(told[reply.number].texts[0][1]) == "It is not known" and there[reply.message_id]
        ]
        return Ends(ends["Sent"], ends["It is not known"], len(unknown), ends["Not sent"])

    def _there(self) -> Mapping[str, set[str]]:
        there: dict[str, set[str]] = {reply.message_id: set() for reply in self.replies}
        for kept in self.server.kept:
            there[kept.message_id] |= set(kept.recipients)
        return there

    def judged(self, doubtful: Collection[str] | None = None) -> Verdict:
        """Count, from what the fakes hold.

        Args:
            doubtful: Message-IDs of the mails that may end unknown; None lets all of them.
        """
        told, there = self._told(), self._there()
        silent = [reply for reply in self.replies if _is_silent(reply, told[reply.number], there)]
        false = [reply for reply in self.replies if _is_false(reply, told[reply.number], there)]
        posts = sum(len(told[reply.number].texts) - 1 - reply.is_by_other for reply in self.replies)
        differ = sum(
            len({_ending(text) for _, text in told[reply.number].texts}) != 1 for reply in self.replies
        )
        news = sum(
            told[reply.number].news != [self._actor(reply).user] * _is_bad(reply, told[reply.number])
            for reply in self.replies
        )
        cut = {mail.message_id for mail in self.server.transactions if not mail.has_dot}
        needless = [
            reply
            for reply in self.replies
            if doubtful is not None
            and reply.message_id not in {*doubtful, *cut}
            and _is_unknown(told[reply.number])
        ]
        strange = {kept.message_id for kept in self.server.kept} - set(there)
        return Verdict(
            {
                "lost": Promise(
                    "replies lost without saying so",
                    len(silent),
                    0,
                    f", {len(self.replies)} written{_named(silent)}",
                ),
                "twice": Promise(
                    "recipients who got a reply twice",
                    len(self.server.twice()),
                    0,
                    _shown(self.server.twice()),
                ),
                "false": Promise("posts that say what is not true", len(false), 0, _named(false)),
                "needless": Promise("replies unknown whose answer came", len(needless), 0, _named(needless)),
                "posts": Promise("posts too many", posts, 0),
                "news": Promise("senders not told once of a bad end", news, 0),
                "differ": Promise("replies whose posts do not agree", differ, 0),
                "strange": Promise("mails that nobody wrote", len(strange), 0),
            }
        )


def _now() -> datetime:
    return datetime.now(UTC)


def _posts(dm: Channel) -> list[Post]:
    roots = list(dm.posts.values())
    return [*roots, *(reply for root in roots for reply in root.replies.values())]


def _ending(text: str) -> str:
    """How a post says that a reply ended; "" while it has not."""
    found = next((words for words in _FINAL if text.startswith(words)), "")
    return "" if found == "Sent" and "Next try" in text else found


def _is_bad(reply: Reply, told: Told) -> bool:
    """Whether its posts say that it is unknown, was not sent, or not to everybody."""
    return any(
        _ending(text) in _FINAL[1:]
        or (_ending(text) == "Sent" and any(each in text for each in reply.recipients))
        for _, text in told.texts
    )


def _is_unknown(told: Told) -> bool:
    return any(_ending(text) == "It is not known" for _, text in told.texts)


def _is_silent(reply: Reply, told: Told, there: Mapping[str, set[str]]) -> bool:
    """Somebody did not get it, and no post says that this may be."""
    missing = set(reply.recipients) - there[reply.message_id]
    said = " ".join(text for _, text in told.texts)
    is_said = "It is not known" in said or "Not sent" in said
    return any(not is_said and each not in said for each in missing) or (bool(missing) and not told.texts)


def _is_false(reply: Reply, told: Told, there: Mapping[str, set[str]]) -> bool:
    """A post says that it was sent and it was not, that it was not and it was, or names who has it."""
    got = there[reply.message_id]
    for _, text in told.texts:
        if _ending(text) == "Sent" and (not got or any(each in text for each in got)):
            return True
        if _ending(text) == "Not sent" and got:
            return True
    return False


def _named(replies: Sequence[Reply]) -> str:
    return f": {', '.join(str(reply.number) for reply in replies[:5])}" if replies else ""


def _shown(pairs: Sequence[tuple[str, str]]) -> str:
    return f": {pairs[:5]}" if pairs else ""
