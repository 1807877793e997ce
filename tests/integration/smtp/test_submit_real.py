"""Postfix and Exim, as Debian has them, take what is sent, octet for octet, and refuse as they do."""

from __future__ import annotations

import base64
import itertools
import os
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from bot.errors import BotError, LoginRejected
from bot.mail.hosts import Hosts
from bot.mail.smtp import Reply, Submittable, check_submission, submit
from bot.sending_errors import MessageRefused, RecipientsRefused, SenderRefused, TooLargeToSend
from storage.records import Secret, Security, ServerAddress
from tests.fakes import dovecot
from tests.fakes.certificates import Certificates
from tests.fakes.real_servers import exim, postfix
from tests.fakes.real_servers.private_root import PASSWORD, USER, why_forbidden, why_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

Server = postfix.Postfix | exim.Exim
SERVERS: Final[dict[str, type[Server]]] = {postfix.NAME: postfix.Postfix, exim.NAME: exim.Exim}
SENDER = "anna@a.example"
_NUMBERS = itertools.count(1)


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"real-{name}")) for name in SERVERS],
)
def name(request: pytest.FixtureRequest) -> str:
    """Which server."""
    return str(request.param)


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    """The only authority the client trusts."""
    return Certificates()


@pytest.fixture(scope="module")
def server(name: str, certificates: Certificates) -> Iterator[Server]:
    """The server, running; missing is a failure where everything has to be there."""
    reason = why_missing(name) or (dovecot.why_missing() if name == postfix.NAME else None)
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason := reason or why_forbidden():
        pytest.skip(reason)
    with SERVERS[name](certificates) as running:
        yield running


@pytest.fixture(params=[Security.TLS, Security.STARTTLS])
def security(request: pytest.FixtureRequest) -> Security:
    """Each kind of protection that there is for submission."""
    return Security(request.param)


def mail(body: bytes, *recipients: str, subject: str = "hello", more: bytes = b"") -> Submittable:
    """A mail with a Message-ID of its own."""
    header = (
        f"From: {SENDER}\r\nTo: b@b.example\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
        f"Message-ID: <{next(_NUMBERS)}.{os.getpid()}@a.example>\r\nMIME-Version: 1.0\r\n"
    )
    return Submittable(SENDER, recipients or ("b@b.example",), header.encode() + more + b"\r\n" + body)


def id_of(sent: Submittable) -> str:
    """The Message-ID."""
    return sent.octets.split(b"Message-ID: ")[1].split(b"\r\n")[0].decode()


async def nothing() -> None:
    """Raises no objection."""


async def send(
    server: Server,
    sent: Submittable,
    certificates: Certificates,
    security: Security = Security.TLS,
    password: str = PASSWORD,
) -> tuple[Reply, ...]:
    """Send a mail as the server's one user."""
    return await submit(
        ServerAddress("localhost", server.ports[security], security),
        USER,
        Secret(password),
        sent,
        hosts=Hosts({"localhost"}),
        tls=certificates.client(),
        before_dot=nothing,
    )


async def test_the_test_signs_in(server: Server, certificates: Certificates, security: Security) -> None:
    """The connection test takes the right password."""
    await check_submission(
        ServerAddress("localhost", server.ports[security], security),
        USER,
        Secret(PASSWORD),
        hosts=Hosts({"localhost"}),
        tls=certificates.client(),
        on_step=lambda _step: None,
    )


BODIES: Final = {
    "plain": b"Hello.\r\n",
    "dots": b".\r\n..\r\n...\r\n.a\r\n\r\n.\r\n.\r\n",
    "8bit": "Grüße aus Köln, 東京 und Ωmega\r\n".encode() * 50,
    "long lines": (b"x" * 990 + b"\r\n" + b"." * 990 + b"\r\n") * 20,
    "empty lines": b"\r\n" * 100 + b"end\r\n" + b"\r\n" * 10,
    "attachments": base64.encodebytes(random.Random(7).randbytes(300_000)).replace(b"\n", b"\r\n"),
    "5 MB": base64.encodebytes(random.Random(8).randbytes(3_700_000)).replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_every_octet_arrives(
    server: Server, certificates: Certificates, security: Security, body: bytes
) -> None:
    """What the server delivers ends in exactly what was sent."""
    sent = mail(body, more=b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n")

    replies = await send(server, sent, certificates, security)

    assert [(reply.code, reply.is_taken) for reply in replies] == [(250, True)]
    copies = server.mail.of(id_of(sent), 1)
    assert len(copies) == 1
    assert copies[0].endswith(sent.octets.replace(b"\r\n", b"\n"))


async def test_line_ends_that_are_none_become_some(server: Server, certificates: Certificates) -> None:
    """A lone dot between bare line ends ends no mail and begins none; one mail arrives, with its words in order."""
    sent = mail(b"one\n.\nMAIL FROM:<other@a.example>\r.\rtwo\r.\r\nthree")

    await send(server, sent, certificates)

    copies = server.mail.of(id_of(sent), 1)
    assert copies[0].endswith(b"\n\none\n.\nMAIL FROM:<other@a.example>\n.\ntwo\n.\nthree\n")


async def test_twenty_recipients_some_refused(server: Server, certificates: Certificates) -> None:
    """Those who were taken get one copy each; the others are named with their codes."""
    good = [f"r{number}@b.example" for number in range(17)]
    recipients = (*good[:5], "no@b.example", *good[5:], "later@b.example", "full@b.example")
    sent = mail(b"Hello, all.\r\n", *recipients)

    replies = {reply.recipient: reply for reply in await send(server, sent, certificates)}

    assert tuple(replies) == recipients
    assert {address for address, reply in replies.items() if reply.is_taken} == set(good)
    assert (replies["no@b.example"].code, replies["no@b.example"].is_temporary) == (550, False)
    assert "no such user here" in replies["no@b.example"].words
    assert replies["later@b.example"].is_temporary
    assert replies["full@b.example"].is_temporary
    copies = server.mail.of(id_of(sent), len(good))
    assert len(copies) == len(good)


async def test_addresses_beyond_ascii_arrive(server: Server, certificates: Certificates) -> None:
    """Both servers know SMTPUTF8, for the envelope and for a header with such an address."""
    sent = mail(b"Hello.\r\n", "jörg@b.example", "b@b.example", more="Cc: jörg@b.example\r\n".encode())

    replies = await send(server, sent, certificates)

    assert all(reply.is_taken for reply in replies)
    copies = server.mail.of(id_of(sent), 2)
    assert all("Cc: jörg@b.example\n".encode() in copy for copy in copies)


REFUSALS: Final[dict[str, tuple[Submittable, type[BotError], bool]]] = {
    "sender": (replace(mail(b"x\r\n"), sender="other@a.example"), SenderRefused, False),
    "recipient": (mail(b"x\r\n", "no@b.example"), RecipientsRefused, False),
    "recipient, later": (mail(b"x\r\n", "later@b.example", "no@b.example"), RecipientsRefused, True),
    "content": (mail(b"x\r\n", subject="refuse me"), MessageRefused, False),
    "size": (mail(b"x" * 78 + b"\r\n" * 11_000_000), TooLargeToSend, False),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_each_refusal_is_the_right_one(
    server: Server, certificates: Certificates, refusal: tuple[Submittable, type[BotError], bool]
) -> None:
    """Sender, recipients, content and size are told apart as these servers refuse them."""
    sent, expected, is_temporary = refusal

    with pytest.raises(BotError) as caught:
        await send(server, sent, certificates)

    assert type(caught.value) is expected
    assert caught.value.temporary is is_temporary


async def test_a_wrong_password_is_certain(
    server: Server, certificates: Certificates, security: Security
) -> None:
    """Both servers say by their code that it is the password."""
    with pytest.raises(LoginRejected) as caught:
        await send(server, mail(b"x\r\n"), certificates, security, "wrong")

    assert caught.value.is_certain


async def test_a_no_before_the_last_dot_leaves_nothing_behind(
    server: Server, certificates: Certificates, security: Security
) -> None:
    """A real server that was left before the dot delivers nothing, small or large, and takes the next mail."""

    async def refuse() -> None:
        raise LookupError

    undone = [mail(b"never\r\n"), mail(b"never\r\n" * 100_000)]
    for each in undone:
        with pytest.raises(LookupError):
            await submit(
                ServerAddress("localhost", server.ports[security], security),
                USER,
                Secret(PASSWORD),
                each,
                hosts=Hosts({"localhost"}),
                tls=certificates.client(),
                before_dot=refuse,
            )
    after = mail(b"sent\r\n")
    await send(server, after, certificates, security)

    server.mail.of(id_of(after), 1)
    assert [server.mail.of(id_of(each), 0) for each in undone] == [[], []]
