"""Every real server the client is tested against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, Self

from tests.fakes import dovecot as dovecot_package
from tests.fakes.real_servers import courier, cyrus, dovecot, popa3d
from tests.fakes.real_servers.private_root import why_forbidden, why_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from storage.records import Security
    from tests.fakes.certificates import Certificates


class RealServer(Protocol):
    """A running server with the one user `private_root.USER`."""

    @property
    def ports(self) -> Mapping[Security, int]:
        """Where it listens, by protection."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def deliver(self, *messages: bytes) -> None:
        """Put messages, with CRLF line ends, at the end of the maildrop."""


SERVERS: Final[Mapping[str, Callable[[Certificates], RealServer]]] = {
    dovecot.NAME: dovecot.Dovecot,
    courier.NAME: courier.Courier,
    cyrus.NAME: cyrus.Cyrus,
    popa3d.NAME: popa3d.Popa3d,
}


def missing(name: str) -> str | None:
    """Why a server is not there; None when it is."""
    return dovecot_package.why_missing() if name == dovecot.NAME else why_missing(name)


def forbidden(name: str) -> str | None:
    """Why a server that is there may not be started; None when it may."""
    return None if name == dovecot.NAME else why_forbidden()
