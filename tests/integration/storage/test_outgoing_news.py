"""Bad ends of mail that is sent: its sender is owed news of each, once, and of good ends none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from storage.outgoing_posts import OutgoingPosts
from storage.records import Notice
from storage.sending import OutgoingState, RecipientState, Tried, Trouble
from storage.tables import EntryRow
from tests.integration.storage.outgoing_scene import (
    ACTOR,
    ADA,
    BOB,
    DUE,
    SENT,
    Scene,
    answered,
    anybody,
)
from tests.integration.storage.stores import LATER, OWNER

if TYPE_CHECKING:
    from storage.vault import Vault
    from tests.integration.storage.stores import Stores

FAILED = Tried(OutgoingState.FAILED, (ADA, BOB), trouble=Trouble.MESSAGE_REFUSED, said="It was refused.")
UNKNOWN = Tried(OutgoingState.UNKNOWN, (ADA, BOB), trouble=Trouble.NO_ANSWER, said="No answer.")
PARTLY = Tried(
    OutgoingState.SENT,
    (
        *answered(RecipientState.TAKEN, ADA),
        *answered(RecipientState.REFUSED, BOB, code=550),
    ),
    trouble=Trouble.RECIPIENTS_REFUSED,
)
LATER_ON = Tried(OutgoingState.WAITING, (ADA, BOB), due_at=LATER, trouble=Trouble.UNREACHABLE, said="Busy.")


@pytest.fixture
async def scene(stores: Stores, vault: Vault) -> Scene:
    """A mailbox that sends."""
    return await Scene.on(stores, vault)


async def news(scene: Scene) -> list[tuple[str, str | None]]:
    """Whom it is owed, and in whose thread."""
    query = select(EntryRow.owner, EntryRow.parent).where(EntryRow.notice == Notice.OUTGOING_NEWS)
    async with scene.database.read() as session:
        return [(owner, parent) for owner, parent in (await session.exec(query)).all()]


async def post_of(scene: Scene, owner: str) -> str:
    """The entry of the one mail's post in somebody's DM."""
    query = select(EntryRow.id).where(EntryRow.notice == Notice.OUTGOING, EntryRow.owner == owner)
    async with scene.database.read() as session:
        return str((await session.exec(query)).one())


@pytest.mark.parametrize("tried", [FAILED, UNKNOWN, PARTLY], ids=lambda tried: str(tried.state))
async def test_a_bad_end_is_news_once(scene: Scene, tried: Tried) -> None:
    """In the thread of the mail's own post; it tells of its mail, and is not changed with it any more."""
    outgoing = await scene.sent("f1", tried)

    assert await news(scene) == [(OWNER.user, await post_of(scene, OWNER.user))]
    await scene.posted()
    behind = (await OutgoingPosts(scene.database, scene.vault).behind(10))[0]
    assert [post.entry_id for post in behind] == [await post_of(scene, OWNER.user)]
    async with scene.database.read() as session:
        query = select(EntryRow.id).where(EntryRow.notice == Notice.OUTGOING_NEWS)
        entry_id = (await session.exec(query)).one()
    assert (await scene.outgoings.of_entry(entry_id)).id == outgoing.id


@pytest.mark.parametrize("tried", [SENT, LATER_ON], ids=lambda tried: str(tried.state))
async def test_a_good_end_is_none(scene: Scene, tried: Tried) -> None:
    """Nor is a later try."""
    await scene.sent("f1", tried)

    assert await news(scene) == []


async def test_who_wrote_it_is_told_that_the_owner_called_it_back(scene: Scene) -> None:
    """They believe it is on its way; whoever calls back their own knows."""
    others = await scene.save("f1", actor=ACTOR)
    own = await scene.save("f2", actor=ACTOR)

    await scene.outgoings.undo(OWNER, others.id, DUE)
    await scene.outgoings.undo(OWNER, others.id, DUE)
    await scene.outgoings.undo(ACTOR, own.id, DUE)

    assert [owner for owner, _ in await news(scene)] == [ACTOR.user]


async def test_who_wrote_it_is_told_not_the_owner(scene: Scene) -> None:
    """Whoever sends as another's mailbox decides what to do."""
    await scene.save("f1", actor=ACTOR)
    submission = await scene.claimed()
    await scene.submissions.intend(submission, DUE, anybody)

    await scene.submissions.settle(submission, UNKNOWN, DUE)

    assert await news(scene) == [(ACTOR.user, await post_of(scene, ACTOR.user))]


async def test_a_worker_that_died_after_the_intent_leaves_news(scene: Scene) -> None:
    """Once, whoever finds it and however often they look."""
    await scene.intended("f1")

    await scene.submissions.release("w1", DUE)
    await scene.submissions.release("w1", DUE)
    await scene.claim_all(LATER)

    assert len(await news(scene)) == 1


async def test_each_bad_end_is_news(scene: Scene) -> None:
    """One that is sent again and fails again."""
    outgoing = await scene.sent("f1", FAILED)
    await scene.outgoings.send_again(OWNER, outgoing.id, LATER, anybody)
    submission = await scene.claimed(LATER)

    await scene.submissions.settle(submission, replace(FAILED, trouble=Trouble.TOO_LONG), LATER)

    assert len(await news(scene)) == 2
