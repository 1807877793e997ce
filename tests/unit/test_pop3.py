"""The POP3 protocol as tables: a state, octets, the events they mean."""

from __future__ import annotations

import contextlib
import re
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import LocalProtocolError, MessageTooLarge, RemoteProtocolError
from bot.mail.pop3 import (
    Began,
    Challenge,
    Chunk,
    Command,
    Ended,
    Event,
    Pop3Connection,
    Reply,
    State,
    Verb,
)
from bot.mail.pop3_limits import Limits

CAPA, STLS, QUIT = Command(Verb.CAPA), Command(Verb.STLS), Command(Verb.QUIT)
AUTH, USER, PASS = Command(Verb.AUTH, b"PLAIN eA=="), Command(Verb.USER, b"me"), Command(Verb.PASS, b"word")
STAT, LIST, UIDL = Command(Verb.STAT), Command(Verb.LIST), Command(Verb.UIDL)
RETR, RETR_2, TOP = Command(Verb.RETR, b"1"), Command(Verb.RETR, b"2"), Command(Verb.TOP, b"1 0")
UIDL_1, DELE = Command(Verb.UIDL, b"1"), Command(Verb.DELE, b"1")


class Row(NamedTuple):
    """Commands sent in a state, what came back, what it means and where it leads."""

    name: str
    state: State
    commands: tuple[Command, ...]
    octets: bytes
    events: tuple[Event, ...]
    then: State


GREETING, AUTHORIZATION, TRANSACTION = State.GREETING, State.AUTHORIZATION, State.TRANSACTION
ROWS = (
    Row("greeting", GREETING, (), b"+OK hi\r\n", (Reply(None, True, b"hi"),), AUTHORIZATION),
    Row("bare greeting", GREETING, (), b"+OK\r\n", (Reply(None, True, b""),), AUTHORIZATION),
    Row("greeting, lone LF", GREETING, (), b"+OK hi\n", (Reply(None, True, b"hi"),), AUTHORIZATION),
    Row("greeting, small letters", GREETING, (), b"+ok hi\r\n", (Reply(None, True, b"hi"),), AUTHORIZATION),
    Row("refused greeting", GREETING, (), b"-ERR no\r\n", (Reply(None, False, b"no"),), GREETING),
    Row("USER", AUTHORIZATION, (USER,), b"+OK\r\n", (Reply(USER, True, b""),), AUTHORIZATION),
    Row("PASS", AUTHORIZATION, (PASS,), b"+OK in\r\n", (Reply(PASS, True, b"in"),), TRANSACTION),
    Row("PASS refused", AUTHORIZATION, (PASS,), b"-ERR\r\n", (Reply(PASS, False, b""),), AUTHORIZATION),
    Row("AUTH", AUTHORIZATION, (AUTH,), b"+OK\r\n", (Reply(AUTH, True, b""),), TRANSACTION),
    Row("AUTH asks", AUTHORIZATION, (AUTH,), b"+ \r\n", (Challenge(b""),), AUTHORIZATION),
    Row("AUTH asks barely", AUTHORIZATION, (AUTH,), b"+\r\n", (Challenge(b""),), AUTHORIZATION),
    Row("AUTH refused", AUTHORIZATION, (AUTH,), b"-ERR\r\n", (Reply(AUTH, False, b""),), AUTHORIZATION),
    Row("STLS", AUTHORIZATION, (STLS,), b"+OK go\r\n", (Reply(STLS, True, b"go"),), State.HANDSHAKE),
    Row("STLS refused", AUTHORIZATION, (STLS,), b"-ERR\r\n", (Reply(STLS, False, b""),), AUTHORIZATION),
    Row("QUIT before login", AUTHORIZATION, (QUIT,), b"+OK\r\n", (Reply(QUIT, True, b""),), State.CLOSED),
    Row("STAT", TRANSACTION, (STAT,), b"+OK 2 99\r\n", (Reply(STAT, True, b"2 99"),), TRANSACTION),
    Row("DELE refused", TRANSACTION, (DELE,), b"-ERR no\r\n", (Reply(DELE, False, b"no"),), TRANSACTION),
    Row("UIDL of one", TRANSACTION, (UIDL_1,), b"+OK 1 a\r\n", (Reply(UIDL_1, True, b"1 a"),), TRANSACTION),
    Row("QUIT", TRANSACTION, (QUIT,), b"+OK\r\n", (Reply(QUIT, True, b""),), State.CLOSED),
    Row("QUIT refused", TRANSACTION, (QUIT,), b"-ERR\r\n", (Reply(QUIT, False, b""),), State.CLOSED),
    Row(
        "CAPA",
        AUTHORIZATION,
        (CAPA,),
        b"+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n",
        (Began(CAPA, b""), Chunk(b"USER\r\nSASL PLAIN\r\n"), Ended(CAPA)),
        AUTHORIZATION,
    ),
    Row(
        "UIDL of none",
        TRANSACTION,
        (UIDL,),
        b"+OK\r\n.\r\n",
        (Began(UIDL, b""), Ended(UIDL)),
        TRANSACTION,
    ),
    Row(
        "UIDL that looks like the end",
        TRANSACTION,
        (UIDL,),
        b"+OK\r\n1 .\r\n2 ..\r\n.\r\n",
        (Began(UIDL, b""), Chunk(b"1 .\r\n2 ..\r\n"), Ended(UIDL)),
        TRANSACTION,
    ),
    Row(
        "listing, lone LF",
        TRANSACTION,
        (LIST,),
        b"+OK\n1 10\n2 20\n.\n",
        (Began(LIST, b""), Chunk(b"1 10\n2 20\n"), Ended(LIST)),
        TRANSACTION,
    ),
    Row(
        "listing line that begins with a dot",
        TRANSACTION,
        (LIST,),
        b"+OK\r\n1 1\r\n..x\r\n...\r\n.\r\n",
        (Began(LIST, b""), Chunk(b"1 1\r\n.x\r\n..\r\n"), Ended(LIST)),
        TRANSACTION,
    ),
    Row(
        "message",
        TRANSACTION,
        (RETR,),
        b"+OK 3\r\nA: b\r\n\r\nc\r\n.\r\n",
        (Began(RETR, b"3"), Chunk(b"A: b\r\n\r\nc\r\n"), Ended(RETR)),
        TRANSACTION,
    ),
    Row("empty message", TRANSACTION, (RETR,), b"+OK\r\n.\r\n", (Began(RETR, b""), Ended(RETR)), TRANSACTION),
    Row(
        "message of one empty line",
        TRANSACTION,
        (RETR,),
        b"+OK\r\n\r\n.\r\n",
        (Began(RETR, b""), Chunk(b"\r\n"), Ended(RETR)),
        TRANSACTION,
    ),
    Row(
        "message that begins with dots",
        TRANSACTION,
        (RETR,),
        b"+OK\r\n...\r\n..\r\n.\r\n",
        (Began(RETR, b""), Chunk(b"..\r\n.\r\n"), Ended(RETR)),
        TRANSACTION,
    ),
    Row(
        "dots nobody doubled stay",
        TRANSACTION,
        (RETR,),
        b"+OK\r\n.a\r\n.b\r\n.\r\n",
        (Began(RETR, b""), Chunk(b".a\r\n.b\r\n"), Ended(RETR)),
        TRANSACTION,
    ),
    Row(
        "lone LF, CR and their dots are content",
        TRANSACTION,
        (RETR,),
        b"+OK\r\na\n.\r\nb\n.\nc\r.\rd\r\r\n.\r\n",
        (Began(RETR, b""), Chunk(b"a\n.\r\nb\n.\nc\r.\rd\r\r\n"), Ended(RETR)),
        TRANSACTION,
    ),
    Row(
        "message, lone LF everywhere",
        TRANSACTION,
        (RETR,),
        b"+OK\na\n..b\n.\n",
        (Began(RETR, b""), Chunk(b"a\n.b\n"), Ended(RETR)),
        TRANSACTION,
    ),
    Row(
        "status with lone LF, message with CRLF",
        TRANSACTION,
        (RETR,),
        b"+OK\na\r\n..b\r\n.\r\n",
        (Began(RETR, b""), Chunk(b"a\r\n.b\r\n"), Ended(RETR)),
        TRANSACTION,
    ),
    Row(
        "TOP",
        TRANSACTION,
        (TOP,),
        b"+OK\r\nA: b\r\n\r\n.\r\n",
        (Began(TOP, b""), Chunk(b"A: b\r\n\r\n"), Ended(TOP)),
        TRANSACTION,
    ),
    Row(
        "several in flight, one refused",
        TRANSACTION,
        (STAT, RETR, RETR_2, DELE),
        b"+OK 2 2\r\n-ERR gone\r\n+OK\r\nx\r\n.\r\n+OK\r\n",
        (
            Reply(STAT, True, b"2 2"),
            Reply(RETR, False, b"gone"),
            Began(RETR_2, b""),
            Chunk(b"x\r\n"),
            Ended(RETR_2),
            Reply(DELE, True, b""),
        ),
        TRANSACTION,
    ),
)
LEADING = {GREETING: b"", AUTHORIZATION: b"+OK\r\n", TRANSACTION: b"+OK\r\n+OK\r\n"}


def in_state(state: State, limits: Limits | None = None) -> Pop3Connection:
    """A connection that has come as far as `state`."""
    connection = Pop3Connection(limits or Limits())
    for command in {GREETING: (), AUTHORIZATION: (None,), TRANSACTION: (None, PASS)}[state]:
        if command is not None:
            connection.send(command)
        connection.receive_data(b"+OK\r\n")
        connection.next_event()
    assert connection.state is state
    return connection


def said(connection: Pop3Connection, octets: bytes, size: int) -> tuple[Event, ...]:
    """The events of octets that come in pieces of `size`, neighbouring chunks as one."""
    events: list[Event] = []
    for start in range(0, len(octets), size):
        connection.receive_data(octets[start : start + size])
        while (event := connection.next_event()) is not None:
            if isinstance(event, Chunk) and isinstance(last := events[-1], Chunk):
                events[-1] = Chunk(last.octets + event.octets)
            else:
                events.append(event)
    return tuple(events)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_octets_mean_the_same_events_however_they_are_cut(row: Row, size: int) -> None:
    """An answer is understood whole, octet by octet and in any pieces."""
    connection = in_state(row.state)
    for command in row.commands:
        connection.send(command)

    assert said(connection, row.octets, size) == row.events
    assert (connection.state, connection.unanswered) == (row.then, _open(row))


def _open(row: Row) -> int:
    return 1 if isinstance(row.events[-1], Challenge) else 0


@pytest.mark.parametrize("row", [row for row in ROWS if not _open(row)], ids=lambda row: row.name)
def test_what_nobody_asked_for_ends_the_session(row: Row) -> None:
    """Octets behind the last answer are never taken for the answer to a later command."""
    connection = in_state(row.state)
    for command in row.commands:
        connection.send(command)
    connection.receive_data(row.octets + b"+OK 1 1\r\n")
    events = [connection.next_event() for _ in row.events]

    assert events[-1] == row.events[-1]
    with pytest.raises(RemoteProtocolError):
        connection.next_event()


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
