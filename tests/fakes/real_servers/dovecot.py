"""The private Dovecot of the other tests, in the manner of its neighbours here; it is installed as a package."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from storage.records import Security
from tests.fakes import dovecot
from tests.fakes.real_servers.private_root import PASSWORD, USER

if TYPE_CHECKING:
    from tests.fakes.certificates import Certificates

NAME = "dovecot"


class Dovecot:
    """A running server with one user; use it as a context manager.

    Attributes:
        ports: where it listens, by protection.
    """

    def __init__(self, certificates: Certificates) -> None:
        self._server = dovecot.Dovecot(certificates, {USER: PASSWORD})
        self.ports = {
            Security.TLS: self._server.tls_port,
            Security.STARTTLS: self._server.plain_port,
            Security.NONE: self._server.plain_port,
        }
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._server)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def deliver(self, *messages: bytes) -> None:
        """Put messages, with CRLF line ends, at the end of the maildrop."""
        self._server.deliver(USER, *messages)
