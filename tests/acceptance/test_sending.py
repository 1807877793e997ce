"""Mail written in Slack: answered in a thread, called back, sent by a viewer, refused by a server; in the sandbox."""

from __future__ import annotations

import email
import email.policy
from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.person import File, Person, words
from storage.sharing import Level
from tests.acceptance.modals import view
from tests.acceptance.test_mailbox_life import ADDRESS, KENJI, add, answer, post
from tests.acceptance.test_shared_mail import at_the_page, share

if TYPE_CHECKING:
    from email.message import EmailMessage

    from bot.sandbox.demo import Demo

pytestmark = pytest.mark.timeout(120)

JORGE = {"from_name": "Jorge Luna", "from_address": "jorge@elsewhere.example"}


async def sends(marta: Person) -> None:
    """A mailbox with an outgoing server."""
    smtp = (await marta.mailbox(ADDRESS))["smtp"]
    await add(marta, **{"Outgoing server": smtp["host"], "Outgoing port": str(smtp["port"])})


async def settled(marta: Person) -> None:
    """A mailbox that sends at once, with a name and a signature."""
    await sends(marta)
    await marta.command("/mailbox list")
    await answer(marta, ADDRESS)
    await marta.press("Sending")
    form = await view(marta, "Time to undo")
    await marta.submit(
        form,
        {
            "Name that recipients see": "Marta Ruiz",
            "Signature": "Marta\nWarehouse",
            "Time to undo": "Send at once",
        },
    )
    await marta.close(await view(marta, "From now on marta@local.test sends as “Marta Ruiz”"))


async def written(person: Person, subject: str) -> None:
    """An e-mail from outside that is in its owner's Slack."""
    await person.outside.write(ADDRESS, subject, "Does Thursday suit you?", **JORGE)
    await post(person, subject)


async def said(person: Person, words_of_it: str, seconds: float = 20) -> dict[str, Any]:
    """A post or a reply in the DM that says this, once it is there."""

    def found(page: dict[str, Any]) -> dict[str, Any] | None:
        replies = [reply for one in page["posts"] for reply in one.get("replies", ())]
        return next((one for one in (*replies, *page["posts"]) if words_of_it in words(one)), None)

    return await person.until(f"a post with “{words_of_it}”", found, seconds)


def _thread(page: dict[str, Any], ts: str, words_of_it: str) -> dict[str, Any] | None:
    """A post, once this stands beneath it."""
    found = (one for one in page["posts"] if one["ts"] == ts and words_of_it in words(one["replies"]))
    return next(found, None)


async def outside(person: Person, subject: str) -> EmailMessage:
    """What a correspondent outside has of a mail."""
    mail = await person.outside.received(subject, 20)
    parsed: EmailMessage = email.message_from_bytes(
        await person.outside.source(mail["id"]), policy=email.policy.default
    )
    return parsed


async def test_an_answer_goes_out_and_is_answered_again_in_the_same_thread(marta: Person) -> None:
    """From the post's button: who, about what and the quote are there; the answer to it comes back beneath."""
    await settled(marta)
    await written(marta, "Thursday")
    first = await post(marta, "Does Thursday suit you?")
    await marta.press("Reply", beside="Share…")
    form = await view(marta, "Quote the original below")
    assert "1 recipient." in words(form)
    await marta.submit(form, {"Text": "*Yes*, at ten.", "Attachments": [File("plan.txt", b"One, two")]})
    await marta.close(await view(marta, "✓ Saved"))

    mail = await outside(marta, "Re: Thursday")
    text = mail.get_body(("plain",))
    assert text is not None
    assert (mail["From"], mail["To"]) == (
        "Marta Ruiz <marta@local.test>",
        "Jorge Luna <jorge@elsewhere.example>",
    )
    assert "at ten." in text.get_content()
    assert "Marta\nWarehouse" in text.get_content().replace("\r\n", "\n")
    assert "> Does Thursday suit you?" in text.get_content()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["plan.txt"]

    await marta.outside.answer(await marta.outside.received("Re: Thursday", 5), "See you at ten.")
    root = await marta.until("the thread", lambda page: _thread(page, first["ts"], "See you at ten."), 30)
    assert "Sent" in words(root["replies"])
    assert "at ten." in words(root["replies"])


async def test_a_mail_is_called_back_and_written_on(marta: Person) -> None:
    """Nothing goes out; the form comes back with all that was in it, then and later."""
    await sends(marta)
    await marta.command("/mailbox send")
    form = await view(marta, "Put commas between several addresses.")
    await marta.type_into(form, "To", "jorge@elsewhere.example, foo@")
    await view(marta, "✗ To:")
    await marta.type_into(form, "To", "jorge@elsewhere.example")
    await view(marta, "First e-mail from this mailbox to elsewhere.example")
    await marta.submit(form, {"To": "jorge@elsewhere.example", "Subject": "Keys", "Text": "They are here."})
    await view(marta, "It will be sent in")
    await marta.press("Undo")
    form = await view(marta, "Undone: it is not sent.")
    assert "1 recipient." in words(form)
    assert "jorge@elsewhere.example" in str(form)
    assert "They are here." in words(form)
    await marta.close(form)

    await said(marta, "Not sent: it was undone.")
    await marta.press("Write on")
    form = await view(marta, "They are here.")
    await marta.submit(form, {"Subject": "Keys again"})
    await marta.close(await view(marta, "It will be sent in"))
    await outside(marta, "Keys again")
    assert [mail["subject"] for mail in await marta.outside.sent()] == ["Keys again"]


async def test_a_viewer_at_reply_answers_and_the_owner_sees_it(demo: Demo, marta: Person) -> None:
    """Under the mailbox's address, with a line in the owner's thread that says who it was."""
    await settled(marta)
    await written(marta, "Offer")
    await share(demo, Level.REPLY)
    async with at_the_page(demo, KENJI) as kenji:
        await kenji.command("/mailbox shared")
        await kenji.until("the shared mailbox", lambda page: page["ephemerals"] or None, 30)
        await kenji.press("Messages")
        await view(kenji, "Offer")
        await kenji.press("Open", beside="Offer")
        await view(kenji, "Does Thursday suit you?")
        await kenji.press("Reply")
        form = await view(kenji, "Shared by <@U0MARTA004>")
        await kenji.submit(form, {"Text": "We take it."})
        await view(kenji, "✓ Saved")
        mail = await outside(marta, "Re: Offer")
        await said(kenji, "We take it.")

    assert "marta@local.test" in mail["From"]
    assert "We take it." in words(await said(marta, "<@U0KENJI005> answered as this mailbox"))


async def test_a_refused_recipient_is_named(marta: Person) -> None:
    """The others have it; the post says who has not, and why."""
    await settled(marta)
    await marta.command("/mailbox send")
    form = await view(marta, "Put commas between several addresses.")
    await marta.submit(
        form,
        {"To": "jorge@elsewhere.example, gone@nowhere.example", "Subject": "List", "Text": "All of it."},
    )
    await marta.close(await view(marta, "✓ Saved"))

    await outside(marta, "List")
    await said(marta, "not to gone@nowhere.example: there is no such address (550 5.1.1)")
