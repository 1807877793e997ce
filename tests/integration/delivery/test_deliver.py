"""What the outbox owes comes to Slack once and in order, whatever Slack and the network do."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.entries import PLAIN_AFTER
from storage.records import EntryState

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk

A_FILE = (
    "MIME-Version: 1.0\r\nContent-Type: application/pdf; name=bill.pdf\r\n"
    "Content-Disposition: attachment; filename=bill.pdf\r\nContent-Transfer-Encoding: base64\r\n"
)
UNANSWERED = ["accept_then_drop", "accept_then_status"]
NOT_DONE = ["drop", "status"]


async def test_mail_comes_in_the_order_in_which_it_was_kept(desk: Desk) -> None:
    """Three messages, three posts, oldest first, and nothing is left to do."""
    await desk.keep("one", "two", "three")

    await desk.deliver()

    assert await desk.subjects() == ["one", "two", "three"]
    assert await desk.deliver() == 0
    assert await desk.stores.outbox.waiting(desk.claim.mailbox.owner) == {}


async def test_a_post_says_nothing_about_its_mail_in_its_metadata(desk: Desk) -> None:
    """Metadata is visible to every app: it holds one opaque id."""
    await desk.keep("secret")

    await desk.deliver()

    (post,) = await desk.posts()
    assert list(post["metadata"]["event_payload"]) == ["entry"]
    assert "secret" not in str(post["metadata"])


@pytest.mark.parametrize("kind", UNANSWERED)
async def test_an_accepted_post_without_answer_is_not_repeated(desk: Desk, kind: str) -> None:
    """The DM waits for the grace time, Slack is asked once, the post is found."""
    await desk.keep("one", "two")
    await desk.fault("chat.postMessage", kind)

    await desk.deliver()
    assert await desk.deliver() == 0
    desk.clock.ahead += timedelta(seconds=61)
    await desk.deliver()

    assert await desk.subjects() == ["one", "two"]
    assert await desk.calls("conversations.history") == 1


@pytest.mark.parametrize("kind", NOT_DONE)
async def test_a_post_that_never_arrived_is_made_after_a_look(desk: Desk, kind: str) -> None:
    """No answer may mean that nothing happened: then the post is made, once."""
    await desk.keep("one", "two")
    await desk.fault("chat.postMessage", kind)

    await desk.deliver()
    assert await desk.posts() == []
    desk.clock.ahead += timedelta(seconds=61)
    await desk.deliver()

    assert await desk.subjects() == ["one", "two"]


async def test_retry_after_is_obeyed_by_the_whole_workspace(desk: Desk) -> None:
    """A 429 did nothing; nothing goes out before its time is over."""
    await desk.keep("one")
    await desk.fault("chat.postMessage", "rate_limited", seconds=30)

    await desk.deliver()
    assert desk.deliverer.is_silent
    assert await desk.deliver() == 0
    desk.clock.ahead += timedelta(seconds=31)
    await desk.deliver()

    assert await desk.subjects() == ["one"]
    assert await desk.calls("conversations.history") == 0


async def test_refused_blocks_come_as_plain_text(desk: Desk) -> None:
    """Slack does not take the content: a plain card with the original, and the next mail goes on."""
    await desk.keep("one", "two")
    await desk.fault("chat.postMessage", "error", error="invalid_blocks")

    await desk.deliver()

    first, second = await desk.posts()
    assert "one" in first["text"]
    assert second["blocks"][0]["text"]["text"] == "two"


async def test_a_closed_dm_is_parked_and_loses_nothing(desk: Desk) -> None:
    """The mail waits until the DM can be reached again."""
    await desk.keep("one")
    await desk.fault("chat.postMessage", "error", error="channel_not_found")

    await desk.deliver()
    assert await desk.deliver() == 0
    desk.clock.ahead += timedelta(hours=1, seconds=1)
    await desk.deliver()

    assert await desk.subjects() == ["one"]


async def test_attachments_stand_in_the_thread_of_their_post(desk: Desk) -> None:
    """One post, one reply with the file; then the entry is settled."""
    await desk.keep("bill", headers=A_FILE, body=base64.b64encode(b"%PDF-1.4 x").decode())

    await desk.deliver()

    assert await desk.thread_files() == ["bill.pdf"]


@pytest.mark.parametrize("kind", [*UNANSWERED, *NOT_DONE])
async def test_files_are_shared_once_whatever_the_answer(desk: Desk, kind: str) -> None:
    """A share without answer is looked up in the thread before it is repeated."""
    await desk.keep("bill", headers=A_FILE, body=base64.b64encode(b"%PDF-1.4 x").decode())
    await desk.fault("files.completeUploadExternal", kind)

    await desk.deliver()
    if kind in UNANSWERED:
        await desk.thread_files()
    desk.clock.ahead += timedelta(seconds=61)
    await desk.deliver()

    assert await desk.thread_files() == ["bill.pdf"]
    assert await desk.stores.outbox.waiting(desk.claim.mailbox.owner) == {}


async def test_an_intent_found_after_a_crash_is_looked_up_first(desk: Desk) -> None:
    """A worker died between the post and its record: the successor finds the post and makes none."""
    await desk.keep("one")
    await desk.fault("chat.postMessage", "accept_then_drop")
    await desk.deliver()
    (dm,) = await desk.stores.outbox.claim_due(
        desk.clock() + timedelta(seconds=61), lease=timedelta(seconds=1), worker="dead", limit=1
    )
    entry = await desk.stores.outbox.head(dm)
    assert entry is not None
    assert entry.state is EntryState.POSTING

    await desk.stores.outbox.release_worker("dead")
    desk.clock.ahead += timedelta(seconds=62)
    await desk.deliver()

    assert await desk.subjects() == ["one"]


async def test_nothing_is_begun_once_the_process_is_to_stop(desk: Desk) -> None:
    """After SIGTERM what waits stays waiting, nothing is left unknown."""
    await desk.keep("one")
    desk.stopping.set()

    await desk.deliver()

    assert await desk.posts() == []
    assert await desk.stores.outbox.waiting(desk.claim.mailbox.owner) == {desk.claim.mailbox.id: 1}


async def test_mail_of_a_removed_mailbox_is_not_posted(desk: Desk) -> None:
    """Removing it takes what was still on its way along."""
    await desk.keep("one")
    await desk.stores.holdings.remove(desk.claim.mailbox.owner, desk.claim.mailbox.id, desk.clock())

    await desk.deliver()

    assert await desk.posts() == []


LIMITED = {"kind": "rate_limited", "seconds": 30}
REFUSED = {"kind": "error", "error": "missing_scope"}
BROKEN = {"kind": "status", "status": 502}


@pytest.mark.parametrize("failure", [LIMITED, REFUSED, BROKEN], ids=str)
async def test_a_look_that_fails_decides_nothing(desk: Desk, failure: dict[str, Any]) -> None:
    """The post is there, Slack's history cannot be read: the DM waits until it can, and nothing is repeated."""
    await desk.keep("one", "two")
    await desk.fault("chat.postMessage", "accept_then_drop")
    await desk.deliver()

    await desk.fault("conversations.history", **failure)
    for _ in range(3):
        desk.clock.ahead += timedelta(minutes=6)
        await desk.deliver()

    assert await desk.subjects() == ["one", "two"]


async def test_a_limit_on_looking_silences_one_dm_only(desk: Desk) -> None:
    """Slack counts each method by itself: who waits for a look does not hold up the posts of others."""
    await desk.keep("one")
    await desk.fault("chat.postMessage", "accept_then_drop")
    await desk.deliver()
    await desk.fault("conversations.history", "rate_limited", seconds=60)

    desk.clock.ahead += timedelta(seconds=61)
    await desk.deliver()

    assert not desk.deliverer.is_silent
    assert await desk.subjects() == ["one"]


@pytest.mark.parametrize("failure", [LIMITED, REFUSED, BROKEN], ids=str)
async def test_a_look_for_files_that_fails_shares_nothing_twice(desk: Desk, failure: dict[str, Any]) -> None:
    """The files are there, the thread cannot be read: they are not shared again."""
    await desk.keep("bill", headers=A_FILE, body=base64.b64encode(b"%PDF-1.4 x").decode())
    await desk.fault("files.completeUploadExternal", "accept_then_drop")
    await desk.deliver()
    await desk.thread_files()

    await desk.fault("conversations.replies", **failure)
    for _ in range(3):
        desk.clock.ahead += timedelta(minutes=6)
        await desk.deliver()

    assert await desk.thread_files() == ["bill.pdf"]
    assert await desk.calls("files.completeUploadExternal") == 1


async def test_nothing_is_begun_that_would_break_a_silence(desk: Desk) -> None:
    """Another DM met Slack's limit while this one was being prepared: it waits too, and nothing is unknown."""
    await desk.keep("one")
    dm = await desk.stores.dm(desk.clock())
    entry = await desk.stores.head(dm)
    desk.deliverer._silent_until = desk.clock() + timedelta(seconds=30)

    _, may_go_on = await desk.deliverer._advance(dm, entry)

    assert not may_go_on
    assert await desk.calls("chat.postMessage") == 0
    assert (await desk.stores.head(dm)).state is EntryState.WAITING


async def test_a_post_that_breaks_slack_holds_up_no_other(desk: Desk) -> None:
    """Slack fails on its content time and again: it comes as plain text, once, and the next follows."""
    await desk.keep("one", "two")
    await desk.fault("chat.postMessage", "error", error="internal_error", count=PLAIN_AFTER)

    for _ in range(PLAIN_AFTER + 1):
        await desk.deliver()
        desk.clock.ahead += timedelta(seconds=61)

    first, second = await desk.posts()
    assert "one" in first["text"]
    assert second["blocks"][0]["text"]["text"] == "two"
