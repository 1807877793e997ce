"""A private Courier: CAPA, pipelining, TLS on a port of its own; STLS only where its configuration says so.

Its processes are started with the words of its own start scripts. Passwords are judged by us: we answer on the
socket where `courier-authdaemon` would.
"""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from storage.records import Security
from tests.fakes.ports import free_port
from tests.fakes.real_servers.private_root import USER, PrivateRoot, wait_for
from tests.fakes.real_servers.sockets import Checker, authdaemon

if TYPE_CHECKING:
    from tests.fakes.certificates import Certificates

NAME = "courier"
PACKAGES = ("courier-pop", "courier-base", "courier-authlib")
ANNA = 1000
PROGRAMS = "/usr/lib/courier/courier"
MAILDIR = f"/home/{USER}/Maildir"

_TLS = {
    "TLS_CERTFILE": "/etc/courier/server.pem",
    "TLS_PROTOCOL": "TLSv1.2++",
    "TLS_VERIFYPEER": "NONE",
    "COURIERTLS": "/usr/bin/couriertls",
    "POP3_TLS_REQUIRED": "0",
}
_POP3 = {
    "POP3AUTH": "PLAIN LOGIN",
    "POP3AUTH_ORIG": "PLAIN LOGIN",
    "POP3_PROXY": "0",
    "MAILDIRPATH": "Maildir",
}


class Courier:
    """A running server with one user; use it as a context manager.

    Attributes:
        ports: where it listens, by protection.
    """

    def __init__(self, certificates: Certificates) -> None:
        self.ports = {Security.TLS: free_port(), Security.STARTTLS: free_port(), Security.NONE: free_port()}
        self._root = PrivateRoot(NAME)
        self._certificates = certificates
        self._numbers = itertools.count(1)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._root)
            self._root.users({"courier": 900, USER: ANNA})
            chain, key = self._certificates.write(self._root.folder("/tmp"))
            self._root.write("/etc/courier/server.pem", chain.read_bytes() + key.read_bytes())
            for name in ("", "/new", "/cur", "/tmp"):
                self._root.folder(MAILDIR + name, owner=ANNA)
            asked = self._root.folder("/run/courier/authdaemon")
            stack.enter_context(Checker(asked, "socket", authdaemon(ANNA, f"/home/{USER}")))
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def deliver(self, *messages: bytes) -> None:
        """Put messages, with CRLF line ends, at the end of the maildrop; a Unix mail server stores them with LF."""
        for message in messages:
            number = next(self._numbers)
            name = f"{MAILDIR}/new/{1_700_000_000 + number}.M{number}P1.localhost"
            self._root.write(name, message.replace(b"\r\n", b"\n"), owner=ANNA)

    def _start(self) -> None:
        login = (f"{PROGRAMS}/courierpop3login", f"{PROGRAMS}/courierpop3d", "Maildir")
        listen = (
            "/usr/sbin/couriertcpd",
            "-address=127.0.0.1",
            "-maxprocs=40",
            "-maxperip=40",
            "-nodnslookup",
            "-noidentlookup",
        )
        tls = ("/usr/bin/couriertls", "-server", "-tcpd")
        ways = {
            Security.NONE: ((), _POP3),
            Security.STARTTLS: ((), _POP3 | _TLS | {"POP3_STARTTLS": "YES"}),
            Security.TLS: (tls, _POP3 | _TLS | {"POP3_TLS": "1"}),
        }
        for security, (wrapped, environment) in ways.items():
            port = str(self.ports[security])
            self._root.start(*listen, port, *wrapped, *login, environment=environment)
        wait_for(self.ports[Security.NONE], self._root.log)
        wait_for(self.ports[Security.STARTTLS], self._root.log)
