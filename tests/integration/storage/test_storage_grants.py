"""Grants as administrators write them: judged, stored and noted in one transaction."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import text

from storage.audits import Audits
from storage.database import Database
from storage.errors import NotPermitted, StorageBusy, TooMany
from storage.grants import MOST_GRANTS, Grants
from storage.records import Person
from storage.sharing import (
    EVERYONE,
    Act,
    Audience,
    AudienceKind,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Subject,
    SubjectKind,
)
from tests.integration.storage.stores import LATER, NOW
from tests.integration.storage.test_storage_busy import PATIENCE, locked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

ADMIN: Final = Person("T1", "UADMIN")
MEMBERS: Final = Subject(SubjectKind.ROLE, Role.MEMBER)
GRANT: Final = Grant(
    MEMBERS,
    GrantKind.CHOICE,
    Level.REPLY,
    reach=Reach.GROUPS,
    channels=ChannelReach.PRIVATE,
    may_hold=True,
    mailboxes=5,
    active=2,
    may_view=False,
    excluded=frozenset({"bank.example", "law.example"}),
    allows_plain=True,
)
FIXED: Final = Grant(
    Subject(SubjectKind.PERSON, "U9"),
    GrantKind.FIXED,
    Level.OPEN,
    audience=Audience(AudienceKind.GROUP, "S1"),
)


def yes(_: Sequence[Grant]) -> bool:
    """A judge that always agrees."""
    return True


def no(_: Sequence[Grant]) -> bool:
    """A judge that never does."""
    return False


@asynccontextmanager
async def impatient(url: str) -> AsyncIterator[Database]:
    """The database with little patience."""
    database = await Database.open(url, patience=PATIENCE)
    try:
        yield database
    finally:
        await database.close()


async def test_a_grant_is_kept_whole_and_one_for_each_subject(database: Database) -> None:
    """Every field comes back, with who wrote it and when; writing it again replaces it; workspaces are apart."""
    grants = Grants(database)
    written = [await grants.set("T1", grant, ADMIN, NOW, yes) for grant in (GRANT, FIXED)]
    again = await grants.set("T1", replace(GRANT, level=Level.SEE), ADMIN, LATER, yes)
    other = await grants.set("T2", Grant(EVERYONE, GrantKind.PRIVATE), Person("T2", "U1"), NOW, yes)

    assert written[0] == replace(GRANT, written_by="UADMIN", since=NOW)
    assert again == replace(GRANT, level=Level.SEE, written_by="UADMIN", since=LATER)
    assert await grants.all("T1") == [written[1], again]
    assert await grants.all("T2") == [other]


async def test_a_fixed_grant_speaks_from_when_it_opened_what_it_opens(database: Database) -> None:
    """A limit changed beside it, or a lower level, keeps its beginning; a wider one or another audience begins anew."""
    grants = Grants(database)
    await grants.set("T1", FIXED, ADMIN, NOW, yes)

    narrower = await grants.set("T1", replace(FIXED, level=Level.SEE, active=1), ADMIN, LATER, yes)
    wider = await grants.set("T1", FIXED, ADMIN, LATER, yes)
    await grants.set("T1", FIXED, ADMIN, NOW, yes)
    moved = replace(FIXED, audience=Audience(AudienceKind.GROUP, "S2"))

    assert narrower.since == NOW
    assert wider.since == LATER
    assert (await grants.set("T1", moved, ADMIN, LATER, yes)).since == LATER


async def test_nothing_is_written_that_the_judge_refuses(database: Database) -> None:
    """The judge sees what is written so far; no grant, no audit entry; an actor of elsewhere is no actor."""
    grants, seen = Grants(database), []
    first = await grants.set("T1", GRANT, ADMIN, NOW, yes)

    def judge(written: Sequence[Grant]) -> bool:
        seen.append(list(written))
        return False

    for attempt in (
        grants.set("T1", FIXED, ADMIN, NOW, judge),
        grants.remove("T1", MEMBERS, ADMIN, NOW, judge),
        grants.set("T1", FIXED, Person("T2", "UADMIN"), NOW, yes),
        grants.remove("T1", MEMBERS, Person("T2", "UADMIN"), NOW, yes),
    ):
        with pytest.raises(NotPermitted):
            await attempt

    assert seen == [[first], [first]]
    assert await grants.all("T1") == [first]
    assert len(await Audits(database).list("T1", limit=9)) == 1


async def test_who_wrote_what_is_in_the_audit_without_the_domains(database: Database) -> None:
    """Before and after in words; how many domains are new, but none by name; removing what is not there is nothing."""
    grants, audits = Grants(database), Audits(database)
    await grants.set("T1", GRANT, ADMIN, NOW, yes)
    swapped = replace(GRANT, excluded=frozenset({"bank.example", "new.example"}))
    await grants.set("T1", swapped, ADMIN, LATER, yes)
    for _ in range(2):
        await grants.remove("T1", MEMBERS, ADMIN, LATER, yes)

    removed, changed, first = await audits.list("T1", limit=9)

    assert [removed.act, changed.act, first.act] == [Act.GRANT_REMOVED, Act.GRANT_SET, Act.GRANT_SET]
    assert (first.actor, first.subject, first.before, first.at) == ("UADMIN", "role:member", "", NOW)
    assert first.after.startswith("choice, reply, reach groups, channels private, may hold, mailboxes 5")
    assert changed.after.endswith("excluded domains 2, of them new 1")
    assert removed.after == ""
    assert "example" not in f"{removed}{changed}{first}"
    assert await grants.all("T1") == []


async def test_there_are_only_so_many_grants(database: Database) -> None:
    """One more than may be is refused; those that are there can still be changed."""
    grants = Grants(database)
    last = await grants.set("T1", GRANT, ADMIN, NOW, yes)
    await fill(database, MOST_GRANTS - 1)

    with pytest.raises(TooMany):
        await grants.set("T1", FIXED, ADMIN, NOW, yes)

    assert await grants.set("T1", GRANT, ADMIN, NOW, yes) == last


async def fill(database: Database, count: int) -> None:
    """Grants for so many persons."""
    async with database.write() as session:
        connection = await session.connection()
        columns = "kind, level, reach, channels, may_hold, may_view, excluded, allows_plain"
        values = "'private', 0, 0, 0, true, true, '[]', false"
        insert = f"INSERT INTO share_grant (workspace, subject_kind, subject_id, {columns})"
        rows: list[dict[str, Any]] = [{"id": f"W{number}"} for number in range(count)]
        await connection.execute(text(f"{insert} VALUES ('T1', 'person', :id, {values})"), rows)


async def test_two_administrators_at_once_see_each_others_grants(database: Database) -> None:
    """Of two that each may write only while nothing is written, one is refused."""
    grants = Grants(database)

    def is_first(written: Sequence[Grant]) -> bool:
        return not written

    results = await asyncio.gather(
        *(grants.set("T1", grant, ADMIN, NOW, is_first) for grant in (GRANT, FIXED)), return_exceptions=True
    )

    assert sorted(type(result).__name__ for result in results) == ["Grant", "NotPermitted"]
    assert len(await grants.all("T1")) == 1


async def test_every_word_may_be_stored(database: Database) -> None:
    """Each kind of grant for each kind of subject, with each kind of audience, at each level and reach."""
    grants, written = Grants(database), []
    everything = itertools.product(SubjectKind, GrantKind, [None, *AudienceKind], list(Level)[:5])
    for number, (subject, kind, audience, level) in enumerate(everything):
        grant = Grant(
            Subject(subject, f"S{number}"),
            kind,
            level,
            audience=None if audience is None else Audience(audience, "X"),
            reach=list(Reach)[number % 3],
            channels=list(ChannelReach)[number % 3],
        )
        written.append(await grants.set(f"T{number}", grant, Person(f"T{number}", "U1"), NOW, yes))

    assert [(await grants.all(f"T{number}"))[0] for number in range(len(written))] == written


async def test_domains_are_stored_in_one_order(database: Database) -> None:
    """So that a copy of the database can be compared by eye."""
    await Grants(database).set("T1", GRANT, ADMIN, NOW, yes)

    async with database.read() as session:
        query = text("SELECT excluded FROM share_grant")
        (stored,) = (await (await session.connection()).execute(query)).scalars().all()

    assert json.loads(stored) == ["bank.example", "law.example"]


@pytest.mark.parametrize("method", ["set", "remove", "all"])
async def test_a_locked_database_is_busy(database_url: str, method: str) -> None:
    """While another process holds the database every method says busy; afterwards it works."""
    async with impatient(database_url) as database:
        grants = Grants(database)
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "set": lambda: grants.set("T1", GRANT, ADMIN, NOW, yes),
            "remove": lambda: grants.remove("T1", MEMBERS, ADMIN, NOW, yes),
            "all": lambda: grants.all("T1"),
        }

        async with locked(database_url):
            if method != "all" or not database.is_sqlite:  # SQLite's readers wait for nobody
                with pytest.raises(StorageBusy):
                    await calls[method]()

        await calls[method]()
