"""What every part stands on: settings, storage, the renderer, trust; and what is done to the process itself."""

from __future__ import annotations

import ctypes
import ssl
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot import pace
from bot.errors import SettingsError
from bot.folder import data_folder, sole_user
from bot.guard import Guard
from bot.mail import providers
from bot.mail.hosts import Hosts, is_loopback
from bot.mail.renderer import Renderer
from bot.metrics import Metrics
from bot.retention import lists_all
from storage.attempts import Attempts
from storage.conversations import Conversations
from storage.database import Database
from storage.digests import Digests
from storage.holdings import Holdings
from storage.mailboxes import Mailboxes
from storage.messages import Messages
from storage.old_mail import OldMails
from storage.outbox import Outbox
from storage.vault import MasterKeys, Vault, unlock

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from bot.settings import Settings
    from storage.records import Mailbox

PR_SET_DUMPABLE = 4
"""Linux, prctl(2)."""


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Ground:
    """What every part stands on."""

    settings: Settings
    folder: Path
    metrics: Metrics
    vault: Vault
    database: Database
    mailboxes: Mailboxes
    messages: Messages
    outbox: Outbox
    old_mails: OldMails
    digests: Digests
    conversations: Conversations
    renderer: Renderer
    holdings: Holdings
    attempts: Attempts
    guard: Guard
    hosts: Hosts
    tls: ssl.SSLContext
    providers: providers.Providers
    stopping: asyncio.Event

    def lists_all(self, mailbox: Mailbox) -> bool:
        """Whether its server lists a message again that was fetched before."""
        profile = mailbox.profile
        return lists_all(self.providers.by_host(profile.incoming.host), profile.username)

    def bounds(self, mailbox: Mailbox) -> pace.Pace:
        """How often a mailbox may be polled."""
        host = mailbox.profile.incoming.host
        provider = self.providers.by_host(host)
        return pace.bounds(self.settings.poll_interval, provider, is_exact=self.hosts.is_allowed(host))


async def ground_of(settings: Settings, stopping: asyncio.Event, stack: AsyncExitStack) -> Ground:
    """Open the data folder and the database, and start the renderer; the stack closes them."""
    folder = data_folder(settings.mailbox_data_dir)
    stack.enter_context(await sole_user(folder))
    tls = tls_context(settings.mailbox_ca_file)
    vault, database = await _storage(settings, stack)
    renderer = Renderer(authserv_ids=settings.mailbox_authserv_ids)
    stack.push_async_callback(renderer.close)
    hosts, attempts = Hosts(settings.mailbox_allowed_hosts), Attempts(database, vault)
    return Ground(
        settings=settings,
        folder=folder,
        metrics=Metrics(),
        vault=vault,
        database=database,
        mailboxes=Mailboxes(database, vault),
        messages=Messages(database, vault, folder),
        outbox=Outbox(database),
        old_mails=OldMails(database),
        digests=Digests(database, vault),
        conversations=Conversations(database, vault),
        renderer=renderer,
        holdings=Holdings(database, vault),
        attempts=attempts,
        guard=_guard(attempts, hosts),
        hosts=hosts,
        tls=tls,
        providers=providers.load(),
        stopping=stopping,
    )


def _guard(attempts: Attempts, hosts: Hosts) -> Guard:
    """A mail server on this machine that the operator allowed, as the sandbox has it, is nobody else's."""
    return Guard(attempts, is_exempt=lambda host: is_loopback(host) and hosts.is_allowed(host), clock=now)


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """The one TLS context of all mail connections; reading the system's authorities costs 50 ms, so it is shared.

    Raises:
        SettingsError: the extra trust anchors cannot be read.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except (ssl.SSLError, OSError) as error:
            raise SettingsError(sentence="MAILBOX_CA_FILE does not hold certificates in PEM form.") from error
    return context


async def _storage(settings: Settings, stack: AsyncExitStack) -> tuple[Vault, Database]:
    try:
        vault = Vault(MasterKeys.parse(settings.master_keys))
    except ValueError as error:
        raise SettingsError(sentence=str(error)) from None
    try:
        database = await Database.open(settings.database_url)
    except ValueError as error:
        raise SettingsError(sentence=f"MAILBOX_DATABASE_URL is wrong: {error}") from None
    stack.push_async_callback(database.close)
    await database.migrate()
    await unlock(database, vault)
    return vault, database


def hide_memory() -> None:
    """Keep other processes of the same user, the renderer's child first, from reading our memory and environment."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def secrets_of(settings: Settings) -> list[str]:
    """What no log may show."""
    values = [settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret]
    return [value.get_secret_value() for value in values] + settings.master_keys.replace(",", " ").split()
