"""Rich text that is written in a form, and a hash that a view must still have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.rich_words import rich_text
from tests.integration.sandbox.kit import modal, refusal, text_input, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from slack_bolt.async_app import AsyncAck, AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from tests.integration.sandbox.kit import Page

    Connect = Callable[[], AbstractAsyncContextManager[Any]]

PLACE = {"type": "rich_text_input", "block_id": "text", "action_id": "text"}


def rich_input(**more: Any) -> dict[str, Any]:
    """A field for rich text."""
    block = text_input("text", optional=True, type="rich_text_input", **more)
    return {**block, "dispatch_action": True}


async def opened(app: AsyncApp, page: Page, view: dict[str, Any]) -> Any:
    """The view as `/mailbox` opens it."""

    @app.command("/mailbox")
    async def _(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    await page.post("command", text="/mailbox")

    async def views() -> Any:
        return (await page.state())["views"]

    return (await until(views))[-1]


async def test_rich_text_is_told_while_it_is_written(app: AsyncApp, page: Page, connected: Connect) -> None:
    """With dispatch_action: as `rich_text_value` in the action and in the view's state, null when it is empty again."""
    seen: list[Any] = []

    @app.action("text")
    async def _(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        state = body["view"]["state"]["values"]["text"]["text"]
        seen.append((body["actions"][0]["rich_text_value"], state["rich_text_value"]))

    config = {"trigger_actions_on": ["on_character_entered"]}
    value = rich_text("*Yes*\n- one")
    async with connected():
        view = await opened(app, page, modal(rich_input(dispatch_action_config=config)))
        container = {"type": "view", "view_id": view["id"]}
        for given in (value, None):
            await page.post("action", container=container, action={**PLACE, "rich_text_value": given})

    assert seen == [(value, value), (None, None)]


@pytest.mark.parametrize(
    "value",
    [
        {"type": "rich_text", "elements": []},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]},
        "words",
    ],
)
async def test_what_no_editor_writes_is_refused(
    app: AsyncApp, page: Page, connected: Connect, value: Any
) -> None:
    """The form is not sent."""
    async with connected():
        view = await opened(app, page, modal(rich_input()))
        values = {"text": {"text": {"type": "rich_text_input", "rich_text_value": value}}}
        told = await page.post("submit", view_id=view["id"], values=values)

    assert told["error"].startswith("this is no rich text")


async def test_a_view_that_changed_meanwhile_is_not_updated(
    app: AsyncApp, client: AsyncWebClient, page: Page, connected: Connect
) -> None:
    """With a stale hash; what was written stays through an update under the same ids."""
    async with connected():
        view = await opened(app, page, modal(rich_input()))
        container = {"type": "view", "view_id": view["id"]}
        value = rich_text("Hello")
        await client.views_update(view_id=view["id"], view=modal(rich_input()), hash=view["hash"])
        quiet = {**rich_input(), "dispatch_action": False}
        await client.views_update(view_id=view["id"], view=modal(quiet))
        await page.post("action", container=container, action={**PLACE, "rich_text_value": value})
        await client.views_update(
            view_id=view["id"], view=modal(quiet, title={"type": "plain_text", "text": "New"})
        )
        stale = await refusal(client, "views.update", view_id=view["id"], view=modal(), hash=view["hash"])

    assert stale == "hash_conflict"
    assert (await page.top())["state"]["values"]["text"]["text"]["rich_text_value"] == value
