"""Commands as Slack passes them on, and what it says where nobody answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.sandbox.slack.manifest import Command, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from slack_bolt.async_app import AsyncAck, AsyncApp

    from bot.sandbox.server import RunningSandbox
    from tests.integration.sandbox.kit import Page
    from tests.integration.sandbox.test_sandbox_forms import Body

    Connect = Callable[[], AbstractAsyncContextManager[Any]]


async def test_a_command_arrives_whole_and_its_answer_is_ephemeral(
    app: AsyncApp, page: Page, connected: Connect
) -> None:
    """The payload has every field of Slack's, and ack text is shown to the person alone."""
    seen: Body = {}

    @app.command("/mailbox")
    async def _(ack: AsyncAck, body: Body) -> None:
        seen.update(body)
        await ack("Nothing here yet.")

    async with connected():
        answer = await page.post("command", text="/mailbox add me@x.test")

    state = await page.state()
    assert answer == {"ok": True}
    assert [one["text"] for one in state["ephemerals"]] == ["Nothing here yet."]
    assert state["posts"] == []
    assert seen["text"] == "add me@x.test"
    assert seen["channel_id"] == state["channel"]
    assert seen["channel_name"] == "directmessage"
    assert seen["is_enterprise_install"] == "false"
    assert {
        "token",
        "team_id",
        "team_domain",
        "user_name",
        "api_app_id",
        "response_url",
        "trigger_id",
    } <= seen.keys()


async def test_escaped_commands_arrive_in_angle_brackets(
    sandbox: RunningSandbox, app: AsyncApp, page: Page, connected: Connect
) -> None:
    """With should_escape, addresses, links and names arrive as Slack writes them."""
    texts: list[str] = []
    sandbox.sandbox.manifest = Manifest(commands=(Command("/mailbox", "", "", should_escape=True),))

    @app.command("/mailbox")
    async def _(ack: AsyncAck, command: Body) -> None:
        texts.append(command["text"])
        await ack()

    async with connected():
        await page.post("command", text="/mailbox add a@b.test for @kenji & http://c.test")

    assert texts == ["add <mailto:a@b.test|a@b.test> for <@U0KENJI005|kenji> &amp; <http://c.test>"]


async def test_nobody_listening_is_said_in_slacks_words(page: Page) -> None:
    """Without a connected app the person reads dispatch_failed, and a foreign command is named."""
    failed = await page.post("command", text="/mailbox")
    unknown = await page.post("command", text="/mailbag")

    assert failed == {"ok": False, "error": "/mailbox failed with the error “dispatch_failed”"}
    assert unknown["error"] == "/mailbag is not a valid command."
    assert len((await page.state())["errors"]) == 2


async def test_a_late_ack_is_an_operation_timeout(
    app: AsyncApp, page: Page, sandbox: RunningSandbox, connected: Connect
) -> None:
    """A command without an ack in time fails in front of the person."""
    sandbox.sandbox.timings = replace(sandbox.sandbox.timings, ack=0.4)

    @app.command("/mailbox")
    async def _() -> None:
        await asyncio.Event().wait()

    async with connected():
        answer = await page.post("command", text="/mailbox")

    assert answer["error"].endswith("“operation_timeout”")
