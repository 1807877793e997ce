"""What happens when nearly all UIDs of a maildrop suddenly look new."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import NoSuchMailbox
from bot.server_mail import Said
from storage.records import Health, Notice, Passwords, Retention, Secret, SeenState
from tests.fakes.pop3_server import Pop3Server
from tests.integration.storage.stores import OWNER, STRANGER

if TYPE_CHECKING:
    from tests.integration.polling.conftest import Desk

SUBJECTS = [str(number) for number in range(20)]


def mail(*subjects: str) -> list[bytes]:
    """Messages of these subjects."""
    return [b"Subject: %s\r\n\r\nHello.\r\n" % subject.encode() for subject in subjects]


def rename(server: Pop3Server, prefix: bytes) -> None:
    """Give everything that lies in the maildrop another UID."""
    server.uids = [prefix + b"%d" % number for number in range(len(server.messages))]


async def test_nothing_is_fetched_before_the_owner_has_answered(desk: Desk) -> None:
    """One notice, no RETR, no DELE, no further poll; whoever resumes is asked again, of the same messages."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        await desk.register(server, Retention.DELETE_POSTED)
        assert await desk.subjects() == SUBJECTS
        rename(server, b"b")
        server.commands.clear()

        asked = await desk.poll()
        notices = await desk.settle()
        await desk.stores.mailboxes.pause(OWNER, asked.id, desk.clock())
        await desk.stores.mailboxes.resume(OWNER, asked.id, desk.clock())
        again = await desk.poll()

        assert asked.health is again.health is Health.ASKED
        assert asked.due_at is None
        assert [entry.notice for entry in notices] == [Notice.ASKED]
        assert [entry.notice for entry in await desk.settle()] == [Notice.ASKED]
        assert await desk.stores.messages.count_asked(asked.id) == len(SUBJECTS)
        assert not [line for line in server.commands if line.startswith(("RETR", "DELE"))]
        assert len(server.messages) == len(SUBJECTS)


async def test_the_first_poll_asks_too(desk: Desk) -> None:
    """What the test of the form listed is not poured out where each session has other UIDs."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        await desk.register(server, skip=server.uids)
        rename(server, b"b")
        server.commands.clear()

        asked = await desk.poll()

        assert asked.health is Health.ASKED
        assert not [line for line in server.commands if line.startswith("RETR")]


@pytest.mark.parametrize("said", [Said.NEW, Said.SEEN])
async def test_after_the_answer_only_what_is_new_comes(desk: Desk, said: Said) -> None:
    """What was brought before is recognised or skipped; mail that comes after the answer is posted."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        mailbox = await desk.register(server)
        assert await desk.subjects() == SUBJECTS
        rename(server, b"b")
        await desk.poll()

        _, was_open = await desk.server_mail.answer(OWNER, mailbox.id, said)
        _, is_open = await desk.server_mail.answer(OWNER, mailbox.id, Said.NEW)
        after = await desk.poll()
        server.messages += mail("new")
        server.uids.append(b"new")
        await desk.poll()

        assert (was_open, is_open) == (True, False)
        assert after.health is Health.OK
        assert await desk.subjects() == ["new"]


async def test_old_mail_nobody_asked_for_comes_if_the_owner_says_it_is_new(desk: Desk) -> None:
    """Its content was never fetched, so only the owner can tell."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        mailbox = await desk.register(server, skip=server.uids[:15])
        assert await desk.subjects() == SUBJECTS[15:]
        rename(server, b"b")
        await desk.poll()

        await desk.server_mail.answer(OWNER, mailbox.id, Said.NEW)
        await desk.poll()

        assert await desk.subjects() == SUBJECTS[:15]


async def test_recognised_mail_keeps_its_delete_setting(desk: Desk) -> None:
    """A message that is in Slack under its old UID is deleted under its new one."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        mailbox = await desk.register(server, Retention.DELETE_POSTED)
        assert await desk.subjects() == SUBJECTS
        rename(server, b"b")
        await desk.poll()
        await desk.server_mail.answer(OWNER, mailbox.id, Said.NEW)

        await desk.poll()
        await desk.poll()

        assert server.messages == []
        assert await desk.subjects() == []


async def test_stop_leaves_the_question_open(desk: Desk) -> None:
    """The mailbox is paused; the answer can still be given and lets it go on."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        mailbox = await desk.register(server)
        await desk.subjects()
        rename(server, b"b")
        await desk.poll()

        stopped, was_open = await desk.server_mail.answer(OWNER, mailbox.id, Said.STOP)
        later, is_open = await desk.server_mail.answer(OWNER, mailbox.id, Said.SEEN)

        assert (stopped.is_paused, was_open) == (True, True)
        assert (later.is_paused, is_open) == (False, True)
        assert later.due_at is not None


async def test_nobody_else_answers(desk: Desk) -> None:
    """A mailbox id in a button routes and never authorises."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        mailbox = await desk.register(server)
        rename(server, b"b")
        await desk.poll()

        for said in Said:
            with pytest.raises(NoSuchMailbox):
                await desk.server_mail.answer(STRANGER, mailbox.id, said)

        assert await desk.stores.messages.count_asked(mailbox.id) == len(SUBJECTS)


async def test_a_crash_between_question_and_notice_loses_neither(desk: Desk) -> None:
    """Some UIDs are recorded, then the process dies: the next poll asks, once, of all of them."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        mailbox = await desk.register(server)
        assert await desk.subjects() == SUBJECTS
        rename(server, b"b")
        desk.clock.ahead += (mailbox.due_at or desk.clock()) - desk.clock()
        claim = await desk.stores.claim(desk.clock())
        await desk.stores.messages.ask(claim, server.uids[:7], desk.clock())
        await desk.stores.mailboxes.release("poller")

        await desk.poll()

        assert await desk.stores.messages.count_asked(mailbox.id) == len(SUBJECTS)
        assert [entry.notice for entry in await desk.settle()] == [Notice.ASKED]


async def test_deleted_messages_under_their_old_uids_are_asked_of_too(desk: Desk) -> None:
    """A server that numbers anew may give a UID that was deleted to another message."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        mailbox = await desk.register(server)
        await desk.subjects()
        desk.clock.ahead += (mailbox.due_at or desk.clock()) - desk.clock()
        claim = await desk.stores.claim(desk.clock())
        await desk.stores.messages.mark_deleting(claim, server.uids[:2])
        await desk.stores.messages.confirm_deleted(claim, server.uids[:2])
        await desk.stores.mailboxes.release("poller")
        gone = server.uids[:2]
        rename(server, b"b")
        server.uids[:2] = gone

        await desk.poll()

        seen = await desk.stores.messages.seen(mailbox.id)
        assert {seen[uid].state for uid in server.uids} == {SeenState.ASKED}


@pytest.mark.parametrize("count", [0, 9])
async def test_an_emptied_maildrop_is_no_question(desk: Desk, count: int) -> None:
    """Another program took everything; a little new mail is just that."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        await desk.register(server)
        await desk.subjects()
        new = [f"new {number}" for number in range(count)]
        server.messages, server.uids = mail(*new), [subject.encode() for subject in new]
        server.uids = [uid.replace(b" ", b"-") for uid in server.uids]

        after = await desk.poll()

        assert after.health is Health.OK
        assert await desk.subjects() == new


async def test_mail_that_our_setting_deleted_is_no_question(desk: Desk) -> None:
    """The maildrop is empty because we emptied it; twenty new messages are new."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        await desk.register(server, Retention.DELETE_POSTED)
        await desk.subjects()
        await desk.poll()
        assert server.messages == []
        server.messages, server.uids = mail(*SUBJECTS), [b"n%d" % number for number in range(20)]

        after = await desk.poll()

        assert after.health is Health.OK
        assert await desk.subjects() == SUBJECTS


async def test_a_server_that_lists_nothing_twice_is_no_question(desk: Desk) -> None:
    """Gmail hides what was fetched: every poll shows other UIDs, and all of them are new."""
    async with Pop3Server(mail(*SUBJECTS)) as server:
        mailbox = await desk.register(server)
        desk.hiding.add(mailbox.id)
        await desk.subjects()
        more = [f"more-{number}" for number in range(20)]
        server.messages, server.uids = mail(*more), [subject.encode() for subject in more]

        after = await desk.poll()

        assert after.health is Health.OK
        assert await desk.subjects() == more


async def test_settings_that_lead_to_another_maildrop_are_no_question(desk: Desk) -> None:
    """The owner changed the server: all that lies there is what the form asked for."""
    async with Pop3Server(mail(*SUBJECTS)) as server, Pop3Server(mail(*SUBJECTS)) as other:
        rename(other, b"o")
        mailbox = await desk.register(server)
        assert await desk.subjects() == SUBJECTS
        profile = replace(mailbox.profile, incoming=other.address)

        await desk.stores.mailboxes.change(
            OWNER,
            mailbox.id,
            profile=profile,
            passwords=Passwords(Secret(other.password), None),
            retention=Retention.LEAVE,
            delete_days=None,
            listing=other.uids,
            skip=(),
            old=(),
            now=desk.clock(),
        )
        after = await desk.poll()

        assert after.health is Health.OK
        assert await desk.subjects() == SUBJECTS
