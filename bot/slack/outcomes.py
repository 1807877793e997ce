"""What is known of the effect of a call to Slack, and how an answer is judged.

A call has one of four outcomes. `Posted`: it is there. `TryLater`: Slack said it did nothing, come back. `Refused`:
Slack said no for a reason that will not pass by itself. `Unknown`: no readable answer came, so it may or may not have
happened; only a look-up tells (https://docs.slack.dev/apis/web-api/rate-limits for 429).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

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


@dataclass(frozen=True, slots=True)
class Posted:
    """Slack acknowledged it. `ts` is the post's id in its channel, empty for a share of files."""

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


async def ask(call: Awaitable[Any]) -> Mapping[str, Any]:
    """The answer of one call.

    Raises:
        CallFailed: with what is known of its effect.
    """
    try:
        answer = await call
    except SlackApiError as error:
        raise CallFailed(judged(error)) from None
    except aiohttp.ClientConnectorError as error:
        raise CallFailed(TryLater(DEFAULT_RETRY_SECONDS / 6)) from error  # never connected: nothing was sent
    except NO_ANSWER as error:
        raise CallFailed(Unknown(type(error).__name__)) from error
    if not isinstance(answer.data, dict):
        raise CallFailed(Unknown("unreadable answer"))
    return answer.data


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
