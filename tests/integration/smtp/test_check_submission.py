"""The outgoing server is tested as a mail program would sign in, without sending anything."""

from __future__ import annotations

import asyncio
import base64
import socket
import traceback
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult

from bot.errors import (
    BotError,
    CertificateInvalid,
    ConnectionLost,
    LocalProtocolError,
    LoginRejected,
    RemoteProtocolError,
    ServerBusy,
    ServerRefused,
    ServerUnreachable,
    Step,
    TlsUnavailable,
)
from bot.mail.hosts import Hosts
from storage.records import Security
from tests.fakes.smtp_server import SmtpServer
from tests.integration.smtp.conftest import HASTY, PATIENT, Attempt, server_context

if TYPE_CHECKING:
    import ssl

PLAIN_STEPS = [Step.NAME, Step.CONNECT, Step.GREETING, Step.LOGIN]


async def test_good_credentials_pass_on_an_unprotected_port_without_sending_mail(attempt: Attempt) -> None:
    """The right password passes, and the server sees a greeting, a sign-in and a goodbye only."""
    async with SmtpServer() as server:
        error, steps = await attempt(server)

    assert error is None
    assert steps == PLAIN_STEPS
    assert server.commands == ["EHLO", "AUTH", "QUIT"]


async def test_tls_is_spoken_from_the_first_octet(attempt: Attempt, server_tls: ssl.SSLContext) -> None:
    """With TLS the handshake comes before the greeting."""
    async with SmtpServer(tls=server_tls, is_implicit=True) as server:
        error, steps = await attempt(server, Security.TLS)

    assert error is None
    assert steps == [Step.NAME, Step.CONNECT, Step.TLS, Step.GREETING, Step.LOGIN]


async def test_starttls_asks_again_what_the_server_can_do(
    attempt: Attempt, server_tls: ssl.SSLContext
) -> None:
    """What is announced before STARTTLS counts for nothing; the password travels inside TLS only."""
    async with SmtpServer(
        tls=server_tls, extensions=("STARTTLS",), extensions_in_tls=("AUTH LOGIN",)
    ) as server:
        error, steps = await attempt(server, Security.STARTTLS)

    assert error is None
    assert steps == [Step.NAME, Step.CONNECT, Step.GREETING, Step.TLS, Step.LOGIN]
    assert server.commands[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize(("password", "expected"), [("correct horse", None), ("wrong", LoginRejected)])
async def test_each_mechanism_tells_right_from_wrong(
    attempt: Attempt, mechanism: str, password: str, expected: type[BotError] | None
) -> None:
    """Whatever single mechanism a server offers, a wrong password is called one."""
    async with SmtpServer(extensions=(f"AUTH {mechanism}",)) as server:
        error, steps = await attempt(server, password=password)

    assert type(error) is (expected or type(None))
    assert steps == PLAIN_STEPS


@pytest.mark.parametrize("asks_names", [True, False])
async def test_login_gives_the_password_only_when_the_name_was_taken(
    attempt: Attempt, *, asks_names: bool
) -> None:
    """A server that ignores a name behind AUTH LOGIN would read the password as the name, and log it."""
    async with SmtpServer(extensions=("AUTH LOGIN",), asks_names=asks_names) as server:
        error, _ = await attempt(server)

    assert error is None
    heard = ["AUTH LOGIN", *(base64.b64encode(word).decode() for word in (b"ada", b"correct horse"))]
    assert [line for line in server.lines if line in heard] == heard


async def test_a_wrong_password_is_tried_once(attempt: Attempt) -> None:
    """A refused password is not tried again by another mechanism: each refusal counts towards a lock."""
    async with SmtpServer(extensions=("AUTH CRAM-MD5 PLAIN LOGIN",)) as server:
        error, _ = await attempt(server, password="wrong")

    assert isinstance(error, LoginRejected)
    assert error.is_certain
    assert server.commands.count("AUTH") == 1


@pytest.mark.parametrize("code", [b"504 5.5.4", b"501", b"334"])
async def test_a_mechanism_the_server_does_not_know_after_all_gives_way_to_the_next(
    attempt: Attempt, code: bytes
) -> None:
    """A server that announces PLAIN and does not understand it is asked by LOGIN."""
    async with SmtpServer(replies={"AUTH PLAIN": code + b" what\r\n"}) as server:
        error, _ = await attempt(server)

    assert error is None
    assert server.commands.count("AUTH") == 2


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"535 5.7.8 no\r\n", LoginRejected),
        (b"534-5.7.9 application password\r\n534 5.7.9 needed\r\n", LoginRejected),
        (b"550 5.1.0 authentication failed\r\n", LoginRejected),
        (b"454 4.7.0 temporary authentication failure\r\n", ServerBusy),
        (b"421 4.7.0 too many logins\r\n", ServerBusy),
        (b"535 5.7.8 too many failed logins, try again later\r\n", ServerBusy),
        (b"538 5.7.11 encryption required\r\n", ServerRefused),
        (b"530 5.7.0 STARTTLS first\r\n", ServerRefused),
        (b"", ConnectionLost),
        (None, ConnectionLost),
        (b"hello\r\n", RemoteProtocolError),
        (b"2" * 70_000, RemoteProtocolError),
    ],
)
async def test_each_answer_to_the_sign_in_has_its_family(
    attempt: Attempt, reply: bytes | None, expected: type[BotError]
) -> None:
    """Bad password, busy server, missing encryption and silence are different things to the person."""
    limits = HASTY if reply is None else PATIENT
    async with SmtpServer(extensions=("AUTH PLAIN",), replies={"AUTH": reply}) as server:
        error, steps = await attempt(server, limits=limits)

    assert type(error) is expected
    assert steps == PLAIN_STEPS


@pytest.mark.parametrize("code", [b"535", b"454", b"334"])
async def test_what_the_server_repeats_stands_in_no_traceback(attempt: Attempt, code: bytes) -> None:
    """A server that answers with the password it was given puts it into no error, nor into what caused it."""
    async with SmtpServer(
        extensions=("AUTH PLAIN",), replies={"AUTH": code + b" no open-sesame\r\n"}
    ) as server:
        error, _ = await attempt(server, password="open-sesame")

    assert error is not None
    assert "sesame" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [
        (b"+OK POP3 ready\r\n", ServerUnreachable),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ServerUnreachable),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ServerUnreachable),
        (b"* OK IMAP ready\r\n", ServerUnreachable),
        (b"250 what\r\n", ServerUnreachable),
        (b"x" * 100_000, ServerUnreachable),
        (None, ServerUnreachable),
        (b"421 4.3.2 shutting down\r\n", ServerBusy),
        (b"554 5.7.1 no service here\r\n", ServerRefused),
    ],
)
async def test_what_greets_in_another_tongue_is_no_mail_server(
    attempt: Attempt, greeting: bytes | None, expected: type[BotError]
) -> None:
    """Silence, POP3, IMAP, SSH or a web server read like nobody being there."""
    limits = HASTY if greeting is None else PATIENT
    async with SmtpServer(greeting=greeting) as server:
        error, steps = await attempt(server, limits=limits)

    assert type(error) is expected
    assert steps[-1] is Step.GREETING
    assert server.lines == []


async def test_closed_and_silent_ports_share_their_words(attempt: Attempt, unused_tcp_port: int) -> None:
    """Nobody learns from the wording what stands at an address."""
    async with SmtpServer(greeting=None) as silent:
        errors = [(await attempt(where, limits=HASTY))[0] for where in (unused_tcp_port, silent)]

    assert [str(type(error).__name__) for error in errors] == ["ServerUnreachable"] * 2
    assert len({error.sentence for error in errors if error}) == 1


@pytest.mark.parametrize("replies", [{}, {"STARTTLS": b"502 no\r\n"}])
async def test_required_starttls_that_is_missing_ends_before_the_password(
    attempt: Attempt, replies: dict[str, bytes | None]
) -> None:
    """A server without STARTTLS never sees the password, announced or not."""
    offered = ("AUTH PLAIN", *(["STARTTLS"] if replies else []))
    async with SmtpServer(extensions=offered, replies=replies) as server:
        error, steps = await attempt(server, Security.STARTTLS)

    assert isinstance(error, TlsUnavailable)
    assert "587" in error.sentence
    assert steps[-1] is Step.TLS
    assert "AUTH" not in server.commands


@pytest.mark.parametrize("surplus", [b"250 injected\r\n", b"2", b"250-AUTH PLAIN\r\n250 OK\r\n"])
async def test_octets_smuggled_in_before_the_handshake_end_the_session(
    attempt: Attempt, server_tls: ssl.SSLContext, surplus: bytes
) -> None:
    """Somebody on the path who adds an answer behind STARTTLS gets no password."""
    async with SmtpServer(tls=server_tls, extensions=("STARTTLS", "AUTH PLAIN"), surplus=surplus) as server:
        error, _ = await attempt(server, Security.STARTTLS)

    assert isinstance(error, RemoteProtocolError)
    assert "AUTH" not in server.commands


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_certificate_for_another_name_is_refused(
    attempt: Attempt, authority: trustme.CA, security: Security
) -> None:
    """The name that was typed must be proven, by TLS and by STARTTLS alike."""
    tls = server_context(authority, "other.example")
    is_implicit = security is Security.TLS
    async with SmtpServer(tls=tls, is_implicit=is_implicit, extensions=("STARTTLS", "AUTH PLAIN")) as server:
        error, steps = await attempt(server, security)

    assert isinstance(error, CertificateInvalid)
    assert "localhost" not in "".join(traceback.format_exception(error))
    assert steps[-1] is Step.TLS
    assert "AUTH" not in server.commands


async def test_an_unknown_authority_is_refused(attempt: Attempt) -> None:
    """A certificate nobody vouches for is not trusted."""
    async with SmtpServer(tls=server_context(trustme.CA(), "localhost"), is_implicit=True) as server:
        error, _ = await attempt(server, Security.TLS)

    assert isinstance(error, CertificateInvalid)


@pytest.mark.parametrize("security", [Security.TLS, Security.NONE])
async def test_the_wrong_kind_of_protection_reads_as_nobody_there(
    attempt: Attempt, server_tls: ssl.SSLContext, security: Security
) -> None:
    """TLS to a plain port, or plain text to a TLS port, points at the security setting."""
    async with SmtpServer(tls=server_tls, is_implicit=security is Security.NONE) as server:
        error, _ = await attempt(server, security, limits=HASTY)

    assert isinstance(error, ServerUnreachable)
    assert "security" in error.sentence


@pytest.mark.parametrize(
    ("extensions", "words"),
    [((), "no sign-in on this port"), (("STARTTLS",), "encrypted"), (("AUTH XOAUTH2 GSSAPI",), "OAuth")],
)
async def test_a_server_without_a_usable_sign_in_is_told_apart(
    attempt: Attempt, extensions: tuple[str, ...], words: str
) -> None:
    """No AUTH, AUTH inside TLS only, and OAuth only each have a sentence of their own."""
    async with SmtpServer(extensions=extensions) as server:
        error, steps = await attempt(server)

    assert isinstance(error, ServerRefused)
    assert words in error.sentence
    assert steps == PLAIN_STEPS


async def test_a_server_that_knows_no_ehlo_takes_no_sign_in(attempt: Attempt) -> None:
    """A server from before extensions cannot take a password."""
    async with SmtpServer(replies={"EHLO": b"500 what?\r\n"}) as server:
        error, _ = await attempt(server)

    assert isinstance(error, ServerRefused)
    assert "no sign-in" in error.sentence


@pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\0b", "a\r\nMAIL FROM:<x>", "a\ud800b"])
@pytest.mark.parametrize("field", ["user", "password"])
async def test_a_line_break_in_credentials_reaches_no_server(attempt: Attempt, field: str, bad: str) -> None:
    """Credentials that could smuggle in a command are refused before anything is written."""
    async with SmtpServer() as server:
        error, steps = await attempt(server, **{field: bad})

    assert isinstance(error, LocalProtocolError)
    assert steps == []
    assert server.sessions == 0


async def test_passwords_beyond_ascii_pass(attempt: Attempt) -> None:
    """Letters outside ASCII, spaces and colons are sent as they are."""
    async with SmtpServer(accounts={"ädä": "pä ß: ☂"}) as server:
        error, _ = await attempt(server, user="ädä", password="pä ß: ☂")

    assert error is None


async def test_a_server_that_drips_is_left_at_the_deadline(attempt: Attempt) -> None:
    """One octet at a time does not hold the check beyond its deadline."""
    limits = replace(PATIENT, total=timedelta(seconds=0.5))
    async with SmtpServer(drip=0.2) as server:
        error, _ = await attempt(server, limits=limits)

    assert isinstance(error, ServerUnreachable)


@pytest.mark.parametrize("reply", [b"", None, b"500 no\r\n", b"garbage\r\n"])
async def test_how_the_server_takes_the_goodbye_changes_nothing(
    attempt: Attempt, reply: bytes | None
) -> None:
    """Accepted credentials stay accepted whatever happens at QUIT."""
    limits = replace(PATIENT, goodbye=timedelta(seconds=0.2))
    async with SmtpServer(replies={"QUIT": reply}) as server:
        error, _ = await attempt(server, limits=limits)

    assert error is None


async def test_a_second_address_is_tried_when_nobody_listens_at_the_first(attempt: Attempt) -> None:
    """A name with several addresses is reached while one of them answers."""

    async def two_addresses(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))
            for address in ("127.0.0.2", "127.0.0.1")
        ]

    async with SmtpServer() as server:
        error, _ = await attempt(server, hosts=Hosts({"localhost"}, resolve=two_addresses))

    assert error is None


@pytest.mark.parametrize(("password", "expected"), [("correct horse", None), ("wrong", LoginRejected)])
async def test_another_authors_server_agrees(
    attempt: Attempt, server_tls: ssl.SSLContext, password: str, expected: type[BotError] | None
) -> None:
    """aiosmtpd, whose author is not ours, takes our STARTTLS and sign-in."""

    def judge(
        _server: object, _session: object, _envelope: object, _mechanism: str, data: object
    ) -> AuthResult:
        return AuthResult(success=getattr(data, "password", b"") == b"correct horse", handled=False)

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(object(), tls_context=server_tls, require_starttls=True, authenticator=judge, loop=loop),
        "127.0.0.1",
        0,
    )
    async with listening:
        error, _ = await attempt(listening.sockets[0].getsockname()[1], Security.STARTTLS, password=password)

    assert type(error) is (expected or type(None))
