"""Use case part: what is read from the sealed octets of a message that is kept, each time anew, by the render child.

Decides nothing: whoever asks has found out before, and finds out again before it is shown, that it may be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.errors import NotShown
from bot.mail.content import Arrival
from bot.mail.frames import Mode
from bot.mail_posts import READ_OCTETS
from storage.errors import NotFound
from storage.records import Shape

if TYPE_CHECKING:
    from bot.mail.content import Rendered
    from bot.mail.renderer import Renderer
    from storage.messages import Messages
    from storage.records import StoredMessage

HEAD_OCTETS: Final = 512 * 1024
"""Enough for any header that is read."""


class Kept:
    """Reads what is kept."""

    def __init__(self, messages: Messages, renderer: Renderer) -> None:
        self._messages = messages
        self._renderer = renderer

    async def read(self, message_id: str, mode: Mode, number: int = 0) -> Rendered | None:
        """What the render child reads of a message; None when its octets are not kept.

        Args:
            mode: TEXT, FIELDS, LABEL or LINE.
            number: of a page, from 0.

        Raises:
            NotShown: it cannot be read as mail, or is too large to be.
        """
        try:
            message, octets = await self._messages.load(message_id)
        except NotFound:
            return None
        is_whole_needed = mode is Mode.TEXT
        if is_whole_needed and (len(octets) > READ_OCTETS or message.shape is not Shape.WHOLE):
            raise NotShown("over the limit")
        read = await self._renderer.read(
            octets if is_whole_needed else octets[:HEAD_OCTETS], _arrival(message), mode, number
        )
        if read is None:
            raise NotShown("no child survived it")
        return read


def _arrival(message: StoredMessage) -> Arrival:
    return Arrival(message.shape, message.listed_octets, message.received_at, None, "")
