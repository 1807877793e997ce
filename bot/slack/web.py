"""The connections and the client that all calls to Slack go through: none is repeated, each is counted.

The SDK's own connection retry would post twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_sdk.http_retry.request import HttpRequest
    from slack_sdk.http_retry.response import HttpResponse
    from slack_sdk.http_retry.state import RetryState

    from bot.metrics import Metrics

IDLE_SECONDS = 10.0


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
