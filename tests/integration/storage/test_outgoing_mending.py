"""Mail that waited for another outgoing password goes out in the times that are given for it, and its alarm ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from storage.records import Secret
from storage.sending import OutgoingState, RecipientState, Tried, Trouble, WaitingMail
from storage.sending_tables import OutgoingRow
from storage.statements import plain, update_rows
from tests.integration.storage.outgoing_scene import ACTOR, ADA, BOB, DUE, HELD, Scene, answered
from tests.integration.storage.stores import LATER, LEASE, OWNER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storage.vault import Vault
    from tests.integration.storage.stores import Stores

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def scene(stores: Stores, vault: Vault) -> Scene:
    """A mailbox that sends."""
    return await Scene.on(stores, vault)


async def held(scene: Scene) -> list[str]:
    """Two mails that are held, the second of which can still be undone later."""
    first = await scene.save("f1")
    await scene.submissions.settle(await scene.claimed(), HELD, DUE)
    second = await scene.save("f2", LATER, actor=ACTOR)
    return [first.id, second.id]


async def mended(scene: Scene, spaced: object, now: datetime = LATER) -> None:
    """Somebody enters the right password."""
    await scene.stores.mailboxes.change_outgoing_password(
        OWNER,
        scene.mailbox.id,
        Secret("new"),
        "anna-out",
        now=now,
        spaced=spaced,  # type: ignore[arg-type] # one that notes
    )


async def test_held_mail_is_due_when_it_is_said(scene: Scene) -> None:
    """Whose it is and to how many is told to whoever says so; it is begun then, so no wait is held against it."""
    ids, asked = await held(scene), list[WaitingMail]()

    def spaced(waiting: Sequence[WaitingMail], now: datetime) -> list[datetime]:
        asked.extend(waiting)
        return [now + MINUTE * number for number in range(1, len(waiting) + 1)]

    await mended(scene, spaced)

    undo = LATER + timedelta(seconds=10)
    assert asked == [WaitingMail(OWNER, 2), WaitingMail(ACTOR, 2, not_before=undo)]
    found = [await scene.outgoings.get(OWNER, each) for each in ids]
    assert [each.state for each in found] == [OutgoingState.WAITING] * 2
    assert [each.due_at for each in found] == [LATER + MINUTE, LATER + 2 * MINUTE]
    assert [each.begun_at for each in found] == [LATER + MINUTE, LATER + 2 * MINUTE]
    assert await scene.claim_all(LATER) == []
    assert len(await scene.claim_all(LATER + MINUTE)) == 1


async def test_what_was_tried_in_vain_takes_its_turn_too(scene: Scene) -> None:
    """To those whom it is still owed; what waits for its first try is due as before, and what goes out now is let be."""
    tried = await scene.save("f1")
    partly = (*answered(RecipientState.TAKEN, ADA), BOB)
    later = Tried(OutgoingState.WAITING, partly, due_at=LATER + LEASE, trouble=Trouble.RECIPIENTS_REFUSED)
    claimed = await scene.claimed()
    await scene.submissions.intend(claimed, DUE, lambda _: True)
    await scene.submissions.settle(claimed, later, DUE)
    new, asked = await scene.save("f2", LATER), list[WaitingMail]()

    def spaced(waiting: Sequence[WaitingMail], now: datetime) -> list[datetime]:
        asked.extend(waiting)
        return [now + MINUTE] * len(waiting)

    await mended(scene, spaced)

    assert asked == [WaitingMail(OWNER, 1, is_held=False)]
    assert (await scene.outgoings.get(OWNER, tried.id)).due_at == LATER + MINUTE
    assert (await scene.outgoings.get(OWNER, new.id)).due_at == new.due_at


async def test_a_letter_that_does_not_open_holds_up_no_mending(scene: Scene) -> None:
    """It counts as one recipient, and the others go."""
    await held(scene)
    async with scene.database.write() as session:
        await update_rows(session, OutgoingRow, plain(OutgoingRow).c.form_id == "f1", {"letter": b"broken"})
    asked = list[WaitingMail]()

    def spaced(waiting: Sequence[WaitingMail], now: datetime) -> list[datetime]:
        asked.extend(waiting)
        return [now] * len(waiting)

    await mended(scene, spaced)

    assert [each.recipients for each in asked] == [1, 2]


async def test_the_alarm_is_behind_once_it_is_over(scene: Scene) -> None:
    """However many mails were held; told, it is not changed any more, whatever becomes of them."""
    (first, _) = await held(scene)
    await scene.posted()
    for post in (await scene.posts.behind(9))[0]:
        await scene.posts.told(post.entry_id, post.changes)
    await scene.outgoings.undo(OWNER, first, LATER)

    await scene.outgoings.mended(scene.mailbox.id, LATER)

    (alarm,) = [post for post in (await scene.posts.behind(9))[0] if post.is_alarm]
    assert (alarm.to, alarm.outgoing.id) == (OWNER, first)
    await scene.posts.told(alarm.entry_id, alarm.changes, is_over=True)
    await scene.outgoings.mended(scene.mailbox.id, LATER)
    assert not [post for post in (await scene.posts.behind(9))[0] if post.is_alarm]
