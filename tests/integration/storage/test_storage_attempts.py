"""Counted attempts: never more than a limit allows, however many ask at once, and nobody named."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from sqlmodel import select

from storage.attempts import LONGEST, Attempts, Full
from storage.counting import AttemptKind, Counted, Limit
from storage.database import Database
from storage.tables import AttemptRow
from storage.vault import MasterKeys, Vault, new_master_key
from tests.integration.storage.stores import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE: Final = timedelta(minutes=1)
LIMIT: Final = Limit(AttemptKind.TEST_LOGIN, 3, 60 * MINUTE)
ANNA: Final = Counted(LIMIT, ("pop.example.org", "anna"))
BERT: Final = Counted(LIMIT, ("pop.example.org", "bert"))
TEAM: Final = Counted(Limit(AttemptKind.TEST_WORKSPACE, 5, 60 * MINUTE), ("T1",))


@pytest.fixture
def attempts(database: Database, vault: Vault) -> Attempts:
    """None yet."""
    return Attempts(database, vault)


async def rows(database: Database) -> Sequence[AttemptRow]:
    """All that is counted."""
    async with database.read() as session:
        return (await session.exec(select(AttemptRow))).all()


async def test_the_room_is_said_to_the_second(attempts: Attempts) -> None:
    """A full limit has room again when its oldest attempt leaves the window, and not before."""
    for minutes in (0, 10, 20):
        assert not isinstance(await attempts.take([ANNA], NOW + minutes * MINUTE), Full)

    assert await attempts.take([ANNA], NOW + 30 * MINUTE) == Full({ANNA: NOW + 60 * MINUTE})
    assert isinstance(await attempts.take([ANNA], NOW + 60 * MINUTE - timedelta(seconds=1)), Full)
    assert not isinstance(await attempts.take([ANNA], NOW + 60 * MINUTE), Full)


async def test_one_attempt_may_count_as_several(attempts: Attempts) -> None:
    """All of it has room or none; room comes when enough of what came before leaves the window."""
    one, two = (Counted(LIMIT, ANNA.who, times) for times in (1, 2))
    await attempts.take([one], NOW)
    taken = await attempts.take([two], NOW + 10 * MINUTE)

    assert await attempts.take([one], NOW + 20 * MINUTE) == Full({one: NOW + 60 * MINUTE})
    assert await attempts.take([two], NOW + 20 * MINUTE) == Full({two: NOW + 70 * MINUTE})
    assert isinstance(taken, dict)
    await attempts.give_back(taken.values())
    assert isinstance(await attempts.take([two], NOW + 20 * MINUTE), dict)


async def test_what_is_more_than_the_limit_never_fits(attempts: Attempts) -> None:
    """Nothing else being counted, it is refused all the same."""
    many = Counted(LIMIT, ANNA.who, 4)

    assert await attempts.take([many], NOW) == Full({many: NOW + LIMIT.window})


async def test_nobody_takes_room_from_another(attempts: Attempts) -> None:
    """Each of those that are counted has a limit of its own."""
    for _ in range(3):
        await attempts.take([ANNA], NOW)

    assert isinstance(await attempts.take([ANNA], NOW), Full)
    assert not isinstance(await attempts.take([BERT], NOW), Full)


async def test_all_limits_or_none(attempts: Attempts, database: Database) -> None:
    """What one limit refuses counts against no other."""
    for _ in range(3):
        await attempts.take([ANNA, TEAM], NOW)

    assert await attempts.take([ANNA, TEAM], NOW) == Full({ANNA: NOW + LIMIT.window})

    assert len(await rows(database)) == 6


async def test_room_given_back_is_room(attempts: Attempts) -> None:
    """What turned out not to count makes room at once."""
    taken = await attempts.take([ANNA], NOW)
    assert isinstance(taken, dict)
    for _ in range(2):
        await attempts.note(ANNA, NOW)

    assert isinstance(await attempts.take([ANNA], NOW), Full)
    await attempts.give_back(taken.values())

    assert not isinstance(await attempts.take([ANNA], NOW), Full)


async def test_many_at_once_pass_no_limit(database_url: str, vault: Vault) -> None:
    """Of forty that ask two processes' worth of connections at once, as many get through as the limit says."""
    databases = [await Database.open(database_url) for _ in range(2)]
    stores = [Attempts(database, vault) for database in databases]

    asked = [
        stores[number % 2].take([TEAM, ANNA] if number % 3 else [ANNA, TEAM], NOW) for number in range(40)
    ]
    answers = await asyncio.gather(*asked)

    assert sum(not isinstance(answer, Full) for answer in answers) == LIMIT.most
    assert len(await rows(databases[0])) == 2 * LIMIT.most
    for database in databases:
        await database.close()


async def test_what_is_past_every_window_goes(attempts: Attempts, database: Database) -> None:
    """Nothing is kept longer than an hour, nor what a wrong clock put far ahead."""
    for at in (NOW - LONGEST, NOW - 59 * MINUTE, NOW + timedelta(days=900)):
        await attempts.note(ANNA, at)

    assert await attempts.purge(NOW) == 2

    assert [row.at for row in await rows(database)] == [NOW - 59 * MINUTE]


async def test_nobody_is_named(attempts: Attempts, database: Database) -> None:
    """Who is counted stands there as a digest that only this installation's key makes."""
    await attempts.note(ANNA, NOW)
    await Attempts(database, Vault(MasterKeys.parse(new_master_key()))).note(ANNA, NOW)
    await attempts.note(Counted(LIMIT, ("pop.example.organna", "")), NOW)

    found = [row.who for row in await rows(database)]

    assert len(set(found)) == 3
    assert all(len(who) == 32 for who in found)
    assert not any(word in who for who in found for word in (b"anna", b"example"))
