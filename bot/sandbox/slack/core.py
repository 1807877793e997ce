"""The sandbox as one value: state, rules and the way to the app.

Web API methods, the page API and the interactions all work on this; it does no HTTP itself.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack import events, payloads
from bot.sandbox.slack.answers import ApiError
from bot.sandbox.slack.calls import CallLog
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.limits import Limits
from bot.sandbox.slack.socket_mode import Hub, Undelivered
from bot.sandbox.slack.workspace import Workspace, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.manifest import Manifest
    from bot.sandbox.slack.posts import Channel

_MAX_EVENTS: Final = 2_000
_MAX_TRIGGERS: Final = 1_000
_MAX_RESPONSE_URLS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """The tokens an app must show."""

    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Timings:
    """Slack's clocks, in seconds; a test may shorten them.

    Attributes:
        share: how long after `files.completeUploadExternal` the post with the files appears.
        retries: waits before an event without an ack is sent again.
        grace: from a disconnect frame to the end of the connection.
    """

    ack: float = 3.0
    trigger: float = 3.0
    response_url: float = 1800.0
    share: float = 0.3
    retries: tuple[float, ...] = (0.0, 60.0, 300.0)
    grace: float = 1.0


@dataclass(slots=True)
class Settings:
    """What `/sandbox/api/settings` changes at run time.

    Attributes:
        view_lag: seconds between an ack that carries a view and that view being shown.
        history_cap: objects per `conversations.history` page at most; 15 for apps outside Slack's Marketplace.
        user_groups: whether the workspace's plan has user groups.
    """

    view_lag: float = 0.0
    history_cap: int | None = None
    user_groups: bool = True


@dataclass(slots=True)
class Trigger:
    """The right to open one modal, once, within three seconds."""

    user: str
    until: float
    is_used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """The right to answer where a command or click came from: five times in half an hour.

    `post_ts` and `ephemeral_id` say what `replace_original` replaces; neither is set for a command.
    """

    user: str
    channel: str
    until: float
    uses: int = 5
    post_ts: str | None = None
    ephemeral_id: str | None = None
    thread_ts: str | None = None


class Sandbox:
    """One pretend workspace with one app installed."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        manifest: Manifest,
        timings: Timings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.base_url = base_url
        self.credentials = credentials
        self.manifest = manifest
        self.timings = timings
        self.settings = Settings()
        self.workspace = Workspace(base_url, clock)
        self.limits = Limits()
        self.faults = Faults()
        self.calls = CallLog()
        self.hub = Hub(clock, self.workspace.changed)
        self._triggers: dict[str, Trigger] = {}
        self._response_urls: dict[str, ResponseUrl] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside the answer; it is cancelled when the sandbox stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End connections and background work."""
        await self.hub.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def new_trigger(self, user: str) -> str:
        """A trigger id for one interaction of that person."""
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user, self.workspace.now() + self.timings.trigger)
        if len(self._triggers) > _MAX_TRIGGERS:
            del self._triggers[next(iter(self._triggers))]
        return trigger_id

    def use_trigger(self, trigger_id: str) -> Trigger:
        """Spend a trigger id.

        Raises:
            ApiError: `invalid_trigger_id`, `exchanged_trigger_id` or `expired_trigger_id`.
        """
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.is_used:
            raise ApiError("exchanged_trigger_id")
        if self.workspace.now() > trigger.until:
            raise ApiError("expired_trigger_id")
        trigger.is_used = True
        return trigger

    def new_response_url(self, user: str, channel: str, **original: str | None) -> str:
        """A response URL; `original` names the post it may replace."""
        token = secrets.token_urlsafe(24)
        until = self.workspace.now() + self.timings.response_url
        self._response_urls[token] = ResponseUrl(user, channel, until, **original)  # type: ignore[arg-type]  # the keywords are its fields
        if len(self._response_urls) > _MAX_RESPONSE_URLS:
            del self._response_urls[next(iter(self._response_urls))]
        return f"{self.base_url}/response/{token}"

    def use_response_url(self, token: str) -> ResponseUrl:
        """Spend one use of a response URL.

        Raises:
            ApiError: `invalid_url`, `used_url` or `expired_url`.
        """
        target = self._response_urls.get(token)
        if target is None:
            raise ApiError("invalid_url")
        if self.workspace.now() > target.until:
            raise ApiError("expired_url")
        if target.uses <= 0:
            raise ApiError("used_url")
        target.uses -= 1
        return target

    def emit(self, body: Json, channel: Channel | None = None) -> None:
        """Send an event to the app, repeating it as Slack does while no ack comes.

        Only if the manifest subscribes to it and has a scope for it, and, of a channel, if the app may see that.

        Args:
            channel: the channel it is about, if any.
        """
        name = events.name_of(body)
        if not events.is_told(self.manifest, name, channel):
            return
        is_shared = channel is not None and bool(channel.shared_with)
        payload = payloads.event(body, new_id("Ev"), int(self.workspace.now()), is_shared=is_shared)
        fault = self.faults.take_event(name)
        if fault is not None and fault.kind == "lost":
            return
        pause = fault.seconds if fault is not None and fault.kind == "delayed" else 0.0
        for _ in range(2 if fault is not None and fault.kind == "doubled" else 1):
            # Past the bound events are lost, as Slack's are when an app stays away for long.
            if len(self._tasks) < _MAX_EVENTS:
                self.spawn(self._deliver_event(payload, pause))

    async def _deliver_event(self, payload: Json, delay: float) -> None:
        for attempt, pause in enumerate((delay, *self.timings.retries)):
            if attempt or pause:
                await asyncio.sleep(pause)
            retry = {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
            try:
                await self.hub.deliver(
                    "events_api", payload, accepts=False, seconds=self.timings.ack, retry=retry
                )
            except Undelivered:
                continue
            return
