"""Use case: new mail of mailboxes that are shared with a channel comes into that channel, each message once.

Here it is only owed, to whatever channel a share or a FIXED grant names; whether it may be posted is decided when it is
delivered.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import structlog

from bot import policy
from storage.records import Person
from storage.sharing import AudienceKind, GrantKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from bot.slack.people import People
    from storage.copies import Copies, Fresh
    from storage.grants import Grants
    from storage.sharing import Grant
    from storage.spreading import Spreading

log = structlog.get_logger(__name__)


class Spreader:
    """Owes channels what is to come into them."""

    def __init__(
        self,
        fresh: Spreading,
        copies: Copies,
        grants: Grants,
        people: People,
        *,
        workspace: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._fresh = fresh
        self._copies = copies
        self._grants = grants
        self._people = people
        self._workspace = workspace
        self._clock = clock

    async def work(self) -> None:
        """One look."""
        now = self._clock()
        found = [*await self._fresh.fresh(now), *await self._granted(now)]
        count = await self._copies.spread(found, now) if found else 0
        if count:
            log.info("copies_owed_to_channels", messages=count)

    async def _granted(self, now: datetime) -> list[Fresh]:
        """What FIXED grants bring; nothing while Slack cannot be asked whom they bind."""
        grants = await self._grants.all(self._workspace)
        if not any(_is_for_channel(grant) for grant in grants):
            return []
        owners, roster = await self._fresh.owners(self._workspace, now), await self._people.roster()
        found: list[Fresh] = []
        bound: dict[Grant, list[str]] = defaultdict(list)
        for mailbox_id, owner in owners.items():
            member = None if roster is None else roster.get(owner)
            grant = None if member is None else policy.fixed(policy.chain(member, grants))
            if grant is not None and _is_for_channel(grant):
                bound[grant].append(mailbox_id)
        for grant, mailbox_ids in bound.items():
            found += await self._fresh_of(grant, mailbox_ids, now)
        return found

    async def _fresh_of(self, grant: Grant, mailbox_ids: Iterable[str], now: datetime) -> list[Fresh]:
        assert grant.audience is not None
        channel = Person(self._workspace, grant.audience.id)
        return await self._fresh.fresh_of(list(mailbox_ids), channel, grant.since or now, now)


def _is_for_channel(grant: Grant) -> bool:
    is_fixed = grant.kind is GrantKind.FIXED and grant.audience is not None
    return is_fixed and grant.audience is not None and grant.audience.kind is AudienceKind.CHANNEL
