"""Use case: the grants of a workspace: shown, previewed, written, taken back.

Every call decides afresh, by asking Slack, whether the person who acts is an administrator; what a grant may become is
decided once more within the transaction that writes it. A refusal is an audit entry.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import structlog

from bot import effects, granting, policy
from bot.administrators import UNKNOWN_WORDS
from bot.errors import NotAllowed
from bot.rechecking import EVERYTHING, Cause, What
from bot.slack.views.admin import GrantSheet, Overview, Preview
from storage.audits import grant_words
from storage.errors import NotPermitted, TooMany
from storage.records import Person
from storage.sharing import AudienceKind, ChannelReach, Role, Subject, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from bot.administrators import Administrators
    from bot.slack.people import People
    from storage.grants import Grants
    from storage.shares import Shares
    from storage.sharing import Channel, Grant, Member
    from storage.surveys import Surveys

log = structlog.get_logger(__name__)

FOLLOW_SECONDS: Final = 5.0
"""How long whoever saves a grant waits for what follows from it."""

RANK_WORDS: Final = (
    "This would allow people who rank above you more than they have now, or open their mail without asking them, so nothing "
    "was saved. Make it no wider than what they have, or ask somebody of their rank."
)


class OutranksThem(NotAllowed):
    """A grant would raise the ceiling of a role above the writer's own."""

    words = RANK_WORDS


class TooManyGrants(NotAllowed):
    """A workspace has as many grants as it may have."""

    words = (
        "There are as many grants for groups and people as there may be, so nothing was saved. Remove some that are not "
        "needed any more."
    )


class Administration:
    """What administrators grant.

    Args:
        recheck: cuts, ends and withdraws what grants allow no more: `bot.sharing.Sharing.recheck`.
    """

    def __init__(
        self,
        administrators: Administrators,
        people: People,
        grants: Grants,
        shares: Shares,
        surveys: Surveys,
        *,
        recheck: Callable[[Cause], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._administrators: Final = administrators
        self._people: Final = people
        self._grants: Final = grants
        self._shares: Final = shares
        self._surveys: Final = surveys
        self._recheck: Final = recheck
        self._clock: Final = clock
        self._following: Final = set[asyncio.Future[Any]]()

    async def overview(self, actor: Person) -> Overview:
        """The grants, and counts of mailboxes."""
        await self._administrators.require(actor, "overview")
        return await self.summary()

    async def summary(self) -> Overview:
        """The same for App Home, whose builder knows by `Front` that an administrator looks."""
        grants = await self._grants.all(self._administrators.workspace)
        roster = await self._people.roster()
        return Overview(
            grants=grants,
            counts=await self._surveys.counts(self._administrators.workspace),
            groups=await self.group_names(),
            review=effects.for_review(grants, roster),
        )

    async def group_names(self) -> dict[str, str]:
        """Names of user groups by id; none where Slack does not tell."""
        return {group.id: group.name for group in (await self._people.groups() or {}).values()}

    async def sheet(
        self, actor: Person, subject: Subject, shown: Grant | None = None, trouble: str = ""
    ) -> GrantSheet:
        """What the form of a grant shows.

        Args:
            shown: what somebody entered before, shown again.
            trouble: what kept it from being taken.
        """
        member = await self._administrators.require(actor, subject.key)
        grants = await self._grants.all(self._administrators.workspace)
        roles = await self._affected(subject)
        standing = policy.standing(subject, grants)
        is_limited = not granting.may_write(
            member, policy.NO_LIMIT, replace(policy.NO_LIMIT, active=0), roles
        )
        lowest = min(roles, key=lambda role: role.rank, default=None)
        return GrantSheet(
            subject=subject,
            shown=shown or effects.start(subject, grants, Role.MEMBER if Role.MEMBER in roles else lowest),
            is_written=any(grant.subject == subject for grant in grants),
            limit=standing if is_limited else None,
            groups=await self.group_names(),
            trouble=trouble,
        )

    async def preview(
        self, actor: Person, subject: Subject, grant: Grant | None, *, is_stale: bool = False
    ) -> Preview:
        """Who would be affected; nothing is written.

        Args:
            grant: None to take the grant back.

        Raises:
            OutranksThem: it would raise the ceiling of a role above theirs.
        """
        member = await self._administrators.require(actor, subject.key)
        grants = await self._grants.all(self._administrators.workspace)
        roles = await self._affected(subject)
        before = policy.standing(subject, grants)
        grant = _ranked(await self._placed(grant), member)
        after = self._after(subject, grant)
        if not granting.may_write(member, after, before, roles):
            await self._administrators.refuse(actor, subject.key, grant_words(before), grant_words(after))
            raise OutranksThem("would raise a higher role")
        shown = Preview(
            subject=subject,
            before=before,
            after=after,
            groups=await self.group_names(),
            is_removal=grant is None,
            is_stale=is_stale,
            is_one_way=not granting.may_write(member, before, after, roles),
        )
        return await self._with_effects(shown, grants, grant)

    async def _with_effects(self, shown: Preview, grants: Sequence[Grant], grant: Grant | None) -> Preview:
        after = effects.replaced(grants, shown.subject, grant)
        facts = await self._shares.all_facts(self._administrators.workspace)
        channels = await self._channels(effects.channels_of(grant, facts, grants))
        world = effects.World(
            roster=await self._roster(),
            mailboxes=await self._surveys.owned(self._administrators.workspace),
            facts=facts,
            channels=channels,
        )
        found = await asyncio.to_thread(effects.effects, shown.subject, tuple(grants), after, world)
        return replace(shown, effects=found, closed=_closed(grant, channels))

    async def write(
        self, actor: Person, subject: Subject, grant: Grant | None, before: Grant
    ) -> tuple[Preview, bool]:
        """Write a grant, or take it back, unless it is not what the preview was made of.

        Args:
            before: what held when the preview was shown.

        Returns:
            What it changed and True; or a new preview and False, when somebody was faster.

        Raises:
            OutranksThem: it would raise the ceiling of a role above theirs.
        """
        preview = await self.preview(actor, subject, grant)
        if preview.before != before:
            return replace(preview, is_stale=True), False
        member = await self._administrators.require(actor, subject.key)
        roles = await self._affected(subject)
        grant = None if grant is None else replace(preview.after, rank=_rank(member))
        found: list[Grant] = []

        def permits(grants: Sequence[Grant]) -> bool:
            found.append(policy.standing(subject, grants))
            after = self._after(subject, grant)
            return found[-1] == before and granting.may_write(member, after, before, roles)

        try:
            await self._store(actor, subject, grant, permits)
        except NotPermitted as error:
            if found and found[-1] != before:
                return await self.preview(actor, subject, grant, is_stale=True), False
            await self._administrators.refuse(
                actor, subject.key, grant_words(before), grant_words(preview.after)
            )
            raise OutranksThem("would raise a higher role") from error
        except TooMany as error:
            raise TooManyGrants from error
        log.info("grant_written", kind=subject.kind, is_removal=grant is None)
        await self._follow(subject)
        return preview, True

    async def _store(
        self,
        actor: Person,
        subject: Subject,
        grant: Grant | None,
        permits: Callable[[Sequence[Grant]], bool],
    ) -> None:
        now = self._clock()
        if grant is None:
            await self._grants.remove(self._administrators.workspace, subject, actor, now, permits)
        else:
            await self._grants.set(self._administrators.workspace, grant, actor, now, permits)

    async def _follow(self, subject: Subject) -> None:
        """Cut what is allowed no more, which goes on by itself where there is much of it.

        Should that fail, nothing opens for it, and the next round does it: every decision is taken by the grants.
        """
        # Of a group everybody is looked at: the look at one goes by the grants, in which one taken back is no more.
        cause = Cause(What.USER, subject.id) if subject.kind is SubjectKind.PERSON else EVERYTHING
        task = asyncio.ensure_future(self._recheck(cause))
        self._following.add(task)
        task.add_done_callback(self._followed)
        await asyncio.wait({task}, timeout=FOLLOW_SECONDS)

    def _followed(self, task: asyncio.Future[Any]) -> None:
        self._following.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("recheck_failed", exc_info=error)

    @staticmethod
    def _after(subject: Subject, grant: Grant | None) -> Grant:
        return policy.standing(subject, ()) if grant is None else grant

    async def _affected(self, subject: Subject) -> frozenset[Role]:
        """The roles of those a grant is for.

        Raises:
            NotAllowed: Slack could not be asked; who is affected decides who may write.
        """
        if subject.kind is SubjectKind.PERSON:
            member = await self._people.member(Person(self._administrators.workspace, subject.id), fresh=True)
            if member is None:
                raise NotAllowed("slack not asked", sentence=UNKNOWN_WORDS)
            return frozenset() if member.role is None else frozenset({member.role})
        if subject.kind is SubjectKind.GROUP:
            await self._people.groups(fresh=True)
            return effects.roles_of(subject, (await self._roster()).values())
        return effects.roles_of(subject, ())

    async def _roster(self) -> Mapping[str, Member]:
        roster = await self._people.roster()
        if roster is None:
            raise NotAllowed("slack not asked", sentence=UNKNOWN_WORDS)
        return roster

    async def _placed(self, grant: Grant | None) -> Grant | None:
        """A FIXED grant with whether its channel is private now: made public, it is not what was chosen."""
        audience = None if grant is None else grant.audience
        if grant is None or audience is None or audience.kind is not AudienceKind.CHANNEL:
            return grant
        channel = await self._people.channel(audience.id, fresh=True)
        # One that Slack does not tell of has no name: only a private one hides so.
        is_private = channel is None or channel.is_private or not channel.name
        return replace(grant, channels=ChannelReach.PRIVATE if is_private else ChannelReach.ANY)

    async def _channels(self, ids: frozenset[str]) -> dict[str, Channel]:
        found = {each: await self._people.channel(each) for each in sorted(ids)}
        return {each: channel for each, channel in found.items() if channel is not None}


def _ranked(grant: Grant | None, writer: Member) -> Grant | None:
    """A grant with the rank it is written with."""
    return grant and replace(grant, rank=_rank(writer))


def _rank(writer: Member) -> int:
    return writer.role.rank if writer.role else 0


def _closed(grant: Grant | None, channels: Mapping[str, Channel]) -> tuple[str, ...]:
    """The channel of a fixed grant, where nothing can be shared in it."""
    named = effects.channels_of(grant, ())
    return tuple(
        each
        for each in sorted(named)
        if each not in channels or channels[each].is_external or not channels[each].is_open
    )
