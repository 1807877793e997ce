"""The task runner's border: whatever fails in a task is logged there, and what was leased comes due again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable

log = structlog.get_logger(__name__)


async def guarded(work: Awaitable[None]) -> None:
    """Run a task to its end, and let nothing but a cancellation out of it."""
    try:
        await work
    except StorageError as error:
        log.warning("storage_failed", error=type(error).__name__, temporary=error.temporary)
    except Exception:
        log.exception("task_failed")
