"""Use case part: the message as it came, in the thread of its post, or why it cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail.content import File, Rendered
from bot.slack import actions, blocks, posts
from storage.wishes import OriginalState

if TYPE_CHECKING:
    from datetime import datetime

    from storage.messages import Messages
    from storage.originals import Originals
    from storage.records import Mailbox

COMES: Final = "The message as it came:"
INSTEAD: Final = "An e-mail came that Slack shows in no form."


class OriginalPosts:
    """Makes the posts that bring originals."""

    def __init__(self, originals: Originals, messages: Messages) -> None:
        self._originals = originals
        self._messages = messages

    async def said(self, entry_id: str) -> tuple[Rendered, bool]:
        """What the post says, and whether the file belongs to it; its octets are not read.

        Raises:
            NotFound: it is not wanted any more.
        """
        original = await self._originals.brought_by(entry_id)
        is_here = original.state is OriginalState.HERE
        words = COMES if is_here else actions.ORIGINALS[original.state]
        words = f"{INSTEAD} {words}" if original.stands_in else words
        return Rendered(words, [blocks.sentence(words)]), is_here

    async def stand_in(self, mailbox: Mailbox, message_id: str, now: datetime) -> None:
        """Let a message come as it is, since its post does not.

        Raises:
            NotFound: it is gone.
        """
        await self._originals.want(mailbox, message_id, now, again=False, stands_in=True)

    async def rendered(self, entry_id: str) -> Rendered:
        """The post with its file.

        Raises:
            NotFound: it is not wanted any more, or its octets are gone.
        """
        original = await self._originals.brought_by(entry_id)
        _, octets = await self._messages.load(original.message_id)
        return Rendered(COMES, [], (File(posts.ORIGINAL, octets, posts.ORIGINAL),))
