"""The server's answer comes after the lease ran out: that it took the mail counts, and never against what somebody decided."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from storage.errors import LeaseLost, NotFound
from storage.records import EntryState, Notice
from storage.sending import OutgoingState, RecipientState, Tried, Trouble
from storage.sent import forget_sender
from tests.integration.storage.outgoing_scene import (
    ACTOR,
    ADA,
    BOB,
    DUE,
    SENT,
    TAKEN,
    Scene,
    answered,
    anybody,
)
from tests.integration.storage.stores import LATER, LEASE, OWNER

if TYPE_CHECKING:
    from storage.sending import Submission
    from storage.vault import Vault
    from tests.integration.storage.stores import Stores

PARTLY = (*answered(RecipientState.TAKEN, ADA), *answered(RecipientState.REFUSED, BOB, code=550))


@pytest.fixture
async def scene(stores: Stores, vault: Vault) -> Scene:
    """A mailbox that sends."""
    return await Scene.on(stores, vault)


async def lapsed(scene: Scene, form_id: str = "f1", **more: Any) -> Submission:
    """A mail that another process called unknown, as this one still holds it."""
    await scene.save(form_id, **more)
    (submission,) = await scene.claim_all()
    await scene.submissions.intend(submission, DUE, anybody)
    assert await scene.claim_all(DUE + LEASE, worker="w2") == []
    found = await scene.outgoings.get(submission.outgoing.actor, submission.outgoing.id)
    assert found.state is OutgoingState.UNKNOWN
    return submission


@pytest.mark.parametrize("is_left", [False, True])
async def test_that_the_server_took_it_is_recorded_late(scene: Scene, *, is_left: bool) -> None:
    """Once; to let it rest was no decision to send it again."""
    submission = await lapsed(scene)
    if is_left:
        await scene.outgoings.leave(OWNER, submission.outgoing.id, LATER)

    found = await scene.submissions.settle(submission, SENT, LATER)

    assert (found.state, found.trouble, found.finished_at) == (OutgoingState.SENT, None, LATER)
    assert found.letter is not None
    assert found.letter.recipients == TAKEN
    assert await scene.outgoings.new_domains(scene.mailbox.id, ["y.example", "q.example"]) == {"q.example"}
    with pytest.raises(LeaseLost):
        await scene.submissions.settle(submission, SENT, LATER)
    again = await scene.outgoings.send_again(OWNER, submission.outgoing.id, LATER, anybody)
    assert again.state is OutgoingState.SENT


async def test_whom_the_server_refused_is_told_late_too(scene: Scene) -> None:
    """In a post of its own, as in time."""
    submission = await lapsed(scene)
    tried = Tried(OutgoingState.SENT, PARTLY, trouble=Trouble.RECIPIENTS_REFUSED)

    found = await scene.submissions.settle(submission, tried, LATER)

    assert (found.state, found.trouble) == (OutgoingState.SENT, Trouble.RECIPIENTS_REFUSED)
    news = [each for each in await scene.entries() if each.notice == Notice.OUTGOING_NEWS]
    assert [each.state for each in news] == [EntryState.WAITING] * 2


async def test_who_decided_to_send_it_again_is_not_overruled(scene: Scene) -> None:
    """Whether the second try waits, is about to go out, or ended unknown as well: the first has nothing more to say."""
    first = await lapsed(scene)
    outgoing_id = first.outgoing.id

    await scene.outgoings.send_again(OWNER, outgoing_id, LATER, anybody)
    with pytest.raises(LeaseLost):
        await scene.submissions.settle(first, SENT, LATER)
    second = await scene.claimed(LATER)
    with pytest.raises(LeaseLost):
        await scene.submissions.settle(first, SENT, LATER)
    await scene.submissions.intend(second, LATER, anybody)
    with pytest.raises(LeaseLost):
        await scene.submissions.settle(first, SENT, LATER)
    assert await scene.claim_all(LATER + LEASE) == []
    with pytest.raises(LeaseLost):
        await scene.submissions.settle(first, SENT, LATER)

    assert (await scene.outgoings.get(OWNER, outgoing_id)).state is OutgoingState.UNKNOWN
    assert (await scene.submissions.settle(second, SENT, LATER)).state is OutgoingState.SENT


async def test_nothing_else_is_recorded_late(scene: Scene) -> None:
    """Neither that it was refused, nor that it is to be tried again, nor that nobody knows, nor an end without an answer."""
    submission = await lapsed(scene)
    some = (*answered(RecipientState.TAKEN, ADA), BOB)

    for tried in (
        Tried(OutgoingState.FAILED, (ADA, BOB), trouble=Trouble.MESSAGE_REFUSED, said="No."),
        Tried(OutgoingState.WAITING, some, due_at=LATER, trouble=Trouble.RECIPIENTS_REFUSED),
        Tried(OutgoingState.UNKNOWN, (ADA, BOB), trouble=Trouble.NO_ANSWER),
        Tried(OutgoingState.HELD, (ADA, BOB), trouble=Trouble.LOGIN_REFUSED),
        Tried(OutgoingState.SENT, answered(RecipientState.REFUSED, ADA, BOB), trouble=Trouble.TOO_LONG),
    ):
        with pytest.raises(LeaseLost):
            await scene.submissions.settle(submission, tried, LATER)

    assert (await scene.outgoings.get(OWNER, submission.outgoing.id)).state is OutgoingState.UNKNOWN


async def test_what_was_unknown_by_its_own_worker_stays_so(scene: Scene) -> None:
    """Whoever settled it holds no other answer; a mail that is gone, or whose sender erased everything, takes none."""
    own = await scene.intended()
    unknown = Tried(OutgoingState.UNKNOWN, (ADA, BOB), trouble=Trouble.NO_ANSWER)
    await scene.submissions.settle(own, unknown, DUE)
    with pytest.raises(LeaseLost):
        await scene.submissions.settle(own, replace(unknown, said="x"), DUE)

    erased = await lapsed(scene, "f2", actor=ACTOR)
    async with scene.database.write() as session:
        await forget_sender(session, ACTOR, [], LATER)
    gone = await lapsed(scene, "f3")
    await scene.stores.holdings.remove(OWNER, scene.mailbox.id, LATER)

    for submission in (erased, gone):
        with pytest.raises(LeaseLost):
            await scene.submissions.settle(submission, SENT, LATER)
    with pytest.raises(NotFound):
        await scene.outgoings.get(OWNER, gone.outgoing.id)
