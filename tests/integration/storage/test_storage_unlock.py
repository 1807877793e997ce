"""Starting with the right master keys, and only with them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from storage.errors import KeyUnknown
from storage.tables import KeyCheckRow
from storage.vault import MasterKeys, Vault, new_master_key, unlock
from tests.integration.storage.stores import NEW, NOW, Stores

if TYPE_CHECKING:
    from pathlib import Path

    from storage.database import Database

OLD, NEWER = new_master_key(), new_master_key()


def vault_of(*keys: str) -> Vault:
    """A vault under these keys."""
    return Vault(MasterKeys.parse(" ".join(keys)))


async def known(database: Database) -> set[str]:
    """The key ids the database knows."""
    async with database.read() as session:
        return set((await session.exec(select(KeyCheckRow.key_id))).all())


def ids(*keys: str) -> set[str]:
    """The ids of keys."""
    return {key.partition(":")[0] for key in keys}


async def test_empty_database_learns_its_key(database: Database) -> None:
    """The first start records the key, later starts accept it."""
    for _ in range(2):
        await unlock(database, vault_of(OLD))

    assert await known(database) == ids(OLD)


async def test_another_key_is_refused(database: Database) -> None:
    """A database that knows a key opens with no other one, and nothing is written."""
    await unlock(database, vault_of(OLD))

    with pytest.raises(KeyUnknown):
        await unlock(database, vault_of(NEWER))

    assert await known(database) == ids(OLD)


async def test_wrong_key_of_the_right_id_is_refused(database: Database) -> None:
    """A key that only bears the known id is refused, also beside a right one."""
    await unlock(database, vault_of(OLD))
    wrong = f"{OLD.partition(':')[0]}:{NEWER.partition(':')[2]}"

    for keys in ((wrong,), (NEWER, wrong)):
        with pytest.raises(KeyUnknown):
            await unlock(database, vault_of(*keys))

    assert await known(database) == ids(OLD)


async def test_new_key_beside_the_known_one_is_learned(database: Database) -> None:
    """A rotation begins by putting the new key first and keeping the old one."""
    await unlock(database, vault_of(OLD))

    await unlock(database, vault_of(NEWER, OLD))

    assert await known(database) == ids(OLD, NEWER)


async def test_key_in_use_must_be_given(database: Database, tmp_path: Path) -> None:
    """As long as a mailbox is sealed under a key, the bot does not start without it; afterwards it does."""
    await unlock(database, vault_of(NEWER, OLD))
    stores = Stores.on(database, vault_of(OLD, NEWER), tmp_path)
    mailbox = await stores.mailboxes.add(NEW, NOW)

    with pytest.raises(KeyUnknown):
        await unlock(database, vault_of(NEWER))

    await stores.holdings.remove(mailbox.owner, mailbox.id, NOW)
    await unlock(database, vault_of(NEWER))


async def test_unknown_database_with_mailboxes_is_refused(stores: Stores) -> None:
    """A key is never recorded beside mailboxes whose key the database does not know."""
    await stores.mailboxes.add(NEW, NOW)

    with pytest.raises(KeyUnknown):
        await unlock(stores.database, vault_of(OLD))

    assert await known(stores.database) == set()


async def test_two_first_starts_with_different_keys(database: Database) -> None:
    """Of two processes that start on an empty database with different keys, one is refused."""
    results = await asyncio.gather(
        unlock(database, vault_of(OLD)), unlock(database, vault_of(NEWER)), return_exceptions=True
    )

    assert [type(result) for result in results if result is not None] == [KeyUnknown]
    assert len(await known(database)) == 1
