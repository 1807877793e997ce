"""Use case: what is stored about a person, shown to them, given to them, destroyed for them.

Every call names the person who acts, verified by Slack; what is looked up, and what is destroyed, is what stands under
their name at that moment.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

import structlog

from bot.errors import NoSuchMailbox, OutOfDate
from bot.exported import MOST_POSTS, exported
from bot.slack.views.values import Receipt
from storage.errors import Changed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from storage.dossier import Holding
    from storage.holdings import Holdings
    from storage.mailboxes import Mailboxes
    from storage.records import Person

log = structlog.get_logger(__name__)


class Belongings:
    """Shows, exports and destroys what is stored about the person who asks."""

    def __init__(self, mailboxes: Mailboxes, holdings: Holdings, *, clock: Callable[[], datetime]) -> None:
        self._mailboxes: Final = mailboxes
        self._holdings: Final = holdings
        self._clock: Final = clock

    async def held(self, owner: Person, mailbox_id: str | None = None) -> Holding:
        """How much is stored about them, or under one of their mailboxes.

        Raises:
            NoSuchMailbox: it is gone, or somebody else's.
        """
        try:
            return await self._holdings.count(owner, mailbox_id)
        except NotFound as error:
            raise NoSuchMailbox from error

    async def export(self, owner: Person) -> bytes:
        """All of it as a file, without secrets and without what their mail says."""
        mailboxes = await self._mailboxes.of(owner)
        dossier = await self._holdings.dossier(owner, MOST_POSTS)
        log.info("data_exported", mailboxes=len(mailboxes))
        return await asyncio.to_thread(exported, owner, mailboxes, dossier, self._clock())

    async def remove(self, owner: Person, mailbox_id: str) -> Receipt:
        """Destroy one mailbox's key, then its records; posts in Slack and mail on the server stay.

        Raises:
            NoSuchMailbox: it is gone, or somebody else's.
        """
        try:
            held = await self._holdings.remove(owner, mailbox_id, self._clock())
        except NotFound as error:
            raise NoSuchMailbox from error
        return self._receipt("mailbox_removed", held)

    async def erase(self, owner: Person, asked_at: datetime) -> Receipt:
        """Destroy all that is stored about them.

        Raises:
            OutOfDate: they added a mailbox after they were told what would go, at `asked_at`; nothing was destroyed.
        """
        try:
            held = await self._holdings.erase(owner, asked_at, self._clock())
        except Changed as error:
            raise OutOfDate from error
        return self._receipt("person_erased", held)

    def _receipt(self, event: str, held: Holding) -> Receipt:
        """What was destroyed; the log has it under the same id, and not whose it was."""
        receipt = Receipt(secrets.token_hex(6), self._clock(), held)
        log.info(
            event,
            receipt=receipt.id,
            mailboxes=held.mailboxes,
            copies=held.copies,
            waiting=held.waiting,
            uids=held.uids,
        )
        return receipt
