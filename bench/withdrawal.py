"""How fast posts are called back once a right has ended, against a pretend Slack with its rate limits on.

    python bench/withdrawal.py [--posts 200] [--with-files 40]

Posts copies of a shared mailbox into a channel, revokes the share, and prints when nothing of their content is left and
when all are deleted, beside the sixty seconds that are promised.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot import paces
from bot.copies import CopyPosts
from bot.deliver import Deliverer
from bot.digest import DigestPosts
from bot.judging import Judge
from bot.mail.renderer import Renderer
from bot.mail_posts import MailPosts
from bot.old_mail import OldMailPosts
from bot.original_posts import OriginalPosts
from bot.outgoing_posts import SentPosts
from bot.pace import Pace
from bot.sandbox import server
from bot.sandbox.slack import channel_changes
from bot.sandbox.slack.channels import HIRING_ID
from bot.sandbox.slack.core import Timings
from bot.sandbox.slack.limits import Limits
from bot.sandbox.slack.people import BOT_USER_ID, TEAM_ID
from bot.slack.client import SlackClient, keep_alive, web_client
from bot.slack.copies import BLANK
from bot.slack.people import People
from bot.withdrawal import Withdrawing
from storage.conversations import Conversations
from storage.copies import Copies
from storage.database import Database
from storage.digests import Digests
from storage.grants import Grants
from storage.mailboxes import Mailboxes
from storage.messages import Messages
from storage.old_mail import OldMails
from storage.originals import Originals
from storage.outbox import Outbox
from storage.outgoing import Outgoings
from storage.outgoing_posts import OutgoingPosts
from storage.records import (
    Claim,
    NewMailbox,
    Passwords,
    Person,
    Profile,
    Retention,
    Secret,
    Security,
    ServerAddress,
    Shape,
)  # fmt: skip
from storage.rules import Rules
from storage.shares import Shares
from storage.sharing import (
    EVERYONE,
    Act,
    Audience,
    AudienceKind,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Share,
    Subject,
    SubjectKind,
)  # fmt: skip
from storage.tellings import Tellings
from storage.vault import MasterKeys, Vault, new_master_key
from storage.withdrawals import Withdrawals

if TYPE_CHECKING:
    from bot.sandbox.server import RunningSandbox

PROMISED: Final = 60.0
OWNER: Final = Person(TEAM_ID, "U0MARTA004")
ADMIN: Final = Person(TEAM_ID, "U0AISHA003")
CHANNEL: Final = Person(TEAM_ID, HIRING_ID)
SECRET: Final = "nobody-else-may-read-this"
LEASE: Final = timedelta(minutes=10)
PACE: Final = Pace(timedelta(minutes=5), timedelta(minutes=30), timedelta(0))
A_FILE: Final = (
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
    f"{SECRET}\r\n--b\r\nContent-Type: text/csv; name=list.csv\r\nContent-Disposition: attachment; filename=list.csv\r\n\r\n"
    f"{SECRET}\r\n--b--\r\n"
)
A_TEXT: Final = f"\r\n{SECRET}\r\n"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Ground:
    """What the bench stands on."""

    sandbox: RunningSandbox
    database: Database
    vault: Vault
    folder: Path
    slack: SlackClient
    renderer: Renderer
    stopping: asyncio.Event

    def deliverer(self) -> Deliverer:
        """The bot's own, as it posts."""
        database, vault = self.database, self.vault
        messages, mailboxes = Messages(database, vault, self.folder), Mailboxes(database, vault)
        conversations, rules = Conversations(database, vault), Rules(database, vault)
        people = People(self.slack, TEAM_ID, _now)
        digests = DigestPosts(
            Digests(database, vault), mailboxes, self.renderer, rules, conversations, flood=10_000, clock=_now
        )
        return Deliverer(
            Outbox(database),
            messages,
            mailboxes,
            self.renderer,
            self.slack,
            conversations=conversations,
            old_mail=OldMailPosts(
                OldMails(database), mailboxes, self.slack, bounds=lambda _: PACE, clock=_now
            ),
            digests=digests,
            originals=OriginalPosts(Originals(database), messages),
            copies=CopyPosts(
                Copies(database),
                Tellings(database),
                Shares(database),
                mailboxes,
                mails=MailPosts(messages, self.renderer),
                judge=Judge(people, _now),
                people=people,
                clock=_now,
            ),
            sent_posts=SentPosts(
                Outgoings(database, vault), OutgoingPosts(database, vault), mailboxes, self.slack, clock=_now
            ),
            rules=rules,
            grace=timedelta(seconds=60),
            clock=_now,
            stopping=self.stopping,
        )


async def shared(ground: Ground) -> tuple[Claim, Share]:
    """A mailbox that is shared with a channel."""
    database, grants = ground.database, Grants(ground.database)
    for subject in (EVERYONE, Subject(SubjectKind.ROLE, Role.MEMBER)):
        wide = Grant(subject, GrantKind.CHOICE, Level.MANAGE, reach=Reach.ROLES, channels=ChannelReach.ANY)
        await grants.set(TEAM_ID, wide, ADMIN, _now(), lambda _: True)
    server_ = ServerAddress("pop.bench.example", 995, Security.TLS)
    profile = Profile("Work", "marta@bench.example", server_, "marta", None, None)
    passwords = Passwords(Secret("canary"), None)
    new = NewMailbox(OWNER, profile, passwords, Retention.LEAVE, None, (), (), make_active=True, form_id="f")
    mailboxes = Mailboxes(database, ground.vault)
    mailbox = await mailboxes.add(new, _now())
    (claim,) = await mailboxes.claim_due(_now(), lease=LEASE, worker="bench", limit=1)
    audience = Audience(AudienceKind.CHANNEL, HIRING_ID)
    (share,) = await Shares(database).open(
        OWNER, [Share("", mailbox.id, audience, Level.OPEN, _now())], _now(), lambda _: True
    )
    return claim, share


async def post(ground: Ground, claim: Claim, share: Share, posts: int, with_files: int) -> None:
    """Bring that many messages into Slack, for their owner and as copies."""
    messages, copies = Messages(ground.database, ground.vault, ground.folder), Copies(ground.database)
    for number in range(posts):
        spool = messages.spool(claim)
        body = A_FILE if number < with_files else A_TEXT
        octets = f"From: a@one.example\r\nSubject: n{number}\r\n{body}".encode()
        await spool.write(octets)
        await messages.keep(
            claim, str(number).encode(), spool, shape=Shape.WHOLE, listed_octets=len(octets), now=_now()
        )
        await spool.close()
        await copies.owe(claim.mailbox.id, spool.message_id, CHANNEL, _now(), lambda _: True, share=share.id)
    deliverer, outbox = ground.deliverer(), Outbox(ground.database)
    while dms := await outbox.claim_due(_now(), lease=LEASE, worker="bench", limit=10):
        await asyncio.gather(*(deliverer.deliver(dm) for dm in dms))
    await asyncio.sleep(1)  # Slack shares files a moment later


def left(ground: Ground) -> tuple[int, int, int]:
    """In the channel: posts that still say something, files that are still there, posts that are there at all."""
    channel = ground.sandbox.workspace.channels[HIRING_ID]
    copies = [found for found in channel.posts.values() if not found.is_tombstone and _is_copy(found)]
    saying = sum(SECRET in json.dumps([found.text, found.blocks]) for found in copies)
    replies = [reply for found in channel.posts.values() for reply in found.replies.values()]
    files = {file_id for reply in replies for file_id in reply.file_ids}
    living = sum(ground.sandbox.workspace.files.get(file_id) is not None for file_id in files)
    return saying, living, len(copies)


def _is_copy(found: Any) -> bool:
    return found.text == BLANK or "Shared by" in json.dumps([found.text, found.blocks])


async def measured(ground: Ground, share: Share) -> dict[str, Any]:
    """Revoke the share, and look until everything is gone."""
    ground.sandbox.sandbox.limits = Limits()
    before = left(ground)
    job = Withdrawing(Withdrawals(ground.database), ground.slack, clock=_now, stopping=ground.stopping)
    start = time.monotonic()
    await Shares(ground.database).end(share.id, OWNER, _now(), Act.SHARE_REVOKED, lambda _: True)
    working = asyncio.create_task(_ticking(job, ground.stopping))
    times: dict[str, float] = {}
    at_promised = 0
    while "all deleted" not in times:
        saying, files, posts = left(ground)
        passed = time.monotonic() - start
        if passed <= PROMISED:
            at_promised = saying + files
        for name, is_so in {
            "no text left": not saying, "no file left": not files,
            "no content left": not saying and not files, "all deleted": not posts and not files,
        }.items():  # fmt: skip
            if is_so:
                times.setdefault(name, round(passed, 2))
        await asyncio.sleep(0.02)
    ground.stopping.set()
    await working
    return {"before": before, "seconds": times, "with content at 60 s": at_promised}


async def _ticking(job: Withdrawing, stopping: asyncio.Event) -> None:
    """As the runner does: a look every second."""
    while not stopping.is_set():
        await job.work()
        await asyncio.sleep(1)


async def run(posts: int, with_files: int) -> None:
    """One measurement."""
    paces.BURST = 100_000  # the bench posts at once what else takes its time
    timings = Timings(share=0.05)
    sandbox = await server.start(bot_token="xoxb-b", app_token="xapp-b", static=None, timings=timings)
    sandbox.sandbox.limits.enabled = False
    channel_changes.join(sandbox.sandbox, sandbox.workspace.channels[HIRING_ID], BOT_USER_ID)
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(f"sqlite:///{folder}/mailbox.db")
        await database.migrate()
        async with keep_alive(30) as session:
            slack = SlackClient(web_client("xoxb-b", sandbox.api_url, 30, None, session), session)
            vault, renderer = Vault(MasterKeys.parse(new_master_key())), Renderer()
            ground = Ground(sandbox, database, vault, Path(folder), slack, renderer, asyncio.Event())
            claim, share = await shared(ground)
            await post(ground, claim, share, posts, with_files)
            calls_before = len(sandbox.sandbox.calls.shown())
            found = await measured(ground, share)
            _print(found, Counter(_call(each) for each in sandbox.sandbox.calls.shown()[calls_before:]))
            await renderer.close()
        await database.close()
    await sandbox.stop()


def _call(call: dict[str, Any]) -> str:
    return f"{call['method']}{'' if call.get('error') is None else ' ' + str(call['error'])}"


def _print(found: dict[str, Any], calls: Counter[str]) -> None:
    saying, files, posts = found["before"]
    print(f"posts {posts}, with text {saying}, files {files}")
    for name, seconds in found["seconds"].items():
        print(f"{name:16} {seconds:8.2f} s   {seconds / PROMISED:5.2f} of the promised {PROMISED:.0f} s")
    print(f"content at 60 s: {found['with content at 60 s']} posts or files")
    print("calls:", ", ".join(f"{name} {count}" for name, count in sorted(calls.items())))


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--posts", type=int, default=200)
    parser.add_argument("--with-files", type=int, default=40)
    chosen = parser.parse_args()
    asyncio.run(run(chosen.posts, chosen.with_files))


if __name__ == "__main__":
    main()
