"""The manifest decides what the workspace grants and offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.server import MANIFEST, start
from bot.sandbox.slack.manifest import Manifest
from bot.sandbox.slack.yaml_subset import NotUnderstood, load
from tests.integration.sandbox.kit import APP_TOKEN, BOT_TOKEN, MARTA, Page

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient


async def test_the_sandbox_grants_what_the_real_manifest_asks_for(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    """Started as `make demo` starts it, scopes and commands are those of manifest.yml, and the page is served."""
    (tmp_path / "index.html").write_text("<!doctype html>", encoding="utf-8")
    expected = Manifest.read(MANIFEST)
    running = await start(bot_token=BOT_TOKEN, app_token=APP_TOKEN, static=tmp_path)
    try:
        people = await Page(running.url, session).get("people")
        async with session.get(running.url) as index:
            policy = index.headers["Content-Security-Policy"]
    finally:
        await running.stop()

    assert running.sandbox.manifest == expected
    assert people["commands"][0]["command"] == "/mailbox"
    assert "default-src 'self'" in policy


@pytest.mark.parametrize(
    "named",
    [
        {"oauth_config": {"scopes": {"bot": ["channels:peek"]}}},
        {"settings": {"event_subscriptions": {"bot_events": ["mail_came"]}}},
    ],
)
def test_a_scope_or_event_slack_does_not_have_is_refused(named: dict[str, Any]) -> None:
    """A slip in the manifest stops the sandbox and is named, instead of never being missed."""
    with pytest.raises(ValueError, match=r"channels:peek|mail_came"):
        Manifest.from_mapping(named)


async def test_a_switched_off_messages_tab_takes_no_posts(client: AsyncWebClient, page: Page) -> None:
    """messages_tab_disabled can be tried at run time."""
    await page.post("settings", messages_tab=False)

    with pytest.raises(SlackApiError, match="messages_tab_disabled"):
        await client.chat_postMessage(channel=MARTA, text="x")
    assert not (await page.post("message", text="x"))["ok"]


async def test_only_loopback_is_listened_on() -> None:
    """The sandbox cannot be started where others reach it."""
    with pytest.raises(ValueError, match="loopback"):
        await start(host="0.0.0.0", bot_token=BOT_TOKEN, app_token=APP_TOKEN)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\nb: yes it is # so\n", {"a": 1, "b": "yes it is"}),
        (
            "a:\n  - x: true\n    y: [1, \"b, c\", {d: e}]\n  - 'it''s'\n",
            {"a": [{"x": True, "y": [1, "b, c", {"d": "e"}]}, "it's"]},
        ),
        ("a:\n- 1\n- 2\nb: http://x.test/#y\n", {"a": [1, 2], "b": "http://x.test/#y"}),
        ("a: >-\n  one\n  two\nb: |\n  one\n  two\n", {"a": "one two", "b": "one\ntwo\n"}),
        ('a: {b: /mailbox, c: "# no comment"}', {"a": {"b": "/mailbox", "c": "# no comment"}}),
        ("a:\nb: null\n", {"a": None, "b": None}),
    ],
)
def test_the_yaml_of_manifests_is_read(text: str, value: Any) -> None:
    """Mappings, lists, flow style, quotes, texts and comments come out as YAML means them."""
    assert load(text) == value


@pytest.mark.parametrize("text", ["a: [1", "a: &x 1", "a: 1\n   b: 2", "a\nb: 1", "a: {b}", "a: !!str 1"])
def test_other_yaml_is_refused(text: str) -> None:
    """What the reader does not know it refuses with the line instead of misreading it."""
    with pytest.raises(NotUnderstood, match="line"):
        load(text)
