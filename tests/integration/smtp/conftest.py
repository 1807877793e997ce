"""Certificates for loopback, and the check with short deadlines."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import trustme

from bot.errors import BotError, Step
from bot.mail.hosts import Hosts
from bot.mail.smtp import SubmissionLimits, check_submission
from storage.records import Secret, Security, ServerAddress

if TYPE_CHECKING:
    from tests.fakes.smtp_server import SmtpServer

Outcome = tuple[BotError | None, list[Step]]
Attempt = Callable[..., Awaitable[Outcome]]

SHORT = SubmissionLimits(
    connect=timedelta(seconds=2),
    command=timedelta(seconds=0.3),
    total=timedelta(seconds=3),
    goodbye=timedelta(seconds=0.2),
)


LOCAL = Hosts({"localhost"})


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The only authority the client trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """A certificate that proves `localhost`."""
    return server_context(authority, "localhost")


@pytest.fixture
def attempt(authority: trustme.CA) -> Attempt:
    """Run the check against a fake and hand back how it ended and which steps it began."""
    tls = ssl.create_default_context()
    authority.configure_trust(tls)

    async def run(
        server: SmtpServer | int,
        security: Security = Security.NONE,
        *,
        user: str = "ada",
        password: str = "correct horse",
        limits: SubmissionLimits = SHORT,
        hosts: Hosts = LOCAL,
    ) -> Outcome:
        steps: list[Step] = []
        address = ServerAddress("localhost", server if isinstance(server, int) else server.port, security)
        try:
            await check_submission(
                address, user, Secret(password), hosts=hosts, tls=tls, limits=limits, on_step=steps.append
            )
        except BotError as error:
            return error, steps
        return None, steps

    return run


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """A server's side of TLS with a certificate for one name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
