"""Several messages come as one post with each of them in its thread, once and in order."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from storage.delivery import Calm, Delivery, Held
from storage.records import Notice, Shape
from storage.rules import Rules
from storage.wishes import RuleKind
from tests.integration.delivery.test_deliver import A_FILE, NOT_DONE, UNANSWERED
from tests.integration.storage.stores import NEW, OK

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk

HOUR = timedelta(hours=1)
SOON = timedelta(seconds=61)


async def begin(desk: Desk, calm: Calm, *subjects: str) -> None:
    """Another mailbox of the same person, of which these messages are held for an hour."""
    new = replace(NEW, owner=desk.claim.mailbox.owner, calm=calm, form_id="form-2")
    await desk.stores.mailboxes.add(new, desk.clock())
    (claim,) = await desk.stores.mailboxes.claim_due(desk.clock(), lease=2 * HOUR, worker="w", limit=5)
    desk.claim = replace(claim, held_until=desk.clock() + HOUR)
    await desk.keep(*subjects)


async def top(desk: Desk) -> dict[str, Any]:
    """The post of the first digest."""
    return next(post for post in await desk.posts() if "new message" in post["text"])


async def thread(desk: Desk) -> list[str]:
    """The subjects in its thread, files by their names, in order."""
    found = []
    for reply in (await top(desk))["replies"]:
        found += [block["text"]["text"] for block in reply["blocks"][:1]]
        found += [file["name"] for file in reply["files"]]
    return found


async def lines(desk: Desk) -> list[str]:
    """What the post says of each message, dates apart."""
    (listed,) = [block for block in (await top(desk))["blocks"] if block["type"] == "rich_text"]
    sections = listed["elements"][0]["elements"]
    return ["".join(each.get("text", "") for each in section["elements"]).strip() for section in sections]


async def test_a_digest_names_its_messages_and_holds_them(desk: Desk) -> None:
    """Nothing before its time, then one post in the DM and each message in its thread, in order of arrival."""
    await begin(desk, Calm(Delivery.HOURLY), "one", "two")

    await desk.deliver()
    before = await desk.posts()
    desk.clock.ahead += HOUR
    await desk.deliver()

    assert before == []
    assert (await top(desk))["blocks"][0]["text"]["text"] == "2 new messages in “Work”"
    assert await lines(desk) == ["Ada  one", "Ada  two"]
    assert (await top(desk))["text"] == "2 new messages in “Work”: Ada: one; Ada: two"
    assert await thread(desk) == ["one", "two"]
    assert len(await desk.posts()) == 1


async def test_one_message_in_a_digest_is_a_digest(desk: Desk) -> None:
    """Its owner expects one post an hour."""
    await begin(desk, Calm(Delivery.HOURLY), "only")
    desk.clock.ahead += HOUR

    await desk.deliver()

    assert await thread(desk) == ["only"]


async def test_a_flood_is_one_post(desk: Desk) -> None:
    """Where each message comes by itself, more than so many at once do not; the first twenty are named."""
    subjects = [f"s{number}" for number in range(23)]
    await begin(desk, Calm(), *subjects)
    desk.clock.ahead += HOUR

    for _ in range(3):
        await desk.deliver()

    assert await lines(desk) == [f"Ada  {subject}" for subject in subjects[:20]]
    assert "And 3 more." in (await top(desk))["blocks"][-1]["elements"][0]["text"]
    assert await thread(desk) == subjects
    assert len(await desk.posts()) == 1


async def test_few_messages_of_a_quiet_night_come_by_themselves(desk: Desk) -> None:
    """Up to the bound of a flood, each is a post of its own."""
    await begin(desk, Calm(quiet_from=22, quiet_to=7), "one", "two", "three")
    desk.clock.ahead += HOUR

    await desk.deliver()

    assert await desk.subjects() == ["one", "two", "three"]


@pytest.mark.parametrize("kind", [*UNANSWERED, *NOT_DONE])
async def test_a_digest_without_answer_is_looked_up(desk: Desk, kind: str) -> None:
    """It comes once, and its messages after it."""
    await begin(desk, Calm(Delivery.HOURLY), "one", "two")
    desk.clock.ahead += HOUR
    await desk.fault("chat.postMessage", kind)

    await desk.deliver()
    desk.clock.ahead += SOON
    await desk.deliver()

    assert await thread(desk) == ["one", "two"]
    assert len(await desk.posts()) == 1


async def test_a_crash_between_digest_and_messages_repeats_nothing(desk: Desk) -> None:
    """The successor goes on under the same post, whatever came meanwhile."""
    await begin(desk, Calm(Delivery.HOURLY), "one", "two")
    desk.clock.ahead += HOUR
    await desk.fault("chat.postMessage", "accept_then_drop", count=1)
    await desk.deliver()  # the digest itself is unknown now
    await desk.keep("three")  # into the next one
    desk.clock.ahead += SOON
    await desk.fault("chat.postMessage", "accept_then_drop", count=1)
    await desk.deliver()  # found, and the first reply is unknown
    await desk.stores.outbox.release_worker("w")
    desk.clock.ahead += SOON

    await desk.deliver()

    assert await thread(desk) == ["one", "two"]
    assert len(await desk.posts()) == 1 + 1  # and the second digest, whose time it is


async def test_files_of_a_digest_stand_behind_their_message(desk: Desk) -> None:
    """In the same thread."""
    await begin(desk, Calm(Delivery.DAILY, 8))
    await desk.keep("bill", headers=A_FILE, body=base64.b64encode(b"%PDF-1.4 x").decode())
    desk.clock.ahead += HOUR
    await desk.deliver()

    async with asyncio.timeout(30):
        while "bill.pdf" not in await thread(desk):  # noqa: ASYNC110 - Slack shares in its own time
            await asyncio.sleep(0.01)
    assert await thread(desk) == ["bill", "bill.pdf"]


async def test_a_message_nobody_can_read_has_a_line(desk: Desk) -> None:
    """One that the server would not hand over, and one without sender and subject."""
    await begin(desk, Calm(Delivery.HOURLY))
    await desk.stores.keep(desk.claim, b"r", b"", shape=Shape.REFUSED, listed_octets=5, now=desk.clock())
    await desk.stores.keep(desk.claim, b"n", b"To: x@y.example\r\n\r\nhello\r\n", now=desk.clock())
    desk.clock.ahead += HOUR

    await desk.deliver()

    first, second = await lines(desk)
    assert first == "A message that the mail server would not hand over"
    assert second == "(unknown sender)  (no subject)"


async def test_nothing_in_a_mail_breaks_a_digest(desk: Desk) -> None:
    """Mentions, links and controls in a subject are text, in the post and in its notification."""
    await begin(desk, Calm(Delivery.HOURLY), "<!channel> <https://evil.example|bank> &amp; *x*")
    desk.clock.ahead += HOUR

    await desk.deliver()

    assert await lines(desk) == ["Ada  <!channel> <https://evil.example|bank> &amp; *x*"]
    assert "&lt;!channel&gt;" in (await top(desk))["text"]


async def test_a_digest_that_slack_refuses_comes_as_text(desk: Desk) -> None:
    """And its messages in its thread."""
    await begin(desk, Calm(Delivery.HOURLY), "one")
    desk.clock.ahead += HOUR
    await desk.fault("chat.postMessage", "error", error="invalid_blocks")

    await desk.deliver()

    assert "• Ada: one" in (await top(desk))["text"]
    assert await thread(desk) == ["one"]


async def test_a_digest_somebody_deleted_is_begun_anew(desk: Desk) -> None:
    """What is left of it comes under a new post."""
    await begin(desk, Calm(Delivery.HOURLY), "one", "two")
    desk.clock.ahead += HOUR
    dm = (await desk.stores.outbox.claim_due(desk.clock(), lease=HOUR, worker="w", limit=1))[0]
    await desk.deliverer._advance(dm, await desk.stores.head(dm))
    await desk.stores.outbox.release_worker("w")
    first = await top(desk)
    channel = desk.sandbox.workspace.dm(desk.claim.mailbox.owner.user)
    channel.remove(channel.posts[first["ts"]])

    await desk.deliver()

    assert (await top(desk))["ts"] != first["ts"]
    assert await thread(desk) == ["one", "two"]


async def test_a_muted_sender_is_in_no_digest(desk: Desk) -> None:
    """Neither in its lines nor in its thread; a digest of nothing else does not come."""
    await begin(desk, Calm(Delivery.HOURLY), "one")
    owner, mailbox_id = desk.claim.mailbox.owner, desk.claim.mailbox.id
    rules = Rules(desk.stores.database, desk.stores.messages._vault)
    await rules.add(owner, mailbox_id, RuleKind.SENDER, "ada@example.org", label="Ada", now=desk.clock())
    desk.clock.ahead += HOUR
    await desk.deliver()
    alone = await desk.posts()
    bob = b"From: Bob <bob@example.org>\r\nSubject: two\r\n\r\nHello.\r\n"
    await desk.stores.keep(desk.claim, b"two", bob, now=desk.clock())
    await desk.keep("three")
    desk.clock.ahead += HOUR
    await desk.deliver()

    assert alone == []
    assert await lines(desk) == ["Bob  two"]
    assert await thread(desk) == ["two"]


async def test_settings_that_change_let_a_digest_go_once(desk: Desk) -> None:
    """Back to each message: few of them come by themselves, at once and never again."""
    await begin(desk, Calm(Delivery.HOURLY), "one", "two")
    mailbox = desk.claim.mailbox
    claim = desk.claim
    await desk.stores.digests.end_hold(claim, Held(), desk.clock())
    await desk.deliver()
    desk.clock.ahead += 2 * HOUR
    await desk.deliver()

    assert await thread(desk) == ["one", "two"]
    assert await desk.stores.outbox.waiting(mailbox.owner) == {}


async def test_an_all_clear_says_where_the_mail_is(desk: Desk) -> None:
    """It is not held by a digest, and what came meanwhile is in that."""
    await begin(desk, Calm(Delivery.HOURLY), "one")
    notice = replace(OK, notice=Notice.ALL_CLEAR)
    await desk.stores.mailboxes.finish(desk.claim, notice)

    await desk.deliver()

    (post,) = await desk.posts()
    assert post["text"] == "✓ “Work” works again. 1 message came meanwhile; it comes with the digest."


async def test_a_muted_conversation_is_in_no_digest(desk: Desk) -> None:
    """What answers in it is named by no line either, where it is known to belong to it."""
    await begin(desk, Calm(), "root")
    root = b"From: Ada <ada@example.org>\r\nMessage-ID: <root@x>\r\nSubject: plan\r\n\r\nHello.\r\n"
    desk.claim = replace(desk.claim, held_until=None)
    await desk.stores.digests.end_hold(desk.claim, Held(), desk.clock())
    await desk.stores.keep(desk.claim, b"plan", root, now=desk.clock())
    await desk.deliver()
    owner, mailbox_id = desk.claim.mailbox.owner, desk.claim.mailbox.id
    rules = Rules(desk.stores.database, desk.stores.messages._vault)
    (post,) = [post for post in await desk.posts() if "plan" in str(post["blocks"])]
    conversation = post["metadata"]["event_payload"]["entry"]
    await rules.add(owner, mailbox_id, RuleKind.CONVERSATION, conversation, label="plan", now=desk.clock())
    desk.claim = replace(desk.claim, held_until=desk.clock() + HOUR)
    answer = b"From: Bob <bob@example.org>\r\nIn-Reply-To: <root@x>\r\nSubject: Re: plan\r\n\r\nNo.\r\n"
    await desk.stores.keep(desk.claim, b"answer", answer, now=desk.clock())
    await desk.keep("a", "b", "c")
    desk.clock.ahead += HOUR

    await desk.deliver()

    assert await lines(desk) == ["Ada  a", "Ada  b", "Ada  c"]
    assert await thread(desk) == ["a", "b", "c"]
