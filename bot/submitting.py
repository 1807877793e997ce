"""Use case: bring saved mail to its outgoing server, each recipient once.

The order is what keeps it to once: everything but the last dot goes out first; then, in one fenced transaction, the mail
must still be wanted and allowed and becomes SENDING; then the dot; then the server's answer is recorded. Until that
transaction a try may end anywhere and leave nothing behind. After it, only the answer tells: without one the mail is
UNKNOWN, and its sender decides.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from bot import lease, sent
from bot.border import guarded
from bot.errors import BotError, Suspended
from bot.mail.smtp import Submittable
from bot.metrics import PUT_OFF, SUPERSEDED
from storage.errors import LeaseLost, NotFound, NotPermitted, SealBroken, StorageError
from storage.sending import OutgoingState, RecipientState, Trouble

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection
    from datetime import datetime

    from bot.clearance import Clearance
    from bot.errors import Reply
    from bot.guard import Guard
    from bot.metrics import Metrics
    from storage.mailboxes import Mailboxes
    from storage.records import Mailbox, Secret, ServerAddress
    from storage.sending import Outgoing, Submission, Tried
    from storage.submissions import Submissions

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 10
"""Mails on their way at a time, one of each mailbox."""

LARGE_OCTETS = 1024 * 1024
LARGE_AT_ONCE = 2
"""Larger mails in memory at a time: each may have 25 MiB, and its lines again."""

HELD_BACK = timedelta(minutes=1)
"""After a try that failed on our side."""

SETTLE_WAITS = (0.2, 1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to record an answer that the database would not take: nobody else knows it."""


class Submit(Protocol):
    """Brings a mail to its server; what all of them share is bound by the composition root."""

    def __call__(
        self,
        server: ServerAddress,
        username: str,
        password: Secret,
        mail: Submittable,
        *,
        before_dot: Callable[[], Awaitable[None]],
    ) -> Awaitable[tuple[Reply, ...]]:
        """See `bot.mail.smtp.submit`."""


class _Stopped(Exception):
    """The process was asked to end: no last dot is written any more."""


class _Dropped(Exception):
    """A try that ends without the server being asked: the reason is in `tried`."""

    def __init__(self, tried: Tried) -> None:
        super().__init__(tried.trouble)
        self.tried = tried


class Submitter:
    """Sends what is due.

    Args:
        worker: names this process in leases; a successor with the same name takes them over at once.
        stopping: once set, nothing is begun and no last dot is written; what waits for its answer gets it.
    """

    def __init__(
        self,
        submissions: Submissions,
        mailboxes: Mailboxes,
        clearance: Clearance,
        guard: Guard,
        submit: Submit,
        *,
        worker: str,
        clock: Callable[[], datetime],
        stopping: asyncio.Event,
        metrics: Metrics,
    ) -> None:
        self._submissions = submissions
        self._mailboxes = mailboxes
        self._clearance = clearance
        self._guard = guard
        self._submit = submit
        self._worker = worker
        self._clock = clock
        self._stopping = stopping
        self._metrics = metrics
        self._is_released = False
        self._running: dict[str, asyncio.Task[None]] = {}
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    async def tick(self) -> None:
        """Begin what is due, as far as there is room; it ends by itself."""
        if not self._is_released:
            await self._submissions.release(self._worker, self._clock())
            self._is_released = True
        room = MOST_AT_ONCE - len(self._running)
        if room <= 0 or self._stopping.is_set():
            return
        claimed = await self._submissions.claim_due(
            self._clock(), lease=lease.LEASE, worker=self._worker, limit=room, busy=tuple(self._running)
        )
        for submission in claimed:
            self._begin(submission)

    def running(self) -> Collection[asyncio.Task[None]]:
        """The tasks that are under way."""
        return self._running.values()

    def _begin(self, submission: Submission) -> None:
        mailbox_id = submission.outgoing.mailbox_id
        task = asyncio.create_task(guarded(self._bring(submission)))
        self._running[mailbox_id] = task
        task.add_done_callback(lambda _: self._running.pop(mailbox_id, None))

    async def _bring(self, submission: Submission) -> None:
        try:
            await self._try(submission)
        except (StorageError, asyncio.CancelledError):
            raise
        except Exception:
            # Whatever it was, it may come again: the server is not asked for it with every lease.
            with suppress(StorageError):
                await self._submissions.renew(submission, self._clock() + HELD_BACK)
            raise

    async def _try(self, submission: Submission) -> None:
        outcome = SUPERSEDED
        try:
            async with lease.kept(partial(self._submissions.renew, submission), self._clock):
                tried = await self._tried(submission)
                await self._settle(submission, tried)
            outcome = _outcome(tried)
        except LeaseLost:
            log.info("submission_superseded", outgoing=submission.outgoing.id)
        finally:
            self._metrics.submissions.labels(outcome).inc()

    async def _tried(self, submission: Submission) -> Tried:
        """One try and what follows from it."""
        outgoing = submission.outgoing
        try:
            replies = await self._session(submission)
        except LeaseLost:
            raise
        except _Dropped as dropped:
            return dropped.tried
        except _Stopped:
            return sent.interrupted(outgoing, self._clock())
        except StorageError as error:
            log.warning("submission_put_off", outgoing=outgoing.id, error=type(error).__name__)
            return sent.interrupted(outgoing, self._clock() + sent.AGAIN_SOON)
        except BotError as error:
            log.info(
                "submission_failed", outgoing=outgoing.id, error=type(error).__name__, detail=error.detail
            )
            return sent.after_failure(outgoing, error, self._clock(), _chance())
        return sent.after_replies(outgoing, replies, self._clock(), _chance())

    async def _session(self, submission: Submission) -> tuple[Reply, ...]:
        """Everything up to the server's answer; what is raised but AnswerUnknown means that nothing was sent."""
        outgoing = submission.outgoing
        if sent.is_too_late(outgoing, self._clock()):
            raise _dropped(outgoing, Trouble.TOO_LONG, sent.TOO_LATE_SAID)
        try:
            mailbox = await self._mailboxes.get(outgoing.owner, outgoing.mailbox_id)
        except NotFound:
            raise LeaseLost("The mailbox is gone, and its mail with it.") from None
        if mailbox.suspension is not None:
            raise Suspended(mailbox.suspension)
        server = mailbox.profile.outgoing
        if server is None:
            raise _dropped(outgoing, Trouble.NO_SERVER, sent.NO_SERVER_SAID)
        await self._clearance.check(outgoing, mailbox)
        async with self._mail(submission) as mail, self._guard.submission(mailbox.id, server):
            username, password = await self._credentials(mailbox)
            return await self._submit(
                server, username, password, mail, before_dot=partial(self._intend, submission)
            )

    async def _credentials(self, mailbox: Mailbox) -> tuple[str, Secret]:
        """As late as can be."""
        profile = mailbox.profile
        passwords = await self._mailboxes.passwords(mailbox.owner, mailbox.id)
        return profile.outgoing_username or profile.username, passwords.outgoing or passwords.incoming

    @asynccontextmanager
    async def _mail(self, submission: Submission) -> AsyncIterator[Submittable]:
        """What goes to the server, for those who do not have it yet."""
        letter = submission.outgoing.letter
        assert letter is not None
        owed = tuple(each.address for each in letter.recipients if each.state is RecipientState.OWED)
        if submission.outgoing.octets > LARGE_OCTETS:
            async with self._large:
                yield Submittable(letter.sender, owed, await self._octets(submission))
        else:
            yield Submittable(letter.sender, owed, await self._octets(submission))

    async def _octets(self, submission: Submission) -> bytes:
        try:
            return await self._submissions.octets(submission)
        except SealBroken:
            log.error("outgoing_does_not_open", outgoing=submission.outgoing.id)  # noqa: TRY400 - no traceback
            said = "Mailbox cannot read any more what it had saved of it."
            raise _dropped(submission.outgoing, Trouble.MESSAGE_REFUSED, said) from None

    async def _intend(self, submission: Submission) -> None:
        """The last moment at which a mail can be kept from going out; it is SENDING from here on.

        Raises:
            LeaseLost: it was undone, or is another's.
            NotAllowed: its sender may not send as this mailbox any more.
            NotKnown: nobody can say now.
            Suspended: the mailbox is.
        """
        outgoing = submission.outgoing
        permits = await self._clearance.permits(outgoing)
        if self._stopping.is_set():
            raise _Stopped
        try:
            await self._submissions.intend(submission, self._clock(), permits)
        except NotPermitted:
            await self._clearance.refuse(outgoing, permits)
            raise Suspended("suspended meanwhile") from None

    async def _settle(self, submission: Submission, tried: Tried) -> None:
        """Record what came of it, however long the database takes."""
        for wait in SETTLE_WAITS:
            try:
                await self._submissions.settle(submission, tried, self._clock())
            except StorageError as error:
                if not error.temporary:
                    raise
                log.warning("answer_not_recorded", outgoing=submission.outgoing.id, state=tried.state)
                await asyncio.sleep(wait)
            else:
                return
        await self._submissions.settle(submission, tried, self._clock())


def _dropped(outgoing: Outgoing, trouble: Trouble, said: str) -> _Dropped:
    assert outgoing.letter is not None
    return _Dropped(sent.ended(outgoing.letter.recipients, trouble, said))


def _outcome(tried: Tried) -> str:
    """What the metrics call it."""
    if tried.trouble is not None:
        return tried.trouble
    return tried.state if tried.state is OutgoingState.SENT else PUT_OFF


def _chance() -> float:
    return random.random()  # noqa: S311 - spread, no secret
