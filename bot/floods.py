"""Use case: let many messages that one session brings come as one post, and hold back what is to come later."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bot import calm
from storage.delivery import FLOOD_WAIT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from storage.delivery import Held
    from storage.digests import Digests
    from storage.records import Claim, Mailbox


class Floods:
    """Says of each session until when what it brings is held back.

    Args:
        flood: so many new messages come each by itself.
    """

    def __init__(self, digests: Digests, *, flood: int, clock: Callable[[], datetime]) -> None:
        self._digests = digests
        self._flood = flood
        self._clock = clock

    @asynccontextmanager
    async def together(self, claim: Claim, fresh: int) -> AsyncIterator[Claim]:
        """A session fetches so many new messages with the claim that this gives.

        A flood is held until the session ends, well or not, so that its post knows of all of them; when the process
        ends before that, until `FLOOD_WAIT` is over.
        """
        now = self._clock()
        held = _held(claim.mailbox, now)
        is_flood = held.mail is None and fresh > self._flood
        try:
            yield replace(claim, held_until=now + FLOOD_WAIT if is_flood else held.mail)
        finally:
            if is_flood:
                now = self._clock()
                await self._digests.end_hold(claim, _held(claim.mailbox, now), now)


def _held(mailbox: Mailbox, now: datetime) -> Held:
    return calm.held(mailbox.calm, mailbox.zone, mailbox.id, now)
