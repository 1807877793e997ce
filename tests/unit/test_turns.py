"""Long work lets others have their turn."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from bot.mail.turns import BUSY, SLICE, in_turns, stand_back

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator


def spend(seconds: float) -> None:
    """Hold the loop up."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def work(steps: int) -> Generator[None, None, str]:
    """Steps of a slice each."""
    for _ in range(steps):
        spend(SLICE)
        yield
    return "done"


@contextlib.asynccontextmanager
async def others(seconds: float) -> AsyncIterator[list[int]]:
    """A task that uses every turn of the loop so long; the list grows by one for each."""
    turns: list[int] = []

    async def run() -> None:
        while True:
            spend(seconds)
            turns.append(1)
            await asyncio.sleep(0)

    task = asyncio.create_task(run())
    try:
        yield turns
    finally:
        task.cancel()


async def test_others_have_a_turn_after_each_slice() -> None:
    """Nobody waits for long work to end."""
    async with others(0) as turns:
        assert await in_turns(work(50)) == "done"

        assert len(turns) >= 50


async def test_work_that_fits_into_a_slice_is_not_interrupted() -> None:
    """A short listing costs no turn of the loop."""
    used = []
    async with others(0) as turns:
        for _ in range(10):
            before = len(turns)
            await in_turns(iter_nothing())
            used.append(len(turns) - before)

    assert 0 in used  # a busy machine may take a slice away now and then


def iter_nothing() -> Generator[None, None, None]:
    """Steps that take no time."""
    yield
    yield


async def test_busy_others_come_first() -> None:
    """While others use their turns, they get many for each slice."""
    async with others(4 * BUSY) as turns:
        await in_turns(work(20))

        assert len(turns) >= 20 * 4


async def test_all_long_work_together_gets_the_share_of_one() -> None:
    """Who stands back waits for those who already do."""
    began = time.perf_counter()
    async with others(4 * BUSY):
        await asyncio.gather(*(stand_back(0.02) for _ in range(4)))

    assert time.perf_counter() - began >= 4 * 0.02
