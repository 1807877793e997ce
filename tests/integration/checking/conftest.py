"""Connection tests of forms: the use case with real connections to servers on loopback, and limits that hold there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot import pace
from bot.guard import Guard
from bot.mail import pop3_client, smtp
from bot.mail.hosts import Hosts
from bot.mailboxes import UNREACHABLE_SECONDS, Registrar
from storage.old_mail import OldMails
from storage.records import Passwords, Person, Profile, Secret, Security, ServerAddress
from tests.fakes.certificates import Certificates
from tests.fakes.clock import Clock
from tests.integration.one_database import database_url  # noqa: F401 - a fixture
from tests.integration.storage.stores import Stores

if TYPE_CHECKING:
    from pathlib import Path

    from bot.slack.views.values import Report
    from storage.database import Database
    from storage.vault import Vault

ANNA = Person("T1", "U1")
USERNAME = "user@example.org"
SUBMISSION = smtp.SubmissionLimits(command=timedelta(seconds=UNREACHABLE_SECONDS))


@dataclass
class Ground:
    """What a test of connection tests stands on."""

    stores: Stores
    guard: Guard
    registrar: Registrar
    clock: Clock

    def exempt(self) -> None:
        """Let every host be one that the operator runs for trying things out."""
        self.registrar._tester._guard = Guard(
            self.stores.attempts, is_exempt=lambda _: True, clock=self.clock
        )

    async def test(
        self,
        incoming: ServerAddress,
        outgoing: ServerAddress | None = None,
        *,
        person: Person = ANNA,
        username: str = USERNAME,
        password: str = "correct",
        outgoing_username: str = "ada",
        outgoing_password: str = "correct horse",
    ) -> Report:
        """What a person is told who sends the form."""
        own = None if outgoing is None else outgoing_username
        profile = Profile("Work", "a@b.example", incoming, username, outgoing, own)
        passwords = Passwords(Secret(password), None if outgoing is None else Secret(outgoing_password))
        return (await self.registrar.check(person, profile, passwords)).report


def at(port: int, security: Security = Security.NONE, host: str = "localhost") -> ServerAddress:
    """A server on this machine."""
    return ServerAddress(host, port, security)


@pytest.fixture
def ground(database: Database, vault: Vault, tmp_path: Path) -> Ground:
    """Nobody has tested anything yet; this machine's servers are allowed, and count like everybody's."""
    stores, clock = Stores.on(database, vault, tmp_path), Clock()
    hosts, tls = Hosts(["localhost", "127.0.0.0/8"]), Certificates().client()
    guard = Guard(stores.attempts, is_exempt=lambda _: False, clock=clock)
    registrar = Registrar(
        stores.mailboxes,
        stores.outbox,
        OldMails(database),
        guard,
        connect=lambda server, on_step: pop3_client.connect(server, hosts=hosts, tls=tls, on_step=on_step),
        submit=lambda server, username, password, on_step: smtp.check_submission(
            server, username, password, hosts=hosts, tls=tls, limits=SUBMISSION, on_step=on_step
        ),
        bounds=lambda _: pace.bounds(timedelta(minutes=5), None, is_exact=True),
        clock=clock,
        nudge=lambda: None,
    )
    return Ground(stores, guard, registrar, clock)
