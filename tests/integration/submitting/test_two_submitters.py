"""Two processes on one PostgreSQL: each mail goes out once, and whoever lost its lease writes nothing more."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from storage.errors import LeaseLost
from storage.sending import OutgoingState
from tests.integration.submitting.conftest import ADA, BOB, Office, ended


@pytest.fixture
def sqlite_url(postgresql_url: str) -> str:
    """SQLite has one process: what stands on it elsewhere stands on PostgreSQL here."""
    return postgresql_url


async def test_two_workers_send_each_mail_once(office: Office) -> None:
    """Whatever they claim at the same moment."""
    for _ in range(12):
        await office.write(ADA, BOB)
    workers = [office.submitter(name) for name in ("one", "two")]

    for _ in range(60):
        await asyncio.gather(*(worker.tick() for worker in workers))
        await asyncio.gather(*map(ended, workers))
        if len(office.server.kept) == 12:
            break

    assert len(office.server.kept) == 12
    assert office.server.twice() == []


async def test_who_lost_its_lease_before_the_dot_does_not_write_it(office: Office) -> None:
    """A worker stood still; the other one sent the mail meanwhile."""
    mail = await office.write()
    (stale,) = await office.submissions.claim_due(
        office.hall.clock(), lease=timedelta(seconds=20), worker="one", limit=1
    )
    office.hall.clock.push(seconds=21)

    await office.bring(office.submitter("two"))

    assert await office.state(mail) is OutgoingState.SENT
    with pytest.raises(LeaseLost):
        await office.submissions.intend(stale, office.hall.clock(), lambda _: True)
    await office.submitter("one")._try(stale)
    assert len(office.server.kept) == 1


@pytest.mark.parametrize("is_sent_again", [False, True])
async def test_an_answer_counts_that_came_after_the_lease_was_lost(
    office: Office, *, is_sent_again: bool
) -> None:
    """The server has the mail, whoever called it unknown meanwhile; unless somebody decided to send it again."""
    mail = await office.write()
    office.server.delays = {".": 0.5}
    first = office.submitter("one")
    await first.tick()
    async with asyncio.timeout(5):
        while await office.state(mail) is not OutgoingState.SENDING:  # noqa: ASYNC110 - a row calls nobody
            await asyncio.sleep(0.01)
    office.hall.clock.push(seconds=21)

    assert await office.submissions.claim_due(
        office.hall.clock(), lease=timedelta(seconds=20), worker="two", limit=1
    ) == []  # fmt: skip
    assert await office.state(mail) is OutgoingState.UNKNOWN
    if is_sent_again:
        await office.outgoings.send_again(mail.actor, mail.id, office.hall.clock(), lambda _: True)
    await ended(first)

    assert len(office.server.kept) == 1
    assert await office.state(mail) is (OutgoingState.WAITING if is_sent_again else OutgoingState.SENT)
