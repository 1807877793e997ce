"""A renderer whose children outlive the tests: to start one takes longer than most of what is tested with it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from bot.mail.renderer import Renderer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.mail.content import Arrival, Rendered
    from bot.mail.frames import Mode

T = TypeVar("T")


class LastingRenderer(Renderer):
    """The renderer of the bot on a loop and thread of its own, since each test has a loop that ends with it."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="renderer")
        self._thread.start()

    async def render(self, *args: Any, **kwargs: Any) -> Rendered:  # noqa: D102 - as of its parent
        return await self._there(super().render(*args, **kwargs))

    async def read(self, octets: bytes, arrival: Arrival, mode: Mode, page: int = 0) -> Rendered | None:  # noqa: D102
        return await self._there(super().read(octets, arrival, mode, page))

    def end(self) -> None:
        """The children and the thread are gone."""
        asyncio.run_coroutine_threadsafe(super().close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
