"""What a person does with the mail server's part of the page, in Debian's Chromium."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from bot.sandbox.mail.faults import Kind, Switch
from tests.fakes.chromium import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from bot.sandbox.mail.servers import MailServers
    from bot.sandbox.server import RunningSandbox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(60)]

ADA, BO = "ada@local.test", "bo@local.test"


@pytest.fixture
async def window(sandbox: RunningSandbox) -> AsyncIterator[Page]:
    """The page, with the switches in sight."""
    async with opened(sandbox.url) as page:
        await page.get_by_role("button", name="Make it misbehave all is well").click()
        yield page


async def test_a_fault_is_switched_by_keyboard_and_told_until_it_is_healed(
    window: Page, servers: MailServers
) -> None:
    """The blank key switches, the top of the part says what is wrong, and one press of Enter heals all of it."""
    drop = servers.drops.get(ADA)
    assert drop is not None

    await window.get_by_role("switch", name="In use").press("Space")
    await expect(window.get_by_text("Wrong on purpose: In use (ada)")).to_be_visible()
    was_busy = drop.faults.has(Kind.BUSY)
    await window.get_by_role("button", name="Heal it all").press("Enter")
    await expect(window.get_by_role("switch", name="In use")).not_to_be_checked()

    assert was_busy
    assert not drop.faults.on
    await expect(window.get_by_role("button", name="Make it misbehave all is well")).to_be_focused()


async def test_each_maildrop_has_switches_of_its_own(window: Page) -> None:
    """What is on for one is not shown for the other; what befalls the server is shown for both."""
    refused, slow = (window.get_by_role("switch", name=name) for name in ("Password refused", "Slow"))
    await refused.check()
    await window.get_by_label("Slow: seconds").fill("2")
    await slow.check()
    await expect(window.get_by_text("Password refused (ada)")).to_be_visible()

    await window.get_by_label("Whose").select_option(BO)

    await expect(refused).not_to_be_checked()
    await expect(slow).to_be_checked()
    await expect(window.get_by_text("Slow (2 s)")).to_be_visible()
    await window.get_by_label("Whose").select_option(ADA)
    await expect(refused).to_be_checked()


async def test_the_page_shows_what_others_switched(window: Page, servers: MailServers) -> None:
    """A fault ordered by a test or in another window comes to light by itself, also on the way to the mail server."""
    await servers.switch(Switch(Kind.UNREACHABLE, is_on=True))

    await expect(window.get_by_role("switch", name="Not reachable")).to_be_checked(timeout=15_000)
    await expect(window.get_by_role("button", name="Sandbox mail 1 fault is on")).to_be_visible()


async def test_seconds_that_make_no_sense_are_refused_in_words(window: Page, servers: MailServers) -> None:
    """The switch stays off and the page says why."""
    await window.get_by_label("Slow: seconds").fill("0")
    await window.get_by_role("switch", name="Slow").press("Space")

    await expect(window.get_by_text("seconds are a number above 0")).to_be_visible()
    await expect(window.get_by_role("switch", name="Slow")).not_to_be_checked()
    assert not servers.faults.on


async def test_mail_is_put_in_and_answered_from_outside(window: Page, servers: MailServers) -> None:
    """So many into the maildrop chosen above; what went outside is shown, and a correspondent's answer lies with its sender."""
    letter = b"From: Ada <ada@local.test>\r\nSubject: Tea\r\nMessage-ID: <1@local.test>\r\n\r\nAt four?\r\n"
    servers.outside.take(
        ADA, ADA, ["zoe@elsewhere.example", "max@elsewhere.example"], letter, datetime.now(UTC)
    )
    await window.get_by_label("Deliver to").select_option(BO)
    await window.get_by_label("Many at once").fill("25")

    await window.get_by_role("button", name="Put them in").click()

    await expect(window.get_by_text(f"25 mails lie in {BO}")).to_be_visible()
    await window.get_by_role("button", name="Tea zoe@elsewhere.example").click()
    await expect(window.get_by_role("region", name="Text of Tea")).to_have_text("At four?")
    await window.get_by_label("Answer as", exact=True).select_option("max@elsewhere.example")
    await window.get_by_label("What they write").fill("Five is better.")
    await window.get_by_role("button", name="Answer as max@elsewhere.example").click()
    await expect(window.get_by_text("“Re: Tea” is delivered")).to_be_visible()

    assert {drop.account.address: len(drop.mails) for drop in servers.drops} == {ADA: 1, BO: 25}
    answer = servers.drops.get(ADA).mails[0].octets  # type: ignore[union-attr]
    assert b"\r\nIn-Reply-To: <1@local.test>\r\n" in answer
    assert b"Five is better.\r\n" in answer
