"""Commands and their answers over one wire: one, many in flight, or a listing.

Keeps what must not be shown of server text, and whose retrieval is under way: a command that comes before a
retrieval was read to its end drops what is in flight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from bot.errors import BotError, RemoteProtocolError
from bot.mail import pop3_replies
from bot.mail.pop3 import Chunk, Command, Event, Reply
from bot.mail.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.mail.pop3_limits import Limits
    from bot.mail.pop3_wire import Wire

P = ParamSpec("P")
T = TypeVar("T")


class Leavable(Protocol):
    """What may be left with answers still in flight."""

    def leave(self) -> None:
        """Another command comes."""


class Exchange:
    """What a session does, seen as commands and answers."""

    def __init__(self, wire: Wire, limits: Limits, hidden: Iterable[str]) -> None:
        self.wire = wire
        self.limits = limits
        self._hidden = frozenset(hidden)
        self._retrieval: Leavable | None = None

    def hide(self, forms: Iterable[str]) -> None:
        """Never show these either."""
        self._hidden |= frozenset(forms)

    def shown(self, text: bytes) -> str:
        """Server text as it may be shown."""
        return pop3_replies.redacted(text, self._hidden)

    def refusal(self, text: bytes) -> BotError:
        """The error for -ERR to a command after login."""
        return pop3_replies.command_refusal(text, self._hidden)

    def greeting_refusal(self, text: bytes) -> BotError:
        """The error for -ERR in place of a greeting."""
        return pop3_replies.greeting_refusal(text, self._hidden)

    def login_refusal(self, text: bytes) -> BotError:
        """The error for -ERR to a login."""
        return pop3_replies.login_refusal(text, self._hidden)

    async def first(self, command: Command) -> Event:
        """Send a command; the first event of its answer."""
        await self._settle()
        self.wire.send(command)
        return await self.wire.event()

    async def ask(self, command: Command) -> Reply:
        """Send a command whose answer is one line."""
        event = await self.first(command)
        assert isinstance(event, Reply)
        return event

    async def do(self, command: Command) -> None:
        """Send a command whose answer is one line, which must be +OK."""
        reply = await self.ask(command)
        if not reply.is_ok:
            raise self.refusal(reply.text)

    async def listing(self, command: Command, take: Callable[[bytes], object]) -> BotError | None:
        """Give all lines of a listing to `take`, some whole lines at a time; the error when the command is refused.

        A listing that no honest server has takes a second to read, so others have their turn in between.
        """
        first = await self.first(command)
        if isinstance(first, Reply):
            return self.refusal(first.text)
        turns = Turns(lambda: self.wire.protocol.buffered)
        while isinstance(event := await self.wire.event(), Chunk):
            for lines in pop3_replies.stretches(event.octets):
                self.read(take, lines)
                await turns.give()
        return None

    async def flight(self, commands: Sequence[Command]) -> list[Reply]:
        """The answers to many one-line commands, several of them in flight."""
        await self._settle()
        replies: list[Reply] = []
        sent = 0
        while len(replies) < len(commands):
            sent = self._send_more(commands, sent)
            event = await self.wire.event()
            assert isinstance(event, Reply)
            replies.append(event)
        return replies

    async def texts(self, commands: Sequence[Command], most: int) -> list[bytes | None]:
        """The answers to commands that are answered by a text, several of them in flight; None where one is refused.

        Args:
            most: octets of each text that are kept.
        """
        await self._settle()
        texts: list[bytes | None] = []
        sent = 0
        while len(texts) < len(commands):
            sent = self._send_more(commands, sent)
            text = None if isinstance(await self.wire.event(), Reply) else bytearray()
            while text is not None and isinstance(event := await self.wire.event(), Chunk):
                text += event.octets[: most - len(text)]
            texts.append(None if text is None else bytes(text))
        return texts

    def _send_more(self, commands: Sequence[Command], sent: int) -> int:
        """Fill the window once a quarter of it is free; how many of the commands are then sent."""
        if sent == len(commands) or self.wire.protocol.unanswered > self._window * 3 // 4:
            return sent
        batch = self._batch(commands[sent : sent + self._window])
        self.wire.send(*batch)
        return sent + len(batch)

    def read(self, parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `parse` makes of server text; the session is over when it cannot be read."""
        try:
            return parse(*args, **kwargs)
        except RemoteProtocolError:
            self.wire.abort()
            raise

    async def begin_retrieval(self, retrieval: Leavable) -> None:
        """From now on answers belong to `retrieval`, until the next command."""
        await self._settle()
        self._retrieval = retrieval

    @property
    def _window(self) -> int:
        return self.limits.window if self.limits.pipelining else 1

    def _batch(self, commands: Sequence[Command]) -> list[Command]:
        """As many of the commands as may be sent now; one when nothing is in flight."""
        unanswered = self.wire.protocol.unanswered
        octets = self.wire.unanswered_octets
        batch: list[Command] = []
        for command in commands[: max(self._window - unanswered, 0)]:
            octets += len(command.line)
            if octets > self.limits.command_octets and (batch or unanswered):
                break
            batch.append(command)
        return batch

    async def _settle(self) -> None:
        """Drop what is in flight of a retrieval that was left."""
        if self._retrieval is None:
            return
        self._retrieval.leave()
        self._retrieval = None
        while self.wire.protocol.unanswered:
            await self.wire.event()
