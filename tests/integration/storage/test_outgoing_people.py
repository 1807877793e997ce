"""What people decide about mail that is sent: call it back, send it again, let it be; and how their posts follow."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from storage.audits import Audits
from storage.database import Database
from storage.errors import LeaseLost, NotFound, NotPermitted
from storage.sending import OutgoingState, RecipientState, Tried, Trouble
from storage.sharing import Act, Suspension
from storage.suspension import Suspensions
from tests.integration.storage.outgoing_scene import (
    ACTOR,
    ADA,
    BOB,
    DUE,
    HELD,
    SENT,
    Scene,
    answered,
    anybody,
    nobody,
)
from tests.integration.storage.stores import LATER, NOW, OWNER, Stores

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from storage.sending import Outgoing, Submission
    from storage.vault import Vault

ROUNDS = 12
NOT_KNOWN = Tried(OutgoingState.UNKNOWN, (ADA, BOB), trouble=Trouble.NO_ANSWER, said="No answer came.")


@pytest.fixture
async def scene(stores: Stores, vault: Vault) -> Scene:
    """A mailbox that sends."""
    return await Scene.on(stores, vault)


# Undo


async def test_a_mail_that_waits_is_called_back(scene: Scene) -> None:
    """By who sent it or by the owner; what was written stays for writing on."""
    for number, person in enumerate((ACTOR, OWNER)):
        saved = await scene.save(f"f{number}", actor=ACTOR)

        undone = await scene.outgoings.undo(person, saved.id, NOW)

        assert (undone.state, undone.finished_at, undone.due_at) == (OutgoingState.UNDONE, NOW, None)
        assert undone.letter == saved.letter
    assert await scene.claim_all(LATER) == []


async def test_a_mail_that_is_held_is_called_back(scene: Scene) -> None:
    """And does not go when the login is mended."""
    saved = await scene.save()
    await scene.submissions.settle(await scene.claimed(), HELD, DUE)

    assert (await scene.outgoings.undo(OWNER, saved.id, DUE)).state is OutgoingState.UNDONE
    assert await scene.outgoings.mended(scene.mailbox.id, DUE) == 0


async def test_undo_before_the_intent_wins(scene: Scene) -> None:
    """Whoever has the mail in hand writes nothing more, and no dot goes out."""
    saved = await scene.save()
    submission = await scene.claimed()

    assert (await scene.outgoings.undo(OWNER, saved.id, DUE)).state is OutgoingState.UNDONE

    with pytest.raises(LeaseLost):
        await scene.submissions.intend(submission, DUE, anybody)
    with pytest.raises(LeaseLost):
        await scene.submissions.settle(submission, HELD, DUE)
    assert (await scene.outgoings.get(OWNER, saved.id)).state is OutgoingState.UNDONE


async def test_undo_after_the_intent_is_too_late(scene: Scene) -> None:
    """The mail comes back as it is, then and ever after."""
    submission = await scene.intended()

    assert (await scene.outgoings.undo(OWNER, submission.outgoing.id, DUE)).state is OutgoingState.SENDING
    sent = await scene.submissions.settle(submission, SENT, DUE)
    assert await scene.outgoings.undo(OWNER, sent.id, DUE) == sent


@pytest.fixture
async def elsewhere(database_url: str, vault: Vault, tmp_path: Path) -> AsyncIterator[Stores]:
    """The same database as another process has it."""
    database = await Database.open(database_url)
    yield Stores.on(database, vault, tmp_path / "elsewhere")
    await database.close()


async def test_of_undo_and_intent_at_once_exactly_one_wins(scene: Scene, elsewhere: Stores) -> None:
    """In two processes, again and again: either the dot goes out or it is undone, never both and never neither."""
    other = replace(scene, outgoings=type(scene.outgoings)(elsewhere.database, scene.vault))
    for number in range(ROUNDS):
        saved = await scene.save(f"f{number}")
        submission = await scene.claimed()

        undone, is_sending = await asyncio.gather(
            other.outgoings.undo(OWNER, saved.id, DUE), intends(scene, submission)
        )

        assert undone.state is (OutgoingState.SENDING if is_sending else OutgoingState.UNDONE)
        if is_sending:
            await scene.submissions.settle(submission, SENT, DUE)
    acts = await Audits(scene.database).list("T1", act=Act.SENT, limit=99)
    states = [(await scene.outgoings.save(scene.new(f"f{n}"), NOW, nobody)).state for n in range(ROUNDS)]
    assert len(acts) == states.count(OutgoingState.SENT)
    assert set(states) <= {OutgoingState.SENT, OutgoingState.UNDONE}


async def intends(scene: Scene, submission: Submission) -> bool:
    """Whether the intent was committed."""
    try:
        await scene.submissions.intend(submission, DUE, anybody)
    except LeaseLost:
        return False
    return True


async def test_a_form_sent_twice_at_once_is_one_mail(scene: Scene, elsewhere: Stores) -> None:
    """A double click, taken by two processes."""
    other = type(scene.outgoings)(elsewhere.database, scene.vault)

    one, two = await asyncio.gather(
        scene.outgoings.save(scene.new(), NOW, anybody), other.save(scene.new(), NOW, anybody)
    )

    assert one.id == two.id
    assert len(await scene.entries()) == 1


async def test_two_workers_take_one_mail_of_a_mailbox(scene: Scene, elsewhere: Stores) -> None:
    """However many are due and however many look at once."""
    other = type(scene.submissions)(elsewhere.database, scene.vault)
    for number in range(4):
        await scene.save(f"f{number}")

    found = await asyncio.gather(
        *(
            each.claim_due(DUE, lease=LATER - DUE, worker="w", limit=9)
            for each in (scene.submissions, other) * 3
        )
    )

    assert sum(len(each) for each in found) == 1


# Again, or not


async def unknown(scene: Scene, tried: Tried = NOT_KNOWN) -> Outgoing:
    """A mail of which nobody knows whether the server has it."""
    return await scene.sent(tried=tried)


async def test_what_is_not_known_is_sent_again_when_asked(scene: Scene) -> None:
    """As from the start, at once, and the audit has who asked."""
    before = await unknown(scene)
    assert await scene.claim_all(LATER) == []

    again = await scene.outgoings.send_again(OWNER, before.id, LATER, anybody)

    assert (again.state, again.attempts, again.due_at, again.begun_at) == (
        OutgoingState.WAITING,
        0,
        LATER,
        LATER,
    )
    assert (again.trouble, again.finished_at) == (None, None)
    assert await scene.outgoings.send_again(OWNER, before.id, LATER, nobody) == again  # a second click
    entry = (await Audits(scene.database).list("T1", act=Act.SENT, limit=1))[0]
    assert (entry.actor, entry.before, entry.after) == (OWNER.user, "unknown", "to be sent again")
    assert (await scene.claimed(LATER)).outgoing.id == before.id


@pytest.mark.parametrize(
    ("first", "second", "owed"),
    [
        (RecipientState.TAKEN, RecipientState.OWED, ["taken", "owed"]),
        (RecipientState.REFUSED, RecipientState.OWED, ["refused", "owed"]),
        (RecipientState.REFUSED, RecipientState.REFUSED, ["owed", "owed"]),
    ],
)
async def test_nobody_gets_it_twice(
    scene: Scene, first: RecipientState, second: RecipientState, owed: list[str]
) -> None:
    """It goes to those who are still owed it; to those who refused it only where nobody else is left."""
    recipients = (*answered(first, ADA, code=550), *answered(second, BOB, code=550))
    state = OutgoingState.FAILED if second is RecipientState.REFUSED else OutgoingState.UNKNOWN
    before = await scene.sent(tried=Tried(state, recipients))

    again = await scene.outgoings.send_again(OWNER, before.id, LATER, anybody)

    assert again.letter is not None
    assert [each.state for each in again.letter.recipients] == owed


async def test_sending_again_is_judged(scene: Scene) -> None:
    """Who may not send any more does not; what was sent or called back is not sent again."""
    before = await unknown(scene)

    with pytest.raises(NotPermitted):
        await scene.outgoings.send_again(OWNER, before.id, LATER, nobody)
    assert await scene.outgoings.get(OWNER, before.id) == before
    for mail in (await scene.sent("f2"), await scene.outgoings.undo(OWNER, (await scene.save("f3")).id, NOW)):
        assert await scene.outgoings.send_again(OWNER, mail.id, LATER, anybody) == mail
    with pytest.raises(NotFound):
        await scene.outgoings.send_again(ACTOR, before.id, LATER, anybody)


async def test_sent_again_while_the_login_is_refused_it_is_held(scene: Scene) -> None:
    """And goes with the others."""
    before = await unknown(scene)
    await scene.save("f2")
    await scene.submissions.settle(await scene.claimed(), HELD, DUE)

    again = await scene.outgoings.send_again(OWNER, before.id, LATER, anybody)

    assert again.state is OutgoingState.HELD
    assert await scene.outgoings.mended(scene.mailbox.id, LATER) == 2


async def test_what_is_not_known_may_be_left(scene: Scene) -> None:
    """It stays not known, and its post asks nobody any more; other mail is not left."""
    before = await unknown(scene)

    left = await scene.outgoings.leave(OWNER, before.id, LATER)

    assert (left.state, left.is_left) == (OutgoingState.UNKNOWN, True)
    assert await scene.outgoings.leave(OWNER, before.id, LATER) == left
    again = await scene.outgoings.send_again(OWNER, before.id, LATER, anybody)
    assert (again.state, again.is_left) == (OutgoingState.WAITING, False)
    assert await scene.outgoings.leave(OWNER, before.id, LATER) == again


# Posts that follow


async def test_posts_follow_whatever_happens(scene: Scene) -> None:
    """Both are behind from each change until they say it; one that says nothing new is left alone."""
    saved = await scene.save(actor=ACTOR)
    assert (await scene.posts.behind(9))[0] == []
    for person in (OWNER, ACTOR):
        await scene.posted(person)
    assert (await scene.posts.behind(9))[0] == []

    await scene.outgoings.undo(ACTOR, saved.id, NOW)

    first, second = (await scene.posts.behind(9))[0]
    assert {first.to, second.to} == {OWNER, ACTOR}
    assert first.outgoing == second.outgoing == await scene.outgoings.get(OWNER, saved.id)
    assert {first.channel, second.channel} == {"DU1", "DU7"}
    assert (await scene.posts.behind(9, first.entry_id))[0] == [second]
    assert (await scene.posts.behind(1))[0] == [first]
    await scene.posts.told(first.entry_id, first.changes)
    assert (await scene.posts.behind(9))[0] == [second]


async def test_what_happens_while_a_post_is_changed_is_told_next(scene: Scene) -> None:
    """Told is what it said, not what came since."""
    await scene.save()
    await scene.posted()
    submission = await scene.claimed()
    await scene.submissions.intend(submission, DUE, anybody)
    (post,) = (await scene.posts.behind(9))[0]
    await scene.submissions.settle(submission, SENT, DUE)

    await scene.posts.told(post.entry_id, post.changes)

    (again,) = (await scene.posts.behind(9))[0]
    assert (again.outgoing.state, again.changes > post.changes) == (OutgoingState.SENT, True)


async def test_posts_say_that_a_mailbox_is_suspended(scene: Scene) -> None:
    """And that it is not any more; those of mail that was sent stay as they are."""
    suspensions, asked = Suspensions(scene.database), ("T1", scene.mailbox.id)
    await scene.sent("f1")
    waits = await scene.save("f2")
    await scene.posted()
    (sent,) = (await scene.posts.behind(9))[0]
    await scene.posts.told(sent.entry_id, sent.changes)

    await suspensions.suspend(*asked, Suspension.ADMINISTRATOR, ACTOR, NOW, anybody)
    (first,) = (await scene.posts.behind(9))[0]
    await suspensions.lift(*asked, ACTOR, NOW, anybody)
    (second,) = (await scene.posts.behind(9))[0]

    assert first.outgoing == second.outgoing == waits
    assert second.changes == first.changes + 1


async def test_every_step_is_told(scene: Scene) -> None:
    """Held, mended, about to go out, lost, sent again, left."""
    saved = await scene.save()
    await scene.posted()

    async def told() -> OutgoingState:
        (post,) = (await scene.posts.behind(9))[0]
        await scene.posts.told(post.entry_id, post.changes)
        return post.outgoing.state

    found = []
    await scene.submissions.settle(await scene.claimed(), HELD, DUE)
    found.append(await told())
    await scene.outgoings.mended(scene.mailbox.id, DUE)
    found.append(await told())
    await scene.submissions.intend(await scene.claimed(), DUE, anybody)
    found.append(await told())
    await scene.claim_all(LATER)
    found.append(await told())
    await scene.outgoings.leave(OWNER, saved.id, LATER)
    found.append(await told())
    await scene.outgoings.send_again(OWNER, saved.id, LATER, anybody)
    found.append(await told())

    assert found == ["held", "waiting", "sending", "unknown", "unknown", "waiting"]
