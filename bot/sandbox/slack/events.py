"""Which events the app is sent: those it subscribes to, has a scope for, and may see. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.sandbox.slack.manifest import EVENTS

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.manifest import Manifest
    from bot.sandbox.slack.posts import Channel

_MESSAGES: Final = {"im": "message.im", "channel": "message.channels", "group": "message.groups"}
# Of a public channel these are told to every app, in it or not.
_ABROAD: Final = frozenset({"channel_archive", "channel_unarchive", "channel_rename", "channel_deleted"})


def name_of(body: Json) -> str:
    """The name by which the manifest subscribes to this event."""
    return _MESSAGES[body["channel_type"]] if body["type"] == "message" else str(body["type"])


def is_told(manifest: Manifest, name: str, channel: Channel | None) -> bool:
    """Whether the app hears of it.

    Args:
        channel: the channel it is about, if any.
    """
    if name not in manifest.events:
        return False
    scopes = EVENTS.get(name, frozenset())
    if channel is not None and scopes == EVENTS["channel_shared"]:
        scopes = frozenset({f"{channel.kind}:read"})
    if scopes and not scopes & manifest.scopes:
        return False
    return channel is None or channel.has_bot or (name in _ABROAD and not channel.is_private)
