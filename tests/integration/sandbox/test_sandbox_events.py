"""Events, Home, shortcuts, connections, and the page's stream."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.integration.sandbox.kit import APP_TOKEN, MARTA, section, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from slack_bolt.async_app import AsyncAck, AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.sandbox.server import RunningSandbox
    from tests.integration.sandbox.kit import Page

    Connect = Callable[[], AbstractAsyncContextManager[Any]]

Body = dict[str, Any]
HOME = {"type": "home", "blocks": [section("home")]}


async def test_opening_home_tells_the_app_which_tab(app: AsyncApp, page: Page, connected: Connect) -> None:
    """app_home_opened carries the tab, and the published view from the second time on."""
    seen: list[Body] = []

    @app.event("app_home_opened")
    async def _(event: Body, client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view=HOME)
        seen.append(event)

    async def heard() -> Any:
        return seen

    async with connected():
        await page.post("home", tab="home")
        await until(heard)
        await page.post("home", tab="home")

        async def twice() -> Any:
            return len(seen) == 2

        await until(twice)

    assert (await page.state())["home"]["blocks"][0]["text"]["text"] == "home"
    assert (seen[0]["tab"], seen[0]["user"]) == ("home", MARTA)
    assert "view" not in seen[0]
    assert seen[1]["view"]["type"] == "home"


async def test_a_message_to_the_bot_is_an_event(app: AsyncApp, page: Page, connected: Connect) -> None:
    """message.im carries text, author and channel type with event id and authorizations."""
    seen: list[Body] = []

    @app.event("message")
    async def _(body: Body) -> None:
        seen.append(body)

    async def heard() -> Any:
        return seen

    async with connected():
        await page.post("message", text="hello <bot> & co")
        await until(heard)

    assert seen[0]["event"]["text"] == "hello &lt;bot&gt; &amp; co"
    assert seen[0]["event"]["channel_type"] == "im"
    assert seen[0]["event"]["client_msg_id"]
    assert seen[0]["event_id"].startswith("Ev")
    assert seen[0]["authorizations"][0]["is_bot"] is True


async def test_an_event_without_an_ack_comes_again(
    session: aiohttp.ClientSession, sandbox: RunningSandbox, client: AsyncWebClient, page: Page
) -> None:
    """An unacknowledged event is sent again with its attempt and the reason."""
    sandbox.sandbox.timings = replace(sandbox.sandbox.timings, ack=0.4)
    address = (await client.apps_connections_open(app_token=APP_TOKEN))["url"]
    async with session.ws_connect(address) as socket:
        hello = await socket.receive_json()
        await page.post("message", text="hello")
        first, second = await socket.receive_json(), await socket.receive_json()
        await socket.send_json({"envelope_id": second["envelope_id"]})

    assert hello["type"] == "hello"
    assert hello["num_connections"] == 1
    assert (first["retry_attempt"], second["retry_attempt"]) == (0, 1)
    assert second["retry_reason"] == "timeout"
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert first["accepts_response_payload"] is False


async def test_a_shortcut_reaches_the_app(app: AsyncApp, page: Page, connected: Connect) -> None:
    """A global shortcut carries a trigger and no channel; an unknown one is refused."""
    seen: list[Body] = []

    @app.shortcut("add_mailbox")
    async def _(ack: AsyncAck, body: Body) -> None:
        seen.append(body)
        await ack()

    async with connected():
        answer = await page.post("shortcut", callback_id="add_mailbox")
        unknown = await page.post("shortcut", callback_id="fly")

    assert answer["ok"]
    assert not unknown["ok"]
    assert seen[0]["type"] == "shortcut"
    assert seen[0]["trigger_id"]
    assert "channel" not in seen[0]


@pytest.mark.parametrize("reason", [True, "warning", "drop"])
async def test_the_app_comes_back_after_a_disconnect(
    app: AsyncApp, page: Page, connected: Connect, reason: object
) -> None:
    """Refresh, warning and a cut connection are survived by Slack's own client."""

    @app.command("/mailbox")
    async def _(ack: AsyncAck) -> None:
        await ack("here")

    async def answers() -> Any:
        return (await page.post("command", text="/mailbox"))["ok"]

    async with connected():
        assert await answers()
        await page.post("settings", socket_disconnect=reason)
        await asyncio.sleep(0)
        await until(answers)

        async def settled() -> Any:
            return (await page.get("people"))["connected"]

        assert await until(settled)


async def test_each_payload_goes_to_one_of_many_connections(
    session: aiohttp.ClientSession, client: AsyncWebClient, sandbox: RunningSandbox
) -> None:
    """Ten connections share the payloads, the eleventh is sent away, and a ticket opens one only."""
    sockets: list[Any] = []
    for _ in range(11):
        address = (await client.apps_connections_open(app_token=APP_TOKEN))["url"]
        sockets.append(await session.ws_connect(address))
    greetings = [await socket.receive_json() for socket in sockets]

    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(address)

    assert [greeting["type"] for greeting in greetings] == ["hello"] * 10 + ["disconnect"]
    assert greetings[10]["reason"] == "too_many_websockets"
    assert greetings[9]["num_connections"] == 10
    for socket in sockets:
        await socket.close()


async def test_the_page_hears_of_every_change(
    sandbox: RunningSandbox, session: aiohttp.ClientSession, client: AsyncWebClient
) -> None:
    """The stream of events says `changed` at the start and after each change of that person's state."""
    async with session.get(f"{sandbox.url}/sandbox/api/events?user={MARTA}") as stream:
        assert (await stream.content.readuntil(b"\n\n")) == b"data: changed\n\n"
        await client.chat_postMessage(channel=MARTA, text="x")
        assert (await stream.content.readuntil(b"\n\n")) == b"data: changed\n\n"


async def test_a_person_may_change_roles(
    sandbox: RunningSandbox, app: AsyncApp, page: Page, client: AsyncWebClient, connected: Connect
) -> None:
    """The page can demote or deactivate somebody; users.info says so, and the app hears of it if subscribed."""
    sandbox.sandbox.manifest = replace(sandbox.sandbox.manifest, events=frozenset({"user_change"}))
    seen: list[Body] = []

    @app.event("user_change")
    async def _(event: Body) -> None:
        seen.append(event["user"])

    async def heard() -> Any:
        return seen

    async with connected():
        await page.post("role", role="single_channel_guest")
        await until(heard)
    guest = await client.users_info(user=MARTA)
    await page.post("role", role="deactivated")
    gone = await client.users_info(user=MARTA)

    assert seen[0]["is_ultra_restricted"] is True
    assert guest["user"] == seen[0]
    assert gone["user"]["deleted"] is True
    assert not (await page.post("message", text="x"))["ok"]
