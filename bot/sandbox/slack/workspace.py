"""The state of the pretend workspace: people, groups, DMs, channels, posts, what each person has before them.

In memory and bounded. Whoever changes what a person sees calls `changed`, which wakes that person's pages.
"""

from __future__ import annotations

import asyncio
import random
import string
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack import channels, groups
from bot.sandbox.slack.answers import ApiError
from bot.sandbox.slack.channels import GENERAL_ID as GENERAL_ID  # noqa: PLC0414 - known by this name too
from bot.sandbox.slack.files import FileStore
from bot.sandbox.slack.people import (
    BOT_ID,
    BOT_USER_ID,
    SLACKBOT_ID,
    outsiders,
    roster,
    with_role,
)
from bot.sandbox.slack.posts import Channel, Post
from bot.sandbox.slack.views import Desk, Ephemeral

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.groups import Group
    from bot.sandbox.slack.people import Human

MAX_EPHEMERALS: Final = 50
MAX_ERRORS: Final = 20


def new_id(prefix: str) -> str:
    """An id as Slack forms them: one letter of kind, ten of chance."""
    return prefix + "0" + "".join(random.choices(string.ascii_uppercase + string.digits, k=9))


class Forbidden(Exception):
    """The workspace does not allow this; the text says why."""


class Workspace:
    """Everything the sandbox remembers.

    Args:
        clock: seconds since the epoch; a test may give its own.
    """

    def __init__(self, base_url: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last_ts = 0
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._dms: dict[str, Channel] = {}
        self.people: dict[str, Human] = {human.id: human for human in (*roster(), *outsiders())}
        self.channels: dict[str, Channel] = {one.id: one for one in channels.starting(int(clock()))}
        self.groups: dict[str, Group] = {one.id: one for one in groups.starting(int(clock()))}
        self.desks: dict[str, Desk] = {user: Desk() for user in self.people}
        self.files = FileStore(base_url)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def new_ts(self) -> str:
        """A time later than every one given before."""
        self._last_ts = max(int(self._clock() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def dm(self, user: str) -> Channel:
        """The DM of that person with the bot, opened if need be."""
        if user not in self._dms:
            channel = Channel(new_id("D"), user, int(self._clock()))
            self._dms[user] = self.channels[channel.id] = channel
            self.changed(user)
        return self._dms[user]

    def human(self, user: str) -> Human:
        """That person.

        Raises:
            ApiError: `user_not_found`.
        """
        if user not in self.people:
            raise ApiError("user_not_found")
        return self.people[user]

    def administrator(self) -> str:
        """Who is named for what is done to the workspace."""
        found = (human.id for human in self.people.values() if human.role == "primary_owner")
        return next(found, next(iter(self.people)))

    def set_role(self, user: str, role: str) -> None:
        """Promote, demote or deactivate a person."""
        self.people[user] = with_role(self.human(user), role)
        self.changed(user)

    def members(self, channel: Channel) -> list[str]:
        """Who is in the channel; the deactivated are not."""
        if channel.user is not None:
            return [channel.user, BOT_USER_ID]
        return self.active(channel.members)

    def active(self, users: list[str]) -> list[str]:
        """Those of them whose accounts are active, the app's among them."""
        return [user for user in users if user == BOT_USER_ID or self.people[user].is_active]

    def is_in(self, user: str, channel: Channel) -> bool:
        """Whether a person sees what stands in the channel."""
        return user in self.members(channel)

    def shared_channels(self, user: str) -> list[Channel]:
        """The channels with the app in which that person is."""
        return [
            one
            for one in self.channels.values()
            if one.user is None and one.has_bot and self.is_in(user, one)
        ]

    def is_visible(self, user: str) -> bool:
        """Whether the app sees that person: its own workspace's people, and others who share any channel."""
        human = self.people[user]
        return not human.is_external or any(
            user in one.members for one in self.channels.values() if one.user is None
        )

    def known(self, channel_id: str) -> Channel:
        """A channel or DM the app can see: a private one only from within.

        Raises:
            ApiError: `channel_not_found`.
        """
        channel = self.channels.get(channel_id)
        if channel is None or (channel.is_private and not channel.has_bot):
            raise ApiError("channel_not_found")
        return channel

    def conversation(self, channel_id: str) -> Channel:
        """A channel the bot can read and write.

        Raises:
            ApiError: `channel_not_found` or `not_in_channel`.
        """
        channel = self.known(channel_id)
        if not channel.has_bot:
            raise ApiError("not_in_channel")
        return channel

    def destination(self, channel_id: str) -> Channel:
        """Where a post may go: a channel or DM by its id, or a person by theirs.

        Raises:
            ApiError: `channel_not_found`, `not_in_channel`, `cannot_dm_bot` or `is_archived`.
        """
        if channel_id in {BOT_USER_ID, BOT_ID, SLACKBOT_ID}:
            raise ApiError("cannot_dm_bot")
        if channel_id in self.people:
            if not self.people[channel_id].is_active or not self._may_write_to(channel_id):
                raise ApiError("channel_not_found")
            return self.dm(channel_id)
        channel = self.conversation(channel_id)
        if channel.is_archived or (channel.user is not None and not self.people[channel.user].is_active):
            raise ApiError("is_archived")
        return channel

    def _may_write_to(self, user: str) -> bool:
        return not self.people[user].is_external or bool(self.shared_channels(user))

    def add(self, channel: Channel, post: Post) -> Post:
        """Put a post into a channel."""
        channel.add(post)
        self.changed(channel.user)
        return post

    def add_ephemeral(self, user: str, ephemeral: Ephemeral) -> None:
        """Show a person a post that nobody stores; the oldest goes past the bound."""
        ephemerals = self.desks[user].ephemerals
        ephemerals.append(ephemeral)
        del ephemerals[:-MAX_EPHEMERALS]
        self.changed(user)

    def add_error(self, user: str, text: str) -> None:
        """Show a person that something failed on the way to the app."""
        errors = self.desks[user].errors
        error: Json = {"id": new_id("E"), "ts": self.new_ts(), "text": text}
        errors.append(error)
        del errors[:-MAX_ERRORS]
        self.changed(user)

    def changed(self, user: str | None = None) -> None:
        """Wake the pages of one person, or of all."""
        for watched, events in self._watchers.items():
            if user is None or watched == user:
                for event in events:
                    event.set()

    def watch(self, user: str) -> asyncio.Event:
        """An event that is set whenever something changes for that person; give it back to `unwatch`."""
        event = asyncio.Event()
        self._watchers.setdefault(user, set()).add(event)
        return event

    def unwatch(self, user: str, event: asyncio.Event) -> None:
        """Forget an event."""
        self._watchers.get(user, set()).discard(event)

    def wake_all(self) -> None:
        """Set every event, at the end."""
        self.changed(None)
