"""A refused outgoing login holds the mail of its mailbox until it is mended; and what is remembered of mail that went."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from storage.errors import LeaseLost, NotFound
from storage.records import Notice, Secret
from storage.sending import OutgoingState, RecipientState, Tried, Trouble
from tests.integration.storage.outgoing_scene import (
    ADA,
    BOB,
    DUE,
    HELD,
    SENT,
    Scene,
    answered,
    anybody,
)
from tests.integration.storage.stores import LATER, NEW, NOW, OWNER, PASSWORDS, PROFILE, Stores

if TYPE_CHECKING:
    from storage.vault import Vault


@pytest.fixture
async def scene(stores: Stores, vault: Vault) -> Scene:
    """A mailbox that sends."""
    return await Scene.on(stores, vault)


async def states(scene: Scene, *forms: str) -> list[OutgoingState]:
    """How far the mails of these forms are."""
    return [(await scene.outgoings.save(scene.new(form), NOW, anybody)).state for form in forms]


async def test_a_refused_login_holds_every_mail_of_the_mailbox(scene: Scene) -> None:
    """What waits and what comes; its owner is told once, however often it is refused."""
    await scene.save("f1")
    await scene.save("f2")
    held = await scene.submissions.settle(await scene.claimed(), HELD, DUE)
    new = await scene.save("f3")

    assert held.letter is not None
    assert (held.state, held.trouble, held.letter.said) == (
        OutgoingState.HELD,
        Trouble.LOGIN_REFUSED,
        HELD.said,
    )
    assert (new.state, new.trouble) == (OutgoingState.HELD, Trouble.LOGIN_REFUSED)
    assert await states(scene, "f1", "f2") == [OutgoingState.HELD] * 2
    assert await scene.claim_all(LATER) == []
    notices = [entry.notice for entry in await scene.entries()]
    assert notices.count(Notice.OUTGOING_REFUSED) == 1
    assert (await scene.stores.mailbox(scene.mailbox.id)).outgoing_refused_at == DUE


async def test_what_was_held_goes_once_the_login_is_mended(scene: Scene) -> None:
    """As new mail, no sooner than it may be undone; refused again, its owner is told again."""
    await scene.save("f1")
    await scene.submissions.settle(await scene.claimed(), HELD, DUE)
    await scene.save("f2", LATER)

    assert await scene.outgoings.mended(scene.mailbox.id, LATER) == 2
    assert await scene.outgoings.mended(scene.mailbox.id, LATER) == 0

    submission = await scene.claimed(LATER)
    assert (submission.outgoing.attempts, submission.outgoing.begun_at) == (0, LATER)
    assert await scene.claim_all(LATER) == []
    assert (await scene.stores.mailbox(scene.mailbox.id)).outgoing_refused_at is None
    await scene.submissions.settle(submission, HELD, LATER)
    notices = [entry.notice for entry in await scene.entries()]
    assert notices.count(Notice.OUTGOING_REFUSED) == 2


@pytest.mark.parametrize("how", ["change", "password"])
async def test_new_credentials_mend_by_themselves(scene: Scene, how: str) -> None:
    """In the transaction that stores them, whichever form they came by."""
    await scene.save()
    await scene.submissions.settle(await scene.claimed(), HELD, DUE)

    if how == "change":
        await scene.stores.mailboxes.change(
            OWNER,
            scene.mailbox.id,
            profile=PROFILE,
            passwords=PASSWORDS,
            retention=scene.mailbox.retention,
            delete_days=None,
            listing=None,
            skip=(),
            now=LATER,
        )
    else:
        await scene.stores.mailboxes.change_outgoing_password(
            OWNER, scene.mailbox.id, Secret("new"), "anna2", now=LATER
        )
        mailbox = await scene.stores.mailbox(scene.mailbox.id)
        assert mailbox.profile.outgoing_username == "anna2"

    assert (await scene.claimed(LATER)).outgoing.state is OutgoingState.WAITING


async def test_a_try_with_the_old_password_says_nothing_any_more(scene: Scene) -> None:
    """Its owner mended it meanwhile: that the old one was refused holds nothing, and the mail goes at once."""
    await scene.save()
    submission = await scene.claimed()

    await scene.stores.mailboxes.change_outgoing_password(
        OWNER, scene.mailbox.id, Secret("new"), "anna-out", now=DUE
    )

    with pytest.raises(LeaseLost):
        await scene.submissions.settle(submission, HELD, DUE)
    assert (await scene.claimed()).outgoing.state is OutgoingState.WAITING


async def test_what_is_going_out_is_not_disturbed_by_new_credentials(scene: Scene) -> None:
    """Its password was taken."""
    submission = await scene.intended()

    await scene.outgoings.mended(scene.mailbox.id, DUE)

    assert (await scene.submissions.settle(submission, SENT, DUE)).state is OutgoingState.SENT


# Domains and stock


async def test_a_domain_is_new_until_mail_went_there(scene: Scene) -> None:
    """Of this mailbox, and to somebody who took it; however it is written."""
    other = await scene.stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    bob = answered(RecipientState.REFUSED, BOB)
    asked = ["Y.example", "z.example"]
    assert await scene.outgoings.new_domains(scene.mailbox.id, asked) == set(asked)

    await scene.sent(tried=Tried(OutgoingState.SENT, (*answered(RecipientState.TAKEN, ADA), *bob)))
    await scene.sent("f2")

    assert await scene.outgoings.new_domains(scene.mailbox.id, [*asked, "w.example"]) == {"w.example"}
    assert await scene.outgoings.new_domains(other.id, asked) == set(asked)
    assert await scene.outgoings.new_domains(other.id, []) == set()
    with pytest.raises(NotFound):
        await scene.outgoings.new_domains("none", asked)


async def test_the_stock_is_what_is_under_way(scene: Scene) -> None:
    """By state, without what is at its end."""
    await scene.sent("f0")
    await scene.save("f1")
    await scene.save("f2", LATER)

    stock = await scene.submissions.stock()

    assert (stock.by_state, stock.oldest_due) == ({OutgoingState.WAITING: 2}, DUE)
