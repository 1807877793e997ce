"""What is stored about a person: given to them, destroyed for them, and nobody else's touched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.sandbox.person import Person, Unexpected, top_view, words
from tests.acceptance.modals import result
from tests.acceptance.test_forms_in_trouble import fault, silent_server
from tests.acceptance.test_mailbox_life import ADDRESS, KENJI, SECOND, add, answer, post

if TYPE_CHECKING:
    from pathlib import Path

    from bot.sandbox.demo import Demo

pytestmark = pytest.mark.timeout(120)

MARTA = "U0MARTA004"
CONFIRMED = {"Type “erase” to confirm": " Erase "}


async def question(person: Person, word: str) -> dict[str, Any]:
    """The form that asks before something is destroyed."""
    await person.command(f"/mailbox {word}")
    return await person.until("the question", top_view, 30)


async def typed(person: Person, **changed: str) -> dict[str, str]:
    """What fills the add form in."""
    account = await person.mailbox(SECOND)
    fields = {
        "Account name": "Second",
        "E-mail address": SECOND,
        "Incoming server": "localhost",
        "Port": str(account["pop"]["port"]),
        "Username": account["username"],
        "Password": account["password"],
    }
    return {**fields, **changed}


def says(shown: dict[str, Any], text: str) -> dict[str, Any] | None:
    """The view in front when it says this."""
    view = top_view(shown)
    return view if text in words(view) else None


async def settled(person: Person, text: str) -> str:
    """What the view in front says, once it says this."""
    view = await person.until(f"a view with “{text}”", lambda shown: says(shown, text), 30)
    said = words(view)
    await person.close(view)
    return said


def database(demo: Demo) -> Path:
    """Where the bot stores everything."""
    (file,) = demo.folder.rglob("mailbox.db")
    return file


async def exported(demo: Demo, person: Person) -> dict[str, Any]:
    """The file that stands in the person's DM."""
    found = await person.until(
        "the file",
        lambda shown: next(
            (file for each in shown["posts"] for file in each.get("files") or () if "export" in file["name"]),
            None,
        ),
        20,
    )
    stored = demo.slack.workspace.files.get(found["id"])
    assert stored is not None
    assert stored.octets is not None
    contents: dict[str, Any] = json.loads(stored.octets)
    return contents


async def test_the_export_stands_in_the_dm(demo: Demo, marta: Person) -> None:
    """Everything but secrets and what the mail says, as a file that only its owner sees."""
    account = await marta.mailbox(ADDRESS)
    assert "” is added" in await add(marta)
    await marta.send_mail(ADDRESS, "A secret subject", "And a secret text.")
    await post(marta, "A secret subject")

    await marta.command("/mailbox export")

    await answer(marta, "as a file")
    file = await exported(demo, marta)
    (mailbox,) = file["mailboxes"]
    assert (file["format"], file["version"]) == ("mailbox-export", 1)
    assert mailbox["settings"]["address"] == ADDRESS
    assert mailbox["mail"]["messages"] == 1
    assert [message["has_copy"] for message in mailbox["mail"]["newest_messages"]] == [True]
    text = json.dumps(file)
    assert account["password"] not in text
    assert "secret" not in text
    shares = [file.shares for file in demo.slack.workspace.files._files.values() if "export" in file.name]
    assert [channel for channel, _ in shares[0]] == [demo.slack.workspace.dm(MARTA).id]


async def test_an_export_that_slack_refuses_is_said_so(demo: Demo, marta: Person) -> None:
    """With Slack's name for the reason; nothing was sent."""
    await add(marta)
    await fault(demo, "files.getUploadURLExternal", "error", error="file_uploads_disabled", count=1)

    await marta.command("/mailbox export")

    await answer(marta, "Slack did not take the file")


async def test_erasing_leaves_nothing_and_a_receipt(demo: Demo, marta: Person) -> None:
    """The word is asked for; then it is all gone, the receipt stands in the DM, and another person's mail goes on."""
    await add(marta)
    await marta.send_mail(ADDRESS, "Before", "Stays in Slack.")
    await post(marta, "Before")
    async with aiohttp.ClientSession() as session:
        kenji = Person(session, demo.slack.url, KENJI)
        await add(kenji, SECOND)
        form = await question(marta, "erase")
        assert "1 mailbox" in words(form)
        with pytest.raises(Unexpected, match="erase"):
            await marta.submit(form, {"Type “erase” to confirm": "no"})

        await marta.submit(form, CONFIRMED)

        assert "Receipt" in await settled(marta, "is erased")
        await post(marta, "Receipt")
        await post(marta, "Before")
        await marta.command("/mailbox")
        await answer(marta, "no mailbox yet")
        await kenji.send_mail(SECOND, "For Kenji", "Still comes.")
        await post(kenji, "For Kenji")
    await demo.bot.stop()
    octets = b"".join(file.read_bytes() for file in database(demo).parent.glob("mailbox.db*"))
    assert KENJI.encode() in octets
    assert MARTA.encode() not in octets


async def uncover(person: Person, view: dict[str, Any]) -> None:
    """Close the view in front only."""
    await person._do("close", {"view_id": view["id"], "all": False})


async def opened(person: Person, word: str, title: str) -> dict[str, Any]:
    """A form on top of whatever is open."""
    await person.command(f"/mailbox {word}")
    return await person.until(f"the form “{title}”", lambda shown: view_of(shown, title), 30)


async def test_forms_that_outlive_the_erasure_are_refused_politely(demo: Demo, marta: Person) -> None:
    """An old form brings nothing back and says why; a second erasure finds nothing."""
    await add(marta)
    old = await opened(marta, "edit", "Edit mailbox")
    await marta.submit(await opened(marta, "erase", "Erase everything"), CONFIRMED)
    receipt = await marta.until("the receipt", lambda shown: says(shown, "is erased"), 30)
    await uncover(marta, receipt)

    await marta.submit(old, {"Account name": "Late"})

    await settled(marta, "not there any more")
    await marta.command("/mailbox erase")
    await answer(marta, "nothing stored about you")


async def test_a_test_that_runs_is_ended_by_erasing(marta: Person) -> None:
    """What would have been stored a moment later is not."""
    await add(marta)
    async with silent_server() as port:
        form = await opened(marta, "add", "Add mailbox")
        await marta.submit(form, await typed(marta, Port=str(port)))
        await marta.until("the test", lambda shown: view_of(shown, "Testing"), 30)

        await marta.submit(await opened(marta, "erase", "Erase everything"), CONFIRMED)

        await uncover(marta, await marta.until("the receipt", lambda shown: says(shown, "is erased"), 30))
        await marta.until("its end", lambda shown: says(shown, "cut short"), 30)
    await marta.command("/mailbox list")
    await answer(marta, "no mailbox yet")


async def test_a_mailbox_added_after_the_question_is_not_erased(marta: Person) -> None:
    """Only what the question told of may go."""
    await add(marta)
    question = await opened(marta, "erase", "Erase everything")
    await marta.submit(await opened(marta, "add", "Add mailbox"), await typed(marta))
    await uncover(marta, await marta.until("the result", lambda shown: says(shown, "” is added"), 30))

    await marta.submit(question, CONFIRMED)

    await settled(marta, "nothing was erased")
    await marta.command("/mailbox list")
    await answer(marta, "2 mailboxes")


async def test_removing_gives_a_receipt(marta: Person) -> None:
    """What was destroyed and what stays, when, and under which number."""
    await add(marta)
    form = await question(marta, "remove")
    assert "What stays" in words(form)

    await marta.submit(form, {})

    said = await settled(marta, "is removed")
    assert "Receipt" in said
    assert "every message on the mail server" in said


async def test_too_many_tests_are_put_off_and_nothing_typed_is_lost(demo: Demo, marta: Person) -> None:
    """Five at once are made; the sixth says when to come again, and the form is still there."""
    for number in range(6):
        await marta.command("/mailbox add")
        form = await marta.until("the form", lambda shown: view_of(shown, "Add mailbox"), 30)
        fields = {
            "Account name": f"Number {number}",
            "E-mail address": f"a{number}@nobody.invalid",
            "Incoming server": f"pop{number}.nobody.invalid",
            "Username": f"a{number}",
            "Password": "secret",
        }
        await marta.submit(form, fields)
        if number < 5:
            await marta.close(await marta.until("the test", lambda shown: view_of(shown, "Testing"), 30))

    shown = await result(marta)

    assert "Try again in" in words(shown)
    assert "Number 5" in json.dumps(shown)


def view_of(shown: dict[str, Any], title: str) -> dict[str, Any] | None:
    """The view in front when it has this title."""
    view = top_view(shown)
    return view if view is not None and title in words(view["title"]) else None
