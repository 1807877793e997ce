"""The channels a fresh sandbox has, and how `conversations.info` shows a channel.

Invented, with fixed ids, so that a test or a page can name them. The app is in none of them until somebody invites it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.sandbox.slack.people import TEAM_ID
from bot.sandbox.slack.posts import Channel

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json

GENERAL_ID: Final = "C0GENERAL1"
HIRING_ID: Final = "C0HIRING01"
LEADERS_ID: Final = "C0LEADERS1"
WAREHOUSE_ID: Final = "C0WAREHOU1"

_INES, _TOMASZ, _AISHA, _MARTA = "U0INES0001", "U0TOMASZ02", "U0AISHA003", "U0MARTA004"
_KENJI, _LUCIA, _OWEN, _PETRA = "U0KENJI005", "U0LUCIA006", "U0OWEN0007", "U0PETRA008"


def starting(now: int) -> list[Channel]:
    """Two public channels, a private one, and one with both guests; the single-channel guest is in that one alone."""
    everyone = [_INES, _TOMASZ, _AISHA, _MARTA, _KENJI, _LUCIA, _PETRA]
    return [
        Channel(GENERAL_ID, None, now, "general", members=everyone, is_general=True),
        Channel(HIRING_ID, None, now, "hiring", members=[_INES, _AISHA, _MARTA, _LUCIA]),
        Channel(LEADERS_ID, None, now, "leadership", members=[_INES, _TOMASZ, _AISHA], is_private=True),
        Channel(WAREHOUSE_ID, None, now, "warehouse-move", members=[_TOMASZ, _KENJI, _LUCIA, _OWEN]),
    ]


def info(channel: Channel) -> Json:
    """A public or private channel as the Web API gives it."""
    is_shared = bool(channel.shared_with)
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        # `is_group` is for private channels from before March 2021 alone.
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": channel.is_general,
        "is_member": channel.has_bot,
        "is_shared": is_shared,
        "is_ext_shared": is_shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "shared_team_ids": [TEAM_ID, *channel.shared_with],
        "context_team_id": TEAM_ID,
        "created": channel.created,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "previous_names": [],
    }
