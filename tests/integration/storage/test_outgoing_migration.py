"""A database of the release before mail could be sent is brought forward with nothing lost."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import insert, text

from storage import database as storage_database
from storage.audits import Audits
from storage.database import Database
from storage.records import Profile
from storage.sealing import Seals
from storage.sharing import Act
from storage.tables import Table
from storage.vault import Place, master_key_id
from tests.integration.storage.outgoing_scene import Scene
from tests.integration.storage.stores import LEASE, NOW, OWNER, PASSWORDS, PROFILE, Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

    from storage.vault import Vault
    from tests.fakes.postgres import Server

SINCE: Final = ("sender_name", "signature", "undo_seconds")
"""What a profile says since then."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'before.db'}"
    server: Server = request.getfixturevalue("postgres_server")
    name = f"mailbox_before_{tmp_path.name}".lower().replace("[", "_").replace("]", "_")
    request.addfinalizer(lambda: asyncio.run(server.drop(name)))  # noqa: PT021 - only for one of the kinds
    return asyncio.run(server.create(name))


def begin(connection: Connection) -> None:
    """The tables as the release before had them."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(storage_database._MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "0009")


async def add(connection: AsyncConnection, table: str, row: dict[str, Any]) -> None:
    """Insert a row with the columns it names, as that release did."""
    await connection.execute(insert(Table.metadata.tables[table]), row)


async def before(database: Database, vault: Vault) -> None:
    """A mailbox whose profile says nothing of sending, an entry, an entry of the audit, an attempt."""
    wrapped = vault.new_data_key("T1", "m1")
    key = vault.data_key(wrapped, "T1", "m1")
    profile = {name: value for name, value in asdict(PROFILE).items() if name not in SINCE}
    engine = database._migration_engine()
    async with engine.begin() as connection:
        await connection.execute(text("SELECT 1"))
        await connection.run_sync(begin)
        mailbox = {
            "id": "m1", "workspace": "T1", "owner": "U1", "form_id": "m1", "key_id": master_key_id(wrapped),
            "wrapped_key": wrapped,
            "profile": key.seal(json.dumps(profile).encode(), Place("T1", "mailbox", "m1", "profile")),
            **Seals(key, "T1", "m1").passwords(PASSWORDS), "retention": "leave", "is_active": True,
            "is_paused": False, "health": "ok", "has_alarm": False, "failures": 0, "created_at": NOW, "due_at": NOW,
            "watched_seconds": 0, "listed": 0, "one_by_one": False, "delivery": "each", "fence": 3,
        }  # fmt: skip
        await add(connection, "mailbox", mailbox)
        await add(connection, "dm", {"workspace": "T1", "owner": "U1", "due_at": NOW, "fence": 7})
        entry = {
            "number": 41, "id": "e1", "mailbox_id": "m1", "workspace": "T1", "owner": "U1", "notice": "told",
            "parent": "", "state": "waiting", "attempts": 1, "file_ids": "[]", "plain": False, "gives_way": False,
        }  # fmt: skip
        await add(connection, "entry", entry)
        audit = {
            "at": NOW,
            "workspace": "T1",
            "actor": "U1",
            "act": "refused",
            "subject": "s",
            "before": "",
            "after": "",
        }
        await add(connection, "audit", audit)
        await add(connection, "attempt", {"id": "a1", "kind": "test", "who": b"w", "at": NOW})
    await engine.dispose()


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Database]:
    """The same, opened."""
    database = await Database.open(empty_url)
    yield database
    await database.close()


async def test_a_mailbox_of_before_sends(empty: Database, vault: Vault, tmp_path: Path) -> None:
    """Its settings open with what sending needs by default; its rows are what they were, and mail can be saved."""
    await before(empty, vault)

    await empty.migrate()

    stores = Stores.on(empty, vault, tmp_path)
    (claim,) = await stores.mailboxes.claim_due(NOW, lease=LEASE, worker="w", limit=5)
    assert claim.mailbox.profile == PROFILE
    assert (PROFILE.sender_name, PROFILE.signature, PROFILE.undo_seconds) == ("", "", 10)
    assert claim.mailbox.outgoing_refused_at is None
    (entry,) = await Audits(empty).list("T1", act=Act.REFUSED, limit=9)
    assert (entry.actor, entry.subject) == ("U1", "s")
    async with empty.read() as session:
        connection = await session.connection()
        attempts = (await connection.execute(text("SELECT id, kind, times FROM attempt"))).all()
        numbers = (await connection.execute(text("SELECT number, state FROM entry"))).all()
    assert [tuple(row) for row in attempts] == [("a1", "test", 1)]
    assert [tuple(row) for row in numbers] == [(41, "waiting")]
    other = await Scene.on(stores, vault)
    await other.save()
    assert {entry.notice for entry in await other.entries()} == {"told", "outgoing"}


async def test_what_mail_bears_is_set_and_stays(stores: Stores) -> None:
    """A name, a signature and the time to undo; a form that changes the rest leaves them as they are."""
    claim = await stores.claimed()
    mailboxes, mailbox_id = stores.mailboxes, claim.mailbox.id

    changed = await mailboxes.set_sending(OWNER, mailbox_id, "Anna B.", "Anna\nLisbon", 30)
    await mailboxes.change(
        OWNER,
        mailbox_id,
        profile=PROFILE,
        passwords=PASSWORDS,
        retention=claim.mailbox.retention,
        delete_days=None,
        listing=None,
        skip=(),
        now=NOW,
    )

    expected = Profile(
        **{
            **{name: getattr(PROFILE, name) for name in Profile.__slots__},
            **dict(zip(SINCE, ("Anna B.", "Anna\nLisbon", 30), strict=True)),
        }
    )
    assert changed.profile == (await stores.mailbox(mailbox_id)).profile == expected
