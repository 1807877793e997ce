"""Room for everybody: slow servers, and people who have many, keep no other mail waiting."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.submitting import (
    LARGE_OCTETS,
    LARGE_OF_ONE_OWNER,
    MOST_AT_ONCE,
    MOST_OF_ONE_OWNER,
    MOST_TO_ONE_HOST,
)
from storage.records import Security, ServerAddress
from storage.sending import OutgoingState
from tests.fakes.smtp_server import SmtpServer
from tests.integration.storage.stores import NEW
from tests.integration.submitting.conftest import RIGHT, ended
from tests.integration.viewing.conftest import KENJI, MARTA

if TYPE_CHECKING:
    from storage.records import Person
    from storage.sending import Outgoing
    from tests.integration.submitting.conftest import Office

SLOW = {"EHLO": 1.0}


async def write(office: Office, owner: Person, server: SmtpServer, host: str, octets: int = 0) -> Outgoing:
    """Save a mail of a new mailbox with this outgoing server."""
    address = ServerAddress(host, server.port, Security.NONE)
    new = replace(
        NEW,
        owner=owner,
        profile=replace(NEW.profile, outgoing=address),
        passwords=RIGHT,
        make_active=False,
        form_id=f"mailbox-{office.count}",
    )
    mailbox = await office.hall.stores.mailboxes.add(new, office.hall.clock())
    text = b"Subject: x\r\n\r\n" + b"Hello.\r\n" * (1 + octets // 8)
    return await office.write(actor=owner, mailbox_id=mailbox.id, octets=text)


@pytest.mark.parametrize(
    ("octets", "most", "is_one_owners"),
    [
        (0, MOST_OF_ONE_OWNER, True),
        (LARGE_OCTETS, LARGE_OF_ONE_OWNER, True),
        (0, MOST_TO_ONE_HOST, False),
    ],
    ids=["owner", "large", "host"],
)
async def test_the_slow_leave_room_for_others(
    office: Office, octets: int, most: int, *, is_one_owners: bool
) -> None:
    """More than have room wait without being tried; meanwhile another's mail goes out, and theirs follow by themselves."""
    async with SmtpServer(accounts=office.server.accounts, delays=SLOW) as slow:
        owners = [MARTA if is_one_owners else replace(MARTA, user=f"U{at}") for at in range(most + 2)]
        held = [await write(office, owner, slow, "localhost", octets) for owner in owners]
        submitter = office.submitter()
        await submitter.tick()
        async with asyncio.timeout(30):
            while slow.sessions < most or len(submitter.running()) > most:  # noqa: ASYNC110 - the fake calls nobody
                await asyncio.sleep(0.01)
        other = await write(office, KENJI, office.server, "127.0.0.1")
        await submitter.tick()
        async with asyncio.timeout(30):
            while not office.server.kept:  # noqa: ASYNC110 - the fake calls nobody
                await asyncio.sleep(0.01)

        assert (slow.sessions, len(slow.kept)) == (most, 0)
        for _ in range(5):
            await ended(submitter)
            await submitter.tick()
        await ended(submitter)

    assert len(slow.kept) == len(held)
    assert most < MOST_AT_ONCE / 2
    for mail in (*held, other):
        now = await office.now(mail)
        assert (now.state, now.attempts) == (OutgoingState.SENT, 1)
