"""The sandbox's mail servers on free ports, and the standard library's clients to speak to them."""

from __future__ import annotations

import poplib
import smtplib
import ssl
from typing import TYPE_CHECKING

import pytest

from bot.sandbox.mail.maildrops import Account
from bot.sandbox.mail.servers import MailServers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ACCOUNTS = (Account("ada@local.test", "ada pass", "Ada"), Account("bo@local.test", "bo-pass", "Bo"))


@pytest.fixture
async def servers() -> AsyncIterator[MailServers]:
    """Two accounts, no mail."""
    running = MailServers(ACCOUNTS, everyone="team@local.test")
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def pop3(servers: MailServers) -> Callable[..., poplib.POP3]:
    """Sign in by poplib; blocking, so call it in a thread."""

    def sign_in(
        user: str = "ada@local.test", password: str = "ada pass", *, stls: bool = False
    ) -> poplib.POP3:
        tls = client_tls(servers)
        client: poplib.POP3
        if stls:
            client = poplib.POP3("localhost", servers.ports.pop3, timeout=5)
            client.stls(tls)
        else:
            client = poplib.POP3_SSL("localhost", servers.ports.pop3s, timeout=5, context=tls)
        try:
            client.user(user)
            client.pass_(password)
        except poplib.error_proto:
            client.close()
            raise
        return client

    return sign_in


@pytest.fixture
def smtp(servers: MailServers) -> Callable[..., smtplib.SMTP]:
    """Connect by smtplib; blocking, so call it in a thread."""

    def connect(*, starttls: bool) -> smtplib.SMTP:
        tls = client_tls(servers)
        if not starttls:
            return smtplib.SMTP_SSL("localhost", servers.ports.smtps, timeout=5, context=tls)
        client = smtplib.SMTP("localhost", servers.ports.smtp, timeout=5)
        client.starttls(context=tls)
        return client

    return connect


def client_tls(servers: MailServers) -> ssl.SSLContext:
    """A context that trusts the sandbox's authority."""
    return ssl.create_default_context(cafile=str(servers.ca_pem))
