"""How an app answers a press: through the URL that came with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.integration.sandbox.kit import MARTA, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.sandbox.server import RunningSandbox
    from tests.integration.sandbox.kit import Clock, Page

    Connect = Callable[[], AbstractAsyncContextManager[Any]]
from tests.integration.sandbox.test_sandbox_forms import ACTIONS, PRESS, Body


async def test_a_button_on_a_post_answers_through_its_response_url(
    sandbox: RunningSandbox, app: AsyncApp, page: Page, client: AsyncWebClient, connected: Connect
) -> None:
    """A click carries message, container and state, and replace_original changes the post."""
    seen: list[Body] = []

    @app.action("go")
    async def _(ack: AsyncAck, body: Body, respond: AsyncRespond) -> None:
        seen.append(body)
        await ack()
        await respond(text="done", replace_original=True)

    post = await client.chat_postMessage(channel=MARTA, text="press", blocks=[ACTIONS])
    place = {"type": "message", "channel": post["channel"], "ts": post["ts"]}
    async with connected():
        assert (await page.post("action", container=place, action=PRESS))["ok"]

        async def replaced() -> Any:
            return sandbox.workspace.dm(MARTA).posts[post["ts"]].edited_ts

        await until(replaced)

    assert (await page.state())["posts"][0]["text"] == "done"
    assert seen[0]["message"]["ts"] == post["ts"]
    assert seen[0]["container"] == {
        "type": "message",
        "message_ts": post["ts"],
        "channel_id": post["channel"],
        "is_ephemeral": False,
    }
    assert seen[0]["actions"][0]["value"] == "v1"
    assert seen[0]["actions"][0]["text"]["text"] == "Go"
    assert seen[0]["user"]["id"] == MARTA


async def test_a_response_url_works_five_times_in_half_an_hour(
    sandbox: RunningSandbox, clock: Clock, session: Any, page: Page
) -> None:
    """The sixth use and a use after 30 minutes are refused; unsound answers too."""
    address = sandbox.sandbox.new_response_url(MARTA, sandbox.workspace.dm(MARTA).id)
    other = sandbox.sandbox.new_response_url(MARTA, sandbox.workspace.dm(MARTA).id)

    async def use(url: str, **body: Any) -> tuple[int, str]:
        async with session.post(url, json=body) as answer:
            return answer.status, await answer.text()

    assert await use(address) == (400, '{"ok": false, "error": "no_text"}')
    for number in range(4):
        assert await use(address, text=f"n{number}") == (200, "ok")
    assert (await use(address, text="x"))[0] == 404
    assert await use(other, text="said to all", response_type="in_channel") == (200, "ok")
    clock.ahead += 1801
    assert "expired_url" in (await use(other, text="x"))[1]
    state = await page.state()
    assert [one["text"] for one in state["ephemerals"]] == ["n0", "n1", "n2", "n3"]
    assert [post["text"] for post in state["posts"]] == ["said to all"]
