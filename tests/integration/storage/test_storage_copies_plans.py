"""What channels and withdrawals are looked for every few seconds stays cheap however much lies in the tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from storage.copied import WithdrawalState
from storage.copies import Copies
from storage.database import Database
from storage.records import Person
from storage.shares import Shares
from storage.spreading import Spreading
from storage.withdrawals import Withdrawals
from tests.integration.storage.stores import EVER, LATER, LEASE, NOW, Stores
from tests.integration.storage.test_storage_plans import plan_of, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from storage.vault import Vault


async def test_looks_for_copies_scan_no_table(sqlite_url: str, vault: Vault, tmp_path: Path) -> None:
    """Spreading, delivering and calling back find their rows by an index."""
    database = await Database.open(sqlite_url)
    stores = Stores.on(database, vault, tmp_path)
    with recorded(database) as statements:
        await use_what_copies_need(stores)

    async with database.read() as session:
        connection = await session.connection()
        plans = {statement: await plan_of(connection, statement, values) for statement, values in statements}
    await database.close()

    assert "ix_message_mailbox_id" in str(plans)
    assert "ix_withdrawal_undone" in str(plans)
    ours = {
        text: plan
        for text, plan in plans.items()
        if "copy" in text or "withdrawal" in text or "share" in text
    }
    # What is called back is few, and its index holds no more than that.
    scans = {step for plan in ours.values() for step in plan if step.startswith("SCAN")}
    assert scans <= {"SCAN withdrawal USING INDEX ix_withdrawal_undone", "SCAN CONSTANT ROW"}


async def use_what_copies_need(stores: Stores) -> None:
    """One message into a channel and back."""
    database, channel = stores.database, Person("T1", "C1")
    copies, withdrawals = Copies(database), Withdrawals(database)
    claim = await stores.claimed()
    await stores.keep(claim, b"1")
    (message_id,) = [(await stores.head(await stores.dm())).message_id or ""]
    await Spreading(database).fresh(NOW)
    await Spreading(database).fresh_of([claim.mailbox.id], channel, NOW, NOW)
    entry_id = await copies.owe(claim.mailbox.id, message_id, channel, NOW, lambda _: True)
    await copies.get(entry_id)
    await copies.of_mailbox(claim.mailbox.id)
    await copies.of_viewer(channel)
    await Shares(database).facts_of_message(message_id)
    dms = await stores.outbox.claim_due(LATER, lease=LEASE, worker="w", limit=9)
    dm = next(each for each in dms if each.owner == channel)
    await stores.outbox.record(dm, replace(await stores.head(dm), ts="1.1", channel="C1"), now=NOW)
    await copies.withdraw([entry_id], NOW)
    found = await withdrawals.due(LATER, 10)
    await withdrawals.record([replace(row, state=WithdrawalState.GONE) for row in found], NOW)
    assert await withdrawals.due(EVER, 9) == []
