"""The login: which command, how often, and what a refusal means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.errors import (
    BotError,
    ConnectionLost,
    LocalProtocolError,
    LoginRejected,
    MaildropBusy,
    RemoteProtocolError,
    ServerBusy,
    ServerRefused,
)
from bot.mail.pop3_client import Limits, Session
from storage.records import Secret
from tests.fakes.pop3_server import CAPABILITIES, Answer, Dialogue, Pop3Server, hang_up, silence
from tests.integration.pop3.conftest import HASTY, PATIENT

Open = Callable[..., Awaitable[Session]]

USER = "user@example.org"
NO_PLAIN = tuple(line for line in CAPABILITIES if "PLAIN" not in line)


def logins(server: Pop3Server) -> list[str]:
    """The commands of the login, without what they carry."""
    verbs = [line.split(" ")[0] for line in server.commands]
    return [verb for verb in verbs if verb in {"AUTH", "USER", "PASS"}]


@pytest.mark.parametrize(
    ("capabilities", "verbs"),
    [(CAPABILITIES, ["AUTH"]), (NO_PLAIN, ["USER", "PASS"]), ((), ["USER", "PASS"])],
)
async def test_the_login_fits_what_is_announced(
    connecting: Open, capabilities: tuple[str, ...], verbs: list[str]
) -> None:
    """AUTH PLAIN takes one round trip, USER and PASS two."""
    async with Pop3Server(capabilities=capabilities) as server, await connecting(server.address) as session:
        await session.login(USER, Secret("correct"))

        assert logins(server) == verbs


async def test_a_long_password_goes_on_a_line_of_its_own(connecting: Open) -> None:
    """RFC 2449 allows a command 255 octets."""
    word = "ü" * 300
    async with Pop3Server(password=word) as server, await connecting(server.address) as session:
        await session.login(USER, Secret(word))

        assert "AUTH PLAIN" in server.commands


@pytest.mark.parametrize(
    "security_text", ["Unknown AUTH mechanism", "command not implemented", "syntax error"]
)
async def test_a_server_that_does_not_know_auth_is_asked_otherwise(
    connecting: Open, security_text: str
) -> None:
    """What was announced in error does not keep anybody out."""
    answers: dict[str, Answer] = {"AUTH": f"-ERR {security_text}\r\n".encode()}
    async with Pop3Server(answers=answers) as server, await connecting(server.address) as session:
        await session.login(USER, Secret("correct"))

        assert logins(server) == ["AUTH", "USER", "PASS"]


@pytest.mark.parametrize("code", ["[AUTH] ", ""])
@pytest.mark.parametrize("capabilities", [CAPABILITIES, NO_PLAIN])
async def test_a_wrong_password_is_tried_once(
    connecting: Open, capabilities: tuple[str, ...], code: str
) -> None:
    """A second attempt could lock the account."""
    refused = f"-ERR {code}Authentication failed for user@example.org with wrong-canary\r\n".encode()
    answers: dict[str, Answer] = {"AUTH": refused, "PASS": refused}
    async with (
        Pop3Server(capabilities=capabilities, answers=answers) as server,
        await connecting(server.address) as session,
    ):
        with pytest.raises(LoginRejected) as caught:
            await session.login(USER, Secret("wrong-canary"))

        assert caught.value.is_certain == bool(code)
        assert (logins(server).count("AUTH"), logins(server).count("PASS")) in {(1, 0), (0, 1)}
        assert "canary" not in f"{caught.value!r} {caught.value.detail} {caught.value.sentence}"
        assert "example" not in f"{caught.value!r} {caught.value.detail} {caught.value.sentence}"


async def login_and_noop(session: Session) -> None:
    """The login, and a command that shows whether it stands."""
    await session.login(USER, Secret("correct"))
    await session.noop()


@pytest.mark.parametrize(
    ("answer", "family", "limits"),
    [
        (b"-ERR [IN-USE] locked\r\n", MaildropBusy, PATIENT),
        (b"-ERR too many logins, try again later\r\n", ServerBusy, PATIENT),
        (b"-ERR [SYS/PERM] no POP\r\n", ServerRefused, PATIENT),
        (b"+OK\r\n+OK\r\n", RemoteProtocolError, PATIENT),
        (b"maybe\r\n", RemoteProtocolError, PATIENT),
        (hang_up, ConnectionLost, PATIENT),
        (silence, ConnectionLost, HASTY),
    ],
)
@pytest.mark.parametrize("verb", ["AUTH", "PASS"])
async def test_other_ends_of_a_login(
    connecting: Open, verb: str, answer: Answer, family: type[BotError], limits: Limits
) -> None:
    """Busy, refused, broken and lost are different things; none says that the password is wrong."""
    capabilities = CAPABILITIES if verb == "AUTH" else NO_PLAIN
    async with (
        Pop3Server(capabilities=capabilities, answers={verb: answer}) as server,
        await connecting(server.address) as session,
    ):
        with pytest.raises(family):
            await login_and_noop(session)

        assert logins(server).count(verb) == 1


async def test_a_server_that_asks_for_ever_is_left(connecting: Open) -> None:
    """A second challenge to PLAIN is declined, a third ends the session."""
    said: list[str] = []

    async def ask(dialogue: Dialogue, line: str) -> None:
        while True:
            await dialogue.write(b"+ bW9yZQ==\r\n")
            said.append(await dialogue.read())

    async with Pop3Server(answers={"AUTH": ask}) as server, await connecting(server.address) as session:
        with pytest.raises(RemoteProtocolError):
            await session.login(USER, Secret("correct"))
        await server.all_gone()

    assert said[1] == "*"


@pytest.mark.parametrize("letter", ["\r", "\n", "\0", "\r\nDELE 1", "\udc80"])
@pytest.mark.parametrize("place", ["name", "word"])
async def test_a_line_break_is_never_sent(connecting: Open, letter: str, place: str) -> None:
    """It would be a command of its own; nothing is written, and the session could go on."""
    name, word = (f"a{letter}b", "word") if place == "name" else ("name", f"a{letter}b")
    async with Pop3Server() as server, await connecting(server.address) as session:
        with pytest.raises(LocalProtocolError):
            await session.login(name, Secret(word))
        await session.login(USER, Secret("correct"))

        assert logins(server) == ["AUTH"]


async def test_a_user_name_may_hold_blanks_and_letters(connecting: Open) -> None:
    """It goes out as typed, in UTF-8."""
    async with Pop3Server(capabilities=NO_PLAIN) as server, await connecting(server.address) as session:
        await session.login("Jürgen M", Secret("correct"))

        assert server.commands[-2:] == ["USER Jürgen M", "PASS correct"]


async def test_stale_memory_of_a_server_is_corrected(connecting: Open) -> None:
    """It had USER and PASS once and takes AUTH PLAIN alone now; no password was judged in between."""
    answers: dict[str, Answer] = {"USER": b"-ERR unknown command\r\n"}
    async with (
        Pop3Server(answers=answers) as server,
        await connecting(server.address, remembered=frozenset({"USER"})) as session,
    ):
        await session.login(USER, Secret("correct"))

        assert logins(server) == ["USER", "AUTH"]
        assert "SASL PLAIN" in session.capabilities


async def test_a_server_that_insists_on_tls_says_what_to_change(connecting: Open) -> None:
    """Its refusal in clear is not about the password."""
    answers: dict[str, Answer] = {
        "USER": b"-ERR [AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.\r\n"
    }
    async with (
        Pop3Server(capabilities=("STLS",), answers=answers) as server,
        await connecting(server.address) as session,
    ):
        with pytest.raises(ServerRefused, match="Plaintext") as caught:
            await session.login(USER, Secret("correct"))

        assert "STARTTLS" in caught.value.sentence
        assert logins(server) == ["USER"]
