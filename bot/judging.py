"""Ask Slack about those whom a decision is about, then decide by `bot.policy`.

Slack is asked before a transaction, and the decision is taken inside it, on the grants and shares that it reads: what
comes of `permits` is a judge for a store, which asks nobody.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot import policy
from storage.sharing import AudienceKind, Circle, GrantKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from bot.policy import Decision
    from bot.slack.people import People
    from storage.records import Person
    from storage.sharing import Facts, Grant, Level, Mail, Share


class Permits:
    """A judge for a store: whether somebody has a level by the facts of the transaction; `decision` is its last one."""

    def __init__(
        self,
        viewer: Person,
        circle: Circle,
        level: Level,
        mail: Mail | None,
        clock: Callable[[], datetime],
        *,
        to: Collection[str] = (),
    ) -> None:
        self._viewer = viewer
        self._circle = circle
        self._level = level
        self._mail = mail
        self._clock = clock
        self._to = to
        self.decision: Decision | None = None

    def __call__(self, facts: Facts) -> bool:
        """Decide on these facts; a channel that Slack was not asked about gives nothing."""
        self.decision = policy.decide(self._viewer, facts, self._circle, self._clock(), self._mail, self._to)
        return self.decision.allows(self._level)


class Judge:
    """Decisions on what Slack says now."""

    def __init__(self, people: People, clock: Callable[[], datetime]) -> None:
        self._people = people
        self._clock = clock

    async def circle(self, facts: Facts, viewer: Person, *, fresh: bool = False) -> Circle:
        """What Slack says of the owner, a viewer and the channels among the shares, all asked at once."""
        return await self._gathered(facts, viewer, facts.shares, fresh=fresh)

    async def decide(
        self,
        viewer: Person,
        facts: Facts,
        mail: Mail | None = None,
        *,
        fresh: bool = False,
        seen: bool = False,
        to: Collection[str] = (),
    ) -> Decision:
        """What somebody may do; an owner may without Slack being asked.

        Args:
            fresh: for what writes or sends: an answer of some seconds ago is not enough.
            seen: for what was given already: an answer within the hour is enough.
            to: domains of a mail that they would send.
        """
        circle = await self._circle_of(facts, viewer, mail, fresh=fresh, seen=seen)
        return policy.decide(viewer, facts, circle, self._clock(), mail, to)

    async def permits(
        self,
        viewer: Person,
        facts: Facts,
        level: Level,
        mail: Mail | None = None,
        *,
        fresh: bool = False,
        to: Collection[str] = (),
    ) -> Permits:
        """A judge for a store, of what Slack says now.

        Args:
            facts: of the same mailbox, read before; they only tell whom to ask about.
        """
        circle = await self._circle_of(facts, viewer, mail, fresh=fresh)
        return Permits(viewer, circle, level, mail, self._clock, to=to)

    async def _circle_of(
        self, facts: Facts, viewer: Person, mail: Mail | None, *, fresh: bool, seen: bool = False
    ) -> Circle:
        """No more than a decision about this message, or the mailbox as a whole, needs; nothing for the owner."""
        if viewer == facts.owner:
            return Circle(None, None, {})
        shares = [share for share in facts.shares if policy.covers(share, mail)]
        return await self._gathered(facts, viewer, shares, fresh=fresh, seen=seen)

    async def _gathered(
        self, facts: Facts, viewer: Person, shares: Iterable[Share], *, fresh: bool, seen: bool = False
    ) -> Circle:
        ids = _channel_ids(shares, facts.grants)
        owner, found, channels = await asyncio.gather(
            self._people.member(facts.owner, fresh=fresh, seen=seen),
            self._people.member(viewer, fresh=fresh, seen=seen),
            asyncio.gather(*(self._people.channel(channel, fresh=fresh, seen=seen) for channel in ids)),
        )
        return Circle(owner, found, {channel.id: channel for channel in channels if channel is not None})


def _channel_ids(shares: Iterable[Share], grants: Iterable[Grant]) -> list[str]:
    """The channels that may count: those of shares, and of FIXED grants, since whose they are is asked meanwhile."""
    fixed = (grant.audience for grant in grants if grant.kind is GrantKind.FIXED)
    audiences = {*(share.audience for share in shares), *filter(None, fixed)}
    return sorted(audience.id for audience in audiences if audience.kind is AudienceKind.CHANNEL)
