"""Certificates for loopback, and the check and the submission with deadlines that no answer misses."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import trustme

from bot.errors import BotError, Step
from bot.mail.hosts import Hosts
from bot.mail.smtp import Reply, SubmissionLimits, Submittable, check_submission, submit
from storage.records import Secret, Security, ServerAddress

if TYPE_CHECKING:
    from tests.fakes.smtp_server import SmtpServer

Outcome = tuple[BotError | None, list[Step]]
Attempt = Callable[..., Awaitable[Outcome]]


@dataclass
class Sent:
    """How one submission ended.

    Attributes:
        dots: how often `before_dot` was awaited.
    """

    error: BaseException | None = None
    replies: tuple[Reply, ...] = ()
    dots: int = 0


Send = Callable[..., Awaitable[Sent]]

PATIENT = SubmissionLimits(
    connect=timedelta(seconds=30),
    command=timedelta(seconds=30),
    total=timedelta(seconds=30),
    goodbye=timedelta(seconds=30),
    piece=timedelta(seconds=30),
    answer=timedelta(seconds=30),
)
"""A test that expects an answer never meets them: on a busy machine everything may stand still for seconds."""
HASTY = replace(PATIENT, command=timedelta(seconds=0.8))
"""For a server that says nothing to a command: the deadline is what ends it."""
OCTETS = (
    b"From: ada@a.example\r\nTo: b@b.example\r\nMessage-ID: <1@a.example>\r\nSubject: one\r\n\r\n"
    b"Hello.\r\n.\r\n..\r\n.dot\r\n\r\nend\r\n"
)
MAIL = Submittable("ada@a.example", ("b@b.example", "c@b.example"), OCTETS)

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
        limits: SubmissionLimits = PATIENT,
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


@pytest.fixture
def send(authority: trustme.CA) -> Send:
    """Send a mail through a fake and hand back how it went."""
    tls = ssl.create_default_context()
    authority.configure_trust(tls)

    async def run(
        server: SmtpServer | int,
        mail: Submittable = MAIL,
        security: Security = Security.NONE,
        *,
        password: str = "correct horse",
        limits: SubmissionLimits = PATIENT,
        before_dot: Callable[[], Awaitable[None]] | None = None,
    ) -> Sent:
        sent = Sent()

        async def counted() -> None:
            sent.dots += 1
            if before_dot is not None:
                await before_dot()

        address = ServerAddress("localhost", server if isinstance(server, int) else server.port, security)
        try:
            sent.replies = await submit(
                address,
                "ada",
                Secret(password),
                mail,
                hosts=LOCAL,
                tls=tls,
                limits=limits,
                before_dot=counted,
            )
        except Exception as error:  # noqa: BLE001 - the tests judge what comes, whatever it is
            sent.error = error
        return sent

    return run


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    """A server's side of TLS with a certificate for one name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context
