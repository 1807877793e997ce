"""What an owner decides about mail on the server, with the buttons in the DM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.sandbox.mail.faults import Fault, Kind
from bot.sandbox.person import Person, words
from tests.acceptance.test_mailbox_life import ADDRESS, add, answer, post

if TYPE_CHECKING:
    from bot.sandbox.demo import Demo
    from bot.sandbox.mail.maildrops import Maildrop

pytestmark = pytest.mark.timeout(120)

SETTING = {"Delete setting": "Delete when I press Delete in Slack"}


def maildrop(demo: Demo) -> Maildrop:
    """What lies on the server."""
    return next(drop for drop in demo.mail.drops if drop.account.address == ADDRESS)


async def test_delete_from_server_deletes_there_and_says_so(demo: Demo, marta: Person) -> None:
    """The post stays and tells that the message is gone; the button goes."""
    await add(marta, **SETTING)
    await marta.send_mail(ADDRESS, "To be deleted", "Read and done.")
    await post(marta, "Delete from server")
    there = len(maildrop(demo).mails)

    await marta.press("Delete from server")
    after = await post(marta, "Deleted from the mail server.")

    assert "Read and done." in words(after)
    assert "Delete from server" not in words(after)
    assert len(maildrop(demo).mails) == there - 1


async def test_a_renamed_maildrop_is_asked_about_once(demo: Demo, marta: Person) -> None:
    """Nothing is posted twice; after the answer new mail comes, and a second answer changes nothing."""
    await add(marta)
    for number in range(12):
        await marta.send_mail(ADDRESS, f"Number {number}.", "Hello.")
    await post(marta, "Number 11.")
    drop = maildrop(demo)
    drop.faults = drop.faults.having(Fault(Kind.NEW_UIDS, uid_mark="-moved"))

    await marta.command("/mailbox check")
    await post(marta, "suddenly looks new")
    await marta.press("These are new")
    await answer(marta, "Mailbox goes on")
    await marta.press("I have seen these")
    await answer(marta, "answered already")
    await marta.send_mail(ADDRESS, "After the move", "Hello again.")
    await post(marta, "After the move")

    posts = [words(each) for each in (await marta.state())["posts"]]
    assert sum("Number 3." in each for each in posts) == 1
    assert sum("suddenly looks new" in each for each in posts) == 1
