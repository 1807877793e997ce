"""How fast the servers answer: at once, or as slowly as somebody ordered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from bot.sandbox.mail.faults import Faults, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE: Final = 512
_LOOK_SECONDS: Final = 0.1


async def send(
    writer: asyncio.StreamWriter, octets: bytes, faults: Faults, is_over: Callable[[], bool] = lambda: False
) -> None:
    """Write an answer.

    Args:
        is_over: the client has left; no wait outlasts it for long, so that it holds no maildrop.
    """
    slow, drip = faults.get(Kind.SLOW), faults.get(Kind.DRIPPING)
    if slow:
        await _wait(slow.seconds, writer, is_over)
    if not drip:
        writer.write(octets)
        await writer.drain()
        return
    for start in range(0, len(octets), _PIECE):
        if start:
            await _wait(drip.seconds, writer, is_over)
        writer.write(octets[start : start + _PIECE])
        await writer.drain()


async def silence(writer: asyncio.StreamWriter, seconds: float) -> None:
    """Say nothing for so long, unless the client leaves."""
    await _wait(seconds, writer, lambda: False)


async def _wait(seconds: float, writer: asyncio.StreamWriter, is_over: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0 and not (writer.is_closing() or is_over()):  # noqa: ASYNC110 - a stream tells nobody that its client has left
        await asyncio.sleep(min(left, _LOOK_SECONDS))
