"""A locked database becomes StorageBusy in every method of the stores of mail that is sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from storage.database import Database
from storage.sending import OutgoingState, Tried
from tests.integration.storage.outgoing_scene import ADA, BOB, DUE, SENT, Scene, anybody
from tests.integration.storage.stores import LATER, LEASE, NOW, OWNER, Stores
from tests.integration.storage.test_storage_busy import PATIENCE, busy_methods, locked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from storage.sending import Submission
    from storage.vault import Vault


@dataclass(frozen=True)
class Busy:
    """One mail is claimed, one is about to go out, of one nobody knows."""

    scene: Scene
    claimed: Submission
    unknown: str
    entry: str


WRITES: Final[dict[str, Callable[[Busy], Awaitable[object]]]] = {
    "save": lambda b: b.scene.save("f9"),
    "undo": lambda b: b.scene.outgoings.undo(OWNER, b.claimed.outgoing.id, NOW),
    "leave": lambda b: b.scene.outgoings.leave(OWNER, b.unknown, NOW),
    "send_again": lambda b: b.scene.outgoings.send_again(OWNER, b.unknown, NOW, anybody),
    "mended": lambda b: b.scene.outgoings.mended(b.scene.mailbox.id, NOW),
    "purge": lambda b: b.scene.outgoings.purge(LATER, timedelta()),
    "claim_due": lambda b: b.scene.submissions.claim_due(DUE, lease=LEASE, worker="w", limit=5),
    "renew": lambda b: b.scene.submissions.renew(b.claimed, LATER),
    "release": lambda b: b.scene.submissions.release("w1", NOW),
    "intend": lambda b: b.scene.submissions.intend(b.claimed, DUE, anybody),
    "settle": lambda b: b.scene.submissions.settle(b.claimed, Tried(OutgoingState.HELD, (ADA, BOB)), DUE),
    "told": lambda b: b.scene.posts.told(b.entry, 1),
    "set_sending": lambda b: b.scene.stores.mailboxes.set_sending(
        OWNER, b.scene.mailbox.id, "Anna", "-- \nAnna", 20
    ),
}
ENDS: Final = ("settle", "release", "purge", "undo", "set_sending", "mended")
"""Each takes something away that those before it need."""

READS: Final[dict[str, Callable[[Busy], Awaitable[object]]]] = {
    "get": lambda b: b.scene.outgoings.get(OWNER, b.unknown),
    "of_entry": lambda b: b.scene.outgoings.of_entry(b.entry),
    "new_domains": lambda b: b.scene.outgoings.new_domains(b.scene.mailbox.id, ["x.example"]),
    "octets": lambda b: b.scene.submissions.octets(b.claimed),
    "of_form": lambda b: b.scene.outgoings.of_form(b.scene.mailbox.id, OWNER, "f1"),
    "latest_form": lambda b: b.scene.outgoings.latest_form(b.scene.mailbox.id, OWNER, "f"),
    "stock": lambda b: b.scene.submissions.stock(),
    "behind": lambda b: b.scene.posts.behind(9),
}


@pytest.fixture
async def busy(database_url: str, vault: Vault, tmp_path: Path) -> AsyncIterator[Busy]:
    """The scene on a database of little patience."""
    database = await Database.open(database_url, patience=PATIENCE)
    scene = await Scene.on(Stores.on(database, vault, tmp_path), vault)
    unknown = await scene.sent("f1", replace(SENT, state=OutgoingState.UNKNOWN, recipients=(ADA, BOB)))
    await scene.save("f2")
    yield Busy(scene, await scene.claimed(), unknown.id, (await scene.entries())[0].id)
    await database.close()


async def test_a_locked_database_is_busy_for_mail(busy: Busy, database_url: str) -> None:
    """While another process holds the database, each method says busy; afterwards each works."""
    async with locked(database_url):
        assert await busy_methods(WRITES, busy) == set(WRITES)

    later = {name: method for name, method in WRITES.items() if name not in ENDS}
    later |= {name: WRITES[name] for name in ENDS}
    assert await busy_methods(later, busy) == set()


async def test_a_locked_database_is_busy_to_read_mail(busy: Busy, database_url: str) -> None:
    """PostgreSQL's tables can be locked against reading too; SQLite's readers wait for nobody."""
    async with locked(database_url):
        found = await busy_methods(READS, busy)

    assert found == (set() if database_url.startswith("sqlite") else set(READS))
