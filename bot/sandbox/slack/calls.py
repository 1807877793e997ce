"""The log of calls: when, which method, with what outcome, in which channel. Never a token, never content."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json

MAX_CALLS: Final = 20_000


class CallLog:
    """The newest calls, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[Json] = deque(maxlen=MAX_CALLS)

    def note(self, time: float, method: str, error: str | None, channel: str | None) -> None:
        """Add one call; `error` is None when it went well."""
        call: Json = {"time": time, "method": method, "ok": error is None, "error": error}
        if channel:
            call["channel"] = channel
        self._calls.append(call)

    def shown(self) -> list[Json]:
        """Every call kept."""
        return list(self._calls)
