"""The sandbox's mail servers on free ports, and the standard library's clients to speak to them."""

from __future__ import annotations

import poplib
import smtplib
import ssl
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.sandbox import server
from bot.sandbox.mail.maildrops import Account
from bot.sandbox.mail.routes import mail_routes
from bot.sandbox.mail.servers import MailServers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bot.sandbox.server import RunningSandbox

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
            client = poplib.POP3("localhost", servers.ports.pop3, timeout=30)
            client.stls(tls)
        else:
            client = poplib.POP3_SSL("localhost", servers.ports.pop3s, timeout=30, context=tls)
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
            return smtplib.SMTP_SSL("localhost", servers.ports.smtps, timeout=30, context=tls)
        client = smtplib.SMTP("localhost", servers.ports.smtp, timeout=30)
        client.starttls(context=tls)
        return client

    return connect


@pytest.fixture
async def sandbox(servers: MailServers) -> AsyncIterator[RunningSandbox]:
    """The page and its API, with the mail servers and without a bot."""
    routes = partial(mail_routes, servers=servers)
    running = await server.start(bot_token="xoxb-1", app_token="xapp-1", mail_routes=routes)
    yield running
    await running.stop()


@pytest.fixture
async def page(sandbox: RunningSandbox) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the page API, served as in the sandbox."""
    async with aiohttp.ClientSession(f"{sandbox.url}/sandbox/api/") as session:
        yield session


def client_tls(servers: MailServers) -> ssl.SSLContext:
    """A context that trusts the sandbox's authority."""
    return ssl.create_default_context(cafile=str(servers.ca_pem))
