"""What managers do is judged and noted in the transaction of its effect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from storage.audits import Audits
from storage.copied import TellingKind
from storage.errors import NotFound, NotPermitted
from storage.managing import Manager
from storage.records import Retention
from storage.rules import Rules
from storage.sharing import Act
from storage.tellings import Tellings
from storage.wishes import RuleKind
from tests.integration.storage.stores import LATER, LEASE, NEW, NOW, OWNER, STRANGER, Stores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.database import Database
    from storage.sharing import Facts
    from storage.vault import Vault

SENDER = "ada@example.org"


@pytest.fixture
async def stores(database: Database, vault: Vault, tmp_path: Path) -> Stores:
    """The stores, on either database."""
    return Stores.on(database, vault, tmp_path)


def manager(permits: Callable[[Facts], bool] = lambda _: True) -> Manager:
    """Somebody who may, or may not."""
    return Manager(STRANGER, NOW, permits)


async def test_each_act_is_noted_with_what_was_before_and_after(stores: Stores, vault: Vault) -> None:
    """Who did it, to whose mailbox; an act that changes nothing leaves no line."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    rules, by = Rules(stores.database, vault), manager()

    await stores.mailboxes.check_now(OWNER, mailbox.id, LATER, manager=by)
    await stores.mailboxes.pause(OWNER, mailbox.id, NOW, manager=by)
    await stores.mailboxes.pause(OWNER, mailbox.id, NOW, manager=by)
    await stores.mailboxes.resume(OWNER, mailbox.id, NOW, manager=by)
    await stores.mailboxes.change_retention(OWNER, mailbox.id, Retention.DELETE_LATER, 7, NOW, manager=by)
    changed = await stores.mailboxes.change_retention(
        OWNER, mailbox.id, Retention.DELETE_LATER, 7, NOW, manager=by
    )
    rule = await rules.add(OWNER, mailbox.id, RuleKind.SENDER, SENDER, label=SENDER, now=NOW, manager=by)
    await rules.remove_from(OWNER, mailbox.id, rule.id, by)

    entries = (await Audits(stores.database).list("T1", act=Act.MANAGED, limit=20))[::-1]
    assert [(entry.before, entry.after) for entry in entries] == [
        ("", "check asked"),
        ("fetched", "paused"),
        ("paused", "fetched"),
        ("delete_posted", "delete_later:7"),
        ("", f"muted sender, rule {rule.id}"),
        (f"muted sender, rule {rule.id}", ""),
    ]
    assert {(entry.actor, entry.owner, entry.mailbox_id) for entry in entries} == {("U2", "U1", mailbox.id)}
    assert SENDER not in str(entries)
    assert (changed.retention, changed.delete_days) == (Retention.DELETE_LATER, 7)


async def test_the_owner_is_told_what_matters(stores: Stores) -> None:
    """A pause and another delete setting; not that somebody looked for new mail."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    await stores.mailboxes.check_now(OWNER, mailbox.id, LATER, manager=manager())
    await stores.mailboxes.pause(OWNER, mailbox.id, NOW, manager=manager())
    await stores.mailboxes.change_retention(OWNER, mailbox.id, Retention.LEAVE, None, NOW, manager=manager())

    (dm,) = await stores.outbox.claim_due(NOW, lease=LEASE, worker="poster", limit=10)
    entry = await stores.head(dm)
    _, telling = await Tellings(stores.database).get(entry.id)

    assert dm.owner == OWNER
    assert (telling.kind, telling.who, telling.why) == (TellingKind.MAILBOX_MANAGED, "U2", "paused")


async def test_who_may_not_changes_nothing(stores: Stores, vault: Vault) -> None:
    """The judge is asked behind the lock of sharing, and no word of it stands anywhere."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    rules = Rules(stores.database, vault)
    rule = await rules.add(OWNER, mailbox.id, RuleKind.SENDER, SENDER, label=SENDER, now=NOW)
    asked: list[str] = []

    def refuses(facts: Facts) -> bool:
        asked.append(facts.mailbox_id)
        return False

    by = manager(refuses)
    calls: list[Any] = [
        stores.mailboxes.check_now(OWNER, mailbox.id, LATER, manager=by),
        stores.mailboxes.pause(OWNER, mailbox.id, NOW, manager=by),
        stores.mailboxes.resume(OWNER, mailbox.id, NOW, manager=by),
        stores.mailboxes.change_retention(OWNER, mailbox.id, Retention.LEAVE, None, NOW, manager=by),
        rules.add(OWNER, mailbox.id, RuleKind.SENDER, "b@x.example", label="b", now=NOW, manager=by),
        rules.remove_from(OWNER, mailbox.id, rule.id, by),
    ]
    for call in calls:
        with pytest.raises(NotPermitted):
            await call

    assert asked == [mailbox.id] * len(calls)
    assert await stores.mailbox(mailbox.id) == mailbox
    assert [each.id for each in await rules.of(OWNER)] == [rule.id]
    assert not await Audits(stores.database).list("T1", limit=20)


async def test_a_manager_of_one_mailbox_reaches_no_other(stores: Stores, vault: Vault) -> None:
    """Neither a rule of another mailbox of the same owner, nor a rule about a conversation."""
    mine = await stores.mailboxes.add(NEW, NOW)
    other = await stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    rules = Rules(stores.database, vault)
    foreign = await rules.add(OWNER, other.id, RuleKind.SENDER, SENDER, label=SENDER, now=NOW)
    thread = await rules.add(OWNER, mine.id, RuleKind.CONVERSATION, "c1", label="About us", now=NOW)

    for rule in (foreign, thread):
        with pytest.raises(NotFound):
            await rules.remove_from(OWNER, mine.id, rule.id, manager())

    assert len(await rules.of(OWNER)) == 2


async def test_a_poll_that_runs_while_the_delete_setting_changes_deletes_nothing_by_the_old_one(
    stores: Stores,
) -> None:
    """Its claim is over, and the mailbox is due as it was."""
    claim = await stores.claimed()
    await stores.mailboxes.change_retention(
        OWNER, claim.mailbox.id, Retention.LEAVE, None, NOW, manager=manager()
    )

    again = await stores.claim()

    assert again.fence > claim.fence
    assert again.mailbox.retention is Retention.LEAVE
