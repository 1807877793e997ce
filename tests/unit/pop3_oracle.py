"""What must hold for any octets a server may send, as one check.

Used by the fuzzer (`bench/fuzz_pop3.py`) and by the rows it left behind (`test_pop3_findings.py`). The first octet
chooses what was asked, the second how the stream is cut; the rest is the server's. Bounds are small, so that a short
input reaches each of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import BotError, MessageTooLarge, RemoteProtocolError
from bot.mail import pop3_replies
from bot.mail.pop3 import Chunk, Command, Ended, Event, Pop3Connection, State, Verb
from bot.mail.pop3_limits import Limits

LIMITS = Limits(
    status_octets=64,
    capability_octets=200,
    listing_lines=20,
    listing_octets=400,
    uid_octets=24,
    message_octets=300,
)
RETR, TOP, DELE = Command(Verb.RETR, b"1"), Command(Verb.TOP, b"1 2"), Command(Verb.DELE, b"1")
UIDL, LIST, STAT = Command(Verb.UIDL), Command(Verb.LIST), Command(Verb.STAT)
ONE_UID, ONE_SIZE, CAPA = Command(Verb.UIDL, b"1"), Command(Verb.LIST, b"1"), Command(Verb.CAPA)
AUTH, QUIT = Command(Verb.AUTH, b"PLAIN"), Command(Verb.QUIT)
ASKED: tuple[tuple[State, tuple[Command, ...]], ...] = (
    (State.GREETING, ()),
    (State.AUTHORIZATION, (AUTH,)),
    (State.AUTHORIZATION, (CAPA,)),
    (State.TRANSACTION, (RETR,)),
    (State.TRANSACTION, (RETR, RETR, RETR)),
    (State.TRANSACTION, (UIDL, LIST)),
    (State.TRANSACTION, (LIST, UIDL)),
    (State.TRANSACTION, (STAT, ONE_UID, ONE_SIZE, RETR)),
    (State.TRANSACTION, (TOP, UIDL, DELE, QUIT)),
    (State.TRANSACTION, (CAPA, RETR)),
)
SECRET = "se cret-canary"
HIDDEN = pop3_replies.hidden_forms("anna@example.org", SECRET)


@dataclass(frozen=True)
class Told:
    """What a connection made of a stream: events with chunks joined, and the error that ended it."""

    events: tuple[Event, ...]
    error: type[BotError] | None

    @property
    def outline(self) -> tuple[object, ...]:
        """What no cut may change: of a listing that was broken off, how much was shown before is chance."""
        is_clean = self.error in {None, MessageTooLarge}
        return (
            self.error,
            *(event for event in self.events if is_clean or not isinstance(event, Chunk)),
        )


def check(octets: bytes) -> None:
    """Raise AssertionError when a promise does not hold for this input."""
    if len(octets) < 2:
        return
    state, commands = ASKED[octets[0] % len(ASKED)]
    stream = octets[2:]
    whole = told(state, commands, stream, len(stream) or 1)
    for size in (1, 2 + octets[1] % 16):
        cut = told(state, commands, stream, size)
        assert cut.outline == whole.outline, f"cut into {size}: {cut} instead of {whole}"
    _check_messages(commands, stream, whole)
    for text in [event.text for event in whole.events if not isinstance(event, Chunk | Ended)]:
        check_text(text)
    for event in whole.events:
        if isinstance(event, Chunk):
            _check_rows(event.octets)


def told(state: State, commands: tuple[Command, ...], stream: bytes, size: int) -> Told:
    """What a connection in `state` that asked for `commands` says to a stream cut into pieces of `size`."""
    connection = _in_state(state)
    for command in commands:
        connection.send(command)
    events: list[Event] = []
    try:
        for start in range(0, len(stream), size):
            connection.receive_data(stream[start : start + size])
            while (event := connection.next_event()) is not None:
                _note(events, event)
                assert len(events) <= len(stream) + 1, "events without end"
            # A line, the piece behind it, and what may be the start of a final dot.
            assert connection.buffered <= LIMITS.status_octets + size + 4, "more held back than a line"
    except (RemoteProtocolError, MessageTooLarge) as error:
        return Told(tuple(events), type(error))
    return Told(tuple(events), None)


def _in_state(state: State) -> Pop3Connection:
    connection = Pop3Connection(LIMITS)
    opening: tuple[Command | None, ...] = {
        State.GREETING: (),
        State.AUTHORIZATION: (None,),
        State.TRANSACTION: (None, Command(Verb.PASS, b"x")),
    }[state]
    for command in opening:
        if command is not None:
            connection.send(command)
        connection.receive_data(b"+OK\r\n")
        connection.next_event()
    return connection


def _note(events: list[Event], event: Event) -> None:
    if isinstance(event, Chunk):
        assert event.octets, "an empty chunk"
        if events and isinstance(last := events[-1], Chunk):
            events[-1] = Chunk(last.octets + event.octets)
            return
    events.append(event)


def _check_messages(commands: tuple[Command, ...], stream: bytes, whole: Told) -> None:
    """A message with CRLF line ends that came whole is what a reader of lines would have made of it."""
    if commands[:1] != (RETR,) or not stream.upper().startswith(b"+OK\r\n"):
        return
    body, dot, _ = stream[3:].partition(b"\r\n.\r\n")
    lines = [line[1:] if line.startswith(b"..") else line for line in body.split(b"\r\n")[1:]]
    expected = b"".join(line + b"\r\n" for line in lines)
    if not dot or len(expected) > LIMITS.message_octets:
        assert Ended(RETR) not in whole.events[:3] or len(expected) <= LIMITS.message_octets
        return
    found = whole.events[1]
    assert (found.octets if isinstance(found, Chunk) else b"") == expected, "not the message that was sent"
    assert whole.events[2 if expected else 1] == Ended(RETR)


def check_text(text: bytes) -> None:
    """Any text behind +OK or -ERR is read or refused, and what is shown of it holds nothing private."""
    readers = (
        lambda: pop3_replies.stat(text),
        lambda: pop3_replies.one_size(text, 1),
        lambda: pop3_replies.one_uid(text, 1, LIMITS.uid_octets),
    )
    for read in readers:
        try:
            read()
        except RemoteProtocolError:
            continue
    for judge in (
        pop3_replies.login_refusal,
        pop3_replies.greeting_refusal,
        pop3_replies.command_refusal,
    ):
        for private in (text, text[:7] + SECRET.encode() + text[7:], text + b" anna@secret-canary.org"):
            _check_shown(judge(private, HIDDEN))
    pop3_replies.is_unsupported(text)


def _check_shown(error: BotError) -> None:
    assert len(error.detail) <= 160
    assert error.detail.isprintable()
    assert "canary" not in error.detail.lower()
    assert "anna@" not in error.detail.lower()
    assert error.sentence == type(error).words, "server text in a sentence for the person"


def _check_rows(block: bytes) -> None:
    """Whole lines of a listing are rows or a refusal, one row for each line."""
    lines = block if block.endswith(b"\n") else block + b"\n"
    try:
        numbers, uids = pop3_replies.uid_rows(lines, LIMITS.uid_octets)
        assert len(numbers) == len(uids) == lines.count(b"\n")
        assert all(len(uid) <= LIMITS.uid_octets and uid == uid.strip(b" \t\r") for uid in uids)
        assert not any(set(uid) & set(b"\r\n") for uid in uids)
    except RemoteProtocolError:
        pass
    try:
        sizes = pop3_replies.size_rows(lines)
        assert len(sizes) == lines.count(b"\n")
        assert all(0 < number <= pop3_replies.MAX_NUMBER and octets >= 0 for number, octets in sizes)
    except RemoteProtocolError:
        pass
    assert all(name == name.upper() for name in pop3_replies.capabilities(block))
