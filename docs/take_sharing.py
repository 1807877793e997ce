"""The scene of sharing: who sees what, as each of the six roles; used by `take_walk.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from take_walker import SECONDS, Walk

from bot.sandbox.slack.people import roster

if TYPE_CHECKING:
    from playwright.async_api import Locator

WIDTH: Final = 1440
HEIGHT: Final = 2600
HOMES: Final = ("aisha", "marta", "kenji", "lucia", "owen")
"""Primary owner and owner see what an admin does: one picture stands for the three."""

_HIDE_MAIL: Final = "localStorage.setItem('mailbox-sandbox:drawer', 'false')"


async def sharing(walk: Walk) -> None:
    """Marta shares with Kenji at Open and with Owen at See; everybody looks; Aisha narrows."""
    await walk.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    await walk.add()
    await walk.leave()
    await walk.type("/mailbox share")
    await walk.says("only you")
    await _name(walk, "Kenji", "Open: body")
    await walk.press("Share")
    await walk.says("Shared with")
    await walk.leave()
    await walk.type("/mailbox share")
    await walk.says("Shared now")
    await _name(walk, "Owen", "See: sender")
    await walk.shot("share-now", walk.dialog)
    await walk.press("Share")
    await walk.dialog.get_by_role("button", name="Revoke").nth(1).wait_for(timeout=SECONDS)
    await walk.leave()
    walk.deliver("Berth list for Friday", "Berth 4 is free from noon. Please tell the pilot.")
    walk.deliver_file("14-invoice")
    await walk.post("Invoice").wait_for(timeout=SECONDS)
    walks = {name: await _visit(walk, name) for name in HOMES if name != walk.name} | {walk.name: walk}
    await _read(walks["kenji"], "share-list-open", "share-message")
    await _read(walks["owen"], "share-list-see", "")
    for name in HOMES:
        await _home(walks[name], f"home-{name}")
    await _administer(walks["aisha"])
    await _home(walks["lucia"], "home-no-right")
    for name, other in walks.items():
        if name != walk.name:
            await other.page.close()


async def _visit(walk: Walk, name: str) -> Walk:
    """Somebody else, at a page of their own."""
    people = {human.name: human.id for human in roster()}
    browser = walk.page.context.browser
    assert browser is not None, "a page that was launched has a browser"
    page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    await page.add_init_script(_HIDE_MAIL)
    await page.goto(f"{walk.demo.slack.url}?user={people[name]}")
    return Walk(page, walk.demo, name)


async def _name(walk: Walk, who: str, level: str) -> None:
    """Choose one person and what they may do."""
    box = walk.field("People")
    await box.fill(who)
    await box.press("Enter")
    await walk.block("Who will see this").filter(has_text=who).wait_for(timeout=SECONDS)
    await walk.dialog.get_by_text(level).first.click()


async def _read(walk: Walk, listed: str, message: str) -> None:
    """What others opened: the answer, the list, and a message where it may be read."""
    await walk.type("/mailbox shared")
    await walk.post("Shared with you").wait_for(timeout=SECONDS)
    if message:
        await walk.shot(f"{listed}-answer", walk.post("Shared with you"))
    await walk.post("Shared with you").get_by_role("button", name="Messages").click()
    await walk.says("Invoice")
    await walk.shot(listed, walk.dialog)
    if message:
        await walk.block("Invoice").get_by_role("button", name="Open").click()
        await walk.says("Send to direct messages")
        await walk.shot(message, walk.dialog)
    while await walk.dialog.count():
        await walk.page.keyboard.press("Escape")
        await walk.page.wait_for_timeout(300)


async def _home(walk: Walk, name: str) -> None:
    """App Home."""
    await walk.page.get_by_role("tab", name="Messages").click()
    await walk.page.get_by_role("tab", name="Home").click()
    await walk.page.wait_for_timeout(1500)  # it is drawn anew each time it is opened
    await walk.shot(name, walk.page.locator("#home .blocks").first)
    await walk.page.get_by_role("tab", name="Messages").click()


def _grant(walk: Walk, whose: str) -> Locator:
    return walk.dialog.locator(".block").filter(has_text=f"{whose}:").get_by_role("button", name="Edit").first


async def _administer(walk: Walk) -> None:
    """The overview, a grant, who is affected, the mailboxes, the audit; then guests may have none."""
    await walk.type("/mailbox admin")
    await walk.says("Grants")
    await walk.shot("admin-overview", walk.dialog)
    await _grant(walk, "Members").click()
    await walk.says("Binds the mailboxes")
    await walk.shot("admin-grant", walk.dialog)
    await walk.dialog.get_by_text("Private: nothing is shared").click()
    await walk.field("Level").wait_for(state="detached")
    await walk.press("Preview")
    await walk.says("Who is affected")
    await walk.says("shares end")
    await walk.shot("admin-preview", walk.dialog)
    await _close(walk)
    await walk.type("/mailbox admin")
    await _grant(walk, "Multi-channel guests").click()
    await walk.says("Binds the mailboxes")
    await walk.dialog.get_by_text("They may have a mailbox").click()
    await walk.press("Preview")
    await walk.says("Who is affected")
    await walk.press("Save")
    await walk.says("The grant is saved")
    await _close(walk)
    await walk.type("/mailbox admin")
    await walk.press("Mailboxes")
    await walk.says("page 1 of")
    await walk.shot("admin-mailboxes", walk.dialog)
    await _close(walk)
    await walk.type("/mailbox admin")
    await walk.press("Audit")
    await walk.says("Kept for a year")
    await walk.shot("admin-audit", walk.dialog)
    await _close(walk)


async def _close(walk: Walk) -> None:
    while await walk.page.get_by_role("dialog").count():
        await walk.page.keyboard.press("Escape")
        await walk.page.wait_for_timeout(300)
