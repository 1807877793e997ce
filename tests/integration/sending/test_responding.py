"""Invitations are answered by one mail to the organizer, as the mailbox that is invited."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest

from bot.errors import NotAllowed
from bot.mail.special import Answer
from bot.sending_errors import NotInvited
from storage.sending import OutgoingState
from storage.sharing import Level
from tests.integration.viewing.conftest import KENJI, MARTA

if TYPE_CHECKING:
    from tests.integration.sending.conftest import Bureau

UID = "meeting-1@elsewhere.example"


def invitation(attendee: str = "anna@example.org", organiser: str = "mailto:boss@elsewhere.example") -> bytes:
    """A mail with a meeting in it."""
    return (
        "From: Assistant <assistant@elsewhere.example>\r\nTo: anna@example.org\r\nSubject: Planning\r\n"
        "Message-ID: <invite@elsewhere.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: text/calendar; method=REQUEST; charset="utf-8"\r\n\r\n'
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n"
        f"UID:{UID}\r\nSEQUENCE:2\r\nSUMMARY:Planning\r\nDTSTAMP:20261101T080000Z\r\n"
        "DTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\n"
        f"ORGANIZER;CN=The Boss:{organiser}\r\n"
        f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{attendee}\r\n"
        "ATTENDEE:mailto:other@third.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


async def test_an_answer_goes_to_the_organizer_alone(bureau: Bureau) -> None:
    """It names the one attendee that answers, and stands in the invitation's thread."""
    message_id = await bureau.hall.message(invitation())

    saved = await bureau.sending.respond(MARTA, message_id, UID, Answer.ACCEPTED)
    mail = message_from_bytes(await bureau.octets(saved), policy=policy.default)
    (calendar,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    said = calendar.get_content().replace("\r\n ", "")

    assert saved.letter is not None
    assert [each.address for each in saved.letter.recipients] == ["boss@elsewhere.example"]
    assert (mail["Subject"], mail["In-Reply-To"]) == ("Accepted: Planning", "<invite@elsewhere.example>")
    assert calendar.get_param("method") == "REPLY"
    assert "PARTSTAT=ACCEPTED" in said
    assert f"UID:{UID}" in said
    assert said.count("ATTENDEE") == 1
    assert "other@third.example" not in said


async def test_the_same_answer_twice_is_one_mail_and_a_new_one_another(bureau: Bureau) -> None:
    """Whoever changes their mind, and back again, says so each time; one that was called back does not count."""
    message_id = await bureau.hall.message(invitation())
    ids = list[str]()

    for part in (
        Answer.ACCEPTED, Answer.ACCEPTED, Answer.DECLINED, Answer.ACCEPTED, Answer.ACCEPTED, Answer.TENTATIVE,
    ):  # fmt: skip
        ids.append((await bureau.sending.respond(MARTA, message_id, UID, part)).id)
        bureau.hall.clock.push(seconds=1)
    await bureau.sending.undo(MARTA, ids[-1])
    ids.append((await bureau.sending.respond(MARTA, message_id, UID, Answer.TENTATIVE)).id)

    assert [ids.index(each) for each in ids] == [0, 0, 2, 3, 3, 5, 6]


async def test_another_answer_takes_the_place_of_one_that_still_waits(bureau: Bureau) -> None:
    """The organizer hears the last word alone; what was sent before stays sent."""
    message_id = await bureau.hall.message(invitation())
    sending, outgoings, clock = bureau.sending, bureau.outgoings, bureau.hall.clock

    accepted = await sending.respond(MARTA, message_id, UID, Answer.ACCEPTED)
    clock.push(seconds=1)
    declined = await sending.respond(MARTA, message_id, UID, Answer.DECLINED)
    clock.push(minutes=1)
    (taken,) = await bureau.submissions.claim_due(
        clock(), lease=timedelta(minutes=1), worker="w", limit=5, busy=()
    )
    await bureau.submissions.intend(taken, clock(), lambda _: True)
    tentative = await sending.respond(MARTA, message_id, UID, Answer.TENTATIVE)

    assert taken.outgoing.id == declined.id
    assert (await outgoings.get(MARTA, accepted.id)).state is OutgoingState.UNDONE
    assert (await outgoings.get(MARTA, declined.id)).state is OutgoingState.SENDING
    assert (await outgoings.get(MARTA, tentative.id)).state is OutgoingState.WAITING


@pytest.mark.parametrize(
    "octets",
    [
        invitation(attendee="somebody@third.example"),
        invitation(organiser="urn:uuid:1"),
        invitation().replace(b"METHOD:REQUEST", b"METHOD:PUBLISH"),
        b"From: a@b.example\r\nSubject: x\r\n\r\nno invitation\r\n",
    ],
    ids=["not invited", "no organizer", "no question", "no invitation"],
)
async def test_what_asks_for_no_answer_gets_none(bureau: Bureau, octets: bytes) -> None:
    """The sentence says what to do instead."""
    message_id = await bureau.hall.message(octets)

    with pytest.raises(NotInvited):
        await bureau.sending.respond(MARTA, message_id, UID, Answer.ACCEPTED)


async def test_another_event_than_those_of_the_message_is_not_answered(bureau: Bureau) -> None:
    """What a button says only tells which one is meant; and nothing is delegated here."""
    message_id = await bureau.hall.message(invitation())

    with pytest.raises(NotInvited):
        await bureau.sending.respond(MARTA, message_id, "other@elsewhere.example", Answer.ACCEPTED)
    with pytest.raises(NotInvited):
        await bureau.sending.respond(MARTA, message_id, UID, Answer.DELEGATED)


async def test_others_answer_with_reply_and_not_below(bureau: Bureau) -> None:
    """As for any other mail."""
    message_id = await bureau.hall.message(invitation())
    await bureau.hall.share(Level.OPEN, history=True)

    with pytest.raises(NotAllowed):
        await bureau.sending.respond(KENJI, message_id, UID, Answer.ACCEPTED)
    await bureau.hall.share(Level.REPLY, history=True)
    saved = await bureau.sending.respond(KENJI, message_id, UID, Answer.ACCEPTED)

    assert (saved.actor, saved.owner) == (KENJI, MARTA)
