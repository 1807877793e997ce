"""Use case: what owners decide about the mail on their servers.

Whoever sees a button can press it, so every call looks up afresh whose mailbox or message it is about; pressing twice
does what pressing once did.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot import pace
from bot.errors import NoSuchMailbox, NoSuchMessage
from storage.errors import NotFound
from storage.records import Health, SeenState
from storage.wishes import OnServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.pace import Pace
    from storage.answers import Answers
    from storage.mailboxes import Mailboxes
    from storage.records import Mailbox, Person

log = structlog.get_logger(__name__)

Found = TypeVar("Found")

LOOK_SECONDS = 0.3
"""Between two looks whether a message is gone."""


class Said(StrEnum):
    """What an owner says of messages that look new."""

    NEW = "new"
    SEEN = "seen"
    STOP = "stop"  # no answer yet


_BECOMES = {Said.NEW: SeenState.DOUBTED, Said.SEEN: SeenState.SKIPPED}


class ServerMail:
    """Answers to the bot's question about changed UIDs, and deletions that owners ask for.

    Args:
        bounds: how often a mailbox may be polled.
        nudge: called when something became due.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        answers: Answers,
        *,
        bounds: Callable[[Mailbox], Pace],
        clock: Callable[[], datetime],
        nudge: Callable[[], None],
    ) -> None:
        self._mailboxes = mailboxes
        self._answers = answers
        self._bounds = bounds
        self._clock = clock
        self._nudge = nudge

    async def answer(self, owner: Person, mailbox_id: str, said: Said) -> tuple[Mailbox, bool]:
        """What the messages are that look new; polls go on, unless the owner wants them to stop.

        Returns:
            The mailbox, and whether the question was open; when it was not, nothing changed.

        Raises:
            NoSuchMailbox: it is gone, or somebody else's.
        """
        try:
            mailbox = await self._mailboxes.get(owner, mailbox_id)
            if said is Said.STOP:
                is_open = await self._stop(mailbox)
            else:
                due_at = self._earliest(mailbox)
                is_open = await self._answers.answer(
                    owner, mailbox_id, _BECOMES[said], self._clock(), due_at=due_at
                )
            mailbox = await self._mailboxes.get(owner, mailbox_id)
        except NotFound as error:
            raise NoSuchMailbox from error
        log.info("uids_answered", mailbox=mailbox_id, said=said, was_open=is_open)
        self._nudge()
        return mailbox, is_open

    async def _stop(self, mailbox: Mailbox) -> bool:
        is_open = mailbox.health is Health.ASKED
        if is_open:
            await self._mailboxes.pause(mailbox.owner, mailbox.id, self._clock())
        return is_open

    async def delete(self, owner: Person, message_id: str) -> tuple[Mailbox, OnServer]:
        """Delete a message from its server, with a poll as soon as the provider's minimum allows one.

        Raises:
            NoSuchMessage: it is gone, or somebody else's.
        """
        mailbox_id, place = await self._found(self._answers.delete(owner, message_id, self._clock()))
        mailbox = await self._found(self._mailboxes.get(owner, mailbox_id))
        if place is OnServer.WANTED_GONE:
            due_at = self._earliest(mailbox)
            mailbox = await self._found(self._mailboxes.check_now(owner, mailbox_id, due_at))
            self._nudge()
        log.info("deletion_asked", mailbox=mailbox_id, place=place)
        return mailbox, place

    async def is_gone(self, owner: Person, message_id: str, within: float) -> bool:
        """Whether a message is deleted, waiting for it so many seconds at most."""
        for _ in range(int(within / LOOK_SECONDS)):
            if await self._found(self._answers.is_gone(owner, message_id)):
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False

    def _earliest(self, mailbox: Mailbox) -> datetime:
        return pace.earliest(mailbox, self._bounds(mailbox), self._clock())

    @staticmethod
    async def _found(call: Awaitable[Found]) -> Found:
        try:
            return await call
        except NotFound as error:
            raise NoSuchMessage from error
