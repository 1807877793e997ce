"""Suspended mailboxes, and how many may be active."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import text

from storage.audits import Audits
from storage.errors import LeaseLost, NotFound, NotPermitted
from storage.records import Health, Passwords, Person, Secret
from storage.shares import Shares
from storage.sharing import Act, Room, Suspension
from storage.suspension import Suspensions
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
    from storage.records import Mailbox
    from storage.sharing import Facts

ADMIN = Person("T1", "UADMIN")


def anybody(_: Facts) -> bool:
    """A judge who has nothing against it."""
    return True


async def suspend(stores: Stores, mailbox_id: str, why: Suspension, actor: Person | None = None) -> bool:
    """Now, for one cause."""
    return await Suspensions(stores.database).suspend("T1", mailbox_id, why, actor, NOW, anybody)


async def lift(stores: Stores, mailbox_id: str, actor: Person | None = None) -> bool:
    """Later."""
    return await Suspensions(stores.database).lift("T1", mailbox_id, actor, LATER, anybody)


async def several(stores: Stores, count: int) -> list[Mailbox]:
    """So many of one person, all active, in the order they became so."""
    return [
        await stores.mailboxes.add(
            replace(NEW, form_id=f"form-{number}"), NOW + timedelta(minutes=number), most=None
        )
        for number in range(count)
    ]


async def test_the_rank_of_the_highest_who_suspended_is_kept(stores: Stores) -> None:
    """The judge of whoever lifts is shown it; what the owner's role did has none, and a lifted one leaves none."""
    mailbox_id, store, shares = (
        (await several(stores, 1))[0].id,
        Suspensions(stores.database),
        Shares(stores.database),
    )
    why = Suspension.ADMINISTRATOR
    found = []
    for rank in (4, 6, 5):
        await store.suspend("T1", mailbox_id, why, ADMIN, NOW, anybody, rank)
        found.append((await shares.facts(mailbox_id)).suspended_rank)
    await suspend(stores, mailbox_id, Suspension.ROLE)
    found.append((await shares.facts(mailbox_id)).suspended_rank)
    assert found == [4, 6, 6, 6]

    def may_not(facts: Facts) -> bool:
        return facts.suspended_rank is None

    with pytest.raises(NotPermitted):
        await store.lift("T1", mailbox_id, ADMIN, LATER, may_not)
    await lift(stores, mailbox_id, ADMIN)

    facts = await shares.facts(mailbox_id)
    assert (facts.suspension, facts.suspended_rank) == (Suspension.ROLE, None)


async def test_a_suspended_mailbox_is_never_claimed(stores: Stores) -> None:
    """The poll that runs writes nothing more, and nothing its owner does makes it due."""
    claim = await stores.claimed()
    mailbox_id = claim.mailbox.id

    assert await suspend(stores, mailbox_id, Suspension.ADMINISTRATOR, ADMIN)
    with pytest.raises(LeaseLost):
        await stores.mailboxes.finish(claim, OK)
    await stores.mailboxes.pause(OWNER, mailbox_id, NOW)
    await stores.mailboxes.resume(OWNER, mailbox_id, NOW)
    await stores.mailboxes.check_now(OWNER, mailbox_id, NOW)
    await stores.mailboxes.activate(OWNER, mailbox_id, NOW)

    found = await stores.mailbox(mailbox_id)
    assert (found.suspension, found.suspended_at, found.due_at) == (Suspension.ADMINISTRATOR, NOW, None)
    assert await stores.mailboxes.claim_due(LATER, lease=LEASE, worker="w", limit=9) == []
    assert not await suspend(stores, mailbox_id, Suspension.ADMINISTRATOR, ADMIN)


async def test_one_cause_is_lifted_and_the_other_stays(stores: Stores) -> None:
    """An administrator lifts what administrators set; the owner's role ends by itself."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    await suspend(stores, mailbox.id, Suspension.ROLE)
    await suspend(stores, mailbox.id, Suspension.ADMINISTRATOR, ADMIN)
    assert await Suspensions(stores.database).of("T1") == {mailbox.id: Suspension.ADMINISTRATOR}

    assert await lift(stores, mailbox.id, ADMIN)
    assert (await stores.mailbox(mailbox.id)).suspension is Suspension.ROLE
    assert not await lift(stores, mailbox.id, ADMIN)
    assert await lift(stores, mailbox.id)

    found = await stores.mailbox(mailbox.id)
    assert (found.suspension, found.suspended_at, found.due_at) == (None, None, LATER)
    acts = [entry.act for entry in await Audits(stores.database).list("T1", limit=9)]
    assert acts.count(Act.MAILBOX_SUSPENDED) == acts.count(Act.MAILBOX_LIFTED) == 2


async def test_who_comes_back_as_a_guest_is_not_deactivated_any_more(stores: Stores) -> None:
    """Role and account take each other's place, so that nothing is erased of a person who is there."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    await suspend(stores, mailbox.id, Suspension.DEACTIVATED)

    await suspend(stores, mailbox.id, Suspension.ROLE)

    assert (await stores.mailbox(mailbox.id)).suspension is Suspension.ROLE
    assert await Suspensions(stores.database).erase_overdue("T1", LATER, LATER) == 0


async def test_the_judge_and_the_workspace_are_heard(stores: Stores) -> None:
    """A judge who says no, and an id of another workspace, change nothing."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    store = Suspensions(stores.database)

    with pytest.raises(NotPermitted):
        await store.suspend("T1", mailbox.id, Suspension.ROLE, None, NOW, lambda _: False)
    with pytest.raises(NotFound):
        await store.suspend("T2", mailbox.id, Suspension.ROLE, None, NOW, anybody)

    assert (await stores.mailbox(mailbox.id)).suspension is None


async def test_credentials_of_a_deactivated_owner_are_erased(stores: Stores) -> None:
    """They open no more; back again, the mailbox asks for the password and goes on with a new one."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    store = Suspensions(stores.database)
    await suspend(stores, mailbox.id, Suspension.DEACTIVATED)
    assert await store.erase_overdue("T1", NOW - timedelta(days=1), LATER) == 0

    assert await store.erase_overdue("T1", NOW, LATER) == 1
    assert await store.erase_overdue("T1", NOW, LATER) == 0
    assert await stores.mailboxes.passwords(OWNER, mailbox.id) == Passwords(Secret(""), None)
    await lift(stores, mailbox.id)

    found = await stores.mailbox(mailbox.id)
    assert (found.suspension, found.health, found.due_at) == (None, Health.PASSWORD_ERASED, None)
    acts = [entry.act for entry in await Audits(stores.database).list("T1", limit=9)]
    assert acts.count(Act.CREDENTIALS_ERASED) == 1
    assert [why for kind, why in await tellings(stores) if kind == "mailbox_lifted"] == ["password_erased"]


async def tellings(stores: Stores) -> list[tuple[str, str]]:
    """What is told, and the word for why."""
    async with stores.database.read() as session:
        rows = (await (await session.connection()).execute(text("SELECT kind, why FROM telling"))).all()
    return [(kind, why) for kind, why in rows]


async def test_with_more_active_ones_the_longest_active_gives_way(stores: Stores) -> None:
    """Of three with two allowed; none gives way without a limit."""
    first, second, third = await several(stores, 3)
    assert await Suspensions(stores.database).keep_active(OWNER, 2, NOW) == [third.id]

    _, rested = await stores.mailboxes.activate(OWNER, third.id, LATER, most=2)

    assert [other.id for other in rested] == [first.id]
    assert [each.is_active for each in await stores.mailboxes.of(OWNER)] == [False, True, True]
    assert (await stores.mailboxes.activate(OWNER, first.id, LATER, most=None))[1] == []
    assert second.is_active


async def test_two_activations_at_once_keep_the_limit(stores: Stores) -> None:
    """Serialised on the owner, however they come."""
    added = await several(stores, 5)
    await Suspensions(stores.database).keep_active(OWNER, 2, NOW)

    await asyncio.gather(*(stores.mailboxes.activate(OWNER, box.id, LATER, most=2) for box in added))

    assert sum(box.is_active for box in await stores.mailboxes.of(OWNER)) == 2


async def test_a_mailbox_too_many_is_not_stored(stores: Stores) -> None:
    """The judge hears how many there are; two forms at once do not both pass."""

    def one(_: object, held: int) -> Room:
        return Room(may=held < 1)

    forms = [replace(NEW, form_id=form) for form in ("a", "b")]
    results = await asyncio.gather(
        *(stores.mailboxes.add(form, NOW, judge=one) for form in forms), return_exceptions=True
    )

    assert sum(isinstance(result, NotPermitted) for result in results) == 1
    assert len(await stores.mailboxes.of(OWNER)) == 1


CHANGE: Final[dict[str, Any]] = {
    "profile": replace(PROFILE, name="Other"),
    "passwords": PASSWORDS,
    "retention": NEW.retention,
    "delete_days": None,
    "listing": None,
    "skip": (),
    "now": LATER,
}


async def test_a_change_is_judged_by_the_grants_of_its_moment(stores: Stores) -> None:
    """Who may not hold such a mailbox any more changes nothing of it."""
    mailbox = await stores.mailboxes.add(NEW, NOW)

    with pytest.raises(NotPermitted):
        await stores.mailboxes.change(OWNER, mailbox.id, **CHANGE, judge=lambda *_: Room(may=False))
    assert await stores.mailbox(mailbox.id) == mailbox
    changed = await stores.mailboxes.change(OWNER, mailbox.id, **CHANGE, judge=lambda *_: Room())

    assert changed.profile.name == "Other"


async def test_a_suspended_mailbox_takes_no_new_credentials(stores: Stores) -> None:
    """Neither by the form nor the outgoing password alone; lifted, it does."""
    mailbox = await stores.mailboxes.add(NEW, NOW)
    await suspend(stores, mailbox.id, Suspension.ADMINISTRATOR, ADMIN)

    with pytest.raises(NotPermitted):
        await stores.mailboxes.change(OWNER, mailbox.id, **CHANGE)
    with pytest.raises(NotPermitted):
        await stores.mailboxes.change_outgoing_password(OWNER, mailbox.id, Secret("new"), "anna-out", now=NOW)
    assert await stores.mailboxes.passwords(OWNER, mailbox.id) == PASSWORDS
    await lift(stores, mailbox.id, ADMIN)

    assert (await stores.mailboxes.change(OWNER, mailbox.id, **CHANGE)).profile.name == "Other"
