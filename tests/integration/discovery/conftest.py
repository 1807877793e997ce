"""A private NSD with domains of every kind, a local HTTPS server, and discovery between them as the bot builds it."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.mail import providers
from bot.mail.discovery import Discovery
from bot.mail.fetch import Fetcher
from bot.mail.hosts import Hosts
from bot.mail.resolver import Resolver
from tests.fakes import nsd as nsd_fake
from tests.fakes.certificates import Certificates
from tests.fakes.clock import Clock
from tests.fakes.https_server import HttpsServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Make = Callable[..., Discovery]

MANY = 10_000
PATIENT = timedelta(seconds=40)
"""No answer on this machine takes so long, however busy it is."""
# Addresses of the internet, to which nobody connects here.
ZONE = (
    """
mx MX 10 aspmx.l.google.com.
mx MX 20 mx.mail.icloud.com.
mx TXT here
_pop3s._tcp.mx SRV 0 0 995 pop.srv
backup MX 10 mail.backup
backup MX 20 aspmx.l.google.com.
unlike MX 10 aspmx.notgoogle.com.
nothing MX 0 .

srv TXT here
_pop3s._tcp.srv SRV 20 0 995 far.srv
_pop3s._tcp.srv SRV 10 1 995 light.srv
_pop3s._tcp.srv SRV 10 9 995 pop.srv
_pop3._tcp.srv SRV 0 0 110 pop.srv
_submissions._tcp.srv SRV 0 0 465 smtp.srv
pop.srv A 9.9.9.9
light.srv A 9.9.9.9
far.srv A 9.9.9.9
smtp.srv A 9.9.9.9

starttls TXT here
_pop3._tcp.starttls SRV 0 0 110 pop.srv
_submissions._tcp.starttls SRV 0 0 0 .
_submission._tcp.starttls SRV 0 0 587 smtp.srv

nopop TXT here
_pop3s._tcp.nopop SRV 0 0 0 .
_pop3._tcp.nopop SRV 0 0 0 .
receiving TXT here
_pop3s._tcp.receiving SRV 0 0 995 pop.srv
_submissions._tcp.receiving SRV 0 0 0 .
_submission._tcp.receiving SRV 0 0 0 .
runby TXT here
_pop3s._tcp.runby SRV 0 0 995 outlook.office365.com.

private TXT here
_pop3s._tcp.private SRV 0 0 995 pop.private
pop.private A 10.1.2.3
mixed TXT here
_pop3s._tcp.mixed SRV 0 0 995 pop.mixed
pop.mixed A 9.9.9.9
pop.mixed A 127.0.0.1
odd TXT here
_pop3s._tcp.odd SRV 0 0 2525 pop.srv
nowhere TXT here
_pop3s._tcp.nowhere SRV 0 0 995 not.there
crooked TXT here
_pop3s._tcp.crooked SRV 0 0 995 evil\\013\\010USER.srv
_pop3s._tcp.crooked SRV 1 0 995 a\\.b@c.srv
many TXT here
auto TXT here
autoconfig.auto A 127.0.0.1
known TXT here
known A 127.0.0.1
trap A 127.0.0.2
pop.auto A 9.9.9.9
smtp.auto A 9.9.9.9
plain TXT here
autoconfig.plain A 127.0.0.1
"""
    + "\n".join(f"_pop3s._tcp.many SRV {number} 0 995 host{number}.many" for number in range(MANY))
    + "\nhost0.many A 9.9.9.9\n"
)
ALLOWED = ("autoconfig.auto.example.test", "autoconfig.plain.example.test", "known.example.test")


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """The only authority that is trusted."""
    return Certificates()


@pytest.fixture(scope="session")
def nsd() -> Iterator[nsd_fake.Nsd]:
    """One NSD for all tests; missing is a failure where everything has to be there."""
    reason = nsd_fake.why_missing()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with nsd_fake.Nsd("example.test", ZONE) as server:
        yield server


@pytest.fixture
async def web(certificates: Certificates) -> AsyncIterator[HttpsServer]:
    """A server with certificates for every host it is asked as."""
    async with HttpsServer(certificates.server(*ALLOWED, "trap.example.test")) as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    """The time, which a test may push forward."""
    return Clock()


@pytest.fixture
def make(certificates: Certificates, web: HttpsServer, clock: Clock) -> Make:
    """Builds discovery over a name server on a port of loopback; patient unless told otherwise."""

    def made(
        name_port: int,
        allowed: tuple[str, ...] = ALLOWED,
        port: int | None = None,
        budget: timedelta = PATIENT,
        **more: Any,
    ) -> Discovery:
        hosts, resolver = Hosts(allowed), Resolver(("127.0.0.1", name_port), budget)
        fetcher = Fetcher(hosts, certificates.client(), resolver.getaddrinfo, port or web.port)
        return Discovery(providers.load(), hosts, resolver, fetcher, clock, budget=budget, **more)

    return made


@pytest.fixture
def discovery(make: Make, nsd: nsd_fake.Nsd) -> Discovery:
    """Discovery over NSD."""
    return make(nsd.port)
