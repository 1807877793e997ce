"""One person at the sandbox's page, in Debian's chromium: types, presses, waits, and takes pictures.

Used by `take_walk.py`; knows forms and posts by their words alone, as a person does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.sandbox.mail.faults import MAILDROP_KINDS, Kind, Switch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import FloatRect, Locator, Page

    from bot.sandbox.demo import Demo
    from bot.sandbox.mail.maildrops import Maildrop

MAILS: Final = Path(__file__).resolve().parent.parent / "tests" / "data" / "telling"
"""One of each kind of mail; `take_mails.py` takes a picture of each."""

IMAGES: Final = Path(__file__).parent / "images"
EDGE: Final = 12
"""What is left around a part of a form, in pixels."""

SLOW_SECONDS: Final = 5.0
SECONDS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Walk:
    """One person at the page."""

    page: Page
    demo: Demo
    name: str

    @property
    def address(self) -> str:
        """The person's mail address."""
        return f"{self.name}@local.test"

    @property
    def drop(self) -> Maildrop:
        """The person's maildrop."""
        return next(drop for drop in self.demo.mail.drops if drop.account.address == self.address)

    @property
    def dialog(self) -> Locator:
        """The modal in front."""
        return self.page.get_by_role("dialog").last

    async def type(self, text: str) -> None:
        """Type into the message field and send."""
        composer = self.page.get_by_label("Composer", exact=True)
        await composer.fill(text)
        await composer.press("Enter")

    def field(self, label: str) -> Locator:
        """A field of the form."""
        return self.dialog.get_by_label(label, exact=True)

    async def fill(self, changed: Mapping[str, str] | None = None) -> None:
        """Fill in the add form with the person's account, but for what is `changed`, by labels."""
        ports = self.demo.mail.ports
        account = {
            "Account name": "Work",
            "E-mail address": self.address,
            "Incoming server": "localhost",
            "Port": str(ports.pop3s),
            "Username": self.address,
            "Password": f"{self.name}-mail-password",
            "Outgoing server": "localhost",
            "Outgoing port": str(ports.smtps),
        }
        for label, text in (account | dict(changed or {})).items():
            await self.field(label).fill(text)

    async def press(self, label: str) -> None:
        """Press a button of the modal."""
        await self.dialog.get_by_role("button", name=label, exact=True).click()

    async def choose(self, old_mail: str) -> None:
        """Say how much old mail is to come."""
        choice = self.dialog.get_by_role("radiogroup", name="How much old mail to bring")
        await choice.get_by_text(old_mail, exact=True).click()

    async def add(self, old_mail: str = "None", name: str = "Work") -> None:
        """Add the person's mailbox and see the result."""
        await self.type("/mailbox add")
        await self.fill({"Account name": name})
        await self.choose(old_mail)
        await self.press("Test and add")
        await self.says(f"“{name}” is added")

    async def fail(self, name: str, *, running: str = "") -> None:
        """Send the form and see the report above the form that comes back; a slow test is seen `running` as well."""
        await self.press("Test and add")
        await self.says("Testing")
        if running:
            await self.shot(running, self.dialog)
        await self.field("Account name").wait_for(timeout=SECONDS)
        await self.shot(name, self.dialog.locator(".block").first, self.block("Account name"))

    async def says(self, text: str) -> None:
        """Wait until the modal says something."""
        await self.dialog.get_by_text(text).first.wait_for(timeout=SECONDS)

    def post(self, text: str) -> Locator:
        """The newest post or answer that says something."""
        return self.page.locator("article").filter(has_text=text).last

    async def shot(self, name: str, first: Locator, last: Locator | None = None) -> None:
        """A picture of the page from one part to another; round parts of a form some of the form is left."""
        await first.wait_for(timeout=SECONDS)
        # Not Playwright's own scrolling, which waits for a node to rest: a post that counts along is drawn anew meanwhile.
        await (last or first).evaluate("node => node.scrollIntoView({block: 'nearest'})")
        await self.page.mouse.move(0, 0)
        await self.page.evaluate("document.activeElement?.blur()")
        clip = _around(await _box(first), await _box(last or first))
        if "block" in (await first.get_attribute("class") or ""):
            clip = _widened(clip, EDGE)
        await self.page.screenshot(path=IMAGES / f"{name}.png", clip=clip, animations="disabled")

    async def shot_fields(self, name: str, first: str, last: str) -> None:
        """A picture of a part of a form, from one label or text to another."""
        await self.shot(name, self.block(first), self.dialog.locator(".block").filter(has_text=last).last)

    def block(self, text: str) -> Locator:
        """The first block of the modal that holds a text."""
        return self.dialog.locator(".block").filter(has_text=text).first

    async def leave(self) -> None:
        """Close the modal, without the window's own animation in the next picture."""
        await self.page.keyboard.press("Escape")
        await self.page.get_by_role("dialog").wait_for(state="detached")

    async def switch(self, kind: Kind, *, is_on: bool = True) -> None:
        """Let the mail server, or this person's maildrop, misbehave or not."""
        address = self.address if kind in MAILDROP_KINDS else ""
        seconds = SLOW_SECONDS if kind is Kind.SLOW and is_on else 0.0
        await self.demo.mail.switch(Switch(kind, is_on=is_on, address=address, seconds=seconds))

    async def hold_back(self, method: str) -> None:
        """Slack puts the next call of a method off, so that what it replaces can be seen."""
        fault = {"method": method, "kind": "rate_limited", "seconds": 3, "count": 1}
        await self.page.request.post(f"{self.demo.slack.url}/sandbox/api/faults", data={"faults": [fault]})

    def deliver(self, subject: str, words: str = "Good morning.", more: str = "") -> None:
        """A mail arrives, with `more` header fields."""
        head = f"From: Ada Example <ada@elsewhere.example>\r\nTo: {self.address}\r\nSubject: {subject}\r\n"
        head += f"Date: {format_datetime(datetime.now(UTC))}\r\n"
        self.demo.mail.deliver(self.address, f"{head}{more}\r\n{words}\r\n".encode())

    def deliver_file(self, name: str) -> None:
        """One of the telling mails arrives."""
        octets = (MAILS / f"{name}.eml").read_bytes()
        self.demo.mail.deliver(self.address, octets.replace(b"marta@local.test", self.address.encode()))

    def row(self, text: str) -> Locator:
        """The row of actions of the newest post that says something."""
        return self.post(text).get_by_role("group").last

    async def more(self, text: str) -> None:
        """Open the menu of the newest post that says something."""
        await self.row(text).get_by_role("button", name="More actions").click(timeout=SECONDS)
        await self.page.get_by_role("menu").wait_for()


async def _box(place: Locator) -> FloatRect:
    box = await place.bounding_box()
    assert box is not None, "what is photographed is on the page"
    return box


def _around(one: FloatRect, other: FloatRect) -> FloatRect:
    """What holds both."""
    x, y = min(one["x"], other["x"]), min(one["y"], other["y"])
    right = max(one["x"] + one["width"], other["x"] + other["width"])
    end = max(one["y"] + one["height"], other["y"] + other["height"])
    return {"x": x, "y": y, "width": right - x, "height": end - y}


def _widened(box: FloatRect, edge: float) -> FloatRect:
    return {
        "x": box["x"] - edge,
        "y": box["y"] - edge,
        "width": box["width"] + 2 * edge,
        "height": box["height"] + 2 * edge,
    }
