"""A message that is answered or forwarded from another mailbox than its own: its own rights count until the last dot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.slack.people import TEAM_ID
from storage.sending import OutgoingState, Trouble
from storage.sharing import Act, Level, Suspension
from storage.suspension import Suspensions
from tests.integration.storage.stores import NEW
from tests.integration.submitting.conftest import ADA, RIGHT, bring_without
from tests.integration.viewing.conftest import EVERYTHING, INES, KENJI, MARTA

if TYPE_CHECKING:
    from storage.records import Person
    from storage.sending import Outgoing
    from tests.integration.submitting.conftest import Office


async def forwarded(
    office: Office, message_id: str, actor: Person = KENJI, *, is_own: bool = False
) -> Outgoing:
    """Somebody passes on a message of Marta's mailbox, from a mailbox of their own."""
    profile = (await office.hall.stores.mailbox(office.hall.mailbox_id, MARTA)).profile
    new = replace(NEW, owner=actor, profile=profile, passwords=RIGHT, form_id="theirs")
    mailbox_id = (await office.hall.stores.mailboxes.add(new, office.hall.clock())).id
    return await office.write(actor=actor, mailbox_id=mailbox_id, source=message_id, is_source_own=is_own)


@pytest.mark.parametrize("is_late", [False, True])
async def test_whose_right_to_the_message_ended_passes_nothing_of_it_on(
    office: Office, *, is_late: bool
) -> None:
    """Whether it ended before the server was asked, or while it had all but the last dot; the audit has it."""
    message = await office.hall.mail("Secret")
    share = await office.hall.share(Level.REPLY, history=True)
    mail = await forwarded(office, message)
    await bring_without(office, share, is_late=is_late)

    found = await office.now(mail)
    assert (found.state, found.trouble) == (OutgoingState.FAILED, Trouble.NOT_ALLOWED)
    assert office.server.kept == []
    assert bool(office.server.sessions) is is_late
    assert KENJI.user in {entry.actor for entry in await office.hall.noted(Act.REFUSED)}


async def test_a_message_is_judged_by_itself(office: Office) -> None:
    """The level See is not enough, and a share of this message alone is."""
    message = await office.hall.mail("Plan")
    await office.hall.share(Level.SEE, history=True)
    first = await forwarded(office, message)
    await office.bring()
    await office.hall.share(Level.REPLY, message_id=message)
    second = await office.write(actor=KENJI, mailbox_id=first.mailbox_id, source=message)

    await office.bring()

    assert await office.state(first) is OutgoingState.FAILED
    assert await office.state(second) is OutgoingState.SENT


@pytest.mark.parametrize("excluded", ["bank.example", ADA.rpartition("@")[2]])
async def test_a_message_of_an_excluded_domain_or_to_one_is_not_passed_on(
    office: Office, excluded: str
) -> None:
    """Administrators excluded it after the mail was saved: its header is read, and the mail is refused."""
    message = await office.hall.mail("Secret", sender="pay@bank.example")
    await office.hall.share(Level.REPLY, history=True)
    mail = await forwarded(office, message)
    await office.hall.grant(replace(EVERYTHING, excluded=frozenset({excluded})))

    await office.bring()

    assert await office.state(mail) is OutgoingState.FAILED
    assert office.server.sessions == 0


@pytest.mark.parametrize("actor", [KENJI, MARTA])
async def test_while_the_mailbox_of_the_message_is_suspended_it_waits(office: Office, actor: Person) -> None:
    """As mail of that mailbox does, its owner's too; it goes out when that is lifted."""
    hall = office.hall
    message = await hall.mail("Plan")
    await hall.share(Level.REPLY, history=True)
    mail = await forwarded(office, message, actor, is_own=actor == MARTA)
    suspensions = Suspensions(hall.stores.database)
    await suspensions.suspend(
        TEAM_ID, hall.mailbox_id, Suspension.ADMINISTRATOR, INES, hall.clock(), lambda _: True
    )

    await office.bring()
    waiting = await office.now(mail)
    await suspensions.lift(TEAM_ID, hall.mailbox_id, INES, hall.clock(), lambda _: True)
    hall.clock.push(minutes=2)
    await office.bring()

    if actor == KENJI:  # what is suspended is open to nobody else
        assert waiting.trouble is Trouble.NOT_ALLOWED
        return
    assert (waiting.state, waiting.trouble) == (OutgoingState.WAITING, Trouble.SUSPENDED)
    assert waiting.letter is not None
    assert "whose message it answers or passes on is suspended" in waiting.letter.said
    assert await office.state(mail) is OutgoingState.SENT


@pytest.mark.parametrize("is_own", [False, True])
async def test_of_a_message_that_is_gone_only_its_owner_passes_on(office: Office, *, is_own: bool) -> None:
    """They removed its mailbox themselves; to anybody else it is open no more."""
    hall = office.hall
    message = await hall.mail("Plan")
    await hall.share(Level.REPLY, history=True)
    mail = await forwarded(office, message, MARTA if is_own else KENJI, is_own=is_own)
    await hall.stores.holdings.remove(MARTA, hall.mailbox_id, hall.clock())

    await office.bring()

    assert await office.state(mail) is (OutgoingState.SENT if is_own else OutgoingState.FAILED)
