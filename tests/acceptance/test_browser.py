"""The path of a newcomer, clicked in Debian's Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.fakes.chromium import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page

    from bot.sandbox.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
async def page(demo: Demo) -> AsyncIterator[Page]:
    """The sandbox's page as Marta first sees it; any error in its console fails the test."""
    async with opened(demo.slack.url) as page:
        yield page


async def type_command(page: Page, text: str) -> None:
    """Type into the message field and send."""
    composer = page.get_by_label("Composer")
    await composer.fill(text)
    await composer.press("Enter")


async def fill_in(page: Page, demo: Demo, password: str) -> None:
    """Fill in the add form as the sandbox's notes say."""
    form = page.get_by_role("dialog")
    for label, text in {
        "Account name": "Work",
        "E-mail address": "marta@local.test",
        "Incoming server": "localhost",
        "Port": str(demo.mail.ports.pop3s),
        "Username": "marta@local.test",
        "Password": password,
        "Outgoing server": "localhost",
        "Outgoing port": str(demo.mail.ports.smtps),
    }.items():
        await form.get_by_label(label, exact=True).fill(text)
    await form.get_by_role("button", name="Test and add").click()


async def test_a_newcomer_adds_a_mailbox_and_reads_mail(page: Page, demo: Demo, tmp_path: Path) -> None:
    """A wrong password is explained and loses nothing typed; the right one brings the mail, once."""
    await type_command(page, "/mailbox add")
    await fill_in(page, demo, "wrong")
    form = page.get_by_role("dialog")
    await expect(form).to_contain_text("refused the user name or the password")
    await expect(form.get_by_label("Incoming server", exact=True)).to_have_value("localhost")
    await expect(form.get_by_label("Password", exact=True)).to_have_value("")

    await form.get_by_label("Password", exact=True).fill("marta-mail-password")
    await form.get_by_role("button", name="Test and add").click()
    await expect(page.get_by_role("dialog")).to_contain_text("” is added")
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()

    await expect(page.get_by_text("Invitation: Hiring review").first).to_be_visible(timeout=40_000)
    await expect(page.get_by_role("heading", name="Key for Thursday")).to_have_count(1)


async def test_ways_lead_to_the_form_and_it_fills_itself_in(page: Page) -> None:
    """Home has a button, a mistyped word is named back, and a known provider's address brings both servers."""
    form = page.get_by_role("dialog")
    await page.get_by_role("tab", name="Home").click()
    await page.get_by_role("button", name="Add mailbox").first.click()
    await expect(form).to_contain_text("Account name")
    await form.get_by_role("button", name="Dismiss").click()

    await page.get_by_role("tab", name="Messages").click()
    await type_command(page, "/mailbox ad")
    await expect(page.get_by_text("Only visible to you").first).to_be_visible(timeout=30_000)
    await expect(page.get_by_text("/mailbox add").first).to_be_visible()

    await type_command(page, "/mailbox add")
    await form.get_by_label("E-mail address", exact=True).press_sequentially("ada@gmail.com", delay=20)
    server = form.get_by_label("Incoming server", exact=True)
    await expect(server).to_have_value("pop.gmail.com")
    await expect(form.get_by_label("Outgoing server", exact=True)).to_have_value("smtp.gmail.com")
    await expect(form).to_contain_text("app password")
