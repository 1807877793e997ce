"""A mail is sent step by step: what goes wrong before the last dot means that nothing was sent, and is told apart."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import (
    BotError,
    ConnectionLost,
    LocalProtocolError,
    LoginRejected,
    RemoteProtocolError,
    ServerBusy,
)
from bot.sending_errors import (
    AddressesUnfit,
    MessageRefused,
    NotTaken,
    RecipientsRefused,
    SenderRefused,
    TooLargeToSend,
)
from storage.records import Security
from tests.fakes.smtp_server import SmtpServer
from tests.integration.smtp.conftest import HASTY, MAIL, OCTETS, PATIENT, Send

if TYPE_CHECKING:
    import ssl

    from bot.mail.smtp import Submittable

B, C = MAIL.recipients
LARGE = replace(MAIL, octets=OCTETS + b"x" * 76 + b"\r\n" * 2_000_000)
UTF8 = OCTETS + "Grüße\r\n".encode()


async def test_a_mail_goes_out_once_in_the_order_of_the_protocol(send: Send) -> None:
    """Every octet arrives, dots and all, after one sign-in, and the caller is asked once before the last dot."""
    async with SmtpServer() as server:
        sent = await send(server)

    assert sent.error is None
    assert [(reply.recipient, reply.code, reply.is_taken) for reply in sent.replies] == [
        (B, 250, True),
        (C, 250, True),
    ]
    assert server.commands == ["EHLO", "AUTH", "MAIL", "RCPT", "RCPT", "DATA", "QUIT"]
    assert [(mail.sender, mail.recipients, mail.octets) for mail in server.kept] == [
        (MAIL.sender, [B, C], OCTETS)
    ]
    assert sent.dots == 1


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_mail_goes_out_inside_tls(send: Send, server_tls: ssl.SSLContext, security: Security) -> None:
    """TLS from the first octet and STARTTLS both carry a large mail whole."""
    offers = ("AUTH LOGIN", "8BITMIME")
    async with SmtpServer(
        tls=server_tls,
        is_implicit=security is Security.TLS,
        extensions=offers if security is Security.TLS else ("STARTTLS",),
        extensions_in_tls=offers,
    ) as server:
        sent = await send(server, LARGE, security)

    assert sent.error is None
    assert server.kept[0].octets == LARGE.octets


async def test_refused_recipients_keep_the_mail_from_no_other(send: Send) -> None:
    """Each recipient has its own answer: taken, refused for good, or to be tried later."""
    recipients: dict[str, bytes | None] = {
        B: b"550-5.1.1 no\r\n550 5.1.1 such user\r\n",
        "d@b.example": b"452 4.2.2 full\r\n",
    }
    async with SmtpServer(recipients=recipients) as server:
        sent = await send(server, replace(MAIL, recipients=(B, C, "d@b.example")))

    assert [(reply.code, reply.is_taken, reply.is_temporary) for reply in sent.replies] == [
        (550, False, False),
        (250, True, False),
        (452, False, True),
    ]
    assert sent.replies[0].words == "5.1.1 no 5.1.1 such user"
    assert server.copies() == {(C, "<1@a.example>"): 1}


REFUSALS: dict[str, tuple[dict[str, Any], type[BotError], bool]] = {
    "MAIL 550": ({"replies": {"MAIL": b"550 5.7.1 not yours\r\n"}}, SenderRefused, False),
    "MAIL 451": ({"replies": {"MAIL": b"451 4.3.0 later\r\n"}}, SenderRefused, True),
    "MAIL 550 later": ({"replies": {"MAIL": b"550 too many mails, try later\r\n"}}, SenderRefused, True),
    "MAIL 552": ({"replies": {"MAIL": b"552 5.3.4 too big\r\n"}}, TooLargeToSend, False),
    "MAIL 421": ({"replies": {"MAIL": b"421 4.3.2 bye\r\n"}}, ServerBusy, True),
    "MAIL 354": ({"replies": {"MAIL": b"354 what\r\n"}}, RemoteProtocolError, True),
    "MAIL 42": ({"replies": {"MAIL": b"42  what\r\n"}}, RemoteProtocolError, True),
    "MAIL garbage": ({"replies": {"MAIL": b"hello\r\n"}}, RemoteProtocolError, True),
    "MAIL twice": ({"replies": {"MAIL": b"250 ok\r\n250 ok\r\n"}}, RemoteProtocolError, True),
    "MAIL closed": ({"replies": {"MAIL": b""}}, ConnectionLost, True),
    "MAIL silence": ({"replies": {"MAIL": None}}, ConnectionLost, True),
    "RCPT 550": ({"replies": {"RCPT": b"550 5.1.1 nobody\r\n"}}, RecipientsRefused, False),
    "RCPT 450": ({"replies": {"RCPT": b"450 4.2.1 later\r\n"}}, RecipientsRefused, True),
    "RCPT of the sender": (
        {"replies": {"RCPT": b"553 5.7.1 <a@b>: Sender address rejected: not owned\r\n"}},
        SenderRefused,
        False,
    ),
    "RCPT one 450": (
        {"recipients": {B: b"550 5.1.1 no\r\n", C: b"450 4.2.1 later\r\n"}},
        RecipientsRefused,
        True,
    ),
    "RCPT 421": ({"recipients": {C: b"421 4.3.2 bye\r\n"}}, ServerBusy, True),
    "RCPT 334": ({"recipients": {C: b"334 what\r\n"}}, RemoteProtocolError, True),
    "RCPT closed": ({"recipients": {C: b""}}, ConnectionLost, True),
    "RCPT silence": ({"recipients": {C: None}}, ConnectionLost, True),
    "DATA 554": ({"replies": {"DATA": b"554 5.6.0 no\r\n"}}, MessageRefused, False),
    "DATA 451": ({"replies": {"DATA": b"451 4.3.0 later\r\n"}}, MessageRefused, True),
    "DATA 421": ({"replies": {"DATA": b"421 4.3.2 bye\r\n"}}, ServerBusy, True),
    "DATA 250": ({"replies": {"DATA": b"250 queued\r\n"}}, RemoteProtocolError, True),
    "DATA twice": ({"replies": {"DATA": b"354 go\r\n250 queued\r\n"}}, RemoteProtocolError, True),
    "DATA garbage": ({"replies": {"DATA": b"go ahead\r\n"}}, RemoteProtocolError, True),
    "DATA closed": ({"replies": {"DATA": b""}}, ConnectionLost, True),
    "DATA silence": ({"replies": {"DATA": None}}, ConnectionLost, True),
    "cut at once": ({"cuts_after": 0}, ConnectionLost, True),
    "cut later": ({"cuts_after": 500_000}, ConnectionLost, True),
    "stalls": ({"stalls_after": 1}, ConnectionLost, True),
    "interrupted 552": ({"interrupts": (1000, b"552 5.3.4 too big\r\n")}, TooLargeToSend, False),
    "interrupted 554": ({"interrupts": (1000, b"554 5.6.0 virus\r\n")}, MessageRefused, False),
    "interrupted 421": ({"interrupts": (1000, b"421 4.3.2 bye\r\n")}, MessageRefused, True),
    "interrupted 250": ({"interrupts": (1000, b"250 queued\r\n")}, RemoteProtocolError, True),
    "interrupted, garbage": ({"interrupts": (1000, b"stop it\r\n")}, RemoteProtocolError, True),
    "over SIZE": ({"size": 100}, TooLargeToSend, False),
}
SILENCES = [script for name, (script, _, _) in REFUSALS.items() if name.endswith((" silence", "stalls"))]
"""What a deadline ends."""


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_whatever_fails_before_the_last_dot_sends_nothing(
    send: Send, refusal: tuple[dict[str, Any], type[BotError], bool]
) -> None:
    """Each step's failure has its family, none reaches the caller's last word, and no server has the mail."""
    script, expected, is_temporary = refusal
    limits = replace(HASTY, piece=HASTY.command) if script in SILENCES else PATIENT
    async with SmtpServer(**script) as server:
        sent = await send(server, LARGE, limits=limits)

    assert type(sent.error) is expected, sent.error
    assert isinstance(sent.error, BotError)
    assert sent.error.temporary is is_temporary
    assert sent.dots == 0
    assert not any(mail.has_dot for mail in server.transactions)
    assert "try again" not in sent.error.sentence


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
async def test_a_servers_words_stand_in_the_refusal_alone(send: Send, step: str) -> None:
    """What a server says about a mail is kept bounded for its sender, and stands in no traceback and no sentence."""
    words = b"550 secret\x1b[31m \xe2\x80\xaewords " + b"x" * 500 + b"\r\n"
    async with SmtpServer(replies={step: words}) as server:
        sent = await send(server)

    assert isinstance(sent.error, NotTaken)
    assert sent.error.said.startswith("secret [31m words xxx")
    assert len(sent.error.said) == 200
    assert "secret" not in "".join(traceback.format_exception(sent.error)) + sent.error.sentence
    assert "secret" not in repr(sent.error.replies)


async def test_a_wrong_password_sends_nothing_and_is_tried_once(send: Send) -> None:
    """A refused login is the login's error, after one try."""
    async with SmtpServer(extensions=("AUTH PLAIN LOGIN CRAM-MD5",)) as server:
        sent = await send(server, password="wrong")

    assert isinstance(sent.error, LoginRejected)
    assert server.commands.count("AUTH") == 1
    assert "MAIL" not in server.commands


@pytest.mark.parametrize(
    ("offers", "mail", "expected"),
    [
        (("8BITMIME",), MAIL, f"SIZE={len(OCTETS)}"),
        (("8BITMIME",), replace(MAIL, octets=UTF8), f"SIZE={len(UTF8)} BODY=8BITMIME"),
        (
            ("8BITMIME", "SMTPUTF8"),
            replace(MAIL, recipients=("jörg@b.example",)),
            f"SIZE={len(OCTETS)} SMTPUTF8",
        ),
        (
            ("8BITMIME", "SMTPUTF8"),
            replace(MAIL, octets=b"To: j\xc3\xb6rg@b.example\r\n" + OCTETS),
            f"SIZE={len(OCTETS) + 21} BODY=8BITMIME SMTPUTF8",
        ),
    ],
)
async def test_extensions_are_used_where_offered_and_needed(
    send: Send, offers: tuple[str, ...], mail: Submittable, expected: str
) -> None:
    """MAIL says what the mail needs, and no more."""
    async with SmtpServer(extensions=("AUTH PLAIN", *offers)) as server:
        sent = await send(server, mail)

    assert sent.error is None
    assert " ".join(server.kept[0].options) == expected
    assert server.kept[0].octets == mail.octets


async def test_a_server_of_seven_bits_gets_seven_bits(send: Send) -> None:
    """Without 8BITMIME the text is encoded, and says the same."""
    head = (
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    )
    async with SmtpServer(extensions=("AUTH PLAIN",), size=None) as server:
        sent = await send(server, replace(MAIL, octets=head + UTF8))

    assert sent.error is None
    assert server.kept[0].options == ()
    assert server.kept[0].octets.isascii()
    assert b"Gr=C3=BC=C3=9Fe" in server.kept[0].octets


async def test_international_addresses_need_a_server_that_takes_them(send: Send) -> None:
    """Without SMTPUTF8 such an address ends the session before MAIL."""
    async with SmtpServer() as server:
        sent = await send(server, replace(MAIL, recipients=(B, "jörg@b.example")))

    assert isinstance(sent.error, AddressesUnfit)
    assert "MAIL" not in server.commands


async def test_a_domain_of_other_letters_needs_no_such_server(send: Send) -> None:
    """The mailbox's own address may be spelled as its owner does; a domain has a form that all servers take."""
    async with SmtpServer() as server:
        sent = await send(server, replace(MAIL, sender="ada@bücher.example"))

    assert sent.error is None
    assert server.kept[0].sender == "ada@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "bad", ["", "a@b\r\nDATA", "a@b> SIZE=1", "<a@b", "a b@c", "a\0@b", "a@b\n", "a\ud800@b"]
)
@pytest.mark.parametrize("field", ["sender", "recipients"])
async def test_no_address_adds_to_a_command(send: Send, field: str, bad: str) -> None:
    """Addresses that could end their command or add to it reach no server."""
    mail = replace(MAIL, sender=bad) if field == "sender" else replace(MAIL, recipients=(B, bad))
    async with SmtpServer() as server:
        sent = await send(server, mail)

    assert isinstance(sent.error, LocalProtocolError)
    assert server.sessions == 0


@pytest.mark.parametrize(
    "error", [LookupError("undone"), TimeoutError(), ConnectionLost("of a database"), SystemExit(3)]
)
async def test_a_no_before_the_last_dot_sends_nothing(send: Send, error: BaseException) -> None:
    """Whatever the caller raises at its last word goes through unchanged, and the server never sees the dot."""

    async def refuse() -> None:
        raise error

    sentence = getattr(error, "sentence", None)
    async with SmtpServer() as server:
        caught: BaseException | None = None
        try:
            caught = (await send(server, LARGE, before_dot=refuse)).error
        except SystemExit as other:
            caught = other

    assert caught is error
    assert getattr(error, "sentence", None) == sentence
    assert [mail.has_dot for mail in server.transactions] == [False]
    assert server.commands[-1] == "DATA"


async def test_a_stop_before_the_last_dot_sends_nothing(send: Send) -> None:
    """A session that is cancelled while the caller thinks leaves the server without the mail."""
    reached = asyncio.Event()

    async def think() -> None:
        reached.set()
        await asyncio.Event().wait()

    async with SmtpServer() as server:
        task = asyncio.ensure_future(send(server, before_dot=think))
        await reached.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    assert task.cancelled()
    assert [mail.has_dot for mail in server.transactions] == [False]


@pytest.mark.parametrize("farewell", [b"", b"421 4.4.2 too slow\r\n"])
async def test_a_server_that_leaves_while_the_caller_thinks_has_nothing(send: Send, farewell: bytes) -> None:
    """A connection that is gone before the dot could be written is a failure before the dot."""
    async with SmtpServer() as server:

        async def hang_up() -> None:
            await server.hang_up(farewell)

        sent = await send(server, before_dot=hang_up)

    assert type(sent.error) is (MessageRefused if farewell else ConnectionLost)
    assert isinstance(sent.error, BotError)
    assert sent.error.temporary
    assert sent.dots == 1
    assert server.kept == []


async def test_a_server_that_drips_is_left_at_the_deadline_of_the_command(send: Send) -> None:
    """One octet at a time is no progress: each answer has one deadline as a whole."""
    async with SmtpServer(replies={"MAIL": b"250 ok, but slowly\r\n"}, drips={"MAIL": 0.1}) as server:
        sent = await send(server, limits=replace(HASTY, goodbye=timedelta(seconds=0.1)))

    assert isinstance(sent.error, ConnectionLost)
    assert "MAIL" in server.commands
