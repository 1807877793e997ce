"""What the app's manifest grants and offers: scopes, commands, shortcuts, events, tabs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack import yaml_subset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


SCOPES: Final = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:join",
        "channels:read",
        "chat:write",
        "chat:write.public",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "metadata.message:read",
        "mpim:history",
        "mpim:read",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
_CHANNELS: Final = frozenset({"channels:read", "groups:read"})
_PEOPLE: Final = frozenset({"users:read"})
_GROUPS: Final = frozenset({"usergroups:read"})
# Every event one can subscribe to here, with the scopes of which it needs one; none of them means that it needs none.
EVENTS: Final[dict[str, frozenset[str]]] = {
    "app_home_opened": frozenset(),
    "app_mention": frozenset({"app_mentions:read"}),
    "app_uninstalled": frozenset(),
    "tokens_revoked": frozenset(),
    "message.im": frozenset({"im:history"}),
    "message.channels": frozenset({"channels:history"}),
    "message.groups": frozenset({"groups:history"}),
    "user_change": _PEOPLE,
    "team_join": _PEOPLE,
    "subteam_created": _GROUPS,
    "subteam_updated": _GROUPS,
    "subteam_members_changed": _GROUPS,
    "member_joined_channel": _CHANNELS,
    "member_left_channel": _CHANNELS,
    "channel_left": frozenset({"channels:read"}),
    "channel_archive": frozenset({"channels:read"}),
    "channel_unarchive": frozenset({"channels:read"}),
    "channel_rename": frozenset({"channels:read"}),
    "channel_deleted": frozenset({"channels:read"}),
    "channel_shared": _CHANNELS,
    "channel_unshared": _CHANNELS,
    "group_left": frozenset({"groups:read"}),
    "group_archive": frozenset({"groups:read"}),
    "group_unarchive": frozenset({"groups:read"}),
    "group_rename": frozenset({"groups:read"}),
    "group_deleted": frozenset({"groups:read"}),
}


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
            ValueError: the file is no manifest, or names a scope or an event that Slack does not have.
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
        subscribed = frozenset(settings.get("event_subscriptions", {}).get("bot_events", ()))
        scopes = frozenset(raw.get("oauth_config", {}).get("scopes", {}).get("bot", ()))
        unknown = sorted((scopes - SCOPES) | (subscribed - EVENTS.keys()))
        if unknown:
            raise ValueError(f"the sandbox knows no scope or event {', '.join(unknown)}")
        return cls(
            bot_name=features.get("bot_user", {}).get("display_name", "mailbox"),
            scopes=scopes,
            commands=tuple(_command(one) for one in features.get("slash_commands", ())),
            shortcuts=tuple(
                _shortcut(one) for one in features.get("shortcuts", ()) if one["type"] == "global"
            ),
            events=subscribed,
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
