"""What the private outgoing servers share: a root of their own, two ports, one user, the mail that arrived."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from storage.records import Security
from tests.fakes.ports import free_port
from tests.fakes.real_servers.maildirs import Maildirs
from tests.fakes.real_servers.private_root import PrivateRoot, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.fakes.certificates import Certificates


class SubmissionServer(ABC):
    """A running server with one user; use it as a context manager.

    Attributes:
        ports: where it listens, by protection.
        mail: what arrived for the recipients of `b.example`.
    """

    def __init__(self, name: str, certificates: Certificates) -> None:
        self.ports = {Security.TLS: free_port(), Security.STARTTLS: free_port()}
        self._root = PrivateRoot(name)
        self._certificates = certificates
        self._stack = ExitStack()
        self.mail = Maildirs(self._root.path / "var/mail/all")

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._root)
            self._begin(stack)
            wait_for(self.ports[Security.STARTTLS], self.log, b"220")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def log(self) -> str:
        """What it said."""
        return self._root.log() + "".join(log.read_text(errors="replace") for log in self._logs())

    @abstractmethod
    def _begin(self, stack: ExitStack) -> None:
        """Write its files and start it; what it needs beside it ends with the stack."""

    @abstractmethod
    def _logs(self) -> Iterable[Path]:
        """The files that it writes its log into."""
