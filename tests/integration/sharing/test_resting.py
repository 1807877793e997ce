"""Whose mailboxes rest because of who their owner is, each told by its event and found where that was lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.rechecking import EVERYTHING, Cause, What
from storage.sharing import Act, Level, Suspension
from tests.integration.sharing.conftest import INES, KENJI, MARTA, TO_KENJI, WIDE
from tests.integration.sharing.test_events import both, shared
from tests.integration.storage.stores import NEW

if TYPE_CHECKING:
    from tests.integration.sharing.conftest import Office


@both
async def test_an_owner_whose_role_may_not_hold_is_suspended_until_it_may(office: Office, path: str) -> None:
    """Nothing of theirs is shown to anybody meanwhile; the share rests and goes on with the mailbox."""
    await shared(office, TO_KENJI, KENJI)

    await office.grant(replace(WIDE, may_hold=False))
    await office.settle(path, EVERYTHING)
    assert await office.suspensions.of(MARTA.workspace) == {office.mailbox_id: Suspension.ROLE}
    assert await office.copies.of_viewer(KENJI) == []

    await office.grant(WIDE)
    await office.settle(path, EVERYTHING)
    assert await office.suspensions.of(MARTA.workspace) == {}
    assert await office.in_force() == {TO_KENJI: Level.OPEN}


@both
async def test_an_owner_who_is_deactivated_is_suspended_and_erased_after_14_days(
    office: Office, path: str
) -> None:
    """The shares rest; the password is kept for two weeks, should they come back, and then destroyed."""
    await shared(office, TO_KENJI, KENJI)

    office.role(MARTA, "deactivated")
    await office.settle(path, Cause(What.USER, MARTA.user))
    assert await office.suspensions.of(MARTA.workspace) == {office.mailbox_id: Suspension.DEACTIVATED}
    assert await office.copies.of_viewer(KENJI) == []
    assert await office.in_force() == {TO_KENJI: Level.OPEN}
    office.clock.now += timedelta(days=13, hours=23)
    await office.rechecker.tick()
    assert await office.acts(Act.CREDENTIALS_ERASED) == 0
    office.clock.now += timedelta(hours=1)
    await office.rechecker.tick()
    await office.rechecker.tick()

    assert await office.acts(Act.CREDENTIALS_ERASED) == 1


@both
async def test_an_owner_who_comes_back_goes_on(office: Office, path: str) -> None:
    """The account is activated again within two weeks: fetched and shared as before."""
    await shared(office, TO_KENJI, KENJI)
    office.role(MARTA, "deactivated")
    await office.settle("event", Cause(What.USER, MARTA.user))

    office.role(MARTA, "member")
    await office.settle(path, Cause(What.USER, MARTA.user))

    assert await office.suspensions.of(MARTA.workspace) == {}
    assert await office.in_force() == {TO_KENJI: Level.OPEN}
    assert await office.acts(Act.MAILBOX_LIFTED) == 1


@both
async def test_what_an_administrator_suspended_stays_so(office: Office, path: str) -> None:
    """Neither a look nor the owner's return lifts it."""
    await office.suspensions.suspend(
        MARTA.workspace, office.mailbox_id, Suspension.ADMINISTRATOR, INES, office.clock(), lambda _: True
    )

    office.role(MARTA, "deactivated")
    await office.settle(path, Cause(What.USER, MARTA.user))
    office.role(MARTA, "member")
    await office.settle(path, Cause(What.USER, MARTA.user))

    assert await office.suspensions.of(MARTA.workspace) == {office.mailbox_id: Suspension.ADMINISTRATOR}


@both
async def test_with_fewer_active_mailboxes_allowed_the_others_rest(office: Office, path: str) -> None:
    """The limit was taken down from none to one."""
    second = replace(NEW, owner=MARTA, form_id="form-2")
    other = await office.stores.mailboxes.add(second, office.clock(), most=None)
    await office.grant(replace(WIDE, active=1))

    await office.settle(path, EVERYTHING)

    found = [await office.stores.mailbox(each, MARTA) for each in (office.mailbox_id, other.id)]
    assert sum(mailbox.is_active for mailbox in found) == 1
