"""Takes the pictures of README.md from the sandbox: `python docs/take_screenshots.py`. Needs Debian's chromium."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bot.sandbox.demo import Demo

if TYPE_CHECKING:
    from playwright.async_api import Page

IMAGES = Path(__file__).parent / "images"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]


async def main() -> None:
    """The form, its result, and the DM."""
    IMAGES.mkdir(exist_ok=True)
    async with Demo() as demo, async_playwright() as playwright:
        await demo.wait_connected()
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        page = await browser.new_page(viewport={"width": 1180, "height": 1500}, device_scale_factor=1.5)
        await page.goto(demo.slack.url)
        await form(page, demo)
        await mail(page)
        await browser.close()


async def form(page: Page, demo: Demo) -> None:
    """`/mailbox add`, filled in; then its result."""
    await page.get_by_label("Composer").fill("/mailbox add")
    await page.get_by_label("Composer").press("Enter")
    dialog = page.get_by_role("dialog")
    fields = {
        "Account name": "Work",
        "E-mail address": "marta@local.test",
        "Incoming server": "localhost",
        "Port": str(demo.mail.ports.pop3s),
        "Username": "marta@local.test",
        "Password": "marta-mail-password",
        "Outgoing server": "localhost",
        "Outgoing port": str(demo.mail.ports.smtps),
    }
    for label, text in fields.items():
        await dialog.get_by_label(label, exact=True).fill(text)
    await dialog.get_by_label("Account name", exact=True).focus()
    await dialog.screenshot(path=IMAGES / "form.png")
    await dialog.get_by_role("button", name="Test and add").click()
    await page.get_by_text("is added").wait_for()
    await page.get_by_role("dialog").screenshot(path=IMAGES / "result.png")
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()


async def mail(page: Page) -> None:
    """The DM, once everything is there."""
    await page.get_by_text("Invitation: Hiring review").first.wait_for(timeout=60_000)
    await page.get_by_role("button", name="Sandbox mail").click()
    await page.set_viewport_size({"width": 1000, "height": 1250})
    await page.get_by_role("heading", name="Invoice").scroll_into_view_if_needed()
    await page.mouse.move(0, 0)
    await page.screenshot(path=IMAGES / "dm.png")


if __name__ == "__main__":
    asyncio.run(main())
