"""Sharing as people meet it: the form, who will see it, revoking, one message, the part of the add form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.sandbox.person import Person, words
from tests.acceptance.modals import result, view
from tests.acceptance.test_mailbox_life import ADDRESS, KENJI, add, post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.sandbox.demo import Demo

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def kenji(demo: Demo) -> AsyncIterator[Person]:
    """A colleague of Marta's at the page."""
    async with aiohttp.ClientSession() as session:
        yield Person(session, demo.slack.url, KENJI)


async def test_a_mailbox_is_shared_seen_and_revoked(demo: Demo, marta: Person, kenji: Person) -> None:
    """Nobody to begin with; named before it is sent; told once; in the list until it is revoked."""
    await add(marta)
    await marta.command("/mailbox share")
    await view(marta, "Who will see this:* only you")
    await marta.pick("People", ["Kenji Morita"])
    form = await view(marta, f"<@{KENJI}>")

    await marta.submit(form, {"They may": "Open: body and attachments too"})
    await view(marta, "✓ Shared with")
    await post(kenji, "shares the mailbox")
    shared = await view(marta, "Shared now")
    assert f"<@{KENJI}> · Open" in words(shared)

    await marta.press("Revoke")
    await view(marta, "✓ The share has ended.")
    await post(kenji, "no longer shared with you")


async def test_a_form_without_anybody_says_so_under_its_field(demo: Demo, marta: Person) -> None:
    """Slack's own client asks for a required field; the owner themselves is refused by us, and nothing is lost."""
    await add(marta)
    await marta.command("/mailbox share")
    form = await view(marta, "Who will see this:* only you")

    with pytest.raises(Exception, match="You see your own mail already"):
        await marta.submit(form, {"People": ["Marta Lindqvist"]})
    with pytest.raises(Exception, match="Choose today or a later day"):
        await marta.submit(form, {"People": ["Kenji Morita"], "Until": "2020-01-01"})
    await marta.submit(form, {"People": ["Kenji Morita"], "Until": "2099-01-01"})

    assert "until the end of" in words(await view(marta, "✓ Shared with"))


async def test_one_message_is_shared_from_its_post(demo: Demo, marta: Person, kenji: Person) -> None:
    """The form names it to its owner; its viewer is told that it is one message, without its subject."""
    await add(marta)
    await marta.send_mail(ADDRESS, "The offer", "As discussed.")
    await post(marta, "The offer")

    await marta.press("Share…")
    await view(marta, "The offer")
    await marta.pick("People", ["Kenji Morita"])
    form = await view(marta, f"<@{KENJI}>")
    await marta.submit(form, {"They may": "Open: body and attachments too"})
    await view(marta, "✓ Shared with")

    told = await post(kenji, "one message of the mailbox")
    assert "The offer" not in words(told)


async def test_a_new_mailbox_is_shared_from_its_form(demo: Demo, marta: Person, kenji: Person) -> None:
    """Who will see it is said before it is added, and what came of it afterwards."""
    account = await marta.mailbox(ADDRESS)
    await marta.command("/mailbox add")
    await view(marta, "Who will see this:* only you")
    await marta.pick("Share with", ["Kenji Morita"])
    form = await view(marta, f"Who will see this:* <@{KENJI}>")
    fields = {
        "Account name": "Work",
        "E-mail address": ADDRESS,
        "Incoming server": "localhost",
        "Port": str(account["pop"]["port"]),
        "Username": account["username"],
        "Password": account["password"],
        "How much old mail to bring": "None",
        "They may": "Open: body and attachments too",
    }
    await marta.submit(form, fields)

    said = words(await result(marta))
    assert "” is added" in said
    assert f"✓ Shared with <@{KENJI}>" in said
    await post(kenji, "shares the mailbox")


async def test_a_right_that_ends_takes_effect_by_its_event(demo: Demo, marta: Person, kenji: Person) -> None:
    """Marta becomes a guest: what she shared ends within seconds, and Kenji is told."""
    await add(marta)
    await marta.command("/mailbox share")
    await view(marta, "Who will see this:* only you")
    await marta.pick("People", ["Kenji Morita"])
    await marta.submit(await view(marta, f"<@{KENJI}>"), {})
    await view(marta, "✓ Shared with")

    await marta.change_role("U0MARTA004", "multi_channel_guest")

    await post(kenji, "no longer shared with you")
