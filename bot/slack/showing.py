"""Forms that are drawn anew while somebody types into them: what was typed last, and how each was last shown.

Slack sends all of a form with every character. What was typed before the form was shown anew arrives with the state that
the form had then: an update for that state would be refused, so the newer one takes its place. No I/O and no clock.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_FORMS: Final = 1000
MOST_STATES: Final = 50


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that was typed or chosen: the part of the form that hangs on it, and its number there."""

    part: str
    number: int


class Shown:
    """One form.

    Attributes:
        turn: held while the form is drawn anew, which happens once at a time.
    """

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._numbers: dict[str, int] = {}
        self._former: OrderedDict[str, None] = OrderedDict()
        self._hash = ""
        self._blocks: list[Any] = []

    def begin(self, part: str = "") -> Turn:
        """Something was typed or chosen that a part of the form hangs on."""
        self._numbers[part] = self._numbers.get(part, 0) + 1
        return Turn(part, self._numbers[part])

    def end(self) -> None:
        """The form was sent: nothing that began before is drawn any more."""
        for part in self._numbers:
            self.begin(part)

    def is_newest(self, turn: Turn) -> bool:
        """Nothing came after it that the same part hangs on."""
        return self._numbers[turn.part] == turn.number

    def caught_up(self, view: Mapping[str, Any]) -> Mapping[str, Any]:
        """The view of a payload as it is shown by now."""
        if view.get("hash") not in self._former:
            return view
        return {**view, "hash": self._hash, "blocks": self._blocks}

    def showed(self, before: str, view: Mapping[str, Any]) -> None:
        """The form that had the state `before` was drawn anew."""
        self._former[before] = None
        while len(self._former) > MOST_STATES:
            self._former.popitem(last=False)
        self._hash, self._blocks = view["hash"], list(view["blocks"])


class Showing:
    """All forms that are typed into, by the ids of their views."""

    def __init__(self) -> None:
        self._forms: OrderedDict[str, Shown] = OrderedDict()

    def of(self, view_id: str) -> Shown:
        """A form; the one that was longest not typed into is forgotten when there are too many."""
        found = self._forms.setdefault(view_id, Shown())
        self._forms.move_to_end(view_id)
        while len(self._forms) > MOST_FORMS:
            self._forms.popitem(last=False)
        return found
