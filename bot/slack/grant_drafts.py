"""Grants between their form and their preview: kept in memory for half an hour, bound to who entered them.

A view's metadata holds ids alone, and has no room for a hundred domains.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.records import Person
    from storage.sharing import Grant, Subject

LIFETIME: Final = timedelta(minutes=30)
MOST_KEPT: Final = 500


@dataclass(frozen=True, slots=True)
class GrantDraft:
    """What somebody is about to save; `grant` None takes the grant back, `before` is what held when they looked."""

    actor: Person
    subject: Subject
    grant: Grant | None
    before: Grant
    until: datetime


class GrantDrafts:
    """A bounded memory of grants by draft id."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock: Final = clock
        self._kept: dict[str, GrantDraft] = {}

    def keep(self, actor: Person, subject: Subject, grant: Grant | None, before: Grant) -> str:
        """Keep a grant and return the draft id it is found under."""
        now = self._clock()
        self._kept = {draft_id: draft for draft_id, draft in self._kept.items() if draft.until > now}
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        draft_id = secrets.token_urlsafe(12)
        self._kept[draft_id] = GrantDraft(actor, subject, grant, before, now + LIFETIME)
        return draft_id

    def find(self, actor: Person, draft_id: str) -> GrantDraft | None:
        """What this person entered, unless its time is over."""
        draft = self._kept.get(draft_id)
        return draft if draft is not None and draft.actor == actor and draft.until > self._clock() else None

    def forget(self, draft_id: str) -> None:
        """Drop what is kept under a draft id, if anything."""
        self._kept.pop(draft_id, None)
