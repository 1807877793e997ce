"""The POP3 protocol as a table: a state, octets, the events they mean."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from bot.errors import RemoteProtocolError
from bot.mail.pop3 import Began, Challenge, Chunk, Command, Ended, Event, Reply, State, Verb
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

AUTH, USER = Command(Verb.AUTH, b"PLAIN eA=="), Command(Verb.USER, b"me")
TOP, UIDL_1 = Command(Verb.TOP, b"1 0"), Command(Verb.UIDL, b"1")


class Row(NamedTuple):
    """Commands sent in a state, what came back, what it means and where it leads."""

    name: str
    state: State
    commands: tuple[Command, ...]
    octets: bytes
    events: tuple[Event, ...]
    then: State


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
