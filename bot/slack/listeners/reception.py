"""What the listeners of shared mail and of the front page are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.door import Door
    from bot.front import Front
    from bot.managing import Managing
    from bot.viewing import Viewing


@dataclass(frozen=True, slots=True)
class Reception:
    """Where people come to what others opened to them."""

    door: Door
    viewing: Viewing
    managing: Managing
    front: Front
