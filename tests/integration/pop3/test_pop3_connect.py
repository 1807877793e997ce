"""From a name to a session that is ready for the login, and every way in which that fails."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import (
    BotError,
    CertificateInvalid,
    ConnectionLost,
    RemoteProtocolError,
    ServerBusy,
    ServerRefused,
    ServerUnreachable,
    Step,
    TlsUnavailable,
)
from bot.mail.hosts import Hosts
from bot.mail.pop3_client import Limits, Session
from storage.records import Secret, Security, ServerAddress
from tests.fakes.certificates import Certificates
from tests.fakes.pop3_server import Answer, Dialogue, Pop3Server, drip, hang_up, silence
from tests.integration.pop3.conftest import HASTY, PATIENT

if TYPE_CHECKING:
    import ssl

Open = Callable[..., Awaitable[Session]]

N, C, T, G, A, L = Step.NAME, Step.CONNECT, Step.TLS, Step.GREETING, Step.CAPABILITIES, Step.LOGIN


async def refusal(connecting: Open, server: ServerAddress, **arguments: Any) -> tuple[BotError, Step]:
    """How a connection failed, and the step it had begun."""
    steps: list[Step] = []
    with pytest.raises(BotError) as caught:
        await connecting(server, on_step=steps.append, **arguments)
    return caught.value, steps[-1]


@pytest.mark.parametrize(
    "case",
    [
        (Security.NONE, None, [N, C, G, A, L], ["CAPA"]),
        (Security.NONE, frozenset({"SASL PLAIN"}), [N, C, G, L], []),
        (Security.TLS, None, [N, C, T, G, A, L], ["CAPA"]),
        (Security.TLS, frozenset({"SASL PLAIN"}), [N, C, T, G, L], []),
        (Security.STARTTLS, None, [N, C, G, A, T, A, L], ["CAPA", "STLS", "CAPA"]),
        (Security.STARTTLS, frozenset({"SASL PLAIN"}), [N, C, G, T, L], ["STLS"]),
    ],
)
async def test_steps_are_told_as_they_begin(
    certificates: Certificates,
    connecting: Open,
    case: tuple[Security, frozenset[str] | None, list[Step], list[str]],
) -> None:
    """What is remembered saves asking; CAPA is asked again inside TLS."""
    security, remembered, steps, commands = case
    told: list[Step] = []
    async with Pop3Server(security=security, tls=certificates.server()) as server:
        session = await connecting(server.address, remembered=remembered, on_step=told.append)
        await session.login("user@example.org", Secret("correct"))
        session.abort()

        assert told == steps
        assert server.commands[:-1] == commands
        assert server.commands[-1].startswith("AUTH PLAIN ")


async def banner(dialogue: Dialogue, line: str) -> None:
    """What a web server says when it has waited long enough."""
    await dialogue.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    dialogue.close()


@pytest.mark.parametrize(
    ("greeting", "limits"),
    [
        (banner, PATIENT),
        (silence, HASTY),
        (hang_up, PATIENT),
        (b"220 smtp\r\n", PATIENT),
        (b"* OK imap\r\n", PATIENT),
        (b"SSH-2.0-x\r\n", PATIENT),
        (b"\xff" * 9000, PATIENT),
        (b"+OK", HASTY),
        (drip(b"+OK hello\r\n", 0.2), HASTY),
    ],
    ids=["http", "silent", "closed", "smtp", "imap", "ssh", "octets", "half", "drip"],
)
async def test_what_is_no_mail_server_reads_like_nobody_there(
    connecting: Open, greeting: Answer, limits: Limits
) -> None:
    """One wording for all, so that nobody learns what listens on a port."""
    async with Pop3Server(greeting=greeting) as server:
        error, step = await refusal(connecting, server.address)

        assert (type(error), error.sentence, step) == (ServerUnreachable, ServerUnreachable.words, G)
        await server.all_gone()


async def test_a_closed_port_reads_the_same(connecting: Open) -> None:
    """Refused connections are unreachable servers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    error, step = await refusal(connecting, ServerAddress("localhost", port, Security.NONE))

    assert (type(error), error.sentence, step) == (ServerUnreachable, ServerUnreachable.words, C)


@pytest.fixture
def filtered() -> Iterator[int]:
    """A port whose queue is full, so that nobody answers."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


async def test_a_filtered_port_reads_the_same(connecting: Open, limits: Limits, filtered: int) -> None:
    """Silence ends with the deadline for connecting."""
    short = replace(limits, connect=timedelta(seconds=0.2))

    error, step = await refusal(connecting, ServerAddress("127.0.0.1", filtered, Security.NONE), limits=short)

    assert (type(error), error.sentence, step) == (ServerUnreachable, ServerUnreachable.words, C)


async def test_a_name_that_is_never_resolved_reads_the_same(connecting: Open, limits: Limits) -> None:
    """The look-up shares the deadline."""

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        never: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        return await never

    short = replace(limits, connect=timedelta(seconds=0.05))
    hosts = Hosts(["mail.test"], resolve)

    error, step = await refusal(
        connecting, ServerAddress("mail.test", 995, Security.NONE), limits=short, hosts=hosts
    )

    assert (type(error), error.sentence, step) == (ServerUnreachable, ServerUnreachable.words, N)


async def test_the_next_address_is_tried(connecting: Open) -> None:
    """A name whose first address is dead still works."""

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in ("127.0.0.9", "127.0.0.1")]

    async with Pop3Server() as server:
        session = await connecting(
            replace(server.address, host="mail.test"), hosts=Hosts(["mail.test"], resolve)
        )

        assert "UIDL" in session.capabilities
        session.abort()


@pytest.mark.parametrize(
    ("greeting", "family"),
    [
        (b"-ERR [SYS/TEMP] too many connections\r\n", ServerBusy),
        (b"-ERR shutting down\r\n", ServerBusy),
        (b"-ERR [SYS/PERM] no POP here\r\n", ServerRefused),
    ],
)
async def test_a_refused_greeting(connecting: Open, greeting: bytes, family: type[BotError]) -> None:
    """A mail server that does not want us is not an unreachable one."""
    async with Pop3Server(greeting=greeting) as server:
        error, step = await refusal(connecting, server.address)

        assert (type(error), step) == (family, G)


# TLS


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1"])
async def test_a_certificate_proves_the_host_as_typed(
    certificates: Certificates, connecting: Open, security: Security, host: str
) -> None:
    """By name and by address; SNI is sent for names alone."""
    asked: list[str | None] = []
    context = certificates.server()
    context.sni_callback = lambda _sock, name, _context: asked.append(name)
    async with Pop3Server(security=security, tls=context) as server:
        session = await connecting(replace(server.address, host=host))
        session.abort()

    assert asked == [None if host == "127.0.0.1" else "localhost"]


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
@pytest.mark.parametrize(
    "context",
    [lambda ours: ours.server("mail.example.org"), lambda ours: Certificates().server()],
    ids=["another name", "another authority"],
)
async def test_a_certificate_that_proves_nothing_is_refused(
    certificates: Certificates,
    connecting: Open,
    security: Security,
    context: Callable[[Certificates], ssl.SSLContext],
) -> None:
    """Before anything is said; the error names no host."""
    async with Pop3Server(security=security, tls=context(certificates)) as server:
        error, step = await refusal(connecting, server.address)

        assert (type(error), step) == (CertificateInvalid, T)
        assert "localhost" not in str(error)
        assert "example" not in str(error)
        await server.all_gone()
    assert "CAPA" not in server.commands[2:]


@pytest.mark.parametrize("greeting", [b"+OK pop in clear\r\n", banner], ids=["pop3", "http"])
async def test_a_port_without_tls_reads_like_nobody_there(connecting: Open, greeting: Answer) -> None:
    """An answer in clear to a TLS handshake may come from anything, and says as little as a closed port."""
    async with Pop3Server(greeting=greeting) as server:
        error, step = await refusal(connecting, replace(server.address, security=Security.TLS))

        assert (type(error), step) == (ServerUnreachable, T)
        await server.all_gone()


@pytest.mark.parametrize(
    ("greeting", "limits"), [(silence, HASTY), (hang_up, PATIENT)], ids=["hangs", "closes"]
)
async def test_a_handshake_without_an_answer_reads_like_nobody_there(
    connecting: Open, greeting: Answer, limits: Limits
) -> None:
    """Within its deadline, and the socket is closed."""
    async with Pop3Server(greeting=greeting) as server:
        error, step = await refusal(connecting, replace(server.address, security=Security.TLS))

        assert (type(error), step) == (ServerUnreachable, T)
        await server.all_gone()


@pytest.mark.parametrize(
    "answers",
    [{}, {"CAPA": b"-ERR what\r\n"}, {"CAPA": b"+OK\r\nSTLS\r\n.\r\n", "STLS": b"-ERR not now\r\n"}],
    ids=["not announced", "no CAPA", "refused"],
)
async def test_required_stls_is_required(connecting: Open, answers: dict[str, Answer]) -> None:
    """A server without STLS gets no password."""
    async with Pop3Server(answers=answers) as server:
        error, step = await refusal(connecting, replace(server.address, security=Security.STARTTLS))

        assert (type(error), step) == (TlsUnavailable, T)
        assert not {"USER", "PASS", "AUTH"} & {line.split(" ")[0] for line in server.commands}


async def test_what_is_remembered_does_not_soften_stls(connecting: Open) -> None:
    """A server that has lost STLS since is refused just so."""
    async with Pop3Server() as server:
        error, _ = await refusal(
            connecting, replace(server.address, security=Security.STARTTLS), remembered=frozenset({"STLS"})
        )

        assert isinstance(error, TlsUnavailable)


@pytest.mark.parametrize("injected", [b"+OK\r\n", b"+OK\r\n.\r\n", b"-ERR", b"\x16\x03"])
async def test_octets_before_the_handshake_end_the_session(
    certificates: Certificates, connecting: Open, injected: bytes
) -> None:
    """An answer injected in clear is never read as one that came through TLS."""

    async def answer(dialogue: Dialogue, line: str) -> None:
        await dialogue.write(b"+OK begin\r\n" + injected)
        await dialogue.start_tls()

    async with Pop3Server(
        security=Security.STARTTLS, tls=certificates.server(), answers={"STLS": answer}
    ) as server:
        error, step = await refusal(connecting, server.address)

        assert (type(error), step) == (RemoteProtocolError, T)
        await server.all_gone()
        assert server.commands == ["CAPA", "STLS"]


async def hang(dialogue: Dialogue, line: str) -> None:
    """Agrees to TLS and never begins."""
    await dialogue.write(b"+OK\r\n")
    await dialogue.end_of_input()


@pytest.mark.parametrize(
    ("answer", "family", "limits"),
    [
        (hang, ConnectionLost, replace(PATIENT, handshake=HASTY.handshake)),
        (drip(b"+OK\r\nXXXXXXXX", 0.02), TlsUnavailable, PATIENT),
        (b"maybe\r\n", RemoteProtocolError, PATIENT),
    ],
    ids=["hangs", "no TLS", "no status"],
)
async def test_stls_that_leads_nowhere(
    certificates: Certificates, connecting: Open, answer: Answer, family: type[BotError], limits: Limits
) -> None:
    """The session ends without a word in clear."""
    async with Pop3Server(
        security=Security.STARTTLS, tls=certificates.server(), answers={"STLS": answer}
    ) as server:
        error, step = await refusal(connecting, server.address)

        assert (type(error), step) == (family, T)
        await server.all_gone()


async def logged_in(connecting: Open, server: ServerAddress) -> Session:
    """A session with an open maildrop."""
    session = await connecting(server)
    await session.login("user@example.org", Secret("correct"))
    return session


@pytest.mark.parametrize(
    ("answer", "family", "limits"),
    [
        (silence, ConnectionLost, HASTY),
        (hang_up, ConnectionLost, PATIENT),
        (b"+OK\r\n" + b"X" * 9000, RemoteProtocolError, PATIENT),
        (b"+OK\r\n" + b"X\r\n" * 9000, RemoteProtocolError, PATIENT),
        (b"hello\r\n", RemoteProtocolError, PATIENT),
        (b"+OK\r\nUIDL\r\n.\r\n+OK\r\n", RemoteProtocolError, PATIENT),
    ],
)
async def test_a_broken_answer_to_capa(
    connecting: Open, answer: Answer, family: type[BotError], limits: Limits
) -> None:
    """After a greeting it is a mail server, and a bad one."""
    async with Pop3Server(answers={"CAPA": answer}) as server:
        with pytest.raises(family):
            await logged_in(connecting, server.address)
        await server.all_gone()


async def test_a_server_without_capa_has_no_capabilities(connecting: Open) -> None:
    """Old servers answer -ERR, and USER and PASS serve."""
    async with Pop3Server(answers={"CAPA": b"-ERR unknown command\r\n"}) as server:
        session = await connecting(server.address)
        await session.login("user@example.org", Secret("correct"))

        assert session.capabilities == frozenset()
        assert server.commands == ["CAPA", "USER user@example.org", "PASS correct"]
        session.abort()


@pytest.mark.parametrize("security", list(Security))
async def test_cancelling_closes_the_socket(connecting: Open, security: Security) -> None:
    """While waiting for a greeting, and in the middle of a handshake."""
    reached = asyncio.Event()

    async def stop(dialogue: Dialogue, line: str) -> None:
        await dialogue.write(b"+OK\r\n" if line else b"")
        reached.set()
        await dialogue.end_of_input()

    async def open_it() -> Session:
        return await connecting(replace(server.address, security=security), limits=Limits())

    greeting = b"+OK\r\n" if security is Security.STARTTLS else stop
    async with Pop3Server(greeting=greeting, capabilities=("STLS",), answers={"STLS": stop}) as server:
        task = asyncio.create_task(open_it())
        await reached.wait()
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        await server.all_gone()
