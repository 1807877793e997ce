"""Use case part: what is read from the sealed octets of a message that is kept, each time anew, by the render child.

Decides nothing: whoever asks has found out before, and finds out again before it is shown, that it may be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import NotShown
from bot.mail.content import Arrival
from bot.mail.frames import Mode
from bot.mail_posts import HEADER_OCTETS, READ_OCTETS
from storage.errors import NotFound
from storage.records import Shape

if TYPE_CHECKING:
    from bot.mail.content import Rendered
    from bot.mail.renderer import Renderer
    from storage.messages import Messages
    from storage.records import StoredMessage


class Kept:
    """Reads what is kept."""

    def __init__(self, messages: Messages, renderer: Renderer) -> None:
        self._messages = messages
        self._renderer = renderer

    async def read(
        self, message_id: str, mode: Mode, number: int = 0, *, own_address: str = ""
    ) -> Rendered | None:
        """What the render child reads of a message; None when its octets are not kept.

        Args:
            mode: TEXT, FIELDS, LABEL, LINE or FILES.
            number: of a page, from 0.
            own_address: the mailbox's; without it, whether an answer to all goes to others is a guess.

        Raises:
            NotShown: it cannot be read as mail, or is too large to be.
        """
        try:
            message, octets = await self._messages.load(message_id)
        except NotFound:
            return None
        is_whole_needed = mode in {Mode.TEXT, Mode.FILES}
        if is_whole_needed and (len(octets) > READ_OCTETS or message.shape is not Shape.WHOLE):
            raise NotShown("over the limit")
        arrival = replace(_arrival(message), own_address=own_address)
        return await self._read(octets if is_whole_needed else octets[:HEADER_OCTETS], arrival, mode, number)

    async def original(self, message_id: str, own_address: str = "") -> Rendered | None:
        """What an answer to a message needs; None when its octets are not kept.

        Of a message that is too large, or of which only the beginning is there, the header is read alone.

        Args:
            own_address: whose answers to invitations are meant.

        Raises:
            NotShown: it cannot be read as mail.
        """
        try:
            message, octets = await self._messages.load(message_id)
        except NotFound:
            return None
        arrival = replace(_arrival(message), own_address=own_address)
        if len(octets) > READ_OCTETS:
            arrival, octets = replace(arrival, shape=Shape.TOP), octets[:HEADER_OCTETS]
        return await self._read(octets, arrival, Mode.ORIGINAL)

    async def files(self, message_id: str) -> Rendered | None:
        """The attachments of a message, to be passed on; None when its octets are not kept.

        Raises:
            NotShown: it cannot be read as mail, is too large to be, or only its beginning is there.
        """
        return await self.read(message_id, Mode.FILES)

    async def _read(self, octets: bytes, arrival: Arrival, mode: Mode, number: int = 0) -> Rendered:
        read = await self._renderer.read(octets, arrival, mode, number)
        if read is None:
            raise NotShown("no child survived it")
        return read


def _arrival(message: StoredMessage) -> Arrival:
    return Arrival(message.shape, message.listed_octets, message.received_at, None, "")
