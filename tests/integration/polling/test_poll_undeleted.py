"""Servers that do not delete what they are told to, and owners who change their mind meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot import plan
from storage.deletion import DELETION_TRIES
from storage.records import Health, Retention, SeenState
from tests.fakes.pop3_server import Answer, Dialogue, Pop3Server, hang_up
from tests.integration.storage.stores import OWNER

if TYPE_CHECKING:
    from tests.integration.polling.conftest import Desk

ONE, TWO = (b"Subject: %b\r\n\r\nHello.\r\n" % word for word in (b"one", b"two"))


async def only_what_was_read(dialogue: Dialogue, line: str) -> None:
    """DELE, for messages that were fetched since this session's login."""
    number = int(line.split()[1])
    commands = dialogue.server.commands
    login = max(at for at, command in enumerate(commands) if command.startswith("AUTH"))
    if f"RETR {number}" not in commands[login:]:
        await dialogue.write(b"-ERR read it first\r\n")
        return
    dialogue._deleted.add(number)
    await dialogue.write(b"+OK\r\n")


async def keeps_all(dialogue: Dialogue, line: str) -> None:
    """QUIT that is answered as if all were well, and deletes nothing."""
    await dialogue.write(b"+OK bye\r\n")
    dialogue.close()


async def test_a_server_that_deletes_only_what_was_read_gets_it_read(desk: Desk) -> None:
    """DELE is refused twice; then the message is fetched in the same session, and goes."""
    async with Pop3Server([ONE], answers={"DELE": only_what_was_read}) as server:
        await desk.register(server, Retention.DELETE_POSTED)
        assert await desk.subjects() == ["one"]

        for _ in range(4):
            await desk.poll()

        assert server.commands.count("DELE 1") == 3
        assert server.commands.count("RETR 1") == 2
        assert server.messages == []
        assert await desk.subjects() == []


async def test_many_that_must_be_read_are_read_some_at_a_time(desk: Desk) -> None:
    """Each session reads a bounded number, and what was not read is not tried."""
    many = plan.READINGS + 5
    async with Pop3Server([ONE] * many, answers={"DELE": only_what_was_read}) as server:
        await desk.register(server, Retention.DELETE_POSTED)
        await desk.settle()
        for _ in range(2):
            await desk.poll()

        server.commands.clear()
        await desk.poll()
        read, left = sum(line.startswith("RETR") for line in server.commands), len(server.messages)
        await desk.poll()

        assert (read, left) == (plan.READINGS, 5)
        assert server.messages == []


@pytest.mark.parametrize(
    "answers",
    [
        {"DELE": b"-ERR read-only\r\n"},
        {"DELE": b"-ERR read-only\r\n", "LIST": b"-ERR no\r\n"},
        {"QUIT": b"-ERR some messages were not removed\r\n"},
        {"QUIT": keeps_all},
        {"QUIT": hang_up},
        {"DELE": hang_up},
    ],
)
async def test_a_server_that_never_deletes_is_left_alone_in_the_end(
    desk: Desk, answers: dict[str, Answer]
) -> None:
    """After a few tries it is asked no more, polls are as short as ever, and nothing is posted twice."""
    async with Pop3Server([ONE, TWO], answers=answers) as server:
        mailbox = await desk.register(server, Retention.DELETE_POSTED)
        assert await desk.subjects() == ["one", "two"]
        for _ in range(2 * DELETION_TRIES + 2):
            await desk.poll()
        deletions = server.commands.count("DELE 1")
        server.commands.clear()

        after = await desk.poll()

        assert 2 < deletions <= DELETION_TRIES
        assert "UIDL" not in server.commands
        assert not [line for line in server.commands if line.startswith(("RETR", "DELE"))]
        assert after.health is Health.OK
        assert [entry for entry in await desk.settle() if entry.message_id] == []
        seen = await desk.stores.messages.seen(mailbox.id)
        assert {(row.state, row.is_settled) for row in seen.values()} == {(SeenState.KEPT, True)}


async def test_what_cannot_be_read_any_more_is_left_alone_too(desk: Desk) -> None:
    """RETR ends every session in which a stubborn message would be read: a few sessions, not all of them."""
    async with Pop3Server([ONE], answers={"DELE": b"-ERR no\r\n"}) as server:
        await desk.register(server, Retention.DELETE_POSTED)
        await desk.settle()
        server.answers["RETR 1"] = hang_up
        for _ in range(DELETION_TRIES):
            await desk.poll()
        server.commands.clear()

        after = await desk.poll()

        assert after.health is Health.OK
        assert not [line for line in server.commands if line.startswith(("RETR", "DELE"))]


async def test_a_message_that_took_the_uid_of_a_stubborn_one_is_posted(desk: Desk) -> None:
    """What is fetched before it is deleted is compared: other content is another message, and comes to Slack."""
    async with Pop3Server([ONE], uids=[b"1"], answers={"DELE": b"-ERR no\r\n"}) as server:
        await desk.register(server, Retention.DELETE_POSTED)
        assert await desk.subjects() == ["one"]
        for _ in range(2):
            await desk.poll()
        server.messages, server.answers = [TWO], {}
        server.commands.clear()

        await desk.poll()
        assert "DELE 1" not in server.commands
        await desk.poll()

        assert server.messages == [TWO]
        assert await desk.subjects() == ["two"]
        await desk.poll()
        assert server.messages == []


async def test_owners_who_save_their_settings_have_it_tried_again(desk: Desk) -> None:
    """A server that was read-only for a while deletes what is due once its owner has edited the mailbox."""
    async with Pop3Server([ONE], answers={"DELE": b"-ERR read-only\r\n"}) as server:
        mailbox = await desk.register(server, Retention.DELETE_POSTED)
        await desk.settle()
        for _ in range(DELETION_TRIES + 1):
            await desk.poll()
        server.answers.clear()
        await desk.poll()
        assert server.messages == [ONE]

        await desk.change(mailbox, Retention.DELETE_POSTED)
        await desk.poll()

        assert server.messages == []


async def test_failures_to_fetch_do_not_count_as_failures_to_delete(desk: Desk) -> None:
    """A message that came at the third try is deleted like any other, without being read for it."""
    async with Pop3Server([ONE], answers={"RETR 1": b"-ERR later\r\n"}) as server:
        await desk.register(server, Retention.DELETE_POSTED)
        await desk.poll()
        server.answers.clear()
        await desk.poll()
        assert await desk.subjects() == ["one"]
        server.commands.clear()

        await desk.poll()

        assert "RETR 1" not in server.commands
        assert server.messages == []


@pytest.mark.parametrize(
    ("before", "after", "days"),
    [
        (Retention.DELETE_POSTED, Retention.DELETE_LATER, 30),
        (Retention.DELETE_POSTED, Retention.DELETE_ASKED, None),
        (Retention.DELETE_POSTED, Retention.LEAVE, None),
    ],
)
async def test_another_setting_does_not_finish_what_the_old_one_began(
    desk: Desk, before: Retention, after: Retention, days: int | None
) -> None:
    """A deletion whose QUIT was lost is not repeated once the owner wants the mail to stay."""
    async with Pop3Server([ONE], answers={"QUIT": hang_up}) as server:
        mailbox = await desk.register(server, before)
        await desk.settle()
        await desk.poll()
        server.answers.clear()

        await desk.change(mailbox, after, days)
        for _ in range(2):
            await desk.poll()

        assert server.messages == [ONE]


async def test_who_pauses_between_dele_and_quit_keeps_the_mail(desk: Desk) -> None:
    """DELE counts with QUIT: a change that comes before it ends the session instead."""
    async with Pop3Server([ONE]) as server:
        mailbox = await desk.register(server, Retention.DELETE_POSTED)
        await desk.settle()

        async def paused_meanwhile(dialogue: Dialogue, line: str) -> None:
            dialogue._deleted.add(1)
            await desk.stores.mailboxes.pause(OWNER, mailbox.id, desk.clock())
            await dialogue.write(b"+OK\r\n")

        server.answers["DELE"] = paused_meanwhile
        await desk.poll()
        await server.all_gone()

        assert "DELE 1" in server.commands
        assert "QUIT" not in server.commands[server.commands.index("DELE 1") :]
        assert server.messages == [ONE]
