"""Mail to a domain that is excluded from sharing is its owner's alone, to be written as well as to be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import NotAllowed
from bot.mail.letters import LetterKind
from bot.mail.special import Answer
from storage.sharing import Act, Level
from tests.integration.sending.conftest import MAIL, filled
from tests.integration.sending.test_other_mailbox import mailbox_of
from tests.integration.sending.test_responding import UID, invitation
from tests.integration.viewing.conftest import EVERYTHING, KENJI, MARTA

if TYPE_CHECKING:
    from tests.integration.sending.conftest import Bureau


async def exclude(bureau: Bureau, *domains: str) -> None:
    """Administrators exclude domains."""
    await bureau.hall.grant(replace(EVERYTHING, excluded=frozenset(domains)))


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
async def test_nobody_but_the_owner_writes_to_an_excluded_domain(bureau: Bureau, field: str) -> None:
    """Whatever field it stands in, and to whatever is below it; the refusal is noted once, and nothing is saved."""
    await bureau.hall.share(Level.REPLY)
    await exclude(bureau, "bank.example")
    form = filled(
        bureau.hall.mailbox_id, **{"to": "ada@elsewhere.example", field: "Ltd <pay@eu.BANK.example>"}
    )

    with pytest.raises(NotAllowed, match="excluded"):
        await bureau.sending.save(KENJI, form, "f1")

    assert len(await bureau.hall.noted(Act.REFUSED)) == 1
    assert await bureau.outgoings.of_form(bureau.hall.mailbox_id, KENJI, "f1") is None
    assert (await bureau.sending.save(MARTA, form, "f1")).id
    assert (await bureau.sending.save(KENJI, filled(bureau.hall.mailbox_id), "f2")).id


async def test_an_answer_goes_to_no_excluded_domain_either(bureau: Bureau) -> None:
    """The message may be theirs to answer; whom they add to it may not."""
    message_id = await bureau.hall.message(MAIL)
    await bureau.hall.share(Level.REPLY, history=True)
    await exclude(bureau, "bank.example")
    form = filled("", kind=LetterKind.REPLY, message_id=message_id, cc="pay@bank.example")

    with pytest.raises(NotAllowed, match="excluded"):
        await bureau.sending.save(KENJI, form, "f1")


async def test_a_message_is_passed_on_to_no_excluded_domain_from_another_mailbox(bureau: Bureau) -> None:
    """What is excluded for those whose message it is binds the mailbox of anybody else that sends it."""
    message_id = await bureau.hall.message(MAIL)
    await bureau.hall.share(Level.REPLY, history=True)
    theirs = await mailbox_of(bureau, KENJI)
    await exclude(bureau, "bank.example")
    form = filled(theirs, kind=LetterKind.FORWARD, message_id=message_id, to="pay@bank.example")

    with pytest.raises(NotAllowed, match="excluded"):
        await bureau.sending.save(KENJI, form, "f1")

    assert (await bureau.sending.save(KENJI, filled(theirs, to="pay@bank.example"), "f2")).id


async def test_an_invitation_is_not_answered_to_an_excluded_domain(bureau: Bureau) -> None:
    """Its organizer may be somebody else than who sent it."""
    message_id = await bureau.hall.message(invitation(organiser="mailto:boss@bank.example"))
    await bureau.hall.share(Level.REPLY, history=True)
    await exclude(bureau, "bank.example")

    with pytest.raises(NotAllowed, match="excluded"):
        await bureau.sending.respond(KENJI, message_id, UID, Answer.ACCEPTED)
