"""Use case: several messages in one post, with each of them in its thread.

What the post says is read from the stored messages when it is posted, of so many at most as it names. A digest over
messages that may as well come by themselves is dissolved instead: it was begun because quiet hours, or a session that
brought many, might have gathered more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.mail.content import Arrival
from bot.mail.frames import Mode
from bot.slack import digest
from storage.delivery import Delivery
from storage.errors import NotFound, SealBroken

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.mail.content import Rendered
    from bot.mail.renderer import Renderer
    from storage.conversations import Conversations
    from storage.digests import Digests, Gathered
    from storage.mailboxes import Mailboxes
    from storage.records import Dm, Entry, Mailbox
    from storage.rules import Rules, Sieve

log = structlog.get_logger(__name__)


class DigestPosts:
    """The posts over digests.

    Args:
        flood: so many messages at once come each by itself, where their owner wants that.
    """

    def __init__(
        self,
        digests: Digests,
        mailboxes: Mailboxes,
        renderer: Renderer,
        rules: Rules,
        conversations: Conversations,
        *,
        flood: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._digests = digests
        self._mailboxes = mailboxes
        self._renderer = renderer
        self._rules = rules
        self._conversations = conversations
        self._flood = flood
        self._clock = clock

    async def dissolved(self, dm: Dm, entry: Entry) -> bool:
        """Whether a digest is none after all, and what stood under it comes by itself.

        Raises:
            NotFound: its mailbox is gone.
            LeaseLost: the DM is another's by now.
        """
        mailbox = await self._mailbox(entry)
        gathered = await self._digests.gathered(entry, digest.MOST_LINES)
        least = self._flood + 1 if mailbox.calm.delivery is Delivery.EACH else 1
        if gathered.count >= least and await self._has_more_than_muted(entry, mailbox, gathered):
            return False
        await self._digests.dissolve(dm, entry, self._clock())
        log.info("digest_dissolved", entry=entry.id, messages=gathered.count)
        return True

    async def rendered(self, entry: Entry) -> Rendered:
        """What the post says; NotFound when its mailbox is gone."""
        mailbox = await self._mailbox(entry)
        gathered = await self._digests.gathered(entry, digest.MOST_LINES)
        sieve = await self._rules.sieve(mailbox.id)
        found = [await self._line(entry, mailbox, sieve, message_id) for message_id in gathered.message_ids]
        lines = [line for line in found if line is not None]
        made = digest.plain if entry.plain else digest.post
        return made(mailbox.profile.name, gathered.count - (len(found) - len(lines)), lines)

    async def _has_more_than_muted(self, entry: Entry, mailbox: Mailbox, gathered: Gathered) -> bool:
        """Whether at least one of the messages comes to Slack; mostly the first that is read says so."""
        if gathered.count > len(gathered.message_ids):
            return True
        sieve = await self._rules.sieve(mailbox.id)
        if not sieve.rules:
            return bool(gathered.count)
        for message_id in gathered.message_ids:
            if await self._line(entry, mailbox, sieve, message_id) is not None:
                return True
        return False

    async def _line(self, entry: Entry, mailbox: Mailbox, sieve: Sieve, message_id: str) -> Rendered | None:
        """One message in a line; None where its owner muted the sender, or the conversation it is known to belong to.

        One that cannot be read, and one whose copy is gone, is named without its words.
        """
        try:
            message, octets = await self._digests.head(message_id)
        except (NotFound, SealBroken) as error:
            log.info("digest_line_missing", message=message_id, error=type(error).__name__)
            return digest.nameless(digest.UNREAD, self._clock())
        address = mailbox.profile.address
        arrival = Arrival(message.shape, message.listed_octets, message.received_at, None, address)
        said = await self._renderer.read(octets, arrival, Mode.LINE)
        if said is None:
            return digest.nameless(digest.UNREAD, message.received_at)
        conversation = None
        if sieve.has_threads and said.clues is not None:
            # What is not known yet gets the digest's own id here, which no rule names.
            place = await self._conversations.place(entry, said.clues, self._clock(), sieve.key)
            conversation = place.conversation
        return None if sieve.match(said.sender, conversation) else said

    async def _mailbox(self, entry: Entry) -> Mailbox:
        assert entry.mailbox_id is not None
        return await self._mailboxes.get(entry.owner, entry.mailbox_id)
