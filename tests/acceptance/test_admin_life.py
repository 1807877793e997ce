"""Administration with the whole program running: as an admin meets it, and as a member does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.sandbox.person import Person, top_view, words
from tests.acceptance.test_mailbox_life import ADDRESS, add, post

if TYPE_CHECKING:
    from bot.sandbox.demo import Demo

pytestmark = pytest.mark.timeout(120)

AISHA, MARTA = "U0AISHA003", "U0MARTA004"


async def settled(person: Person, text: str) -> dict[str, Any]:
    """The view in front, once it says this."""

    def holds(shown: dict[str, Any]) -> dict[str, Any] | None:
        view = top_view(shown)
        return view if view is not None and text in words(view) else None

    return await person.until(f"a view with “{text}”", holds, 30)


async def answered(person: Person, text: str) -> str:
    """What an ephemeral answer says, once one says this."""

    def holds(shown: dict[str, Any]) -> dict[str, Any] | None:
        return next((said for said in shown["ephemerals"] if text in words(said)), None)

    return words(await person.until(f"an answer with “{text}”", holds, 30))


async def test_an_admin_grants_sees_and_deletes(demo: Demo, marta: Person) -> None:
    """A grant is saved, the mailbox is seen without its address and deleted, its owner is told, the audit has it all."""
    await add(marta)
    async with aiohttp.ClientSession() as session:
        aisha = Person(session, demo.slack.url, AISHA)
        await aisha.command("/mailbox admin")
        await settled(aisha, "1 mailbox: 1 well")
        await aisha.press("Edit", beside="*Members*")
        form = await settled(aisha, "Widest audience")
        await aisha.submit(form, {"Sharing": "Private: nothing is shared"})
        await aisha.submit(await settled(aisha, "2 people, 1 mailbox of"), {})
        await aisha.close(await settled(aisha, "✓ The grant is saved."))

        await aisha.command("/mailbox admin")
        await settled(aisha, "*Members*: share nothing")
        await aisha.press("Mailboxes")
        assert ADDRESS not in words(await settled(aisha, f"<@{MARTA}>"))
        await aisha.press("Delete …")
        await aisha.submit(await settled(aisha, "What goes, for good"), {})
        await settled(aisha, "is deleted. The owner was told.")
        await aisha.close(await settled(aisha, "is deleted"))
        await aisha.command("/mailbox admin")
        await settled(aisha, "Nobody has a mailbox yet.")
        await aisha.press("Audit")
        shown = words(await settled(aisha, "deleted a mailbox"))

    assert "set a grant · Members" in shown
    await post(marta, "An administrator of this workspace deleted one of your mailboxes")


async def test_a_member_finds_no_administration(demo: Demo, marta: Person) -> None:
    """Help names the command to administrators alone; typed all the same, it says whom to ask."""
    async with aiohttp.ClientSession() as session:
        aisha = Person(session, demo.slack.url, AISHA)
        await aisha.command("/mailbox help")
        assert "/mailbox admin" in await answered(aisha, "/mailbox add")
    await marta.command("/mailbox help")
    assert "/mailbox admin" not in await answered(marta, "/mailbox add")

    await marta.command("/mailbox admin")

    assert f"<@{AISHA}>" in words(await settled(marta, "so nothing was done"))
