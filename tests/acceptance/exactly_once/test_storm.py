"""Random `kill -9`, cut connections and a failing Slack: nothing lost, nothing twice, on both databases."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.exactly_once.stage import Stage
from tests.acceptance.exactly_once.storm import CUTS, Weather, storm

if TYPE_CHECKING:
    from tests.fakes import postgres


@pytest.mark.timeout(400)
async def test_1000_messages_under_20_kills_come_once_each() -> None:
    """Ten mailboxes on SQLite: every promise is kept."""
    seed = random.randrange(10**6)

    async with Stage(10, cuts=CUTS, seed=seed) as stage:
        verdict = await storm(stage, Weather(messages=1_000, kills=20), random.Random(seed))

    assert not verdict.broken, f"seed {seed}\n{verdict}"


@pytest.mark.timeout(240)
async def test_a_database_that_crashes_too_loses_and_repeats_nothing(
    postgres_server: postgres.Server, postgresql_url: str
) -> None:
    """PostgreSQL goes away at once and comes back, twice, between kills of the bot."""
    if not postgres_server.can_restart:
        pytest.skip("the server given is not ours to crash")
    seed = random.randrange(10**6)
    weather = Weather(messages=200, kills=6, restarts=2, restart=postgres_server.restart)

    async with Stage(4, database_url=postgresql_url, cuts=CUTS, seed=seed) as stage:
        verdict = await storm(stage, weather, random.Random(seed))

    # Eight crashes among 200 messages fetch a larger share of them again than twenty among 1,000.
    assert verdict.broken <= {"retr"}, f"seed {seed}\n{verdict}"
    assert verdict.count("retr") < 1.5, f"seed {seed}\n{verdict}"
