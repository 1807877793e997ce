"""Forms when Slack, the network or the process fails them: nobody waits in vain, nothing is said wrongly."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.sandbox.person import Person, top_view, words
from tests.acceptance.modals import result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.sandbox.demo import Demo

pytestmark = pytest.mark.timeout(90)

ADDRESS = "marta@local.test"


async def opened(person: Person, command: str) -> dict[str, Any]:
    """A form opened by a command."""
    await person.command(command)
    return await person.until("the form", top_view, 30)


async def answers(person: Person, **changed: str) -> dict[str, str]:
    """What a person fills in."""
    account = await person.mailbox(ADDRESS)
    return {
        "Account name": "Work",
        "E-mail address": ADDRESS,
        "Incoming server": "localhost",
        "Port": str(account["pop"]["port"]),
        "Username": account["username"],
        "Password": account["password"],
        "How much old mail to bring": "None",
        **changed,
    }


async def added(person: Person) -> None:
    """A mailbox, its form closed."""
    await person.submit(await opened(person, "/mailbox add"), await answers(person))
    assert "” is added" in words(await result(person))
    await person.close(await person.until("the result", top_view, 30))


async def said(person: Person, text: str) -> None:
    """An answer or a post in the DM that says this."""

    def found(shown: dict[str, Any]) -> dict[str, Any] | None:
        return next((each for each in [*shown["ephemerals"], *shown["posts"]] if text in str(each)), None)

    await person.until(f"“{text}”", found, 30)


async def fault(demo: Demo, method: str, kind: str, **more: Any) -> None:
    """Let the next call of a method fail."""
    body = {"faults": [{"method": method, "kind": kind, **more}]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{demo.slack.url}/sandbox/api/faults", json=body) as answer,
    ):
        assert (await answer.json())["ok"]


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """A server that takes connections and says nothing."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()


async def test_an_edited_mailbox_is_changed_not_added(marta: Person) -> None:
    """The result says what was done, and an empty password field has kept the stored one."""
    await added(marta)

    await marta.submit(await opened(marta, "/mailbox edit"), {"Account name": "Renamed"})

    shown = words(await result(marta))
    assert "“Renamed” is changed" in shown
    assert "” is added" not in shown


async def test_a_mailbox_is_meant_by_its_name(marta: Person) -> None:
    """A name that none has asks, so that no other mailbox is touched."""
    await added(marta)

    await marta.command("/mailbox pause Old one")
    await said(marta, "Which mailbox should be paused?")
    await marta.command("/mailbox pause WORK")

    await said(marta, "“Work” is paused")


@pytest.mark.parametrize("kind", ["drop", "accept_then_drop", "status"])
async def test_a_result_that_slack_did_not_take_is_shown_again(demo: Demo, marta: Person, kind: str) -> None:
    """The "testing" view never stays for ever because one call failed."""
    form = await opened(marta, "/mailbox add")
    await fault(demo, "views.update", kind, count=1)

    await marta.submit(form, await answers(marta))

    assert "” is added" in words(await result(marta))


async def test_a_failed_test_of_a_closed_form_is_told_in_the_dm(marta: Person) -> None:
    """With the way back to the form; the password is nowhere in it."""
    form = await opened(marta, "/mailbox add")
    await marta.submit(form, await answers(marta, Password="wrong canary"))

    await marta.close(await marta.until("the test", top_view, 30))

    await said(marta, "opens it again")
    assert "wrong canary" not in str(await marta.state())


async def test_a_form_that_slack_would_not_open_is_said_so(demo: Demo, marta: Person) -> None:
    """Too late for Slack's three seconds: a sentence, and no error of ours in the log."""
    await fault(demo, "views.open", "error", error="expired_trigger_id")

    await marta.command("/mailbox add")

    await said(marta, "did not wait long enough")
    log = demo.bot.tail()
    assert "Traceback" not in log
    assert "never retrieved" not in log


async def test_whoever_waits_for_a_test_is_told_when_the_bot_leaves(demo: Demo, marta: Person) -> None:
    """SIGTERM in the middle of a test: the view says so instead of testing for ever."""
    async with silent_server() as port:
        form = await opened(marta, "/mailbox add")
        await marta.submit(form, await answers(marta, Port=str(port)))
        await marta.until("the test", top_view, 30)

        await demo.bot.stop()

        assert "being restarted" in words(await result(marta))


async def test_a_removed_mailbox_leaves_app_home(marta: Person) -> None:
    """What a form changes is seen in App Home without opening it anew."""
    await added(marta)
    await marta.until("Home", lambda shown: shown if "Work" in str(shown["home"]) else None, 30)

    await marta.submit(await opened(marta, "/mailbox remove"), {})
    await marta.until(
        "the end", lambda shown: top_view(shown) if "is removed" in words(shown["views"]) else None, 10
    )

    await marta.until("an empty Home", lambda shown: shown if "Welcome" in str(shown["home"]) else None, 30)
