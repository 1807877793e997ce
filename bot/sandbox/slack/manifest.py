"""What the app's manifest grants and offers: scopes, commands, shortcuts, events, tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sandbox.slack import yaml_subset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command; `should_escape`: mentions, links and addresses arrive in Slack's angle brackets."""

    command: str
    description: str
    usage_hint: str
    should_escape: bool


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A global shortcut."""

    name: str
    callback_id: str
    description: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The parts of a manifest that change how the workspace answers."""

    bot_name: str = "mailbox"
    scopes: frozenset[str] = frozenset(
        {"commands", "chat:write", "im:write", "im:history", "users:read", "files:write"}
    )
    commands: tuple[Command, ...] = (
        Command("/mailbox", "Manage mailboxes", "[add|list|edit|password|check|help]", should_escape=False),
    )
    shortcuts: tuple[Shortcut, ...] = (Shortcut("Add mailbox", "add_mailbox", "Connect a mailbox"),)
    events: frozenset[str] = frozenset({"app_home_opened", "message.im"})
    is_home_enabled: bool = True
    is_messages_enabled: bool = True
    is_messages_read_only: bool = False

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """The manifest in a YAML file.

        Raises:
            ValueError: the file is no manifest.
        """
        try:
            return cls.from_mapping(yaml_subset.load(path.read_text(encoding="utf-8")))
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("this file is not an app manifest") from error

    @classmethod
    def from_mapping(cls, raw: Mapping[str, Any]) -> Manifest:
        """The manifest as parsed from YAML or JSON; what is absent is off, as in Slack."""
        features: Mapping[str, Any] = raw.get("features", {})
        home: Mapping[str, Any] = features.get("app_home", {})
        settings: Mapping[str, Any] = raw.get("settings", {})
        return cls(
            bot_name=features.get("bot_user", {}).get("display_name", "mailbox"),
            scopes=frozenset(raw.get("oauth_config", {}).get("scopes", {}).get("bot", ())),
            commands=tuple(_command(one) for one in features.get("slash_commands", ())),
            shortcuts=tuple(
                _shortcut(one) for one in features.get("shortcuts", ()) if one["type"] == "global"
            ),
            events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", ())),
            is_home_enabled=bool(home.get("home_tab_enabled", False)),
            is_messages_enabled=bool(home.get("messages_tab_enabled", False)),
            is_messages_read_only=bool(home.get("messages_tab_read_only_enabled", True)),
        )


def _command(raw: Mapping[str, Any]) -> Command:
    return Command(
        raw["command"],
        raw.get("description", ""),
        raw.get("usage_hint", ""),
        bool(raw.get("should_escape", False)),
    )


def _shortcut(raw: Mapping[str, Any]) -> Shortcut:
    return Shortcut(raw["name"], raw["callback_id"], raw.get("description", ""))
