"""What headless Chromium shows of pages: scripts off, every request refused but the one for the page itself."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.async_api import Error, async_playwright

from tests.fakes.chromium import QUIET

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.async_api import Page, Route

ADDRESS = "http://mail.invalid/"
PAGE_SECONDS = 20
_SHOWN = """() => [document.body ? document.body.innerText : '', (() => {
  const root = document.body ? document.body.cloneNode(true) : null;
  if (!root) return '';
  root.querySelectorAll('script,style,template,title').forEach(each => each.remove());
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) found.push(walker.currentNode.data);
  return found.join(' ');
})()]"""


@dataclass(frozen=True)
class Seen:
    """What a browser shows of a page, and all text that stands in it, hidden or not."""

    shown: str
    everything: str


def seen(pages: Iterable[str]) -> list[Seen | None]:
    """What is seen of each page; None where the browser gave up."""
    if (program := shutil.which("chromium")) is None:
        raise SystemExit("chromium is not installed; --no-browser leaves it out")
    return asyncio.run(_seen(program, list(pages)))


async def _seen(program: str, pages: list[str]) -> list[Seen | None]:
    found: list[Seen | None] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=QUIET)
        context = await browser.new_context(
            java_script_enabled=False, viewport={"width": 1280, "height": 900}
        )
        for html in pages:
            page = await context.new_page()
            found.append(await _one(page, html))
            with contextlib.suppress(Error):
                await page.close()
        await browser.close()
    return found


async def _one(page: Page, html: str) -> Seen | None:
    is_served = False

    async def answer(route: Route) -> None:
        nonlocal is_served
        if is_served or route.request.url != ADDRESS:
            await route.abort()
            return
        is_served = True
        await route.fulfill(body=html.encode("utf-8", "replace"), content_type="text/html; charset=utf-8")

    await page.route("**/*", answer)
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            await page.goto(ADDRESS, wait_until="domcontentloaded")
            shown, everything = await page.evaluate(_SHOWN)
    except (Error, TimeoutError):
        return None
    return Seen(shown, everything)
