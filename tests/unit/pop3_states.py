"""Connections brought to a state, and what they say to octets."""

from __future__ import annotations

from bot.mail.pop3 import Chunk, Command, Event, Pop3Connection, State, Verb
from bot.mail.pop3_limits import Limits

PASS = Command(Verb.PASS, b"word")
STAT, LIST, UIDL = Command(Verb.STAT), Command(Verb.LIST), Command(Verb.UIDL)
RETR, RETR_2, DELE = Command(Verb.RETR, b"1"), Command(Verb.RETR, b"2"), Command(Verb.DELE, b"1")
CAPA, STLS, QUIT = Command(Verb.CAPA), Command(Verb.STLS), Command(Verb.QUIT)
GREETING, AUTHORIZATION, TRANSACTION = State.GREETING, State.AUTHORIZATION, State.TRANSACTION


_WAY: dict[State, tuple[Command | None, ...]] = {
    GREETING: (),
    AUTHORIZATION: (None,),
    TRANSACTION: (None, PASS),
}


def in_state(state: State, limits: Limits | None = None) -> Pop3Connection:
    """A connection that has come as far as `state`."""
    connection = Pop3Connection(limits or Limits())
    for command in _WAY[state]:
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
