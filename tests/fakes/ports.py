"""Ports for servers that cannot be told to take any: none that the kernel gives to whoever asks for any port."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Final

_PORTS: Final = range(20_000, 32_000)
"""Below Linux's own range, so that no fake, client or browser on this machine takes one in between."""


def free_port() -> int:
    """A port on loopback that nobody listens on, by chance, so that tests side by side seldom look at the same."""
    for port in random.sample(_PORTS, 200):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("No port is free.")
