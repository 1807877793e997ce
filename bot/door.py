"""Use case part: who comes in to another's mail. Asks the judge, says no politely, and notes whoever was refused.

Facts are read, then Slack is asked about those they name; whoever acts on the answer lets the store judge again in the
transaction of the effect, whoever shows something judges again after it was read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn

import structlog

from bot import policy
from bot.errors import NotAllowed
from bot.policy import Decision, Reason
from storage.errors import NotFound
from storage.records import Person
from storage.sharing import Act, AudienceKind, AuditEntry, Circle, Level, Mail

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from enum import StrEnum

    from bot.errors import BotError
    from bot.judging import Judge
    from storage.audits import Audits
    from storage.shares import Shares
    from storage.sharing import Facts, ListedMessage, Member

log = structlog.get_logger(__name__)

NOT_SHARED: Final = Decision(Level.NONE, Reason.NOT_SHARED)
"""What is said of what is not there as well: nobody learns which of the two it is."""

TOO_LOW: Final = "What is shared with you does not reach this far. Its owner can share it at a higher level with `/mailbox share`."

NOTED_AGAIN: Final = timedelta(minutes=10)
"""How soon the next press of the same stranger is a line of the audit again."""

MOST_STRANGERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who looks at another's mail: what the tables and Slack said when they came.

    Attributes:
        to: domains of a mail that they would send.
    """

    viewer: Person
    facts: Facts
    circle: Circle
    to: frozenset[str] = frozenset()

    def decision(self, now: datetime, mail: Mail | None = None) -> Decision:
        """What they may do by what was read."""
        return policy.decide(self.viewer, self.facts, self.circle, now, mail, self.to)

    def permits(
        self, level: Level, clock: Callable[[], datetime], mail: Mail | None = None
    ) -> Callable[[Facts], bool]:
        """A judge for a store: the same decision by the facts of its transaction."""

        def permits(facts: Facts) -> bool:
            return replace(self, facts=facts).decision(clock(), mail).allows(level)

        return permits


class Door:
    """Where viewers come in."""

    def __init__(
        self, shares: Shares, judge: Judge, audits: Audits, *, clock: Callable[[], datetime]
    ) -> None:
        self._shares = shares
        self._judge = judge
        self._audits = audits
        self._strangers: dict[str, datetime] = {}
        self.clock = clock

    async def to_mailbox(self, viewer: Person, mailbox_id: str, *, fresh: bool = False) -> Visit:
        """A visit to a mailbox.

        Raises:
            NotAllowed: there is none.
        """
        try:
            facts = await self._shares.facts(mailbox_id)
        except NotFound:
            await self.refuse(viewer, None, NOT_SHARED, f"mailbox:{mailbox_id}")
        return await self.visit(viewer, facts, fresh=fresh)

    async def visit(self, viewer: Person, facts: Facts, *, fresh: bool = False) -> Visit:
        """A visit to what these facts are about; of its owner Slack is asked nothing."""
        if viewer == facts.owner:
            return Visit(viewer, facts, Circle(None, None, {}))
        return Visit(viewer, facts, await self._judge.circle(facts, viewer, fresh=fresh))

    async def to_message(self, viewer: Person, message_id: str) -> tuple[Visit, ListedMessage]:
        """A visit to one message; Slack is asked anew.

        Raises:
            NotAllowed: there is none.
        """
        try:
            facts, message = await self._shares.facts_of_message(message_id)
        except NotFound:
            await self.refuse(viewer, None, NOT_SHARED, f"message:{message_id}")
        return await self.visit(viewer, facts, fresh=True), message

    async def again(self, visit: Visit) -> Visit:
        """The same visit by what the tables say now.

        Raises:
            NotAllowed: the mailbox is gone.
        """
        try:
            facts = await self._shares.facts(visit.facts.mailbox_id)
        except NotFound:
            await self.refuse(visit.viewer, visit.facts, NOT_SHARED, f"mailbox:{visit.facts.mailbox_id}")
        return replace(visit, facts=facts)

    async def note_stranger(self, workspace: str, user: str, subject: str) -> None:
        """Note that somebody of another workspace pressed a button: whoever is in a channel can, as often as they like."""
        now = self.clock()
        if now - self._strangers.get(user, now - NOTED_AGAIN) < NOTED_AGAIN:
            return
        self._strangers.pop(user, None)  # the longest known goes first
        self._strangers[user] = now
        if len(self._strangers) > MOST_STRANGERS:
            del self._strangers[next(iter(self._strangers))]
        await self._note(Person(workspace, user), None, Reason.NO_ROLE, subject)

    async def refuse(self, viewer: Person, facts: Facts | None, decision: Decision, subject: str) -> NoReturn:
        """Note that somebody tried what they may not, and say so.

        Raises:
            NotAllowed: always.
        """
        await self._note(viewer, facts, decision.reason, subject)
        log.info("viewer_refused", reason=decision.reason)
        # Shared, but not at this level: that it is shared would be no answer.
        sentence = TOO_LOW if decision.reason is Reason.SHARED else decision.sentence
        raise NotAllowed(f"refused: {decision.reason}", sentence=sentence)

    async def turn_away(
        self, viewer: Person, facts: Facts | None, reason: StrEnum, subject: str, error: BotError
    ) -> NoReturn:
        """Note that somebody tried what nobody may now, owners included, and say so by this error."""
        await self._note(viewer, facts, reason, subject)
        log.info("turned_away", reason=reason)
        raise error

    async def _note(self, viewer: Person, facts: Facts | None, reason: StrEnum, subject: str) -> None:
        entry = AuditEntry(
            at=self.clock(),
            workspace=viewer.workspace,
            actor=viewer.user,
            act=Act.REFUSED,
            owner=None if facts is None else facts.owner.user,
            mailbox_id=None if facts is None else facts.mailbox_id,
            subject=subject,
            after=reason.value,
        )
        await self._audits.add(entry)


def mail_of(message: ListedMessage, domains: tuple[str, ...] | None) -> Mail:
    """A message as policy sees it."""
    return Mail(message.id, message.received_at, None if domains is None else frozenset(domains))


def may_reach(facts: Facts, member: Member) -> bool:
    """Whether anything may be open to somebody, before Slack is asked about the owner and the channels."""
    audiences = [
        *(share.audience for share in facts.shares),
        *(grant.audience for grant in facts.grants if grant.audience is not None),
    ]
    return any(
        audience.kind is AudienceKind.CHANNEL or policy.reaches(audience, member, {})
        for audience in audiences
    )
