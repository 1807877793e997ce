"""The app manifest: what Slack allows in it, and that it asks for no more than the bot uses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from bot.sandbox.slack.manifest import EVENTS, Manifest
from bot.slack import names
from bot.slack.listeners import people

PATH = Path(__file__).parent.parent.parent / "manifest.yml"
TEXT = PATH.read_text(encoding="utf-8")
_COMMENT = re.compile(r"(?:^|\s)#(?=\s).*$")


def load(text: str) -> Any:
    """The part of YAML that the manifest uses: mappings, lists, plain and quoted scalars; anything else fails."""
    lines = [_COMMENT.sub("", line).rstrip() for line in text.splitlines()]
    rest = [(len(line) - len(line.lstrip()), line.strip()) for line in lines if line.strip()]
    value = _block(rest)
    assert not rest
    return value


def _block(rest: list[tuple[int, str]]) -> Any:
    """The mapping or list that starts at the first line left."""
    depth, first = rest[0]
    if not first.startswith("- "):
        return _mapping(rest, depth)
    items: list[Any] = []
    while rest and rest[0][0] == depth and rest[0][1].startswith("- "):
        inner = rest.pop(0)[1][2:]
        if re.match(r"\w+:( |$)", inner):
            rest.insert(0, (depth + 2, inner))
            items.append(_mapping(rest, depth + 2))
        else:
            items.append(_scalar(inner))
    return items


def _mapping(rest: list[tuple[int, str]], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while rest and rest[0][0] == depth:
        key, _, text = rest.pop(0)[1].partition(":")
        assert re.fullmatch(r"\w+", key)
        assert key not in found
        found[key] = _scalar(text.strip()) if text else _block(rest)
    return found


def _scalar(text: str) -> Any:
    if text[0] == '"' or text in {"true", "false"} or text.isdigit():
        return json.loads(text)
    assert not re.search(r"^[\[{&*!|>%@`']|: ", text)
    return text


MANIFEST = load(TEXT)
FEATURES = MANIFEST["features"]


def test_names_fit() -> None:
    """Name, description and bot name are within Slack's limits."""
    shown = MANIFEST["display_information"]

    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert re.fullmatch(r"#[0-9a-f]{6}", shown["background_color"])
    assert re.fullmatch(r"[a-z0-9._-]{1,80}", FEATURES["bot_user"]["display_name"])


def test_only_known_keys_stand_in_it() -> None:
    """Slack rejects a manifest with a key it does not know."""
    assert set(MANIFEST) == {"_metadata", "display_information", "features", "oauth_config", "settings"}
    assert set(FEATURES) == {"app_home", "bot_user", "slash_commands", "shortcuts"}
    assert set(MANIFEST["settings"]) == {
        "event_subscriptions",
        "interactivity",
        "org_deploy_enabled",
        "socket_mode_enabled",
        "token_rotation_enabled",
    }


def test_there_is_one_command() -> None:
    """The command is the one the bot listens to; its hint names every word; addresses arrive as typed."""
    (command,) = FEATURES["slash_commands"]

    assert command["command"] == names.COMMAND
    assert len(command["command"]) <= 32
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000
    assert command["should_escape"] is False
    assert set(command["usage_hint"].strip("[]").split("|")) == set(names.COMMANDS)


def test_the_shortcut_is_ours() -> None:
    """The global shortcut opens the add form."""
    (shortcut,) = FEATURES["shortcuts"]

    assert shortcut["type"] == "global"
    assert shortcut["callback_id"] == names.SHORTCUT_ADD
    assert len(shortcut["name"]) <= 24
    assert len(shortcut["description"]) <= 150


def test_both_tabs_are_open() -> None:
    """Home is on, and messages can be read and written."""
    assert FEATURES["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }


def test_scopes_are_the_least() -> None:
    """The bot asks for what it uses and nothing more, and says of each why."""
    scopes = MANIFEST["oauth_config"]["scopes"]

    assert set(scopes) == {"bot"}
    assert sorted(scopes["bot"]) == [
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:write",
        "usergroups:read",
        "users:read",
    ]
    assert all(re.search(rf"- {scope} # \S", TEXT) for scope in scopes["bot"])


def test_it_hears_of_everybody_who_may_see_less() -> None:
    """The events are those that somebody listens to; no post of a channel is among them."""
    events = MANIFEST["settings"]["event_subscriptions"]["bot_events"]

    assert len(events) == len(set(events))
    assert set(events) == {"app_home_opened", "message.im"}.union(
        people.PERSON_EVENTS, people.GROUP_EVENTS, people.CHANNEL_EVENTS
    )


def test_what_channels_need_can_be_left_out() -> None:
    """The last ten events are those of channels, and need scopes that only channels need."""
    events = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
    scopes = set(MANIFEST["oauth_config"]["scopes"]["bot"])
    of_channels = {scope for scope in scopes if scope.partition(":")[0] in {"channels", "groups"}}

    assert set(events[-10:]) == set(people.CHANNEL_EVENTS)
    assert len(of_channels) == 4
    for event in events:
        needed = EVENTS[event]
        assert not needed or needed & scopes
        assert bool(needed & of_channels) is (event in people.CHANNEL_EVENTS)


def test_the_sandbox_takes_it() -> None:
    """What the pretend workspace knows of scopes and events covers the manifest."""
    read = Manifest.read(PATH)

    assert read.scopes == set(MANIFEST["oauth_config"]["scopes"]["bot"])
    assert read.events == set(MANIFEST["settings"]["event_subscriptions"]["bot_events"])


def test_it_runs_without_a_public_address() -> None:
    """Socket Mode is on; tokens do not rotate, since Socket Mode set-ups hold one token."""
    settings = MANIFEST["settings"]

    assert settings["socket_mode_enabled"] is True
    assert settings["token_rotation_enabled"] is False
    assert settings["interactivity"] == {"is_enabled": True}
    assert set(settings["event_subscriptions"]) == {"bot_events"}
    assert "url" not in TEXT.replace("https://api.slack.com/apps", "")
