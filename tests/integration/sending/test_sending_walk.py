"""The form of a mail as people meet it: by the labels they see, on the sandbox; nothing that was typed is lost."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.sandbox.person import File, Person, Unexpected, words
from bot.sandbox.slack.channels import WAREHOUSE_ID
from bot.sandbox.slack.faults import Fault
from bot.sending_errors import NotReopened
from bot.slack import answers, blocks, names
from bot.slack.client import web_client
from bot.slack.listeners.reception import Reception
from bot.slack.views import sent
from storage.records import Passwords, Secret
from storage.sending import OutgoingState
from storage.sharing import Act, Level
from tests.integration.listening import SECONDS, listen, settled
from tests.integration.sending.conftest import ADDRESS, MAIL, filled
from tests.integration.storage.stores import NEW
from tests.integration.viewing.conftest import INES, KENJI, MARTA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from slack_sdk.web.async_client import AsyncWebClient

    from tests.integration.sending.conftest import Bureau


class Room:
    """The bot listens, and people are at the page."""

    def __init__(self, bureau: Bureau, web: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self.bureau, self.hall, self.web = bureau, bureau.hall, web
        self._session = session

    def person(self, user: str) -> Person:
        """Somebody at the page."""
        return Person(self._session, self.web.base_url.removesuffix("/api/"), user)

    async def post(self, channel: str, message_id: str) -> None:
        """A post with the buttons that answer a message."""
        row = {"type": "actions", "elements": answers.answers(message_id, may_reply_all=True)}
        await self.web.chat_postMessage(channel=channel, text="A mail", blocks=[row])

    async def mails(self, actor: str) -> list[str]:
        """The subjects of what somebody saved."""
        rows = await self.bureau.submissions.claim_due(
            self.hall.clock() + timedelta(hours=1), lease=timedelta(minutes=1), worker="w", limit=10, busy=()
        )
        letters = [each.outgoing.letter for each in rows if each.outgoing.actor.user == actor]
        return [letter.subject for letter in letters if letter is not None]


@pytest.fixture
async def room(bureau: Bureau) -> AsyncIterator[Room]:
    """Everything that listens."""
    hall = bureau.hall
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        web = web_client("xoxb-t", hall.people._slack._web.base_url, 30)
        await listen(
            web,
            stack,
            slack=hall.people._slack,
            clock=hall.clock,
            reception=Reception(hall.door, hall.viewing, hall.managing, hall.front),
            sending=bureau.sending,
        )
        yield Room(bureau, web, session)


def typed(view: dict[str, Any], field: str) -> Any:
    """What stands in a field of text."""
    (state,) = view["state"]["values"][field].values()
    return state["value"]


async def test_recipients_are_checked_while_they_are_typed(room: Room) -> None:
    """What is no address, how many they are, whom nobody wrote to; what stands in other fields stays."""
    marta = room.person(MARTA.user)
    await marta.command("/mailbox send")
    form = await settled(marta, "Put commas between several addresses.")

    await marta.type_into(form, "Bcc", "eve@third.example")
    await marta.type_into(form, "To", "ada@elsewhere.example, foo@")
    view = await settled(marta, "✗ To: ")
    assert "foo@" in words(view)
    await marta.type_into(form, "To", "ada@elsewhere.example, Ada <ADA@elsewhere.example>, bob@third.example")
    view = await settled(marta, "3 recipients.")

    assert "First e-mail from this mailbox to elsewhere.example, third.example" in words(view)
    assert typed(view, "send_bcc") == "eve@third.example"


async def test_the_newest_of_many_checks_is_what_is_shown(room: Room) -> None:
    """However fast somebody types, and whatever came before the form was drawn anew."""
    marta = room.person(MARTA.user)
    await marta.command("/mailbox send")
    form = await settled(marta, "Put commas between several addresses.")

    for number in range(1, 8):
        some = ", ".join(f"person{n}@third.example" for n in range(number))
        await marta.type_into(form, "To", some)
        await asyncio.sleep(0.08 * number)

    await settled(marta, "7 recipients.")


async def two_senders(room: Room) -> tuple[Person, dict[str, Any]]:
    """Kenji with a form that begins with his own mailbox, and a share of Marta's that he may choose."""
    mailboxes, now = room.hall.stores.mailboxes, room.hall.clock()
    await mailboxes.set_sending(MARTA, room.hall.mailbox_id, "Support", "The support team", 10)
    await room.hall.share(Level.REPLY)
    own = replace(NEW, owner=KENJI, form_id="k", profile=replace(NEW.profile, name="Own"))
    await mailboxes.add(own, now, most=None)
    kenji = room.person(KENJI.user)
    await kenji.command("/mailbox send own")
    return kenji, await settled(kenji, "No signature is added.")


async def test_whoever_types_on_sees_the_sender_they_chose(room: Room) -> None:
    """However long it takes to look at the mailbox, and whatever is typed meanwhile; the newest words are checked."""
    kenji, form = await two_senders(room)
    room.hall.sandbox.faults.add(Fault("users.info", "accept_then_wait", seconds=1))

    await kenji.pick("From", f"Work <{ADDRESS}>")
    await kenji.type_into(form, "To", "ada@elsewhere.example, bob@elsewhere.example")
    view = await settled(kenji, "The support team")
    if "2 recipients." not in words(view):
        view = await settled(kenji, "2 recipients.")

    assert f"Sent as Support <{ADDRESS}>" in words(view)
    assert typed(view, "send_to") == "ada@elsewhere.example, bob@elsewhere.example"


async def test_another_sender_brings_their_signature_and_keeps_what_was_typed(room: Room) -> None:
    """From a share of somebody else's: whose it is, what is added below, and all fields as they were."""
    kenji, form = await two_senders(room)
    await kenji.type_into(form, "To", "ada@elsewhere.example")
    await settled(kenji, "1 recipient.")

    await kenji.pick("From", f"Work <{ADDRESS}>")
    view = await settled(kenji, "The support team")

    assert "Shared by <@U0MARTA004>" in words(view)
    assert f"Sent as Support <{ADDRESS}>" in words(view)
    assert typed(view, "send_to") == "ada@elsewhere.example"


async def test_an_open_form_is_refused_when_the_share_has_ended(room: Room) -> None:
    """With the reason under a field; what was written still stands there."""
    share = await room.hall.share(Level.REPLY, history=True)
    kenji = room.person(KENJI.user)
    await room.post(KENJI.user, await room.hall.message(MAIL))
    await kenji.press("Reply all")
    form = await settled(kenji, "Quote the original below")
    assert "3 recipients." in words(form)
    await room.hall.end(share)

    with pytest.raises(Unexpected, match="not shared with you"):
        await kenji.submit(form, {"Text": "We take it."})

    assert await room.mails(KENJI.user) == []


async def test_a_double_press_has_one_effect(room: Room) -> None:
    """Both say that it is saved; it is one mail."""
    marta = room.person(MARTA.user)
    await marta.command("/mailbox send")
    form = await settled(marta, "Put commas between several addresses.")
    mail = {"To": "ada@elsewhere.example", "Subject": "Once", "Text": "Only once."}

    await asyncio.gather(*(marta.submit(form, mail) for _ in range(2)), return_exceptions=True)
    await settled(marta, "✓ Saved")

    assert await room.mails(MARTA.user) == ["Once"]


async def test_what_takes_long_is_said_and_comes_back_when_it_fails(room: Room) -> None:
    """“Saving…” within Slack's three seconds; then the form with all that was in it, the file with a tick."""
    marta = room.person(MARTA.user)
    await marta.command("/mailbox send")
    form = await settled(marta, "Put commas between several addresses.")
    room.hall.sandbox.faults.add(Fault("files.info", "accept_then_wait", seconds=3))
    room.hall.sandbox.faults.add(Fault("files.info", "status", status=503, count=5))
    mail = {"To": "ada@elsewhere.example", "Subject": "Plan", "Text": "*All* of it."}

    await marta.submit(form, {**mail, "Attachments": [File("plan.txt", b"One"), File("b.txt", b"2")]})
    await settled(marta, "Saving…")
    back = await settled(marta, "What you wrote is still here")
    room.hall.sandbox.faults.clear()
    assert "plan.txt" in words(back)
    await marta.submit(back, {})
    saved = await settled(marta, "✓ Saved")

    assert "Plan" in words(saved)
    assert await room.mails(MARTA.user) == ["Plan"]


async def test_whoever_closes_the_form_too_early_hears_that_it_was_not_sent(room: Room) -> None:
    """In the DM, with the words that were written, which nobody else hears of."""
    marta = room.person(MARTA.user)
    await marta.command("/mailbox send")
    form = await settled(marta, "Put commas between several addresses.")
    room.hall.sandbox.faults.add(Fault("files.info", "accept_then_wait", seconds=3))
    room.hall.sandbox.faults.add(Fault("files.info", "status", status=503, count=5))
    files = [File("plan.txt", b"One"), File("b.txt", b"2")]

    await marta.submit(
        form, {"To": "ada@elsewhere.example", "Text": "All of it, @Kenji Morita.", "Attachments": files}
    )
    await marta.close(await settled(marta, "Saving…"))
    page = await marta.until("the post", lambda shown: shown if shown["posts"] else None, SECONDS)

    assert "Your e-mail was not sent." in words(page["posts"])
    assert "All of it" in words(page["posts"])
    assert KENJI.user not in str(page["posts"])


async def test_undo_that_comes_too_late_says_so(room: Room) -> None:
    """The mail has gone; there is no form to write on."""
    marta = room.person(MARTA.user)
    await marta.command("/mailbox send")
    form = await settled(marta, "Put commas between several addresses.")
    await marta.submit(form, {"To": "ada@elsewhere.example", "Text": "Gone."})
    await settled(marta, "It will be sent in 10 seconds.")
    clock = room.hall.clock
    clock.push(minutes=1)
    (taken,) = await room.bureau.submissions.claim_due(
        clock(), lease=timedelta(minutes=1), worker="w", limit=1, busy=()
    )
    await room.bureau.submissions.intend(taken, clock(), lambda _: True)

    await marta.press("Undo")

    await settled(marta, "It is too late to undo this: it is being sent right now.")


async def test_written_on_in_two_windows_it_is_sent_once(room: Room) -> None:
    """The second window says so under its text, which stays, however often it is sent off."""
    marta = room.person(MARTA.user)
    await marta.command("/mailbox send")
    form = await settled(marta, "Put commas between several addresses.")
    await marta.submit(form, {"To": "ada@elsewhere.example", "Subject": "Plan", "Text": "One."})
    saved = await settled(marta, "It will be sent in 10 seconds.")
    mail_id = saved["private_metadata"]
    await marta.press("Undo")
    form = await settled(marta, "Undone: it is not sent.")
    elsewhere = filled(room.hall.mailbox_id, subject="Plan B", instead=mail_id)
    await room.bureau.sending.save(MARTA, elsewhere, "the other window")

    for _ in range(2):
        with pytest.raises(Unexpected, match="already sent from another window"):
            await marta.submit(form, {"Subject": "Plan C"})

    assert await room.mails(MARTA.user) == ["Plan B"]
    with pytest.raises(NotReopened) as raised:
        await room.bureau.sending.opened_again(MARTA, mail_id)
    assert "has a post of its own" in raised.value.sentence


async def test_slack_that_asks_for_rest_is_asked_once_more(room: Room) -> None:
    """“Loading” does not stand for ever because too many modals were drawn in one minute."""
    marta = room.person(MARTA.user)
    for seconds in (1, 1):
        room.hall.sandbox.faults.add(Fault("views.update", "rate_limited", seconds=seconds, count=1))

    await marta.command("/mailbox send")
    asked_at = asyncio.get_running_loop().time()
    await settled(marta, "Put commas between several addresses.")

    assert asyncio.get_running_loop().time() - asked_at > 1


async def test_what_nobody_knows_of_is_left_or_sent_again(room: Room) -> None:
    """By its sender alone, from the buttons of its post."""
    saved = await room.bureau.sending.save(MARTA, filled(room.hall.mailbox_id), "f1")
    clock, submissions = room.hall.clock, room.bureau.submissions
    clock.push(minutes=1)
    lease = timedelta(minutes=1)
    (taken,) = await submissions.claim_due(clock(), lease=lease, worker="w", limit=1, busy=())
    await submissions.intend(taken, clock(), lambda _: True)
    clock.push(minutes=5)
    await submissions.claim_due(clock(), lease=lease, worker="w", limit=1, busy=())
    labels = (("Leave it", names.OUTGOING_LEAVE), ("Send again", names.OUTGOING_AGAIN))
    row = blocks.buttons(saved.id, *labels)
    for user in (MARTA.user, KENJI.user):
        await room.web.chat_postMessage(channel=user, text="A mail", blocks=[row])
    marta, kenji = room.person(MARTA.user), room.person(KENJI.user)

    await kenji.press("Send again")
    await heard(kenji, "does not have that mail any more")
    await marta.press("Leave it")
    await heard(marta, sent.LEFT)
    assert (await room.bureau.outgoings.get(MARTA, saved.id)).is_left
    await marta.press("Send again")
    await heard(marta, sent.ON_ITS_WAY_AGAIN)

    assert (await room.bureau.outgoings.get(MARTA, saved.id)).state is OutgoingState.WAITING


async def heard(somebody: Person, text: str) -> None:
    """An answer that nobody else sees says this."""

    def holds(shown: dict[str, Any]) -> dict[str, Any] | None:
        return next((each for each in shown["ephemerals"] if text in words(each)), None)

    await somebody.until(f"an answer with “{text}”", holds, SECONDS)


async def test_somebody_of_another_company_is_refused_and_noted(room: Room) -> None:
    """In a shared channel everybody can press; nothing opens, and it stands in the audit."""
    message_id = await room.hall.message(MAIL)
    tomasz, noor = room.person("U0TOMASZ02"), room.person("U0NOOR0009")
    await tomasz.change_channel("warehouse-move", add="bot")
    await tomasz.change_channel("warehouse-move", is_ext_shared=True)
    await room.post(WAREHOUSE_ID, message_id)

    for label in ("Reply", "Reply all", "Forward"):
        await noor.press(label, in_channel="warehouse-move")
    async with asyncio.timeout(SECONDS):
        while len((await noor.room("warehouse-move"))["ephemerals"]) < 3:  # noqa: ASYNC110 - a page is looked at
            await asyncio.sleep(0.05)

    assert {entry.actor for entry in await room.hall.noted(Act.REFUSED)} == {"U0NOOR0009"}
    said = (await noor.room("warehouse-move"))["ephemerals"]
    assert all("cannot use Mailbox" in words(each) for each in said)


async def test_a_mailbox_that_only_receives_says_so_with_the_way_out(room: Room) -> None:
    """Its owner gets “Edit”, a viewer the owner's name."""
    mailbox = await room.hall.stores.mailboxes.get(MARTA, room.hall.mailbox_id)
    message_id = await room.hall.message(MAIL)
    await room.hall.share(Level.REPLY, history=True)
    await room.hall.stores.mailboxes.change(
        MARTA,
        mailbox.id,
        profile=replace(mailbox.profile, outgoing=None),
        passwords=Passwords(Secret("p"), None),
        retention=mailbox.retention,
        delete_days=None,
        listing=None,
        skip=(),
        now=room.hall.clock(),
    )
    for user, way_out in ((MARTA.user, "Give it one with Edit"), (KENJI.user, "Ask <@U0MARTA004>")):
        person = room.person(user)
        await room.post(user, message_id)
        await person.press("Reply")
        view = await settled(person, "This mailbox only receives")
        assert way_out in words(view)


async def test_whoever_has_nothing_to_send_from_is_led_on(room: Room) -> None:
    """The command works for everybody; the modal says what is missing."""
    ines = room.person(INES.user)

    await ines.command("/mailbox send work")
    view = await settled(ines, "You have no mailbox to send from yet.")

    assert "There is no mailbox “work”" in words(view)


async def test_without_the_scope_for_files_the_form_opens_all_the_same(room: Room) -> None:
    """A workspace that has not taken the newest manifest yet writes mail without attachments."""
    sandbox = room.hall.sandbox
    sandbox.manifest = replace(sandbox.manifest, scopes=sandbox.manifest.scopes - {"files:read"})
    marta = room.person(MARTA.user)

    await marta.command("/mailbox send")
    form = await settled(marta, "Files cannot be attached here yet")
    await marta.submit(form, {"To": "ada@elsewhere.example", "Text": "Without a file."})

    await settled(marta, "✓ Saved")
