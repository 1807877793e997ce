"""What the listeners of shared mail and of the front page are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.door import Door
    from bot.front import Front
    from bot.managing import Managing
    from bot.slack.listeners.desk import Desk
    from bot.viewing import Viewing
    from storage.records import Person


@dataclass(frozen=True, slots=True)
class Reception:
    """Where people come to what others opened to them."""

    door: Door
    viewing: Viewing
    managing: Managing
    front: Front


async def visitor(desk: Desk, body: Mapping[str, Any], subject: str) -> Person:
    """Who pressed; somebody of another workspace, who may be in a channel with us, is noted and refused."""
    try:
        return desk.actor(body)
    except NotAllowed:
        user = str((body.get("user") or {}).get("id", ""))
        await desk.reception.door.note_stranger(desk.workspace, user, f"pressed:{subject}")
        raise
