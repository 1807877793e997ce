"""A right that ends takes the bot's posts with it, wherever they stand just then."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy

from bot.sandbox.slack.people import TEAM_ID
from bot.slack.copies import BLANK
from bot.withdrawal import Withdrawing
from storage.audits import Audits
from storage.records import EntryState
from storage.sharing import Act, Level
from storage.statements import plain
from storage.tables import EntryRow
from storage.withdrawals import Withdrawals
from tests.integration.delivery.copying import AISHA, HIRING, Copying
from tests.integration.storage.stores import EVER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.integration.delivery.conftest import Desk

A_FILE = (
    "MIME-Version: 1.0\r\nContent-Type: application/pdf; name=bill.pdf\r\n"
    "Content-Disposition: attachment; filename=bill.pdf\r\nContent-Transfer-Encoding: base64\r\n"
)


WITHDRAWING = """
import asyncio, sys
from datetime import UTC, datetime
from bot.slack.client import SlackClient, keep_alive, web_client
from bot.withdrawal import Withdrawing
from storage.database import Database
from storage.withdrawals import Withdrawals

async def main():
    database = await Database.open(sys.argv[1])
    async with keep_alive(5) as session:
        slack = SlackClient(web_client("xoxb-t", sys.argv[2], 5, None, session), session)
        now = lambda: datetime.now(UTC)
        await Withdrawing(Withdrawals(database), slack, clock=now, stopping=asyncio.Event()).work()

asyncio.run(main())
"""


@pytest.fixture
async def copying(desk: Desk) -> Copying:
    """Sharing in place."""
    return await Copying.at(desk)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Returns once something is so."""
    async with asyncio.timeout(30):
        while not await is_so():  # noqa: ASYNC110 - Slack tells nobody
            await asyncio.sleep(0.01)


async def states(copying: Copying) -> list[str]:
    """Where the entries of copies stand."""
    entry = plain(EntryRow)
    query: Any = sqlalchemy.select(entry.c.state).where(entry.c.notice == "copy").order_by(entry.c.number)
    async with copying.desk.stores.database.read() as session:
        return list((await session.exec(query)).scalars().all())


async def are_blank(copying: Copying) -> bool:
    """Whether all copies say that they are no longer shared."""
    return all(post["text"] == BLANK for post in await copying.copies_seen())


async def posted(copying: Copying, count: int = 1, headers: str = "", body: str = "Secret words.") -> Any:
    """Copies for a viewer, brought as far as delivery goes; the share that gave the right."""
    share = await copying.share_with_viewer()
    for number in range(count):
        await copying.desk.keep(f"n{number}", headers=headers, body=body)
        await copying.deliver()
        await copying.owe(share)
    await copying.deliver()
    return share


async def test_what_was_not_sent_yet_is_given_up(copying: Copying) -> None:
    """Nothing is posted, nothing is to be called back."""
    share = await copying.share_with_viewer()
    await copying.desk.keep("plans")
    await copying.deliver()
    await copying.owe(share)

    await copying.end(share)
    await copying.deliver()

    assert await copying.copies_seen() == []
    assert await states(copying) == [EntryState.GIVEN_UP]
    assert await copying.withdrawals.due(EVER, 99) == []


async def test_what_is_posted_is_deleted_and_audited(copying: Copying) -> None:
    """The post goes from Slack; the audit holds how many."""
    share = await posted(copying, 3)

    await copying.end(share)
    await copying.withdrawing.work()

    assert await copying.copies_seen() == []
    (entry,) = await Audits(copying.desk.stores.database).list(TEAM_ID, act=Act.COPIES_WITHDRAWN, limit=9)
    assert (entry.before, entry.after) == ("3 posts", "3 called back, 0 not called back")


async def test_files_go_with_the_post(copying: Copying) -> None:
    """Slack keeps the files of a deleted post, so they are deleted by themselves."""
    share = await posted(copying, headers=A_FILE, body="AAAA")
    files = await file_ids(copying)
    assert files

    await copying.end(share)
    await copying.withdrawing.work()

    assert [await exists(copying, file_id) for file_id in files] == [False]
    assert await copying.withdrawals.due(EVER, 99) == []


async def file_ids(copying: Copying) -> list[str]:
    """The files of the copy."""
    entry = plain(EntryRow)
    query: Any = sqlalchemy.select(entry.c.file_ids).where(entry.c.notice == "copy")
    async with copying.desk.stores.database.read() as session:
        (found,) = (await session.exec(query)).scalars().all()
    return [each.strip('" ') for each in found.strip("[]").split(",") if each]


async def exists(copying: Copying, file_id: str) -> bool:
    """Whether Slack has a file."""
    address = f"{copying.desk.sandbox.api_url}files.info?file={file_id}"
    headers = {"Authorization": "Bearer xoxb-t"}
    async with copying.desk.http.get(address, headers=headers) as answer:
        return bool((await answer.json())["ok"])


@pytest.mark.parametrize("kind", ["accept_then_drop", "drop"])
async def test_a_post_on_its_way_does_not_survive(copying: Copying, kind: str) -> None:
    """No answer came: once it cannot arrive any more it is looked for, and goes if it is there."""
    share = await copying.share_with_channel()
    await copying.desk.keep("plans")
    await copying.deliver()
    await copying.spreader.work()
    await copying.desk.fault("chat.postMessage", kind)
    await copying.deliver()
    assert await states(copying) == [EntryState.POSTING]

    await copying.end(share)
    await copying.withdrawing.work()
    assert len(await copying.withdrawals.due(EVER, 99)) == 1
    copying.desk.clock.ahead += timedelta(seconds=61)
    await copying.withdrawing.work()
    await copying.deliver()

    assert await copying.copies_seen(AISHA, HIRING) == []
    assert await copying.withdrawals.due(EVER, 99) == []


async def test_a_post_that_is_answered_after_the_end_does_not_survive(copying: Copying) -> None:
    """The right ends while Slack takes its time: whoever posts it loses the lease, and the job finds the post."""
    share = await copying.share_with_viewer()
    await copying.desk.keep("plans")
    await copying.deliver()
    await copying.owe(share)
    await copying.desk.fault("chat.postMessage", "late", seconds=0.5)
    delivering = asyncio.create_task(copying.desk.deliver())

    async def is_posting() -> bool:
        return await states(copying) == [EntryState.POSTING]

    await until(is_posting)
    await copying.end(share)
    await delivering
    copying.desk.clock.ahead += timedelta(seconds=61)
    await copying.withdrawing.work()
    await copying.deliver()

    assert await copying.copies_seen() == []
    assert await states(copying) == [EntryState.GIVEN_UP]


@pytest.mark.parametrize("kind", ["accept_then_drop", "drop"])
async def test_files_on_their_way_do_not_survive(copying: Copying, kind: str) -> None:
    """The share of the files got no answer: post and files go."""
    share = await copying.share_with_viewer()
    await copying.desk.keep("bill", headers=A_FILE, body="AAAA")
    await copying.deliver()
    await copying.owe(share)
    await copying.desk.fault("files.completeUploadExternal", kind)
    await copying.deliver()
    assert await states(copying) == [EntryState.FILING]
    files = await file_ids(copying)

    await copying.end(share)
    await copying.withdrawing.work()
    copying.desk.clock.ahead += timedelta(seconds=61)
    await copying.deliver()

    assert await copying.copies_seen() == []
    assert [await exists(copying, file_id) for file_id in files] == [False]


async def test_files_that_are_still_owed_are_never_shared(copying: Copying) -> None:
    """The post is there and its files are not: the post goes, the files do not come."""
    share = await copying.share_with_viewer()
    await copying.desk.keep("bill", headers=A_FILE, body="AAAA")
    await copying.deliver()
    await copying.owe(share)
    await copying.desk.fault("files.getUploadURLExternal", "status")
    await copying.deliver()
    assert await states(copying) == [EntryState.POSTED]

    await copying.end(share)
    await copying.withdrawing.work()
    copying.desk.clock.ahead += timedelta(hours=1)
    await copying.deliver()

    assert await copying.copies_seen() == []
    assert await copying.desk.calls("files.completeUploadExternal") == 1


async def test_removing_a_mailbox_calls_its_copies_back(copying: Copying) -> None:
    """The rows of the mailbox go at once, what stands in Slack with the next look."""
    await posted(copying, 2)
    mailbox = copying.desk.claim.mailbox

    await copying.desk.stores.holdings.remove(mailbox.owner, mailbox.id, copying.desk.clock())
    await copying.withdrawing.work()

    assert await copying.copies_seen() == []


async def test_a_share_that_is_lowered_takes_whole_messages_back(copying: Copying) -> None:
    """From open to see: the posts with bodies go; what is asked for then is a card."""
    share = await posted(copying)

    await copying.shares.cut(share.id, Level.SEE, copying.desk.clock())
    await copying.withdrawing.work()
    await copying.owe(share)
    await copying.deliver()

    (post,) = await copying.copies_seen()
    assert "Secret" not in str(post)


async def test_what_waits_to_be_deleted_is_blank(copying: Copying) -> None:
    """While Slack takes no more deletions, the posts say nothing; a successor of a killed process deletes them."""
    share = await posted(copying, 2)
    await copying.desk.fault("chat.delete", "rate_limited", seconds=30, count=10)
    await copying.end(share)
    working = asyncio.create_task(copying.withdrawing.work())
    await until(partial(are_blank, copying))
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    assert all(not post["blocks"] for post in await copying.copies_seen())
    await copying.post("faults", faults=[])
    successor = Withdrawing(
        Withdrawals(copying.desk.stores.database),
        copying.desk.slack,
        clock=copying.desk.clock,
        stopping=copying.desk.stopping,
    )
    await successor.work()

    assert await copying.copies_seen() == []
    assert await copying.withdrawals.due(EVER, 99) == []


async def test_a_429_is_obeyed_by_its_method_alone(copying: Copying) -> None:
    """No deletion is tried before its time; blanking goes on."""
    share = await posted(copying, 3)
    await copying.desk.fault("chat.delete", "rate_limited", seconds=20, count=3)
    await copying.end(share)
    working = asyncio.create_task(copying.withdrawing.work())
    await until(partial(are_blank, copying))

    tried = await copying.desk.calls("chat.delete")
    assert tried <= 3
    copying.desk.clock.ahead += timedelta(seconds=21)
    await working

    assert await copying.copies_seen() == []


async def test_an_answer_that_got_lost_changes_nothing(copying: Copying) -> None:
    """What was deleted already counts as deleted when it is deleted again."""
    share = await posted(copying)
    await copying.desk.fault("chat.delete", "accept_then_drop")
    await copying.desk.fault("chat.update", "drop")

    await copying.end(share)
    async with asyncio.timeout(20):
        while await copying.withdrawals.due(EVER, 99):
            await copying.withdrawing.work()
            copying.desk.clock.ahead += timedelta(seconds=5)

    assert await copying.copies_seen() == []


async def test_what_cannot_be_called_back_is_said(copying: Copying) -> None:
    """The channel was archived: its owner is told how many posts still stand there, and the audit knows."""
    share = await copying.share_with_channel()
    await copying.desk.keep("plans")
    await copying.deliver()
    await copying.spreader.work()
    await copying.deliver()
    await copying.change_channel(HIRING, is_archived=True)
    await copying.desk.fault("chat.delete", "error", error="is_archived", count=50)
    await copying.desk.fault("chat.update", "error", error="is_archived", count=50)

    await copying.end(share)
    async with asyncio.timeout(20):
        while await copying.withdrawals.due(EVER, 99):
            await copying.withdrawing.work()
            copying.desk.clock.ahead += timedelta(seconds=11)
    await copying.deliver()

    (said,) = [post["text"] for post in await copying.desk.posts() if "called back" in post["text"]]
    assert said.startswith("1 post of the mailbox “Work” could not be called back")
    (entry,) = await Audits(copying.desk.stores.database).list(TEAM_ID, act=Act.COPIES_WITHDRAWN, limit=9)
    assert entry.after == "0 called back, 1 not called back"


async def test_a_killed_process_leaves_nothing_behind(copying: Copying, database_url: str) -> None:
    """Killed between blanking and deleting: its successor deletes the rest."""
    share = await posted(copying, 3)
    await copying.desk.fault("chat.delete", "rate_limited", seconds=60, count=20)
    await copying.end(share)
    arguments = (sys.executable, "-c", WITHDRAWING, database_url, copying.desk.sandbox.api_url)
    killed = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.DEVNULL)
    await until(partial(are_blank, copying))
    killed.kill()
    await killed.wait()
    await copying.post("faults", faults=[])

    await copying.withdrawing.work()

    assert await copying.copies_seen() == []
    assert await copying.withdrawals.due(EVER, 99) == []


async def test_what_can_be_neither_blanked_nor_deleted_ends_too(copying: Copying) -> None:
    """Refused first by one method and then by the other, it is not tried for ever."""
    share = await posted(copying)
    await copying.desk.fault("chat.delete", "rate_limited", seconds=5)
    await copying.desk.fault("chat.update", "error", error="cant_update_message", count=50)
    await copying.end(share)
    working = asyncio.create_task(copying.withdrawing.work())

    async def is_refused() -> bool:
        return await copying.desk.calls("chat.update") > 0

    await until(is_refused)
    await copying.desk.fault("chat.delete", "error", error="cant_delete_message", count=50)
    async with asyncio.timeout(20):
        while await copying.withdrawals.due(EVER, 99):
            copying.desk.clock.ahead += timedelta(seconds=11)
            await copying.withdrawing.work()
    await working

    (entry,) = await Audits(copying.desk.stores.database).list(TEAM_ID, act=Act.COPIES_WITHDRAWN, limit=9)
    assert entry.after == "0 called back, 1 not called back"
