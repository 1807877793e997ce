"""The store of mailboxes, as their owners use it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlmodel import select

from storage.errors import LeaseLost, NotFound, StorageError
from storage.records import EntryState, Health, Notice, Passwords, Retention, Secret, SeenState, Tail
from storage.tables import ChunkRow, EntryRow, MailboxRow, MessageRow, SeenRow
from tests.integration.storage.stores import (
    LATER,
    NEW,
    NOW,
    OK,
    OWNER,
    PASSWORDS,
    PROFILE,
    STRANGER,
    Stores,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from storage.database import Database
    from storage.records import Mailbox, Profile

SECOND = replace(NEW, form_id="form-2", make_active=False)


async def changed(
    stores: Stores,
    mailbox: Mailbox,
    *,
    profile: Profile = PROFILE,
    passwords: Passwords = PASSWORDS,
    listing: Sequence[bytes] = (),
    skip: Sequence[bytes] = (),
    now: datetime = NOW,
) -> Mailbox:
    """Change a mailbox's settings."""
    return await stores.mailboxes.change(
        OWNER,
        mailbox.id,
        profile=profile,
        passwords=passwords,
        retention=Retention.LEAVE,
        delete_days=None,
        listing=listing,
        skip=skip,
        now=now,
    )


async def test_added_mailbox_reads_back(stores: Stores) -> None:
    """What a person typed is what they see again, and the mailbox is due at once."""
    added = await stores.mailboxes.add(NEW, NOW)

    assert await stores.mailbox(added.id) == added
    assert (added.owner, added.profile, added.retention) == (OWNER, PROFILE, Retention.DELETE_POSTED)
    assert (added.is_active, added.is_paused, added.health, added.due_at) == (True, False, Health.NEW, NOW)
    assert await stores.mailboxes.passwords(OWNER, added.id) == PASSWORDS


async def test_receiving_only_reads_back(stores: Stores) -> None:
    """A mailbox without outgoing server or password is stored as such."""
    new = replace(
        NEW,
        profile=replace(PROFILE, outgoing=None, outgoing_username=None),
        passwords=Passwords(Secret("in"), None),
    )

    added = await stores.mailboxes.add(new, NOW)

    assert (await stores.mailbox(added.id)).profile == new.profile
    assert await stores.mailboxes.passwords(OWNER, added.id) == new.passwords


async def test_odd_characters_read_back(stores: Stores) -> None:
    """A name or password with any character a form can hold is stored as typed."""
    odd = "\0 \ud800 \U0001f4ec é \u202e 'x'"
    new = replace(NEW, profile=replace(PROFILE, name=odd), passwords=Passwords(Secret(odd), Secret("")))

    added = await stores.mailboxes.add(new, NOW)

    assert (await stores.mailbox(added.id)).profile.name == odd
    assert await stores.mailboxes.passwords(OWNER, added.id) == new.passwords


async def test_same_form_adds_once(stores: Stores) -> None:
    """A form that is sent again makes no second mailbox, also when both arrive at once."""
    first, again = await asyncio.gather(stores.mailboxes.add(NEW, NOW), stores.mailboxes.add(NEW, NOW))

    assert first.id == again.id
    assert [mailbox.id for mailbox in await stores.mailboxes.of(OWNER)] == [first.id]


async def test_unwanted_old_mail_counts_as_seen(stores: Stores) -> None:
    """The UIDs the owner does not want are known from the start, however many and however often listed."""
    uids = tuple(b"old-%d" % number for number in range(1_200))

    added = await stores.mailboxes.add(replace(NEW, skip=(*uids, b"old-7")), NOW)

    seen = await stores.messages.seen(added.id)
    assert seen.keys() == set(uids)
    assert {known.state for known in seen.values()} == {SeenState.SKIPPED}


async def test_first_mailbox_is_active_whatever_was_asked(stores: Stores) -> None:
    """A person's only mailbox is polled; the next one waits unless they say otherwise."""
    first = await stores.mailboxes.add(replace(NEW, make_active=False), NOW)
    second = await stores.mailboxes.add(SECOND, LATER)

    assert [(box.id, box.is_active, box.due_at) for box in await stores.mailboxes.of(OWNER)] == [
        (first.id, True, NOW),
        (second.id, False, None),
    ]


async def test_active_addition_takes_over(stores: Stores) -> None:
    """Adding a mailbox as the active one stops the poll of the one before."""
    claim = await stores.claimed()

    second = await stores.mailboxes.add(replace(SECOND, make_active=True), NOW)

    assert [box.is_active for box in await stores.mailboxes.of(OWNER)] == [False, True]
    assert second.due_at == NOW
    with pytest.raises(LeaseLost):
        await stores.mailboxes.finish(claim, OK)


async def test_activating_takes_over(stores: Stores) -> None:
    """Activating another mailbox makes it due and stops the poll of the one before."""
    claim = await stores.claimed()
    second = await stores.mailboxes.add(SECOND, NOW)

    activated, _ = await stores.mailboxes.activate(OWNER, second.id, LATER)

    assert (activated.is_active, activated.due_at) == (True, LATER)
    assert (await stores.mailbox(claim.mailbox.id)).due_at is None
    with pytest.raises(LeaseLost):
        await stores.messages.note_failure(claim, b"u1", NOW)


async def test_at_most_one_is_active_under_concurrency(stores: Stores) -> None:
    """However many are added and activated at the same moment, one mailbox of a person is active."""
    added = await asyncio.gather(
        *(stores.mailboxes.add(replace(NEW, form_id=f"form-{number}"), NOW) for number in range(6))
    )
    await asyncio.gather(*(stores.mailboxes.activate(OWNER, box.id, NOW) for box in added))

    assert sum(box.is_active for box in await stores.mailboxes.of(OWNER)) == 1


async def test_strangers_mailbox_is_not_there(stores: Stores) -> None:
    """Somebody else's mailbox and a missing one read alike, whatever is tried."""
    box = await stores.mailboxes.add(NEW, NOW)

    for owner, mailbox_id in (
        (STRANGER, box.id),
        (replace(OWNER, workspace="T2"), box.id),
        (OWNER, "missing"),
    ):
        for call in (
            stores.mailboxes.get(owner, mailbox_id),
            stores.mailboxes.passwords(owner, mailbox_id),
            stores.mailboxes.activate(owner, mailbox_id, NOW),
            stores.mailboxes.pause(owner, mailbox_id, NOW),
            stores.mailboxes.resume(owner, mailbox_id, NOW),
            stores.mailboxes.check_now(owner, mailbox_id, NOW),
            stores.holdings.remove(owner, mailbox_id, LATER),
        ):
            with pytest.raises(NotFound):
                await call
    assert await stores.mailboxes.of(STRANGER) == []
    assert await stores.mailbox(box.id) == box


async def test_pause_and_resume(stores: Stores) -> None:
    """A paused mailbox is not due and its running poll writes nothing more; resumed it is due at once."""
    claim = await stores.claimed()

    paused = await stores.mailboxes.pause(OWNER, claim.mailbox.id, NOW)
    resumed = await stores.mailboxes.resume(OWNER, claim.mailbox.id, LATER)

    assert (paused.is_paused, paused.due_at) == (True, None)
    assert (resumed.is_paused, resumed.due_at) == (False, LATER)
    with pytest.raises(LeaseLost):
        await stores.mailboxes.renew(claim, LATER)


async def test_refused_login_is_not_polled_by_resuming(stores: Stores) -> None:
    """Once the login was refused, only new settings start polling again: accounts get locked."""
    claim = await stores.claimed()
    await stores.mailboxes.finish(claim, replace(OK, health=Health.LOGIN_REFUSED, failures=1, due_at=None))

    await stores.mailboxes.pause(OWNER, claim.mailbox.id, NOW)
    resumed = await stores.mailboxes.resume(OWNER, claim.mailbox.id, NOW)
    fixed = await changed(stores, claim.mailbox, now=LATER)

    assert resumed.due_at is None
    assert (fixed.health, fixed.due_at) == (Health.LOGIN_REFUSED, LATER)


async def test_refused_login_fixed_while_paused_is_polled_once_resumed(stores: Stores) -> None:
    """New settings given to a paused mailbox are tried when it is resumed."""
    claim = await stores.claimed()
    await stores.mailboxes.finish(claim, replace(OK, health=Health.LOGIN_REFUSED, failures=1, due_at=None))
    await stores.mailboxes.pause(OWNER, claim.mailbox.id, NOW)

    await changed(stores, claim.mailbox)

    assert (await stores.mailboxes.resume(OWNER, claim.mailbox.id, LATER)).due_at == LATER


async def test_change_replaces_and_relists(stores: Stores) -> None:
    """Changed settings are stored, the next poll lists everything, the alarm stays until a poll passes."""
    claim = await stores.claimed()
    refused = replace(
        OK, tail=Tail(9, b"u9"), capabilities=frozenset({"TOP"}), failures=3, notice=Notice.LOGIN_REFUSED
    )
    await stores.mailboxes.finish(claim, refused)
    profile = replace(PROFILE, username="anna2")
    passwords = Passwords(Secret("new"), None)

    box = await changed(stores, claim.mailbox, profile=profile, passwords=passwords, now=LATER)

    assert (box.profile, box.retention, box.due_at, box.failures) == (profile, Retention.LEAVE, LATER, 0)
    assert (box.tail, box.listed_at, box.capabilities) == (None, None, None)
    assert box.has_alarm
    assert await stores.mailboxes.passwords(OWNER, box.id) == passwords


async def test_change_stops_the_running_poll(stores: Stores) -> None:
    """A poll that began with the old settings writes nothing after they changed."""
    claim = await stores.claimed()

    await changed(stores, claim.mailbox)

    with pytest.raises(LeaseLost):
        await stores.mailboxes.claimed_passwords(claim)
    assert (await stores.claim()).fence > claim.fence


async def test_change_to_another_maildrop_skips_its_old_mail(stores: Stores) -> None:
    """Where nothing listed is known, old mail is not poured out; where something is, new mail is not lost."""
    box = await stores.mailboxes.add(replace(NEW, skip=(b"a",)), NOW)

    await changed(stores, box, listing=[b"a", b"new"], skip=[b"a", b"new"])
    same = await stores.messages.seen(box.id)
    await changed(stores, box, listing=[b"x", b"y"], skip=[b"x"])
    other = await stores.messages.seen(box.id)

    assert (set(same), set(other)) == ({b"a"}, {b"a", b"x"})


async def test_change_of_paused_mailbox_does_not_start_it(stores: Stores) -> None:
    """Changing a mailbox that is paused or not active leaves it so."""
    box = await stores.mailboxes.add(NEW, NOW)
    await stores.mailboxes.pause(OWNER, box.id, NOW)

    assert (await changed(stores, box)).due_at is None


async def test_check_now_lets_the_running_poll_go_on(stores: Stores) -> None:
    """A check asked for during a poll breaks nothing, and another poll follows."""
    claim = await stores.claimed()
    asked = NOW + timedelta(seconds=3)

    await stores.mailboxes.check_now(OWNER, claim.mailbox.id, asked)
    await stores.mailboxes.finish(claim, OK)

    assert (await stores.mailbox(claim.mailbox.id)).due_at == asked


async def test_check_now_of_unpolled_mailbox_does_nothing(stores: Stores) -> None:
    """A paused mailbox stays paused when a check is asked for."""
    box = await stores.mailboxes.add(NEW, NOW)
    await stores.mailboxes.pause(OWNER, box.id, NOW)

    assert (await stores.mailboxes.check_now(OWNER, box.id, NOW)).due_at is None


async def test_removed_leaves_nothing(stores: Stores) -> None:
    """After removal no row speaks of the mailbox, and others are untouched."""
    claim = await stores.claimed()
    other = await stores.mailboxes.add(SECOND, NOW)
    await stores.mailboxes.finish(claim, replace(OK, due_at=NOW, notice=Notice.LOGIN_REFUSED))
    await stores.keep(await stores.claim(), b"u1")

    await stores.holdings.remove(OWNER, claim.mailbox.id, LATER)

    assert await stores.mailboxes.of(OWNER) == [other]
    async with stores.database.read() as session:
        for table in (SeenRow, MessageRow, ChunkRow, EntryRow):
            assert (await session.exec(select(table))).all() == []


async def test_removal_stops_poll_and_delivery(stores: Stores) -> None:
    """Whoever polls or posts for a mailbox while it is removed can write nothing more."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u1")
    dm = await stores.dm()
    entry = await stores.head(dm)

    await stores.holdings.remove(OWNER, claim.mailbox.id, LATER)

    with pytest.raises(LeaseLost):
        await stores.keep(claim, b"u2")
    with pytest.raises(LeaseLost):
        await stores.outbox.record(dm, replace(entry, state=EntryState.POSTING), now=NOW)


async def test_removal_destroys_the_key_first(stores: Stores) -> None:
    """A removal that breaks off has already made everything unreadable, and is finished at the next start."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u1")
    entry = await stores.head(await stores.dm())
    assert entry.message_id is not None

    async with deleting_fails(stores.database, "entry"):
        with pytest.raises(StorageError):
            await stores.holdings.remove(OWNER, claim.mailbox.id, LATER)

    assert await stores.mailboxes.of(OWNER) == []
    with pytest.raises(NotFound):
        await stores.messages.load(entry.message_id)
    assert await stores.holdings.finish() == 1
    async with stores.database.read() as session:
        assert (await session.exec(select(MailboxRow))).all() == []
        assert (await session.exec(select(ChunkRow))).all() == []


@asynccontextmanager
async def deleting_fails(database: Database, table: str) -> AsyncIterator[None]:
    """Let the database refuse to delete rows of a table."""
    await run(database, *(statement.format(table) for statement in FORBID[database.is_sqlite]))
    try:
        yield
    finally:
        await run(database, *(statement.format(table) for statement in ALLOW[database.is_sqlite]))


async def run(database: Database, *statements: str) -> None:
    """Run statements in one transaction."""
    async with database.write() as session:
        connection = await session.connection()
        for statement in statements:
            await connection.execute(text(statement))


FORBID = {
    True: ("CREATE TRIGGER forbid BEFORE DELETE ON {} BEGIN SELECT RAISE(ABORT, 'no'); END",),
    False: (
        "CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
        "CREATE TRIGGER forbid BEFORE DELETE ON {} FOR EACH ROW EXECUTE FUNCTION forbid()",
    ),
}
ALLOW = {
    True: ("DROP TRIGGER forbid",),
    False: ("DROP TRIGGER forbid ON {}", "DROP FUNCTION forbid"),
}
