"""Each real server is started once, for all tests about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.fakes.certificates import Certificates
from tests.fakes.real_servers.catalogue import SERVERS, RealServer, forbidden, missing

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    """The only authority the client trusts."""
    return Certificates()


# A group keeps all tests about one server in one process, so that it is started once.
@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"real-{name}")) for name in SERVERS],
)
def name(request: pytest.FixtureRequest) -> str:
    """Which server."""
    return str(request.param)


@pytest.fixture(scope="module")
def server(name: str, certificates: Certificates) -> Iterator[RealServer]:
    """The server, running; missing is a failure where everything has to be there."""
    reason = missing(name)
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason := reason or forbidden(name):
        pytest.skip(reason)
    with SERVERS[name](certificates) as running:
        yield running
