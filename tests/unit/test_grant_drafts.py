"""Grants between their form and their preview."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bot import policy
from bot.slack.grant_drafts import LIFETIME, MOST_KEPT, GrantDrafts
from storage.records import Person
from storage.sharing import Role
from tests.unit.admin_samples import FIXED, MEMBERS
from tests.unit.samples import NOW

AISHA: Final = Person("T1", "U3")
BEFORE: Final = policy.defaults(Role.MEMBER)


def test_only_whoever_entered_it_finds_it() -> None:
    """A draft id that another person sends leads nowhere."""
    drafts = GrantDrafts(lambda: NOW)

    draft_id = drafts.keep(AISHA, MEMBERS, FIXED[0], BEFORE)

    found = drafts.find(AISHA, draft_id)
    assert found is not None
    assert (found.grant, found.before) == (FIXED[0], BEFORE)
    assert drafts.find(Person("T1", "U4"), draft_id) is None
    assert drafts.find(Person("T2", "U3"), draft_id) is None


def test_its_time_ends() -> None:
    """What was left open for half an hour is not saved, nor is what was saved already."""
    now = [NOW]
    drafts = GrantDrafts(lambda: now[0])
    old, saved = (drafts.keep(AISHA, MEMBERS, None, BEFORE) for _ in range(2))

    drafts.forget(saved)
    assert drafts.find(AISHA, saved) is None
    now[0] += LIFETIME - timedelta(seconds=1)
    assert drafts.find(AISHA, old) is not None
    now[0] += timedelta(seconds=1)
    assert drafts.find(AISHA, old) is None


def test_so_many_are_kept() -> None:
    """The memory is bounded; the oldest goes first."""
    drafts = GrantDrafts(lambda: NOW)

    ids = [drafts.keep(AISHA, MEMBERS, None, BEFORE) for _ in range(MOST_KEPT + 1)]

    assert drafts.find(AISHA, ids[0]) is None
    assert drafts.find(AISHA, ids[1]) is not None
