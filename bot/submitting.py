"""Use case: bring saved mail to its outgoing server, each recipient once.

The order is what keeps it to once: everything but the last dot goes out first; then, in one fenced transaction, the mail
must still be wanted and allowed and becomes SENDING; then the dot; then the server's answer is recorded. Until that
transaction a try may end anywhere and leave nothing behind. After it, only the answer tells: without one the mail is
UNKNOWN, and its sender decides.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

import structlog

from bot import lease, sent
from bot.border import guarded
from bot.errors import BotError, Suspended
from bot.mail import recipients
from bot.mail.hosts import plain_host
from bot.mail.smtp import Submittable
from bot.metrics import PUT_OFF, SUPERSEDED
from bot.retention import sends_as
from storage.errors import LeaseLost, NotFound, NotPermitted, SealBroken, StorageError
from storage.sending import OutgoingState, RecipientState, Trouble

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
    from datetime import datetime

    from bot.clearance import Clearance
    from bot.guard import Guard
    from bot.metrics import Metrics
    from bot.sending_errors import Reply
    from storage.mailboxes import Mailboxes
    from storage.records import Mailbox, Secret, ServerAddress
    from storage.sending import Outgoing, Submission, Tried
    from storage.submissions import Submissions

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 20
"""Mails on their way at a time, one of each mailbox."""

MOST_TO_ONE_HOST = 8
MOST_OF_ONE_OWNER = 4
"""Of these: a server that takes half an hour for each, or somebody who has several of them, keeps nobody else waiting."""

LARGE_OCTETS = 1024 * 1024
LARGE_AT_ONCE = 3
LARGE_OF_ONE_OWNER = 1
"""Larger mails in memory at a time: each may have 25 MiB, and its lines again."""

HELD_BACK = timedelta(minutes=1)
"""After a try that failed on our side."""

SETTLE_WAITS = (0.2, 1.0, 2.0, 4.0, 8.0, *[15.0] * 20)
"""Seconds between attempts to record an answer that the database would not take: nobody else knows it, and a mail whose
answer is not recorded is one that its sender may send a second time."""


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


class _NoTurn(Exception):
    """There is no room now for one more of a kind; nothing was begun."""

    def __init__(self, kinds: Mapping[str, int]) -> None:
        super().__init__()
        self.kinds = kinds


class _Turns:
    """How many of a kind are under way; `kinds` are their names, with how many there may be."""

    def __init__(self) -> None:
        self._taken = Counter[str]()

    def have_room(self, kinds: Mapping[str, int], promised: Mapping[str, int]) -> bool:
        """Whether one more may begin, beside those to whom room is promised."""
        return all(self._taken[kind] + promised.get(kind, 0) < most for kind, most in kinds.items())

    @contextmanager
    def taken(self, kinds: Mapping[str, int]) -> Iterator[None]:
        """While one is under way; _NoTurn when there is no room."""
        if not self.have_room(kinds, {}):
            raise _NoTurn(kinds)
        self._taken.update(kinds.keys())
        try:
            yield
        finally:
            self._taken.subtract(kinds.keys())
            self._taken += Counter()  # without those that are none


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
        self._turns = _Turns()
        self._waiting: dict[str, Mapping[str, int]] = {}

    async def tick(self) -> None:
        """Begin what is due, as far as there is room; it ends by itself."""
        if not self._is_released:
            await self._submissions.release(self._worker, self._clock())
            self._is_released = True
        room = MOST_AT_ONCE - len(self._running)
        if room <= 0 or self._stopping.is_set():
            return
        busy = {*self._running, *self._without_turn()}
        claimed = await self._submissions.claim_due(
            self._clock(), lease=lease.LEASE, worker=self._worker, limit=room, busy=tuple(busy)
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

    def _without_turn(self) -> Collection[str]:
        """Mailboxes whose mail would still find no room, so that it keeps out of the way of others."""
        promised = Counter[str]()
        for mailbox_id, kinds in tuple(self._waiting.items()):
            if self._turns.have_room(kinds, promised):
                promised.update(kinds.keys())
                del self._waiting[mailbox_id]
        return self._waiting

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
        outcome, tried = SUPERSEDED, None
        try:
            async with lease.kept(partial(self._submissions.renew, submission), self._clock):
                tried = await self._tried(submission)
                await self._settle(submission, tried)
            outcome = _outcome(tried)
        except LeaseLost:
            if tried is not None and await self._settled_late(submission, tried):
                outcome = _outcome(tried)
            else:
                log.info("submission_superseded", outgoing=submission.outgoing.id)
        except _NoTurn as error:
            outcome = PUT_OFF
            self._waiting[submission.outgoing.mailbox_id] = error.kinds
            with suppress(LeaseLost):  # called back meanwhile
                await self._submissions.renew(submission, self._clock())
        finally:
            self._metrics.submissions.labels(outcome).inc()

    async def _tried(self, submission: Submission) -> Tried:
        """One try and what follows from it."""
        outgoing = submission.outgoing
        try:
            replies = await self._session(submission)
        except (LeaseLost, _NoTurn):
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
        assert outgoing.letter is not None
        if recipients.key(outgoing.letter.sender) != recipients.key(mailbox.profile.address):
            raise _dropped(outgoing, Trouble.NOT_ALLOWED, sent.OTHER_ADDRESS_SAID)
        with self._turns.taken(_kinds(outgoing, server)):
            await self._clearance.check(outgoing, mailbox)
            mail = await self._mail(submission)
            async with self._guard.submission(mailbox.id, server):
                username, password = await self._credentials(mailbox)
                return await self._submit(
                    server, username, password, mail, before_dot=partial(self._intend, submission)
                )

    async def _credentials(self, before: Mailbox) -> tuple[str, Secret]:
        """As late as can be, and never another server's than the one that was cleared.

        Raises:
            LeaseLost: where mail goes, or as whom, is changed; whoever changed that let the mail begin anew.
        """
        try:
            mailbox, passwords = await self._mailboxes.opened(before.owner, before.id)
        except NotFound:
            raise LeaseLost("The mailbox is gone, and its mail with it.") from None
        profile = mailbox.profile
        if (profile.outgoing, profile.address) != (before.profile.outgoing, before.profile.address):
            raise LeaseLost("The mailbox sends otherwise by now.")
        return sends_as(profile), passwords.outgoing or passwords.incoming

    async def _mail(self, submission: Submission) -> Submittable:
        """What goes to the server, for those who do not have it yet."""
        letter = submission.outgoing.letter
        assert letter is not None
        owed = tuple(each.address for each in letter.recipients if each.state is RecipientState.OWED)
        return Submittable(letter.sender, owed, await self._octets(submission))

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
            Suspended: the mailbox is, or that of the message it answers or forwards.
        """
        outgoing = submission.outgoing
        permits = await self._clearance.permits(outgoing)
        source = await self._clearance.source(outgoing)
        if self._stopping.is_set():
            raise _Stopped
        try:
            await self._submissions.intend(submission, self._clock(), permits, source)
        except NotPermitted:
            await self._clearance.refuse(outgoing, permits)
            raise Suspended("suspended meanwhile") from None

    async def _settled_late(self, submission: Submission, tried: Tried) -> bool:
        """Whether an answer still counts that came after another process took the lease for lost.

        The mail is unknown by then; that the server has it is known here alone, and better late than never.
        """
        if tried.state is not OutgoingState.SENT:
            return False
        try:
            await self._settle(submission, tried)
        except LeaseLost:
            return False
        log.info("answer_recorded_late", outgoing=submission.outgoing.id)
        return True

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


def _kinds(outgoing: Outgoing, server: ServerAddress) -> Mapping[str, int]:
    """Among which others a mail needs room."""
    owner = f"{outgoing.owner.workspace} {outgoing.owner.user}"
    kinds = {f"host {plain_host(server.host)}": MOST_TO_ONE_HOST, f"owner {owner}": MOST_OF_ONE_OWNER}
    if outgoing.octets > LARGE_OCTETS:
        kinds |= {"large": LARGE_AT_ONCE, f"large of {owner}": LARGE_OF_ONE_OWNER}
    return kinds


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
