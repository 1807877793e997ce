"""What the POP3 protocol never does: commands out of place, answers out of bounds."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import LocalProtocolError, MessageTooLarge, RemoteProtocolError
from bot.mail.pop3 import Began, Chunk, Command, Ended, Event, Pop3Connection, Reply, State, Verb
from bot.mail.pop3_limits import Limits
from tests.unit.pop3_states import (
    AUTHORIZATION,
    CAPA,
    DELE,
    GREETING,
    LIST,
    PASS,
    QUIT,
    RETR,
    RETR_2,
    STAT,
    STLS,
    TRANSACTION,
    UIDL,
    in_state,
    said,
)


def test_octets_that_lie_there_before_a_command_are_not_its_answer() -> None:
    """A server that talks without being asked ends the session at the next command."""
    connection = in_state(TRANSACTION)
    connection.receive_data(b"+OK 5 5\r\n")

    with pytest.raises(RemoteProtocolError):
        connection.send(STAT)


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"220 mail.example.org ESMTP\r\n",
        b"* OK IMAP4rev1\r\n",
        b"\r\n",
        b"OK\r\n",
        b"+OKAY\r\n",
        b"-ERROR\r\n",
        b"\x16\x03\x01\x02\x00\n",
        b"x" * 5000,
        b"+OK " + b"x" * 5000,
    ],
)
@pytest.mark.parametrize("size", [1, 10_000])
def test_what_is_no_status_line_is_refused(octets: bytes, size: int) -> None:
    """Another protocol, a line without end: an error, not a guess."""
    with pytest.raises(RemoteProtocolError):
        said(in_state(GREETING), octets, size)


def test_a_long_answer_where_one_line_is_due_is_refused() -> None:
    """Lines behind +OK to DELE are not taken for answers."""
    connection = in_state(TRANSACTION)
    connection.send(DELE)
    connection.send(STAT)

    with pytest.raises(RemoteProtocolError):
        said(connection, b"+OK\r\nsome\r\nlines\r\n.\r\n", 100)


@pytest.mark.parametrize(
    ("state", "legal"),
    [
        (GREETING, set()),
        (AUTHORIZATION, {Verb.CAPA, Verb.STLS, Verb.AUTH, Verb.USER, Verb.PASS, Verb.QUIT}),
        (
            TRANSACTION,
            {
                Verb.CAPA,
                Verb.STAT,
                Verb.LIST,
                Verb.UIDL,
                Verb.TOP,
                Verb.RETR,
                Verb.DELE,
                Verb.RSET,
                Verb.NOOP,
                Verb.QUIT,
            },
        ),
    ],
)
@pytest.mark.parametrize("verb", list(Verb))
def test_a_command_is_sent_only_where_it_is_legal(state: State, legal: set[Verb], verb: Verb) -> None:
    """A command in the wrong state is our fault and is not written."""
    connection = in_state(state)

    if verb in legal:
        assert connection.send(Command(verb)).startswith(verb.encode())
    else:
        with pytest.raises(LocalProtocolError):
            connection.send(Command(verb))


def test_nothing_is_sent_behind_a_login() -> None:
    """Real servers lose what comes behind AUTH or PASS, so nothing does."""
    connection = in_state(AUTHORIZATION)
    connection.send(PASS)

    with pytest.raises(LocalProtocolError):
        connection.send(QUIT)


@pytest.mark.parametrize("argument", [b"a\rb", b"a\nb", b"a\0b", b"a\r\nDELE 1"])
def test_an_argument_cannot_smuggle_a_command(argument: bytes) -> None:
    """CR, LF and NUL are refused before anything is written."""
    connection = in_state(AUTHORIZATION)

    with pytest.raises(LocalProtocolError):
        connection.send(Command(Verb.USER, argument))
    with pytest.raises(LocalProtocolError):
        connection.respond(argument)
    assert connection.unanswered == 0


@pytest.mark.parametrize("injected", [b"+", b"+OK 1 1\r\n", b"\x16"])
@pytest.mark.parametrize("is_late", [False, True])
def test_octets_before_the_handshake_end_the_session(injected: bytes, is_late: bool) -> None:  # noqa: FBT001 - a parameter
    """What an attacker puts behind +OK to STLS is never read as if it had come through TLS."""
    connection = in_state(AUTHORIZATION)
    connection.send(STLS)
    connection.receive_data(b"+OK\r\n" + (b"" if is_late else injected))
    connection.next_event()
    if is_late:
        connection.receive_data(injected)

    with pytest.raises(RemoteProtocolError):
        connection.tls_begins()


def test_the_handshake_leads_back_to_authorization() -> None:
    """After TLS has begun commands go on, and only STLS leads there."""
    connection = in_state(AUTHORIZATION)
    with pytest.raises(LocalProtocolError):
        connection.tls_begins()
    connection.send(STLS)
    said(connection, b"+OK\r\n", 100)

    with pytest.raises(LocalProtocolError):
        connection.send(CAPA)
    connection.tls_begins()

    assert connection.send(CAPA) == b"CAPA\r\n"


@pytest.mark.parametrize(
    ("limits", "command", "body"),
    [
        (Limits(listing_lines=3), UIDL, b"1 a\r\n" * 5),
        (Limits(listing_octets=20), UIDL, b"1 a\r\n" * 6),
        (Limits(capability_octets=20), CAPA, b"SASL PLAIN LOGIN\r\n" * 3),
        (Limits(status_octets=50), LIST, b"1 " + b"9" * 60),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_listing_over_a_limit_is_refused(limits: Limits, command: Command, body: bytes, size: int) -> None:
    """A listing that never ends costs no more than its limit."""
    connection = in_state(TRANSACTION, limits)
    connection.send(command)

    with pytest.raises(RemoteProtocolError):
        said(connection, b"+OK\r\n" + body, size)


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_message_over_the_limit_is_given_out_up_to_it(size: int) -> None:
    """Its first octets may still serve for a card; then the session is over."""
    connection = in_state(TRANSACTION, Limits(message_octets=6))
    connection.send(RETR)
    kept = b""
    with pytest.raises(MessageTooLarge):  # noqa: PT012 - the octets come before the error
        for start in range(0, 40, size):
            connection.receive_data((b"+OK\r\n" + b"0123456789" * 4)[start : start + size])
            while (event := connection.next_event()) is not None:
                kept += event.octets if isinstance(event, Chunk) else b""

    assert kept == b"012345"


def test_a_message_of_exactly_the_limit_passes() -> None:
    """The limit itself is allowed."""
    connection = in_state(TRANSACTION, Limits(message_octets=6))
    connection.send(RETR)

    assert said(connection, b"+OK\r\n0123\r\n.\r\n", 1)[-1] == Ended(RETR)


def test_little_of_a_message_is_held_back() -> None:
    """Chunks pass at once; only what may be the beginning of the end waits."""
    connection = in_state(TRANSACTION)
    connection.send(RETR)
    connection.receive_data(b"+OK\r\n" + b"x" * 100_000 + b"\r\n.\r")

    assert isinstance(connection.next_event(), Began)
    assert connection.next_event() == Chunk(b"x" * 100_000)
    assert connection.next_event() is None
    assert connection.buffered == 4


def test_a_password_is_not_shown() -> None:
    """The representation of a command hides its argument."""
    assert "word" not in repr(PASS)


lines = st.lists(
    st.sampled_from([b".", b"..", b"a", b"\r\n", b"\n", b"\r", b"\r\n.\r\n", b"\r\n.", b"\0", b"\xff"])
)


@given(lines, st.lists(st.integers(1, 9), min_size=1))
def test_any_message_survives_dot_stuffing_and_any_cut(pieces: list[bytes], sizes: list[int]) -> None:
    """What the server stored is what we read, octet for octet."""
    message = b"".join(pieces)
    message += b"" if not message or message.endswith(b"\r\n") else b"\r\n"
    wire = b"+OK\r\n" + re.sub(rb"(?:\A|(?<=\r\n))\.", b"..", message) + b".\r\n-ERR\r\n"
    connection = in_state(TRANSACTION)
    connection.send(RETR)
    connection.send(DELE)
    events: list[Event] = []
    at = turn = 0
    while at < len(wire):
        events += said_piece(connection, wire[at : at + sizes[turn % len(sizes)]])
        at, turn = at + sizes[turn % len(sizes)], turn + 1

    assert b"".join(event.octets for event in events if isinstance(event, Chunk)) == message
    assert events[-2:] == [Ended(RETR), Reply(DELE, False, b"")]


def said_piece(connection: Pop3Connection, octets: bytes) -> list[Event]:
    """The events of one piece."""
    connection.receive_data(octets)
    return list(iter(connection.next_event, None))


@given(st.binary(max_size=200), st.integers(1, 50))
def test_no_octets_of_a_server_raise_anything_unforeseen(octets: bytes, size: int) -> None:
    """Garbage is a protocol error or nothing at all."""
    connection = in_state(TRANSACTION)
    for command in (STAT, RETR, UIDL, RETR_2):
        connection.send(command)
    with contextlib.suppress(RemoteProtocolError):
        said(connection, b"+OK 1 1\r\n+OK\r\n" + octets, size)
