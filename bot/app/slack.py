"""The clients that speak to Slack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler

from bot.slack.client import SlackClient, keep_alive, web_client

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.app.ground import Ground

POST_SECONDS = 30.0
"""Deadline of one request to Slack; at most half the grace time, so that none is in flight when Slack is asked."""

UPLOAD_SECONDS = 300


async def posting_client(ground: Ground, stack: AsyncExitStack) -> AsyncWebClient:
    """The client of everything that is posted: without retries, which could post twice."""
    settings = ground.settings
    timeout = min(POST_SECONDS, settings.mailbox_grace_seconds / 2)
    token = settings.slack_bot_token.get_secret_value()
    session = await stack.enter_async_context(keep_alive(timeout))
    return web_client(token, settings.slack_api_url, timeout, ground.metrics, session)


def answering_client(ground: Ground) -> AsyncWebClient:
    """The client by which listeners answer."""
    # Without a token of its own: each request is given it, and Bolt warns when it finds it twice.
    web = web_client(None, ground.settings.slack_api_url, POST_SECONDS, ground.metrics)
    web.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))  # a 429 did nothing
    return web


async def slack_client(web: AsyncWebClient, stack: AsyncExitStack) -> SlackClient:
    """What the use cases call."""
    uploads = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=UPLOAD_SECONDS))
    return SlackClient(web, await stack.enter_async_context(uploads))
