"""Messages on their way: RETR with several in flight, each streamed to whoever asked for it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Self

from bot.errors import CommandRefused, ConnectionLost, LocalProtocolError
from bot.mail.pop3 import Began, Chunk, Command, Ended, Reply, Verb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from bot.mail.pop3_exchange import Exchange
    from bot.mail.pop3_limits import Limits
    from bot.mail.pop3_wire import Wire


MOST_REACH: Final = 4
"""However far the server: what is in flight when the process dies is fetched again."""


class Incoming:
    """One message on its way.

    Attributes:
        number: its message number in this session.
        refused: why the server would not send it, redacted; None when it comes. The session goes on.
        octets: received so far, dot-stuffing undone.
    """

    def __init__(self, wire: Wire, number: int, refused: str | None = None) -> None:
        self.number = number
        self.refused = refused
        self.octets = 0
        self._wire = wire
        self._is_whole = False
        self._is_left = False

    @property
    def chunks(self) -> AsyncIterator[bytes]:
        """The message; ends normally only after the final dot.

        Raises:
            CommandRefused: it was refused; the session goes on.
            MessageTooLarge: over the limit; as much as the limit allows has been given out. The session is over.
            ConnectionLost, RemoteProtocolError: it did not come whole. The session is over.
        """
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_whole:
            raise StopAsyncIteration
        if self.refused is not None:
            raise CommandRefused(self.refused)
        if self._is_left:
            raise ConnectionLost("another command was sent before the message was read")
        event = await self._wire.event()
        if isinstance(event, Chunk):
            self.octets += len(event.octets)
            return event.octets
        assert isinstance(event, Ended)
        self._is_whole = True
        raise StopAsyncIteration

    async def drain(self) -> None:
        """Read what is left of the message and drop it."""
        if self.refused is None:
            async for _ in self.chunks:
                pass

    def leave(self) -> None:
        """The rest goes elsewhere: reading on fails, unless the message is whole."""
        self._is_left = True


class Window:
    """How many RETRs may be in flight, and how many octets of messages.

    What is in flight when the process dies is fetched again, so at first no more than the way to the server can
    hold. When one message in each window has to be waited for, more may be: the server or the way is what takes
    the time. When nothing had to be for two windows it is our storing, and fewer do. A way twice, three or four times
    as long as `limits.near` may hold as many times more. Several sessions with one host share less than one has alone:
    together they keep our storing busy, and all they have in flight is lost at once.

    Args:
        round_trip: to the server, in seconds; None when unknown.
        sessions: at work with the same host, this one included.
    """

    def __init__(self, limits: Limits, round_trip: float | None, sessions: int = 1) -> None:
        held = int((round_trip or 0) / limits.message_time.total_seconds())
        reach = max(1, min(MOST_REACH, int((round_trip or 0) / limits.near.total_seconds())))
        self.octets = limits.window_octets * reach
        window = limits.window if sessions <= 1 else max(1, limits.shared_window // sessions)
        self._most = window * reach if limits.pipelining else 1
        self._least = min(limits.first_window, self._most)
        self._ready = 0  # messages in a row that were there when asked for
        self.size = min(self._least + held, self._most)

    def note(self, *, had_to_wait: bool) -> None:
        """Learn from one message."""
        if had_to_wait:
            if self._ready < self.size:
                self.size = min(self.size * 2, self._most)
            self._ready = 0
            return
        self._ready += 1
        if self._ready >= 2 * self.size > 2 * self._least:
            self.size, self._ready = max(self._least, self.size // 2), 0


class Retrieval:
    """Several messages in the order asked for. One that was not read to its end is dropped before the next.

    Args:
        sizes: what the server said of them; messages it said nothing of count as the mean of those received.
        sessions: as for `Window`.
    """

    def __init__(
        self, exchange: Exchange, numbers: Sequence[int], sizes: Mapping[int, int], sessions: int
    ) -> None:
        self._exchange = exchange
        self._wire = exchange.wire
        self._limits = exchange.limits
        self._sizes = sizes
        self._waiting = deque((number, Command(Verb.RETR, b"%d" % number)) for number in numbers)
        self._in_flight: deque[tuple[int, int]] = deque()  # number, octets expected
        self._expected = 0
        self._window = Window(exchange.limits, exchange.wire.fastest, sessions)
        self._current: Incoming | None = None
        self._received = self._finished = 0
        self._is_begun = self._is_left = False
        self._is_alone = False
        self._waits = 0  # of the wire, before the current message: most fall within its body, not before it

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Incoming:
        if not self._is_begun:
            self._is_begun = True
            await self._exchange.begin_retrieval(self)
        if self._is_left:
            raise LocalProtocolError("another command was sent before all messages were read")
        await self._finish_current()
        self._is_alone = not self._in_flight
        self._send()
        if not self._in_flight:
            raise StopAsyncIteration
        self._waits = self._wire.waits
        self._current = await self._begin(self._in_flight[0][0])
        return self._current

    def leave(self) -> None:
        """Another command comes: what is in flight will be dropped, and this iteration cannot go on."""
        self._is_left = True
        if self._current is not None:
            self._current.leave()

    async def _begin(self, number: int) -> Incoming:
        event = await self._wire.event()
        if isinstance(event, Began):
            return Incoming(self._wire, number)
        assert isinstance(event, Reply)
        return Incoming(self._wire, number, refused=self._exchange.shown(event.text))

    async def _finish_current(self) -> None:
        if self._current is None:
            return
        await self._current.drain()
        if not self._is_alone:  # who was asked for just now has to be waited for
            self._window.note(had_to_wait=self._wire.waits > self._waits)
        self._received += self._current.octets
        self._finished += 1
        self._expected -= self._in_flight.popleft()[1]
        self._current = None

    def _send(self) -> None:
        """Fill the window once a quarter of it is free: one write then carries several commands."""
        if self._window.size - len(self._in_flight) < max(self._window.size // 4, 1):
            return
        batch: list[Command] = []
        while self._waiting and self._has_room(sum(len(command.line) for command in batch)):
            number, command = self._waiting.popleft()
            expected = self._expectation(number)
            self._in_flight.append((number, expected))
            self._expected += expected
            batch.append(command)
        if batch:
            self._wire.send(*batch)

    def _has_room(self, batch_octets: int) -> bool:
        if not self._in_flight:
            return True
        next_size = self._expectation(self._waiting[0][0])
        return (
            len(self._in_flight) < self._window.size
            and self._expected + next_size <= self._window.octets
            and self._wire.unanswered_octets + batch_octets < self._limits.command_octets
        )

    def _expectation(self, number: int) -> int:
        mean = self._received // self._finished if self._finished else 0
        return self._sizes.get(number, mean)
