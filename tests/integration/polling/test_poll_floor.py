"""What a provider asks to be left between two sessions, also where one of them has no recorded end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from storage.errors import StorageBusy
from storage.records import Health
from tests.fakes.pop3_server import Dialogue, Pop3Server
from tests.integration.storage.stores import OWNER

if TYPE_CHECKING:
    from tests.integration.polling.conftest import Desk

FLOOR = timedelta(minutes=15)


async def test_who_pauses_and_resumes_gets_no_session_too_soon(desk: Desk) -> None:
    """A session that the owner's change cut short was a session to the provider as well."""
    async with Pop3Server([b"Subject: one\r\n\r\n"]) as server:
        mailbox = await desk.register(server)
        desk.floors[mailbox.id] = FLOOR
        desk.clock.ahead += FLOOR

        async def switched(dialogue: Dialogue, line: str) -> None:
            await desk.stores.mailboxes.pause(OWNER, mailbox.id, desk.clock())
            await desk.stores.mailboxes.resume(OWNER, mailbox.id, desk.clock())
            await dialogue.write(b"+OK 1 16\r\n")

        server.answers["STAT"] = server.answers["UIDL"] = switched
        await desk.poll()
        server.answers.clear()
        sessions = server.sessions

        put_off = await desk.poll()
        assert server.sessions == sessions
        assert put_off.due_at is not None
        assert put_off.due_at - desk.clock() > FLOOR / 2
        after = await desk.poll()

        assert server.sessions == sessions + 1
        assert after.health is Health.OK


async def test_a_database_that_fails_gives_the_provider_no_extra_sessions(desk: Desk) -> None:
    """What was fetched and could not be kept comes again, and not sooner than the provider allows."""
    async with Pop3Server([b"Subject: one\r\n\r\n"]) as server:
        mailbox = await desk.register(server)
        await desk.settle()
        desk.floors[mailbox.id] = FLOOR
        desk.clock.ahead += FLOOR
        server.messages.append(b"Subject: two\r\n\r\n" + b"x" * 2_000_000)
        server.uids.append(b"uid-2")
        folder = desk.stores.messages._folder
        kept = folder.rename(folder.with_name("kept"))
        folder.touch()

        with pytest.raises((StorageBusy, OSError)):
            await desk.poll()
        folder.unlink()
        kept.rename(folder)
        await desk.stores.mailboxes.release("w")
        sessions = server.sessions
        await desk.poll()

        assert server.sessions == sessions
