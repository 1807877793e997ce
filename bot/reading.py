"""Use case: what a person does with a message beyond its post: read all of it, get it as it came, mark it as done.

Whoever sees a button can press it, so every call looks up afresh whose message it is about; pressing twice does what
pressing once did. What is shown is read from the sealed octets by the render child, each time anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from bot import pace
from bot.errors import NoSuchMailbox, NoSuchMessage, NotKept, NotShown
from bot.kept import Kept
from bot.mail.frames import Mode
from storage.errors import NotFound
from storage.wishes import OriginalState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bot.mail.content import Rendered
    from bot.mail.renderer import Renderer
    from bot.pace import Pace
    from storage.mailboxes import Mailboxes
    from storage.marks import Marks
    from storage.messages import Messages
    from storage.originals import Originals
    from storage.records import Mailbox, Person
    from storage.wishes import OpenPost, Original, Standing

log = structlog.get_logger(__name__)

Found = TypeVar("Found")

NEWEST: Final = 20


@dataclass(frozen=True, slots=True)
class OpenMail:
    """A post that is not marked as done; `label` is sender and subject, None when its octets are gone."""

    post: OpenPost
    label: str | None


class Reading:
    """What owners do with their messages.

    Args:
        bounds: how often a mailbox may be polled.
        nudge: called when something became due.
    """

    def __init__(
        self,
        mailboxes: Mailboxes,
        messages: Messages,
        marks: Marks,
        originals: Originals,
        renderer: Renderer,
        *,
        bounds: Callable[[Mailbox], Pace],
        clock: Callable[[], datetime],
        nudge: Callable[[], None],
    ) -> None:
        self._mailboxes = mailboxes
        self._marks = marks
        self._originals = originals
        self._kept = Kept(messages, renderer)
        self._bounds = bounds
        self._clock = clock
        self._nudge = nudge

    async def standing(self, owner: Person, message_id: str) -> Standing:
        """How things are with a message.

        Raises:
            NoSuchMessage: it is gone, or somebody else's.
        """
        return await _found(self._marks.standing(owner, message_id))

    async def page(self, owner: Person, message_id: str, mode: Mode, number: int) -> Rendered:
        """A page of the whole text or of the header.

        Raises:
            NoSuchMessage: it is gone, or somebody else's.
            NotKept: its octets are past their time.
            NotShown: it cannot be read.
        """
        await self.standing(owner, message_id)
        read = await self._kept.read(message_id, mode, number)
        if read is None:
            raise NotKept
        return read

    async def label(self, owner: Person, message_id: str) -> tuple[str, Rendered]:
        """Its mailbox, and sender and subject in a line. Raises as `page` does."""
        standing = await self.standing(owner, message_id)
        read = await self._kept.read(message_id, Mode.LABEL, 0)
        if read is None:
            raise NotKept
        return standing.mailbox_id, read

    async def original(
        self, owner: Person, message_id: str, *, again: bool = False
    ) -> tuple[Mailbox, Original]:
        """Bring a message as it came into the thread of its post, fetched from the server where it is not kept.

        Args:
            again: what the server did not have is looked for once more.

        Raises:
            NoSuchMessage: it is gone, or somebody else's.
        """
        standing = await self.standing(owner, message_id)
        mailbox = await _found(self._mailboxes.get(owner, standing.mailbox_id))
        now = self._clock()
        original = await _found(self._originals.want(mailbox, message_id, now, again=again))
        if original.state is OriginalState.ASKED:
            due_at = pace.earliest(mailbox, self._bounds(mailbox), now)
            mailbox = await _found(self._mailboxes.check_now(owner, mailbox.id, due_at))
        log.info("original_wanted", mailbox=mailbox.id, state=original.state)
        self._nudge()
        return mailbox, original

    async def mark(self, owner: Person, message_id: str, *, is_done: bool) -> Standing:
        """Mark a message as done, or as not done.

        Raises:
            NoSuchMessage: it is gone, or somebody else's.
        """
        return await _found(self._marks.mark(owner, message_id, self._clock() if is_done else None))

    async def count_open(self, owner: Person) -> dict[str, int]:
        """How many posts are not marked as done, by mailbox id."""
        return await self._marks.count_open(owner)

    async def newest_open(self, owner: Person, mailbox_id: str) -> tuple[Mailbox, list[OpenMail]]:
        """The newest posts of a mailbox that are not marked as done.

        Raises:
            NoSuchMailbox: it is gone, or somebody else's.
        """
        try:
            mailbox = await self._mailboxes.get(owner, mailbox_id)
        except NotFound as error:
            raise NoSuchMailbox from error
        posts = await self._marks.newest_open(owner, mailbox_id, NEWEST)
        return mailbox, [OpenMail(post, await self._line(post)) for post in posts]

    async def _line(self, post: OpenPost) -> str | None:
        try:
            read = await self._kept.read(post.message_id, Mode.LABEL, 0)
        except NotShown:
            return None
        return read.text if read is not None else None


async def _found(call: Awaitable[Found]) -> Found:
    try:
        return await call
    except NotFound as error:
        raise NoSuchMessage from error
