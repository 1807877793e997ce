"""A running sandbox, Slack's own clients against it, and a hand on its page."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import start
from bot.sandbox.slack.core import Timings
from bot.sandbox.slack.manifest import Manifest
from tests.integration.sandbox.kit import APP_TOKEN, BOT_TOKEN, Clock, Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from bot.sandbox.server import RunningSandbox


@pytest.fixture
def clock() -> Clock:
    """A clock to push."""
    return Clock()


@pytest.fixture
def manifest() -> Manifest:
    """What the app is granted and subscribes to; a module may give its own."""
    return Manifest()


@pytest.fixture
async def sandbox(clock: Clock, manifest: Manifest) -> AsyncIterator[RunningSandbox]:
    """A sandbox with short waits, and patience with the app: it runs on the same busy machine."""
    timings = Timings(ack=30.0, trigger=30.0, share=0.01, retries=(0.0,), grace=0.05)
    running = await start(
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        timings=timings,
        clock=clock,
        manifest=manifest,
        static=None,
    )
    yield running
    await running.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """One HTTP session."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def page(sandbox: RunningSandbox, session: aiohttp.ClientSession) -> Page:
    """Marta's page."""
    return Page(sandbox.url, session)


@pytest.fixture
def client(sandbox: RunningSandbox, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Slack's client, without its own repeats."""
    return AsyncWebClient(token=BOT_TOKEN, base_url=sandbox.api_url, session=session, retry_handlers=[])


@pytest.fixture
def app(client: AsyncWebClient) -> AsyncApp:
    """An app with no listeners yet."""
    return AsyncApp(client=client, signing_secret="secret", raise_error_for_unhandled_request=False)


@pytest.fixture
def connected(app: AsyncApp) -> Callable[[], AbstractAsyncContextManager[AsyncSocketModeHandler]]:
    """Puts the app on Socket Mode."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[AsyncSocketModeHandler]:
        handler = AsyncSocketModeHandler(app, APP_TOKEN, ping_interval=0.2)
        await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it bare
        try:
            yield handler
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt leaves it bare

    return connect
