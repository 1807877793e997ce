"""The process's own ties to Slack: who the tokens are, and the socket that brings what people do.

Slack that cannot be reached is waited for; a token that Slack refuses is the operator's affair. A process that is to
stop waits for neither.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError

from bot.errors import SettingsError
from bot.slack.client import NO_ANSWER, code_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AsyncExitStack

    from slack_sdk.socket_mode.aiohttp import SocketModeClient
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.settings import Settings

log = structlog.get_logger(__name__)

RETRY_SECONDS = 5.0
ADDRESS_SECONDS = 15.0
"""Slack's socket addresses are good for seconds, and the SDK tries one again and again: an older one is dropped."""
ADDRESS_ASKED_SECONDS = 5.0
"""How long a start waits for the first address; then the socket comes when it comes, and mail is fetched meanwhile."""

REFUSED_BOT_TOKEN = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
REFUSED_APP_TOKEN = {
    "invalid_auth",
    "not_authed",
    "not_allowed_token_type",
    "missing_scope",
    "token_revoked",
}

Found = TypeVar("Found")


async def identity(web: AsyncWebClient, stopping: asyncio.Event) -> Mapping[str, Any] | None:
    """Who the bot token is, asked until Slack answers; None when the process is to stop meanwhile.

    Raises:
        SettingsError: Slack does not accept the token.
    """
    while not stopping.is_set():
        try:
            answer = await _unless_stopped(stopping, web.auth_test())
        except SlackApiError as error:
            code = code_of(error)
            if code in REFUSED_BOT_TOKEN:
                raise SettingsError(
                    sentence=f"Slack does not accept SLACK_BOT_TOKEN ({code}); copy it anew from OAuth & Permissions."
                ) from None
            log.warning("slack_not_ready", code=code)
        except NO_ANSWER as error:
            log.warning("slack_not_ready", error=type(error).__name__)
        else:
            return answer.data if answer is not None and isinstance(answer.data, dict) else None
        await _unless_stopped(stopping, asyncio.sleep(RETRY_SECONDS))
    return None


async def open_socket(
    bolt: AsyncApp,
    app_token: str,
    stopping: asyncio.Event,
    stack: AsyncExitStack,
    seconds: float = ADDRESS_ASKED_SECONDS,
) -> Callable[[], Awaitable[bool]]:
    """Open Socket Mode, which reconnects by itself from then on; gives what asks whether it is open.

    Raises:
        SettingsError: Slack does not accept the app token.
    """
    handler = AsyncSocketModeHandler(bolt, app_token)
    stack.push_async_callback(handler.close_async)
    try:
        # The SDK itself waits where Slack counts the starts of a minute; mail need not wait for that.
        asked = asyncio.wait_for(handler.client.issue_new_wss_url(), seconds)
        handler.client.wss_uri = await _unless_stopped(stopping, asked)
    except SlackApiError as error:
        code = code_of(error)
        if code in REFUSED_APP_TOKEN:
            raise SettingsError(
                sentence=f"Slack does not accept SLACK_APP_TOKEN ({code}); make one with connections:write under Basic Information."
            ) from None
        log.warning("socket_not_ready", code=code)
    except NO_ANSWER as error:
        log.warning("socket_not_ready", error=type(error).__name__)
    connecting = asyncio.create_task(handler.client.connect())  # type: ignore[no-untyped-call] # the SDK leaves it bare
    stack.callback(connecting.cancel)
    dropping = asyncio.create_task(drop_addresses(handler.client, ADDRESS_SECONDS))
    stack.callback(dropping.cancel)
    return handler.client.is_connected


async def drop_addresses(client: SocketModeClient, seconds: float) -> None:
    """Let a client that does not come to be connected ask Slack for a new address."""
    while True:
        await asyncio.sleep(seconds)
        if not await client.is_connected():
            client.wss_uri = None


async def _unless_stopped(stopping: asyncio.Event, work: Awaitable[Found]) -> Found | None:
    """The result of `work`; None when the process is to stop before there is one."""
    working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, stopped):
            task.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)


def bolt(settings: Settings, identity: Mapping[str, Any], web: AsyncWebClient) -> AsyncApp:
    """Bolt with one known workspace, so that no request asks Slack who we are."""
    # Bolt reads the environment by itself: the first two would switch on OAuth, the third doubles what `authorize` gives.
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN"):
        os.environ.pop(name, None)
    result = AuthorizeResult(
        enterprise_id=identity.get("enterprise_id"),
        team_id=identity.get("team_id"),
        bot_user_id=identity.get("user_id"),
        bot_id=identity.get("bot_id"),
        bot_token=settings.slack_bot_token.get_secret_value(),
    )

    async def authorize(**_: Any) -> AuthorizeResult:
        return result

    return AsyncApp(
        name="mailbox",  # without one, Bolt takes a tenth of a second to look for the file that called it
        client=web,
        signing_secret=settings.slack_signing_secret.get_secret_value(),
        authorize=authorize,
        process_before_response=False,
    )
