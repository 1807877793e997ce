"""A server that sends as fast as it can does not have the loop for itself."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.errors import MessageTooLarge, RemoteProtocolError
from bot.mail.turns import BUSY
from tests.fakes.pop3_server import Pop3Server, endless

if TYPE_CHECKING:
    from bot.mail.pop3_client import Limits, Session

Open = Callable[..., Awaitable["Session"]]

STRETCHES = 16
"""Of 256 KiB each, in the streams below."""


@contextlib.asynccontextmanager
async def others() -> AsyncIterator[list[int]]:
    """A task that is at work in every turn of the loop; the list grows by one for each."""
    turns: list[int] = []

    async def run() -> None:
        while True:
            until = time.perf_counter() + 2 * BUSY
            while time.perf_counter() < until:
                pass
            turns.append(1)
            await asyncio.sleep(0)

    task = asyncio.create_task(run())
    try:
        yield turns
    finally:
        task.cancel()


async def test_a_message_without_end_waits_for_others(opened: Open, limits: Limits) -> None:
    """Others have many turns for each stretch of it, and it ends at its bound all the same."""
    answers = {"RETR": endless(b"+OK\r\n", b"x" * 65_536)}
    bound = replace(limits, message_octets=STRETCHES * 256 * 1024)
    async with Pop3Server([b"x"], answers=answers) as server, others() as turns:
        session = await opened(server.address, limits=bound)
        incoming = await anext(session.retr([1]))
        with pytest.raises(MessageTooLarge):
            await incoming.drain()

        assert len(turns) >= STRETCHES * 10
        await server.all_gone()


async def test_a_listing_without_end_waits_for_others(opened: Open, limits: Limits) -> None:
    """As many turns for each few hundred lines; an answer that comes meanwhile is not read ahead of others."""
    answers = {"UIDL": endless(b"+OK\r\n", b"".join(b"%d uid-%d\r\n" % (at, at) for at in range(1, 2000)))}
    bound = replace(limits, listing_octets=1024 * 1024)
    async with Pop3Server([b"x"], answers=answers) as server, others() as turns:
        session = await opened(server.address, limits=bound)
        with pytest.raises(RemoteProtocolError):
            await session.uidl()

        assert len(turns) >= 500
        assert session.buffered <= 2 * limits.buffer_octets
        await server.all_gone()


async def test_on_an_idle_loop_nobody_is_waited_for(opened: Open, limits: Limits) -> None:
    """A large message of an honest server comes whole, in far fewer turns than rests would take."""
    message = b"Subject: x\r\n\r\n" + b"line\r\n" * 700_000
    async with Pop3Server([message]) as server:
        session = await opened(server.address, limits=limits)
        async for incoming in session.retr([1]):
            pieces = [piece async for piece in incoming.chunks]

        assert b"".join(pieces) == message
        assert await session.quit()
