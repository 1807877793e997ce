"""Mail on its way when a process ends, many at once, and mail that lay for long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from storage.sending import OutgoingState, Trouble
from tests.fakes.smtp_server import Ending
from tests.integration.submitting.conftest import ended, in_hand
from tests.integration.viewing.conftest import MARTA

if TYPE_CHECKING:
    from tests.fakes.smtp_server import Transaction
    from tests.integration.submitting.conftest import Office


async def test_one_of_a_mailbox_at_a_time(office: Office) -> None:
    """However many are due, and however slow the server is."""
    for _ in range(3):
        await office.write()
    office.server.delays = {".": 0.1}
    submitter = office.submitter()

    for _ in range(5):
        await submitter.tick()
        assert len(submitter.running()) == 1
    await ended(submitter)

    assert len(office.server.kept) == 1


async def test_no_dot_is_written_once_the_process_is_to_end(office: Office) -> None:
    """What was on its way goes out after the restart, once."""
    mail = await office.write()
    office.server.delays = {"RCPT": 0.3}
    submitter = office.submitter()

    await in_hand(office, submitter)
    office.stopping.set()
    await ended(submitter)
    assert (await office.state(mail), office.server.kept) == (OutgoingState.WAITING, [])
    office.stopping.clear()
    await office.bring()

    assert (await office.state(mail), len(office.server.kept)) == (OutgoingState.SENT, 1)


async def test_a_worker_that_dies_after_the_intent_leaves_it_unknown(office: Office) -> None:
    """Its successor of the same name says so at once and sends nothing."""
    mail, has_dot = await office.write(), asyncio.Event()

    def silent(_: Transaction) -> Ending:
        has_dot.set()
        return Ending(None, is_kept=True)

    office.server.ending = silent
    dying = office.submitter()
    await dying.tick()
    async with asyncio.timeout(30):
        await has_dot.wait()
    for task in list(dying.running()):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await office.state(mail) is OutgoingState.SENDING

    await office.bring(office.submitter())

    assert await office.state(mail) is OutgoingState.UNKNOWN
    assert len(office.server.kept) == 1


async def test_what_could_not_be_tried_for_a_day_is_not_sent_all_of_a_sudden(office: Office) -> None:
    """It says so, and its sender may have it sent."""
    mail = await office.write()
    office.hall.clock.push(hours=30)

    await office.bring()

    found = await office.now(mail)
    assert (found.state, found.trouble) == (OutgoingState.FAILED, Trouble.TOO_LONG)
    assert office.server.sessions == 0
    await office.outgoings.send_again(MARTA, mail.id, office.hall.clock(), lambda _: True)
    await office.bring()
    assert await office.state(mail) is OutgoingState.SENT
