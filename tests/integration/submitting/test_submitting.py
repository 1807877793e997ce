"""What becomes of a mail that is due: each recipient has it once, or its sender is told why not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from storage.sending import OutgoingState, RecipientState, Trouble
from storage.sharing import Act
from tests.fakes.smtp_server import NOT_TAKEN_UNANSWERED, TAKEN, TAKEN_UNANSWERED, Ending
from tests.integration.submitting.conftest import ADA, BOB
from tests.integration.viewing.conftest import MARTA

if TYPE_CHECKING:
    from tests.integration.submitting.conftest import Office

LATER = Ending(b"451 4.3.0 later\r\n", is_kept=False)


async def test_a_mail_goes_out_once(office: Office) -> None:
    """As it was saved, to whom it was for, and the audit says who sent it."""
    mail = await office.write(ADA, BOB)

    await office.bring()
    await office.bring()

    (kept,) = office.server.kept
    assert (kept.sender, kept.recipients, kept.message_id) == (
        "anna@example.org",
        [ADA, BOB],
        "<1@example.org>",
    )
    assert await office.state(mail) is OutgoingState.SENT
    (noted,) = await office.hall.noted(Act.SENT)
    assert (noted.actor, noted.owner) == (MARTA.user, MARTA.user)


async def test_it_waits_until_it_can_be_undone_no_more(office: Office) -> None:
    """Nothing is asked of the server before."""
    mail = await office.write(undo=10)

    await office.bring()
    assert office.server.sessions == 0
    office.hall.clock.push(seconds=10)
    await office.bring()

    assert await office.state(mail) is OutgoingState.SENT


async def test_one_that_is_undone_does_not_go_out(office: Office) -> None:
    """Undo works up to the last dot: also while all of it but that is with the server."""
    mail, undone = await office.write(), asyncio.Event()

    async def undo(*args: object, **kwargs: object) -> object:
        before_dot = kwargs["before_dot"]

        async def late() -> None:
            await office.outgoings.undo(MARTA, mail.id, office.hall.clock())
            undone.set()
            await before_dot()  # type: ignore[operator] # the submitter's

        return await real._submit(*args, **{**kwargs, "before_dot": late})  # type: ignore[arg-type] # passed on as they came

    real = office.submitter()
    await office.bring(office.submitter(submit=undo))

    assert undone.is_set()
    assert office.server.transactions
    assert office.server.kept == []
    assert await office.state(mail) is OutgoingState.UNDONE


@pytest.mark.parametrize(
    "script", [{"cuts_after": 5}, {"replies": {"EHLO": b""}}, {"replies": {"DATA": b""}}]
)
async def test_a_connection_lost_before_the_dot_sent_nothing(
    office: Office, script: dict[str, object]
) -> None:
    """It is tried again, and then it goes out once."""
    mail = await office.write()
    before = {name: getattr(office.server, name) for name in script}
    for name, value in script.items():
        setattr(office.server, name, value)

    await office.bring()
    waiting = await office.now(mail)
    for name, value in before.items():
        setattr(office.server, name, value)
    office.hall.clock.push(minutes=2)
    await office.bring()

    assert (waiting.state, waiting.trouble) == (OutgoingState.WAITING, Trouble.UNREACHABLE)
    assert len(office.server.kept) == 1
    assert await office.state(mail) is OutgoingState.SENT


@pytest.mark.parametrize("ending", [TAKEN_UNANSWERED, NOT_TAKEN_UNANSWERED])
async def test_no_answer_after_the_dot_is_unknown_and_never_sent_again(
    office: Office, ending: Ending
) -> None:
    """Whether the server has it or not, nobody knows here; only its sender may have it sent again."""
    mail = await office.write()
    office.server.ending = ending

    await office.bring()
    office.server.ending = TAKEN
    office.hall.clock.push(days=1)
    await office.bring()

    found = await office.now(mail)
    assert (found.state, found.trouble) == (OutgoingState.UNKNOWN, Trouble.NO_ANSWER)
    assert len(office.server.transactions) == 1
    await office.outgoings.send_again(MARTA, mail.id, office.hall.clock(), lambda _: True)
    await office.bring()
    assert await office.state(mail) is OutgoingState.SENT


@pytest.mark.parametrize(
    "script",
    [
        {"replies": {"MAIL": b"451 4.3.0 later\r\n"}},
        {"replies": {"RCPT": b"450 4.2.0 greylisted\r\n"}},
        {"ending": LATER},
        {"replies": {"DATA": b"421 4.3.2 going down\r\n"}},
    ],
)
async def test_a_server_that_asks_to_come_later_is_asked_later(
    office: Office, script: dict[str, object]
) -> None:
    """After a minute, with a sentence meanwhile; and then it is sent."""
    mail = await office.write()
    server = office.server
    server.replies, server.ending = script.get("replies", {}), script.get("ending", TAKEN)  # type: ignore[assignment] # as written above

    await office.bring()
    waiting = await office.now(mail)
    server.replies, server.ending = {}, TAKEN
    await office.bring()
    assert server.kept == []
    office.hall.clock.push(minutes=2)
    await office.bring()

    assert waiting.state is OutgoingState.WAITING
    assert waiting.letter is not None
    assert waiting.letter.said.endswith("for now.") or waiting.letter.said.endswith("later.")
    assert (await office.state(mail), len(server.kept)) == (OutgoingState.SENT, 1)


async def test_a_refused_recipient_is_named_and_the_others_have_it(office: Office) -> None:
    """With the server's code; nobody is sent to twice."""
    office.server.recipients[BOB] = b"550 5.1.1 no such user\r\n"
    mail = await office.write(ADA, BOB)

    await office.bring()
    office.hall.clock.push(days=1)
    await office.bring()

    found = await office.now(mail)
    assert found.state is OutgoingState.SENT
    assert found.letter is not None
    assert [(each.state, each.code) for each in found.letter.recipients] == [
        (RecipientState.TAKEN, 0),
        (RecipientState.REFUSED, 550),
    ]
    assert [kept.recipients for kept in office.server.kept] == [[ADA]]


@pytest.mark.parametrize("in_the_end", [b"250 2.1.5 ok\r\n", b"550 5.1.1 no such user\r\n"])
async def test_who_is_put_off_is_tried_alone(office: Office, in_the_end: bytes) -> None:
    """The others have it already; what becomes of the last one ends the mail."""
    office.server.recipients[BOB] = b"450 4.2.0 greylisted\r\n"
    mail = await office.write(ADA, BOB)

    await office.bring()
    assert await office.state(mail) is OutgoingState.WAITING
    office.server.recipients[BOB] = in_the_end
    office.hall.clock.push(minutes=2)
    await office.bring()

    assert await office.state(mail) is OutgoingState.SENT
    assert office.server.twice() == []
    expected = [[ADA], [BOB]] if in_the_end.startswith(b"250") else [[ADA]]
    assert [kept.recipients for kept in office.server.kept] == expected


async def test_what_the_server_refuses_for_good_is_not_tried_again(office: Office) -> None:
    """It says why."""
    office.server.ending = Ending(b"554 5.6.0 no\r\n", is_kept=False)
    mail = await office.write()

    await office.bring()
    office.hall.clock.push(hours=2)
    await office.bring()

    found = await office.now(mail)
    assert (found.state, found.trouble) == (OutgoingState.FAILED, Trouble.MESSAGE_REFUSED)
    assert len(office.server.transactions) == 1


async def test_a_server_that_never_answers_is_given_up_after_a_day(office: Office) -> None:
    """Its tries come less and less often."""
    office.server.replies = {"EHLO": b""}
    mail = await office.write()

    for _ in range(100):
        await office.bring()
        if await office.state(mail) is not OutgoingState.WAITING:
            break
        office.hall.clock.push(minutes=30)

    found = await office.now(mail)
    assert (found.state, found.trouble) == (OutgoingState.FAILED, Trouble.TOO_LONG)
    assert found.finished_at is not None
    assert timedelta(days=1) <= found.finished_at - found.created_at < timedelta(days=1, hours=2)
    assert 15 < office.server.sessions < 35
