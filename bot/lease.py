"""Keeping a lease alive while its work runs, and stopping the work when the lease is lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from storage.errors import LeaseLost, StorageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=20)
BEAT = timedelta(seconds=6)
"""Three beats fit into a lease, so one slow commit does not lose it; a killed worker's work moves within 30 s."""


@asynccontextmanager
async def kept(
    renew: Callable[[datetime], Awaitable[None]], clock: Callable[[], datetime]
) -> AsyncIterator[None]:
    """Renew a lease while the body runs.

    Raises:
        LeaseLost: another worker holds it now; the body was stopped where it stood.
    """
    body = asyncio.current_task()
    assert body is not None
    lost: list[LeaseLost] = []

    async def beat() -> None:
        while True:
            try:
                await renew(clock() + LEASE)
            except LeaseLost as error:
                lost.append(error)
                body.cancel()
                return
            except StorageError as error:
                log.warning("lease_not_renewed", error=type(error).__name__)
            await asyncio.sleep(BEAT.total_seconds())

    beating: list[asyncio.Task[None]] = []
    # Most bodies end before the first beat: a timer costs them next to nothing, a task would not.
    first = asyncio.get_running_loop().call_later(
        BEAT.total_seconds(), lambda: beating.append(asyncio.create_task(beat()))
    )
    try:
        yield
    except asyncio.CancelledError:
        if not lost:
            raise
        body.uncancel()
        raise lost[0] from None
    finally:
        first.cancel()
        for task in beating:
            task.cancel()
        if beating:
            await asyncio.gather(*beating, return_exceptions=True)
