"""Use case part: messages that their owners want whole, looked for on the server by their UIDs.

A message over the size limit is fetched here whatever its size, up to `LARGEST`; one whose octets were dropped is
fetched again, and compared with what was stored: its UID may be another message's by now. Each outcome is recorded once,
together with the entry that tells it in Slack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from bot.errors import ConnectionLost, MessageTooLarge, RemoteProtocolError
from storage.records import Shape
from storage.wishes import OriginalState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator, Mapping, Sequence
    from datetime import datetime

    from bot.mail.pop3_client import Incoming, Session
    from bot.plan import Listed
    from storage.messages import Messages
    from storage.originals import Originals
    from storage.records import Claim
    from storage.wishes import Wanted

log = structlog.get_logger(__name__)

LARGEST: Final = 100 * 1024 * 1024
"""What is larger stays on the server, however much its owner wants it."""

TRIES: Final = 3
"""So often a message is tried whose fetching fails."""

_STRETCH: Final = 256


class WantedMail:
    """Fetches messages that owners asked for.

    Args:
        message_octets: larger ones were never stored whole, so there is nothing to compare them with.
        largest: what is larger than that is not fetched.
        stopping: once set, the message at hand is finished and no other begun.
    """

    def __init__(
        self,
        originals: Originals,
        messages: Messages,
        *,
        message_octets: int,
        clock: Callable[[], datetime],
        stopping: asyncio.Event,
        largest: int = LARGEST,
    ) -> None:
        self._originals = originals
        self._messages = messages
        self._message_octets = message_octets
        self._clock = clock
        self._stopping = stopping
        self._largest = largest

    async def of(self, mailbox_id: str) -> dict[bytes, Wanted]:
        """What is to be looked for, by UID."""
        return await self._originals.wanted(mailbox_id)

    async def bring(
        self, session: Session, claim: Claim, wanted: Sequence[tuple[Wanted, int | None]]
    ) -> None:
        """Fetch each wanted message that the server lists, and record what came of the others.

        Args:
            wanted: each with its message number, None where it is not listed.

        Raises:
            MessageTooLarge: one was over every limit, which is recorded; the session is over.
        """
        listed = [(each, number) for each, number in wanted if number is not None]
        for each, number in wanted:
            if number is None:
                await self._lose(claim, each, OriginalState.GONE)
        if not listed:
            return
        session.allow(self._largest)
        sizes = await session.sizes([number for _, number in listed])
        for each, number in listed:
            if self._stopping.is_set():
                return
            if sizes.get(number, 0) > self._largest:
                await self._lose(claim, each, OriginalState.TOO_LARGE)
            else:
                await self._take(session, claim, each, number)

    async def _take(self, session: Session, claim: Claim, wanted: Wanted, number: int) -> None:
        try:
            async for incoming in session.retr([number]):
                if incoming.refused is not None:
                    await self._note_failure(claim, wanted)
                else:
                    await self._store(claim, wanted, incoming)
        except MessageTooLarge:
            await self._lose(claim, wanted, OriginalState.TOO_LARGE)
            raise
        except (ConnectionLost, RemoteProtocolError):
            await self._note_failure(claim, wanted)
            raise

    async def _store(self, claim: Claim, wanted: Wanted, incoming: Incoming) -> None:
        spool = self._messages.spool(claim, wanted.message_id)
        try:
            async for chunk in incoming.chunks:
                await spool.write(chunk)
            was_whole = wanted.shape is Shape.WHOLE and wanted.octets <= self._message_octets
            if was_whole and await spool.finish() != wanted.fingerprint:
                await self._lose(claim, wanted, OriginalState.GONE)
            else:
                await self._originals.bring(claim, spool, self._clock())
        finally:
            await spool.close()

    async def _note_failure(self, claim: Claim, wanted: Wanted) -> None:
        if await self._originals.note_failure(claim, wanted.message_id) >= TRIES:
            await self._lose(claim, wanted, OriginalState.REFUSED)

    async def _lose(self, claim: Claim, wanted: Wanted, state: OriginalState) -> None:
        log.info("wanted_message_lost", mailbox=claim.mailbox.id, state=state)
        await self._originals.lose(claim, wanted.message_id, state, self._clock())


def numbered_in_steps(
    lines: Sequence[Listed], wanted: Mapping[bytes, Wanted]
) -> Generator[None, None, tuple[tuple[Wanted, int | None], ...]]:
    """What is wanted, each with its message number, None where it is not listed."""
    numbers: dict[bytes, int] = {}
    for start in range(0, len(lines), _STRETCH):
        numbers.update(
            (line.key, line.number) for line in lines[start : start + _STRETCH] if line.key in wanted
        )
        yield
    return tuple((each, numbers.get(uid)) for uid, each in wanted.items())
