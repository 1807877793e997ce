"""Answering or forwarding a message from another mailbox than its own: what is kept of it, and who may still."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import NotAllowed
from bot.mail.content import Address
from bot.mail.letters import LetterKind
from bot.saving import Draft
from storage.errors import NotPermitted
from storage.sending import OutgoingState, Source, Tried, Trouble
from storage.sharing import Level
from tests.integration.sending.conftest import MAIL, filled
from tests.integration.storage.stores import LEASE, NEW
from tests.integration.viewing.conftest import KENJI, MARTA

if TYPE_CHECKING:
    from storage.records import Person
    from storage.sending import Outgoing
    from tests.integration.sending.conftest import Bureau


async def mailbox_of(bureau: Bureau, person: Person) -> str:
    """One more mailbox, of this person."""
    new = replace(NEW, owner=person, form_id="other")
    return (await bureau.hall.stores.mailboxes.add(new, bureau.hall.clock())).id


async def forwarded(bureau: Bureau, actor: Person) -> tuple[str, Outgoing]:
    """A message of Marta's that somebody passes on from another mailbox of their own."""
    message = await bureau.hall.message(MAIL)
    form = filled(await mailbox_of(bureau, actor), kind=LetterKind.FORWARD, message_id=message)
    return message, await bureau.sending.save(actor, form, "f1")


@pytest.mark.parametrize("actor", [KENJI, MARTA])
async def test_a_mail_remembers_the_message_of_another_mailbox(bureau: Bureau, actor: Person) -> None:
    """It is not in that message's thread, and whoever sends it is asked for that message again."""
    await bureau.hall.share(Level.REPLY, history=True)

    message, mail = await forwarded(bureau, actor)

    assert mail.letter is not None
    assert (mail.answers, mail.letter.source) == (None, message)
    assert mail.letter.is_source_own is (actor == MARTA)


async def test_a_mail_of_the_messages_own_mailbox_needs_nothing_more(bureau: Bureau) -> None:
    """The message is what it answers."""
    message = await bureau.hall.message(MAIL)
    form = filled(bureau.hall.mailbox_id, kind=LetterKind.REPLY, message_id=message)

    mail = await bureau.sending.save(MARTA, form, "f1")

    assert mail.letter is not None
    assert (mail.answers, mail.letter.source) == (message, "")


async def test_the_transaction_that_saves_judges_the_message_too(bureau: Bureau) -> None:
    """Whatever was found out before; nothing is written."""
    _, mail = await forwarded(bureau, MARTA)
    assert mail.letter is not None
    now, asked = bureau.hall.clock(), list[str]()

    def judge(facts: object) -> bool:
        asked.append(facts.mailbox_id)  # type: ignore[attr-defined] # facts
        return False

    with pytest.raises(NotPermitted):
        await bureau.outgoings.send_again(
            MARTA, await failed(bureau, mail), now, lambda _: True, Source(mail.letter.source, judge)
        )

    assert asked == [bureau.hall.mailbox_id]
    assert (await bureau.outgoings.get(MARTA, mail.id)).state is OutgoingState.FAILED


async def test_a_share_of_the_message_that_ends_while_the_mail_is_made_lets_nothing_be_saved(
    bureau: Bureau,
) -> None:
    """The transaction reads what holds then, and the reason is said."""
    share = await bureau.hall.share(Level.REPLY, history=True)
    message = await bureau.hall.message(MAIL)
    rights, saving = bureau.sending._rights, bureau.sending._saving
    source, _ = await rights.of_message(KENJI, message)
    passage = replace(await rights.of_mailbox(KENJI, await mailbox_of(bureau, KENJI)), source=source)
    draft = Draft((Address("", "ada@elsewhere.example"),), (), (), "Fwd: Offer", None)
    await bureau.hall.end(share)

    async with saving.room(KENJI, passage.mailbox.id, 1) as room:
        with pytest.raises(NotAllowed) as refused:
            await saving.save(passage, draft, "f1", room)

    assert "not shared with you" in refused.value.sentence
    assert await bureau.outgoings.of_form(passage.mailbox.id, KENJI, "f1") is None


async def failed(bureau: Bureau, mail: Outgoing) -> str:
    """The mail, refused for good."""
    bureau.hall.clock.push(minutes=1)
    (claim,) = await bureau.submissions.claim_due(bureau.hall.clock(), lease=LEASE, worker="s", limit=1)
    assert mail.letter is not None
    tried = Tried(OutgoingState.FAILED, mail.letter.recipients, trouble=Trouble.TOO_LONG, said="No.")
    await bureau.submissions.settle(claim, tried, bureau.hall.clock())
    return mail.id


async def test_sending_again_asks_for_the_message_again(bureau: Bureau) -> None:
    """Whose share of it ended does not send it again, from a mailbox of their own either."""
    share = await bureau.hall.share(Level.REPLY, history=True)
    _, mail = await forwarded(bureau, KENJI)
    await failed(bureau, mail)
    await bureau.hall.end(share)

    with pytest.raises(NotAllowed):
        await bureau.sending.send_again(KENJI, mail.id)
    assert (await bureau.outgoings.get(KENJI, mail.id)).state is OutgoingState.FAILED
