"""A mailbox from its first day to its last, as its owner sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.sandbox.person import Person, top_view, words
from tests.acceptance.modals import result

if TYPE_CHECKING:
    from bot.sandbox.demo import Demo

pytestmark = pytest.mark.timeout(120)

ADDRESS = "marta@local.test"
SECOND = "kenji@local.test"
KENJI = "U0KENJI005"


async def add(person: Person, address: str = ADDRESS, name: str = "Work", **answers: str) -> str:
    """`/mailbox add`, filled in; what the last view says."""
    account = await person.mailbox(address)
    await person.command("/mailbox add")
    form = await person.until("the form", top_view, 30)
    fields = {
        "Account name": name,
        "E-mail address": address,
        "Incoming server": "localhost",
        "Port": str(account["pop"]["port"]),
        "Username": account["username"],
        "Password": account["password"],
        "How much old mail to bring": "None",
    }
    await person.submit(form, {**fields, **answers})
    view = await result(person)
    await person.close(view)
    return words(view)


async def post(person: Person, text: str) -> dict[str, Any]:
    """The post that says this, once it is there."""

    def found(shown: dict[str, Any]) -> dict[str, Any] | None:
        return next((post for post in shown["posts"] if text in words(post) or text in post["text"]), None)

    return await person.until(f"a post with “{text}”", found, 40)


async def answer(person: Person, text: str) -> dict[str, Any]:
    """The answer seen by this person only that says this."""

    def found(shown: dict[str, Any]) -> dict[str, Any] | None:
        return next((said for said in shown["ephemerals"] if text in words(said)), None)

    return await person.until(f"an answer with “{text}”", found, 30)


async def change_password(demo: Demo, password: str) -> None:
    """On the mail server."""
    next(drop for drop in demo.mail.drops if drop.account.address == ADDRESS).change_password(password)


async def test_a_changed_password_is_told_once_and_mended_by_its_button(demo: Demo, marta: Person) -> None:
    """One notice, no further login, the button's form, one all-clear, and the mail that waited."""
    assert "” is added" in await add(marta)
    await change_password(demo, "another")
    await marta.send_mail(ADDRESS, "Waiting", "For the password.")
    await post(marta, "Fix password")
    counters = next(drop for drop in demo.mail.drops if drop.account.address == ADDRESS).counters
    refused = counters.refused_logins

    await marta.press("Fix password")
    form = await marta.until("the form", top_view, 30)
    await marta.submit(form, {"New password": "wrong again"})
    assert "✗" in words(await result(marta))
    await marta.submit(await result(marta), {"New password": "another"})
    view = await result(marta)
    await marta.close(view)
    await post(marta, "Waiting")

    await post(marta, "works again")
    posts = (await marta.state())["posts"]
    assert sum("Fix password" in words(post) for post in posts) == 1
    assert counters.refused_logins == refused + 1


async def test_the_words_of_the_command_do_what_they_say(demo: Demo, marta: Person) -> None:
    """Pause keeps mail on the server, resume brings it, list shows it, remove takes the mailbox away."""
    await add(marta)
    await marta.command("/mailbox pause")
    await answer(marta, "paused")
    await marta.send_mail(ADDRESS, "While paused", "Waits.")
    await marta.command("/mailbox list")
    await answer(marta, "Paused")
    assert not any("While paused" in words(post) for post in (await marta.state())["posts"])

    await marta.command("/mailbox resume")
    await post(marta, "While paused")
    await marta.command("/mailbox check")
    await answer(marta, "check")
    await marta.command("/mailbox remove")
    form = await marta.until("the question", top_view, 30)
    await marta.submit(form, {})
    done = await marta.until(
        "the confirmation", lambda shown: top_view(shown) if "removed" in words(shown) else None, 10
    )

    assert "removed" in words(done)
    await marta.close(done)
    await marta.command("/mailbox")
    await answer(marta, "no mailbox yet")


async def test_one_mailbox_is_active_at_a_time(demo: Demo, marta: Person) -> None:
    """Adding a second asks; the other keeps its place and brings what came meanwhile once it is active."""
    await add(marta)
    assert "” is added" in await add(marta, SECOND, "Second", **{"Make this the active mailbox": "No"})
    await marta.send_mail(SECOND, "For the second", "Waits.")
    await marta.send_mail(ADDRESS, "For the first", "Comes.")
    await post(marta, "For the first")
    assert not any("For the second" in words(post) for post in (await marta.state())["posts"])

    await marta.command("/mailbox activate")
    await answer(marta, "Which mailbox should be active?")
    await marta.press("Make active", beside="Second")

    await post(marta, "For the second")


def forge(demo: Demo, user: str, action_id: str, value: str) -> None:
    """Put another value behind a button that a person has before them, as somebody who forges requests would."""
    for said in demo.slack.workspace.desks[user].ephemerals:
        for block in said.blocks or ():
            for element in block.get("elements", []):
                if element.get("action_id") == action_id:
                    element["value"] = value


def value_of(said: dict[str, Any], action_id: str) -> str:
    """What stands behind a button."""
    elements = [element for block in said["blocks"] for element in block.get("elements", [])]
    return next(str(element["value"]) for element in elements if element.get("action_id") == action_id)


async def test_nobody_reaches_another_persons_mailbox(demo: Demo, marta: Person) -> None:
    """A button of Kenji's that carries the id of Marta's mailbox does nothing to it and says no more than "gone"."""
    await add(marta)
    await marta.command("/mailbox list")
    hers = value_of(await answer(marta, "Work"), "pause_mailbox")
    async with aiohttp.ClientSession() as session:
        kenji = Person(session, demo.slack.url, KENJI)
        await add(kenji, SECOND)
        await kenji.command("/mailbox list")
        await answer(kenji, "Work")

        forge(demo, KENJI, "pause_mailbox", hers)
        await kenji.press("Pause")

        await answer(kenji, "not there any more")
    await marta.send_mail(ADDRESS, "Still coming", "Not paused.")
    await post(marta, "Still coming")
