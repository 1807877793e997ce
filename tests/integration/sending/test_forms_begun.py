"""With what a form is opened, what is said while somebody types, and whom nothing is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.door import TOO_LOW
from bot.errors import NoSuchMailbox, NotAllowed, NotKept, Suspended
from bot.mail.letters import LetterKind
from bot.sending_errors import NoOutgoingServer, NothingToSendFrom, NotSendable
from storage.records import Passwords, Secret
from storage.sending import RecipientField
from storage.sharing import Act, Audience, AudienceKind, Level, Role, Suspension
from storage.suspension import Suspensions
from tests.integration.sending.conftest import ADDRESS, MAIL, filled
from tests.integration.storage.stores import NEW
from tests.integration.viewing.conftest import EVERYTHING, INES, KENJI, LUCIA, MARTA, OWEN

if TYPE_CHECKING:
    from tests.integration.sending.conftest import Bureau


async def test_a_reply_goes_to_its_sender(bureau: Bureau) -> None:
    """Reply all to everybody but the mailbox itself; forwarding to nobody yet."""
    message_id = await bureau.hall.message(MAIL)

    reply, to_all, forward = [
        await bureau.sending.started(MARTA, kind, message_id)
        for kind in (LetterKind.REPLY, LetterKind.REPLY_ALL, LetterKind.FORWARD)
    ]

    assert [each.address for each in reply.answered.to] == ["ada@elsewhere.example"]
    assert reply.answered.subject == "Re: Offer"
    everybody = {each.address for each in (*to_all.answered.to, *to_all.answered.cc)}
    assert everybody == {"ada@elsewhere.example", "bob@third.example", "carol@third.example"}
    assert (forward.answered.to, forward.answered.references) == ((), ())
    assert reply.sender.address == ADDRESS
    assert reply.sender.is_own
    assert to_all.new_domains == {"elsewhere.example", "third.example"}


async def test_a_new_mail_begins_with_ones_own_mailbox(bureau: Bureau) -> None:
    """Those shared at Reply stand behind it, with whose they are; others' below that level are not named."""
    second = await bureau.hall.stores.mailboxes.add(
        replace(NEW, owner=KENJI, form_id="k"), bureau.hall.clock(), most=None
    )
    await bureau.hall.share(Level.REPLY)

    started = await bureau.sending.started(KENJI, LetterKind.NEW, None)

    assert [(each.mailbox_id, each.is_own, each.owner) for each in started.senders] == [
        (second.id, True, KENJI.user),
        (bureau.hall.mailbox_id, False, MARTA.user),
    ]
    assert started.sender == started.senders[0]
    assert [each.mailbox_id for each in await bureau.sending.senders(MARTA)] == [bureau.hall.mailbox_id]


@pytest.mark.parametrize("level", [Level.SEE, Level.OPEN])
async def test_below_reply_nothing_can_be_begun(bureau: Bureau, level: Level) -> None:
    """Neither an answer nor a new mail, and the mailbox is not offered; who tried stands in the audit and hears the reason."""
    await bureau.hall.share(level)
    message_id = await bureau.hall.message(MAIL)

    assert not await bureau.sending.senders(KENJI)
    with pytest.raises(NothingToSendFrom):
        await bureau.sending.started(KENJI, LetterKind.NEW, None)
    for kind in LetterKind:
        with pytest.raises(NotAllowed) as refused:
            await bureau.sending.started(KENJI, kind, message_id, bureau.hall.mailbox_id)
        assert refused.value.sentence == TOO_LOW
    assert {entry.actor for entry in await bureau.hall.noted(Act.REFUSED)} == {KENJI.user}


async def test_a_message_of_an_excluded_domain_is_not_answered_by_others(bureau: Bureau) -> None:
    """It may not be seen, so it may not be answered or forwarded; its owner may."""
    await bureau.hall.share(Level.MANAGE)
    message_id = await bureau.hall.message(MAIL)
    await bureau.hall.grant(replace(EVERYTHING, excluded=frozenset({"third.example"})))

    for kind in (LetterKind.REPLY, LetterKind.REPLY_ALL, LetterKind.FORWARD):
        with pytest.raises(NotAllowed):
            await bureau.sending.started(KENJI, kind, message_id)
    assert (await bureau.sending.started(MARTA, LetterKind.REPLY, message_id)).answered.to


async def test_guests_answer_only_where_they_are_named(bureau: Bureau) -> None:
    """A share with everybody gives a guest no more than Open."""
    message_id = await bureau.hall.message(MAIL)
    everybody = Audience(AudienceKind.ROLE, Role.SINGLE_CHANNEL_GUEST)
    await bureau.hall.share(Level.REPLY, everybody, history=True)

    for guest in (LUCIA, OWEN):
        with pytest.raises(NotAllowed):
            await bureau.sending.started(guest, LetterKind.REPLY, message_id)
        await bureau.hall.share(Level.REPLY, Audience(AudienceKind.PERSON, guest.user), history=True)
        assert (await bureau.sending.started(guest, LetterKind.REPLY, message_id)).answered.to
    assert (await bureau.sending.started(KENJI, LetterKind.REPLY, message_id)).answered.to


async def test_a_suspended_mailbox_sends_nothing(bureau: Bureau) -> None:
    """Not for its owner either, who is told whom to ask; and it is offered to nobody."""
    await bureau.hall.share(Level.REPLY)
    message_id = await bureau.hall.message(MAIL)
    hall, why = bureau.hall, Suspension.ADMINISTRATOR
    await Suspensions(hall.stores.database).suspend(
        MARTA.workspace, hall.mailbox_id, why, INES, hall.clock(), lambda _: True
    )

    with pytest.raises(Suspended, match="administrator") as told:
        await bureau.sending.started(MARTA, LetterKind.REPLY, message_id)
    assert "suspended" in told.value.sentence
    with pytest.raises(NotAllowed):
        await bureau.sending.save(KENJI, filled(hall.mailbox_id), "f1")
    assert not await bureau.sending.senders(MARTA)
    assert not await bureau.sending.senders(KENJI)
    assert {entry.after for entry in await hall.noted(Act.REFUSED)} == {"suspended"}


async def test_a_mailbox_that_only_receives_says_what_to_do(bureau: Bureau) -> None:
    """Its id and owner come along, so that the next step can be offered."""
    new = replace(
        NEW,
        owner=MARTA,
        form_id="r",
        profile=replace(NEW.profile, outgoing=None, outgoing_username=None),
        passwords=Passwords(Secret("x"), None),
    )
    receiving = await bureau.hall.stores.mailboxes.add(new, bureau.hall.clock(), most=None)

    with pytest.raises(NoOutgoingServer) as told:
        await bureau.sending.started(MARTA, LetterKind.NEW, None, receiving.id)

    assert (told.value.mailbox_id, told.value.owner) == (receiving.id, MARTA.user)
    assert "/mailbox edit" in told.value.sentence
    assert [each.mailbox_id for each in await bureau.sending.senders(MARTA)] == [bureau.hall.mailbox_id]


async def test_a_message_that_is_not_kept_cannot_be_answered(bureau: Bureau) -> None:
    """The sentence says so, and what else there is."""
    message_id = await bureau.hall.message(MAIL)
    bureau.hall.clock.push(days=400)
    await bureau.hall.stores.messages.purge(bureau.hall.clock(), bureau.hall.clock() - bureau.hall.clock())

    with pytest.raises(NotKept) as refused:
        await bureau.sending.started(MARTA, LetterKind.REPLY, message_id)
    assert "/mailbox send" in refused.value.sentence


# While somebody types


async def test_recipients_are_checked_as_they_are_typed(bureau: Bureau) -> None:
    """What can be read is counted once, what cannot is said at its field, new domains are named."""
    await bureau.sending.save(MARTA, filled(bureau.hall.mailbox_id), "f1")
    box = bureau.hall.mailbox_id

    checked = await bureau.sending.checked(
        MARTA, box, "Ada <ada@elsewhere.example>, ada@ELSEWHERE.example", "carol@third.example", "nonsense"
    )

    assert checked.count == 2
    assert set(checked.faults) == {RecipientField.BCC}
    assert checked.new_domains == {"elsewhere.example", "third.example"}


async def test_whom_a_mailbox_wrote_to_is_told_to_nobody_else(bureau: Bureau) -> None:
    """Somebody without Reply gets what they typed, and no word of domains."""
    await bureau.hall.share(Level.OPEN)
    message_id = await bureau.hall.message(MAIL)
    box = bureau.hall.mailbox_id

    below = await bureau.sending.checked(KENJI, box, "ada@elsewhere.example", "", "", message_id)
    await bureau.hall.share(Level.REPLY, message_id=message_id)
    single = await bureau.sending.checked(KENJI, box, "ada@elsewhere.example", "", "", message_id)
    whole = await bureau.sending.checked(KENJI, box, "ada@elsewhere.example", "", "")

    await bureau.hall.grant(replace(EVERYTHING, excluded=frozenset({"third.example"})))
    excluded = await bureau.sending.checked(KENJI, box, "ada@elsewhere.example", "", "", message_id)

    assert excluded.new_domains == frozenset()
    assert (below.count, below.new_domains) == (1, frozenset())
    assert single.new_domains == {"elsewhere.example"}
    assert whole.new_domains == frozenset()
    assert not await bureau.hall.noted(Act.REFUSED)


async def test_settings_are_the_owners_alone(bureau: Bureau) -> None:
    """Managers read none and change none."""
    await bureau.hall.share(Level.MANAGE)
    box = bureau.hall.mailbox_id

    with pytest.raises(NoSuchMailbox):
        await bureau.sending.settings(KENJI, box)
    with pytest.raises(NoSuchMailbox):
        await bureau.sending.set_settings(KENJI, box, "Boss", "", 10)
    with pytest.raises(NotSendable):
        await bureau.sending.set_settings(MARTA, box, "Boss", "", 7)
    assert (await bureau.sending.settings(MARTA, box)).sender_name == ""
