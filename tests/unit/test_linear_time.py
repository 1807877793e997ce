"""Hostile mail costs in proportion to its size: twice the octets, at most two and a half times the work."""

from __future__ import annotations

import gc
import time
from datetime import UTC, datetime

import pytest

from bot.mail.content import Arrival
from bot.mail.message import parse
from bot.slack import posts
from storage.records import Shape
from tests.fakes.hostile_mail import ATTACKS, Attack

ARRIVAL = Arrival(Shape.WHOLE, 0, datetime(2026, 11, 23, tzinfo=UTC), None, "a@b.c")

FLOOR = 0.05
"""Seconds below which a clock measures the machine rather than the program."""


def cost(octets: bytes, rounds: int = 3) -> float:
    """Seconds of processor time that a post of the octets takes, at best; without collections, as in the child."""
    spent = []
    gc.disable()
    try:
        for _ in range(rounds):
            start = time.process_time()
            posts.post(parse(octets), ARRIVAL, octets)
            spent.append(time.process_time() - start)
    finally:
        gc.enable()
    return max(min(spent), FLOOR)


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_work_grows_with_size(attack: Attack) -> None:
    """No mail takes time out of proportion, and none of these comes near the limit of two seconds."""
    single, double = attack.make(attack.size), attack.make(2 * attack.size)

    # Other work on the machine may spoil some measurements, not all of them.
    assert any(cost(double, rounds) <= min(2.5 * cost(single, rounds), 1.5) for rounds in (1, 2, 3, 4, 5))
