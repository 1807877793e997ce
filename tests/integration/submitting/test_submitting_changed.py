"""Settings change at any moment: no password meets another server than its own, no mail another mailbox's address."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.guard import Guard
from bot.mail.smtp import Reply
from storage.attempts import Attempts
from storage.records import Passwords, Retention, Secret, Security, ServerAddress
from storage.sending import OutgoingState, Trouble
from storage.sharing import Level
from tests.integration.storage.stores import PROFILE
from tests.integration.submitting.conftest import ADA, RIGHT, ended, in_hand
from tests.integration.viewing.conftest import EVERYTHING, KENJI, MARTA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from storage.records import Profile
    from tests.integration.submitting.conftest import Office

THEIRS = Passwords(RIGHT.incoming, Secret("for the other one"))


async def move(office: Office, profile: Profile, passwords: Passwords) -> None:
    """The owner changes settings, and their test passes."""
    await office.hall.stores.mailboxes.change(
        MARTA, office.hall.mailbox_id, profile=profile, passwords=passwords, retention=Retention.LEAVE,
        delete_days=None, listing=None, skip=(), now=office.hall.clock(),
    )  # fmt: skip


class MovingGuard(Guard):
    """While a mail waits for its turn at the server, its owner moves to another one."""

    office: Office

    @asynccontextmanager
    async def submission(self, mailbox_id: str, server: ServerAddress) -> AsyncIterator[None]:
        """As it is, but for what happens meanwhile."""
        if server.host == "localhost":
            other = replace(PROFILE, outgoing=ServerAddress("smtp.other.example", 465, Security.TLS))
            await move(self.office, other, THEIRS)
        async with super().submission(mailbox_id, server):
            yield


async def test_the_mode_of_fetching_is_no_part_of_who_sends(office: Office) -> None:
    """`recent:` before the user name is for the incoming server alone; with one pair for both, mail goes out without it."""
    outgoing = ServerAddress("localhost", office.server.port, Security.NONE)
    both = replace(PROFILE, username="recent:anna-out", outgoing=outgoing, outgoing_username=None)
    await move(office, both, Passwords(Secret("correct horse"), None))
    mail = await office.write()

    await office.bring()

    assert await office.state(mail) is OutgoingState.SENT
    assert [kept.user for kept in office.server.kept] == ["anna-out"]


async def test_a_new_password_never_goes_to_the_former_server(office: Office) -> None:
    """Server and password are changed between the moments at which each was read; the mail goes by the new ones."""
    met: list[tuple[str, str]] = []

    async def submit(
        server: ServerAddress, _name: str, password: Secret, mail: Any, *, before_dot: Callable[[], Awaitable[None]]
    ) -> tuple[Reply, ...]:  # fmt: skip
        met.append((server.host, password.reveal()))
        await before_dot()
        return tuple(Reply(each, 250, "", is_taken=True, is_temporary=False) for each in mail.recipients)

    mail = await office.write()
    submitter = office.submitter(submit=submit)
    guard = MovingGuard(
        Attempts(office.hall.stores.database, office.vault), is_exempt=lambda _: True, clock=office.hall.clock
    )
    guard.office = office
    submitter._guard = guard

    await office.bring(submitter)
    await office.bring(submitter)

    assert met == [("smtp.other.example", "for the other one")]
    assert await office.state(mail) is OutgoingState.SENT


async def test_a_mail_of_a_former_address_is_not_sent(office: Office) -> None:
    """The mailbox became another one while it waited: its words and its recipients are nothing for that server."""
    mail = await office.write(ADA, undo=10)
    moved = replace(
        PROFILE, address="bea@other.example", outgoing=ServerAddress("localhost", office.server.port, Security.NONE)
    )  # fmt: skip
    await move(office, moved, RIGHT)
    office.hall.clock.push(seconds=11)

    await office.bring()

    found = await office.now(mail)
    assert (found.state, found.trouble) == (OutgoingState.FAILED, Trouble.NOT_ALLOWED)
    assert found.letter is not None
    assert "another address" in found.letter.said
    assert office.server.transactions == []


async def test_the_same_address_spelled_otherwise_is_the_same(office: Office) -> None:
    """Capitals make no other mailbox."""
    mail = await office.write(ADA)
    spelled = replace(
        PROFILE, address=PROFILE.address.upper(), outgoing=ServerAddress("localhost", office.server.port, Security.NONE)
    )  # fmt: skip
    await move(office, spelled, RIGHT)

    await office.bring()

    assert await office.state(mail) is OutgoingState.SENT


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_domain_excluded_since_gets_nothing_from_others(office: Office, *, is_late: bool) -> None:
    """Whether administrators excluded it before the server was asked, or while it had all but the last dot."""
    await office.hall.share(Level.REPLY)
    theirs, mine = await office.write(ADA, actor=KENJI), await office.write(ADA)
    excluded = replace(EVERYTHING, excluded=frozenset({"elsewhere.example"}))
    if is_late:
        office.server.delays = {"RCPT": 0.3}
        submitter = office.submitter()
        await in_hand(office, submitter)
        await office.hall.grant(excluded)
        await ended(submitter)
    else:
        await office.hall.grant(excluded)
        await office.bring()
    await office.bring()

    found = await office.now(theirs)
    assert (found.state, found.trouble) == (OutgoingState.FAILED, Trouble.NOT_ALLOWED)
    assert await office.state(mine) is OutgoingState.SENT
    assert len(office.server.kept) == 1
