"""Use case part: whose mailboxes rest because of who their owner is to Slack now, and when they go on.

A role that may not hold mailboxes, and a deactivated account, suspend them; both end by themselves as the role or the
account comes back. What an administrator suspended is theirs to lift. The credentials of an account that stays
deactivated are erased after a while.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from bot import fates, policy
from storage.errors import NotFound, NotPermitted
from storage.records import Person
from storage.sharing import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.slack.people import People
    from storage.grants import Grants
    from storage.shares import Shares
    from storage.sharing import Grant, Member
    from storage.surveys import Surveys
    from storage.suspension import Suspensions

IN_ONE_GO: Final = 50
"""Mailboxes that are looked at before others have their turn on the loop."""

log = structlog.get_logger(__name__)


class Suspending:
    """Suspends mailboxes and lifts it, by what Slack says of their owners."""

    def __init__(
        self,
        *,
        workspace: str,
        shares: Shares,
        grants: Grants,
        surveys: Surveys,
        suspensions: Suspensions,
        people: People,
        clock: Callable[[], datetime],
    ) -> None:
        self._workspace = workspace
        self._shares = shares
        self._grants = grants
        self._surveys = surveys
        self._suspensions = suspensions
        self._people = people
        self._clock = clock

    async def owner(self, person: Person, member: Member | None) -> bool:
        """Bring all mailboxes of a person in line; False when Slack did not say who they are."""
        found = await self._shares.facts_of(person)
        if member is None:
            return not found
        for facts in found:
            await self._mailbox(facts, member)
        limit = _most_active(member, found[0].grants) if found else None
        if limit is not None:
            await self._suspensions.keep_active(person, limit, self._clock())
        return True

    async def everyone(self, roster: Mapping[str, Member]) -> tuple[dict[str, Member], bool]:
        """Bring all mailboxes in line; all owners, and whether everything was known.

        Args:
            roster: everybody with a role; an owner who is not in it is asked about alone before anything is done.
        """
        grants = tuple(await self._grants.all(self._workspace))
        suspended = await self._suspensions.of(self._workspace)
        members, is_known, active = dict(roster), True, Counter[str]()
        for number, holder in enumerate(await self._surveys.owned(self._workspace)):
            if number % IN_ONE_GO == 0:
                await asyncio.sleep(0)  # most are as they should be, and nothing else is waited for
            person = Person(self._workspace, holder.owner)
            member = members.get(holder.owner) or await self._people.member(person, fresh=True)
            if member is None:
                is_known = False
                continue
            members[holder.owner] = member
            active[holder.owner] += holder.is_active
            await self._mailbox(Facts(holder.id, person, suspended.get(holder.id), grants, ()), member)
        for user, count in active.items():
            limit = _most_active(members[user], grants)
            if limit is not None and count > limit:
                await self._suspensions.keep_active(members[user].person, limit, self._clock())
        return members, is_known

    async def _mailbox(self, facts: Facts, member: Member) -> None:
        wanted = fates.standing(facts, member)
        if wanted is facts.suspension:
            return

        def is_so(now_facts: Facts) -> bool:
            return fates.standing(now_facts, member) is wanted

        place, now = (self._workspace, facts.mailbox_id), self._clock()
        with suppress(NotFound, NotPermitted):  # it is gone, or was changed meanwhile
            if wanted is None:
                is_new = await self._suspensions.lift(*place, None, now, is_so)
            else:
                is_new = await self._suspensions.suspend(*place, wanted, None, now, is_so)
            if is_new:
                log.info("suspension_changed", mailbox=facts.mailbox_id, why=wanted)

    async def erase(self, now: datetime) -> None:
        """Erase the credentials of accounts that have been deactivated for long."""
        count = await self._suspensions.erase_overdue(self._workspace, now - fates.KEPT_AFTER, now)
        if count:
            log.info("credentials_erased", mailboxes=count)


def _most_active(member: Member, grants: Sequence[Grant]) -> int | None:
    """How many active mailboxes somebody may have; None without a limit, and for whom all of them rest anyway."""
    return None if member.role is None else policy.allowance(policy.chain(member, grants)).active
