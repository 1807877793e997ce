"""A private popa3d 1.0: no CAPA, no TLS, one mbox for each user of the system, UIDs made from headers.

Its own daemon listens on port 110 alone, so we accept, as inetd would, and give it each connection.
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Self

from storage.records import Security
from tests.fakes.real_servers.private_root import NOBODY, USER, PrivateRoot, wait_for

if TYPE_CHECKING:
    from tests.fakes.certificates import Certificates

NAME = "popa3d"
PACKAGES = ("popa3d", "libpam-modules")
ANNA = 1000
_HASHED = "$6$loopback$Cs2IWGNIsRRWZWc9ygiiajKq4JBGNCzTn/48TkGUAafFlnLf803ZrsVFiQ19WmYw4OeTzkF5UmolXG6aXDKJL/"
"""`PASSWORD` as `openssl passwd -6` writes it."""


class Popa3d:
    """A running server with one user; use it as a context manager.

    Attributes:
        ports: where it listens, by protection.
    """

    def __init__(self, certificates: Certificates) -> None:
        self._root = PrivateRoot(NAME)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.ports = {Security.NONE: int(self._listener.getsockname()[1])}

    def __enter__(self) -> Self:
        self._root.users({"popa3d": NOBODY, USER: ANNA, "mail": 8})
        self._root.write("/etc/shadow", f"{USER}:{_HASHED}:19000:0:99999:7:::\n", mode=0o600)
        self._root.write("/etc/pam.d/popa3d", "auth required pam_unix.so\naccount required pam_unix.so\n")
        self._root.folder("/var/lib/popa3d").chmod(0o755)
        self._root.folder("/var/mail").chmod(0o1777)
        self.deliver()
        threading.Thread(target=self._accept, daemon=True).start()
        wait_for(self.ports[Security.NONE], self._root.log)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._root.close()

    def deliver(self, *messages: bytes) -> None:
        """Put messages, with CRLF line ends, at the end of the maildrop; no line of theirs may start with "From "."""
        place = self._root.path / "var/mail" / USER
        old = place.read_bytes() if place.exists() else b""
        new = b"".join(
            b"From a@b.example Mon Nov 23 10:00:00 2026\n" + message.replace(b"\r\n", b"\n") + b"\n"
            for message in messages
        )
        self._root.write(f"/var/mail/{USER}", old + new, mode=0o600, owner=ANNA)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._root.start("/usr/sbin/popa3d", stdin=connection.fileno(), stdout=connection.fileno())
