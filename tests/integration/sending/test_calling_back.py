"""What somebody does with a mail after it was saved: call it back, write on, send it again, let it be."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import NotAllowed
from bot.sending_errors import NoSuchOutgoing, NotReopened
from storage.sending import OutgoingState, Tried, Trouble
from storage.sharing import Act, Level
from tests.integration.sending.conftest import filled
from tests.integration.storage.stores import LEASE
from tests.integration.viewing.conftest import KENJI, LUCIA, MARTA

if TYPE_CHECKING:
    from storage.records import Person
    from storage.sending import Outgoing
    from tests.integration.sending.conftest import Bureau


async def saved_by(bureau: Bureau, actor: Person) -> Outgoing:
    """A mail as the mailbox."""
    return await bureau.sending.save(actor, filled(bureau.hall.mailbox_id), "f1")


async def failed(bureau: Bureau) -> None:
    """The one mail that is due is refused for good."""
    hall, store = bureau.hall, bureau.submissions
    hall.clock.push(minutes=1)
    (claim,) = await store.claim_due(hall.clock(), lease=LEASE, worker="s", limit=1, busy=())
    letter = claim.outgoing.letter
    assert letter is not None
    end = Tried(
        OutgoingState.FAILED, letter.recipients, trouble=Trouble.MESSAGE_REFUSED, said="It was refused."
    )
    await store.settle(claim, end, hall.clock())


async def test_undone_means_never_sent(bureau: Bureau) -> None:
    """By its writer or by the mailbox's owner; a second press changes nothing; the form comes back as it was."""
    await bureau.hall.share(Level.REPLY)
    mail = await saved_by(bureau, KENJI)

    undone = await bureau.sending.undo(MARTA, mail.id)
    again = await bureau.sending.undo(KENJI, mail.id)
    reopened = await bureau.sending.opened_again(KENJI, mail.id)

    assert undone.state is again.state is OutgoingState.UNDONE
    assert reopened.letter is not None
    assert reopened.letter.draft == '{"draft":1}'
    bureau.hall.clock.push(hours=2)
    assert not await bureau.submissions.claim_due(
        bureau.hall.clock(), lease=LEASE, worker="s", limit=5, busy=()
    )


async def test_nobody_else_finds_a_mail(bureau: Bureau) -> None:
    """To a stranger it is not there; what only its writer may, not even the owner does; the audit names who tried."""
    await bureau.hall.share(Level.REPLY)
    mail = await saved_by(bureau, KENJI)

    for act in (
        bureau.sending.undo,
        bureau.sending.send_again,
        bureau.sending.leave,
        bureau.sending.opened_again,
    ):
        with pytest.raises(NoSuchOutgoing):
            await act(LUCIA, mail.id)
    await bureau.sending.undo(KENJI, mail.id)
    with pytest.raises(NoSuchOutgoing):
        await bureau.sending.opened_again(MARTA, mail.id)
    assert LUCIA.user in {entry.actor for entry in await bureau.hall.noted(Act.REFUSED)}


async def test_what_may_be_on_its_way_is_not_written_on(bureau: Bureau) -> None:
    """Else the same words would go out twice."""
    mail = await saved_by(bureau, MARTA)

    with pytest.raises(NotReopened):
        await bureau.sending.opened_again(MARTA, mail.id)


async def test_a_mail_that_failed_is_sent_again_by_whoever_may_still(bureau: Bureau) -> None:
    """The right is asked for anew: a writer whose share ended does not, the owner does."""
    share = await bureau.hall.share(Level.REPLY)
    mail = await saved_by(bureau, KENJI)
    await failed(bureau)
    await bureau.hall.end(share)

    with pytest.raises(NotAllowed):
        await bureau.sending.send_again(KENJI, mail.id)
    assert (await bureau.outgoings.get(MARTA, mail.id)).state is OutgoingState.FAILED
    again = await bureau.sending.send_again(MARTA, mail.id)

    assert again.state is OutgoingState.WAITING
    assert again.due_at == bureau.hall.clock()


async def test_a_waiting_mail_is_not_sent_twice_by_send_again(bureau: Bureau) -> None:
    """It is given as it is, and counts as nothing more."""
    mail = await saved_by(bureau, MARTA)
    await bureau.wrote(MARTA, 59)

    again = await bureau.sending.send_again(MARTA, mail.id)

    assert (again.state, again.due_at) == (mail.state, mail.due_at)
    assert mail.due_at == mail.created_at + timedelta(seconds=10)
