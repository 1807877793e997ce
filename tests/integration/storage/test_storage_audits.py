"""The audit: filtered, paged, exported, thinned and purged, and without whoever had everything erased."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from storage.audits import ERASED, KEEP_AUDIT, Audits
from storage.errors import StorageBusy
from storage.grants import Grants
from storage.holdings import Holdings
from storage.records import Person
from storage.shares import Shares
from storage.sharing import (
    Act,
    Audience,
    AudienceKind,
    AuditEntry,
    Grant,
    GrantKind,
    Level,
    Share,
    Subject,
    SubjectKind,
)
from tests.integration.storage.stores import LATER, NOW, OWNER, STRANGER
from tests.integration.storage.test_storage_busy import locked
from tests.integration.storage.test_storage_grants import ADMIN, impatient, yes

if TYPE_CHECKING:
    from storage.database import Database
    from storage.sharing import Facts
    from storage.vault import Vault
    from tests.integration.storage.stores import Stores

ENTRY: Final = AuditEntry(NOW, "T1", "U1", Act.SHARE_OPENED, "U1", "m1", "share:s1", "", "open, to person:U2")


async def test_an_entry_comes_back_as_it_was(database: Database) -> None:
    """With an id of the store's, the newest first, and each workspace its own."""
    audits = Audits(database)
    await audits.add(ENTRY)
    await audits.add(replace(ENTRY, at=LATER, actor=None, act=Act.SHARE_ENDED))
    await audits.add(replace(ENTRY, workspace="T2"))

    newest, oldest = await audits.list("T1", limit=9)

    assert replace(oldest, id="") == ENTRY
    assert (newest.act, newest.actor, newest.at) == (Act.SHARE_ENDED, None, LATER)
    assert len(await audits.list("T2", limit=9)) == 1


async def test_every_act_may_be_stored(database: Database) -> None:
    """The database takes every act the code knows."""
    audits = Audits(database)
    for act in Act:
        await audits.add(replace(ENTRY, act=act))

    assert [entry.act for entry in await audits.list("T1", limit=99)] == list(Act)[::-1]


async def test_every_filter_narrows(database: Database) -> None:
    """Who, whose, what, from when: each alone and together."""
    audits = Audits(database)
    for hour in range(6):
        entry = replace(ENTRY, at=NOW + timedelta(hours=hour), actor=f"U{hour % 2}", owner=f"U{hour % 3}")
        await audits.add(replace(entry, act=Act.SHARE_CUT if hour > 3 else Act.SHARE_OPENED))

    async def hours(**filters: object) -> list[int]:
        found = await audits.list("T1", limit=9, **filters)  # type: ignore[arg-type] # any of the filters
        return [int((entry.at - NOW) / timedelta(hours=1)) for entry in found]

    assert await hours(actor="U1") == [5, 3, 1]
    assert await hours(owner="U0") == [3, 0]
    assert await hours(act=Act.SHARE_CUT) == [5, 4]
    assert await hours(since=NOW + timedelta(hours=4)) == [5, 4]
    assert await hours(actor="U0", owner="U0", act=Act.SHARE_OPENED, since=NOW) == [0]


async def test_pages_follow_each_other_without_gap(database: Database) -> None:
    """The id of the last entry of a page leads to the next, however many bear the same time."""
    audits = Audits(database)
    for number in range(5):
        await audits.add(replace(ENTRY, subject=str(number)))

    first = await audits.list("T1", limit=2)
    second = await audits.list("T1", limit=2, before=first[-1].id)
    third = await audits.list("T1", limit=2, before=second[-1].id)

    assert [entry.subject for entry in (*first, *second, *third)] == ["4", "3", "2", "1", "0"]
    assert await audits.list("T1", limit=2, before="not an id") == []


async def test_a_thousand_wrong_clicks_make_one_entry_a_minute(database: Database) -> None:
    """For each person and mailbox; the next minute, another person and another mailbox have their own."""
    audits = Audits(database)
    refused = replace(ENTRY, act=Act.REFUSED, actor="U2")

    await asyncio.gather(*(audits.add(replace(refused, subject=str(number))) for number in range(40)))
    for other in (
        replace(refused, at=NOW + timedelta(minutes=1)),
        replace(refused, actor="U3"),
        replace(refused, mailbox_id="m2"),
        replace(refused, workspace="T2"),
    ):
        await audits.add(other)

    assert len(await audits.list("T1", limit=99)) == 4
    assert len(await audits.list("T2", limit=99)) == 1


async def test_entries_are_forgotten_after_a_year(database: Database) -> None:
    """And not a moment before."""
    audits = Audits(database)
    await audits.add(ENTRY)
    await audits.add(replace(ENTRY, at=LATER))

    assert await audits.purge(NOW + KEEP_AUDIT) == 0
    assert await audits.purge(LATER + KEEP_AUDIT) == 1
    assert [entry.at for entry in await audits.list("T1", limit=9)] == [LATER]


async def test_erased_persons_are_in_no_entry(stores: Stores, vault: Vault) -> None:
    """What was done stays, without their id, also where it stands in words; others keep theirs."""
    audits, grants, claim = Audits(stores.database), Grants(stores.database), await stores.claimed()
    shares = Shares(stores.database)
    audience = Audience(AudienceKind.PERSON, STRANGER.user)
    await shares.open(OWNER, [Share("", claim.mailbox.id, audience, Level.OPEN, NOW)], NOW, agreed)
    for user in (STRANGER.user, f"{STRANGER.user}0"):
        grant = Grant(Subject(SubjectKind.PERSON, user), GrantKind.PRIVATE)
        await grants.set("T1", grant, STRANGER if user == STRANGER.user else ADMIN, NOW, yes)
    await audits.add(replace(ENTRY, act=Act.REFUSED, actor=STRANGER.user))

    held = await Holdings(stores.database, vault).erase(STRANGER, LATER, LATER)

    entries = await audits.list("T1", limit=20)
    words = [(entry.actor, entry.act, entry.subject, entry.before, entry.after) for entry in entries]
    ended, refused, other, own, opened = words
    assert held.others == 4
    assert ended[:2] == (None, Act.SHARE_ENDED)
    assert ended[3] == opened[4] == f"open, to person:{ERASED}"
    assert refused[0] == own[0] == ERASED
    assert own[2] == f"person:{ERASED}"
    assert other[:3] == ("UADMIN", Act.GRANT_SET, "person:U20")
    assert (await shares.facts(claim.mailbox.id)).shares == ()
    assert [grant.written_by for grant in await grants.all("T1")] == [ERASED, "UADMIN"]


async def test_an_owners_erasure_takes_their_shares_and_leaves_the_record(stores: Stores) -> None:
    """Shares go with the mailbox; that they were opened stays known, of nobody."""
    audits, claim = Audits(stores.database), await stores.claimed()
    audience = Audience(AudienceKind.GROUP, "S1")
    share = Share("", claim.mailbox.id, audience, Level.OPEN, NOW)
    await Shares(stores.database).open(OWNER, [share], NOW, agreed)

    await stores.holdings.erase(OWNER, LATER, LATER)

    (entry,) = await audits.list("T1", limit=9)
    assert (entry.actor, entry.owner, entry.after) == (ERASED, ERASED, "open, to group:S1")
    assert await Shares(stores.database).all_facts("T1") == []
    assert not await stores.holdings.count(OWNER)


async def test_a_person_is_told_what_names_them(stores: Stores) -> None:
    """Shares of theirs and to them, grants for them and by them, what the audit says of them."""
    claim = await stores.claimed()
    audience = Audience(AudienceKind.PERSON, STRANGER.user)
    share = Share("", claim.mailbox.id, audience, Level.OPEN, NOW)
    (opened,) = await Shares(stores.database).open(OWNER, [share], NOW, agreed)
    grant = Grant(Subject(SubjectKind.PERSON, OWNER.user), GrantKind.CHOICE, Level.OPEN)
    written = await Grants(stores.database).set("T1", grant, ADMIN, NOW, yes)

    owner = (await stores.holdings.dossier(OWNER, 10)).named
    viewer = (await stores.holdings.dossier(STRANGER, 10)).named
    nobody = (await stores.holdings.dossier(Person("T2", OWNER.user), 10)).named

    assert (owner.opened, owner.received, owner.grants) == ((opened,), (), (written,))
    assert [entry.act for entry in owner.audit] == [Act.SHARE_OPENED]
    assert (viewer.opened, viewer.received, viewer.grants, viewer.audit) == ((), (opened,), (), ())
    assert nobody == type(nobody)()


def agreed(_: Facts) -> bool:
    """A judge that always agrees."""
    return True


@pytest.mark.parametrize("method", ["add", "purge", "list", "each"])
async def test_a_locked_database_is_busy(database_url: str, method: str) -> None:
    """While another process holds the database every method says busy; afterwards it works."""
    async with impatient(database_url) as database:
        audits = Audits(database)

        async def call() -> None:
            if method == "add":
                await audits.add(ENTRY)
            elif method == "purge":
                await audits.purge(NOW)
            else:
                await audits.list("T1", limit=5)

        async with locked(database_url):
            if method in {"add", "purge"} or not database.is_sqlite:  # SQLite's readers wait for nobody
                with pytest.raises(StorageBusy):
                    await call()

        await call()
