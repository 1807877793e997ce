"""Socket Mode: tickets, connections, envelopes and their acks.

Each payload goes to one of at most ten connections. An ack counts for the time given by the caller and no longer.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiohttp import WSMsgType, web

from bot.sandbox.slack.people import APP_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.slack.answers import Json

MAX_CONNECTIONS: Final = 10
_TICKET_SECONDS: Final = 30.0
_HEARTBEAT_SECONDS: Final = 15.0


class Undelivered(Exception):
    """No app took the payload. `code` is the word Slack shows for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class _Connection:
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None


class Hub:
    """The app's connections.

    Args:
        on_change: called when the first connection comes or the last one goes.
    """

    def __init__(self, clock: Callable[[], float], on_change: Callable[[], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self._tickets: dict[str, float] = {}
        self._connections: list[_Connection] = []
        self._turn = itertools.count()
        self._waiting: dict[str, asyncio.Future[Any]] = {}

    @property
    def is_connected(self) -> bool:
        """Whether an app listens."""
        return bool(self._connections)

    def ticket(self) -> str:
        """A word that opens one connection, once, within half a minute."""
        now = self._clock()
        self._tickets = {ticket: until for ticket, until in self._tickets.items() if until > now}
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = now + _TICKET_SECONDS
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, from its ticket to its end."""
        if self._tickets.pop(request.query.get("ticket", ""), 0.0) < self._clock():
            raise web.HTTPForbidden(text="this ticket was used or is too old")
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=1024 * 1024)
        await socket.prepare(request)
        connection = _Connection(socket, request.transport)
        if len(self._connections) >= MAX_CONNECTIONS:
            await self._dismiss(connection, "too_many_websockets")
            return socket
        await self._listen(connection)
        return socket

    async def _listen(self, connection: _Connection) -> None:
        try:
            await connection.socket.send_json(self._hello(len(self._connections) + 1))
            self._connections.append(connection)
            self._on_change()
            async for message in connection.socket:
                if message.type == WSMsgType.TEXT:
                    self._settle(message.data)
        except ConnectionError:
            pass  # the app went away between two frames
        finally:
            self._forget(connection)
            self._on_change()

    def _forget(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)

    @staticmethod
    def _hello(number: int) -> Json:
        return {
            "type": "hello",
            "num_connections": number,
            "connection_info": {"app_id": APP_ID},
            "debug_info": {"host": "local-sandbox", "build_number": 1, "approximate_connection_time": 3600},
        }

    def _settle(self, frame: str) -> None:
        try:
            ack = json.loads(frame)
        except ValueError:
            return
        waiting = self._waiting.get(ack.get("envelope_id", "")) if isinstance(ack, dict) else None
        if waiting is not None and not waiting.done():
            payload = ack.get("payload")
            waiting.set_result(payload if isinstance(payload, dict) else None)

    async def deliver(
        self, kind: str, payload: Json, *, accepts: bool, seconds: float, retry: Json | None = None
    ) -> Any:
        """Send one envelope to one connection and give back the payload of its ack, None if it has none.

        Raises:
            Undelivered: `dispatch_failed` when nobody listens, `operation_timeout` when no ack came in time.
        """
        envelope_id = str(uuid.uuid4())
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": accepts,
            **(retry or {}),
        }
        self._waiting[envelope_id] = asyncio.get_running_loop().create_future()
        try:
            await self._send(envelope)
            answer = await asyncio.wait_for(self._waiting[envelope_id], seconds)
        except TimeoutError:
            raise Undelivered("operation_timeout") from None
        finally:
            del self._waiting[envelope_id]
        return answer if accepts else None

    async def _send(self, envelope: Json) -> None:
        while self._connections:
            connection = self._connections[next(self._turn) % len(self._connections)]
            try:
                await connection.socket.send_json(envelope)
            except ConnectionError:
                self._forget(connection)
            else:
                return
        raise Undelivered("dispatch_failed")

    async def _dismiss(self, connection: _Connection, reason: str) -> None:
        farewell = {"type": "disconnect", "reason": reason, "debug_info": {"host": "local-sandbox"}}
        try:
            await connection.socket.send_json(farewell)
        except ConnectionError:
            self._forget(connection)

    async def refresh(self, reason: str, grace: float) -> None:
        """Tell every connection to come anew, then close it. The reason `drop` cuts without a word."""
        leaving = list(self._connections)
        if reason == "drop":
            for connection in leaving:
                self._cut(connection)
            return
        for connection in leaving:
            await self._dismiss(connection, reason)
        await asyncio.sleep(grace)
        await self._close(leaving)

    def _cut(self, connection: _Connection) -> None:
        self._forget(connection)
        if connection.transport is not None:
            connection.transport.abort()

    async def _close(self, connections: list[_Connection]) -> None:
        for connection in connections:
            self._forget(connection)
            await connection.socket.close()

    async def close(self) -> None:
        """End every connection."""
        await self._close(list(self._connections))
