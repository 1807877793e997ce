"""Slack Web API as delivery needs it: every call answers with what is known about its effect.

A post has one of four outcomes. `Posted`: it is there. `TryLater`: Slack said it did nothing, come back.
`Refused`: Slack said no for a reason that will not pass by itself. `Unknown`: no readable answer came, so it may
or may not be there; only a look-up tells. Nothing here repeats a request: the SDK's own connection retry would
post twice (https://docs.slack.dev/apis/web-api/rate-limits for 429).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence

    from slack_sdk.http_retry.request import HttpRequest
    from slack_sdk.http_retry.response import HttpResponse
    from slack_sdk.http_retry.state import RetryState

    from bot.mail.renderer import File
    from bot.metrics import Metrics

EVENT_TYPE = "mailbox_entry"
"""Metadata of our posts: https://docs.slack.dev/messaging/message-metadata. The payload is one opaque id."""

UNKNOWN_ERRORS = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})
"""`ok: false` answers that may follow a partial success."""

CLOSED_DM = frozenset(
    {"channel_not_found", "is_archived", "not_in_channel", "messages_tab_disabled", "cannot_dm_bot", "user_disabled",
     "user_not_found", "user_not_visible", "restricted_action"}
)  # fmt: skip
THREAD_GONE = frozenset({"thread_not_found", "cannot_reply_to_message", "message_not_found"})
NO_RIGHTS = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope",
     "access_denied", "team_access_not_granted", "no_permission"}
)  # fmt: skip

UNREADABLE = (ValueError, TypeError, AttributeError)
"""What the SDK raises on a body that is no JSON object."""

NO_ANSWER = (TimeoutError, aiohttp.ClientError, OSError, *UNREADABLE)
"""A call without an answer that can be read."""

DEFAULT_RETRY_SECONDS = 30.0
IDLE_SECONDS = 10.0
HISTORY_PAGE = 200
HISTORY_PAGES = 25


@dataclass(frozen=True, slots=True)
class Posted:
    """Slack acknowledged it. `ts` is the post's id in its channel, empty for a share of files."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class TryLater:
    """Nothing happened; Slack or the network asks to wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing happened and will not without a change. `code` is Slack's error name."""

    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened. `reason` is for the log."""

    reason: str


Outcome = Posted | TryLater | Refused | Unknown


class CallFailed(Exception):
    """A call without lasting effect failed; `outcome` says how."""

    def __init__(self, outcome: TryLater | Refused | Unknown) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


def keep_alive(timeout_seconds: float) -> aiohttp.ClientSession:
    """Connections for many calls; a client without them makes, and proves by TLS, a new one for each.

    An idle one is given up long before Slack does so: a post that meets the end of its connection has an unknown
    outcome. It takes no cookies.

    Args:
        timeout_seconds: deadline of one request; that of the client does not count then.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(keepalive_timeout=IDLE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
    )


def web_client(
    token: str | None,
    api_url: str,
    timeout_seconds: float,
    metrics: Metrics | None = None,
    session: aiohttp.ClientSession | None = None,
) -> AsyncWebClient:
    """A client that never repeats a request by itself.

    Args:
        api_url: base of all methods, with its trailing slash.
        timeout_seconds: deadline of one request; its outcome is unknown afterwards.
        metrics: counts the requests; None leaves them uncounted.
        session: made by `keep_alive`, with the same deadline; None makes a connection for each request.
    """
    seconds = max(1, round(timeout_seconds))
    client = AsyncWebClient(token=token, base_url=api_url, timeout=seconds, session=session)
    client.retry_handlers = [] if metrics is None else [CallCounter(metrics)]
    return client


class CallCounter(AsyncRetryHandler):
    """Counts requests by method and outcome, and repeats none.

    A retry handler because that is what sees every answer of every client, Bolt's copies included; it must stand
    before those that do repeat.
    """

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(max_retry_count=0)
        self._calls = metrics.slack_calls

    async def can_retry_async(
        self,
        *,
        state: RetryState,  # noqa: ARG002 - the SDK's signature
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002 - the SDK's signature
    ) -> bool:
        """Never; the call is counted."""
        self._calls.labels(request.url.rpartition("/")[2], _outcome(response)).inc()
        return False


def _outcome(response: HttpResponse | None) -> str:
    if response is None:
        return "unanswered"
    body: Mapping[str, Any] = response.body if isinstance(response.body, dict) else {}
    if response.status_code == 429 or body.get("error") == "ratelimited":
        return "rate_limited"
    if body.get("ok"):
        return "ok"
    return "refused" if "error" in body and response.status_code < 500 else "failed"


class SlackClient:
    """Posts, files and look-ups in DMs of one workspace.

    Args:
        web: made by `web_client`.
        session: for uploads of file octets to the addresses that Slack hands out.
    """

    def __init__(self, web: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._web = web
        self._session = session

    async def open_dm(self, user: str) -> str:
        """The id of the DM with this user.

        Raises:
            CallFailed: nothing is known of the DM.
        """
        answer = await self._ask(self._web.conversations_open(users=user))
        return str(answer["channel"]["id"])

    async def person(self, user: str) -> Mapping[str, Any]:
        """What Slack tells of a user.

        Raises:
            CallFailed: it tells nothing.
        """
        found: Mapping[str, Any] = (await self._ask(self._web.users_info(user=user)))["user"]
        return found

    async def post(
        self,
        channel: str,
        text: str,
        blocks: Sequence[dict[str, Any]],
        entry_id: str,
        thread_ts: str | None = None,
        *,
        is_shown_in_dm: bool = False,
    ) -> Outcome:
        """Post once; `entry_id` goes into the metadata, where `find_posts` reads it back.

        Args:
            is_shown_in_dm: what goes into a thread stands in the DM as well, and counts as unread there.
        """
        call = self._web.chat_postMessage(
            channel=channel,
            text=text,
            blocks=list(blocks) or None,
            thread_ts=thread_ts,
            reply_broadcast=True if is_shown_in_dm and thread_ts else None,
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"entry": entry_id}},
        )
        try:
            answer = await self._ask(call)
        except CallFailed as failed:
            return failed.outcome
        return Posted(channel=str(answer["channel"]), ts=str(answer["ts"]))

    async def update(self, channel: str, ts: str, text: str, blocks: Sequence[dict[str, Any]]) -> Outcome:
        """Say something else in a post of ours; repeating it does no harm."""
        # `chat.update` takes no word on previews, and goes back to its own idea of `parse` unless told again.
        call = self._web.chat_update(channel=channel, ts=ts, text=text, blocks=list(blocks), parse="none")
        try:
            await self._ask(call)
        except CallFailed as failed:
            return failed.outcome
        return Posted(channel, ts)

    async def permalink(self, channel: str, ts: str) -> str | None:
        """The address of a post; None where Slack gives none now."""
        try:
            answer = await self._ask(self._web.chat_getPermalink(channel=channel, message_ts=ts))
        except CallFailed:
            return None
        return str(answer["permalink"])

    async def find_posts(
        self, channel: str, oldest: str | None, thread_ts: str | None = None
    ) -> dict[str, str]:
        """Entry id to `ts` of our posts in a DM, or in one of its threads, that are newer than `oldest`.

        Slack's history of a DM lists no replies, so what went into a thread is found there only.

        Raises:
            CallFailed: it could not be read in full; nothing may be concluded.
        """
        if thread_ts is None:
            pages = self._pages("conversations.history", channel=channel, oldest=oldest or "0")
        else:
            pages = self._replies(channel, thread_ts, oldest or thread_ts)
        return {entry_id: str(post["ts"]) async for post in pages if (entry_id := _entry_id(post))}

    async def find_files(self, channel: str, thread_ts: str, oldest: str) -> frozenset[str]:
        """Ids of the files shared in a thread since `oldest`.

        Raises:
            CallFailed: the thread could not be read in full.
        """
        pages = self._replies(channel, thread_ts, oldest)
        return frozenset([str(file["id"]) async for post in pages for file in post.get("files") or ()])

    async def _replies(self, channel: str, thread_ts: str, oldest: str) -> AsyncIterator[Mapping[str, Any]]:
        """A thread's posts; none where it was deleted with all that stood in it."""
        try:
            async for post in self._pages(
                "conversations.replies", channel=channel, ts=thread_ts, oldest=oldest
            ):
                yield post
        except CallFailed as failed:
            if failed.outcome != Refused("thread_not_found"):
                raise

    async def upload(self, file: File) -> str:
        """Bring a file's octets to Slack, not yet visible to anyone; repeating it does no harm.

        Returns:
            The file's id, to be shared by `share_files`.

        Raises:
            CallFailed: Slack has no such file now.
        """
        reserve = self._web.api_call(
            "files.getUploadURLExternal", data={"filename": file.name, "length": str(len(file.octets))}
        )
        place = await self._ask(reserve)
        try:
            async with self._session.post(place["upload_url"], data=file.octets) as answer:
                if answer.status >= 500:
                    raise CallFailed(Unknown(f"upload answered {answer.status}"))
                if answer.status != 200:
                    raise CallFailed(Refused(f"upload_http_{answer.status}"))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CallFailed(Unknown(type(error).__name__)) from error
        return str(place["file_id"])

    async def share_files(
        self, channel: str, thread_ts: str | None, files: Sequence[tuple[str, str]]
    ) -> Outcome:
        """Share uploaded files, as (id, title), in a thread or without one: one call, one post for all of them."""
        call = self._web.api_call(
            "files.completeUploadExternal",
            data={
                "files": json.dumps([{"id": file_id, "title": title} for file_id, title in files]),
                "channel_id": channel,
                **({"thread_ts": thread_ts} if thread_ts else {}),
            },
        )
        try:
            await self._ask(call)
        except CallFailed as failed:
            return failed.outcome
        return Posted(channel=channel, ts="")

    async def _pages(self, method: str, **arguments: str) -> AsyncIterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(HISTORY_PAGES):
            call = self._web.api_call(
                method,
                http_verb="GET",
                params={"limit": HISTORY_PAGE, "include_all_metadata": "true", **arguments}
                | ({"cursor": cursor} if cursor else {}),
            )
            answer = await self._ask(call)
            for post in answer.get("messages") or ():
                yield post
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not answer.get("has_more") or not cursor:
                return
        raise CallFailed(Unknown("history has no end"))

    @staticmethod
    async def _ask(call: Awaitable[Any]) -> Mapping[str, Any]:
        """The answer of one call.

        Raises:
            CallFailed: with what is known of its effect.
        """
        try:
            answer = await call
        except SlackApiError as error:
            raise CallFailed(judged(error)) from None
        except aiohttp.ClientConnectorError as error:
            raise CallFailed(
                TryLater(DEFAULT_RETRY_SECONDS / 6)
            ) from error  # never connected: nothing was sent
        except NO_ANSWER as error:
            raise CallFailed(Unknown(type(error).__name__)) from error
        if not isinstance(answer.data, dict):
            raise CallFailed(Unknown("unreadable answer"))
        return answer.data


def _entry_id(post: Mapping[str, Any]) -> str | None:
    metadata = post.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return (metadata.get("event_payload") or {}).get("entry")


def code_of(error: SlackApiError) -> str | None:
    """Slack's name of the error; None when the answer was not Slack's."""
    data = getattr(error.response, "data", None)
    return data.get("error") if isinstance(data, dict) else None


def judged(error: SlackApiError) -> TryLater | Refused | Unknown:
    """What a failed answer says about the effect of its call."""
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    code = code_of(error)
    if status == 429 or code == "ratelimited":
        return TryLater(_retry_after(getattr(response, "headers", {})))
    if not code or status >= 500 or code in UNKNOWN_ERRORS:
        return Unknown(code or f"http_{status}")
    return Refused(str(code))


def _retry_after(headers: Mapping[str, Any]) -> float:
    named = {str(name).lower(): value for name, value in headers.items()}
    value = named.get("retry-after", "")
    value = value[0] if isinstance(value, list) and value else value
    try:
        return max(1.0, float(value))
    except (TypeError, ValueError):
        return DEFAULT_RETRY_SECONDS
