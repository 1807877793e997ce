"""A database that an older release has filled is brought forward with nothing lost, row by row."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import insert, select, text

from storage import database as storage_database
from storage.database import Database
from storage.delivery import AT_ONCE
from storage.old_mail import OldMails
from storage.records import EntryState, Passwords, Person
from storage.sealing import Seals
from storage.tables import Table
from storage.vault import master_key_id
from tests.integration.storage.stores import LEASE, NOW, PASSWORDS, PROFILE, Stores

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.records import Dm
    from storage.vault import Vault
    from tests.fakes.postgres import Server

OLDEST: Final = NOW - timedelta(days=3)
STATES: Final = ("settled", "given_up", "waiting", "posting", "posted", "filing")
UIDS: Final = ("skipped", "old", "asked", "doubted", "failed", "kept", "deleting", "deleted")
MAILBOXES: Final = (("U1", "m1", True), ("U1", "m2", False), ("U2", "m3", True))
NEW_COLUMNS: Final[dict[str, dict[str, Any]]] = {
    "mailbox": {
        "delivery": "each", "daily_hour": None, "quiet_from": None, "quiet_to": None, "zone": None, "zone_due": None,
        "activated_at": None, "suspension": None, "suspended_administrator": None, "suspended_role": None,
        "suspended_deactivated": None, "suspended_rank": None, "outgoing_refused_at": None,
    },
    "attempt": {"times": 1},
    "entry": {"conversation": None, "muted_by": None, "done_at": None, "not_before": None, "gives_way": None},
    "dm": {"wake_at": None},
}  # fmt: skip
OLD_TABLES: Final = ("mailbox", "seen", "message", "message_chunk", "entry", "old_mail", "dm", "attempt")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'older.db'}"
    server: Server = request.getfixturevalue("postgres_server")
    name = f"mailbox_older_{tmp_path.name}".lower().replace("[", "_").replace("]", "_")
    request.addfinalizer(lambda: asyncio.run(server.drop(name)))  # noqa: PT021 - only for one of the kinds
    return asyncio.run(server.create(name))


def begin(connection: Connection) -> None:
    """The tables as the release before had them."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(storage_database._MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "0002")


async def older(database: Database, vault: Vault) -> None:
    """Fill tables of the release before: two mailboxes of one person, one of another, rows in every state."""
    engine = database._migration_engine()
    async with engine.begin() as connection:
        await connection.execute(text("SELECT 1"))
        await connection.run_sync(begin)
        for owner in ("U1", "U2"):
            dm = {
                "workspace": "T1",
                "owner": owner,
                "channel": "D1",
                "last_ts": "1.5",
                "due_at": NOW,
                "fence": 7,
            }
            await add(connection, "dm", dm)
        await add(connection, "attempt", {"id": "a1", "kind": "test", "who": b"w", "at": NOW})
        for owner, mailbox_id, is_active in MAILBOXES:
            await add(connection, "mailbox", mailbox_row(vault, owner, mailbox_id, is_active=is_active))
            await fill(connection, owner, mailbox_id)
    await engine.dispose()


async def add(connection: AsyncConnection, table: str, row: dict[str, Any]) -> None:
    """Insert a row with the columns it names, as that release did."""
    await connection.execute(insert(Table.metadata.tables[table]), row)


def mailbox_row(vault: Vault, owner: str, mailbox_id: str, *, is_active: bool) -> dict[str, Any]:
    """A mailbox that opens."""
    wrapped = vault.new_data_key("T1", mailbox_id)
    seals = Seals(vault.data_key(wrapped, "T1", mailbox_id), "T1", mailbox_id)
    return {
        "id": mailbox_id, "workspace": "T1", "owner": owner, "form_id": mailbox_id, "key_id": master_key_id(wrapped),
        "wrapped_key": wrapped, "profile": seals.profile(replace(PROFILE, name=mailbox_id)),
        **seals.passwords(Passwords(PASSWORDS.incoming, None)), "retention": "delete_later", "delete_days": 9,
        "is_active": is_active, "is_paused": not is_active, "health": "ok", "has_alarm": False, "failures": 1,
        "created_at": OLDEST, "due_at": NOW if is_active else None, "polled_at": OLDEST, "last_success_at": OLDEST,
        "watched_seconds": 5_000_000_000, "tail_number": 4, "tail_uid": b"u4", "listed_at": OLDEST, "listed": 9,
        "capabilities": '["TOP", "UIDL"]', "one_by_one": True, "fence": 3,
    }  # fmt: skip


async def fill(connection: AsyncConnection, owner: str, mailbox_id: str) -> None:
    """UIDs, messages and entries of every state; as many of them stand in the thread of old mail."""
    for uid in UIDS:
        row = {
            "mailbox_id": mailbox_id,
            "uid": uid.encode(),
            "state": uid,
            "attempts": 2,
            "changed_at": OLDEST,
        }
        await add(connection, "seen", row | {"is_settled": uid in {"kept", "deleting"}, "settled_watch": 4})
    notice = f"{mailbox_id}-old"
    entry = {"mailbox_id": mailbox_id, "workspace": "T1", "owner": owner, "attempts": 1, "plain": False}
    entry |= {"file_ids": "[]", "parent": ""}
    posted = {"state": "settled", "channel": "D1", "ts": "1.1", "finished_at": OLDEST}
    await add(connection, "entry", {**entry, **posted, "id": notice, "notice": "old_mail"})
    old_mail = {"id": notice, "mailbox_id": mailbox_id, "missing": 1, "changes": 5, "told": 3}
    await add(connection, "old_mail", old_mail)
    for parent in (notice, ""):
        for state in STATES:
            await fill_message(connection, mailbox_id, {**entry, "parent": parent, "state": state})


async def fill_message(connection: AsyncConnection, mailbox_id: str, entry: dict[str, Any]) -> None:
    """A message with its octets and its entry."""
    name = f"{mailbox_id}-{entry['parent'] and 'in-'}{entry['state']}"
    is_finished, is_there = entry["state"] in STATES[:2], entry["state"] in {"settled", "posted", "filing"}
    message = {
        "id": name, "mailbox_id": mailbox_id, "uid": b"kept", "fingerprint": name.encode(), "shape": "whole",
        "octets": 3, "listed_octets": 3, "received_at": OLDEST, "settled_at": OLDEST if is_finished else None,
    }  # fmt: skip
    await add(connection, "message", message)
    await add(connection, "message_chunk", {"message_id": name, "number": 0, "octets": b"abc"})
    entry |= {"id": f"e-{name}", "message_id": name, "finished_at": OLDEST if is_finished else None}
    entry |= {"channel": "D1", "ts": "2.1"} if is_there else {}
    entry |= (
        {"intended_at": OLDEST, "lookup_after": OLDEST} if entry["state"] in {"posting", "filing"} else {}
    )
    await add(connection, "entry", entry | {"file_ids": '["F1"]' if entry["state"] == "filing" else "[]"})


async def rows(database: Database, *, is_new: bool) -> dict[str, list[dict[str, Any]]]:
    """What the tables hold that the release before knew, by table, in order; its own columns, or all."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with database.read() as session:
        connection = await session.connection()
        for name in OLD_TABLES:
            table = Table.metadata.tables[name]
            fresh = () if is_new else NEW_COLUMNS.get(name, {})
            columns = [column for column in table.c if column.name not in fresh]
            query = select(*columns).order_by(*table.primary_key.columns)
            found[name] = [dict(row._mapping) for row in await connection.execute(query)]
    return found


async def forward(url: str, vault: Vault) -> tuple[Database, dict[str, Any], dict[str, Any]]:
    """A filled database of the release before brought to this one, and its rows before and after."""
    database = await Database.open(url)
    await older(database, vault)
    before = await rows(database, is_new=False)
    await database.migrate()
    return database, before, await rows(database, is_new=True)


async def test_every_row_is_what_it_was(empty_url: str, vault: Vault) -> None:
    """Each column holds what it held, and the new ones what a mailbox without them did."""
    database, before, after = await forward(empty_url, vault)
    await database.close()

    for name, old in before.items():
        fresh = dict(NEW_COLUMNS.get(name, {}))
        assert len(old) == len(after[name]) > 0
        for was, row in zip(old, after[name], strict=True):
            if name == "mailbox":
                fresh["activated_at"] = was["created_at"] if was["is_active"] else None
            if name == "entry":
                fresh["gives_way"] = was["parent"] != ""
            assert row == was | fresh


async def test_an_older_database_is_delivered_in_order(empty_url: str, vault: Vault, tmp_path: Path) -> None:
    """New mail of both mailboxes in the order it came, then what stands in the thread of old mail."""
    database, _, _ = await forward(empty_url, vault)
    stores = Stores.on(database, vault, tmp_path)

    names = await delivered(stores, Person("T1", "U1"))

    left = [state for state in STATES if state not in {"settled", "given_up"}]
    new = [f"e-{mailbox}-{state}" for mailbox in ("m1", "m2") for state in left]
    old = [f"e-{mailbox}-in-{state}" for mailbox in ("m1", "m2") for state in left]
    assert names == [*new, *old]
    assert await stores.outbox.waiting(Person("T1", "U1")) == {}
    assert sum((await stores.outbox.waiting(Person("T1", "U2"))).values()) == 2 * len(left)
    await database.close()


async def delivered(stores: Stores, owner: Person) -> list[str]:
    """The ids of what one person is owed, in the order of posting."""
    dms = await stores.outbox.claim_due(NOW, lease=LEASE, worker="w", limit=9)
    dm: Dm = next(dm for dm in dms if dm.owner == owner)
    found: list[str] = []
    while (entry := await stores.outbox.head(dm)) is not None:
        found.append(entry.id)
        settled = replace(entry, state=EntryState.SETTLED, channel="D1", ts=f"9.{entry.order}")
        dm = await stores.outbox.record(dm, settled, now=NOW)
    await stores.outbox.release(dm)
    return found


async def test_an_older_mailbox_opens_and_goes(empty_url: str, vault: Vault, tmp_path: Path) -> None:
    """It is polled as before, posts at once, tells its old mail, and is removed without a trace."""
    database, _, _ = await forward(empty_url, vault)
    stores = Stores.on(database, vault, tmp_path)
    owner = Person("T1", "U1")
    first, second = await stores.mailboxes.of(owner)
    told = await OldMails(database).get("m1-old")
    states = {uid: each.state for uid, each in (await stores.messages.seen("m1")).items()}

    await stores.holdings.remove(owner, "m1", NOW)

    assert (first.profile.name, second.profile.name) == ("m1", "m2")
    assert first.calm == AT_ONCE
    assert first.watched == timedelta(seconds=5_000_000_000)
    assert (told.total, told.brought, told.left) == (len(STATES), 3, 4)
    assert states == {uid.encode(): uid for uid in UIDS}
    after = await rows(database, is_new=True)
    assert {
        row["mailbox_id"] for name in ("seen", "message", "entry", "old_mail") for row in after[name]
    } == {
        "m2",
        "m3",
    }
    assert len(after["message_chunk"]) == 2 * 2 * len(STATES)
    await database.close()


async def test_numbers_of_an_older_database_are_not_given_again(
    empty_url: str, vault: Vault, tmp_path: Path
) -> None:
    """An entry's number is its place in the order: no later one takes that of an entry that was removed."""
    database, _, after = await forward(empty_url, vault)
    stores = Stores.on(database, vault, tmp_path)
    highest = max(row["number"] for row in after["entry"])
    await stores.holdings.remove(Person("T1", "U2"), "m3", NOW)

    claim = (await stores.mailboxes.claim_due(NOW, lease=LEASE, worker="w", limit=5))[0]
    assert await stores.keep(claim, b"new")

    async with database.read() as session:
        numbers = select(Table.metadata.tables["entry"].c.number)
        found = (await (await session.connection()).execute(numbers)).scalars().all()
    assert max(found) > highest
    await database.close()
