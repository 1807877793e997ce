"""Use case part: what becomes of shares, copies and mailboxes as roles, groups, channels, grants and time change.

Everything follows from the tables and from what Slack says now, never from the event that gave cause to look: an event
that comes late or twice changes nothing, and for one that is lost there are the looks of every minute and every night.
What Slack does not answer ends nothing and is looked at again soon.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from bot import fates
from storage.errors import NotFound, NotPermitted, StorageError
from storage.records import Person
from storage.sharing import Act, Audience, AudienceKind, Subject, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.copies import CopyPosts
    from bot.slack.people import People
    from bot.suspending import Suspending
    from storage.copied import Copy
    from storage.copies import Copies
    from storage.grants import Grants
    from storage.shares import Shares
    from storage.sharing import Channel, Facts, Member, Share

log = structlog.get_logger(__name__)

AT_ONCE: Final = 4
"""Looks at a time: each may ask Slack, which takes a hundred questions a minute."""

MOST_APART: Final = 50
"""With more changes than this waiting, everything is looked at once instead, by one list of all members."""

CHANNELS_EVERY: Final = timedelta(seconds=60)
MOST_CHANNELS: Final = 20
"""Channels that are asked for a minute; with more of them, each has its turn."""

EVERYONE_EVERY: Final = timedelta(hours=24)


class What(StrEnum):
    """What a change is about."""

    USER = "user"
    GROUP = "group"
    CHANNEL = "channel"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why to look: whom or what a change is about, and its id; none where everything is looked at."""

    what: What
    id: str = ""


EVERYTHING: Final = Cause(What.EVERYTHING)


@dataclass(frozen=True, slots=True)
class _Again:
    """A look that found nothing out, and when the next one is due."""

    due_at: datetime
    tries: int


class Rechecker:
    """Keeps what is shared in line with what is allowed."""

    def __init__(
        self,
        *,
        workspace: str,
        shares: Shares,
        grants: Grants,
        copies: Copies,
        suspending: Suspending,
        posts: CopyPosts,
        people: People,
        clock: Callable[[], datetime],
    ) -> None:
        self._workspace = workspace
        self._shares = shares
        self._grants = grants
        self._copies = copies
        self._suspending = suspending
        self._posts = posts
        self._people = people
        self._clock = clock
        self._waiting: set[Cause] = set()
        self._locks: dict[Cause, asyncio.Lock] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self._again: dict[Cause, _Again] = {}
        self._channels_at: datetime | None = None
        self._seen: dict[str, Channel | None] = {}
        self._looked_at: dict[str, int] = {}
        self._looks = 0
        self._everyone_at: datetime | None = None

    # Causes

    async def recheck(self, cause: Cause) -> None:
        """Look at what a cause concerns; returns once that is done, by this call or by one that began after it.

        There is one look for all that ask for the same before it begins.
        """
        self._waiting.add(cause)
        if EVERYTHING in self._waiting or len(self._waiting) > MOST_APART:
            self._waiting = {EVERYTHING}
            cause = EVERYTHING
        lock = self._locks.setdefault(cause, asyncio.Lock())
        async with lock:
            if cause in self._waiting:
                async with self._room:
                    if cause in self._waiting:
                        self._waiting.discard(cause)
                        await self._look(cause)
        if not lock.locked():
            self._locks.pop(cause, None)

    async def _look(self, cause: Cause) -> None:
        """Look at what a cause concerns, and again later where Slack, or the database, did not answer."""
        looks = {
            What.USER: self._user,
            What.GROUP: self._group,
            What.CHANNEL: self._channel,
            What.EVERYTHING: self._everyone,
        }
        try:
            is_known = await looks[cause.what](cause.id)
        except StorageError as error:  # what was done is done; the rest is done by the next look
            log.warning("storage_failed", error=type(error).__name__, temporary=error.temporary)
            is_known = False
        if is_known:
            self._again.pop(cause, None)
            return
        tries = self._again[cause].tries + 1 if cause in self._again else 1
        wait = fates.again_in(tries)
        if wait is None:
            self._again.pop(cause, None)
        else:
            self._again[cause] = _Again(self._clock() + wait, tries)
        log.info("recheck_unanswered", what=cause.what, tries=tries)

    async def _user(self, user: str) -> bool:
        """Somebody's role or groups changed: as an owner, and as one with whom others share."""
        person = Person(self._workspace, user)
        member = await self._people.member(person, fresh=True)
        is_known = await self._suspending.owner(person, member)
        for facts in await self._shares.facts_of(person):
            is_known &= await self._mailbox(facts, member)
        is_known &= await self._copies_of(await self._copies.of_viewer(person))
        for channel in self._channels_with(user):
            is_known &= await self._copies_of(await self._copies.of_viewer(Person(self._workspace, channel)))
        return is_known

    def _channels_with(self, user: str) -> list[str]:
        """The channels they were last seen in: what is posted there is for the least of those who read it."""
        seen = (channel for channel in self._seen.values() if channel is not None)
        return sorted(channel.id for channel in seen if user in channel.members)

    async def _group(self, group: str) -> bool:
        """Who left it is not said: everybody where a grant names it, else the mailboxes that are shared with it."""
        await self._people.groups(fresh=True)
        grants = await self._grants.all(self._workspace)
        if Subject(SubjectKind.GROUP, group) in {grant.subject for grant in grants}:
            return await self._everyone()
        return await self._audience(Audience(AudienceKind.GROUP, group))

    async def _channel(self, channel: str) -> bool:
        is_known = await self._people.channel(channel, fresh=True) is not None
        return await self._audience(Audience(AudienceKind.CHANNEL, channel)) and is_known

    async def _audience(self, audience: Audience) -> bool:
        """The mailboxes that are shared with one audience."""
        is_known = True
        for facts in await self._shares.facts_with(self._workspace, audience):
            is_known &= await self._mailbox(facts, await self._people.member(facts.owner, seen=True))
        return is_known

    async def _everyone(self, _: str = "") -> bool:
        """All owners, all shares, all copies, by one list of all members; who is not in it is asked about alone.

        Slack may answer for fifty channels a minute. The next try goes on with the others: what was asked within the
        hour, in tries before or as channels had their turn, counts unless an event told of it since.
        """
        roster = await self._people.roster(fresh=True)
        if roster is None:
            return False
        members, is_known = await self._suspending.everyone(roster)
        done = set()
        for facts in await self._shares.all_facts(self._workspace):
            done.add(facts.mailbox_id)
            is_known &= await self._mailbox(facts, members.get(facts.owner.user))
        for mailbox_id in await self._copies.mailboxes(self._workspace):
            if mailbox_id not in done:
                is_known &= await self._copies_of(await self._copies.of_mailbox(mailbox_id))
        return is_known

    # One mailbox

    async def _mailbox(self, facts: Facts, owner: Member | None) -> bool:
        """Its shares, then its copies; whether everything could be decided."""
        ids = fates.channels_of([facts])
        channels = {channel: await self._people.channel(channel, seen=True) for channel in ids}
        found = fates.fates(facts, owner, channels)
        for share, level in found.lowered:
            await self._shares.cut(share.id, level, self._clock())
        for share in found.ended:
            await self._end(share, owner, channels)
        if found.lowered or found.ended:
            log.info("shares_cut", mailbox=facts.mailbox_id, cut=len(found.lowered), ended=len(found.ended))
        copies = await self._copies.of_mailbox(facts.mailbox_id)
        return await self._copies_of(copies) and found.is_known

    async def _end(self, share: Share, owner: Member | None, channels: Mapping[str, Channel | None]) -> None:
        """End a share unless it is another by now."""

        def is_over(facts: Facts) -> bool:
            return any(each.id == share.id for each in fates.fates(facts, owner, channels).ended)

        with suppress(NotFound, NotPermitted):
            await self._shares.end(share.id, None, self._clock(), Act.SHARE_ENDED, is_over)

    async def _copies_of(self, copies: Sequence[Copy]) -> bool:
        """Call back what may not be where it is any more; whether all could be decided."""
        gone, is_known = [], True
        for copy in copies:
            is_allowed = await self._posts.allows(copy)
            if is_allowed is None:
                is_known = False
            elif not is_allowed:
                gone.append(copy.entry_id)
        if gone:
            count = await self._copies.withdraw(gone, self._clock())
            log.info("copies_withdrawn", count=count)
        return is_known

    # Time

    async def tick(self) -> None:
        """What ends by itself: shares whose day is over, credentials of accounts that stay deactivated.

        To be called every few seconds.
        """
        now = self._clock()
        for share in await self._shares.overdue(self._workspace, now):
            with suppress(NotFound, NotPermitted):
                await self._shares.end(
                    share.id, None, now, Act.SHARE_ENDED, partial(_is_overdue, share.id, now)
                )
        await self._suspending.erase(now)

    async def patrol(self) -> None:
        """What no event told of: channels, what Slack did not answer, and once a day, and at the start, everything.

        To be called every few seconds; may take longer.
        """
        now = self._clock()
        due = [cause for cause, again in self._again.items() if again.due_at <= now]
        await asyncio.gather(*(self.recheck(cause) for cause in due))
        if self._everyone_at is None or now - self._everyone_at >= EVERYONE_EVERY:
            self._everyone_at = now
            await self.recheck(EVERYTHING)
        if self._channels_at is None or now - self._channels_at >= CHANNELS_EVERY:
            self._channels_at = now
            await self._look_at_channels()

    async def _look_at_channels(self) -> None:
        """A channel that is made public, or shared with others, sends no event that tells of it."""
        found = await self._shares.channels(self._workspace)
        seen = {channel: self._seen.get(channel) for channel in found}
        self._seen = seen
        turn = sorted(found, key=lambda channel: self._looked_at.get(channel, 0))[:MOST_CHANNELS]
        for channel_id in turn:
            self._looks += 1
            self._looked_at[channel_id] = self._looks
            channel = await self._people.channel(channel_id, fresh=True)
            if channel is not None and channel != seen[channel_id]:
                self._seen[channel_id] = channel
                await self.recheck(Cause(What.CHANNEL, channel_id))
        self._looked_at = {
            channel: self._looked_at[channel] for channel in found if channel in self._looked_at
        }


def _is_overdue(share_id: str, now: datetime, facts: Facts) -> bool:
    return any(
        share.id == share_id and share.until is not None and share.until <= now for share in facts.shares
    )
