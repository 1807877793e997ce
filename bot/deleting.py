"""Use case part: deletions on the server at the end of a session, and servers that do not carry them out.

DELE counts with the server's +OK to QUIT, and right before QUIT the claim is checked once more: an owner who changed
something meanwhile gets a session that is broken off instead, which deletes nothing (RFC 1939 section 6). Some servers
delete only what was fetched in the same session, so a message they refused twice is fetched first, and compared with
what is stored: its UID may be another message's by now. What stays all the same is left alone after a few tries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot import plan
from bot.errors import BotError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.mail.pop3_client import Incoming, Session
    from bot.plan import Listed
    from storage.messages import Messages
    from storage.records import Claim

log = structlog.get_logger(__name__)


class Deleter:
    """Deletes on the server what is due there."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    async def delete(self, session: Session, claim: Claim, lines: Sequence[Listed]) -> None:
        """DELE these messages and QUIT.

        Raises:
            LeaseLost: the claim no longer holds; nothing is deleted once the caller breaks the session off.
        """
        await self._messages.mark_deleting(claim, [line.key for line in lines])
        refused = await self._messages.undeleted(claim, plan.REFUSALS_BEFORE_READING)
        stubborn = [line for line in lines if line.key in refused]
        read = await self._read(session, claim, stubborn) if stubborn else ()
        tried = [line for line in lines if line.key not in refused] + [*read]
        try:
            accepted = set(await session.dele([line.number for line in tried]))
            await self._messages.check(claim)
            is_over = await session.quit()
        except BotError:
            await self._note(claim, tried)
            raise
        if not is_over:
            log.info("quit_unanswered", mailbox=claim.mailbox.id)
            await self._note(claim, tried)
            return
        await self._settle(claim, tried, accepted)
        if read and accepted.isdisjoint(line.number for line in read):
            await self._note(claim, stubborn, is_final=True)

    async def _settle(self, claim: Claim, tried: Sequence[Listed], accepted: set[int]) -> None:
        refused = [line for line in tried if line.number not in accepted]
        if refused:
            log.warning("deletion_refused", mailbox=claim.mailbox.id, count=len(refused))
            await self._note(claim, refused)
        # From now on the server may give these UIDs to other messages: what bears one is fetched and compared first.
        await self._messages.confirm_deleted(claim, [line.key for line in tried if line.number in accepted])

    async def _note(self, claim: Claim, lines: Sequence[Listed], *, is_final: bool = False) -> None:
        """Count that these were not deleted; said to the log when it is the last time."""
        given_up = await self._messages.note_undeleted(claim, [line.key for line in lines], is_final=is_final)
        if given_up:
            log.warning("deletion_given_up", mailbox=claim.mailbox.id, count=given_up)

    async def _read(self, session: Session, claim: Claim, lines: Sequence[Listed]) -> list[Listed]:
        """Fetch what the server would not delete unread, so much as one session may; those that are what they were."""
        sizes = await session.sizes([line.number for line in lines[: plan.READINGS]])
        chosen = plan.readings(lines, sizes)
        waiting, same = list(chosen), []
        try:
            async for incoming in session.retr([line.number for line in chosen]):
                if await self._is_same(claim, waiting[0], incoming):
                    same.append(waiting[0])
                del waiting[0]
        except BotError:
            await self._note(claim, waiting[:1])
            raise
        return same

    async def _is_same(self, claim: Claim, line: Listed, incoming: Incoming) -> bool:
        """Whether a message is the one that is stored under its UID; any other one is new."""
        if incoming.refused is not None:
            await self._note(claim, [line])
            return False
        spool = self._messages.spool(claim)
        try:
            async for chunk in incoming.chunks:
                await spool.write(chunk)
            if await self._messages.is_newest(claim, line.key, await spool.finish()):
                return True
        finally:
            await spool.close()
        log.info("uid_reused", mailbox=claim.mailbox.id)
        await self._messages.confirm_deleted(claim, [line.key])
        return False
