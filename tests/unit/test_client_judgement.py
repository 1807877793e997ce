"""What a Slack answer says about its effect."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.slack.client import Refused, TryLater, Unknown, judged


def error(status: int, data: Any, headers: dict[str, str] | None = None) -> SlackApiError:
    """A failed call as the SDK reports it."""
    response = AsyncSlackResponse(
        client=None,
        http_verb="POST",
        api_url="http://127.0.0.1/",
        req_args={},
        data=data,
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError("failed", response)  # type: ignore[no-untyped-call]  # the SDK leaves it bare


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (error(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "7"}), TryLater(7)),
        (error(429, {"ok": False, "error": "ratelimited"}, {"retry-after": "0"}), TryLater(1)),
        (error(429, {}, {}), TryLater(30)),
        (error(429, {}, {"Retry-After": "soon"}), TryLater(30)),
        (error(200, {"ok": False, "error": "ratelimited"}), TryLater(30)),
        (error(200, {"ok": False, "error": "invalid_blocks"}), Refused("invalid_blocks")),
        (error(200, {"ok": False, "error": "channel_not_found"}), Refused("channel_not_found")),
        (error(200, {"ok": False, "error": "internal_error"}), Unknown("internal_error")),
        (error(200, {"ok": False, "error": "fatal_error"}), Unknown("fatal_error")),
        (error(200, {"ok": False}), Unknown("http_200")),
        (error(500, {"ok": False, "error": "internal_error"}), Unknown("internal_error")),
        (error(502, "<html>"), Unknown("http_502")),
        (error(503, {"ok": False, "error": "anything"}), Unknown("anything")),
    ],
)
def test_an_answer_is_believed_only_as_far_as_it_goes(failure: SlackApiError, outcome: object) -> None:
    """429 did nothing, a named refusal did nothing, everything else is unknown and must be looked up."""
    assert judged(failure) == outcome
