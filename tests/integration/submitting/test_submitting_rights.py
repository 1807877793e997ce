"""A mail goes out only as what is allowed, and with the password that works, at the moment of the last dot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.people import TEAM_ID
from storage.records import Secret
from storage.sending import OutgoingState, Trouble
from storage.sharing import Act, Level, Suspension
from storage.suspension import Suspensions
from tests.integration.storage.stores import NEW
from tests.integration.submitting.conftest import RIGHT, bring_without, ended, in_hand
from tests.integration.viewing.conftest import EVERYTHING, INES, KENJI, MARTA

if TYPE_CHECKING:
    from tests.integration.submitting.conftest import Office


async def test_a_refused_password_holds_all_mail_of_the_mailbox_until_it_is_mended(office: Office) -> None:
    """One login is refused, one post tells the owner; receiving and the mail itself are not touched."""
    await office.change(replace(RIGHT, outgoing=Secret("old")))
    mails = [await office.write() for _ in range(3)]

    for _ in range(3):
        await office.bring()
        office.hall.clock.push(hours=1)
    refused = sum(line.startswith("AUTH") for line in office.server.lines)
    said = await office.post()

    assert refused == 1
    assert [await office.state(mail) for mail in mails] == [OutgoingState.HELD] * 3
    assert "refuses the user name or the password" in said[MARTA]
    await office.change(RIGHT)
    for _ in mails:
        await office.bring()
    assert [await office.state(mail) for mail in mails] == [OutgoingState.SENT] * 3
    assert office.server.twice() == []


async def test_a_host_that_refuses_logins_is_let_rest(office: Office) -> None:
    """Three mailboxes refused within an hour: the fourth does not sign in before the hour is over."""
    office.exempt = lambda _: False
    office.server.replies = {"AUTH": b"535 5.7.8 no\r\n"}
    await grant_plain(office)
    stores, submitter = office.hall.stores, office.submitter()
    ids = [office.hall.mailbox_id]
    mailbox = await stores.mailbox(ids[0], MARTA)
    for number in range(3):
        new = replace(NEW, owner=MARTA, profile=mailbox.profile, passwords=RIGHT, form_id=f"more{number}")
        ids.append((await stores.mailboxes.add(new, office.hall.clock())).id)

    mails = []
    for each in ids:
        mails.append(await office.write(mailbox_id=each))
        await office.bring(submitter)

    assert [await office.state(mail) for mail in mails] == [OutgoingState.HELD] * 3 + [OutgoingState.WAITING]
    assert office.server.sessions == 3
    due_at = (await office.now(mails[3])).due_at
    assert due_at == office.hall.clock() + timedelta(hours=1)


async def grant_plain(office: Office) -> None:
    """Administrators allow servers without encryption."""
    await office.hall.grant(replace(EVERYTHING, allows_plain=True))


async def test_a_server_without_encryption_needs_what_administrators_allow_now(office: Office) -> None:
    """The password does not go out when they allow it no more; the mail is refused and says so."""
    office.exempt = lambda _: False
    await grant_plain(office)
    first, second = await office.write(), await office.write()

    await office.bring()
    await office.hall.grant(EVERYTHING)
    await office.bring()

    assert await office.state(first) is OutgoingState.SENT
    found = await office.now(second)
    assert (found.state, found.trouble) == (OutgoingState.FAILED, Trouble.NOT_ALLOWED)
    assert office.server.sessions == 1


async def test_a_mailbox_that_only_receives_by_now_sends_nothing(office: Office) -> None:
    """Its mail is not sent, and says why."""
    mail = await office.write()
    await office.change(RIGHT, only_receives=True)

    await office.bring()

    found = await office.now(mail)
    assert (found.state, found.trouble) == (OutgoingState.FAILED, Trouble.NO_SERVER)


async def test_who_may_answer_sends_as_the_mailbox(office: Office) -> None:
    """The audit names both, and both have a post about it."""
    await office.hall.share(Level.REPLY)
    mail = await office.write(actor=KENJI)

    await office.bring()
    said = await office.post()

    assert await office.state(mail) is OutgoingState.SENT
    (noted,) = await office.hall.noted(Act.SENT)
    assert (noted.actor, noted.owner) == (KENJI.user, MARTA.user)
    assert set(said) == {MARTA, KENJI}


@pytest.mark.parametrize("is_late", [False, True])
async def test_whose_right_ended_since_sends_nothing(office: Office, *, is_late: bool) -> None:
    """Whether it ended before the server was asked, or while it had all but the last dot."""
    share = await office.hall.share(Level.REPLY)
    mail = await office.write(actor=KENJI)
    await bring_without(office, share, is_late=is_late)
    await office.post()

    found = await office.now(mail)
    assert (found.state, found.trouble) == (OutgoingState.FAILED, Trouble.NOT_ALLOWED)
    assert office.server.kept == []
    assert bool(office.server.sessions) is is_late
    assert "Plan: Not sent." in office.reads(KENJI)[-2]
    assert await office.hall.noted(Act.REFUSED)


async def test_a_role_that_was_lost_counts_at_the_last_moment(office: Office) -> None:
    """Slack is asked afresh before the dot, whatever it said a moment ago."""
    await office.hall.share(Level.REPLY)
    mail = await office.write(actor=KENJI)
    office.server.delays = {"RCPT": 0.3}
    submitter = office.submitter()

    await in_hand(office, submitter)
    office.hall.change_role(KENJI, "deactivated")
    office.hall.clock.push(seconds=6)  # an answer of five seconds ago would do
    await ended(submitter)

    assert await office.state(mail) is OutgoingState.FAILED
    assert office.server.kept == []


async def test_while_slack_does_not_say_it_waits(office: Office) -> None:
    """Put off, not refused; nothing is asked of the server; then it goes out."""
    await office.hall.share(Level.REPLY)
    mail = await office.write(actor=KENJI)
    office.hall.sandbox.faults.add(Fault("users.info", "status", count=50, status=503))
    office.hall.clock.push(minutes=30)  # what was known is forgotten

    await office.bring()
    waiting = await office.now(mail)
    office.hall.sandbox.faults.clear()
    office.hall.clock.push(minutes=2)
    await office.bring()

    assert (waiting.state, waiting.trouble) == (OutgoingState.WAITING, Trouble.UNREACHABLE)
    assert await office.state(mail) is OutgoingState.SENT


async def test_a_suspended_mailbox_sends_nothing_until_that_is_over(office: Office) -> None:
    """Its mail waits, whether it was suspended before or in the last moment, and goes out when that is lifted."""
    first, second = await office.write(), await office.write()
    await suspend(office)
    await office.bring()
    assert office.server.sessions == 0

    await lift(office)
    await office.bring()
    await office.bring()

    assert [await office.state(mail) for mail in (first, second)] == [OutgoingState.SENT] * 2


async def test_one_suspended_in_the_last_moment_is_held(office: Office) -> None:
    """All but the dot is with the server, and nothing was sent."""
    office.server.delays = {"RCPT": 0.3}
    mail, submitter = await office.write(), office.submitter()

    await in_hand(office, submitter)
    await suspend(office)
    await ended(submitter)

    found = await office.now(mail)
    assert (found.state, found.trouble) == (OutgoingState.WAITING, Trouble.SUSPENDED)
    assert office.server.kept == []


async def suspend(office: Office) -> None:
    """By an administrator."""
    hall = office.hall
    await Suspensions(hall.stores.database).suspend(
        TEAM_ID, hall.mailbox_id, Suspension.ADMINISTRATOR, INES, hall.clock(), lambda _: True
    )


async def lift(office: Office) -> None:
    """The same back."""
    hall = office.hall
    await Suspensions(hall.stores.database).lift(TEAM_ID, hall.mailbox_id, INES, hall.clock(), lambda _: True)
