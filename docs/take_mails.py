"""Takes a picture of each telling mail as it looks in Slack: `python docs/take_mails.py [--sheet FILE] [--docs] [NAME…]`.

Delivers the mails of tests/data/telling to one person of the sandbox and writes one picture a post, and one of the thread
where files stand in it, into a folder; with `--sheet` all of them on one page besides, with `--docs` those of docs/mail.md
into docs/images. With parts of names it takes only those mails.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from pathlib import Path
from shutil import copyfile
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, Final

from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from take_walk import QUIET, at_the_page
from take_walker import IMAGES, MAILS

from bot.sandbox.demo import Demo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.async_api import Browser, Locator
    from take_walker import Walk

FOLDER: Final = Path(gettempdir()) / "mailbox-mails"
IN_DOCS: Final = (
    "reply-with-history", "interleaved-answers", "newsletter", "invoice", "arabic", "link-names-another-domain",
    "attachments", "dangerous-attachments", "invitation-changed", "bounce-failed", "dmarc-fail", "too-large",
)  # fmt: skip
"""Those that docs/mail.md shows."""

READER: Final = "marta"
TOGETHER: Final = 8
"""So many mails come at once; more would come as one post."""

LARGE: Final = "too-large"
LARGE_OCTETS: Final = 26 * 1024 * 1024
SECONDS: Final = 90
LOOK_SECONDS: Final = 0.2
SETTLED_SECONDS: Final = 4
SHEET_WIDTH: Final = 2400
COLUMN_WIDTH: Final = 580


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture and what it shows."""

    title: str
    file: Path


async def _posts(walk: Walk) -> list[dict[str, Any]]:
    """Posts and replies that stand among them, the oldest first."""
    answer = await walk.page.evaluate(
        "user => fetch(`sandbox/api/state?user=${user}`).then(answer => answer.json())",
        walk.page.url.partition("user=")[2],
    )
    found = list(answer["posts"])
    found += [
        reply for post in answer["posts"] for reply in post.get("replies", []) if reply.get("is_broadcast")
    ]
    return sorted(found, key=lambda post: float(post["ts"]))


async def _arrived(walk: Walk, before: int, count: int) -> list[str]:
    """The new posts' `ts`, once they are all there and no more files come."""
    async with asyncio.timeout(SECONDS):
        while len(found := await _posts(walk)) < before + count:  # noqa: ASYNC110 - a page is looked at, it calls nobody
            await asyncio.sleep(LOOK_SECONDS)
        return [post["ts"] for post in found[before:]]


def _deliver(walk: Walk, file: Path) -> None:
    octets = file.read_bytes()
    if LARGE in file.name:
        octets += b"\n" * (LARGE_OCTETS - len(octets))
    walk.demo.mail.deliver(walk.address, octets)


async def _thread(walk: Walk, ts: str, file: Path) -> bool:
    """A picture of what stands in the thread of a post; False when nothing does."""
    link = walk.page.locator(f"#main article[data-ts='{ts}'] .thread-link")
    if not await link.count():
        return False
    await link.first.click()
    replies = walk.page.locator("#thread .reply-count ~ *")
    await replies.first.wait_for()
    await _shot(walk, replies.first, replies.last, file)
    await walk.page.get_by_role("button", name="Leave the thread").click()
    return True


async def _shot(walk: Walk, first: Locator, last: Locator, file: Path) -> None:
    await walk.shot(str(file.with_suffix("").resolve()), first, last)


async def _batch(walk: Walk, files: Sequence[Path], into: Path) -> list[Taken]:
    """Some mails at once, and their pictures."""
    before = len(await _posts(walk))
    for file in files:
        _deliver(walk, file)
    stamps = await _arrived(walk, before, len(files))
    await asyncio.sleep(SETTLED_SECONDS)  # files follow their post
    taken: list[Taken] = []
    for file, ts in zip(files, stamps, strict=True):
        picture = into / f"{file.stem}.png"
        post = walk.page.locator(f"#main article[data-ts='{ts}']")
        await _shot(walk, post, post, picture)
        taken.append(Taken(file.stem, picture))
        replies = into / f"{file.stem}-thread.png"
        if await _thread(walk, ts, replies):
            taken.append(Taken(f"{file.stem}, thread", replies))
    return taken


async def _sheet(browser: Browser, taken: Sequence[Taken], file: Path) -> None:
    """All pictures on one page, in columns."""
    page = await browser.new_page(viewport={"width": SHEET_WIDTH, "height": 1000})
    figures = "".join(
        f"<figure><figcaption>{escape(each.title)}</figcaption><img src='data:image/png;base64,{_packed(each.file)}'></figure>"
        for each in taken
    )
    style = f"body{{columns:{COLUMN_WIDTH}px;margin:16px;font:14px sans-serif;background:#ddd}}figure{{margin:0 0 16px;break-inside:avoid}}img{{width:100%}}"
    await page.set_content(f"<!doctype html><style>{style}</style>{figures}")
    await page.screenshot(path=file, full_page=True)
    await page.close()


def _packed(file: Path) -> str:
    return b64encode(file.read_bytes()).decode("ascii")


def _wanted(names: Sequence[str]) -> list[Path]:
    found = sorted(MAILS.glob("*.eml"))
    return [file for file in found if not names or any(name in file.stem for name in names)]


async def main(names: Sequence[str], into: Path, sheet: Path | None) -> None:
    """Delivers the mails whose file names hold one of `names`, or all, and takes the pictures."""
    files = _wanted(names)
    async with Demo() as demo, async_playwright() as playwright:
        await demo.wait_connected()
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        taken: list[Taken] = []
        async with at_the_page(browser, demo, READER) as walk:
            await walk.add()
            await walk.leave()
            for at in range(0, len(files), TOGETHER):
                taken += await _batch(walk, files[at : at + TOGETHER], into)
                sys.stdout.write(f"{len(taken)} pictures\n")
                sys.stdout.flush()
        if sheet is not None:
            await _sheet(browser, taken, sheet)
        await browser.close()


def _keep(pictures: Path) -> None:
    for name in IN_DOCS:
        for file in pictures.glob(f"??-{name}.png"):
            copyfile(file, IMAGES / f"mail-{name}.png")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Pictures of telling mails as they look in Slack.")
    parser.add_argument("names", nargs="*", help="parts of file names in tests/data/telling")
    parser.add_argument("--sheet", type=Path, help="one picture of them all")
    parser.add_argument("--docs", action="store_true", help="put those of docs/mail.md into docs/images too")
    parser.add_argument("--into", type=Path, default=FOLDER, help="where the pictures go")
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    given.into.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(given.names, given.into, given.sheet))
    if given.docs:
        _keep(given.into)
