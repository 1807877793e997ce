"""The scene of sending: answers, what comes of them, and an answer to an answer; used by `take_walk.py`."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import format_datetime
from typing import Final

from take_walker import MAILS, SECONDS, Walk

from bot.sandbox.mail.faults import Kind

WIDTH: Final = 1100
HEIGHT: Final = 2600
PEOPLE: Final = "Ana Caldeira <ana@elsewhere.example>"
FRIDAY: Final = (
    "the kitchen is ours on Friday from six. So far we have bread and soup.\r\n\r\n"
    "What is missing: something to drink, plates for nine, and a lamp for the yard.\r\n\r\nAna"
)


async def sending(walk: Walk) -> None:
    """Lucia answers, is refused, is left without an answer, mends a password and accepts an invitation."""
    await walk.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    await walk.add()
    await walk.leave()
    await _settings(walk)
    await _answer(walk)
    await _refused(walk)
    await _unanswered(walk)
    await _repaired(walk)
    await _invited(walk)


async def _settings(walk: Walk) -> None:
    await walk.type("/mailbox list")
    await walk.post("All is well").get_by_role("button", name="Sending").click()
    await walk.says("Signature")
    await walk.field("Signature").fill("Lucía Ferrer\nHarbour Bakery, office")
    await walk.shot("send-settings", walk.dialog)
    await walk.press("Save")
    await walk.says("Saved")
    await walk.leave()


async def _answer(walk: Walk) -> None:
    """The form of an answer to all, what follows, and the answer to it in the same thread."""
    _friday(walk, "Who brings what on Friday?")
    await walk.post("plates for nine").wait_for(timeout=SECONDS)
    await walk.shot("send-row", walk.post("plates for nine"))
    await walk.post("plates for nine").get_by_role("button", name="Reply all").click()
    await walk.says("recipients.")
    await _write(walk, "I bring the lamp, and elderflower juice for everybody.")
    await walk.shot("send-form", walk.dialog)
    await walk.press("Send")
    await walk.says("It will be sent in")
    await walk.shot("send-saved", walk.dialog)
    await walk.leave()
    await _thread(walk, "plates for nine")
    await (
        walk.page.locator("#thread article")
        .filter(has_text=re.compile("Sent (Today|today|at)"))
        .wait_for(timeout=SECONDS)
    )
    source = next(
        mail for mail in walk.demo.mail.outside.mails if "Friday" in str(mail.header["Subject"])
    ).octets
    own_id = message_from_bytes(source)["Message-ID"]
    walk.deliver(
        "Re: Who brings what on Friday?",
        "Splendid, thank you!",
        f"In-Reply-To: {own_id}\r\nReferences: {own_id}\r\n",
    )
    await walk.page.get_by_text("Splendid, thank you!").last.wait_for(timeout=SECONDS)
    thread = walk.page.locator("#thread article")
    await walk.shot("send-thread", thread.first, thread.last)
    await walk.page.get_by_role("button", name="Leave the thread").click()


async def _refused(walk: Walk) -> None:
    """One recipient is refused by name, the other has it."""
    await _compose(
        walk, "ana@elsewhere.example, nobody@nowhere.example", "Flour for Monday", "Twelve sacks, please."
    )
    post = walk.page.locator("article").filter(has_text="Twelve sacks")
    await post.filter(has_text="Sent, but not to").first.wait_for(timeout=SECONDS)
    await walk.shot("send-refused", post.first)


async def _unanswered(walk: Walk) -> None:
    await walk.switch(Kind.TAKEN_UNANSWERED)
    await _compose(walk, "ana@elsewhere.example", "Keys of the yard", "They are with Emil.")
    await walk.post("It is not known whether").wait_for(timeout=SECONDS)
    await walk.switch(Kind.TAKEN_UNANSWERED, is_on=False)
    await walk.shot("send-unknown", walk.post("They are with Emil."))


async def _repaired(walk: Walk) -> None:
    await walk.switch(Kind.SMTP_PASSWORD)
    await _compose(walk, "ana@elsewhere.example", "Invoice 4711", "Paid this morning.")
    await walk.post("so nothing is sent from it").wait_for(timeout=SECONDS)
    await walk.shot("send-held", walk.post("Paid this morning."))
    await walk.switch(Kind.SMTP_PASSWORD, is_on=False)
    await (
        walk.post("so nothing is sent from it").get_by_role("button", name="Change outgoing password").click()
    )
    await walk.says("outgoing password")
    await walk.leave()


async def _invited(walk: Walk) -> None:
    """Accepted on the card, and the mail that says so."""
    octets = (MAILS / "25-invitation.eml").read_bytes()
    whole = base64.b64decode(octets.partition(b"base64\n\n")[2].partition(b"--")[0])
    start, end = octets.partition(b"Content-Type: application/ics")[0], b"\n--edge--\n"
    part = base64.encodebytes(whole.replace(b"marta@local.test", walk.address.encode()))
    head = b'Content-Type: application/ics; name="invite.ics"\nContent-Transfer-Encoding: base64\n\n'
    walk.demo.mail.deliver(
        walk.address, start.replace(b"marta@local.test", walk.address.encode()) + head + part + end
    )
    card = walk.post("Walk along the pier")
    await card.get_by_role("button", name="Accept").wait_for(timeout=SECONDS)
    await walk.shot("send-invitation", card)
    await card.get_by_role("button", name="Accept").click()
    await (
        walk.post("Accepted: Walk along the pier")
        .or_(walk.post("You accept"))
        .first.wait_for(timeout=SECONDS)
    )


async def _compose(walk: Walk, to: str, subject: str, words: str) -> None:
    await walk.type("/mailbox send")
    await walk.says("Put commas")
    await walk.field("To").fill(to)
    await walk.field("Subject").fill(subject)
    await _write(walk, words)
    await walk.press("Send")
    await walk.says("It will be sent in")
    await walk.leave()


async def _write(walk: Walk, words: str) -> None:
    box = walk.dialog.locator("[contenteditable=true]").first
    await box.click()
    await walk.page.keyboard.type(words)


async def _thread(walk: Walk, text: str) -> None:
    """Open the thread of a post."""
    await walk.post(text).get_by_role("button", name=re.compile(r"\d+ repl")).click(timeout=SECONDS)


def _friday(walk: Walk, subject: str) -> None:
    head = (
        f"From: {PEOPLE}\r\nTo: {walk.address}, Emil Sand <emil@elsewhere.example>\r\n"
        f"Cc: Noor Haddad <noor@elsewhere.example>\r\nSubject: {subject}\r\n"
        f"Date: {format_datetime(datetime.now(UTC))}\r\n"
    )
    walk.demo.mail.deliver(
        walk.address,
        f"{head}Message-ID: <friday@elsewhere.example>\r\n\r\nDear all,\r\n\r\n{FRIDAY}\r\n".encode(),
    )
