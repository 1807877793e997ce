"""Forms whose address is being typed, each as it was last seen and last shown.

Slack sends a form's content with every character typed, and keeps it to itself between. So the newest content is
remembered while an answer is awaited, and a newer address takes the place of an older one. A character that was typed
before the form was shown anew arrives with the form's former state: it is put into the newer one, or the form would
stay with what an older address brought. No I/O and no clock.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bot.slack import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.slack.drafts import Draft

MOST_REMEMBERED: Final = 1000


@dataclass(slots=True)
class _Shown:
    """How a form was last shown: Slack's names for the state before and after, and what it was filled with."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    before: str = ""
    after: str = ""
    draft: Draft | None = None


class Waiting:
    """One form that waits.

    Attributes:
        hash: Slack's name for the state of the view; an update for another state is refused.
        draft: the form as it was last seen.
        turn: held while the form is shown anew, which happens once at a time.
        is_current: no newer address was typed, and the form was not sent.
    """

    def __init__(self, view_id: str, view_hash: str, draft: Draft, shown: _Shown) -> None:
        self.view_id = view_id
        self.hash = view_hash
        self.draft = draft
        self.is_current = True
        self._shown = shown

    @property
    def turn(self) -> asyncio.Lock:
        """To be held from the decision what to show until it is shown."""
        return self._shown.turn

    def catch_up(self) -> None:
        """Put the address into the form as it is now, where it was typed into the one before."""
        shown = self._shown
        if shown.draft is not None and self.hash == shown.before:
            address = self.draft.text(names.ADDRESS)
            self.draft = replace(shown.draft, texts={**shown.draft.texts, names.ADDRESS: address})
            self.hash = shown.after

    def updated(self, view_hash: str, seen: Draft, shown: Draft) -> None:
        """The form was shown anew; what was typed while that was on its way stays the newest."""
        self._shown.before, self._shown.after, self._shown.draft = self.hash, view_hash, shown
        self.hash = view_hash
        if self.draft is seen:
            self.draft = shown


class WaitingForms:
    """All forms that wait, by their view."""

    def __init__(self) -> None:
        self._forms: dict[str, Waiting] = {}
        self._shown: OrderedDict[str, _Shown] = OrderedDict()

    @contextmanager
    def opened(self, view_id: str, view_hash: str, draft: Draft) -> Iterator[Waiting]:
        """The form waits until the block ends, or until the same form waits for something newer."""
        self.forget(view_id)
        form = self._forms[view_id] = Waiting(view_id, view_hash, draft, self._last_shown(view_id))
        try:
            yield form
        finally:
            if form.is_current:
                self.forget(view_id)

    def saw(self, view_id: str, draft: Draft) -> None:
        """Something else was typed into a form; noted if it waits."""
        form = self._forms.get(view_id)
        if form is not None:
            form.draft = draft

    def showed(self, view_id: str, view_hash: str, draft: Draft) -> None:
        """A form was shown anew for another reason; what it waits for comes into that form."""
        form = self._forms.get(view_id)
        if form is not None:
            form.hash, form.draft = view_hash, draft

    def forget(self, view_id: str) -> None:
        """The form waits no longer: it was sent, or waits for something else."""
        form = self._forms.pop(view_id, None)
        if form is not None:
            form.is_current = False

    def _last_shown(self, view_id: str) -> _Shown:
        shown = self._shown.setdefault(view_id, _Shown())
        self._shown.move_to_end(view_id)
        while len(self._shown) > MOST_REMEMBERED:
            self._shown.popitem(last=False)
        return shown
