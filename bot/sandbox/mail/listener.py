"""One port of the mail servers: it listens, or refuses every connection and still keeps the port."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

HOST: Final = "127.0.0.1"
_NEXT_PORTS: Final = 50

ServerAt: TypeAlias = "Callable[[int], Awaitable[asyncio.Server]]"


class Listener:
    """What listens on one port.

    Args:
        server_at: starts to serve at a port; 0 is any.
    """

    def __init__(self, server_at: ServerAt) -> None:
        self.port = 0  # known after the opening
        self._server_at = server_at
        self._server: asyncio.Server | None = None
        self._placeholder: socket.socket | None = None

    async def open(self, wanted: int) -> None:
        """Take the wanted port or the next free one.

        Raises:
            OSError: no port is free.
        """
        for port in range(wanted, wanted + (_NEXT_PORTS if wanted else 1)):
            try:
                self._server = await self._server_at(port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            self.port = int(self._server.sockets[0].getsockname()[1])
            return
        raise OSError(errno.EADDRINUSE, f"no free port from {wanted} on")

    def refuse(self) -> None:
        """Refuse connections from now on; those that stand go on."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        # Bound without listening: the system refuses, and nobody else gets the port meanwhile.
        placeholder = socket.socket()
        placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            placeholder.bind((HOST, self.port))
        self._placeholder = placeholder

    async def accept(self) -> None:
        """Listen again, at the same port.

        Raises:
            OSError: somebody else has taken it.
        """
        if self._server is not None:
            return
        self._give_up_place()
        self._server = await self._server_at(self.port)

    def close(self) -> None:
        """Stop for good."""
        if self._server is not None:
            self._server.close()
        self._give_up_place()

    def _give_up_place(self) -> None:
        if self._placeholder is not None:
            self._placeholder.close()
        self._placeholder = None
