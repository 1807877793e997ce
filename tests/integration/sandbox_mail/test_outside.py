"""Mail for correspondents outside is kept and can be answered; the way out can be broken on purpose."""

from __future__ import annotations

import asyncio
import email
import email.policy
import smtplib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.mail.faults import Kind, Switch
from bot.sandbox.mail.maildrops import Account
from bot.sandbox.mail.outside import Outside
from bot.sandbox.mail.servers import MailServers
from bot.sandbox.mail.welcome import deliver_welcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

    import aiohttp

    Connect = Callable[..., smtplib.SMTP]

ADA = "ada@local.test"
ZOE = "zoe@elsewhere.example"
LETTER = (
    "From: Ada <ada@local.test>\r\nTo: Zoë <zoe@elsewhere.example>, Bo <bo@local.test>\r\nSubject: Tea\r\n"
    "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <two@local.test>\r\nReferences: <one@elsewhere.example>\r\n\r\n"
    "At four?\r\n"
).encode()


async def sent(smtp: Connect, recipients: list[str], octets: bytes = LETTER) -> dict[str, Any]:
    """Submit a mail as Ada; gives back the refused recipients.

    Raises:
        smtplib.SMTPException: what the server refused, or that it hung up.
    """

    def send() -> dict[str, Any]:
        client = smtp(starttls=False)
        try:
            client.login(ADA, "ada pass")
            options = ["SMTPUTF8"] if not octets.isascii() else []
            return client.sendmail(ADA, recipients, octets, mail_options=options)
        finally:
            client.close()

    return await asyncio.to_thread(send)


async def outside_mails(page: aiohttp.ClientSession) -> list[dict[str, Any]]:
    """What the page shows of the outside."""
    async with page.get("mail/outside") as response:
        mails: list[dict[str, Any]] = (await response.json())["mails"]
        return mails


async def answered(page: aiohttp.ClientSession, **order: Any) -> dict[str, Any]:
    """A correspondent answers."""
    async with page.post("mail/outside/answer", json=order) as response:
        told: dict[str, Any] = await response.json()
        return told


def newest(servers: MailServers, address: str) -> EmailMessage:
    """The last mail in a maildrop."""
    drop = servers.drops.get(address)
    assert drop is not None
    return email.message_from_bytes(drop.mails[-1].octets, policy=email.policy.default)


async def test_an_answer_from_outside_comes_back_into_the_thread(
    servers: MailServers, smtp: Connect, page: aiohttp.ClientSession
) -> None:
    """What went out is shown as sent, and its answer quotes it, names it and reaches everybody meant, once."""
    await sent(smtp, [ZOE, "bo@local.test"])
    [mail] = await outside_mails(page)
    told = await answered(page, id=mail["id"], text="Yes!", to_all=True, **{"as": ZOE})
    reply = newest(servers, ADA)

    assert (mail["account"], mail["sender"], mail["recipients"]) == (ADA, ADA, [ZOE])
    assert (mail["subject"], mail["text"].strip(), mail["attachments"]) == ("Tea", "At four?", [])
    assert told["ok"]
    assert len(told["uids"]) == 2
    assert (reply["Subject"], reply["In-Reply-To"]) == ("Re: Tea", "<two@local.test>")
    assert reply["References"] == "<one@elsewhere.example> <two@local.test>"
    assert (reply["From"], reply["To"]) == (ZOE, "Ada <ada@local.test>")
    assert reply.get_content().splitlines()[0::4] == ["Yes!", "> At four?"]
    assert newest(servers, "bo@local.test")["Message-ID"] == told["message_id"]


async def test_somebody_with_an_address_in_unicode_answers(
    servers: MailServers, smtp: Connect, page: aiohttp.ClientSession
) -> None:
    """Their address stands in the answer as it is."""
    unicode = "zoë@elsewhere.example"
    await sent(smtp, [unicode], LETTER.replace(ZOE.encode(), unicode.encode()))
    [mail] = await outside_mails(page)

    told = await answered(page, id=mail["id"], text="Ja", **{"as": unicode})

    assert told["ok"]
    assert newest(servers, ADA)["From"] == unicode


async def test_the_source_is_what_was_sent(smtp: Connect, page: aiohttp.ClientSession) -> None:
    """Octet by octet, and as plain text that cannot do anything in the page."""
    await sent(smtp, [ZOE])
    [mail] = await outside_mails(page)

    async with page.get("mail/outside/source", params={"id": mail["id"]}) as response:
        assert await response.read() == LETTER
        assert response.content_type == "text/plain"
        assert "sandbox" in response.headers["Content-Security-Policy"]


async def test_who_is_named_from_outside_can_be_written_to(servers: MailServers, smtp: Connect) -> None:
    """Senders, Reply-To, Cc and List-Post of mail that came; not those whom somebody here only named."""
    servers.deliver(
        ADA,
        b"From: Gus <gus@a.example>\r\nReply-To: desk@b.example\r\nCc: Ida <ida@c.example>\r\n"
        b"List-Post: <mailto:all@d.example>\r\n\r\nhi\r\n",
    )
    await sent(smtp, ["bo@local.test"], LETTER.replace(ZOE.encode(), b"zoe@never.example"))

    refused = await sent(
        smtp, ["GUS@a.example", "desk@b.example", "ida@c.example", "all@d.example", "zoe@never.example"]
    )

    assert refused == {"zoe@never.example": (550, b"5.1.1 nobody has this address")}
    assert servers.outside.name_of("gus@a.example") == "Gus"


@pytest.mark.parametrize(
    "octets",
    [
        b"\xff\xfe" * 5000,
        b"From: " + b"<" * 200_000 + b"\r\n\r\n",
        b"To: " + b"a@b.example, " * 30_000 + b"\r\n\r\n",
        b"To: " + b"(" * 20_000 + b"\r\n\r\n",
        b"From: =?zz?q?x?= <\xffa@b.example>\r\n\r\n",
    ],
)
def test_a_header_that_is_none_is_quickly_read(octets: bytes) -> None:
    """Whatever somebody puts into a maildrop; who cannot be read is no correspondent."""
    began = time.process_time()

    Outside().learn(octets)

    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "order",
    [
        {"id": "out-9", "as": ZOE},
        {"id": "out-1", "as": "bo@local.test"},
        {"id": "out-1", "as": ZOE, "text": 1},
    ],
)
async def test_only_who_got_a_mail_answers_it(
    smtp: Connect, page: aiohttp.ClientSession, order: dict[str, Any]
) -> None:
    """Everything else is refused in words."""
    await sent(smtp, [ZOE])

    told = await answered(page, **order)

    assert told["ok"] is False
    assert told["error"]


def test_the_oldest_mail_makes_room() -> None:
    """The list has a bound in number and in octets."""
    outside, now = Outside(max_mails=3, max_octets=100), datetime.now(UTC)

    for number in range(5):
        outside.take(ADA, ADA, [ZOE], b"%d" % number, now)
    kept = [mail.octets for mail in outside.mails]
    outside.take(ADA, ADA, [ZOE], b"x" * 99, now)

    assert kept == [b"2", b"3", b"4"]
    assert [len(mail.octets) for mail in outside.mails] == [1, 99]


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        (Kind.SMTP_PASSWORD, smtplib.SMTPAuthenticationError, 535),
        (Kind.SMTP_TEMPORARY, smtplib.SMTPSenderRefused, 451),
        (Kind.CONTENT_REFUSED, smtplib.SMTPDataError, 554),
        (Kind.SIZE_LIMIT, smtplib.SMTPSenderRefused, 552),
    ],
)
async def test_sending_is_refused_and_healed(
    servers: MailServers, smtp: Connect, kind: Kind, error: type[smtplib.SMTPResponseException], code: int
) -> None:
    """Each refusal has its code, nothing is taken, and once it is off the same mail goes."""
    address = "" if kind is Kind.SIZE_LIMIT else ADA
    letter = LETTER + b"x" * 60 + (b"\r\n" + b"y" * 900) * 120
    await servers.switch(Switch(kind, is_on=True, address=address))
    with pytest.raises(error) as caught:
        await sent(smtp, [ZOE], letter)
    taken = servers.outside.mails
    await servers.heal()
    await sent(smtp, [ZOE], letter)

    assert caught.value.smtp_code == code
    assert taken == []
    assert len(servers.outside.mails) == 1


async def test_receiving_goes_on_while_sending_is_refused(
    servers: MailServers, smtp: Connect, pop3: Callable[..., Any]
) -> None:
    """The outgoing password alone is refused."""
    await servers.switch(Switch(Kind.SMTP_PASSWORD, is_on=True, address=ADA))

    with pytest.raises(smtplib.SMTPAuthenticationError):
        await sent(smtp, [ZOE])
    client = await asyncio.to_thread(pop3)
    client.close()


@pytest.mark.parametrize(("kind", "count"), [(Kind.TAKEN_UNANSWERED, 1), (Kind.UNTAKEN_UNANSWERED, 0)])
async def test_no_answer_after_the_dot(servers: MailServers, smtp: Connect, kind: Kind, count: int) -> None:
    """The connection ends after a silence; whether the mail was taken, only the sandbox knows."""
    await servers.switch(Switch(kind, is_on=True, address=ADA, seconds=0.2))
    began = time.monotonic()

    with pytest.raises(smtplib.SMTPServerDisconnected):
        await sent(smtp, [ZOE, "bo@local.test"])
    waited = time.monotonic() - began
    await servers.heal()
    await sent(smtp, [ZOE])

    assert waited >= 0.2
    assert len(servers.outside.mails) == count + 1
    assert len(servers.drops.get("bo@local.test").mails) == count  # type: ignore[union-attr]


async def test_some_recipients_wait(servers: MailServers, smtp: Connect) -> None:
    """Those outside are told 450 while the others get the mail."""
    await servers.switch(Switch(Kind.OUTSIDE_LATER, is_on=True, address=ADA))

    refused = await sent(smtp, [ZOE, "bo@local.test"])

    assert refused[ZOE][0] == 450
    assert len(servers.drops.get("bo@local.test").mails) == 1  # type: ignore[union-attr]
    assert servers.outside.mails == []


def test_the_welcome_mails_have_something_to_answer() -> None:
    """A Reply-To, a list, several in Cc, and an invitation to Marta that lies ahead."""
    servers = MailServers(
        [Account(f"{name}@local.test", "x") for name in ("marta", "kenji")], everyone="team@local.test"
    )
    now = datetime(2031, 5, 20, 18, tzinfo=UTC)

    deliver_welcome(servers, now)
    drop = servers.drops.get("marta@local.test")
    assert drop is not None
    mails = [email.message_from_bytes(mail.octets, policy=email.policy.default) for mail in drop.mails]
    invitation = next(mail for mail in mails if mail["Subject"].startswith("Invitation"))
    calendar = next(part for part in invitation.walk() if part.get_content_type() == "text/calendar")
    lines = calendar.get_content().replace("\r\n ", "").splitlines()

    assert any(mail["Reply-To"] for mail in mails)
    assert any(mail["List-Post"] for mail in mails)
    assert any(len(mail["Cc"].addresses) >= 3 for mail in mails if mail["Cc"])
    assert calendar.get_param("method") == "REQUEST"
    assert "DTSTART:20310522T130000Z" in lines
    assert (
        sum(line.startswith("ATTENDEE") and line.endswith("mailto:marta@local.test") for line in lines) == 1
    )
    assert "Thursday 22 May 2031" in invitation.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert servers.outside.knows("ana.caldeira@postbox.example")
