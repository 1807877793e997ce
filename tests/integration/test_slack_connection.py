"""Slack's absence is waited for, and nothing about it keeps the process from leaving."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.errors import SettingsError
from bot.slack import connection
from bot.slack.client import web_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def slack(answer: bytes | None) -> AsyncIterator[str]:
    """Something at Slack's address that always says the same, or nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer or b"")
        if answer is None:
            await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/"


def http(body: bytes, kind: bytes = b"application/json") -> bytes:
    """A whole answer."""
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        kind,
        len(body),
        body,
    )


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        http(b"{"),
        http(b"[]"),
        http(b"upstream", b"text/plain"),
        http(b'{"ok": false, "error": "fatal_error"}'),
    ],
    ids=["nothing", "hang-up", "no JSON", "no object", "text", "fatal"],
)
async def test_a_process_that_is_to_stop_waits_for_no_answer(answer: bytes | None) -> None:
    """Whatever Slack answers or does not, it is asked again until the process is to stop, and then at once no more."""
    stopping = asyncio.Event()
    async with slack(answer) as url:
        asking = asyncio.create_task(connection.identity(web_client("xoxb-1", url, 600), stopping))
        await asyncio.wait([asking], timeout=0.3)
        assert not asking.done()

        stopping.set()

        async with asyncio.timeout(30):
            assert await asking is None


async def test_a_refused_token_is_the_operators_affair() -> None:
    """One sentence that names the variable and shows no token."""
    async with slack(http(b'{"ok": false, "error": "invalid_auth"}')) as url:
        with pytest.raises(SettingsError) as caught:
            await connection.identity(web_client("xoxb-canary", url, 30), asyncio.Event())

    assert "SLACK_BOT_TOKEN (invalid_auth)" in caught.value.sentence
    assert "canary" not in caught.value.sentence


async def test_mail_does_not_wait_for_the_socket() -> None:
    """Whoever starts again and again within a minute is made to wait by Slack; all but the socket begins meanwhile."""
    later = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n"
    later += b'{"ok": false, "error": "ratelimited"}'
    async with slack(later) as url, AsyncExitStack() as stack, asyncio.timeout(30):
        bolt = AsyncApp(client=web_client("xoxb-1", url, 30), signing_secret="s", authorize=nobody)

        is_connected = await connection.open_socket(bolt, "xapp-1", asyncio.Event(), stack, seconds=0.05)

        assert not await is_connected()


async def nobody(**_: object) -> AuthorizeResult:
    """Nothing is asked for here."""
    return AuthorizeResult(enterprise_id=None, team_id=None)


async def test_an_address_that_does_not_connect_is_not_kept() -> None:
    """Slack's socket addresses are good for seconds: the client is made to ask for another."""
    client = SocketModeClient(app_token="xapp-1")
    vars(client)["wss_uri"] = "wss://127.0.0.1:9/?ticket=old"

    dropping = asyncio.ensure_future(connection.drop_addresses(client, 0.01))
    async with asyncio.timeout(30):
        while client.wss_uri is not None:  # noqa: ASYNC110 - the SDK tells nobody
            await asyncio.sleep(0.01)

    assert not dropping.done()
    dropping.cancel()
    await client.close()  # type: ignore[no-untyped-call]  # the SDK leaves it bare
    await client.aiohttp_client_session.close()
