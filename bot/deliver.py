"""Use case: bring what the outbox owes to Slack, each thing once.

Every entry passes WAITING, POSTING, POSTED, FILING, SETTLED. POSTING and FILING are committed before Slack is
asked; an entry found there afterwards is unknown and is looked up in Slack, not sooner than the grace time, before
anything is repeated. One post at a time per DM, many DMs at once.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from bot import entries, lease, plan
from bot.contents import Contents
from bot.errors import NotAllowed, NotKnown
from bot.mail_posts import MailPosts
from bot.paces import Paces
from bot.placing import Placing
from bot.slack import posts
from bot.slack.client import (
    CLOSED_DM,
    NO_RIGHTS,
    THREAD_GONE,
    CallFailed,
    Outcome,
    Posted,
    Refused,
    TryLater,
    Unknown,
)
from storage.conversations import Place
from storage.copied import is_channel
from storage.errors import LeaseLost, NotFound, SealBroken
from storage.records import Dm, Entry, EntryState, Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.copies import CopyPosts
    from bot.digest import DigestPosts
    from bot.mail.content import Rendered
    from bot.mail.renderer import Renderer
    from bot.old_mail import OldMailPosts
    from bot.original_posts import OriginalPosts
    from bot.outgoing_posts import SentPosts
    from bot.slack.client import SlackClient
    from storage.conversations import Conversations
    from storage.mailboxes import Mailboxes
    from storage.messages import Messages
    from storage.outbox import Outbox
    from storage.rules import Rules

log = structlog.get_logger(__name__)

ENTRIES_PER_CLAIM = 20
WHOLE_MESSAGES = 4
"""Messages in memory at a time, over all DMs: each may have 25 MiB, and its files again."""

UPLOADS = 2
"""Messages whose files are on their way at a time; slow ones hold up no post without files."""

PARKED = timedelta(hours=1)
UNAUTHORISED = timedelta(minutes=5)
FILE_ATTEMPTS = 5
FILE_TRIES = 8
"""So often, over some eight minutes, files are tried whose upload or share gets no answer; then their DM goes on."""

NOT_ALLOWED = "not allowed"
"""The error of a copy that may not be posted."""

THREADS = 3
"""So often a thread that is gone is begun anew for a message; then it comes as a post of its own."""


class Deliverer:
    """Empties the outbox of claimed DMs.

    Args:
        grace: wait before an unknown post is looked up; longer than a request in flight can live.
        stopping: once set, the post at hand is finished and nothing new is begun.
    """

    def __init__(
        self,
        outbox: Outbox,
        messages: Messages,
        mailboxes: Mailboxes,
        renderer: Renderer,
        slack: SlackClient,
        *,
        conversations: Conversations,
        old_mail: OldMailPosts,
        digests: DigestPosts,
        originals: OriginalPosts,
        copies: CopyPosts,
        sent_posts: SentPosts,
        rules: Rules,
        grace: timedelta,
        clock: Callable[[], datetime],
        stopping: asyncio.Event,
    ) -> None:
        self._outbox = outbox
        self._contents = Contents(
            outbox, messages, mailboxes, MailPosts(messages, renderer),
            old_mail=old_mail, digests=digests, originals=originals, copies=copies, sent_posts=sent_posts,
        )  # fmt: skip
        self._copies = copies
        self._placing = Placing(conversations, rules, clock)
        self._slack = slack
        self._old_mail = old_mail
        self._digests = digests
        self._grace = grace
        self._clock = clock
        self._stopping = stopping
        self._room = asyncio.Semaphore(WHOLE_MESSAGES)
        self._uploads = asyncio.Semaphore(UPLOADS)
        self._look = asyncio.Lock()
        self._no_look_before: datetime | None = None
        self._paces = Paces()
        self._silent_until: datetime | None = None

    async def deliver(self, dm: Dm) -> bool:
        """Work through one DM, oldest first, until it is empty, must wait, or another DM should have its turn.

        Returns:
            Whether there may be more to do at once.
        """
        may_go_on = True
        try:
            async with lease.kept(partial(self._outbox.renew, dm), self._clock):
                for _ in range(ENTRIES_PER_CLAIM):
                    entry = await self._outbox.head(dm)
                    if entry is None or self._stopping.is_set() or self.is_silent:
                        may_go_on = False
                        break
                    dm, may_go_on = await self._advance(dm, entry)
                    if not may_go_on:
                        break
                await self._outbox.release(dm, self._silent_until if self.is_silent else None)
        except LeaseLost:
            log.info("delivery_superseded", dm_fence=dm.fence)
            return False
        return may_go_on

    async def tell_progress(self) -> None:
        """Let the posts over old mail say how far it is; whatever comes of that, mail goes on."""
        await self._old_mail.tell()

    @property
    def is_silent(self) -> bool:
        """Whether Slack asked the workspace to wait just now."""
        return self._silent_until is not None and self._clock() < self._silent_until

    async def _advance(self, dm: Dm, entry: Entry) -> tuple[Dm, bool]:
        """One step of one entry; False when the DM must wait."""
        try:
            step = {
                EntryState.WAITING: self._post,
                EntryState.POSTING: self._look_up_post,
                EntryState.POSTED: self._share_files,
                EntryState.FILING: self._look_up_files,
            }[entry.state]
            return await step(dm, entry)
        except CallFailed as failed:
            return await self._wait(dm, entry, failed.outcome)
        except (NotAllowed, NotKnown) as refusal:
            return await self._withhold(dm, entry, is_final=isinstance(refusal, NotAllowed))
        except SealBroken:
            log.error("entry_does_not_open", entry=entry.id)  # noqa: TRY400 - no traceback
            return await self._record(dm, replace(entry, state=EntryState.GIVEN_UP), error="sealed"), True
        except NotFound:
            # The mailbox was removed, or its octets are past their time: nothing can be shown any more.
            return await self._record(dm, replace(entry, state=EntryState.GIVEN_UP), error="gone"), True

    # Posting

    async def _post(self, dm: Dm, entry: Entry) -> tuple[Dm, bool]:
        if entry.notice is Notice.DIGEST and await self._digests.dissolved(dm, entry):
            return dm, True
        rendered, owes_files = await self._post_of(entry)
        entry, place = await self._placing.placed(entry, rendered)
        if entry.state is EntryState.MUTED:
            return await self._record(dm, entry, place=place), True
        thread_ts = await self._thread(entry)
        channel = dm.channel or await self._slack.open_dm(dm.owner.user)
        await self._paces.of(channel).acquire()
        if self.is_silent:
            return dm, False
        entry = replace(
            entry,
            state=EntryState.POSTING,
            attempts=entry.attempts + 1,
            channel=channel,
            intended_at=self._clock(),
            lookup_after=self._clock() + self._grace,
        )
        dm = await self._record(dm, entry, place=place)
        is_shown = entries.is_shown_in_dm(entry)
        outcome = await self._slack.post(
            channel, rendered.text, rendered.blocks, entry.id, thread_ts, is_shown_in_dm=is_shown
        )
        return await self._after_post(dm, entry, outcome, owes_files=owes_files)

    async def _after_post(
        self, dm: Dm, entry: Entry, outcome: Outcome, *, owes_files: bool
    ) -> tuple[Dm, bool]:
        if isinstance(outcome, Posted):
            return await self._record(dm, entries.posted(entry, outcome.ts, owes_files=owes_files)), True
        if isinstance(outcome, Refused) and outcome.code in THREAD_GONE and entry.parent is not None:
            return await self._begin_thread_anew(dm, entry), True
        if isinstance(outcome, Refused) and outcome.code not in CLOSED_DM | NO_RIGHTS:
            if entry.plain:
                log.error("post_given_up", entry=entry.id)
                await self._contents.stand_in(entry, self._clock())
            return await self._record(dm, entries.simpler(entry), error=outcome.code), True
        return await self._hold(dm, entry, outcome)

    async def _look_up_post(self, dm: Dm, entry: Entry) -> tuple[Dm, bool]:
        """Ask Slack whether an unknown post is there; only if it is not, post again."""
        assert entry.channel is not None
        thread_ts = await self._thread(entry)
        newest = (
            await self._outbox.newest_reply(entry) if thread_ts else dm.last_ts or entries.look_back(entry)
        )
        async with self._look:
            self._check_may_look()
            found = await self._slack.find_posts(entry.channel, newest, thread_ts)
        ts = found.get(entry.id)
        log.info("post_looked_up", entry=entry.id, is_there=ts is not None)
        if ts is None:
            return await self._record(dm, replace(entry, state=EntryState.WAITING, lookup_after=None)), True
        _, owes_files = await self._post_of(entry)
        return await self._record(dm, entries.posted(entry, ts, owes_files=owes_files)), True

    async def _thread(self, entry: Entry) -> str | None:
        """The post in whose thread an entry goes; it came first in its DM. None for a post of its own."""
        return None if entry.parent is None else await self._outbox.thread(entry)

    async def _begin_thread_anew(self, dm: Dm, entry: Entry) -> Dm:
        """Somebody deleted the post whose thread this was for.

        An e-mail they deleted stays away, and the answer begins the thread anew. A post of ours comes again, and this
        after it.
        """
        log.info("thread_is_gone", entry=entry.id)
        entry = replace(entry, state=EntryState.WAITING, lookup_after=None)
        is_of_mail = not entry.gives_way or entry.notice is not None
        if entry.attempts >= THREADS or is_of_mail:
            place = None if entry.conversation is None else Place(entry.conversation, None)
            return await self._record(dm, replace(entry, parent=None, gives_way=False), place=place)
        await self._outbox.reopen(dm, entry, self._clock())
        return dm

    # Files

    async def _share_files(self, dm: Dm, entry: Entry) -> tuple[Dm, bool]:
        channel, ts = entries.place(entry)
        thread_ts = await self._thread(entry) or ts
        if entry.attempts >= FILE_TRIES:
            return await self._go_on_without_files(dm, entry)
        async with self._uploads:
            rendered = await self._contents.rendered(entry)
            shares = [(await self._slack.upload(file), file.title) for file in rendered.files]
        await self._paces.of(channel).acquire()
        if self.is_silent:
            return dm, False
        entry = replace(
            entry,
            state=EntryState.FILING,
            attempts=entry.attempts + 1,
            file_ids=tuple(file_id for file_id, _ in shares),
            intended_at=self._clock(),
            lookup_after=self._clock() + self._grace,
        )
        dm = await self._record(dm, entry)
        outcome = await self._slack.share_files(channel, thread_ts, shares)
        if isinstance(outcome, Posted):
            return await self._record(dm, replace(entry, state=EntryState.SETTLED, lookup_after=None)), True
        return await self._hold(dm, entry, outcome)

    async def _look_up_files(self, dm: Dm, entry: Entry) -> tuple[Dm, bool]:
        channel, ts = entries.place(entry)
        thread_ts = await self._thread(entry) or ts
        async with self._look:
            self._check_may_look()
            there = await self._slack.find_files(channel, thread_ts, ts)
        is_there = not there.isdisjoint(entry.file_ids)
        log.info("files_looked_up", entry=entry.id, is_there=is_there)
        state = EntryState.SETTLED if is_there else EntryState.POSTED
        return await self._record(dm, replace(entry, state=state, lookup_after=None)), True

    def _check_may_look(self) -> None:
        """Slack counts looks apart from posts, and may allow one a minute: a limit on them holds up looks only."""
        now = self._clock()
        if self._no_look_before is not None and now < self._no_look_before:
            raise CallFailed(TryLater((self._no_look_before - now).total_seconds()))

    # Waiting and giving up

    async def _hold(self, dm: Dm, entry: Entry, outcome: Outcome) -> tuple[Dm, bool]:
        """A post or a share got no good answer: what Slack may have done stays unknown until it is looked up."""
        now = self._clock()
        log.info("delivery_held", entry=entry.id, state=entry.state, outcome=repr(outcome))
        if isinstance(outcome, Unknown):
            until = now + self._grace
            entry = replace(
                entry, lookup_after=until, plain=entry.plain or entries.may_be_content(entry, outcome)
            )
            return await self._record(dm, entry, held_until=until), False
        entry = entries.stepped_back(entry)
        if isinstance(outcome, Refused):
            return await self._refused(dm, entry, outcome)
        assert isinstance(outcome, TryLater)
        if entry.channel is not None:
            self._paces.refused(entry.channel)
        until = now + timedelta(seconds=outcome.seconds)
        self._silent_until = max(until, self._silent_until or until)
        return await self._record(dm, entry, held_until=until), False

    async def _wait(self, dm: Dm, entry: Entry, outcome: TryLater | Refused | Unknown) -> tuple[Dm, bool]:
        """A call without effect failed: the entry stays as it is, an unknown one unknown, and this DM waits."""
        now = self._clock()
        log.info("delivery_waits", entry=entry.id, state=entry.state, outcome=repr(outcome))
        if isinstance(outcome, Refused):
            return await self._refused(dm, entry, outcome)
        if isinstance(outcome, TryLater):
            until = now + timedelta(seconds=outcome.seconds)
            if entry.state in {EntryState.POSTING, EntryState.FILING}:
                self._no_look_before = max(until, self._no_look_before or until)
            return await self._record(dm, entry, held_until=until), False
        until = plan.next_attempt(now, entry.attempts, random.random())  # noqa: S311 - spread, no secret
        return await self._record(dm, replace(entry, attempts=entry.attempts + 1), held_until=until), False

    async def _withhold(self, dm: Dm, entry: Entry, *, is_final: bool) -> tuple[Dm, bool]:
        """A copy may not be posted: it is given up, or waits apart while nobody can say."""
        if is_final and entry.state is EntryState.WAITING:
            log.info("copy_refused", entry=entry.id)
            return await self._record(dm, replace(entry, state=EntryState.GIVEN_UP), error=NOT_ALLOWED), True
        await self._copies.refuse(dm, entry, is_final=is_final)
        return dm, True

    async def _refused(self, dm: Dm, entry: Entry, outcome: Refused) -> tuple[Dm, bool]:
        now = self._clock()
        if outcome.code in CLOSED_DM and is_channel(dm.owner.user) and entry.state is EntryState.WAITING:
            # No channel opens again by waiting; what comes later finds it open, or its share ended.
            return await self._record(dm, replace(entry, state=EntryState.GIVEN_UP), error=outcome.code), True
        if outcome.code in CLOSED_DM:
            return await self._record(dm, entry, error=outcome.code, held_until=now + PARKED), False
        if outcome.code in NO_RIGHTS:
            log.error("slack_refuses_the_bot", code=outcome.code)
            return await self._record(dm, entry, error=outcome.code, held_until=now + UNAUTHORISED), False
        if entry.state is EntryState.POSTED and entry.attempts >= FILE_ATTEMPTS:
            dm = await self._record(dm, replace(entry, state=EntryState.GIVEN_UP), error=outcome.code)
            await self._say_files_missing(entry)
            return dm, True
        until = plan.next_attempt(now, entry.attempts, random.random())  # noqa: S311 - spread, no secret
        entry = replace(entry, attempts=entry.attempts + 1)
        return await self._record(dm, entry, error=outcome.code, held_until=until), False

    async def _go_on_without_files(self, dm: Dm, entry: Entry) -> tuple[Dm, bool]:
        """While Slack takes posts and no files, what comes next is not held up; while it takes neither, nothing is lost."""
        outcome = await self._say_files_missing(entry)
        if not isinstance(outcome, Posted):
            raise CallFailed(outcome)
        log.warning("files_given_up", entry=entry.id)
        return await self._record(dm, replace(entry, state=EntryState.GIVEN_UP), error="files"), True

    async def _say_files_missing(self, entry: Entry) -> Outcome:
        channel, ts = entries.place(entry)
        thread_ts = await self._thread(entry) or ts
        return await self._slack.post(channel, posts.FILES_MISSING, [], entry.id, thread_ts)

    # Helpers

    async def _post_of(self, entry: Entry) -> tuple[Rendered, bool]:
        """An entry's post without its files, and whether there are any; their octets are let go."""
        async with self._room:
            rendered, owes_files = await self._contents.said(entry)
        return replace(rendered, files=()), owes_files

    async def _record(
        self,
        dm: Dm,
        entry: Entry,
        *,
        error: str | None = None,
        held_until: datetime | None = None,
        place: Place | None = None,
    ) -> Dm:
        now, until = self._clock(), self._clock() + lease.LEASE
        return await self._outbox.record(
            dm, entry, now=now, error=error, held_until=held_until, lease_until=until, place=place
        )
