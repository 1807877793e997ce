"""What becomes of a form that was sent: one mail, as its sender wrote it, with the rights they have then."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from bot.errors import NotAllowed, TooOften
from bot.mail.letters import LetterKind
from bot.sending_errors import NotSendable
from bot.slack.client import SlackClient
from storage.errors import NotFound
from storage.sending import OutgoingState, RecipientField
from storage.sharing import Act, Audience, AudienceKind, Level, Role
from storage.zones import Zones
from tests.integration.sending.conftest import ADDRESS, MAIL, filled
from tests.integration.viewing.conftest import KENJI, LUCIA, MARTA

if TYPE_CHECKING:
    from datetime import timedelta
    from email.message import EmailMessage

    from storage.records import Person
    from storage.sending import Outgoing
    from tests.integration.sending.conftest import Bureau


async def parsed(bureau: Bureau, outgoing: Outgoing) -> EmailMessage:
    """What goes to the server, read by the standard library."""
    return message_from_bytes(await bureau.octets(outgoing), policy=policy.default)


async def test_a_new_mail_is_saved_as_it_was_written(bureau: Bureau) -> None:
    """Sender, recipients, subject and words stand in it, Bcc in the envelope alone; it waits to be undone."""
    form = filled(
        bureau.hall.mailbox_id, cc="bob@third.example", bcc="eve@third.example, ada@elsewhere.example"
    )

    saved = await bureau.sending.save(MARTA, form, "f1")
    mail = await parsed(bureau, saved)

    assert saved.state is OutgoingState.WAITING
    assert saved.letter is not None
    assert (saved.letter.text.strip(), saved.letter.subject, saved.letter.draft) == (
        "Hello Ada", "Hello", '{"draft":1}',
    )  # fmt: skip
    assert [(each.address, each.field) for each in saved.letter.recipients] == [
        ("ada@elsewhere.example", RecipientField.TO),
        ("bob@third.example", RecipientField.CC),
        ("eve@third.example", RecipientField.BCC),
    ]
    assert (mail["To"], mail["Cc"], mail["Bcc"]) == ("Ada <ada@elsewhere.example>", "bob@third.example", None)
    assert mail["Message-ID"] == saved.letter.message_id
    assert mail["Message-ID"].endswith("@example.org>")
    assert ADDRESS in mail["From"]
    assert "eve" not in mail.as_string()


@pytest.mark.parametrize(
    ("fields", "to", "cc"),
    [
        ({"cc": "bob@third.example"}, b"", b"Cc: bob@third.example\r\n"),
        ({"bcc": "eve@third.example"}, b"To: undisclosed-recipients:;\r\n", b""),
    ],
)
async def test_cc_or_bcc_alone_is_enough(
    bureau: Bureau, fields: dict[str, str], to: bytes, cc: bytes
) -> None:
    """The header names whom it may name, and nobody of Bcc."""
    mail = await bureau.sending.save(MARTA, filled(bureau.hall.mailbox_id, to="", **fields), "f1")

    assert mail.letter is not None
    assert mail.letter.addresses == tuple(fields.values())
    head = (await bureau.octets(mail)).partition(b"\r\n\r\n")[0] + b"\r\n"
    assert [line for line in head.splitlines(keepends=True) if line[:3] in {b"To:", b"Cc:"}] == [
        line for line in (to, cc) if line
    ]
    assert b"eve@" not in head


async def test_the_same_form_twice_is_one_mail(bureau: Bureau) -> None:
    """At once or later; and it counts once."""
    form = filled(bureau.hall.mailbox_id)

    both = await asyncio.gather(*(bureau.sending.save(MARTA, form, "f1") for _ in range(2)))
    again = await bureau.sending.save(MARTA, form, "f1")

    assert len({each.id for each in (*both, again)}) == 1


async def test_sixty_mails_an_hour_are_enough(bureau: Bureau) -> None:
    """The next one is refused in words and saved nowhere; after an hour there is room."""
    form = filled(bureau.hall.mailbox_id)
    await bureau.wrote(MARTA, 59)
    saved = await bureau.sending.save(MARTA, form, "f60")

    with pytest.raises(TooOften) as refused:
        await bureau.sending.save(MARTA, form, "f61")
    assert "60 mails in the last hour" in refused.value.sentence
    assert await bureau.outgoings.of_form(bureau.hall.mailbox_id, MARTA, "f61") is None
    assert (await bureau.sending.save(MARTA, form, "f60")).id == saved.id  # was saved, so nothing is counted
    bureau.hall.clock.push(hours=1)
    await bureau.sending.save(MARTA, form, "f61")


async def test_many_saves_at_once_pass_no_limit(bureau: Bureau) -> None:
    """Neither a person's nor that of a mailbox, whoever of those who may writes to however many."""
    await bureau.hall.share(Level.REPLY)
    await bureau.hall.share(Level.REPLY, Audience(AudienceKind.PERSON, LUCIA.user))
    everybody = ", ".join(f"a{number}@third.example" for number in range(20))
    forms = [(actor, f"{actor.user}{number}") for number in range(10) for actor in (MARTA, KENJI, LUCIA)]

    saved = await asyncio.gather(
        *(
            bureau.sending.save(actor, filled(bureau.hall.mailbox_id, to=everybody), form)
            for actor, form in forms
        ),
        return_exceptions=True,
    )

    refused = [each for each in saved if isinstance(each, BaseException)]
    assert (
        len(saved) - len(refused) == 15
    )  # mails to 20 each: 300 of the mailbox, whoever of the three was first
    assert {type(each) for each in refused} == {TooOften}


class Counting(SlackClient):
    """Gives files as it is told, and knows how many it gave at the same time."""

    is_open: asyncio.Event
    now = most = 0

    async def file_octets(self, url: str, most: int, time: timedelta) -> bytes:
        """Once it is open."""
        self.now += 1
        self.most = max(self.most, self.now)
        await self.is_open.wait()
        try:
            return await super().file_octets(url, most, time)
        finally:
            self.now -= 1


async def test_mails_with_files_are_made_a_few_at_a_time(bureau: Bureau) -> None:
    """One of each person, so that nobody fills the memory, or keeps everybody else waiting; all of them are saved."""
    await bureau.hall.share(Level.REPLY)
    slack = bureau.hall.people._slack
    counting = Counting(slack._web, slack._session)
    counting.is_open = asyncio.Event()
    bureau.sending._slack = counting
    sent = [
        (
            actor,
            filled(bureau.hall.mailbox_id, file_ids=(bureau.upload("a.txt", b"a", actor.user),)),
            str(number),
        )
        for actor in (MARTA, KENJI)
        for number in range(5)
    ]

    work = [asyncio.create_task(bureau.sending.save(*each)) for each in sent]
    async with asyncio.timeout(30):
        while counting.now < 2:  # noqa: ASYNC110 - it calls nobody
            await asyncio.sleep(0.01)
        plain = await bureau.sending.save(MARTA, filled(bureau.hall.mailbox_id), "plain")
        counting.is_open.set()
        saved = await asyncio.gather(*work)

    assert counting.most == 2
    assert len({plain.id, *(each.id for each in saved)}) == 11


async def test_a_mail_that_is_not_saved_takes_no_room(bureau: Bureau) -> None:
    """Where there is room for one more, that one is saved however often others failed before."""
    await bureau.wrote(MARTA, 59)
    bad = filled(bureau.hall.mailbox_id, file_ids=("F0NOTTHERE",))

    for _ in range(3):
        with pytest.raises(NotSendable) as wrong:
            await bureau.sending.save(MARTA, bad, "f1")
        assert set(wrong.value.by_field) == {"files"}

    assert (await bureau.sending.save(MARTA, filled(bureau.hall.mailbox_id), "good")).id


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"to": ""}, "to"),
        ({"to": "ada at elsewhere"}, "to"),
        ({"cc": "bob@"}, "cc"),
        ({"bcc": "x"}, "bcc"),
        ({"subject": "Hello\nBcc: eve@third.example"}, "subject"),
        ({"to": ", ".join(f"a{n}@third.example" for n in range(90)), "cc": ", ".join(f"b{n}@third.example" for n in range(11))}, "to"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_at_its_field(bureau: Bureau, more: dict[str, str], field: str) -> None:
    """Nothing is saved."""
    with pytest.raises(NotSendable) as wrong:
        await bureau.sending.save(MARTA, filled(bureau.hall.mailbox_id, **more), "f1")

    assert set(wrong.value.by_field) == {field}
    assert await bureau.outgoings.of_form(bureau.hall.mailbox_id, MARTA, "f1") is None


async def test_an_answer_refers_to_what_it_answers(bureau: Bureau) -> None:
    """In-Reply-To and References name it, its words are quoted where that was wanted, and it stands in its thread."""
    message_id = await bureau.hall.message(MAIL)
    answer = filled(bureau.hall.mailbox_id, kind=LetterKind.REPLY, message_id=message_id, subject="Re: Offer")

    saved = await bureau.sending.save(MARTA, answer, "f1")
    mail = await parsed(bureau, saved)
    bare = await bureau.sending.save(MARTA, replace(answer, quotes=False), "f2")

    assert saved.answers == message_id
    assert (mail["In-Reply-To"], mail["References"]) == ("<first@elsewhere.example>",) * 2
    assert "> The offer stands until Friday." in mail.get_content()
    assert "stands until" not in (await parsed(bureau, bare)).get_content()


async def test_somebody_else_writes_as_the_mailbox(bureau: Bureau) -> None:
    """The mail bears the owner's name, never the writer's; both find it, and nobody else does."""
    await bureau.hall.share(Level.REPLY)

    saved = await bureau.sending.save(KENJI, filled(bureau.hall.mailbox_id), "f1")
    mail = await parsed(bureau, saved)

    assert (saved.actor, saved.owner) == (KENJI, MARTA)
    assert mail["From"] == f"Marta Lindqvist <{ADDRESS}>"
    assert (await bureau.outgoings.get(MARTA, saved.id)).id == saved.id
    with pytest.raises(NotFound):
        await bureau.outgoings.get(LUCIA, saved.id)


async def test_a_name_that_was_set_is_the_one_recipients_see(bureau: Bureau) -> None:
    """With its signature below the words; from the next mail on."""
    await bureau.sending.set_settings(MARTA, bureau.hall.mailbox_id, "Sales Team", "Best regards\nMarta", 30)

    settings = await bureau.sending.settings(MARTA, bureau.hall.mailbox_id)
    saved = await bureau.sending.save(MARTA, filled(bureau.hall.mailbox_id), "f1")
    mail = await parsed(bureau, saved)

    assert (settings.sender_name, settings.undo_seconds) == ("Sales Team", 30)
    assert mail["From"] == f"Sales Team <{ADDRESS}>"
    assert mail.get_content().endswith("\r\n-- \r\nBest regards\r\nMarta\r\n")
    assert saved.due_at is not None
    assert (saved.due_at - saved.created_at).total_seconds() == 30


@pytest.mark.parametrize(
    ("actor", "zone", "offset"),
    [
        (MARTA, "Europe/Berlin", b"+0100"),
        (MARTA, None, b"+0000"),
        (MARTA, "Nowhere/Land", b"+0000"),
        (KENJI, "Europe/Berlin", b"+0000"),
    ],
)
async def test_a_mail_bears_the_time_of_its_sender(
    bureau: Bureau, actor: Person, zone: str | None, offset: bytes
) -> None:
    """Of the mailbox's owner, where it is known; of nobody else as theirs."""
    await bureau.hall.share(Level.REPLY)
    now = bureau.hall.clock()
    await Zones(bureau.hall.stores.database).learn(MARTA, zone, now, {}, now)

    mail = await bureau.sending.save(actor, filled(bureau.hall.mailbox_id), "f1")

    (date,) = [line for line in (await bureau.octets(mail)).splitlines() if line.startswith(b"Date: ")]
    assert date.endswith(offset)
    assert parsedate_to_datetime(date.decode().removeprefix("Date: ")) == now


async def test_people_are_mentioned_by_name(bureau: Bureau) -> None:
    """Never by an id, whatever Slack says of them."""
    elements = [
        {"type": "text", "text": "Ask "},
        {"type": "user", "user_id": KENJI.user},
        {"type": "text", "text": " or "},
        {"type": "user", "user_id": "U0NOBODY99"},
        {"type": "text", "text": " or "},
        {"type": "usergroup", "usergroup_id": "S0SUPPORT1"},
    ]
    text = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}

    saved = await bureau.sending.save(MARTA, filled(bureau.hall.mailbox_id, text=text), "f1")
    said = (await parsed(bureau, saved)).get_content()

    assert "Kenji Morita" in said
    assert "U0" not in said
    assert "S0" not in said


async def test_a_share_of_one_message_lets_it_be_answered_and_nothing_else(bureau: Bureau) -> None:
    """Neither another message nor a new mail."""
    first, second = await bureau.hall.message(MAIL), await bureau.hall.mail("Other")
    await bureau.hall.share(Level.REPLY, message_id=first)
    answer = filled(bureau.hall.mailbox_id, kind=LetterKind.REPLY, message_id=first)

    saved = await bureau.sending.save(KENJI, answer, "f1")

    assert saved.answers == first
    for refused in (replace(answer, message_id=second), filled(bureau.hall.mailbox_id)):
        with pytest.raises(NotAllowed):
            await bureau.sending.save(KENJI, refused, "f2")
    assert await bureau.hall.noted(Act.REFUSED)


async def test_a_form_that_was_open_when_the_share_ended_saves_nothing(bureau: Bureau) -> None:
    """What it was opened with counts for nothing."""
    share = await bureau.hall.share(Level.REPLY)
    message_id = await bureau.hall.message(MAIL)
    started = await bureau.sending.started(KENJI, LetterKind.REPLY, message_id)
    await bureau.hall.end(share)

    with pytest.raises(NotAllowed):
        await bureau.sending.save(
            KENJI, filled(started.sender.mailbox_id, kind=started.kind, message_id=message_id), "f1"
        )
    assert await bureau.outgoings.of_form(bureau.hall.mailbox_id, KENJI, "f1") is None


@pytest.mark.parametrize("kind", [LetterKind.NEW, LetterKind.REPLY])
async def test_slack_is_asked_again_when_a_form_is_sent(bureau: Bureau, kind: LetterKind) -> None:
    """Who became a guest meanwhile sends nothing, though Slack answered some seconds ago and no event said so."""
    hall = bureau.hall
    await hall.share(Level.REPLY, Audience(AudienceKind.ROLE, Role.MEMBER))
    message_id = None if kind is LetterKind.NEW else await hall.message(MAIL)
    await bureau.sending.started(KENJI, kind, message_id, hall.mailbox_id)
    hall.change_role(KENJI, "multi_channel_guest")
    hall.clock.push(seconds=6)

    with pytest.raises(NotAllowed):
        await bureau.sending.save(KENJI, filled(hall.mailbox_id, kind=kind, message_id=message_id), "f1")
    with pytest.raises(NotAllowed):
        await bureau.sending.started(KENJI, kind, message_id, hall.mailbox_id)


async def test_attachments_go_along(bureau: Bureau) -> None:
    """Those that were uploaded, and on forwarding those of the message, where that is wanted."""
    file_id = bureau.upload("offer ü.pdf", b"%PDF-1")
    message_id = await bureau.hall.message(WITH_FILE)
    forward = filled(
        bureau.hall.mailbox_id, kind=LetterKind.FORWARD, message_id=message_id, file_ids=(file_id,)
    )

    both = await bureau.sending.save(MARTA, forward, "f1")
    one = await bureau.sending.save(MARTA, replace(forward, passes_on=False), "f2")

    names = [part.get_filename() for part in (await parsed(bureau, both)).iter_attachments()]
    assert names == ["offer ü.pdf", "sums.csv"]
    assert both.letter is not None
    assert both.letter.files == ("offer ü.pdf", "sums.csv")
    assert [part.get_filename() for part in (await parsed(bureau, one)).iter_attachments()] == ["offer ü.pdf"]


WITH_FILE = (
    b"From: Ada <ada@elsewhere.example>\r\nTo: anna@example.org\r\nSubject: With a file\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nSee the file.\r\n'
    b'--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename="sums.csv"\r\n\r\n'
    b"1;2;3\r\n--b--\r\n"
)


async def test_a_mail_that_would_be_too_large_is_not_made(bureau: Bureau) -> None:
    """With attachments of more than 18 MB together the sentence says so; nothing is saved."""
    files = tuple(bureau.upload(f"{n}.bin", b"\0" * (9 * 1024 * 1024 + 1)) for n in range(2))

    with pytest.raises(NotSendable, match="files") as wrong:
        await bureau.sending.save(MARTA, filled(bureau.hall.mailbox_id, file_ids=files), "f1")

    assert "18 MB" in wrong.value.by_field["files"]
