"""Changing a mailbox: what grants and administrators say counts at the moment it is stored, not when the form was sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import NotAllowed, Suspended
from storage.records import Secret
from storage.sharing import Suspension
from storage.suspension import Suspensions
from tests.integration.sharing.conftest import INES, MARTA, WIDE
from tests.integration.sharing.test_adding import CHECKED, PLAIN, order, refusals, registrar_of

if TYPE_CHECKING:
    from tests.integration.sharing.conftest import Office


async def test_a_grant_written_during_the_test_keeps_the_old_servers(office: Office) -> None:
    """The form was fine when it was sent; stored is what was there, and one line says why."""
    await office.grant(replace(WIDE, allows_plain=True))
    registrar = registrar_of(office)
    await registrar.allow(MARTA, PLAIN, office.mailbox_id)
    await office.grant(WIDE)

    with pytest.raises(NotAllowed):
        await registrar.change(MARTA, office.mailbox_id, order(PLAIN), CHECKED)

    mailbox = await office.stores.mailbox(office.mailbox_id, MARTA)
    assert mailbox.profile.incoming != PLAIN.incoming
    assert len(await refusals(office)) == 1


@pytest.mark.parametrize("is_whole", [True, False], ids=["settings", "outgoing password"])
async def test_a_mailbox_suspended_during_the_test_is_not_changed(office: Office, *, is_whole: bool) -> None:
    """Whoever suspended it meanwhile is not overtaken by a form that was on its way."""
    registrar = registrar_of(office)
    before = await office.stores.mailbox(office.mailbox_id, MARTA)
    suspend = Suspensions(office.stores.database).suspend
    await suspend(MARTA.workspace, before.id, Suspension.ADMINISTRATOR, INES, office.clock(), lambda _: True)

    changing = (
        registrar.change(MARTA, before.id, order(before.profile), CHECKED)
        if is_whole
        else registrar.change_outgoing_password(MARTA, before.id, Secret("new"))
    )
    with pytest.raises(Suspended):
        await changing
