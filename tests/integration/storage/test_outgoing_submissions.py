"""Mail on its way to its server: leased, fenced, settled; what nobody knows is never sent again by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from storage.audits import Audits
from storage.errors import LeaseLost, NotFound, NotPermitted
from storage.sending import OutgoingState, RecipientState, Tried, Trouble
from storage.sharing import Act, Suspension
from storage.suspension import Suspensions
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
    nobody,
)
from tests.integration.storage.stores import LATER, LEASE, NEW, NOW, OWNER, Stores

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from storage.sending import Submission
    from storage.vault import Vault

LATE = Tried(OutgoingState.WAITING, (ADA, BOB), due_at=LATER, trouble=Trouble.UNREACHABLE, said="No answer.")


@pytest.fixture
async def scene(stores: Stores, vault: Vault) -> Scene:
    """A mailbox that sends."""
    return await Scene.on(stores, vault)


def writes(scene: Scene, submission: Submission) -> list[Awaitable[object]]:
    """Every write through a submission."""
    return [
        scene.submissions.renew(submission, LATER),
        scene.submissions.intend(submission, DUE, anybody),
        scene.submissions.settle(submission, SENT, DUE),
    ]


# Claiming


async def test_a_mail_is_due_once_it_can_be_undone_no_more(scene: Scene) -> None:
    """Not before; and while somebody has it in hand, nobody else gets it."""
    saved = await scene.save()

    assert await scene.claim_all(DUE - timedelta(seconds=1)) == []
    (submission,) = await scene.claim_all()
    assert submission.outgoing == saved
    assert await scene.claim_all(worker="w2") == []


async def test_one_mail_of_a_mailbox_is_in_hand_at_a_time(scene: Scene) -> None:
    """The oldest first; mails of other mailboxes go beside it, and a busy mailbox is passed over."""
    other = await scene.stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    first, _ = await scene.save("f1"), await scene.save("f2", NOW + timedelta(seconds=1))
    third = await scene.outgoings.save(replace(scene.new("f3"), mailbox_id=other.id), LATER, anybody)

    found = await scene.claim_all(LATER + timedelta(minutes=1))

    assert [each.outgoing.id for each in found] == [first.id, third.id]
    after = LATER + timedelta(minutes=1) + LEASE
    assert [each.outgoing.id for each in await scene.claim_all(after, busy=[scene.mailbox.id])] == [third.id]


async def test_a_mail_waits_for_the_one_before_it(scene: Scene) -> None:
    """Once that is settled it is its turn."""
    await scene.save("f1")
    second = await scene.save("f2")
    await scene.submissions.settle(await scene.claimed(), LATE, DUE)

    assert (await scene.claimed()).outgoing.id == second.id


async def test_what_does_not_open_holds_up_no_other(scene: Scene) -> None:
    """A letter that was changed is looked at again later; the next one goes."""
    broken, fine = await scene.save("f1"), await scene.save("f2", NOW + timedelta(seconds=1))
    async with scene.database.write() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            f"UPDATE outgoing SET letter = (SELECT letter FROM outgoing WHERE id = '{fine.id}')"
        )

    assert await scene.claim_all() == []
    (submission,) = await scene.claim_all(DUE + timedelta(seconds=2))
    assert submission.outgoing.id == fine.id != broken.id


async def test_a_suspended_mailbox_rests(scene: Scene) -> None:
    """Nothing of it is claimed; what is in hand already does not get its last dot."""
    suspensions = Suspensions(scene.database)
    await scene.save()
    submission = await scene.claimed()
    await suspensions.suspend("T1", scene.mailbox.id, Suspension.ADMINISTRATOR, ACTOR, NOW, anybody)

    with pytest.raises(NotPermitted):
        await scene.submissions.intend(submission, DUE, anybody)
    assert await scene.claim_all(DUE + LEASE) == []
    assert (await scene.submissions.stock()).oldest_due is None

    await suspensions.lift("T1", scene.mailbox.id, ACTOR, NOW, anybody)
    assert len(await scene.claim_all(DUE + LEASE)) == 1


# Sending


async def test_the_intent_says_who_sends_as_whom(scene: Scene) -> None:
    """In the audit, by the commit after which it cannot be undone."""
    saved = await scene.save(actor=ACTOR)
    submission = await scene.claimed()

    await scene.submissions.intend(submission, DUE, anybody)

    (entry,) = await Audits(scene.database).list("T1", act=Act.SENT, limit=9)
    assert (entry.actor, entry.owner, entry.mailbox_id) == (ACTOR.user, OWNER.user, scene.mailbox.id)
    assert (entry.subject, entry.after) == (f"outgoing:{saved.id}", "to 2 recipients")
    assert (await scene.outgoings.get(OWNER, saved.id)).state is OutgoingState.SENDING


async def test_what_the_judge_forbids_is_not_sent(scene: Scene) -> None:
    """Nothing is noted, and the mail may be settled as not allowed."""
    await scene.save()
    submission = await scene.claimed()

    with pytest.raises(NotPermitted):
        await scene.submissions.intend(submission, DUE, nobody)

    assert await Audits(scene.database).list("T1", act=Act.SENT, limit=9) == []
    tried = Tried(OutgoingState.FAILED, (ADA, BOB), trouble=Trouble.NOT_ALLOWED, said="You may not.")
    failed = await scene.submissions.settle(submission, tried, DUE)
    assert (failed.state, failed.trouble, failed.finished_at) == (
        OutgoingState.FAILED,
        Trouble.NOT_ALLOWED,
        DUE,
    )


async def test_a_mail_that_was_sent_is_at_its_end(scene: Scene) -> None:
    """Every recipient as the server said, and never due again."""
    sent = await scene.sent()

    assert sent.letter is not None
    assert (sent.state, sent.letter.recipients, sent.attempts) == (OutgoingState.SENT, TAKEN, 1)
    assert (sent.due_at, sent.finished_at) == (None, DUE)
    assert await scene.claim_all(LATER) == []


async def test_a_later_try_comes_when_it_is_due(scene: Scene) -> None:
    """With what was said of this one, until it is tried again."""
    await scene.save()

    waits = await scene.submissions.settle(await scene.claimed(), LATE, DUE)

    assert waits.letter is not None
    assert (waits.state, waits.attempts, waits.due_at) == (OutgoingState.WAITING, 1, LATER)
    assert (waits.trouble, waits.letter.said) == (Trouble.UNREACHABLE, "No answer.")
    assert await scene.claim_all(LATER - timedelta(seconds=1)) == []
    submission = await scene.claimed(LATER)
    await scene.submissions.intend(submission, LATER, anybody)
    sending = await scene.outgoings.get(OWNER, waits.id)
    assert sending.letter is not None
    assert (sending.trouble, sending.letter.said) == (None, "")


async def test_some_have_it_and_some_are_still_owed_it(scene: Scene) -> None:
    """What each recipient's server said stays; a mail that somebody has is not called back any more."""
    ada = answered(RecipientState.TAKEN, ADA)
    tried = Tried(OutgoingState.WAITING, (*ada, replace(BOB, code=450)), due_at=LATER)

    partly = await scene.sent(tried=tried)

    assert partly.letter is not None
    assert [each.state for each in partly.letter.recipients] == ["taken", "owed"]
    assert (await scene.outgoings.undo(OWNER, partly.id, DUE)).state is OutgoingState.WAITING
    refused = replace(BOB, state=RecipientState.REFUSED, code=550, words="no such user")
    submission = await scene.claimed(LATER)
    await scene.submissions.intend(submission, LATER, anybody)
    done = await scene.submissions.settle(submission, Tried(OutgoingState.SENT, (*ada, refused)), LATER)
    assert done.letter is not None
    assert done.letter.recipients == (*ada, refused)


async def test_who_is_left_may_refuse_before_the_last_dot(scene: Scene) -> None:
    """The others have it from an earlier try, so the mail is sent although no other dot went out."""
    ada = answered(RecipientState.TAKEN, ADA)
    await scene.sent(tried=Tried(OutgoingState.WAITING, (*ada, BOB), due_at=LATER))

    refused = (*ada, *answered(RecipientState.REFUSED, BOB, code=550))
    done = await scene.submissions.settle(
        await scene.claimed(LATER), Tried(OutgoingState.SENT, refused), LATER
    )

    assert (done.state, done.attempts) == (OutgoingState.SENT, 2)


async def test_before_the_intent_no_mail_is_sent(scene: Scene) -> None:
    """A result that only the last dot can have is refused."""
    await scene.save()

    with pytest.raises(ValueError, match="does not come of"):
        await scene.submissions.settle(await scene.claimed(), SENT, DUE)


# Leases


async def test_whoever_lost_the_lease_writes_nothing(scene: Scene) -> None:
    """Another one took the mail over: it is theirs."""
    await scene.save()
    old = await scene.claimed()
    new = await scene.claimed(DUE + LEASE)

    for write in writes(scene, old):
        with pytest.raises(LeaseLost):
            await write
    await scene.submissions.intend(new, DUE + LEASE, anybody)
    assert (await scene.submissions.settle(new, SENT, DUE + LEASE)).state is OutgoingState.SENT


async def test_a_lease_that_ran_out_intends_nothing(scene: Scene) -> None:
    """Else somebody could call it unknown while it is just being sent; renewed in time it goes on."""
    await scene.save()
    submission = await scene.claimed()

    with pytest.raises(LeaseLost):
        await scene.submissions.intend(submission, DUE + LEASE, anybody)
    await scene.submissions.renew(submission, DUE + 3 * LEASE)
    assert await scene.claim_all(DUE + LEASE) == []
    await scene.submissions.intend(submission, DUE + LEASE, anybody)


async def test_a_mail_that_was_about_to_go_out_becomes_unknown(scene: Scene) -> None:
    """Whoever had it died: it is not claimed again, and nothing but that the server took it is heard of them any more."""
    submission = await scene.intended()

    assert await scene.claim_all(DUE + LEASE / 2) == []
    assert await scene.claim_all(DUE + LEASE) == []

    unknown = await scene.outgoings.get(OWNER, submission.outgoing.id)
    assert (unknown.state, unknown.trouble) == (OutgoingState.UNKNOWN, Trouble.NO_ANSWER)
    assert (unknown.due_at, unknown.finished_at) == (None, DUE + LEASE)
    for write in (
        scene.submissions.renew(submission, LATER),
        scene.submissions.intend(submission, LATER, anybody),
        scene.submissions.settle(submission, LATE, LATER),
    ):
        with pytest.raises(LeaseLost):
            await write
    assert await scene.claim_all(LATER) == []


async def test_an_answer_that_its_own_worker_waits_for_comes_in_time(scene: Scene) -> None:
    """A database that was away longer than a lease makes no mail unknown whose answer is still known to somebody."""
    submission = await scene.intended()

    assert await scene.claim_all(DUE + 3 * LEASE, busy=[scene.mailbox.id]) == []

    assert (await scene.submissions.settle(submission, SENT, DUE + 3 * LEASE)).state is OutgoingState.SENT


async def test_a_restart_takes_over_at_once(scene: Scene) -> None:
    """The same worker's leases end: what was not about to go out is due, what was is unknown; nobody else's are touched."""
    other = await scene.stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    third = await scene.stores.mailboxes.add(replace(NEW, form_id="form-3"), NOW)
    sending = await scene.intended("f1")
    waiting = await scene.outgoings.save(replace(scene.new("f2"), mailbox_id=other.id), NOW, anybody)
    await scene.claim_all()
    await scene.outgoings.save(replace(scene.new("f3"), mailbox_id=third.id), NOW, anybody)
    (theirs,) = await scene.claim_all(worker="w2")

    await scene.submissions.release("w1", DUE)

    (again,) = await scene.claim_all()
    assert again.outgoing.id == waiting.id
    assert (await scene.outgoings.get(OWNER, sending.outgoing.id)).state is OutgoingState.UNKNOWN
    await scene.submissions.renew(theirs, LATER)


async def test_a_removed_mailbox_sends_nothing_more(scene: Scene) -> None:
    """Neither what waits nor what is in hand."""
    await scene.save()
    submission = await scene.claimed()

    await scene.stores.holdings.remove(OWNER, scene.mailbox.id, LATER)

    for write in writes(scene, submission):
        with pytest.raises(LeaseLost):
            await write
    with pytest.raises(NotFound):
        await scene.submissions.octets(submission)
    assert await scene.claim_all(LATER) == []
