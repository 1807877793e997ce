"""Use case: how somebody reads what others opened to them.

Every call decides afresh, by the facts and by what Slack says; what is shown is decided on once more after it was read,
so that a share which ended meanwhile shows nothing. Mail that is not the viewer's to see is not named and not counted.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import structlog

from bot import policy
from bot.door import mail_of, may_reach
from bot.errors import NotKept, NotShown
from bot.mail.frames import Mode
from bot.policy import Reason
from bot.slack.views.opened import Line, Listing, Opened, OpenedToMe, Viewed
from storage.errors import NotFound, NotPermitted
from storage.sharing import Level, Mail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.door import Door, Visit
    from bot.kept import Kept
    from bot.mail.content import Rendered
    from bot.policy import Decision
    from bot.slack.people import People
    from storage.copies import Copies
    from storage.mailboxes import Mailboxes
    from storage.records import Person
    from storage.shares import Shares
    from storage.sharing import Facts, ListedMessage, Member, Share

log = structlog.get_logger(__name__)

LINES: Final = 12
"""Messages on a page of a list."""

AT_ONCE: Final = 3
"""Messages that one viewer has read at once: mail that is on its way to Slack needs the render children too."""

BATCH: Final = 50
MOST_LOOKED_AT: Final = 500
MOST_READ: Final = 48
"""For one page; whoever wants to see what lies behind asks for the next one."""

OWNERS_AT_ONCE: Final = 8

_ALSO: Final = "Slack did not answer about some of their owners, so something may be missing here."
_TOO_LARGE: Final = "This message is too large to be laid out here, or it cannot be read as mail. Send it to our direct messages to get what there is."


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that comes into its viewer's DM; `is_new`: it was not there or on its way before."""

    viewed: Viewed
    is_new: bool


class Viewing:
    """What viewers see."""

    def __init__(
        self,
        door: Door,
        shares: Shares,
        people: People,
        *,
        copies: Copies,
        mailboxes: Mailboxes,
        kept: Kept,
    ) -> None:
        self._door = door
        self._shares = shares
        self._people = people
        self._copies = copies
        self._mailboxes = mailboxes
        self._kept = kept

    # Everything that is open to somebody

    async def shared_with(self, viewer: Person) -> OpenedToMe:
        """What others opened to a viewer, by owner; what does not reach them is not in it."""
        found = [facts for facts in await self._shares.all_facts(viewer.workspace) if facts.owner != viewer]
        if not found:
            return OpenedToMe()
        member = await self._people.member(viewer)
        why = _why_nothing(member, found[0])
        if member is None or why is not None:
            return OpenedToMe(why=policy.SENTENCES[why or Reason.UNKNOWN])
        owners: dict[Person, list[Facts]] = {}
        for facts in found:
            if may_reach(facts, member):
                owners.setdefault(facts.owner, []).append(facts)
        turns = asyncio.Semaphore(OWNERS_AT_ONCE)
        answers = await asyncio.gather(
            *(self._of_owner(viewer, owner, owned, turns) for owner, owned in owners.items())
        )
        is_whole = all(answer is not None for answer in answers)
        opened = [each for answer in answers for each in answer or ()]
        opened.sort(key=lambda each: (each.owner, each.name.casefold(), each.mailbox_id))
        return OpenedToMe(opened, "" if is_whole else _ALSO)

    async def _of_owner(
        self, viewer: Person, owner: Person, owned: Sequence[Facts], turns: asyncio.Semaphore
    ) -> list[Opened] | None:
        """What one owner opened to a viewer; None where Slack did not answer about that owner."""
        async with turns:
            together = replace(owned[0], shares=tuple(share for facts in owned for share in facts.shares))
            asked = await self._door.visit(viewer, together)
            if asked.circle.owner is None:
                return None
            visits = [replace(asked, facts=facts) for facts in owned]
            opened = [(visit, self._standing(visit)) for visit in visits]
            if not any(standing for _, standing in opened):
                return []
            names = {mailbox.id: mailbox.profile.name for mailbox in await self._mailboxes.of(owner)}
        return [
            replace(standing, name=names[visit.facts.mailbox_id])
            for visit, standing in opened
            if standing is not None and visit.facts.mailbox_id in names
        ]

    def _standing(self, visit: Visit) -> Opened | None:
        """A mailbox as far as it is open, still without its name; None where nothing of it is."""
        now, facts = self._door.clock(), visit.facts
        whole = visit.decision(now)
        singles = [visit.decision(now, _as_shared(share)) for share in facts.shares if share.message_id]
        best = max([whole, *singles], key=lambda decision: decision.level)
        if best.level is Level.NONE:
            return None
        share, is_single = best.share, whole.level is Level.NONE
        return Opened(
            mailbox_id=facts.mailbox_id,
            owner=facts.owner.user,
            name="",
            level=best.level,
            until=share.until if share is not None else None,
            since=share.created_at if share is not None and not share.history else None,
            is_single=is_single,
        )

    # The messages of a mailbox

    async def listing(self, viewer: Person, mailbox_id: str, trail: Sequence[str] = ()) -> Listing:
        """A page of what is open of a mailbox, the newest first.

        Args:
            trail: the ids behind which the pages up to this one begin; none for the first one.

        Raises:
            NotAllowed: nothing of it is open to them.
        """
        visit = await self._door.to_mailbox(viewer, mailbox_id)
        opened = await self._opened(visit)
        lines, before = await self._lines(visit, trail[-1] if trail else None)
        # What was read took its time: it is shown by what holds now.
        visit = await self._door.again(visit)
        opened = replace(await self._opened(visit), name=opened.name)
        shown = [line for each in lines if (line := self._shown(visit, *each)) is not None]
        return Listing(opened, shown, tuple(trail), before)

    async def _opened(self, visit: Visit) -> Opened:
        """How far a mailbox is open, or the refusal."""
        standing = self._standing(visit)
        if standing is None:
            decision = visit.decision(self._door.clock())
            await self._door.refuse(visit.viewer, visit.facts, decision, f"mailbox:{visit.facts.mailbox_id}")
        return replace(standing, name=await self._name(visit.facts))

    async def _lines(
        self, visit: Visit, before: str | None
    ) -> tuple[list[tuple[ListedMessage, Rendered | None]], str | None]:
        """The next messages with what was read of them, and behind which the page after this one begins."""
        lines: list[tuple[ListedMessage, Rendered | None]] = []
        looked_at = read = 0
        while looked_at < MOST_LOOKED_AT and read < MOST_READ:
            batch = await self._shares.messages(visit.facts.mailbox_id, BATCH, before=before)
            near = [message for message in batch if self._may_be_shown(visit, message)]
            for at in range(0, len(near), LINES):
                some = near[at : at + LINES]
                found = zip(some, await self._read(some), strict=True)
                read += len(some)
                lines += [each for each in found if self._shown(visit, *each) is not None]
                if len(lines) > LINES:
                    return lines[:LINES], lines[LINES - 1][0].id
            looked_at += len(batch)
            if len(batch) < BATCH:
                return lines, None
            before = batch[-1].id
        return lines, before

    async def _read(self, messages: Sequence[ListedMessage]) -> Sequence[Rendered | None]:
        turns = asyncio.Semaphore(AT_ONCE)

        async def line(message: ListedMessage) -> Rendered | None:
            async with turns:
                return await self._line(message.id)

        return await asyncio.gather(*map(line, messages))

    async def _line(self, message_id: str) -> Rendered | None:
        try:
            return await self._kept.read(message_id, Mode.LINE)
        except NotShown:
            return None

    def _may_be_shown(self, visit: Visit, message: ListedMessage) -> bool:
        """Whether a message is open, its domains apart: those take reading it."""
        return visit.decision(self._door.clock(), mail_of(message, ())).level > Level.NONE

    def _shown(self, visit: Visit, message: ListedMessage, read: Rendered | None) -> Line | None:
        """A message as its viewer may see it in a list; None where that is not at all."""
        mail = mail_of(message, None if read is None else read.domains)
        level = visit.decision(self._door.clock(), mail).level
        if level is Level.NONE:
            return None
        return Line(message.id, level, message.received_at, message.listed_octets, read)

    async def _name(self, facts: Facts) -> str:
        try:
            return (await self._mailboxes.get(facts.owner, facts.mailbox_id)).profile.name
        except NotFound:
            return ""

    # A message

    async def page(self, viewer: Person, message_id: str, number: int = 0) -> Viewed:
        """A message as far as its viewer may see it, with a page of its text from OPEN up.

        Raises:
            NotAllowed: it is not open to them.
        """
        visit, message = await self._door.to_message(viewer, message_id)
        decision = await self._decided(visit, message, (), Level.SEE)
        line = await self._line(message_id)
        page, why_not = None, ""
        if line is not None and decision.allows(Level.OPEN):
            page, why_not = await self._page(visit.facts, message_id, number)
        visit = await self._door.again(visit)
        decision = await self._decided(visit, message, _domains(line), Level.SEE)
        is_open = decision.allows(Level.OPEN)
        return Viewed(
            message_id=message_id,
            owner=visit.facts.owner.user,
            name=await self._name(visit.facts),
            level=decision.level,
            received_at=message.received_at,
            octets=message.listed_octets,
            line=line,
            page=page if is_open else None,
            number=number,
            why_not=why_not if is_open else "",
        )

    async def _page(self, facts: Facts, message_id: str, number: int) -> tuple[Rendered | None, str]:
        try:
            own = (await self._mailboxes.get(facts.owner, facts.mailbox_id)).profile.address
            return await self._kept.read(message_id, Mode.TEXT, number, own_address=own), NotKept.words
        except (NotShown, NotFound):
            return None, _TOO_LARGE

    async def fields(self, viewer: Person, message_id: str, number: int = 0) -> Rendered:
        """A page of a message's header.

        Raises:
            NotAllowed: it is not open to them.
            NotKept: its octets are past their time.
            NotShown: it cannot be read.
        """
        visit, message = await self._door.to_message(viewer, message_id)
        await self._decided(visit, message, (), Level.OPEN)
        read = await self._kept.read(message_id, Mode.FIELDS, number)
        await self._decided(await self._door.again(visit), message, _domains(read), Level.OPEN)
        if read is None:
            raise NotKept
        return read

    async def sender(self, viewer: Person, message_id: str) -> tuple[str, str]:
        """The mailbox of a message and its sender's address, for somebody who may manage that mailbox.

        Raises:
            NotAllowed: they may not.
            NotKept: its octets are past their time.
            NotShown: it cannot be read.
        """
        visit, message = await self._door.to_message(viewer, message_id)
        await self._decided(visit, message, (), Level.MANAGE)
        read = await self._kept.read(message_id, Mode.LABEL)
        await self._decided(await self._door.again(visit), message, _domains(read), Level.MANAGE)
        if read is None:
            raise NotKept
        return message.mailbox_id, read.sender

    async def _decided(
        self, visit: Visit, message: ListedMessage, domains: tuple[str, ...] | None, level: Level
    ) -> Decision:
        """The decision about a message where it reaches this level, else the refusal."""
        decision = visit.decision(self._door.clock(), mail_of(message, domains))
        if not decision.allows(level):
            await self._door.refuse(visit.viewer, visit.facts, decision, f"message:{message.id}")
        return decision

    # Copies

    async def send_copy(self, viewer: Person, message_id: str, number: int = 0) -> Sent:
        """Bring a message with its files into its viewer's DM, for as long as it is open to them; once is enough.

        Raises:
            NotAllowed: it is not open to them.
        """
        viewed = await self.page(viewer, message_id, number)
        visit, message = await self._door.to_message(viewer, message_id)
        mail = mail_of(message, _domains(viewed.line))
        decision = await self._decided(visit, message, _domains(viewed.line), Level.OPEN)
        before = {copy.entry_id for copy in await self._copies.of_viewer(viewer)}
        permits = visit.permits(Level.OPEN, self._door.clock, mail)
        share = decision.share.id if decision.share is not None else ""
        try:
            entry_id = await self._copies.owe(
                message.mailbox_id, message_id, viewer, self._door.clock(), permits, share=share
            )
        except (NotPermitted, NotFound):
            visit = await self._door.again(visit)
            decision = visit.decision(self._door.clock(), mail)
            await self._door.refuse(viewer, visit.facts, decision, f"message:{message_id}")
        log.info("copy_wanted", mailbox=message.mailbox_id, is_new=entry_id not in before)
        return Sent(viewed, entry_id not in before)


def _domains(read: Rendered | None) -> tuple[str, ...] | None:
    return None if read is None else read.domains


def _as_shared(share: Share) -> Mail:
    """The one message that a share is about, as far as the tables know it."""
    return Mail(share.message_id or "", share.created_at, frozenset())


def _why_nothing(member: Member | None, facts: Facts) -> Reason | None:
    """Why nobody's mail is shown to somebody; None where it may be."""
    if member is None:
        return Reason.UNKNOWN
    if member.role is None:
        return Reason.NO_ROLE
    may_view = policy.allowance(policy.chain(member, facts.grants)).may_view
    return None if may_view else Reason.BLOCKED
