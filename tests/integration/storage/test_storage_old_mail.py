"""Old mail that is brought bit by bit, as the stores keep count of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from storage.database import Database
from storage.errors import LeaseLost, NotFound, StorageBusy
from storage.old_mail import OldMails
from storage.records import EntryState, Notice, Passwords, Retention, Secret, SeenState
from tests.integration.storage.stores import LEASE, NEW, NOW, OWNER, PASSWORDS, PROFILE, STRANGER, Stores
from tests.integration.storage.test_storage_busy import locked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from storage.records import Bringing, Claim, Dm, Entry
    from storage.vault import Vault

OLD = tuple(b"old%d" % number for number in range(5))
WITH_OLD = replace(NEW, old=OLD, skip=(b"skipped",))
ELSEWHERE: Final[dict[str, Any]] = {
    "profile": PROFILE,
    "passwords": PASSWORDS,
    "retention": Retention.LEAVE,
    "delete_days": None,
    "now": NOW,
}


async def begun(stores: Stores) -> tuple[Claim, Entry, OldMails]:
    """A mailbox with five old messages to come, and its notice in Slack."""
    claim = await stores.claimed(WITH_OLD)
    dm = await stores.dm()
    entry = await stores.head(dm)
    await stores.outbox.release(await stores.outbox.record(dm, posted(entry), now=NOW))
    return claim, entry, OldMails(stores.database)


def posted(entry: Entry) -> Entry:
    """The same, in Slack."""
    return replace(entry, state=EntryState.SETTLED, channel="D1", ts=f"{1_000 + entry.order}.000100")


async def post_next(stores: Stores) -> Entry:
    """Post what the DM is owed next."""
    dm = await stores.dm()
    entry = await stores.head(dm)
    await stores.outbox.release(await stores.outbox.record(dm, posted(entry), now=NOW))
    return entry


def numbers(bringing: Bringing) -> tuple[int, int, int]:
    """Brought, left, total."""
    return bringing.brought, bringing.left, bringing.total


async def test_old_mail_is_recorded_with_one_notice(stores: Stores) -> None:
    """The UIDs wait, those not wanted are skipped, and the notice comes first."""
    claim, notice, old = await begun(stores)

    states = {uid: known.state for uid, known in (await stores.messages.seen(claim.mailbox.id)).items()}
    assert notice.notice is Notice.OLD_MAIL
    assert states == {b"skipped": SeenState.SKIPPED, **dict.fromkeys(OLD, SeenState.OLD)}
    assert numbers(await old.get(notice.id)) == (0, 5, 5)


async def test_old_messages_go_into_the_thread_of_their_notice(stores: Stores) -> None:
    """Each counts once it stands in Slack; a new message is a post of its own."""
    claim, notice, old = await begun(stores)
    for uid in (*OLD, b"new"):
        assert await stores.keep(claim, uid, b"Subject: " + uid)

    entries = [await post_next(stores) for _ in range(4)]

    assert [entry.parent for entry in entries] == [None, notice.id, notice.id, notice.id]
    assert numbers(await old.get(notice.id)) == (3, 2, 5)
    assert await stores.outbox.thread(entries[1]) == f"{1_000 + notice.order}.000100"
    assert await stores.outbox.newest_reply(entries[1]) == f"{1_000 + entries[-1].order}.000100"


async def test_new_mail_overtakes_old_mail(stores: Stores) -> None:
    """What stands in a thread gives way to what does not, also when it came first."""
    claim, _, _ = await begun(stores)
    await stores.keep(claim, OLD[0], b"1")
    await stores.keep(claim, b"new", b"2")

    first, second = await post_next(stores), await post_next(stores)

    assert first.parent is None
    assert second.parent is not None


async def test_the_notice_is_behind_until_it_is_told(stores: Stores) -> None:
    """A change while it is being told remains to be told."""
    claim, notice, old = await begun(stores)
    assert await old.behind("", 5) == []
    await stores.keep(claim, OLD[0], b"1")
    await post_next(stores)

    (before,) = await old.behind("", 5)
    await stores.keep(claim, OLD[1], b"2")
    await post_next(stores)
    await old.told(before)
    (after,) = await old.behind("", 5)
    await old.told(after)

    assert (numbers(before), numbers(after)) == ((1, 4, 5), (2, 3, 5))
    assert await old.behind("", 5) == []
    assert before.id == notice.id


async def test_stopping_skips_the_rest_and_drops_what_waits(stores: Stores) -> None:
    """Nothing more is fetched or posted, nothing is settled that is not in Slack, and a second time changes nothing."""
    claim, notice, old = await begun(stores)
    for uid in OLD[:3]:
        await stores.keep(claim, uid, uid)
    await post_next(stores)

    stopped = await old.stop(OWNER, notice.id, NOW)
    again = await old.stop(OWNER, notice.id, NOW)

    seen = await stores.messages.seen(claim.mailbox.id)
    assert numbers(stopped) == numbers(again) == (1, 0, 5)
    assert stopped.is_stopped
    assert [seen[uid].state for uid in OLD] == [SeenState.KEPT] * 3 + [SeenState.SKIPPED] * 2
    assert [seen[uid].is_settled for uid in OLD] == [True, False, False, False, False]
    assert await stores.outbox.waiting(OWNER) == {}
    assert await stores.outbox.claim_due(NOW + timedelta(days=1), lease=LEASE, worker="w", limit=5) == []


async def test_what_was_dropped_leaves_no_octets(stores: Stores) -> None:
    """A message that will not be posted is not kept."""
    claim, notice, old = await begun(stores)
    await stores.keep(claim, OLD[0], b"1")
    dm = await stores.dm()
    waiting = await stores.head(dm)

    await old.stop(OWNER, notice.id, NOW)

    assert waiting.message_id is not None
    with pytest.raises(NotFound):
        await stores.messages.load(waiting.message_id)


async def test_a_delivery_that_runs_begins_nothing_after_the_stop(stores: Stores) -> None:
    """The worker that had one in hand may not post it any more."""
    claim, notice, old = await begun(stores)
    await stores.keep(claim, OLD[0], b"1")
    dm = await stores.dm()
    waiting = await stores.head(dm)

    await old.stop(OWNER, notice.id, NOW)

    with pytest.raises(LeaseLost):
        await stores.outbox.record(dm, replace(waiting, state=EntryState.POSTING), now=NOW)


async def test_a_message_that_was_being_fetched_is_not_kept_after_the_stop(stores: Stores) -> None:
    """The poll goes on with new mail."""
    claim, notice, old = await begun(stores)

    await old.stop(OWNER, notice.id, NOW)

    assert not await stores.keep(claim, OLD[0], b"1")
    assert await stores.keep(claim, b"new", b"2")


async def test_nobody_stops_what_is_not_theirs(stores: Stores) -> None:
    """An id from a payload routes and never authorises."""
    _, notice, old = await begun(stores)

    for owner, entry_id in ((STRANGER, notice.id), (OWNER, "x")):
        with pytest.raises(NotFound):
            await old.stop(owner, entry_id, NOW)

    assert not (await old.get(notice.id)).is_stopped


async def test_what_the_server_lost_is_not_waited_for(stores: Stores) -> None:
    """The rest counts as all there is; should it be listed again, it comes after all."""
    claim, notice, old = await begun(stores)
    for uid in OLD[:3]:
        await stores.keep(claim, uid, uid)
        await post_next(stores)

    await stores.messages.note_missing(claim, 2)
    without = await old.get(notice.id)
    await stores.messages.note_missing(claim, 0)

    assert numbers(without) == (3, 0, 3)
    assert numbers(await old.get(notice.id)) == (3, 2, 5)


async def test_another_maildrop_ends_the_old_mail_of_the_first(stores: Stores) -> None:
    """What is on the former server does not come any more; the new one's old mail has a post of its own."""
    claim, notice, old = await begun(stores)

    other = (b"a", b"b")
    await stores.mailboxes.change(OWNER, claim.mailbox.id, **ELSEWHERE, listing=other, skip=(), old=other)

    second = await post_next(stores)
    assert numbers(await old.get(notice.id)) == (0, 0, 5)
    assert (await old.get(notice.id)).is_stopped
    assert second.notice is Notice.OLD_MAIL
    assert numbers(await old.get(second.id)) == (0, 2, 2)


async def test_a_thread_that_is_gone_is_begun_anew_first(stores: Stores) -> None:
    """The notice is owed again and comes before what goes under it."""
    claim, notice, _ = await begun(stores)
    await stores.keep(claim, OLD[0], b"1")
    dm = await stores.dm()
    child = await stores.head(dm)

    await stores.outbox.reopen(dm, child, NOW)

    assert (await stores.head(dm)).id == notice.id
    await stores.outbox.record(dm, posted(await stores.head(dm)), now=NOW)
    assert (await stores.head(dm)).id == child.id


async def test_old_mail_goes_with_its_mailbox(stores: Stores) -> None:
    """Nothing of it is left behind."""
    claim, notice, old = await begun(stores)
    await stores.keep(claim, OLD[0], b"1")

    await remove(stores, claim.mailbox.id)

    with pytest.raises(NotFound):
        await old.get(notice.id)


async def remove(stores: Stores, mailbox_id: str) -> None:
    """Remove the mailbox with all that is its."""
    await stores.holdings.remove(OWNER, mailbox_id, NOW)


OLD_WRITES: dict[str, Callable[[Busy], Awaitable[object]]] = {
    "told": lambda s: s.old.told(s.bringing),
    "stop": lambda s: s.old.stop(OWNER, s.bringing.id, NOW),
    "reopen": lambda s: s.stores.outbox.reopen(s.dm, s.child, NOW),
    "note_missing": lambda s: s.stores.messages.note_missing(s.claim, 1),
    "change_outgoing_password": lambda s: s.stores.mailboxes.change_outgoing_password(
        OWNER, s.claim.mailbox.id, Secret("new"), "anna-out", now=NOW
    ),
}
OLD_READS: dict[str, Callable[[Busy], Awaitable[object]]] = {
    "get": lambda s: s.old.get(s.bringing.id),
    "behind": lambda s: s.old.behind("", 5),
    "thread": lambda s: s.stores.outbox.thread(s.child),
    "newest_reply": lambda s: s.stores.outbox.newest_reply(s.child),
}


@dataclass(frozen=True)
class Busy:
    """Old mail on its way, on a database of little patience."""

    stores: Stores
    claim: Claim
    dm: Dm
    child: Entry
    old: OldMails
    bringing: Bringing


@pytest.fixture
async def busy(database_url: str, vault: Vault, tmp_path: Path) -> AsyncIterator[Busy]:
    """One of five is fetched and its DM claimed."""
    database = await Database.open(database_url, patience=timedelta(milliseconds=20))
    stores = Stores.on(database, vault, tmp_path)
    claim, notice, old = await begun(stores)
    await stores.keep(claim, OLD[0], b"1")
    dm = await stores.dm()
    yield Busy(stores, claim, dm, await stores.head(dm), old, await old.get(notice.id))
    await database.close()


@pytest.mark.parametrize("method", OLD_WRITES)
async def test_a_locked_database_is_busy(busy: Busy, database_url: str, method: str) -> None:
    """While another process holds the database, the method says busy; afterwards it works."""
    async with locked(database_url):
        with pytest.raises(StorageBusy):
            await OLD_WRITES[method](busy)

    await OLD_WRITES[method](busy)


@pytest.mark.parametrize("method", OLD_READS)
async def test_a_locked_database_is_busy_to_read(busy: Busy, database_url: str, method: str) -> None:
    """PostgreSQL's tables can be locked against reading too; SQLite's readers wait for nobody."""
    async with locked(database_url):
        if database_url.startswith("sqlite"):
            await OLD_READS[method](busy)
        else:
            with pytest.raises(StorageBusy):
                await OLD_READS[method](busy)


async def test_an_outgoing_password_changes_alone(stores: Stores) -> None:
    """The incoming one stays, and a poll that runs goes on."""
    claim = await stores.claimed()

    changed = await stores.mailboxes.change_outgoing_password(
        OWNER, claim.mailbox.id, Secret("new"), "anna-out", now=NOW
    )

    assert await stores.mailboxes.passwords(OWNER, claim.mailbox.id) == Passwords(
        PASSWORDS.incoming, Secret("new")
    )
    assert changed == claim.mailbox
    assert await stores.keep(claim, b"u1")
    with pytest.raises(NotFound):
        await stores.mailboxes.change_outgoing_password(
            STRANGER, claim.mailbox.id, Secret("new"), "anna-out", now=NOW
        )
