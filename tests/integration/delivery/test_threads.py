"""Mails that answer each other stand in one thread, each once, and none of them is missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from storage.records import EntryState
from tests.integration.delivery.test_deliver import NOT_DONE, UNANSWERED
from tests.integration.storage.stores import NEW

if TYPE_CHECKING:
    from tests.integration.delivery.conftest import Desk

SOON = timedelta(seconds=61)


def ids(own: str = "", *references: str, reply_to: str = "") -> str:
    """Header lines of a mail with these ids."""
    lines = [f"Message-ID: <{own}@x>"] if own else []
    lines += ["References: " + " ".join(f"<{one}@x>" for one in references)] if references else []
    lines += [f"In-Reply-To: <{reply_to}@x>"] if reply_to else []
    return "".join(f"{line}\r\n" for line in lines)


async def come(desk: Desk, subject: str, *args: str, body: str = "Hello.", **kwargs: str) -> None:
    """One mail comes and is posted."""
    await desk.keep(subject, body=body, headers=ids(*args, **kwargs))
    await desk.deliver()


async def threads(desk: Desk) -> dict[str, list[str]]:
    """The subjects of the posts in the DM, each with those in its thread."""
    return {title(post): [title(reply) for reply in post["replies"]] for post in await desk.posts()}


def title(post: dict[str, Any]) -> str:
    """A post's header."""
    return str(post["blocks"][0]["text"]["text"]) if post["blocks"] else ""


async def remove(desk: Desk, subject: str) -> None:
    """Somebody deletes that post with all that stands in its thread."""
    channel = desk.sandbox.workspace.dm(desk.claim.mailbox.owner.user)
    (post,) = [post for post in channel.posts.values() if subject in str(post.blocks)]
    post.replies.clear()
    channel.remove(post)


async def test_a_reply_stands_under_the_mail_it_answers(desk: Desk) -> None:
    """By References or In-Reply-To, with the subject it came with; other mail stands by itself."""
    await come(desk, "lunch", "a")
    await come(desk, "Re: lunch", "b", "a")
    await come(desk, "dinner!", "c", "a", "b")
    await come(desk, "Re: Re: lunch", "d", reply_to="c")
    await come(desk, "other", "e")

    assert await threads(desk) == {"lunch": ["Re: lunch", "dinner!", "Re: Re: lunch"], "other": []}


async def test_a_reply_is_shown_in_the_dm_as_well(desk: Desk) -> None:
    """It counts as unread there; Slack tells nobody of a reply in a thread they do not follow."""
    await come(desk, "lunch", "a")
    await come(desk, "Re: lunch", "b", "a")

    channel = desk.sandbox.workspace.dm(desk.claim.mailbox.owner.user)
    assert [title({"blocks": post.blocks}) for post in channel.top_level()] == ["Re: lunch", "lunch"]


async def test_replies_that_come_first_are_joined_by_their_root(desk: Desk) -> None:
    """The first of them begins the thread; nothing that stands is moved."""
    await come(desk, "Re: lunch", "b", "a")
    await come(desk, "Re: lunch again", "c", "a")
    await come(desk, "lunch", "a")

    assert await threads(desk) == {"Re: lunch": ["Re: lunch again", "lunch"]}


@pytest.mark.parametrize("header", ["", "In-Reply-To: Your message of Monday\r\n"])
async def test_an_answer_without_ids_goes_by_its_subject(desk: Desk, header: str) -> None:
    """Under the mail of the same person; what is no answer does not."""
    await desk.keep("lunch", "AW: [list] lunch", "Lunch", "Re: dinner", headers=header)
    await desk.deliver()

    posts = [(title(post), [title(reply) for reply in post["replies"]]) for post in await desk.posts()]
    assert posts == [("lunch", ["AW: [list] lunch"]), ("Lunch", []), ("Re: dinner", [])]


async def test_a_copy_stands_under_the_first_and_a_forgery_by_itself(desk: Desk) -> None:
    """One id, other content: nothing is lost, and with another subject nothing is put beside what it is not."""
    await come(desk, "lunch", "a")
    await desk.keep("Re: lunch", headers=ids("a"), body="With the list's footer.")
    await come(desk, "You have won", "a")

    assert await threads(desk) == {"lunch": ["Re: lunch"], "You have won": []}


async def test_mailboxes_of_one_person_share_no_thread(desk: Desk) -> None:
    """The same mail in both is posted in both, each with its own replies."""
    first = desk.claim
    await come(desk, "lunch", "a")
    new = replace(NEW, owner=first.mailbox.owner, form_id="form-2")
    await desk.stores.mailboxes.add(new, desk.clock())
    (desk.claim,) = await desk.stores.mailboxes.claim_due(
        desk.clock(), lease=timedelta(minutes=2), worker="w", limit=5
    )
    await come(desk, "Re: lunch", "b", "a")
    await come(desk, "Re: Re: lunch", "c", "b")

    assert await threads(desk) == {"lunch": [], "Re: lunch": ["Re: Re: lunch"]}


@pytest.mark.parametrize("kind", [*UNANSWERED, *NOT_DONE])
async def test_a_reply_without_answer_is_looked_up_in_its_thread(desk: Desk, kind: str) -> None:
    """It is there once, and what came after it comes after it."""
    await come(desk, "lunch", "a")
    await desk.fault("chat.postMessage", kind)
    await desk.keep("Re: lunch", headers=ids("b", "a"))
    await desk.keep("new")
    await desk.deliver()
    unknown = await threads(desk)
    desk.clock.ahead += SOON
    await desk.deliver()

    assert "new" not in unknown
    assert await threads(desk) == {"lunch": ["Re: lunch"], "new": []}
    assert await desk.calls("conversations.replies") == 1
    assert await desk.calls("conversations.history") == 0


async def test_a_crash_between_placing_and_posting_changes_nothing(desk: Desk) -> None:
    """The intent is committed with the place: the next life looks in the thread, and posts there."""
    await come(desk, "lunch", "a")
    await desk.keep("Re: lunch", headers=ids("b", "a"))
    dm = await desk.stores.dm(desk.clock())
    entry = await desk.stores.head(dm)
    rendered, _ = await desk.deliverer._contents.said(entry)
    placed, place = await desk.deliverer._placing.placed(entry, rendered)
    intent = replace(
        placed,
        state=EntryState.POSTING,
        channel=dm.channel,
        intended_at=desk.clock(),
        lookup_after=desk.clock(),
    )
    await desk.stores.outbox.record(dm, intent, now=desk.clock(), place=place)
    await desk.stores.outbox.release_worker("poster")

    await desk.deliver()
    await come(desk, "Re: Re: lunch", "c", "b")

    assert await threads(desk) == {"lunch": ["Re: lunch", "Re: Re: lunch"]}


async def test_a_mail_that_was_deleted_in_slack_stays_away(desk: Desk) -> None:
    """The next reply is a post of its own, and the thread goes on there."""
    await come(desk, "lunch", "a")
    await remove(desk, "lunch")
    await come(desk, "Re: lunch", "b", "a")
    await come(desk, "Re: Re: lunch", "c", "a")

    assert await threads(desk) == {"Re: lunch": ["Re: Re: lunch"]}


async def test_files_of_a_reply_stand_behind_it(desk: Desk) -> None:
    """In the thread of the mail it answers; Slack has no thread within a thread."""
    await come(desk, "lunch", "a")
    file = 'MIME-Version: 1.0\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="bill.csv"\r\n'
    await desk.keep("Re: lunch", headers=ids("b", "a") + file, body="a,b")
    await desk.deliver()

    assert await desk.thread_files() == ["bill.csv"]


async def test_mail_that_is_none_is_a_post_of_its_own(desk: Desk) -> None:
    """Nothing is known of it, and nothing breaks."""
    await desk.stores.keep(desk.claim, b"u", b"\x00\x01\x02", now=desk.clock())
    await desk.deliver()

    (post,) = await desk.posts()
    assert "cannot be read" in str(post)


async def test_a_sender_with_one_id_for_all_mail_floods_no_thread(desk: Desk) -> None:
    """Each subject is a post of its own; the same subject comes in one thread, as a copy would."""
    for subject in ("backup of Monday", "backup of Tuesday", "backup of Wednesday"):
        await come(desk, subject, "same")

    assert await threads(desk) == {f"backup of {day}": [] for day in ("Monday", "Tuesday", "Wednesday")}
