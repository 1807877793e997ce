"""Takes the pictures of README.md and docs/tour.md from the sandbox: `python docs/take_walk.py [SCENE…]`.

Walks through the product as a person does, in Debian's chromium, and writes one picture a stop into docs/images. With
names of scenes it takes only those. Each scene has a stage of its own, so that none meets what another left.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Final

from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from take_sending import sending
from take_sharing import sharing
from take_walker import IMAGES, SECONDS, Walk

from bot.sandbox.demo import Demo
from bot.sandbox.mail.faults import Kind
from bot.sandbox.slack.people import roster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from playwright.async_api import Browser

QUIET: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
WIDTH: Final = 1000
HEIGHT: Final = 2600
"""Of the window: a whole form fits."""

SETTLED_SECONDS: Final = 8
FAILED: Final = Path(gettempdir()) / "mailbox-walk-failed.png"
HIDE_MAIL: Final = "localStorage.setItem('mailbox-sandbox:drawer', 'false')"


async def addresses(walk: Walk) -> None:
    """What an address brings into the form, before anything is sent."""
    await walk.type("/mailbox add")
    address = walk.field("E-mail address")
    await address.press_sequentially("owen@local.test", delay=20)
    await walk.says("names itself")
    await walk.shot_fields("tour-servers", "E-mail address", "Mostly the e-mail address.")
    for name, typed, awaited in (
        ("tour-app-password", "ada@yahoo.com", "wants an app password"),
        ("tour-pop-off", "ada@web.de", "asks not to be checked more"),
        ("tour-no-pop", "ada@proton.me", "has no POP"),
        ("tour-passwords-refused", "ada@outlook.com", "takes no passwords"),
        ("tour-guess", "ada@harbour-bakery.example", "only a guess"),
    ):
        await address.fill(typed)
        await walk.says(awaited)
        await walk.shot_fields(name, "E-mail address", "The POP3 server.")
    await address.fill("ada@gmail.com")
    await walk.says("once only")
    await walk.shot("tour-gmail-once", walk.block("Delete setting"))
    await walk.dialog.get_by_text("Also what other programs have fetched").click()
    await walk.says("so Mailbox deletes nothing")
    await walk.shot_fields("tour-gmail-recent", "Username", "Recent mode")
    await walk.shot("tour-gmail-recent-delete", walk.block("Delete setting"))


async def choices(walk: Walk) -> None:
    """Choices that show and hide fields."""
    await walk.type("/mailbox add")
    await walk.fill()
    await walk.dialog.get_by_text("Same user name and password").click()
    await walk.field("Outgoing username").wait_for()
    await walk.shot_fields("tour-other-credentials", "Use the same credentials", "Outgoing password")
    await walk.dialog.get_by_text("Receiving only").click()
    await walk.field("Outgoing server").wait_for(state="detached")
    await walk.shot_fields("tour-receiving-only", "Sending", "Delete setting")
    await walk.dialog.get_by_text("Delete some days after it is in Slack").click()
    await walk.field("After how many days").wait_for()
    await walk.shot_fields("tour-delete-settings", "Delete setting", "After how many days")


async def refusals(walk: Walk) -> None:
    """Results of tests that fail; the form comes back below each."""
    await walk.type("/mailbox add")
    await walk.fill({"Password": "not-this-one"})
    await walk.fail("tour-wrong-password")
    await walk.field("Password").fill("kenji-mail-password")
    for kind, name in (
        (Kind.EXPIRED_CERTIFICATE, "tour-expired-certificate"),
        (Kind.NO_UIDL, "tour-no-uidl"),
        (Kind.SLOW, "tour-slow"),
        (Kind.BUSY, "tour-busy"),
    ):
        await walk.switch(kind)
        await walk.fail(name, running="tour-testing" if kind is Kind.SLOW else "")
        await walk.switch(kind, is_on=False)
    await walk.field("Outgoing port").fill("1")
    await walk.fail("tour-outgoing-failed")


async def too_many(walk: Walk) -> None:
    """A server that is nobody's, so that tests of it are counted."""
    await walk.type("/mailbox add")
    await walk.fill({"Incoming server": "127.0.0.2", "Outgoing server": ""})
    for _ in range(4):
        await walk.fail("tour-too-many")


async def newcomer(walk: Walk) -> None:
    """From an empty Home to mail in the DM."""
    page = walk.page
    await page.get_by_role("tab", name="Home").click()
    await walk.shot("tour-home-empty", page.locator("#home .blocks").first)
    await page.get_by_role("tab", name="Messages").click()
    await walk.type("/mailbox add")
    await walk.fill()
    await walk.shot("form", walk.dialog)
    await walk.press("Test and add")
    await walk.says("” is added")
    await walk.shot("result", walk.dialog)
    await walk.leave()
    await page.get_by_text("Invitation: Hiring review").first.wait_for(timeout=SECONDS)
    await page.set_viewport_size({"width": WIDTH, "height": 1000})
    await page.get_by_role("heading", name="Invoice").scroll_into_view_if_needed()
    await walk.shot("dm", page.locator("#main"))
    await page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    await walk.type("/mailbox status")
    await walk.shot("tour-status", walk.post("All is well"))
    await walk.hold_back("views.update")
    await walk.type("/mailbox doctor")
    await walk.says("Looking into")
    await walk.shot("tour-doctor-running", walk.dialog)
    await walk.says("There is nothing new")
    await walk.shot("tour-doctor", walk.dialog)
    await walk.leave()
    await walk.type("/mailbox help")
    await walk.shot("tour-help", walk.post("With several mailboxes"))
    await walk.type("Hello, can you forward this to Ada?")
    await walk.shot("tour-typed", walk.post("can you forward this"), walk.post("goes to nobody"))


async def old_mail(walk: Walk) -> None:
    """Old mail: its count and estimate, the post that tells how far it is, and Stop."""
    for number in range(1, 61):
        walk.deliver(f"Berth list {number}")
    await walk.type("/mailbox add")
    await walk.fill({"Password": "not-this-one"})
    await walk.choose("All")
    await walk.press("Test and add")
    await walk.says("refused the user name")
    await walk.field("Password").fill(f"{walk.name}-mail-password")
    await walk.press("Test and add")
    await walk.says("Bringing all of them")
    await walk.shot("tour-old-mail-added", walk.dialog)
    await walk.leave()
    await walk.page.get_by_text("older messages of “Work”").first.wait_for(timeout=SECONDS)
    await walk.page.get_by_text("replies").first.wait_for(timeout=SECONDS)
    await walk.shot("tour-old-mail", walk.post("older messages of “Work”"))
    await walk.page.get_by_role("button", name="Stop", exact=True).click()
    await walk.page.get_by_text("Stopped:").first.wait_for(timeout=SECONDS)
    await asyncio.sleep(SETTLED_SECONDS)  # what was on its way is counted as well
    await walk.shot("tour-old-mail-stopped", walk.post("Stopped:"))


async def password(walk: Walk) -> None:
    """A password that is changed elsewhere: one notice, the form, the report of what was caught up."""
    await walk.add()
    await walk.leave()
    walk.drop.change_password("a-new-password")
    for number in (1, 2, 3):
        walk.deliver(f"While the password was wrong, {number}")
    await walk.page.get_by_text("has stopped trying").first.wait_for(timeout=SECONDS)
    await walk.shot("tour-password-notice", walk.post("has stopped trying"))
    await walk.page.get_by_role("button", name="Fix password").last.click()
    await walk.field("New password").fill("a-new-password")
    await walk.shot("tour-password-form", walk.dialog)
    await walk.press("Test and save")
    await walk.says("works and is saved")
    await walk.shot("tour-password-saved", walk.dialog)
    await walk.leave()
    await walk.shot("tour-caught-up", walk.post("✓ “Work” works again"))


async def new_uids(walk: Walk) -> None:
    """Nearly all UIDs look new: the bot stops and asks."""
    for number in range(1, 31):
        walk.deliver(f"Crate {number}")
    await walk.add()
    await walk.leave()
    await walk.switch(Kind.NEW_UIDS)
    await walk.page.get_by_text("suddenly looks new").first.wait_for(timeout=SECONDS)
    await walk.shot("tour-uids", walk.post("suddenly looks new"))
    await walk.page.get_by_role("button", name="I have seen these").click()
    await walk.page.get_by_text("count as seen").first.wait_for(timeout=SECONDS)


async def trouble_and_leaving(walk: Walk) -> None:
    """A server that is away: one notice, one all-clear. Then export, remove, erase."""
    await walk.add()
    await walk.leave()
    await walk.switch(Kind.UNREACHABLE)
    await walk.page.get_by_text("has not answered for a while").first.wait_for(timeout=SECONDS)
    await walk.shot("tour-notice", walk.post("has not answered for a while"))
    walk.deliver("Sent while the server was away")
    await walk.demo.mail.heal()
    await walk.shot("tour-all-clear", walk.post("✓ “Work” works again"))
    await walk.type("/mailbox export")
    await walk.page.get_by_text("Your data is in").first.wait_for(timeout=SECONDS)
    await walk.shot("tour-export", walk.post("mailbox-export"), walk.post("Your data is in"))
    await walk.type("/mailbox remove")
    await walk.says("What goes, for good")
    await walk.shot("tour-remove", walk.dialog)
    await walk.press("Remove")
    await walk.says("is removed")
    await walk.shot("tour-removed", walk.dialog)
    await walk.leave()
    await walk.add(name="Second")
    await walk.leave()
    await walk.type("/mailbox erase")
    await walk.dialog.get_by_label("to confirm").fill("erase")
    await walk.shot("tour-erase", walk.dialog)
    await walk.press("Erase everything")
    await walk.says("is erased")
    await walk.shot("tour-erased", walk.dialog)


async def reading(walk: Walk) -> None:
    """What can be done with mail: all of a text, the header, the menu, muting, what is not done, a conversation."""
    page = walk.page
    await walk.add()
    await walk.leave()
    walk.deliver_file("11-emoji")
    await walk.more("Two years at the harbour")
    await walk.shot("tour-menu", walk.post("Two years at the harbour"), page.get_by_role("menu"))
    await page.get_by_role("menuitem", name="Headers").click()
    await walk.says("Message-ID")
    await walk.shot("tour-headers", walk.dialog)
    await walk.leave()
    walk.deliver_file("12-long")
    await walk.post("Log of the winter").get_by_role("button", name="Show all").click(timeout=SECONDS)
    await walk.says("The whole log follows")
    await page.set_viewport_size({"width": WIDTH, "height": 700})
    await walk.shot("tour-show-all", walk.dialog)
    await page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    await walk.leave()
    walk.deliver_file("13-newsletter")
    await walk.more("The Lighthouse Letter")
    await page.get_by_role("menuitem", name="Mute sender").click()
    await page.get_by_text("stays out of Slack").first.wait_for(timeout=SECONDS)
    walk.deliver_file("13-newsletter")
    await _conversation(walk)
    await walk.type("/mailbox rules")
    await walk.says("Muted mail")
    await walk.shot("tour-muted", walk.dialog)
    await walk.leave()
    await walk.type("/mailbox status")
    await page.get_by_role("button", name="Not done").last.click()
    await walk.says("Lunch on Thursday")
    await walk.shot("tour-not-done", walk.dialog)
    await walk.leave()


async def _conversation(walk: Walk) -> None:
    """Two mails that answer each other, in one thread."""
    note, answer = (f"<{name}@harbour.example>" for name in ("note", "answer"))
    walk.deliver("Lunch on Thursday?", "Shall I take the table by the window?", f"Message-ID: {note}\r\n")
    await walk.post("by the window").wait_for(timeout=SECONDS)
    head = f"Message-ID: {answer}\r\nIn-Reply-To: {note}\r\n"
    walk.deliver("Re: Lunch on Thursday?", "It is taken, at 12:30. Kenji comes too.", head)
    await walk.post("Kenji comes too").wait_for(timeout=SECONDS)
    await walk.page.get_by_role("button", name="1 reply").last.click()
    await walk.shot("tour-thread", walk.page.locator("#thread .timeline"))
    await walk.page.get_by_role("button", name="Leave the thread").click()


async def digest(walk: Walk) -> None:
    """Many messages as one post, and when messages come."""
    await walk.type("/mailbox add")
    await walk.fill()
    await walk.field("How messages come").select_option(label="One digest a day")
    await walk.field("Daily digest at").wait_for()
    await walk.shot_fields("tour-delivery", "How messages come", "Quiet hours from")
    await walk.leave()
    await walk.add()
    await walk.leave()
    for number in range(1, 25):
        walk.deliver(f"Berth list {number}")
    await walk.page.get_by_text("24 replies").first.wait_for(timeout=SECONDS)
    await walk.shot("tour-digest", walk.post("new messages in"))


SCENES: Final[dict[str, tuple[str, Callable[[Walk], Awaitable[None]]]]] = {
    "addresses": ("owen", addresses),
    "choices": ("owen", choices),
    "refusals": ("kenji", refusals),
    "too_many": ("owen", too_many),
    "newcomer": ("marta", newcomer),
    "old_mail": ("ines", old_mail),
    "password": ("aisha", password),
    "new_uids": ("tomasz", new_uids),
    "reading": ("kenji", reading),
    "digest": ("owen", digest),
    "trouble_and_leaving": ("lucia", trouble_and_leaving),
    "sharing": ("marta", sharing),
    "sending": ("lucia", sending),
}
"""Who walks each."""


@asynccontextmanager
async def at_the_page(browser: Browser, demo: Demo, name: str) -> AsyncIterator[Walk]:
    """A person at a page of their own; where the walk fails, a picture shows why."""
    people = {human.name: human.id for human in roster()}
    page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    await page.add_init_script(HIDE_MAIL)
    await page.goto(f"{demo.slack.url}?user={people[name]}")
    try:
        yield Walk(page, demo, name)
    except BaseException:
        await page.screenshot(path=FAILED)
        sys.stderr.write(f"{FAILED} shows where the walk ended; the bot said last:\n{demo.bot.tail()}\n")
        raise
    finally:
        await page.close()


async def main(wanted: list[str]) -> None:
    """Every scene, or those that are named."""
    IMAGES.mkdir(exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        for name in wanted or SCENES:
            who, scene = SCENES[name]
            async with Demo() as demo:
                await demo.wait_connected()
                async with at_the_page(browser, demo, who) as walk:
                    await scene(walk)
            sys.stdout.write(f"{name}\n")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
