"""Faults a test may order: by method, counted down, before or after the effect.

The kinds differ in two things only: whether the call takes effect, and what the caller hears.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from bot.sandbox.slack.answers import Json

    Effect: TypeAlias = Callable[[], Awaitable[web.StreamResponse]]
    Spawn: TypeAlias = Callable[[Coroutine[Any, Any, Any]], object]

KINDS: Final = (
    "rate_limited",
    "status",
    "error",
    "accept_then_drop",
    "accept_then_status",
    "accept_then_wait",
    "drop",
    "late",
)


# Of events: `method` is `event:NAME` or `event:*`.
EVENT_KINDS: Final = ("lost", "delayed", "doubled")
_EVENT: Final = "event:"


@dataclass(slots=True)
class Fault:
    """One ordered fault. `method` may be `*`; uploads are `upload`, response URLs `response_url`, events `event:NAME`."""

    method: str
    kind: str
    count: int = 1
    seconds: float = 1.0
    error: str = "internal_error"
    status: int = 500

    @classmethod
    def from_json(cls, raw: Json) -> Fault:
        """A fault as the page API takes it; ValueError in words when it is none."""
        unknown = raw.keys() - {"method", "kind", "count", "seconds", "error", "status"}
        method = raw.get("method")
        kinds = EVENT_KINDS if isinstance(method, str) and method.startswith(_EVENT) else KINDS
        if unknown or not isinstance(method, str) or raw.get("kind") not in kinds:
            raise ValueError("a fault has a method, a kind, and perhaps count, seconds, error, status")
        return cls(
            method,
            raw["kind"],
            int(raw.get("count", 1)),
            float(raw.get("seconds", 1.0)),
            str(raw.get("error", "internal_error")),
            int(raw.get("status", 500)),
        )


class Faults:
    """The faults still to come, in the order in which they were given."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Order one more."""
        if fault.count > 0:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Forget them all."""
        self._waiting.clear()

    def take(self, method: str) -> Fault | None:
        """The fault that befalls this call, counted down."""
        return self._take({method, "*"})

    def take_event(self, name: str) -> Fault | None:
        """The fault that befalls this event, counted down."""
        return self._take({f"{_EVENT}{name}", f"{_EVENT}*"})

    def _take(self, names: set[str]) -> Fault | None:
        for fault in self._waiting:
            if fault.method in names:
                fault.count -= 1
                if fault.count <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def shown(self) -> list[Json]:
        """What is still to come."""
        return [{"method": fault.method, "kind": fault.kind, "count": fault.count} for fault in self._waiting]


def rate_limited(seconds: float) -> web.Response:
    """The answer to one call too many; the caller reads whole seconds."""
    return web.json_response(
        {"ok": False, "error": "ratelimited"},
        status=429,
        headers={"Retry-After": str(max(0, round(seconds)))},
    )


def _broken(status: int) -> web.Response:
    return web.Response(
        status=status, text="<html><body>local sandbox: ordered fault</body></html>", content_type="text/html"
    )


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)


async def _later(seconds: float, effect: Effect) -> None:
    await asyncio.sleep(seconds)
    await effect()


async def befall(fault: Fault, request: web.Request, effect: Effect, spawn: Spawn) -> web.StreamResponse:
    """Let a call meet its fault.

    The body is read first in any case, so that the caller has sent everything before it hears nothing.
    """
    await request.read()
    if fault.kind == "late":
        spawn(_later(fault.seconds, effect))
        return _hang_up(request)
    if not fault.kind.startswith("accept_then_"):
        return _refuse(fault, request)
    answer = await effect()
    if fault.kind == "accept_then_drop":
        return _hang_up(request)
    if fault.kind == "accept_then_wait":
        await asyncio.sleep(fault.seconds)
        return answer
    return _broken(fault.status)


def _refuse(fault: Fault, request: web.Request) -> web.StreamResponse:
    if fault.kind == "rate_limited":
        return rate_limited(fault.seconds)
    if fault.kind == "status":
        return _broken(fault.status)
    if fault.kind == "error":
        return web.json_response({"ok": False, "error": fault.error})
    return _hang_up(request)
