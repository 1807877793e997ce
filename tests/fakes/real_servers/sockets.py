"""The password checkers that Courier and Cyrus ask over a Unix socket, each in its own protocol."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from tests.fakes.real_servers.private_root import PASSWORD, USER

if TYPE_CHECKING:
    from pathlib import Path

Answer = Callable[[socket.socket], bytes]


class Checker:
    """Answers each connection to a Unix socket with what `answer` makes of the question."""

    def __init__(self, folder: Path, name: str, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.socket(socket.AF_UNIX)
        # The path of a Unix socket is 107 octets at most, and the folder may be deep.
        handle = os.open(folder, os.O_RDONLY)
        try:
            self._listener.bind(f"/proc/self/fd/{handle}/{name}")
        finally:
            os.close(handle)
        (folder / name).chmod(0o777)
        self._listener.listen(50)

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError, ValueError):
                connection.settimeout(5)
                connection.sendall(self._answer(connection))


def authdaemon(account: int, home: str) -> Answer:
    """Courier's: AUTH, a length, then service, kind, user and password on lines of their own."""

    def answer(connection: socket.socket) -> bytes:
        with connection.makefile("rb") as lines:
            verb = b""
            while verb != b"AUTH":  # lines about the client come first
                verb, _, size = lines.readline().partition(b" ")
                if not verb:
                    return b"FAIL\n"
            question = lines.read(int(size)).decode().split("\n")
        if question[1:4] != ["login", USER, PASSWORD]:
            return b"FAIL\n"
        return f"UID={account}\nGID={account}\nHOME={home}\nADDRESS={USER}\n.\n".encode()

    return answer


def saslauthd(connection: socket.socket) -> bytes:
    """Cyrus's: user, password, service and realm, each behind its length."""
    with connection.makefile("rb") as question:
        words = [question.read(struct.unpack("!H", question.read(2))[0]).decode() for _ in range(4)]
    verdict = b"OK" if words[:2] == [USER, PASSWORD] else b"NO"
    return struct.pack("!H", len(verdict)) + verdict
