"""What is stored about a person: counted, laid open, and gone without a trace when they say so."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlmodel import select

from storage.counting import AttemptKind, Counted, Limit
from storage.database import Database
from storage.dossier import Holding
from storage.errors import Changed, LeaseLost, NotFound
from storage.records import EntryState, Notice, Passwords, Person, Profile, Secret, Security, ServerAddress
from storage.tables import DmRow, KeyCheckRow, MailboxRow, Table
from storage.vault import MasterKeys, Vault, new_master_key, unlock
from tests.integration.storage.stores import LATER, LEASE, NEW, NOW, OK, OWNER, STRANGER, Stores
from tests.integration.storage.test_storage_canary import everything_below

if TYPE_CHECKING:
    from pathlib import Path

    from storage.records import Claim

CANARY: Final = Person("T0KANARIENTEAM", "U0KANARIENVOGEL")
CHANNEL: Final = "D0KANARIENKANAL"
UID: Final = b"uid-kanarienvogel-1"
HERS: Final = replace(
    NEW,
    owner=CANARY,
    form_id="form-kanarienvogel",
    profile=Profile(
        "Kanarienpost",
        "kanarien@vogel.example",
        ServerAddress("pop.kanarien.example", 995, Security.TLS),
        "kanarienvogel",
        None,
        None,
    ),
    passwords=Passwords(Secret("kanarienwort"), None),
)
TRACES: Final = (
    CANARY.workspace.encode(), CANARY.user.encode(), CHANNEL.encode(), UID, b"kanarien", b"vogel",
)  # fmt: skip
TESTS: Final = Counted(Limit(AttemptKind.TEST, 5, timedelta(minutes=10)), (CANARY.workspace, CANARY.user))

ERASER: Final = """
import asyncio, sys
from datetime import datetime
from storage.database import Database
from storage.holdings import Holdings
from storage.records import Person
from storage.vault import MasterKeys, Vault

async def main():
    url, key, workspace, user, asked_at = sys.argv[1:]
    holdings = Holdings(await Database.open(url), Vault(MasterKeys.parse(key)))
    await holdings.erase(Person(workspace, user), datetime.fromisoformat(asked_at), datetime.fromisoformat(asked_at))

asyncio.run(main())
"""


async def filled(stores: Stores, messages: int = 3) -> tuple[Claim, str]:
    """A person with a mailbox that is polled, one that rests, posts made and owed, and a test counted."""
    other = await stores.mailboxes.add(replace(HERS, form_id="form-second", make_active=True), NOW)
    claim = await stores.claimed(HERS)
    for number in range(messages):
        await stores.keep(claim, b"%s%d" % (UID, number), b"Subject: kanarien\r\n\r\nvogel\r\n")
    dm = await stores.dm()
    done = replace(await stores.head(dm), state=EntryState.SETTLED, channel=CHANNEL, ts="1234.000100")
    await stores.outbox.release(await stores.outbox.record(dm, done, now=NOW))
    await stores.attempts.note(TESTS, NOW)
    return claim, other.id


async def rows(database: Database) -> dict[str, int]:
    """How many rows each table has, those apart that belong to the installation."""
    found = {}
    async with database.read() as session:
        connection = await session.connection()
        for name, table in Table.metadata.tables.items():
            if name != KeyCheckRow.__tablename__:
                found[name] = len((await connection.execute(table.select())).all())
    return found


async def dumped(database: Database, owner: Person) -> str:
    """All rows of all tables that name a person, or one of their mailboxes, in clear."""
    async with database.read() as session:
        connection = await session.connection()
        ids = (await session.exec(select(MailboxRow.id).where(MailboxRow.owner == owner.user))).all()
        words = [owner.user, *ids]
        tables = [
            (await connection.execute(table.select())).all() for table in Table.metadata.tables.values()
        ]
    return "\n".join(
        sorted(repr(row) for found in tables for row in found if any(word in repr(row) for word in words))
    )


async def test_what_is_held_is_counted(stores: Stores) -> None:
    """Of a person, of one mailbox, and nothing of a stranger's."""
    claim, _ = await filled(stores)

    assert await stores.holdings.count(CANARY) == Holding(mailboxes=2, copies=3, waiting=2, uids=3, others=2)
    assert await stores.holdings.count(CANARY, claim.mailbox.id) == Holding(1, 3, 2, 3)
    assert not await stores.holdings.count(STRANGER)
    with pytest.raises(NotFound):
        await stores.holdings.count(STRANGER, claim.mailbox.id)


async def test_a_dossier_lists_the_newest_and_counts_all(stores: Stores) -> None:
    """However much there is, the file stays bounded, and says how much it leaves out."""
    claim, other = await filled(stores)

    dossier = await stores.holdings.dossier(CANARY, 2)

    mail = dossier.mailboxes[claim.mailbox.id]
    assert [post.uid for post in mail.posts] == [UID + b"2", UID + b"1"]
    assert (mail.messages, mail.uids, mail.entries) == (3, {"kept": 3}, {"settled": 1, "waiting": 2})
    assert dossier.mailboxes[other].messages == 0
    assert (dossier.channel, dossier.last_ts, dossier.tests) == (CHANNEL, "1234.000100", 1)
    assert (await stores.holdings.dossier(STRANGER, 2)).mailboxes == {}


async def test_erased_leaves_no_row(stores: Stores) -> None:
    """Afterwards no table has anything of the person, and they are told what there was."""
    await filled(stores)

    held = await stores.holdings.erase(CANARY, LATER, LATER)

    assert held == Holding(mailboxes=2, copies=3, waiting=2, uids=3, others=2)
    assert set((await rows(stores.database)).values()) == {0}
    assert not await stores.holdings.count(CANARY)


async def test_erased_leaves_another_person_alone(stores: Stores) -> None:
    """Every row of somebody else is what it was, also of the same id in another workspace."""
    other = replace(CANARY, workspace="T0ANOTHER")
    for number, owner in enumerate((OWNER, other)):
        claim = await stores.claimed(replace(NEW, owner=owner, form_id=f"form-{number}"))
        await stores.keep(claim, b"u1")
        await stores.mailboxes.finish(claim, replace(OK, notice=Notice.LOGIN_REFUSED))
        for dm in await stores.outbox.claim_due(NOW, lease=LEASE, worker="poster", limit=5):
            await stores.outbox.release(dm, LATER)
    await stores.attempts.note(replace(TESTS, who=(other.workspace, other.user)), NOW)
    before = [await dumped(stores.database, owner) for owner in (OWNER, other)]
    await filled(stores)

    await stores.holdings.erase(CANARY, LATER, LATER)

    assert [await dumped(stores.database, owner) for owner in (OWNER, other)] == before
    assert len(await stores.mailboxes.of(other)) == 1


async def test_erased_leaves_no_octet_in_the_files(sqlite_url: str, vault: Vault, tmp_path: Path) -> None:
    """Neither in clear nor sealed is anything left in SQLite's files: not in the rows, not in the indexes, not in the log."""
    database = await Database.open(sqlite_url)
    stores = Stores.on(database, vault, tmp_path)
    claim, _ = await filled(stores, messages=60)
    async with database.read() as session:
        row = await session.get_one(MailboxRow, claim.mailbox.id)
    sealed = (row.wrapped_key or b"", row.profile, row.password_incoming, claim.mailbox.id.encode())
    before = everything_below(tmp_path)

    await stores.holdings.erase(CANARY, LATER, LATER)

    after = everything_below(tmp_path)
    await database.close()
    assert all(trace in before for trace in (CANARY.user.encode(), CHANNEL.encode(), UID, *sealed))
    assert [trace for trace in (*TRACES, *sealed) if trace in after] == []


async def test_erasing_stops_poll_and_delivery(stores: Stores) -> None:
    """Whoever polls or posts for the person at that moment can write nothing more, not even a new DM."""
    claim, _ = await filled(stores)
    dm = await stores.dm()
    entry = await stores.head(dm)

    await stores.holdings.erase(CANARY, LATER, LATER)

    for call in (
        stores.keep(claim, b"u9"),
        stores.mailboxes.finish(claim, replace(OK, notice=Notice.LOGIN_REFUSED)),
        stores.mailboxes.renew(claim, LATER),
        stores.outbox.record(dm, replace(entry, state=EntryState.POSTING), now=NOW),
        stores.outbox.renew(dm, LATER),
    ):
        with pytest.raises(LeaseLost):
            await call
    assert set((await rows(stores.database)).values()) == {0}


async def test_a_new_life_is_not_the_old_one(stores: Stores) -> None:
    """Whoever still holds the DM of before holds nothing of the one that begins when a mailbox is added again."""
    await filled(stores)
    old = await stores.dm()
    await stores.holdings.erase(CANARY, LATER, LATER)
    await stores.keep(await stores.claimed(HERS), b"u1")

    new = await stores.dm()

    assert new.fence != old.fence
    with pytest.raises(LeaseLost):
        await stores.outbox.head(old)


async def test_what_was_not_asked_about_is_not_erased(stores: Stores) -> None:
    """A mailbox that was added after the question was put stays, and so does all the rest."""
    await filled(stores)
    await stores.mailboxes.add(replace(HERS, form_id="form-late"), LATER)
    before = await rows(stores.database)

    with pytest.raises(Changed):
        await stores.holdings.erase(CANARY, NOW, LATER)

    assert await rows(stores.database) == before


async def test_erasing_twice_at_once_is_once(stores: Stores) -> None:
    """Two presses destroy it all together, and one of them is told so."""
    await filled(stores)

    held = await asyncio.gather(*(stores.holdings.erase(CANARY, LATER, LATER) for _ in range(2)))

    assert sorted(each.mailboxes for each in held) == [0, 2]
    assert set((await rows(stores.database)).values()) == {0}


async def test_a_kill_in_the_middle_is_finished_at_the_next_start(sqlite_url: str, tmp_path: Path) -> None:
    """After kill -9 nothing opens any more, and the next start takes away what was left."""
    key = new_master_key()
    database = await Database.open(sqlite_url)
    vault = Vault(MasterKeys.parse(key))
    await unlock(database, vault)
    await filled(Stores.on(database, vault, tmp_path), messages=400)
    await database.close()

    was_killed = await erase_and_kill(sqlite_url, key)

    database = await Database.open(sqlite_url)
    stores = Stores.on(database, vault, tmp_path)
    assert was_killed
    assert (await rows(database))["mailbox"] > 0
    assert await stores.mailboxes.of(CANARY) == []
    assert not await stores.holdings.count(CANARY)
    assert await stores.holdings.finish(is_start=True) > 0
    assert set((await rows(database)).values()) == {0}
    octets = everything_below(tmp_path)
    await database.close()
    assert [trace for trace in TRACES if trace in octets] == []


async def erase_and_kill(url: str, key: str) -> bool:
    """Erase in another process and kill it as soon as the keys are gone; whether it was still alive then."""
    order = (url, key, CANARY.workspace, CANARY.user, LATER.isoformat())
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ERASER, *order)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
        has_keys = "SELECT count(*) FROM mailbox WHERE wrapped_key IS NOT NULL"
        async with asyncio.timeout(20):
            while other.execute(has_keys).fetchone()[0]:  # noqa: ASYNC110 - a database calls nobody
                await asyncio.sleep(0)
    process.send_signal(signal.SIGKILL)
    return await process.wait() == -signal.SIGKILL


async def test_a_start_with_nothing_begun_does_nothing(stores: Stores) -> None:
    """Whole mailboxes are not touched by it."""
    await filled(stores)
    before: Any = await rows(stores.database)

    assert await stores.holdings.finish(is_start=True) == 0

    assert await rows(stores.database) == before
    async with stores.database.read() as session:
        assert len((await session.exec(select(DmRow))).all()) == 1


async def test_a_dm_whose_mail_went_with_its_mailbox_rests(stores: Stores) -> None:
    """It is looked at once more and then not due any more: else it would come before everybody's mail for ever."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u1")

    await stores.holdings.remove(OWNER, claim.mailbox.id, LATER)

    dm = await stores.dm()
    assert await stores.outbox.head(dm) is None
    await stores.outbox.release(dm)
    assert await stores.outbox.claim_due(LATER, lease=LEASE, worker="w", limit=5) == []
    assert (await stores.outbox.depth()).oldest_due is None
