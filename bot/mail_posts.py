"""Use case part: a stored message as a post, for its owner and for others alike; without what can be done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail.content import Arrival
from bot.mail.frames import Mode
from storage.records import Shape

if TYPE_CHECKING:
    from bot.mail.content import Rendered
    from bot.mail.renderer import Renderer
    from storage.messages import Messages
    from storage.records import Mailbox, StoredMessage

READ_OCTETS: Final = 25 * 1024 * 1024
"""What is larger is read by nobody here: it is a file in the thread of its post."""

HEAD_OCTETS: Final = 32 * 1024
"""The beginning of such a message, which its post shows."""

HEADER_OCTETS: Final = 512 * 1024
"""Enough for any header that is read."""


class MailPosts:
    """Lays out what is stored."""

    def __init__(self, messages: Messages, renderer: Renderer) -> None:
        self._messages = messages
        self._renderer = renderer

    async def rendered(
        self, mailbox: Mailbox, message_id: str, *, mailbox_name: str | None, plain: bool
    ) -> tuple[StoredMessage, Rendered]:
        """A message and its post.

        Args:
            mailbox_name: the label to show in its head.
            plain: Slack refused the blocks.

        Raises:
            NotFound: its octets are gone.
        """
        message, octets = await self._messages.load(message_id)
        is_over = len(octets) > READ_OCTETS
        rendered = await self._renderer.render(
            octets[:HEAD_OCTETS] if is_over else octets,
            shape=Shape.TOP if is_over else message.shape,
            listed_octets=message.listed_octets,
            received_at=message.received_at,
            mailbox_name=mailbox_name,
            own_address=mailbox.profile.address,
            incoming_host=mailbox.profile.incoming.host,
            plain=plain,
        )
        return message, rendered

    async def line(self, message_id: str) -> tuple[StoredMessage, Rendered | None]:
        """A message and its line: sender, subject, date; None for one that cannot be read.

        Raises:
            NotFound: its octets are gone.
        """
        message, octets = await self._messages.load(message_id)
        shape = Shape.TOP if len(octets) > HEADER_OCTETS and message.shape is Shape.WHOLE else message.shape
        arrival = Arrival(shape, message.listed_octets, message.received_at, None, "")
        return message, await self._renderer.read(octets[:HEADER_OCTETS], arrival, Mode.LINE)
