"""Use case part: may somebody have a mailbox, one more, this one, one more that is active? Asked afresh each time.

Slack is asked before the transaction; the judge that is handed to the store decides inside it, on the grants it reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot import holding, policy
from bot.errors import NotAllowed, RoleUnknown
from bot.holding import Obstacle
from storage.records import Security
from storage.sharing import ADMINISTRATORS, Act, AuditEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.errors import BotError
    from bot.slack.people import People
    from storage.audits import Audits
    from storage.grants import Grants
    from storage.records import Person, Profile, ServerAddress
    from storage.sharing import Grant, Member, Room

log = structlog.get_logger(__name__)

MOST_NAMED = 5


class Judged:
    """A judge for a store, which remembers why it said no."""

    def __init__(self, member: Member, *, counts: bool, is_plain: bool) -> None:
        self._member = member
        self._counts = counts
        self._is_plain = is_plain
        self._obstacle = Obstacle.NONE_ACTIVE
        self._most: int | None = None

    def __call__(self, grants: Sequence[Grant], held: int) -> Room:
        """Whether it may be, and how many may be active."""
        counted = held if self._counts else None
        found = holding.obstacle(self._member, grants, counted, is_plain=self._is_plain)
        self._obstacle = found or Obstacle.NONE_ACTIVE
        self._most = policy.allowance(policy.chain(self._member, grants)).mailboxes
        return holding.room(self._member, grants, counted, is_plain=self._is_plain)

    @property
    def obstacle(self) -> Obstacle:
        """Why it said no."""
        return self._obstacle

    def refusal(self) -> BotError:
        """The same for the person."""
        return _refusal(self._obstacle, self._most)


class Holders:
    """Who may have which mailboxes.

    Args:
        is_exempt: hosts that the operator lets everybody use without encryption.
    """

    def __init__(
        self,
        people: People,
        grants: Grants,
        audits: Audits,
        *,
        is_exempt: Callable[[str], bool],
        clock: Callable[[], datetime],
    ) -> None:
        self._people = people
        self._grants = grants
        self._audits = audits
        self._is_exempt = is_exempt
        self._clock = clock

    async def adding(self, owner: Person, profile: Profile) -> Judged:
        """A judge for one more mailbox; RoleUnknown where Slack cannot be asked."""
        return Judged(await self._member(owner), counts=True, is_plain=self._is_plain(profile))

    async def activating(self, owner: Person) -> Judged:
        """A judge for one more active mailbox; RoleUnknown where Slack cannot be asked."""
        return Judged(await self._member(owner), counts=False, is_plain=False)

    async def changing(self, owner: Person, after: Profile, before: Profile) -> Judged | None:
        """A judge for a mailbox that leads to other servers from now on; None for one that does not."""
        if not holding.is_other_server(after, before):
            return None
        return Judged(await self._member(owner), counts=False, is_plain=self._is_plain(after, before))

    async def refused(self, owner: Person, judge: Judged, mailbox_id: str | None) -> BotError:
        """What a judge said no to in a store, noted in the audit; the reason, for the person."""
        await self._note(owner, judge.obstacle, mailbox_id)
        return judge.refusal()

    async def check_add(self, owner: Person, profile: Profile, held: int) -> None:
        """NotAllowed with the reason, noted in the audit, where they may not add it."""
        await self._check(owner, held, is_plain=self._is_plain(profile))

    async def check_change(self, owner: Person, after: Profile, before: Profile) -> None:
        """The same for a mailbox that leads to other servers from now on; one that does not asks nobody."""
        if holding.is_other_server(after, before):
            await self._check(owner, None, is_plain=self._is_plain(after, before))

    async def check_sending(self, owner: Person, server: ServerAddress) -> None:
        """The same before a password goes to a server without encryption: what administrators allow now counts."""
        if server.security is Security.NONE and not self._is_exempt(server.host):
            await self._check(owner, None, is_plain=True)

    async def standing(self, owner: Person, held: int) -> tuple[str, tuple[str, ...]]:
        """Why somebody may not add a mailbox, and the administrators to ask; "" for nothing, and while nobody knows."""
        grants = await self._grants.all(owner.workspace)
        member = await self._people.member(owner, fresh=True)
        found = holding.obstacle(member, grants, held)
        if found is None or member is None:
            return "", ()
        most = policy.allowance(policy.chain(member, grants)).mailboxes
        return holding.sentence(found, most), await self._administrators()

    async def allows_plain(self, owner: Person) -> bool:
        """Whether they may use any server without encryption; what is not known counts as no."""
        grants = await self._grants.all(owner.workspace)
        member = await self._people.member(owner, fresh=True)
        return member is not None and policy.allowance(policy.chain(member, grants)).allows_plain

    async def most_active(self, owner: Person) -> int | None:
        """How many of their mailboxes may be active, None for no limit; the least while nobody knows who they are."""
        grants = await self._grants.all(owner.workspace)
        member = await self._people.member(owner, fresh=True)
        return 1 if member is None else policy.allowance(policy.chain(member, grants)).active

    def _is_plain(self, after: Profile, before: Profile | None = None) -> bool:
        return any(not self._is_exempt(host) for host in holding.plain_hosts(after, before))

    async def _member(self, owner: Person) -> Member:
        member = await self._people.member(owner, fresh=True)
        if member is None:
            raise RoleUnknown
        return member

    async def _check(self, owner: Person, held: int | None, *, is_plain: bool) -> None:
        member = await self._member(owner)
        grants = await self._grants.all(owner.workspace)
        found = holding.obstacle(member, grants, held, is_plain=is_plain)
        if found is None:
            return
        await self._note(owner, found)
        raise _refusal(found, policy.allowance(policy.chain(member, grants)).mailboxes)

    async def _note(self, owner: Person, found: Obstacle, mailbox_id: str | None = None) -> None:
        entry = AuditEntry(
            at=self._clock(),
            workspace=owner.workspace,
            actor=owner.user,
            act=Act.REFUSED,
            owner=owner.user,
            mailbox_id=mailbox_id,
            subject="mailbox",
            after=found,
        )
        await self._audits.add(entry)
        log.info("mailbox_refused", why=found)

    async def _administrators(self) -> tuple[str, ...]:
        """The highest first, a few."""
        roster = await self._people.roster()
        found = [
            (-member.role.rank, user)
            for user, member in (roster or {}).items()
            if member.role is not None and member.role in ADMINISTRATORS
        ]
        return tuple(user for _, user in sorted(found)[:MOST_NAMED])


def _refusal(found: Obstacle, most: int | None) -> BotError:
    if found is Obstacle.UNKNOWN:
        return RoleUnknown()
    return NotAllowed(f"obstacle {found}", sentence=holding.sentence(found, most))
