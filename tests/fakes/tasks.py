"""The end of what a test left running."""

from __future__ import annotations

import asyncio


async def end_the_rest() -> None:
    """Cancel every other task of this loop and wait for it, so that none opens anew what is closed next."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
