"""What an owner does with a message from its post, clicked in the sandbox."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.sandbox.person import Person, title, top_view, words
from tests.acceptance.modals import view
from tests.acceptance.test_mailbox_life import ADDRESS, KENJI, add, answer, post

if TYPE_CHECKING:
    from bot.sandbox.demo import Demo
    from bot.sandbox.mail.maildrops import Maildrop

pytestmark = pytest.mark.timeout(120)

LONG = "\n\n".join(f"Paragraph {number}: " + "words of a long letter " * 8 for number in range(40))


def maildrop(demo: Demo) -> Maildrop:
    """What lies on the server."""
    return next(drop for drop in demo.mail.drops if drop.account.address == ADDRESS)


def replies(found: dict[str, Any]) -> list[str]:
    """Names of the files in a post's thread."""
    return [file["name"] for reply in found["replies"] for file in reply["files"]]


async def test_show_all_opens_the_whole_text_in_pages(demo: Demo, marta: Person) -> None:
    """A modal holds the first page; its buttons lead to the next ones and back."""
    await add(marta)
    await marta.send_mail(ADDRESS, "A long letter", LONG)
    await post(marta, "A long letter")

    await marta.press("Show all")
    first = await view(marta, "Page 1 of 2")
    await marta.press("Next page")
    second = await view(marta, "Page 2 of 2")
    await marta.press("Previous page")
    await view(marta, "Page 1 of 2")

    assert title(first) == "The whole message"
    assert "Paragraph 0:" in words(first)
    assert "Paragraph 39:" in words(second)


async def test_headers_and_the_original_come_from_the_menu(demo: Demo, marta: Person) -> None:
    """Headers open in a modal; the original comes into the thread once, however often it is asked for."""
    await add(marta)
    await marta.send_mail(ADDRESS, "With headers", "Hello.")
    await post(marta, "With headers")

    await marta.choose("Headers")
    shown = await view(marta, "Subject: With headers")
    await marta.close(shown)
    await marta.choose("Original (.eml)")

    def with_file(page: dict[str, Any]) -> dict[str, Any] | None:
        found = next(each for each in page["posts"] if "With headers" in words(each))
        return found if replies(found) == ["original.eml"] else None

    await marta.until("the original", with_file, 30)
    await marta.choose("Original (.eml)")
    await answer(marta, "in the thread of this post already")
    assert with_file(await marta.state()) is not None


async def test_a_muted_sender_is_not_posted_until_the_rule_goes(demo: Demo, marta: Person) -> None:
    """The mail stays on the server, is counted in the list of rules, and what comes after Remove is posted."""
    await add(marta, **{"Delete setting": "Delete after it is in Slack"})
    await marta.send_mail(ADDRESS, "First", "Hello.")
    await post(marta, "First")
    await marta.choose("Mute sender")
    await answer(marta, "check@elsewhere.example stays out of Slack")

    await marta.send_mail(ADDRESS, "Second", "Nobody hears of this.")
    await marta.command("/mailbox check")
    await _counted(marta, "1 e-mail kept out")
    await marta.press("Remove")
    await view(marta, "Nothing is muted.")
    await marta.send_mail(ADDRESS, "Third", "Hello again.")
    await post(marta, "Third")

    posts = " ".join(words(each) for each in (await marta.state())["posts"])
    assert "Nobody hears of this." not in posts
    assert any(b"Nobody hears of this." in bytes(mail.octets) for mail in maildrop(demo).mails)


async def _counted(person: Person, text: str) -> None:
    """The list of rules, opened until it says this."""
    for _ in range(40):
        await person.command("/mailbox rules")
        shown = await view(person, "kept out")
        if text in words(shown):
            return
        await person.close(shown)


async def _listed(person: Person, text: str) -> None:
    """The list of mailboxes, asked for until it says this: a post is seen a moment before it is counted."""
    for _ in range(40):
        before = len((await person.state())["ephemerals"])
        await person.command("/mailbox list")
        said = await person.until("a list", partial(_newer, before), 30)
        if text in words(said):
            return
    raise AssertionError(text)


def _newer(before: int, shown: dict[str, Any]) -> dict[str, Any] | None:
    return shown["ephemerals"][-1] if len(shown["ephemerals"]) > before else None


async def test_done_is_shown_in_the_post_and_counted_in_the_list(demo: Demo, marta: Person) -> None:
    """The post says so in place, the list counts what is left and leads there, and it can be undone."""
    await add(marta)
    await marta.send_mail(ADDRESS, "To do", "Please answer.")
    await post(marta, "To do")
    await _listed(marta, "Not done (1)")
    await marta.press("Not done (1)")
    listed = await view(marta, "To do")
    async with aiohttp.ClientSession() as session:
        (link,) = re.findall(r"http://[^'\"]+/archives/[^'\"]+", str(listed))
        async with session.get(link, allow_redirects=False) as response:
            assert response.headers["Location"].startswith("/?user=U0MARTA004&tab=messages&post=")
    await marta.close(listed)

    await marta.press("Mark as done")
    done = await post(marta, "✓ Done")
    assert "Please answer." in words(done)
    await marta.press("Not done")

    def undone(page: dict[str, Any]) -> dict[str, Any] | None:
        return next((each for each in page["posts"] if "Mark as done" in words(each)), None)

    assert "✓ Done" not in words(await marta.until("the undone post", undone, 30))


async def test_somebody_else_learns_nothing_by_pressing(demo: Demo, marta: Person) -> None:
    """An id from another person's post gets the same sentence as one that was never there."""
    await add(marta)
    await marta.send_mail(ADDRESS, "Private", "Secret words.")
    row = next(
        block for block in (await post(marta, "Private"))["blocks"] if block["block_id"] == "mail_actions"
    )
    message_id = row["elements"][0]["value"]
    async with aiohttp.ClientSession() as session:
        kenji = Person(session, demo.slack.url, KENJI)
        await add(kenji, "kenji@local.test")
        await kenji.send_mail("kenji@local.test", "Own", "Hello.")
        own = await post(kenji, "Own")
        await _replace_id(demo, own, message_id)
        await kenji.press("Mark as done")

        await answer(kenji, "does not have that message any more")


async def _replace_id(demo: Demo, own: dict[str, Any], message_id: str) -> None:
    """Let a post of the sandbox bear another message's id, as a forged request would."""
    for channel in demo.slack.sandbox.workspace.channels.values():
        found = channel.find(own["ts"])
        if found is not None:
            for block in found.blocks:
                if block["block_id"] == "mail_actions":
                    for button in (each for each in block["elements"] if each["type"] == "button"):
                        button["value"] = message_id


async def test_a_muted_thread_stays_quiet_and_other_mail_comes(demo: Demo, marta: Person) -> None:
    """An answer within the conversation is kept out; a new subject of the same sender is posted."""
    await add(marta)
    drop = maildrop(demo)
    drop.deliver(_mail("Lunch?", "<1@elsewhere.example>"))
    await post(marta, "Lunch?")
    await marta.choose("Mute thread")
    await answer(marta, "this conversation stays out of Slack")

    drop.deliver(_mail("Re: Lunch?", "<2@elsewhere.example>", "In-Reply-To: <1@elsewhere.example>\r\n"))
    drop.deliver(_mail("Dinner?", "<3@elsewhere.example>"))
    await post(marta, "Dinner?")
    await _counted(marta, "1 e-mail kept out")

    assert "Re: Lunch?" not in " ".join(words(each) for each in (await marta.state())["posts"])


def _mail(subject: str, message_id: str, more: str = "") -> bytes:
    head = f"From: Ada <ada@elsewhere.example>\r\nTo: {ADDRESS}\r\nMessage-ID: {message_id}\r\n{more}"
    return f"{head}Subject: {subject}\r\n\r\nAbout food.\r\n".encode()


async def _add_with_days(person: Person) -> None:
    """A mailbox whose mail is deleted on the server 30 days after it is in Slack."""
    account = await person.mailbox(ADDRESS)
    await person.command("/mailbox add")
    form = await person.until("the form", top_view, 30)
    answers = {
        "Account name": "Work",
        "E-mail address": ADDRESS,
        "Incoming server": "localhost",
        "Port": str(account["pop"]["port"]),
        "Username": account["username"],
        "Password": account["password"],
        "How much old mail to bring": "None",
        "Delete setting": "Delete some days after it is in Slack",
    }
    await person.submit(form, answers)
    await person.submit(await view(person, "After how many days"), {})
    await person.close(await view(person, "” is added"))


async def test_delete_in_the_menu_asks_first(demo: Demo, marta: Person) -> None:
    """With a delete setting that keeps mail for days, the owner may want one gone at once."""
    await _add_with_days(marta)
    await marta.send_mail(ADDRESS, "Gone soon", "Hello.")
    await post(marta, "Gone soon")
    there = len(maildrop(demo).mails)

    await marta.choose("Delete from server…")
    await answer(marta, "for good, now?")
    await marta.press("Delete from server")
    await answer(marta, "Deleted from the mail server.")

    assert len(maildrop(demo).mails) == there - 1


async def test_a_message_over_the_limit_comes_as_a_file_when_it_is_wanted(demo: Demo, marta: Person) -> None:
    """The button gives way to a line, and the next check brings the whole message into the thread."""
    await add(marta)
    line = b"x" * 70 + b"\r\n"
    maildrop(demo).deliver(_mail("Very large", "<4@elsewhere.example>") + line * (27 * 1024 * 1024 // 72))
    await post(marta, "Very large")

    await marta.press("Get the whole message")
    await answer(marta, "Mailbox asks the mail server for this message")

    def with_file(page: dict[str, Any]) -> dict[str, Any] | None:
        found = next(each for each in page["posts"] if "Very large" in words(each))
        return found if replies(found) == ["original.eml"] else None

    card = await marta.until("the whole message", with_file, 60)
    assert "Get the whole message" not in words(card)
