"""The choices of the forms that show and hide others, and old mail in its thread, clicked in Debian's Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.acceptance.test_browser import type_command
from tests.fakes.chromium import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Locator, Page

    from bot.sandbox.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

OLD = 40
MARTA = "marta@local.test"


@pytest.fixture
async def page(demo: Demo) -> AsyncIterator[Page]:
    """The sandbox's page as Marta first sees it; any error in its console fails the test."""
    async with opened(demo.slack.url) as page:
        yield page


async def opened_form(page: Page, demo: Demo) -> Locator:
    """The add form, filled in but for what is sent."""
    await type_command(page, "/mailbox add")
    form = page.get_by_role("dialog")
    for label, text in {
        "Account name": "Work",
        "E-mail address": MARTA,
        "Incoming server": "localhost",
        "Port": str(demo.mail.ports.pop3s),
        "Username": MARTA,
        "Password": "marta-mail-password",
        "Outgoing server": "localhost",
        "Outgoing port": str(demo.mail.ports.smtps),
    }.items():
        await form.get_by_label(label, exact=True).fill(text)
    return form


async def send(page: Page, button: str = "Test and add") -> Locator:
    """Send the form; the view that comes of it."""
    await page.get_by_role("dialog").get_by_role("button", name=button).click()
    return page.get_by_role("dialog")


async def test_choices_show_and_hide_fields_and_lose_nothing_typed(page: Page, demo: Demo) -> None:
    """Another outgoing login, receiving only, days: each asks for what belongs to it and for no more."""
    form = await opened_form(page, demo)
    login, server = (
        form.get_by_label("Outgoing username", exact=True),
        form.get_by_label("Outgoing server", exact=True),
    )
    await expect(login).to_have_count(0)

    await form.get_by_text("Same user name and password").click()
    await expect(login).to_be_visible()
    await form.get_by_text("Receiving only").click()
    await expect(server).to_have_count(0)
    await form.get_by_text("Delete some days after").click()
    await expect(form.get_by_label("After how many days", exact=True)).to_have_value("30")

    await expect(form.get_by_label("Incoming server", exact=True)).to_have_value("localhost")
    await expect(form.get_by_label("Password", exact=True)).to_have_value("marta-mail-password")
    result = await send(page)
    await expect(result).to_contain_text("It only receives")
    await expect(result).to_contain_text("30 days after it is in Slack")


async def test_gmail_is_offered_recent_mode(page: Page) -> None:
    """One tick changes the user name and says why nothing is deleted; off again restores it."""
    await type_command(page, "/mailbox add ada@gmail.com")
    form = page.get_by_role("dialog")
    username = form.get_by_label("Username", exact=True)
    await expect(form).to_contain_text("shows a message to mail programs once only")

    await form.get_by_text("Also what other programs have fetched").click()
    await expect(username).to_have_value("recent:ada@gmail.com")
    await expect(form).to_contain_text("so Mailbox deletes nothing")
    await form.get_by_text("Also what other programs have fetched").click()

    await expect(username).to_have_value("ada@gmail.com")


async def test_old_mail_comes_in_a_thread_that_can_be_stopped(page: Page, demo: Demo) -> None:
    """One post tells how far it is; after Stop it says so and no more comes."""
    for number in range(OLD):
        demo.mail.deliver(MARTA, f"From: a@b.example\r\nSubject: Old {number}\r\n\r\nHello.\r\n".encode())
    form = await opened_form(page, demo)
    await form.get_by_text("All", exact=True).click()
    result = await send(page)
    await expect(result).to_contain_text("Bringing all of them takes about a minute")
    await result.get_by_role("button", name="Close").click()

    progress = page.get_by_text("older messages of “Work”").first
    await expect(progress).to_be_visible(timeout=20_000)
    await expect(page.get_by_text("replies").first).to_be_visible(timeout=20_000)
    await page.get_by_role("button", name="Stop", exact=True).click()

    await expect(page.get_by_text("Stopped:").first).to_be_visible(timeout=20_000)
    await expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    await expect(page.get_by_role("heading", name="Old 1")).to_have_count(0)


async def test_the_outgoing_password_is_changed_by_itself(page: Page, demo: Demo) -> None:
    """A wrong one is not stored and says why; the right one is, and the incoming server is not asked."""
    form = await opened_form(page, demo)
    await form.get_by_text("Same user name and password").click()
    await form.get_by_label("Outgoing username", exact=True).fill("kenji@local.test")
    await form.get_by_label("Outgoing password", exact=True).fill("kenji-mail-password")
    await expect(await send(page)).to_contain_text("” is added")
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()
    kenji = next(drop for drop in demo.mail.drops if drop.account.address == "kenji@local.test")
    kenji.change_password("another")

    await type_command(page, "/mailbox password")
    form = page.get_by_role("dialog")
    await form.get_by_label("New outgoing password", exact=True).fill("wrong")
    form = await send(page, "Test and save")
    await expect(form).to_contain_text("The stored password was not changed")
    await form.get_by_label("New outgoing password", exact=True).fill("another")
    result = await send(page, "Test and save")

    await expect(result).to_contain_text("works and is saved")
    await expect(result).to_contain_text("Outgoing server")
    await expect(result).not_to_contain_text("Incoming server")
