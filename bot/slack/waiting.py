"""Forms whose address is being typed, each as it was last seen and last shown.

Slack sends a form's content with every character typed, and keeps it to itself between. So the newest content is
remembered while an answer is awaited, and a newer address takes the place of an older one. What was typed or chosen
before the form was shown anew arrives with one of the form's former states: it is put into the newest one, or the form
would stay with what an older address brought, or without the fields that a choice asks for. No I/O and no clock.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.slack.drafts import Draft

MOST_REMEMBERED: Final = 1000
MOST_STATES: Final = 20


@dataclass(slots=True)
class _Shown:
    """How a form was last shown.

    Attributes:
        turn: held while the form is shown anew.
        hash: Slack's name for that state of the view.
        draft: what it was filled with.
        former: by Slack's names for the states before, what each held when it was shown anew.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    hash: str = ""
    draft: Draft | None = None
    former: OrderedDict[str, Draft] = field(default_factory=OrderedDict)

    def caught_up(self, view_hash: str, draft: Draft) -> tuple[str, Draft]:
        """A form as it arrived from one of its states, as it is in the newest."""
        held = self.former.get(view_hash)
        if held is None or self.draft is None:
            return view_hash, draft
        typed = {name: text for name, text in draft.texts.items() if text != held.texts.get(name)}
        newest = replace(
            self.draft, texts={**self.draft.texts, **typed}, filled=self.draft.filled - typed.keys()
        )
        return self.hash, newest

    def showed(self, before: str, after: str, *, seen: Draft, shown: Draft) -> None:
        """The state `before`, which held what was `seen`, became the state `after`."""
        self.former[before] = seen
        while len(self.former) > MOST_STATES:
            self.former.popitem(last=False)
        self.hash, self.draft = after, shown


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
        """Put what was typed into a former state of the form into the form as it is now."""
        self.hash, self.draft = self._shown.caught_up(self.hash, self.draft)

    def updated(self, view_hash: str, seen: Draft, shown: Draft) -> None:
        """The form was shown anew; what was typed while that was on its way stays the newest."""
        self._shown.showed(self.hash, view_hash, seen=seen, shown=shown)
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

    def turn(self, view_id: str) -> asyncio.Lock:
        """To be held from the decision what to show in a form until it is shown."""
        return self._last_shown(view_id).turn

    def caught_up(self, view_id: str, view_hash: str, draft: Draft) -> tuple[str, Draft]:
        """Slack's name for the newest state of a form, and that state with what was typed into an older one."""
        return self._last_shown(view_id).caught_up(view_hash, draft)

    def showed(self, view_id: str, before: str, after: str, *, seen: Draft, shown: Draft) -> None:
        """A form was shown anew for another reason; what it waits for comes into that form."""
        self._last_shown(view_id).showed(before, after, seen=seen, shown=shown)
        form = self._forms.get(view_id)
        if form is not None:
            form.hash, form.draft = after, shown

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
