"""Use case part: connection tests of what a form holds, counted; nothing is stored and nothing is sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from bot import plan
from bot.errors import BotError, ServerUnreachable, Step, TooOften
from bot.mail.arrivals import HEADS, recent_numbers
from bot.mail.turns import in_turns
from bot.retention import sends_as
from bot.slack.views.values import Progress, Report, Tested, outcome
from storage.records import OldMail, Passwords, Person, Profile, Secret, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.guard import Guard, Refusals
    from bot.mail.pop3_client import Session
    from bot.plan import Listed

    Connect = Callable[[ServerAddress, Callable[[Step], None]], Awaitable[Session]]
    Submit = Callable[[ServerAddress, str, Secret, Callable[[Step], None]], Awaitable[None]]

log = structlog.get_logger(__name__)

UNREACHABLE_SECONDS = 10.0
"""What a connection attempt may take at most, and so what every one that reaches nobody takes."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a connection test found: the report people see, and what lies in the maildrop.

    `recent` are the numbers of what came in the last seven days; None when nobody asked, or the server does not tell.
    """

    report: Report
    listing: Sequence[Listed] = ()
    recent: frozenset[int] | None = None


async def _even(error: BotError, began: float) -> None:
    """Let every unreachable server take the same time, so that the answer maps nobody's network.

    Closed, filtered, not allowed and "not a mail server" share their words; without this their timing would tell.
    """
    if isinstance(error, ServerUnreachable):
        await asyncio.sleep(began + UNREACHABLE_SECONDS - asyncio.get_running_loop().time())


class Tester:
    """Tests mail servers.

    Args:
        connect: opens a POP3 session, reporting each step as it begins.
        submit: tests a submission server, sending nothing.
    """

    def __init__(
        self, guard: Guard, *, connect: Connect, submit: Submit, clock: Callable[[], datetime]
    ) -> None:
        self._guard = guard
        self._connect = connect
        self._submit = submit
        self._clock = clock

    async def check(
        self,
        owner: Person,
        profile: Profile,
        passwords: Passwords,
        progress: Progress | None = None,
        *,
        old_mail: OldMail = OldMail.NONE,
    ) -> Checked:
        """Test the incoming server and, once that passes, the outgoing one; stores and sends nothing.

        The second waits for the first, so a wrong password costs one refused login, not two. A person, or a server,
        that has had enough of tests for now gets none: the report says when to try again.

        Args:
            progress: takes the steps as they begin.
            old_mail: what the form asks for; some of it takes a look at dates.
        """
        progress = progress or Progress()
        try:
            async with self._guard.test(owner, profile) as refusals:
                return await self._check(profile, passwords, refusals, progress, old_mail=old_mail)
        except TooOften as error:
            return Checked(Report(outcome((Step.TURN,), error)))

    async def check_outgoing(self, owner: Person, profile: Profile, password: Secret) -> Report:
        """Test a new password of the outgoing server alone; the incoming one is left in peace."""
        passwords = Passwords(Secret(""), password)
        try:
            async with self._guard.test(owner, profile) as refusals:
                return Report(Tested(()), await self._check_outgoing(profile, passwords, refusals, []))
        except TooOften as error:
            return Report(Tested(()), outcome((Step.TURN,), error))

    async def _check(
        self,
        profile: Profile,
        passwords: Passwords,
        refusals: Refusals,
        progress: Progress,
        *,
        old_mail: OldMail,
    ) -> Checked:
        found = await self._check_incoming(profile, passwords, refusals, progress.incoming, old_mail=old_mail)
        if found.report.incoming.failed is not None:
            return found
        outgoing = await self._check_outgoing(profile, passwords, refusals, progress.outgoing)
        return replace(found, report=replace(found.report, outgoing=outgoing, messages=len(found.listing)))

    async def _check_incoming(
        self,
        profile: Profile,
        passwords: Passwords,
        refusals: Refusals,
        begun: list[Step],
        *,
        old_mail: OldMail,
    ) -> Checked:
        began = asyncio.get_running_loop().time()
        try:
            session = await self._reached(profile.incoming, begun.append)
            try:
                begun.append(Step.LOGIN)
                await session.login(profile.username, passwords.incoming)
                begun.append(Step.UIDL)
                listing = await in_turns(plan.keyed_in_steps(await session.uidl()))
                recent = await self._recent(session, listing) if old_mail is OldMail.LAST_7_DAYS else None
                await session.quit(wait=False)
            finally:
                session.abort()
        except BotError as error:
            refusals.note(profile.incoming, begun, error)
            await _even(error, began)
            log.info("incoming_test_failed", step=begun[-1:], error=type(error).__name__, detail=error.detail)
            return Checked(Report(outcome(begun, error)))
        return Checked(Report(outcome(begun)), listing, recent)

    async def _recent(self, session: Session, listing: Sequence[Listed]) -> frozenset[int] | None:
        """What came in the last seven days; a server that breaks over the question counts as one that does not tell."""
        try:
            return await recent_numbers(session, [line.number for line in listing[-HEADS:]], self._clock())
        except BotError as error:
            log.info("dates_not_told", error=type(error).__name__, detail=error.detail)
            return None

    async def _reached(self, server: ServerAddress, on_step: Callable[[Step], None]) -> Session:
        """A session, or the one answer for every server that does not become one in time."""
        try:
            async with asyncio.timeout(UNREACHABLE_SECONDS):
                return await self._connect(server, on_step)
        except TimeoutError as error:
            raise ServerUnreachable("not ready in time") from error

    async def _check_outgoing(
        self, profile: Profile, passwords: Passwords, refusals: Refusals, begun: list[Step]
    ) -> Tested | None:
        if profile.outgoing is None:
            return None
        began = asyncio.get_running_loop().time()
        try:
            await self._submitted(
                profile.outgoing, sends_as(profile), passwords.outgoing or passwords.incoming, begun.append
            )
        except BotError as error:
            refusals.note(profile.outgoing, begun, error)
            await _even(error, began)
            log.info("outgoing_test_failed", step=begun[-1:], error=type(error).__name__, detail=error.detail)
            return outcome(begun, error)
        return outcome(begun)

    async def _submitted(
        self, server: ServerAddress, username: str, password: Secret, on_step: Callable[[Step], None]
    ) -> None:
        """The same for submission, which tests itself as a whole: it has its login in hand in time, or is no server."""
        try:
            async with asyncio.timeout(UNREACHABLE_SECONDS) as until_ready:

                def begin(step: Step) -> None:
                    on_step(step)
                    if step is Step.LOGIN:
                        until_ready.reschedule(None)

                await self._submit(server, username, password, begin)
        except TimeoutError as error:
            raise ServerUnreachable("not ready in time") from error
