"""Stands between a client and a mail server on loopback, and breaks connections.

A connection is cut at a random octet of either direction or of a message, by a reset or by an end; or its QUIT
never reaches the server; or it does, and the answer never comes back. Commands are seen in the clear only. What was
broken is counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

HOST: Final = "127.0.0.1"
_QUIT: Final = b"QUIT\r\n"
_RETR: Final = b"RETR "
_MESSAGE_OCTETS: Final = 200
"""A cut in a message falls within so many octets after it was asked for."""

_CHUNK: Final = 65_536


class Fate(StrEnum):
    """What becomes of a connection."""

    WHOLE = "whole"
    CUT_ANSWER = "cut in an answer"
    CUT_COMMAND = "cut in a command"
    CUT_MESSAGE = "cut in a message"
    LOST_QUIT = "QUIT lost"
    LOST_GOODBYE = "answer to QUIT lost"


_BROKEN: Final = tuple(fate for fate in Fate if fate is not Fate.WHOLE)


class _Cut(Exception):
    """The connection meets its fate."""


class CuttingProxy:
    """One listener before one port; use it as a context.

    Args:
        upstream: the server's port.
        share: of the connections that get a broken fate.
        reach: a cut falls within so many octets of its direction.

    Attributes:
        port: where clients connect.
        share: may be changed at any time; it counts for new connections.
        planned: fates of the next connections, before chance decides again.
        met: how many connections met which fate; a fate that found no octet to meet does not count.
    """

    def __init__(self, upstream: int, chance: Random, *, share: float = 0.0, reach: int = 4_000) -> None:
        self._upstream = upstream
        self._chance = chance
        self._reach = reach
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self.share = share
        self.planned: list[Fate] = []
        self.met: Counter[Fate] = Counter()
        self.port = 0

    async def start(self) -> None:
        """Listen on a free port."""
        self._listener = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        if self._listener is not None:
            self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._connect(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, to_server = await asyncio.open_connection(HOST, self._upstream)
        try:
            await self._relay(_Ways(reader, writer, back, to_server))
        finally:
            to_server.transport.abort()

    async def _relay(self, ways: _Ways) -> None:
        fate = self._fate()
        at = self._chance.randrange(_MESSAGE_OCTETS if fate is Fate.CUT_MESSAGE else self._reach)
        commands = asyncio.create_task(ways.commands(fate, at))
        answers = asyncio.create_task(ways.answers(fate, at))
        try:
            done, _ = await asyncio.wait({commands, answers}, return_when=asyncio.FIRST_COMPLETED)
            if any(isinstance(task.exception(), _Cut) for task in done):
                self.met[fate] += 1
                if self._chance.random() < 0.5:
                    await ways.end()  # in order, as a server that stops; otherwise a reset
        finally:
            for task in (commands, answers):
                task.cancel()
            await asyncio.gather(commands, answers, return_exceptions=True)

    def _fate(self) -> Fate:
        if self.planned:
            return self.planned.pop(0)
        return self._chance.choice(_BROKEN) if self._chance.random() < self.share else Fate.WHOLE


class _Ways:
    """Both directions of one connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._back = back
        self._to_server = to_server
        self._is_mute = False
        self._wants_message = False

    async def commands(self, fate: Fate, at: int) -> None:
        """From the client to the server, until either ends."""
        last = b""
        while octets := await self._reader.read(_CHUNK):
            if fate is Fate.CUT_COMMAND:
                at -= len(octets)
                if at < 0:
                    await _pass_on(self._to_server, octets[:at])
                    raise _Cut
            self._wants_message |= _RETR in octets
            if _QUIT in last + octets:
                await self._quit(fate, last, octets)
            else:
                await _pass_on(self._to_server, octets)
            last = octets[-len(_QUIT) :]

    async def _quit(self, fate: Fate, last: bytes, octets: bytes) -> None:
        if fate is Fate.LOST_QUIT:
            await _pass_on(self._to_server, octets[: max((last + octets).find(_QUIT) - len(last), 0)])
            raise _Cut
        self._is_mute = fate is Fate.LOST_GOODBYE
        await _pass_on(self._to_server, octets)

    async def answers(self, fate: Fate, at: int) -> None:
        """From the server to the client, until either ends."""
        while octets := await self._back.read(_CHUNK):
            if fate is Fate.CUT_ANSWER or (fate is Fate.CUT_MESSAGE and self._wants_message):
                at -= len(octets)
                if at < 0:
                    await _pass_on(self._writer, octets[:at])
                    raise _Cut
            if not self._is_mute:
                await _pass_on(self._writer, octets)
        if self._is_mute:
            raise _Cut
        await self.end()

    async def end(self) -> None:
        """Close towards the client once everything is written."""
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()


async def _pass_on(writer: asyncio.StreamWriter, octets: bytes) -> None:
    writer.write(octets)
    await writer.drain()
