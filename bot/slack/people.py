"""Who people are to Slack: their role, their groups, who is in a channel, and their time zone.

Every answer is kept for a short while. None says that Slack could not be asked, and then nobody gets a right out of
what was known before. Names and addresses of people are neither kept nor logged.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from bot.slack import members
from bot.slack.asked import Asked
from bot.slack.client import CallFailed
from bot.slack.members import Groups
from bot.slack.outcomes import Refused, Unknown
from storage.records import Person
from storage.sharing import AudienceKind, Channel, Member, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from bot.slack.client import SlackClient
    from bot.slack.members import Group
    from storage.sharing import Audience

log = structlog.get_logger(__name__)

LONGEST_NAME = 64

PERSON_AGE: Final = timedelta(seconds=60)
CHANNEL_AGE: Final = timedelta(seconds=60)
GROUPS_AGE: Final = timedelta(minutes=5)
ROSTER_AGE: Final = timedelta(hours=1)
SEEN_AGE: Final = timedelta(hours=1)
"""In this time a thousand channels are asked for in turn, twenty a minute."""
FRESH: Final = timedelta(seconds=5)
"""A question for a fresh answer is not asked again sooner: `usergroups.list` may be asked twenty times a minute."""

CALL_SECONDS: Final = 5.0
LIST_SECONDS: Final = 10.0
ROSTER_SECONDS: Final = 120.0
MOST_PEOPLE: Final = 20_000
MOST_CHANNELS: Final = 1_000
MOST_CHANGED: Final = 20
"""After more changes than this the whole roster is asked for again, rather than person by person."""
MOST_CUT: Final = 15

UNKNOWN_USER: Final = frozenset({"user_not_found", "users_not_found", "user_not_visible"})
UNKNOWN_CHANNEL: Final = frozenset({"channel_not_found", "not_in_channel"})
NO_GROUPS: Final = frozenset({"plan_upgrade_required", "paid_teams_only"})
"""Both are what Slack says of user groups where the workspace's plan has none."""
GROUP_GONE: Final = frozenset({"no_such_subteam"})


class People:
    """People, user groups and channels of one workspace.

    Args:
        workspace: whoever is of another has no role here.
    """

    def __init__(self, slack: SlackClient, workspace: str, clock: Callable[[], datetime]) -> None:
        self._slack = slack
        self.workspace: Final = workspace
        self._clock = clock
        self._persons = Asked(
            "person", self._ask_person, clock, age=PERSON_AGE, seconds=CALL_SECONDS, most=MOST_PEOPLE
        )
        self._channels = Asked(
            "channel", self._ask_channel, clock, age=CHANNEL_AGE, seconds=LIST_SECONDS, most=MOST_CHANNELS
        )
        self._groups = Asked("groups", self._ask_groups, clock, age=GROUPS_AGE, seconds=LIST_SECONDS)
        self._roster = Asked("roster", self._ask_roster, clock, age=ROSTER_AGE, seconds=ROSTER_SECONDS)
        self._changed: dict[str, datetime] = {}
        self._last: OrderedDict[str, Role | None] = OrderedDict()
        # The last roster and what it was made of: for twenty thousand people that takes a tenth of a second.
        self._made: tuple[tuple[object, object], Mapping[str, Member]] = (None, None), {}

    async def member(self, person: Person, *, fresh: bool = False, seen: bool = False) -> Member | None:
        """What Slack says of a person; None where it could not be asked.

        Their groups are part of it: grants for a group take away, so not to know them would widen.

        Args:
            fresh: asked again, unless the answer is some seconds old.
            seen: for what was given already: an answer within the hour counts, but for what events told since.
        """
        if person.workspace != self.workspace or not person.user:
            return Member(person, None)
        younger = FRESH if fresh else None
        found, groups = await asyncio.gather(
            self._role(person.user, younger or (SEEN_AGE if seen else PERSON_AGE)),
            self._groups.get(younger=younger),
        )
        if found is None or found.role is None:
            return found
        return None if groups is None else replace(found, groups=groups.value.of(person.user))

    async def channel(self, channel_id: str, *, fresh: bool = False, seen: bool = False) -> Channel | None:
        """What Slack says of a channel; a DM is none, and one that it does not know is closed.

        None where it could not be asked, and where the app has no right to ask about channels. `fresh` and `seen` are
        those of `member`.
        """
        if not channel_id or channel_id.startswith("D"):
            return members.closed(channel_id)
        younger = FRESH if fresh else SEEN_AGE if seen else None
        found = await self._channels.get(channel_id, younger=younger)
        return None if found is None else found.value

    async def groups(self, *, fresh: bool = False) -> Mapping[str, Group] | None:
        """The user groups in use by id, none on a plan without them; None where Slack could not be asked."""
        found = await self._groups.get(younger=FRESH if fresh else None)
        return None if found is None else found.value.by_id

    async def roster(self, *, fresh: bool = False) -> Mapping[str, Member] | None:
        """Everybody with a role, by user id; None where Slack could not be asked.

        It may be an hour old, but for what events told since: it is for lists and comparisons, not for decisions.
        """
        younger = FRESH if fresh else None
        roles, groups = await asyncio.gather(self._roles(younger), self._groups.get(younger=younger))
        if roles is None or groups is None:
            return None
        made_of, members_of = self._made
        if made_of[0] is not roles or made_of[1] is not groups.value:
            members_of = {
                user: Member(Person(self.workspace, user), role, groups.value.of(user))
                for user, role in roles.items()
            }
            self._made = (roles, groups.value), members_of
        return members_of

    async def reached(self, audience: Audience) -> list[str] | None:
        """The ids of the users that an audience reaches now, sorted; None where Slack could not be asked."""
        if audience.kind is AudienceKind.PERSON:
            found = await self.member(Person(self.workspace, audience.id))
            if found is None:
                return None
            return [] if found.role is None else [audience.id]
        if audience.kind is AudienceKind.ROLE:
            roles, rank = await self._roles(), Role(audience.id).rank
            return None if roles is None else sorted(user for user in roles if roles[user].rank >= rank)
        roles, users = await asyncio.gather(self._roles(), self._users(audience))
        return None if roles is None or users is None else sorted(roles.keys() & users)

    async def _users(self, audience: Audience) -> Collection[str] | None:
        """Who is in a group or a channel, whatever their role; nobody where it is none for sharing."""
        if audience.kind is AudienceKind.GROUP:
            groups = await self.groups()
            if groups is None:
                return None
            return groups[audience.id].users if audience.id in groups else frozenset()
        channel = await self.channel(audience.id)
        if channel is None:
            return None
        return channel.members if channel.is_open and not channel.is_external else frozenset()

    # What events say

    def forget(self, user: str | None = None, *, group: bool = False, channel: str | None = None) -> None:
        """Something changed: the next question goes to Slack."""
        if user is not None:
            self._persons.forget(user)
            self._changed[user] = self._clock()
            if len(self._changed) > MOST_CHANGED:
                self._roster.forget()
                self._changed.clear()
        if group:
            self._groups.forget()
        if channel is not None:
            self._channels.forget(channel)

    def heard(self, record: Mapping[str, Any]) -> bool:
        """Whether a record that came with an event tells of another role than the last one known; it is forgotten then.

        It is a reason to ask and not the truth: events come late, twice and out of order. Slack sends one for every new
        status text as well, which is no reason for anything.
        """
        user = str(record.get("id") or "")
        if not user:
            return False
        role = members.role_of(record, user, self.workspace)
        is_news = user not in self._last or self._last[user] is not role
        if is_news:
            self.forget(user)
        self._remember(user, role)
        return is_news

    def _remember(self, user: str, role: Role | None) -> None:
        self._last[user] = role
        self._last.move_to_end(user)
        if len(self._last) > MOST_PEOPLE:
            self._last.popitem(last=False)

    # Questions

    async def _role(self, user: str, younger: timedelta) -> Member | None:
        """A person without their groups; a young roster knows them as well, unless they were asked about since."""
        roster, alone = self._roster.have(younger=younger), self._persons.have(user, younger=younger)
        is_newer = roster is not None and (alone is None or alone.asked_at <= roster.asked_at)
        if roster is not None and is_newer and not self._is_changed(user, roster.asked_at):
            return Member(Person(self.workspace, user), roster.value.get(user))
        found = await self._persons.get(user, younger=younger)
        return None if found is None else found.value

    def _is_changed(self, user: str, since: datetime) -> bool:
        changed_at = self._changed.get(user)
        return changed_at is not None and changed_at >= since

    async def _roles(self, younger: timedelta | None = None) -> Mapping[str, Role] | None:
        """Everybody with a role; those of whom an event told since are asked for one by one."""
        roster = await self._roster.get(younger=younger)
        if roster is None:
            return None
        self._changed = {
            user: changed_at for user, changed_at in self._changed.items() if changed_at >= roster.asked_at
        }
        changed = list(self._changed)
        if not changed:
            return roster.value
        answers = await asyncio.gather(*(self._persons.get(user) for user in changed))
        roles = dict(roster.value)
        for user, answer in zip(changed, answers, strict=True):
            if answer is None:
                return None
            roles.pop(user, None)
            if answer.value.role is not None:
                roles[user] = answer.value.role
        return roles

    async def _ask_person(self, user: str) -> Member:
        try:
            role = members.role_of(await self._slack.person(user), user, self.workspace)
        except CallFailed as failed:
            if not _is_refused(failed, UNKNOWN_USER):
                raise
            role = None
        self._remember(user, role)
        return Member(Person(self.workspace, user), role)

    async def _ask_channel(self, channel_id: str) -> Channel:
        try:
            channel = members.channel_of(await self._slack.channel_info(channel_id), channel_id)
            if not channel.is_open or channel.is_external:
                return channel
            return replace(channel, members=frozenset(await self._slack.channel_members(channel_id)))
        except CallFailed as failed:
            if not _is_refused(failed, UNKNOWN_CHANNEL):
                raise
            return members.closed(channel_id)

    async def _ask_groups(self, _key: str) -> Groups:
        try:
            records = [dict(record) for record in await self._slack.group_list() if members.is_in_use(record)]
        except CallFailed as failed:
            if not _is_refused(failed, NO_GROUPS):
                raise
            return Groups()
        cut = [record for record in records if members.is_cut(record)]
        if len(cut) > MOST_CUT:
            raise CallFailed(Unknown("too many groups came without their users"))
        for record in cut:
            record["users"] = await self._users_of(str(record["id"]))
        return members.groups_in(records)

    async def _users_of(self, group: str) -> list[str]:
        try:
            return list(await self._slack.group_users(group))
        except CallFailed as failed:
            if not _is_refused(failed, GROUP_GONE):
                raise
            return []

    async def _ask_roster(self, _key: str) -> Mapping[str, Role]:
        roles = members.roles_in(await self._slack.user_list(), self.workspace)
        for user, role in roles.items():
            self._remember(user, role)
        return roles


def _is_refused(failed: CallFailed, codes: Collection[str]) -> bool:
    return isinstance(failed.outcome, Refused) and failed.outcome.code in codes


async def zone_of(slack: SlackClient, user: str) -> str | None:
    """The name of a person's time zone; None when Slack does not tell, for whatever reason."""
    try:
        return _zone(await slack.person(user))
    except CallFailed as failed:
        log.info("zone_not_told", outcome=repr(failed.outcome))
        return None


def _zone(person: Mapping[str, Any]) -> str | None:
    name = person.get("tz")
    return name if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME else None
