"""A mailbox that was opened to others, as they read it in the sandbox."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.person import Person, words
from bot.sandbox.slack.channels import WAREHOUSE_ID
from bot.sandbox.slack.faults import Fault
from bot.sandbox.slack.people import TEAM_ID
from bot.slack import names
from storage.audits import Audits
from storage.database import Database
from storage.grants import Grants
from storage.records import Person as Owner
from storage.shares import Shares
from storage.sharing import (
    Act,
    Audience,
    AudienceKind,
    Grant,
    GrantKind,
    Level,
    Role,
    Share,
    Subject,
    SubjectKind,
)
from tests.acceptance.conftest import MARTA
from tests.acceptance.modals import view
from tests.acceptance.test_mailbox_life import ADDRESS, KENJI, add, answer, post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.sandbox.demo import Demo

pytestmark = pytest.mark.timeout(120)

OWNER = Owner(TEAM_ID, MARTA)
INES = Owner(TEAM_ID, "U0INES0001")
BODY = "The password of the safe is 4711."


@asynccontextmanager
async def stored(demo: Demo) -> AsyncIterator[Database]:
    """The bot's database."""
    database = await Database.open(f"sqlite:///{demo.folder / 'data' / 'mailbox.db'}")
    yield database
    await database.close()


@asynccontextmanager
async def at_the_page(demo: Demo, user: str) -> AsyncIterator[Person]:
    """Somebody else."""
    async with aiohttp.ClientSession() as session:
        yield Person(session, demo.slack.url, user)


async def share(demo: Demo, level: Level, user: str = KENJI) -> Share:
    """Open Marta's mailbox to somebody."""
    now = datetime.now(UTC)
    grant = Grant(Subject(SubjectKind.ROLE, Role.MEMBER), GrantKind.CHOICE, Level.MANAGE)
    async with stored(demo) as database:
        await Grants(database).set(TEAM_ID, grant, INES, now, lambda _: True)
        (facts,) = await Shares(database).facts_of(OWNER)
        new = Share("", facts.mailbox_id, Audience(AudienceKind.PERSON, user), level, now, history=True)
        (opened,) = await Shares(database).open(OWNER, [new], now, lambda _: True)
    return opened


async def end(demo: Demo, ended: Share) -> None:
    """End it."""
    async with stored(demo) as database:
        await Shares(database).end(ended.id, OWNER, datetime.now(UTC), Act.SHARE_REVOKED, lambda _: True)


async def mailed(marta: Person, subject: str) -> None:
    """An e-mail that is in its owner's Slack."""
    await marta.send_mail(ADDRESS, subject, BODY)
    await post(marta, subject)


async def listing(viewer: Person, may: str, subject: str) -> dict[str, Any]:
    """The messages of the one mailbox that is shared, from the command on."""
    await viewer.command("/mailbox shared")
    await answer(viewer, may)
    await viewer.press("Messages")
    return await view(viewer, subject)


async def management(viewer: Person) -> None:
    """From there to what a manager does."""
    await listing(viewer, "answer as the mailbox and manage", "Plans")
    await viewer.press("Manage")
    await view(viewer, "All is well.")


async def retention_form(viewer: Person) -> dict[str, Any]:
    """And on to the delete setting."""
    await viewer.press("Delete setting…")
    return await view(viewer, "After how many days")


async def test_a_viewer_reads_what_was_opened_until_it_ends(demo: Demo, marta: Person) -> None:
    """From the command to the list, a message, its headers and a copy; afterwards each press is refused."""
    await add(marta)
    await mailed(marta, "Plans for the safe")
    opened = await share(demo, Level.OPEN)
    async with at_the_page(demo, KENJI) as kenji:
        listed = await listing(kenji, "You may open and read", "Plans for the safe")
        await kenji.press("Open")
        await view(kenji, "4711")
        await kenji.press("Headers")
        headers = await view(kenji, "Subject: Plans for the safe")
        assert len((await kenji.state())["views"]) == 3
        await kenji.close(headers)
        await kenji.press("Messages")
        await view(kenji, "Plans for the safe")
        await kenji.press("Open")
        await view(kenji, "4711")
        await kenji.press("Send to direct messages")
        await view(kenji, "It comes into our direct messages")
        await post(kenji, "4711")

        await end(demo, opened)
        await kenji.press("Send to direct messages")
        await view(kenji, "This is not shared with you, or not any more.")
        await kenji.close(await view(kenji, "not shared"))
        await kenji.press("Messages")
        await view(kenji, "This is not shared with you, or not any more.")

    assert "4711" not in json.dumps(listed)


async def test_whoever_only_sees_gets_nothing_of_the_text(demo: Demo, marta: Person) -> None:
    """Sender and subject stand there, and nothing in all of the page holds a word of the body."""
    await add(marta)
    await mailed(marta, "Plans for the safe")
    await share(demo, Level.SEE)
    async with at_the_page(demo, KENJI) as kenji:
        await listing(kenji, "You may see sender, subject, date and size", "Plans for the safe")

        assert "4711" not in json.dumps(await kenji.state())


async def test_a_manager_pauses_and_resumes_and_the_owner_sees_it(demo: Demo, marta: Person) -> None:
    """The delete setting and the muted senders are within reach too; nothing of the owner's own is."""
    await add(marta)
    await mailed(marta, "Plans")
    await share(demo, Level.MANAGE)
    async with at_the_page(demo, KENJI) as kenji:
        await management(kenji)
        await kenji.press("Pause")
        await view(kenji, "It is paused, and its owner is told so.")
        await post(marta, "who may manage it, has paused the mailbox “Work”")
        await marta.command("/mailbox list")
        await answer(marta, "Paused: its mail waits")
        await kenji.press("Resume")
        await view(kenji, "It is fetched again.")
        await kenji.press("Check now")
        await view(kenji, "It is checked now")
        form = await retention_form(kenji)
        await kenji.submit(form, {"Delete setting": "Delete after it is in Slack"})
        managed = await view(kenji, "The delete setting is saved")

    assert "Delete setting: Delete after it is in Slack" in words(managed)
    assert "Password" not in words(managed).replace("Its password", "")


async def test_a_former_viewer_with_an_old_view_is_refused(demo: Demo, marta: Person) -> None:
    """The list that was open a moment ago leads nowhere; nor does the form to change the delete setting."""
    await add(marta)
    await mailed(marta, "Plans")
    opened = await share(demo, Level.MANAGE)
    async with at_the_page(demo, KENJI) as kenji:
        await management(kenji)
        form = await retention_form(kenji)

        await end(demo, opened)
        await kenji.submit(form, {"Delete setting": "Delete after it is in Slack"})
        await view(kenji, "This is not shared with you, or not any more.")


async def home(person: Person, text: str) -> dict[str, Any]:
    """The front page, once it says this."""

    def drawn(page: dict[str, Any]) -> dict[str, Any] | None:
        found: dict[str, Any] | None = page.get("home")
        return found if found is not None and text in words(found) else None

    return await person.until(f"a front page with “{text}”", drawn, 30)


async def test_the_front_page_shows_who_sees_what_and_leads_there(demo: Demo, marta: Person) -> None:
    """The owner reads whom they let in; that person reads and opens it from their own page; ended, both are without it."""
    await add(marta)
    await mailed(marta, "Plans for the safe")
    await marta.open_home()
    await home(marta, "Who can see it: only you.")
    opened = await share(demo, Level.OPEN)
    await marta.open_home()
    await home(marta, "Who can see it: you; <@U0KENJI005> (Open)")
    async with at_the_page(demo, KENJI) as kenji:
        await kenji.open_home()
        page = await home(kenji, "Mailbox “Work” of <@U0MARTA004>")
        await kenji.press("Messages", beside="Work")
        await kenji.close(await view(kenji, "Plans for the safe"))
        await end(demo, opened)
        await kenji.press("Messages", beside="Mailbox “Work”")
        await kenji.close(await view(kenji, "This is not shared with you, or not any more."))
        await kenji.open_home()
        await home(kenji, "Nobody has opened a mailbox")
    await marta.open_home()
    await home(marta, "Who can see it: only you.")

    assert "Welcome to Mailbox" in words(page)


async def test_while_slack_does_not_answer_ones_own_mailboxes_are_there(demo: Demo, marta: Person) -> None:
    """What cannot be found out is said; the buttons of one's own mailboxes work."""
    await add(marta)
    for method in ("users.info", "usergroups.list"):
        demo.slack.sandbox.faults.add(Fault(method, "rate_limited", count=1000, seconds=30))
    await marta.change_group("agency", users=[KENJI])  # what was known of groups counts no more

    await marta.open_home()
    page = words(await home(marta, "Slack did not answer just now"))
    await marta.press("Pause")
    await home(marta, "Paused: its mail waits")

    assert "Who can see it" not in page


async def test_what_is_told_of_a_share_leads_to_it(demo: Demo, marta: Person) -> None:
    """The button in the bot's message opens the list; somebody else who gets hold of the id is refused."""
    await add(marta)
    await mailed(marta, "Plans for the safe")
    await share(demo, Level.OPEN)
    async with at_the_page(demo, KENJI) as kenji:
        told = await post(kenji, "shares the mailbox")
        await kenji.press("Open", beside="shares the mailbox")
        await view(kenji, "Plans for the safe")
    async with at_the_page(demo, "U0AISHA003") as aisha:
        await forge(demo, aisha, told)
        await view(aisha, "This is not shared with you, or not any more.")


async def forge(demo: Demo, person: Person, told: dict[str, Any]) -> None:
    """Press a button of somebody else's post, as from a forged page."""
    await add(person, "aisha@local.test", "Own")
    await person.command("/mailbox list")
    await answer(person, "Own")
    (button,) = [block["accessory"] for block in told["blocks"] if "accessory" in block]
    for said in demo.slack.workspace.desks["U0AISHA003"].ephemerals:
        for block in said.blocks:
            for element in block.get("elements", []):
                if element.get("text", {}).get("text") == "Doctor":
                    element["action_id"], element["value"] = button["action_id"], button["value"]
    await person.press("Doctor")


async def test_whoever_presses_in_a_channel_is_decided_on_alone(demo: Demo, marta: Person) -> None:
    """A member whom nothing was opened to, and somebody of another company, are refused and noted; the viewer reads."""
    await add(marta)
    await mailed(marta, "Plans for the safe")
    await share(demo, Level.OPEN)
    async with stored(demo) as database:
        (facts,) = await Shares(database).facts_of(OWNER)
        (message,) = await Shares(database).messages(facts.mailbox_id, 1)
    async with (
        at_the_page(demo, KENJI) as kenji,
        at_the_page(demo, "U0TOMASZ02") as tomasz,
        at_the_page(demo, "U0NOOR0009") as noor,
    ):
        await tomasz.change_channel("warehouse-move", add="bot")
        await tomasz.change_channel("warehouse-move", is_ext_shared=True)
        await post_button(demo, message.id)
        for person in (tomasz, noor, kenji):
            await person.press("Open", in_channel="warehouse-move")
        await view(tomasz, "This is not shared with you, or not any more.")
        await view(kenji, "4711")
        await until_refused(noor)
        assert "4711" not in json.dumps(
            [await tomasz.state(), await tomasz.room("warehouse-move"), await noor.room("warehouse-move")]
        )

    async with stored(demo) as database:
        refused = await Audits(database).list(TEAM_ID, act=Act.REFUSED, limit=10)
    assert {entry.actor for entry in refused} == {"U0TOMASZ02", "U0NOOR0009"}


async def post_button(demo: Demo, message_id: str) -> None:
    """A post in a channel with the button that leads to a message."""
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": "Open"},
        "action_id": names.SHARED_OPEN,
    }
    blocks = [{"type": "actions", "elements": [{**button, "value": message_id}]}]
    client = AsyncWebClient(demo.slack.sandbox.credentials.bot_token, base_url=demo.slack.api_url)
    await client.chat_postMessage(channel=WAREHOUSE_ID, text="An e-mail", blocks=blocks)


async def until_refused(person: Person) -> None:
    """The polite sentence, seen by this person alone."""
    async with asyncio.timeout(20):
        while "cannot use Mailbox" not in words((await person.room("warehouse-move"))["ephemerals"]):  # noqa: ASYNC110 - a page is looked at
            await asyncio.sleep(0.1)


ADMINISTRATORS = {"U0INES0001", "U0TOMASZ02", "U0AISHA003"}


async def test_home_of_each_role(demo: Demo) -> None:
    """Everybody is welcomed and told how to begin; the administrators' part is theirs alone."""
    for user in (*sorted(ADMINISTRATORS), "U0KENJI005", "U0LUCIA006", "U0OWEN0007"):
        async with at_the_page(demo, user) as person:
            await person.open_home()
            page = words(await home(person, "Welcome to Mailbox"))

        assert "Add mailbox" in page
        assert "Nobody has opened a mailbox" in page
        assert "Erase everything" not in page
        assert ("Grants and limits" in page) == (user in ADMINISTRATORS), user
