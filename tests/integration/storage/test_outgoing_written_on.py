"""What was called back and is written on gives way to one mail at most, whatever happens at the same moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from storage.errors import Changed
from storage.sending import OutgoingState, Tried, Trouble
from tests.integration.storage.outgoing_scene import ACTOR, ADA, BOB, DUE, LETTER, Scene, anybody
from tests.integration.storage.stores import NEW, NOW, OWNER

if TYPE_CHECKING:
    from storage.vault import Vault
    from tests.integration.storage.stores import Stores

FAILED = Tried(OutgoingState.FAILED, (ADA, BOB), trouble=Trouble.TOO_LONG, said="It could not be sent.")


@pytest.fixture
async def scene(stores: Stores, vault: Vault) -> Scene:
    """A mailbox that sends."""
    return await Scene.on(stores, vault)


async def undone(scene: Scene, form_id: str = "f1") -> str:
    """The id of a mail that was called back."""
    mail = await scene.save(form_id)
    await scene.outgoings.undo(OWNER, mail.id, NOW)
    return mail.id


async def test_of_two_windows_the_first_one_sends(scene: Scene) -> None:
    """The second is told so and writes nothing; the same form again is the mail that it made."""
    mail_id = await undone(scene)

    first = await scene.save("f2", instead=mail_id)
    with pytest.raises(Changed):
        await scene.save("f3", instead=mail_id)
    again = await scene.save("f2", instead=mail_id)

    assert again.id == first.id
    assert await scene.outgoings.of_form(scene.mailbox.id, OWNER, "f3") is None
    before = await scene.outgoings.get(OWNER, mail_id)
    assert before.letter == replace(LETTER, message_id="<f1@example.org>", is_written_on=True, draft="")


async def test_two_windows_at_the_same_moment_send_one_mail(scene: Scene) -> None:
    """From two mailboxes as well: what they write on from is locked until one of them has it."""
    mail_id = await undone(scene)
    other = await scene.stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    news = [scene.new("f2", instead=mail_id), replace(scene.new("f3", instead=mail_id), mailbox_id=other.id)]

    found = await asyncio.gather(
        *(scene.outgoings.save(new, NOW, anybody) for new in news), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in found) == ["Changed", "Outgoing"]


async def test_a_mail_that_is_undone_once_more_is_written_on_from_its_own_form(scene: Scene) -> None:
    """Each gives way to the next; a window of the first stays behind."""
    mail_id = await undone(scene)
    second = await scene.save("f2", instead=mail_id)
    await scene.outgoings.undo(OWNER, second.id, NOW)

    third = await scene.save("f3", instead=second.id)

    assert third.state is OutgoingState.WAITING
    with pytest.raises(Changed):
        await scene.save("f4", instead=mail_id)


@pytest.mark.parametrize("is_sent_again_first", [False, True])
async def test_a_failed_mail_is_sent_again_or_written_on(scene: Scene, *, is_sent_again_first: bool) -> None:
    """Never both: whichever comes first, the other one changes nothing."""
    mail = await scene.sent("f1", FAILED)

    if is_sent_again_first:
        await scene.outgoings.send_again(OWNER, mail.id, DUE, anybody)
        with pytest.raises(Changed):
            await scene.save("f2", instead=mail.id)
        return
    await scene.save("f2", instead=mail.id)
    again = await scene.outgoings.send_again(OWNER, mail.id, DUE, anybody)

    assert again.state is OutgoingState.FAILED
    assert again.letter is not None
    assert again.letter.said == "It could not be sent."


async def test_an_id_of_somebody_elses_mail_changes_nothing(scene: Scene) -> None:
    """Nor does one that is none or past its time: the mail is saved as any other, and theirs stays as it is."""
    theirs = await scene.save("f1", actor=ACTOR)
    await scene.outgoings.undo(ACTOR, theirs.id, NOW)
    purged = await undone(scene, "f2")
    await scene.outgoings.purge(NOW + timedelta(seconds=1), timedelta(0))
    again = await scene.save("f3", actor=ACTOR)
    await scene.outgoings.undo(ACTOR, again.id, NOW)

    for number, instead in enumerate((theirs.id, again.id, purged, "none", "0" * 32)):
        assert (await scene.save(f"g{number}", instead=instead)).state is OutgoingState.WAITING

    kept = await scene.outgoings.get(ACTOR, again.id)
    assert kept.letter is not None
    assert (kept.letter.draft, kept.letter.is_written_on) == (LETTER.draft, False)
