"""Use case: who can see an owner's mailboxes, and whether somebody may have one, as the front page says it.

Only what is shown; the decisions that count are taken where something is read or changed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bot import policy
from bot.slack.views.home import SeenBy
from storage.sharing import ADMINISTRATORS, AudienceKind, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.slack.people import People
    from storage.grants import Grants
    from storage.records import Person
    from storage.shares import Shares
    from storage.sharing import Channel, Facts, Grant, Member, Share

MOST_ASKED: Final = 3
"""Administrators that are named to whoever needs one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands.

    Attributes:
        member: what Slack says of them; None where it could not be asked.
        seen_by: who can see each of their mailboxes, by its id; None where Slack could not be asked.
        may_hold: whether they may have a mailbox; True also where that is not known: adding one asks again.
        administrators: whom to ask, where they may not.
        may_view: whether they may see what others share; True also where that is not known.
    """

    member: Member | None
    seen_by: Mapping[str, SeenBy] | None
    groups: Mapping[str, str] = field(default_factory=dict)
    may_hold: bool = True
    administrators: Sequence[str] = ()
    may_view: bool = True

    @property
    def is_administrator(self) -> bool:
        """Whether they write grants."""
        return self.member is not None and self.member.role in ADMINISTRATORS


class Front:
    """What the front page says about sharing."""

    def __init__(
        self, shares: Shares, grants: Grants, people: People, *, clock: Callable[[], datetime]
    ) -> None:
        self._shares = shares
        self._grants = grants
        self._people = people
        self._clock = clock

    async def of(self, person: Person) -> Standing:
        """How somebody stands; Slack that cannot be asked makes it less, and no error."""
        member, facts = await asyncio.gather(self._people.member(person), self._shares.facts_of(person))
        if member is None:
            return Standing(None, None)
        grants = facts[0].grants if facts else tuple(await self._grants.all(person.workspace))
        chain = policy.chain(member, grants)
        groups, channels = await asyncio.gather(self._people.groups(), self._channels(chain, facts))
        seen_by = {each.mailbox_id: self._seen_by(each, chain, channels) for each in facts}
        allowance = policy.allowance(chain)
        return Standing(
            member,
            seen_by,
            {group.id: group.name for group in (groups or {}).values()},
            may_hold=allowance.may_hold,
            administrators=() if allowance.may_hold else await self._administrators(),
            may_view=allowance.may_view,
        )

    def _seen_by(self, facts: Facts, chain: Sequence[Grant], channels: Mapping[str, Channel]) -> SeenBy:
        """Who can see one mailbox: the shares that give anything now, each at the level it gives."""
        if facts.suspension is not None:
            return SeenBy()
        now = self._clock()
        open_now = [
            share for share in policy.in_effect(chain, facts) if share.until is None or now < share.until
        ]
        lowered = [replace(share, level=_level(share, chain, channels)) for share in open_now]
        counting = [share for share in lowered if share.level > Level.NONE]
        whole = [share for share in counting if share.message_id is None]
        single = {share.message_id for share in counting if share.message_id is not None}
        return SeenBy(whole, len(single))

    async def _channels(self, chain: Sequence[Grant], facts: Sequence[Facts]) -> dict[str, Channel]:
        ids = {
            share.audience.id
            for each in facts
            for share in policy.in_effect(chain, each)
            if share.audience.kind is AudienceKind.CHANNEL
        }
        found = await asyncio.gather(*(self._people.channel(channel) for channel in sorted(ids)))
        return {channel.id: channel for channel in found if channel is not None}

    async def _administrators(self) -> list[str]:
        """The highest first."""
        roster = await self._people.roster()
        if roster is None:
            return []
        found = [member for member in roster.values() if member.role in ADMINISTRATORS]
        found.sort(key=lambda member: (-member.role.rank if member.role else 0, member.person.user))
        return [member.person.user for member in found[:MOST_ASKED]]


def _level(share: Share, chain: Sequence[Grant], channels: Mapping[str, Channel]) -> Level:
    channel = channels.get(share.audience.id)
    if share.audience.kind is AudienceKind.CHANNEL and not policy.as_chosen(share, channel):
        return Level.NONE
    return min(share.level, policy.ceiling(chain, share.audience, channel))
