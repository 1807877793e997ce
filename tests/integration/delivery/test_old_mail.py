"""Old mail comes into the thread of one post, each message once, and that post says how far it is."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from storage.records import EntryState, Person
from tests.integration.delivery.test_deliver import A_FILE, NOT_DONE, UNANSWERED
from tests.integration.storage.stores import NEW

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk

SUBJECTS = tuple(f"old {number}" for number in range(5))
SOON = timedelta(seconds=61)


async def begin(desk: Desk, *subjects: str) -> None:
    """Another mailbox of the same person, with five old messages to come; some of them are fetched."""
    owner = desk.claim.mailbox.owner
    old = tuple(subject.encode() for subject in SUBJECTS)
    new = replace(NEW, owner=owner, old=old, form_id="form-2")
    await desk.stores.mailboxes.add(new, desk.clock())
    (desk.claim,) = await desk.stores.mailboxes.claim_due(
        desk.clock(), lease=timedelta(minutes=2), worker="w", limit=5
    )
    await desk.keep(*subjects)


async def top(desk: Desk) -> dict[str, Any]:
    """The one post of the DM that has a thread or a button to stop it."""
    (post,) = [post for post in await desk.posts() if "old" in post["text"] or post["replies"]]
    return post


async def said(desk: Desk) -> str:
    """What it says."""
    return str((await top(desk))["blocks"][0]["text"]["text"])


async def thread(desk: Desk) -> list[str]:
    """The subjects in its thread, files by their names, in order."""
    found = []
    for reply in (await top(desk))["replies"]:
        found += [block["text"]["text"] for block in reply["blocks"][:1]]
        found += [file["name"] for file in reply["files"]]
    return found


async def entry_id(desk: Desk) -> str:
    """The delivery id of that post."""
    return str((await top(desk))["metadata"]["event_payload"]["entry"])


async def test_old_mail_stands_in_the_thread_and_new_mail_does_not(desk: Desk) -> None:
    """One post in the DM says that it is being brought; a new message is a post as ever."""
    await begin(desk, "old 0", "old 1", "new")

    await desk.deliver()

    assert await thread(desk) == ["old 0", "old 1"]
    assert [post["text"].split(":")[0] for post in await desk.posts()][-1] == "Ada"
    assert "Bringing 5 older messages of “Work”: 0 of 5" in await said(desk)
    assert (await top(desk))["blocks"][1]["elements"][0]["text"]["text"] == "Stop"


@pytest.mark.parametrize("kind", [*UNANSWERED, *NOT_DONE])
async def test_a_reply_without_answer_is_looked_up_in_its_thread(desk: Desk, kind: str) -> None:
    """Slack's history lists no replies: a look there would post it twice."""
    await begin(desk, "old 0")
    await desk.deliver()
    await desk.keep("old 1", "old 2")
    await desk.fault("chat.postMessage", kind)

    await desk.deliver()
    desk.clock.ahead += SOON
    await desk.deliver()

    assert await thread(desk) == ["old 0", "old 1", "old 2"]
    assert await desk.calls("conversations.replies") == 1
    assert await desk.calls("conversations.history") == 0


async def test_a_crash_between_a_reply_and_its_record_repeats_nothing(desk: Desk) -> None:
    """The successor finds the reply in the thread, though new mail came in between."""
    await begin(desk, "old 0", "old 1")
    await desk.fault("chat.postMessage", "accept_then_drop", count=1)
    await desk.deliver()  # the post itself is unknown now
    desk.clock.ahead += SOON
    await desk.fault("chat.postMessage", "accept_then_drop", count=1)
    await desk.deliver()  # found, and the first reply is unknown
    await desk.keep("new")
    await desk.stores.outbox.release_worker("w")
    desk.clock.ahead += SOON
    await desk.deliver()

    assert await thread(desk) == ["old 0", "old 1"]
    assert len(await desk.posts()) == 2


async def test_nothing_comes_before_the_post_over_it(desk: Desk) -> None:
    """While that post is unknown, what goes under it waits."""
    await begin(desk, "old 0")
    await desk.fault("chat.postMessage", "drop")

    await desk.deliver()
    assert await desk.posts() == []
    desk.clock.ahead += SOON
    await desk.deliver()

    assert await thread(desk) == ["old 0"]


@pytest.mark.parametrize("kind", [None, *UNANSWERED, *NOT_DONE])
async def test_files_of_an_old_message_stand_in_the_same_thread_once(desk: Desk, kind: str | None) -> None:
    """Behind their message, whatever the answer to the share."""
    await begin(desk)
    await desk.keep("old 0", headers=A_FILE, body=base64.b64encode(b"%PDF-1.4 x").decode())
    if kind:
        await desk.fault("files.completeUploadExternal", kind)

    await desk.deliver()
    if kind in UNANSWERED:
        await has_file(desk)
    desk.clock.ahead += SOON
    await desk.deliver()
    await has_file(desk)

    assert await thread(desk) == ["old 0", "bill.pdf"]
    assert await desk.stores.outbox.waiting(desk.claim.mailbox.owner) == {}


async def has_file(desk: Desk) -> None:
    """Wait until Slack has shared a file in the thread."""
    async with asyncio.timeout(30):
        while "bill.pdf" not in await thread(desk):  # noqa: ASYNC110 - Slack shares in its own time
            await asyncio.sleep(0.01)


async def test_the_post_follows_and_ends(desk: Desk) -> None:
    """It says how many are there, and in the end that all are; a look without news changes nothing."""
    await begin(desk, "old 0", "old 1")
    await desk.deliver()
    await desk.deliverer.tell_progress()
    halfway = await said(desk)
    await desk.deliverer.tell_progress()
    await desk.keep(*SUBJECTS[2:])
    await desk.deliver()
    await desk.deliverer.tell_progress()

    assert "2 of 5, less than a minute left" in halfway
    assert await said(desk) == "All 5 older messages are here."
    assert [block["type"] for block in (await top(desk))["blocks"]] == ["section", "context"]
    assert await desk.calls("chat.update") == 2


async def test_a_change_that_fails_is_made_up_for(desk: Desk) -> None:
    """The next look tells it; mail comes meanwhile."""
    await begin(desk, "old 0")
    await desk.deliver()
    await desk.fault("chat.update", "status")
    await desk.deliverer.tell_progress()
    await desk.fault("chat.update", "rate_limited", seconds=30)
    await desk.deliverer.tell_progress()
    await desk.keep("old 1")
    await desk.deliver()
    await desk.deliverer.tell_progress()
    silent = await desk.calls("chat.update")
    desk.clock.ahead += SOON
    await desk.deliverer.tell_progress()

    assert silent == 2
    assert "2 of 5" in await said(desk)


async def test_stopped_old_mail_says_so_and_comes_no_more(desk: Desk) -> None:
    """What waits is dropped, what is there stays."""
    await begin(desk, "old 0")
    await desk.deliver()
    await desk.keep("old 1")

    stopped = await desk.old_mails.stop(desk.claim.mailbox.owner, await entry_id(desk), desk.clock())
    await desk.deliver()
    await desk.deliverer.tell_progress()

    assert stopped.brought == 1
    assert await thread(desk) == ["old 0"]
    assert await said(desk) == "Stopped: 1 of 5 were brought."


async def test_a_thread_somebody_deleted_is_begun_anew(desk: Desk) -> None:
    """The rest comes under a new post, and floods nothing."""
    await begin(desk)
    await desk.deliver()
    first = await top(desk)
    channel = desk.sandbox.workspace.dm(desk.claim.mailbox.owner.user)
    channel.remove(channel.posts[first["ts"]])
    await desk.keep("old 0", "old 1")

    await desk.deliver()

    assert (await top(desk))["ts"] != first["ts"]
    assert await thread(desk) == ["old 0", "old 1"]


async def test_an_inactive_mailbox_says_when_its_old_mail_comes(desk: Desk) -> None:
    """Nothing is fetched from it, so no time is named."""
    owner: Person = desk.claim.mailbox.owner
    new = replace(NEW, owner=owner, old=(b"old 0",), make_active=False, form_id="form-2")
    await desk.stores.mailboxes.add(new, desk.clock())

    await desk.deliver()

    assert "0 of 1; the rest comes once this mailbox is active" in await said(desk)


async def test_a_threaded_entry_is_waiting_only_behind_its_post(desk: Desk) -> None:
    """The state a crash leaves is one the next life knows."""
    await begin(desk, "old 0")
    await desk.deliver()
    await desk.keep("old 1")
    await desk.fault("chat.postMessage", "accept_then_drop")
    await desk.deliver()
    desk.clock.ahead += SOON

    dm = await desk.stores.dm(desk.clock())
    entry = await desk.stores.head(dm)

    assert entry.state is EntryState.POSTING
    assert entry.parent == await entry_id(desk)
