"""Long work in slices, between which everything else on the loop has its turn.

A hostile server can make an answer that takes a second to read. While it is read nothing else may wait longer than a
slice, and while others are at work at all, they come first: a poll takes a dozen turns of the loop, and a slice before
each of them would double it. On an idle loop the work costs no more than it would in one go.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")

SLICE: Final = 0.000_25
"""Seconds of work in one go."""

BUSY: Final = 0.000_06
"""Others used a turn of the loop that took longer; an empty one takes a quarter of it."""

SHARE: Final = 16
"""While others are at work, they get so many times as long as the work took."""


_lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def stand_back(seconds: float, ours: Callable[[], int] = lambda: 0) -> None:
    """A turn of the loop for others, and so many seconds if they use it.

    All who stand back do so one after the other, so that all long work together gets the share of one.

    Args:
        ours: a count of what arrives for this work alone. A turn in which it changed says nothing about others.
    """
    async with _lanes.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        before, began = ours(), time.perf_counter()
        await asyncio.sleep(0)
        if time.perf_counter() - began > BUSY and ours() == before:
            await asyncio.sleep(seconds)


class Turns:
    """When one piece of long work stands back; `ours` as there."""

    def __init__(self, ours: Callable[[], int] = lambda: 0) -> None:
        self._ours = ours
        self._since = time.perf_counter()  # a loop's own time may stand still while one callback runs

    async def give(self) -> None:
        """Call often; returns at once until a slice is used up."""
        used = time.perf_counter() - self._since
        if used < SLICE:
            return
        await stand_back(SHARE * min(used, 4 * SLICE), self._ours)
        self._since = time.perf_counter()


async def in_turns(steps: Generator[None, None, T]) -> T:
    """The result of work that stops after each short step."""
    turns = Turns()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        await turns.give()
