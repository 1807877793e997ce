"""Certificates, a private Dovecot, and sessions with patient deadlines that are closed at the end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.mail.hosts import Hosts
from bot.mail.pop3_client import Limits, Session, connect
from storage.records import Secret, ServerAddress
from tests.fakes import dovecot as dovecot_fake
from tests.fakes.certificates import Certificates

Open = Callable[..., Awaitable[Session]]

PATIENT = Limits(
    connect=timedelta(seconds=30),
    handshake=timedelta(seconds=30),
    command=timedelta(seconds=30),
    session=timedelta(seconds=30),
    progress_window=timedelta(seconds=30),
    farewell=timedelta(seconds=30),
)
"""A test that expects an answer never meets them: on a busy machine everything may stand still for seconds."""
HASTY = replace(
    PATIENT,
    handshake=timedelta(seconds=0.6),
    command=timedelta(seconds=0.6),
    progress_window=timedelta(seconds=0.6),
)
"""For a server that says nothing, or too little: a deadline is what ends it."""
USERS = {"user@example.org": "correct", "other": "pass word ünï"}


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """The only authority the client trusts."""
    return Certificates()


@pytest.fixture(scope="session")
def running_dovecot(certificates: Certificates) -> Iterator[dovecot_fake.Dovecot]:
    """One Dovecot for all tests; missing is a failure where everything has to be there."""
    reason = dovecot_fake.why_missing()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with dovecot_fake.Dovecot(certificates, USERS) as server:
        yield server


@pytest.fixture
def dovecot(running_dovecot: dovecot_fake.Dovecot) -> dovecot_fake.Dovecot:
    """Dovecot with empty maildrops."""
    for user in USERS:
        running_dovecot.empty(user)
    return running_dovecot


@pytest.fixture
def limits() -> Limits:
    """Patient deadlines; tests replace what they are about."""
    return PATIENT


@pytest.fixture
def connecting(certificates: Certificates, limits: Limits) -> Open:
    """Connects as the bot does, with loopback allowed."""
    tls = certificates.client()

    async def attempt(server: ServerAddress, **arguments: Any) -> Session:
        hosts = Hosts(["localhost", "127.0.0.0/8", "::1"])
        return await connect(server, **{"hosts": hosts, "tls": tls, "limits": limits, **arguments})

    return attempt


@pytest.fixture
async def opened(connecting: Open) -> AsyncIterator[Open]:
    """Opens sessions that are logged in, and closes them."""
    sessions: list[Session] = []

    async def attempt(server: ServerAddress, username: str = "user@example.org", **arguments: Any) -> Session:
        session = await connecting(server, **arguments)
        sessions.append(session)
        await session.login(username, Secret(USERS[username]))
        return session

    yield attempt
    for session in sessions:
        session.abort()
