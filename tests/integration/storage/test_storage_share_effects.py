"""What a change of a share brings with it, all or nothing, also where two hands change things at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from storage.copies import Copies
from storage.errors import TooMany
from storage.facts import lock_sharing
from storage.grants import Grants
from storage.records import Person
from storage.shares import MOST_SHARES, Shares
from storage.sharing import EVERYONE, Act, Audience, AudienceKind, Facts, Grant, GrantKind, Level
from tests.integration.storage.stores import LATER, NOW, OWNER, STRANGER, Stores
from tests.integration.storage.test_storage_grants import ADMIN
from tests.integration.storage.test_storage_grants import yes as agreed
from tests.integration.storage.test_storage_shares import TEAM, acts, posted, share, yes

if TYPE_CHECKING:
    from storage.database import Database

# What follows


async def told(stores: Stores) -> list[tuple[str, str, int]]:
    """Who is told what about which level, in order."""
    query = text(
        "SELECT person, kind, telling.level FROM telling JOIN entry ON id = entry_id ORDER BY number"
    )
    async with stores.database.read() as session:
        rows = (await (await session.connection()).execute(query)).all()
    return [(person, kind, level) for person, kind, level in rows]


async def test_the_audience_is_told_of_what_changes(stores: Stores) -> None:
    """Of the opening, of another level, of the end; a change of the end date alone makes no noise."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    wanted = share(claim.mailbox.id, level=Level.SEE)
    for each in (wanted, replace(wanted, until=LATER), replace(wanted, level=Level.OPEN)):
        (opened,) = await shares.open(OWNER, [each], NOW, yes)
    await shares.open(OWNER, [share(claim.mailbox.id, TEAM)], NOW, yes)

    await shares.end(opened.id, OWNER, NOW, Act.SHARE_REVOKED, yes)

    assert await told(stores) == [
        ("U2", "shared_with_you", Level.SEE),
        ("U2", "share_changed", Level.OPEN),
        ("U2", "share_ended", Level.NONE),
    ]


async def test_owners_are_told_of_what_is_allowed_no_more(stores: Stores) -> None:
    """Of a share that is lowered or ended without them, but not of the end they set themselves."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    wanted = [share(claim.mailbox.id), share(claim.mailbox.id, TEAM, until=LATER)]
    person, team = await shares.open(OWNER, wanted, NOW, yes)

    await shares.cut(person.id, Level.SEE, NOW)
    await shares.end(person.id, None, NOW, Act.SHARE_ENDED, yes)
    await shares.end(team.id, None, LATER, Act.SHARE_ENDED, yes)

    found = await told(stores)
    assert [each for each in found if each[0] == OWNER.user] == [
        (OWNER.user, "share_cut", Level.SEE),
        (OWNER.user, "share_cut", Level.NONE),
    ]
    assert [kind for user, kind, _ in found if user == "U2"] == [
        "shared_with_you",
        "share_changed",
        "share_ended",
    ]


@pytest.mark.parametrize("how", ["end", "cut", "shut history", "lower", "drop"])
async def test_copies_go_when_their_share_does(stores: Stores, how: str) -> None:
    """With the end, with a level below Open, with history that is shut, in the same transaction."""
    claim, shares, copies = await stores.claimed(), Shares(stores.database), Copies(stores.database)
    message_id = await posted(stores, claim, b"u1")
    wanted = share(claim.mailbox.id, level=Level.REPLY, history=True)
    (opened,) = await shares.open(OWNER, [wanted], NOW, yes)
    await copies.owe(claim.mailbox.id, message_id, STRANGER, NOW, yes, share=opened.id)
    await shares.cut(opened.id, Level.OPEN, NOW)
    await shares.open(OWNER, [replace(wanted, level=Level.OPEN)], NOW, yes)
    assert len(await copies.of_viewer(STRANGER)) == 1

    match how:
        case "end":
            await shares.end(opened.id, OWNER, NOW, Act.SHARE_REVOKED, yes)
        case "cut":
            await shares.cut(opened.id, Level.SEE, NOW)
        case "shut history":
            await shares.open(OWNER, [replace(wanted, history=False)], NOW, yes)
        case "lower":
            await shares.open(OWNER, [replace(wanted, level=Level.SEE)], NOW, yes)
        case _:
            await stores.holdings.erase(STRANGER, LATER, LATER)

    assert await copies.of_viewer(STRANGER) == []


async def test_nothing_follows_what_is_not_done(stores: Stores) -> None:
    """Where one of several shares has no room, nobody is told, nothing is noted, nothing called back."""
    claim, shares, copies = await stores.claimed(), Shares(stores.database), Copies(stores.database)
    message_id = await posted(stores, claim, b"u1")
    people = [Audience(AudienceKind.PERSON, f"U{number}") for number in range(MOST_SHARES)]
    (first, *_) = await shares.open(
        OWNER, [share(claim.mailbox.id, each, history=True) for each in people], NOW, yes
    )
    viewer = Person("T1", people[0].id)
    await copies.owe(claim.mailbox.id, message_id, viewer, NOW, yes, share=first.id)
    before = (await told(stores), await acts(stores), await copies.of_viewer(viewer))

    narrower = share(claim.mailbox.id, people[0], Level.SEE)
    with pytest.raises(TooMany):
        await shares.open(OWNER, [narrower, share(claim.mailbox.id, TEAM)], NOW, yes)

    assert (await told(stores), await acts(stores), await copies.of_viewer(viewer)) == before


# At once


@pytest.mark.parametrize("is_first", [True, False])
async def test_no_share_slips_past_a_grant_that_is_tightened(stores: Stores, *, is_first: bool) -> None:
    """Whoever comes second waits, and the judge sees what the first one wrote."""
    claim, shares, grants = await stores.claimed(), Shares(stores.database), Grants(stores.database)
    private = Grant(EVERYONE, GrantKind.PRIVATE)

    def allows(facts: Facts) -> bool:
        return private.subject not in {grant.subject for grant in facts.grants}

    opening = shares.open(OWNER, [share(claim.mailbox.id)], NOW, allows)
    tightening = grants.set("T1", private, ADMIN, NOW, agreed)
    jobs = (opening, tightening) if is_first else (tightening, opening)

    if stores.database.is_sqlite:  # one writer at a time, in the order they came
        results = await asyncio.gather(*jobs, return_exceptions=True)
    else:
        async with stores.database.write() as session:
            await lock_sharing(stores.database, session, "T1")
            tasks = []
            for job in jobs:  # both stand in line before either may read
                tasks.append(asyncio.create_task(job))
                await waiting(stores.database, len(tasks))
        results = await asyncio.gather(*tasks, return_exceptions=True)

    kinds = [type(result).__name__ for result in results]
    held = (await shares.facts(claim.mailbox.id)).shares
    assert kinds == (["list", "Grant"] if is_first else ["Grant", "NotPermitted"])
    assert bool(held) is is_first


async def waiting(database: Database, count: int) -> None:
    """Until so many transactions of this database wait for a lock that others hold."""
    query = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with asyncio.timeout(30):
        while True:
            async with database.read() as session:
                if (await (await session.connection()).execute(query)).scalar_one() >= count:
                    return
            await asyncio.sleep(0.01)


async def test_revoked_twice_at_once_ends_once(stores: Stores) -> None:
    """And a share opened to the same audience at once by two hands is one."""
    claim, shares = await stores.claimed(), Shares(stores.database)
    opened = await asyncio.gather(
        *(shares.open(OWNER, [share(claim.mailbox.id)], NOW, yes) for _ in range(4))
    )
    (share_id,) = {each.id for found in opened for each in found}

    await asyncio.gather(*(shares.end(share_id, OWNER, NOW, Act.SHARE_REVOKED, yes) for _ in range(4)))

    assert (await acts(stores)).count(Act.SHARE_REVOKED) == 1
