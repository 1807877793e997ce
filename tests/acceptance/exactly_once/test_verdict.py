"""The checker counts what is wrong, and only that."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.exactly_once.stage import Sent
from tests.acceptance.exactly_once.verdict import Interruptions, Seen, judged

if TYPE_CHECKING:
    from tests.acceptance.exactly_once.verdict import Verdict

ONE, TWO, TEN = (Sent(0, number, f"uid-{number}") for number in (1, 2, 10))
GOOD = ((ONE.mark, 1.0), (TWO.mark, 2.0), (TEN.mark, 3.0))
DELETED = {ONE.uid: 4.0, TWO.uid: 4.0, TEN.uid: 4.0}
TOPS = {ONE.mark: ONE.mark, TWO.mark: ONE.mark, TEN.mark: TEN.mark}
READ = {"method": "conversations.history", "ok": True, "channel": "D1"}


def verdict_on(posts: tuple[tuple[str, float], ...] = GOOD, **changes: Any) -> Verdict:
    """A run that is without fault but for these changes; the tenth message has an attachment."""
    files, odd, tops = Counter({TEN.mark: 1}), changes.pop("odd", 0), changes.pop("tops", TOPS)
    seen = Seen((posts,), changes.pop("files", files), odd, tops)
    facts = {"deleted": DELETED, "left": 0, "retrs": 3, "calls": [READ], "interruptions": Interruptions(1)}
    return judged([[ONE, TWO, TEN]], seen, **{**facts, **changes})


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, set()),
        ({"posts": GOOD[:1] + GOOD[2:]}, {"lost", "early"}),
        ({"posts": GOOD[:1] + GOOD[2:], "deleted": {}}, {"lost"}),
        ({"files": Counter[str]()}, {"lost"}),
        ({"posts": (*GOOD, (ONE.mark, 5.0))}, {"twice"}),
        ({"posts": (*GOOD, ("0007-000001", 5.0))}, {"twice"}),
        ({"files": Counter({TEN.mark: 2})}, {"twice"}),
        ({"posts": (GOOD[1], GOOD[0], GOOD[2])}, {"order"}),
        ({"odd": 1}, {"odd"}),
        ({"tops": {**TOPS, TWO.mark: TWO.mark}}, {"threads"}),
        ({"tops": {**TOPS, TEN.mark: ONE.mark}}, {"threads"}),
        ({"deleted": {ONE.uid: 0.5}}, {"early"}),
        ({"left": 1}, {"left"}),
        ({"retrs": 4}, {"retr"}),
        ({"calls": [READ, READ]}, {"history", "histories"}),
        ({"calls": [READ, {**READ, "method": "conversations.replies"}]}, {"history", "histories"}),
        ({"interruptions": Interruptions(0, 1), "calls": [READ]}, set()),
    ],
)
def test_each_fault_breaks_its_own_promise(changes: dict[str, Any], broken: set[str]) -> None:
    """A lost, doubled, early, disordered or left message, a RETR or a look-up too many: each by its name."""
    assert verdict_on(**changes).broken == broken
