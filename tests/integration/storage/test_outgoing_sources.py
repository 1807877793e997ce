"""A mail that takes something of another mailbox's message: two judges, one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from storage.errors import NotPermitted
from storage.sending import OutgoingState, Source
from storage.sharing import Facts, Suspension
from storage.suspension import Suspensions
from tests.integration.storage.outgoing_scene import DUE, Scene, anybody, nobody
from tests.integration.storage.stores import NEW, NOW, OWNER, STRANGER

if TYPE_CHECKING:
    from storage.vault import Vault
    from tests.integration.storage.stores import Stores


@pytest.fixture
async def scene(stores: Stores, vault: Vault) -> Scene:
    """A mailbox that sends, and in which a message came."""
    made = await Scene.on(stores, vault)
    assert await stores.keep(made.claim, b"u1", b"Subject: Plan\r\n\r\nx\r\n")
    return made


async def message(scene: Scene) -> str:
    """That message."""
    return (await scene.entries())[0].message_id or ""


async def test_the_judge_of_the_message_says_no(scene: Scene) -> None:
    """By the facts of the mailbox that it lies in: nothing is saved, and nothing goes out."""
    asked = list[Facts]()

    def judge(facts: Facts) -> bool:
        asked.append(facts)
        return False

    no = Source(await message(scene), judge)

    with pytest.raises(NotPermitted):
        await scene.outgoings.save(scene.new(), NOW, anybody, no)
    await scene.save()
    submission = await scene.claimed()
    with pytest.raises(NotPermitted):
        await scene.submissions.intend(submission, DUE, anybody, no)

    assert [facts.mailbox_id for facts in asked] == [scene.mailbox.id] * 2
    assert (await scene.outgoings.get(OWNER, submission.outgoing.id)).state is OutgoingState.WAITING
    await scene.submissions.intend(submission, DUE, anybody, Source(await message(scene), anybody))


@pytest.mark.parametrize("may_be_gone", [False, True])
async def test_a_message_that_is_gone_has_no_judge(scene: Scene, *, may_be_gone: bool) -> None:
    """Then only those go on who removed it themselves."""
    gone = Source("none", nobody, may_be_gone)

    if may_be_gone:
        await scene.outgoings.save(scene.new(), NOW, anybody, gone)
        return
    with pytest.raises(NotPermitted):
        await scene.outgoings.save(scene.new(), NOW, anybody, gone)


async def test_nothing_of_a_suspended_mailbox_goes_out_of_another(scene: Scene) -> None:
    """Whatever its judge says."""
    other = await scene.stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    source = Source(await message(scene), anybody)
    await Suspensions(scene.database).suspend(
        "T1", scene.mailbox.id, Suspension.ADMINISTRATOR, STRANGER, NOW, anybody
    )

    with pytest.raises(NotPermitted):
        await scene.outgoings.save(replace(scene.new(), mailbox_id=other.id), NOW, anybody, source)
