"""A locked database becomes StorageBusy in every method of every store, and nothing worse."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import asyncpg
import pytest

from storage.answers import Answers
from storage.copied import Withdrawal, WithdrawalState
from storage.copies import Copies, Fresh
from storage.counting import AttemptKind, Counted, Limit
from storage.database import Database
from storage.delivery import Held
from storage.errors import NotFound, StorageBusy, StorageError
from storage.marks import Marks
from storage.originals import Originals
from storage.records import EntryState, Retention, SeenState, Shape
from storage.rules import Rules
from storage.sharing import Level
from storage.spreading import Spreading
from storage.surveys import Surveys
from storage.tables import Table
from storage.wishes import OriginalState, RuleKind
from storage.withdrawals import Withdrawals
from tests.integration.storage.stores import (
    LATER,
    LEASE,
    NEW,
    NOW,
    OK,
    OWNER,
    PASSWORDS,
    PROFILE,
    Stores,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from storage.records import Claim, Dm, Entry
    from storage.spool import Spool
    from storage.vault import Vault
    from storage.wishes import Rule

S = TypeVar("S")

PATIENCE: Final = timedelta(milliseconds=20)


@dataclass(frozen=True)
class Scene:
    """A claimed mailbox with one message kept, its DM claimed, and a second message spooled."""

    stores: Stores
    claim: Claim
    dm: Dm
    entry: Entry
    spool: Spool
    vault: Vault
    rule: Rule


CHANGE: Final[dict[str, Any]] = {
    "profile": PROFILE,
    "passwords": PASSWORDS,
    "retention": Retention.LEAVE,
    "delete_days": None,
    "listing": [b"u1"],
    "skip": [],
    "now": NOW,
}
REFUSAL: Final = Counted(Limit(AttemptKind.REFUSED_LOGIN, 3, timedelta(hours=1)), ("pop.example.org",))
KEEP: Final[dict[str, Any]] = {"shape": Shape.WHOLE, "listed_octets": 6, "now": NOW}
CLAIM: Final[dict[str, Any]] = {"lease": LEASE, "worker": "w", "limit": 5}

WITHDRAWAL: Final = Withdrawal(
    "e1", "b1", "T1", "D1", "1.1", (), "0", NOW, WithdrawalState.GONE, attempts=0, due_at=NOW
)

WRITES: Final[dict[str, Callable[[Scene], Awaitable[object]]]] = {
    "add": lambda s: s.stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW),
    "change": lambda s: s.stores.mailboxes.change(OWNER, s.claim.mailbox.id, **CHANGE),
    "activate": lambda s: s.stores.mailboxes.activate(OWNER, s.claim.mailbox.id, NOW),
    "pause": lambda s: s.stores.mailboxes.pause(OWNER, s.claim.mailbox.id, NOW),
    "resume": lambda s: s.stores.mailboxes.resume(OWNER, s.claim.mailbox.id, NOW),
    "check_now": lambda s: s.stores.mailboxes.check_now(OWNER, s.claim.mailbox.id, NOW),
    "remove": lambda s: s.stores.holdings.remove(OWNER, s.claim.mailbox.id, LATER),
    "erase": lambda s: s.stores.holdings.erase(OWNER, LATER, LATER),
    "take": lambda s: s.stores.attempts.take([REFUSAL], NOW),
    "note": lambda s: s.stores.attempts.note(REFUSAL, NOW),
    "give_back": lambda s: s.stores.attempts.give_back(["a1"]),
    "purge_attempts": lambda s: s.stores.attempts.purge(NOW),
    "claim_due": lambda s: s.stores.mailboxes.claim_due(NOW, **CLAIM),
    "renew": lambda s: s.stores.mailboxes.renew(s.claim, LATER),
    "finish": lambda s: s.stores.mailboxes.finish(s.claim, OK),
    "release": lambda s: s.stores.mailboxes.release("w"),
    "keep": lambda s: s.stores.messages.keep(s.claim, b"u2", s.spool, **KEEP),
    "note_failure": lambda s: s.stores.messages.note_failure(s.claim, b"u2", NOW),
    "mark_deleting": lambda s: s.stores.messages.mark_deleting(s.claim, [b"u1"]),
    "confirm_deleted": lambda s: s.stores.messages.confirm_deleted(s.claim, [b"u1"]),
    "ask": lambda s: s.stores.messages.ask(s.claim, [b"u3"], NOW),
    "answer": lambda s: Answers(s.stores.database).answer(
        OWNER, s.claim.mailbox.id, SeenState.SKIPPED, NOW, due_at=NOW
    ),
    "delete": lambda s: Answers(s.stores.database).delete(OWNER, s.entry.message_id or "", NOW),
    "note_undeleted": lambda s: s.stores.messages.note_undeleted(s.claim, [b"u1"]),
    "want": lambda s: Originals(s.stores.database).want(
        s.claim.mailbox, s.entry.message_id or "", NOW, again=True
    ),
    "bring": lambda s: Originals(s.stores.database).bring(s.claim, s.spool, NOW),
    "lose": lambda s: Originals(s.stores.database).lose(
        s.claim, s.entry.message_id or "", OriginalState.GONE, NOW
    ),
    "note_original_failure": lambda s: Originals(s.stores.database).note_failure(
        s.claim, s.entry.message_id or ""
    ),
    "mark": lambda s: Marks(s.stores.database).mark(OWNER, s.entry.message_id or "", NOW),
    "add_rule": lambda s: Rules(s.stores.database, s.vault).add(
        OWNER, s.claim.mailbox.id, RuleKind.SENDER, "a@b.example", label="a", now=NOW
    ),
    "remove_rule": lambda s: Rules(s.stores.database, s.vault).remove(OWNER, s.rule.id),
    "purge": lambda s: s.stores.messages.purge(NOW, timedelta()),
    "dissolve": lambda s: s.stores.digests.dissolve(s.dm, s.entry, NOW),
    "end_hold": lambda s: s.stores.digests.end_hold(s.claim, Held(), NOW),
    "learn": lambda s: s.stores.zones.learn(OWNER, "Asia/Tokyo", LATER, {}, NOW),
    "dm_claim_due": lambda s: s.stores.outbox.claim_due(NOW, **CLAIM),
    "record": lambda s: s.stores.outbox.record(s.dm, replace(s.entry, state=EntryState.SETTLED), now=NOW),
    "dm_renew": lambda s: s.stores.outbox.renew(s.dm, LATER),
    "dm_release": lambda s: s.stores.outbox.release(s.dm),
    "release_worker": lambda s: s.stores.outbox.release_worker("w"),
}

WRITES.update(
    {
        "owe_copy": lambda s: Copies(s.stores.database).owe(
            s.claim.mailbox.id, s.entry.message_id or "", OWNER, NOW, lambda _: True
        ),
        "spread": lambda s: Copies(s.stores.database).spread(
            [Fresh(s.claim.mailbox.id, s.entry.message_id or "", OWNER)], NOW
        ),
        "withdraw": lambda s: Copies(s.stores.database).withdraw(["e1"], NOW),
        "note_level": lambda s: Copies(s.stores.database).note_level("e1", Level.SEE),
        "put_off": lambda s: Copies(s.stores.database).put_off(s.dm, s.entry, LATER, NOW),
        "record_withdrawal": lambda s: Withdrawals(s.stores.database).record([WITHDRAWAL], NOW),
    }
)


ENDS: Final = (
    "want", "record", "dissolve", "dm_renew", "put_off", "delete", "finish", "dm_release", "release", "release_worker",
    "claim_due", "dm_claim_due", "purge", "answer", "check_now", "change", "pause", "resume", "activate", "add", "remove",
    "erase",
)  # fmt: skip
"""Each takes something away that those before it need."""


async def spooled(scene: Scene) -> None:
    """Begin a message whose key is not at hand yet."""
    scene.stores.messages._keys.clear()
    spool = scene.stores.messages.spool(scene.claim)
    try:
        await spool.write(b"octets")
    finally:
        await spool.close()


READS: Final[dict[str, Callable[[Scene], Awaitable[object]]]] = {
    "copies_of_viewer": lambda s: Copies(s.stores.database).of_viewer(OWNER),
    "copies_of_mailbox": lambda s: Copies(s.stores.database).of_mailbox(s.claim.mailbox.id),
    "copied_mailboxes": lambda s: Copies(s.stores.database).mailboxes(OWNER.workspace),
    "fresh": lambda s: Spreading(s.stores.database).fresh(NOW),
    "fresh_of": lambda s: Spreading(s.stores.database).fresh_of([s.claim.mailbox.id], OWNER, NOW, NOW),
    "lately": lambda s: Spreading(s.stores.database).owners(OWNER.workspace, NOW),
    "withdrawals_due": lambda s: Withdrawals(s.stores.database).due(NOW, 5),
    "of": lambda s: s.stores.mailboxes.of(OWNER),
    "get": lambda s: s.stores.mailboxes.get(OWNER, s.claim.mailbox.id),
    "passwords": lambda s: s.stores.mailboxes.passwords(OWNER, s.claim.mailbox.id),
    "claimed_passwords": lambda s: s.stores.mailboxes.claimed_passwords(s.claim),
    "seen": lambda s: s.stores.messages.seen(s.claim.mailbox.id),
    "seen_among": lambda s: s.stores.messages.seen_among(s.claim.mailbox.id, [b"u1"]),
    "has_deletions": lambda s: s.stores.messages.has_deletions(s.claim),
    "undeleted": lambda s: s.stores.messages.undeleted(s.claim, 2),
    "is_newest": lambda s: s.stores.messages.is_newest(s.claim, b"u1", b""),
    "check": lambda s: s.stores.messages.check(s.claim),
    "count_asked": lambda s: s.stores.messages.count_asked(s.claim.mailbox.id),
    "is_gone": lambda s: Answers(s.stores.database).is_gone(OWNER, s.entry.message_id or ""),
    "load": lambda s: s.stores.messages.load(s.entry.message_id or ""),
    "standing": lambda s: Marks(s.stores.database).standing(OWNER, s.entry.message_id or ""),
    "count_open": lambda s: Marks(s.stores.database).count_open(OWNER),
    "newest_open": lambda s: Marks(s.stores.database).newest_open(OWNER, s.claim.mailbox.id, 5),
    "wanted": lambda s: Originals(s.stores.database).wanted(s.claim.mailbox.id),
    "rules": lambda s: Rules(s.stores.database, s.vault).of(OWNER),
    "sieve": lambda s: Rules(s.stores.database, s.vault).sieve(s.claim.mailbox.id),
    "spool": spooled,
    "gathered": lambda s: s.stores.digests.gathered(s.entry, 5),
    "digest_head": lambda s: s.stores.digests.head(s.entry.message_id or ""),
    "zones_due": lambda s: s.stores.zones.due(NOW, 5),
    "head": lambda s: s.stores.outbox.head(s.dm),
    "waiting": lambda s: s.stores.outbox.waiting(OWNER),
    "depth": lambda s: s.stores.outbox.depth(),
    "count": lambda s: s.stores.holdings.count(OWNER),
    "dossier": lambda s: s.stores.holdings.dossier(OWNER, 10),
    "finish_erasures": lambda s: s.stores.holdings.finish(),
    "count_by_health": lambda s: s.stores.mailboxes.count_by_health(),
    "survey_counts": lambda s: Surveys(s.stores.database, s.vault).counts(OWNER.workspace),
    "survey_owned": lambda s: Surveys(s.stores.database, s.vault).owned(OWNER.workspace),
    "survey_page": lambda s: Surveys(s.stores.database, s.vault).page(OWNER.workspace, 0, 5),
    "survey_one": lambda s: Surveys(s.stores.database, s.vault).one(OWNER.workspace, s.claim.mailbox.id),
}


@pytest.fixture
async def scene(database_url: str, vault: Vault, tmp_path: Path) -> AsyncIterator[Scene]:
    """The scene on a database of little patience."""
    database = await Database.open(database_url, patience=PATIENCE)
    stores = Stores.on(database, vault, tmp_path)
    claim = await stores.claimed()
    await stores.keep(claim, b"u1")
    dm = await stores.dm()
    spool = stores.messages.spool(claim)
    await spool.write(b"octets")
    rule = await Rules(database, vault).add(
        OWNER, claim.mailbox.id, RuleKind.SENDER, "b@b.example", label="b", now=NOW
    )
    yield Scene(stores, claim, dm, await stores.head(dm), spool, vault, rule)
    await spool.close()
    await database.close()


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Let another process hold every lock there is."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
        return
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(
                f"LOCK TABLE {', '.join(Table.metadata.tables)} IN ACCESS EXCLUSIVE MODE"
            )
            yield
    finally:
        await connection.close()


async def busy_methods(methods: Mapping[str, Callable[[S], Awaitable[object]]], scene: S) -> set[str]:
    """Those that say busy; the others must work."""
    busy = set[str]()
    for name, method in methods.items():
        try:
            await method(scene)
        except StorageBusy:
            busy.add(name)
        except NotFound:
            continue  # nothing of the kind is in this scene, which the database said
        except StorageError as error:
            error.add_note(name)
            raise
    return busy


async def test_locked_database_is_busy(scene: Scene, database_url: str) -> None:
    """While another process holds the database, each method says busy; afterwards each works."""
    async with locked(database_url):
        assert await busy_methods(WRITES, scene) == set(WRITES)

    later = {name: method for name, method in WRITES.items() if name not in ENDS}
    later |= {name: WRITES[name] for name in ENDS}
    assert await busy_methods(later, scene) == set()


async def test_locked_database_is_busy_to_read(scene: Scene, database_url: str) -> None:
    """PostgreSQL's tables can be locked against reading too; SQLite's readers wait for nobody."""
    async with locked(database_url):
        busy = await busy_methods(READS, scene)

    assert busy == (set() if database_url.startswith("sqlite") else set(READS))
