"""The state of the pretend workspace: people, DMs, posts, what each person has before them.

In memory and bounded. Whoever changes what a person sees calls `changed`, which wakes that person's pages.
"""

from __future__ import annotations

import asyncio
import random
import string
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack.answers import ApiError
from bot.sandbox.slack.files import FileStore
from bot.sandbox.slack.people import BOT_ID, BOT_USER_ID, SLACKBOT_ID, roster, with_role
from bot.sandbox.slack.posts import Channel, Post
from bot.sandbox.slack.views import Desk, Ephemeral

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.people import Human

MAX_EPHEMERALS: Final = 50
MAX_ERRORS: Final = 20
GENERAL_ID: Final = "C0GENERAL1"


def new_id(prefix: str) -> str:
    """An id as Slack forms them: one letter of kind, ten of chance."""
    return prefix + "0" + "".join(random.choices(string.ascii_uppercase + string.digits, k=9))


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
        self.people: dict[str, Human] = {human.id: human for human in roster()}
        self.channels: dict[str, Channel] = {}
        self.desks: dict[str, Desk] = {user: Desk() for user in self.people}
        self.files = FileStore(base_url)
        self.channels[GENERAL_ID] = Channel(GENERAL_ID, None, int(clock()), "general")

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

    def dms(self) -> list[Channel]:
        """Every DM opened so far."""
        return list(self._dms.values())

    def human(self, user: str) -> Human:
        """That person.

        Raises:
            ApiError: `user_not_found`.
        """
        if user not in self.people:
            raise ApiError("user_not_found")
        return self.people[user]

    def set_role(self, user: str, role: str) -> None:
        """Promote, demote or deactivate a person."""
        self.people[user] = with_role(self.human(user), role)
        self.changed(user)

    def members(self, channel: Channel) -> list[str]:
        """Who is in the channel."""
        if channel.user is not None:
            return [channel.user, BOT_USER_ID]
        return [
            human.id
            for human in self.people.values()
            if human.is_active and human.role != "single_channel_guest"
        ]

    def conversation(self, channel_id: str) -> Channel:
        """A channel the bot can read and write.

        Raises:
            ApiError: `channel_not_found` or `not_in_channel`.
        """
        channel = self.channels.get(channel_id)
        if channel is None:
            raise ApiError("channel_not_found")
        if channel.user is None:
            raise ApiError("not_in_channel")
        return channel

    def destination(self, channel_id: str) -> Channel:
        """Where a post may go: a DM by its id, or a person by theirs.

        Raises:
            ApiError: `channel_not_found`, `not_in_channel`, `cannot_dm_bot` or `is_archived`.
        """
        if channel_id in {BOT_USER_ID, BOT_ID, SLACKBOT_ID}:
            raise ApiError("cannot_dm_bot")
        if channel_id in self.people:
            if not self.people[channel_id].is_active:
                raise ApiError("channel_not_found")
            return self.dm(channel_id)
        channel = self.conversation(channel_id)
        if channel.user is not None and not self.people[channel.user].is_active:
            raise ApiError("is_archived")
        return channel

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
