"""Composition root: the only file that builds I/O, and the order in which it starts and stops."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import ssl
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import structlog
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler

from bot import logs, pace
from bot.administration import Administration
from bot.administrators import Administrators
from bot.belongings import Belongings
from bot.copies import CopyPosts
from bot.deliver import Deliverer
from bot.digest import DigestPosts
from bot.door import Door
from bot.errors import SettingsError
from bot.examine import Examiner
from bot.floods import Floods
from bot.folder import data_folder, sole_user, worker_name
from bot.front import Front
from bot.guard import Guard
from bot.holders import Holders
from bot.inspection import Inspection
from bot.judging import Judge
from bot.kept import Kept
from bot.mail import pop3_client, providers, smtp
from bot.mail.discovery import Discovery
from bot.mail.fetch import Fetcher
from bot.mail.hosts import Hosts, is_loopback
from bot.mail.renderer import Renderer
from bot.mail.resolver import Resolver
from bot.mail_posts import MailPosts
from bot.mailboxes import UNREACHABLE_SECONDS, Registrar
from bot.managing import Managing
from bot.metrics import Metrics
from bot.old_mail import OldMailPosts
from bot.original_posts import OriginalPosts
from bot.poll import Poller
from bot.reading import Reading
from bot.rechecking import Rechecker
from bot.retention import lists_all
from bot.rules import Muting
from bot.runner import Runner, Sweep
from bot.server_mail import ServerMail
from bot.sharing import Sharing
from bot.slack import connection, listeners
from bot.slack.client import SlackClient, keep_alive, web_client
from bot.slack.grant_drafts import GrantDrafts
from bot.slack.listeners.office import Office
from bot.slack.listeners.reception import Reception
from bot.slack.people import People
from bot.spreading import Spreader
from bot.suspending import Suspending
from bot.typed import TypedPasswords
from bot.viewing import Viewing
from bot.wanted import WantedMail
from bot.watch import Watch
from bot.withdrawal import Withdrawing
from bot.zones import ZoneKeeper
from storage.answers import Answers
from storage.attempts import Attempts
from storage.audits import Audits
from storage.conversations import Conversations
from storage.copies import Copies
from storage.database import Database
from storage.digests import Digests
from storage.grants import Grants
from storage.holdings import Holdings
from storage.mailboxes import Mailboxes
from storage.marks import Marks
from storage.messages import Messages
from storage.old_mail import OldMails
from storage.originals import Originals
from storage.outbox import Outbox
from storage.rules import Rules
from storage.shares import Shares
from storage.spreading import Spreading
from storage.surveys import Surveys
from storage.suspension import Suspensions
from storage.tellings import Tellings
from storage.vault import MasterKeys, Vault, unlock
from storage.withdrawals import Withdrawals
from storage.zones import Zones

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.settings import Settings
    from storage.records import Mailbox, ServerAddress

log = structlog.get_logger(__name__)

POST_SECONDS = 30.0
"""Deadline of one request to Slack; at most half the grace time, so that none is in flight when Slack is asked."""

MESSAGE_OCTETS = 25 * 1024 * 1024
"""Larger messages become a card; their size and first lines are asked for by TOP."""

SUBMISSION_LIMITS = smtp.SubmissionLimits(command=timedelta(seconds=UNREACHABLE_SECONDS))

PR_SET_DUMPABLE = 4
"""Linux, prctl(2)."""

UPLOAD_SECONDS = 300

AUDIT_SECONDS = 3_600
"""How often entries of the audit are forgotten that are older than a year."""

SHARE_SECONDS = 5
"""How often shares are looked for whose day is over, and what may have changed without an event."""

SPREAD_SECONDS = 5
"""How often channels are looked for that new mail is to come into."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Ground:
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


async def serve(settings: Settings) -> None:
    """Run the bot until SIGTERM or Ctrl-C.

    Raises:
        SettingsError: a setting turned out wrong; nothing was changed.
        StorageError: the database cannot be used.
    """
    logs.configure(settings.mailbox_log, _secrets(settings))
    _hide_memory()
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with AsyncExitStack() as stack:
        ground = await _ground(settings, stopping, stack)
        watch = await _watch(ground, stack)
        web = await _posting_client(ground, stack)
        identity = await connection.identity(web, stopping)
        if identity is None:
            return
        slack = await _slack(web, stack)
        zones = ZoneKeeper(Zones(ground.database), ground.mailboxes, slack, clock=_now)
        people = People(slack, str(identity["team_id"]), _now)
        sharing = _sharing(ground, people, str(identity["team_id"]))
        sweeps = [*_sweeps(ground, slack, people, str(identity["team_id"])), *_sharing_sweeps(sharing)]
        runner = _runner(ground, _deliverer(ground, slack, people), zones, sweeps)
        bolt = connection.bolt(settings, identity, _answering_client(ground))
        desk = _desk(ground, runner, slack, zones, people=people, workspace=str(identity["team_id"]))
        desk = replace(desk, people=people, sharing=sharing, reception=_reception(ground, runner, people))
        desk = replace(desk, office=_office(ground, people, str(identity["team_id"]), sharing.recheck))
        listeners.register(bolt, desk)
        stack.push_async_callback(desk.leave)
        app_token = settings.slack_app_token.get_secret_value()
        watch.is_connected = await connection.open_socket(bolt, app_token, stopping, stack)
        log.info("started", poll_seconds=settings.mailbox_poll_seconds)
        await runner.run()
        log.info("stopped")


async def _ground(settings: Settings, stopping: asyncio.Event, stack: AsyncExitStack) -> _Ground:
    folder = data_folder(settings.mailbox_data_dir)
    stack.enter_context(await sole_user(folder))
    tls = tls_context(settings.mailbox_ca_file)
    vault, database = await _storage(settings, stack)
    renderer = Renderer(authserv_ids=settings.mailbox_authserv_ids)
    stack.push_async_callback(renderer.close)
    hosts, attempts = Hosts(settings.mailbox_allowed_hosts), Attempts(database, vault)
    return _Ground(
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
    return Guard(attempts, is_exempt=lambda host: is_loopback(host) and hosts.is_allowed(host), clock=_now)


async def _watch(ground: _Ground, stack: AsyncExitStack) -> Watch:
    """What is seen from outside; it listens only when asked to, before Slack is, so that waiting can be watched."""
    watch = Watch(
        ground.metrics, ground.database, ground.outbox, ground.mailboxes, clock=_now, stopping=ground.stopping
    )
    if ground.settings.mailbox_metrics is not None:
        await stack.enter_async_context(watch.serving(*ground.settings.mailbox_metrics))
    return watch


async def _posting_client(ground: _Ground, stack: AsyncExitStack) -> AsyncWebClient:
    settings = ground.settings
    timeout = min(POST_SECONDS, settings.mailbox_grace_seconds / 2)
    token = settings.slack_bot_token.get_secret_value()
    session = await stack.enter_async_context(keep_alive(timeout))
    return web_client(token, settings.slack_api_url, timeout, ground.metrics, session)


def _answering_client(ground: _Ground) -> AsyncWebClient:
    # Without a token of its own: each request is given it, and Bolt warns when it finds it twice.
    web = web_client(None, ground.settings.slack_api_url, POST_SECONDS, ground.metrics)
    web.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))  # a 429 did nothing
    return web


def _poller(ground: _Ground) -> Poller:
    limits = pop3_client.Limits(message_octets=MESSAGE_OCTETS)

    def connect(
        server: ServerAddress, *, remembered: frozenset[str] | None, pipelining: bool
    ) -> Awaitable[pop3_client.Session]:
        ours = replace(limits, pipelining=pipelining)
        return pop3_client.connect(
            server, hosts=ground.hosts, tls=ground.tls, limits=ours, remembered=remembered
        )

    return Poller(
        ground.mailboxes,
        ground.messages,
        connect,
        ground.guard,
        WantedMail(
            Originals(ground.database),
            ground.messages,
            message_octets=MESSAGE_OCTETS,
            clock=_now,
            stopping=ground.stopping,
        ),
        floods=Floods(ground.digests, flood=ground.settings.mailbox_flood, clock=_now),
        bounds=ground.bounds,
        lists_all=ground.lists_all,
        message_octets=MESSAGE_OCTETS,
        clock=_now,
        stopping=ground.stopping,
        metrics=ground.metrics,
    )


async def _slack(web: AsyncWebClient, stack: AsyncExitStack) -> SlackClient:
    uploads = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=UPLOAD_SECONDS))
    return SlackClient(web, await stack.enter_async_context(uploads))


def _deliverer(ground: _Ground, slack: SlackClient, people: People) -> Deliverer:
    rules, flood = Rules(ground.database, ground.vault), ground.settings.mailbox_flood
    read = (ground.digests, ground.mailboxes, ground.renderer)
    return Deliverer(
        ground.outbox,
        ground.messages,
        ground.mailboxes,
        ground.renderer,
        slack,
        conversations=ground.conversations,
        old_mail=OldMailPosts(ground.old_mails, ground.mailboxes, slack, bounds=ground.bounds, clock=_now),
        digests=DigestPosts(*read, rules, ground.conversations, flood=flood, clock=_now),
        originals=OriginalPosts(Originals(ground.database), ground.messages),
        copies=_copies(ground, people),
        rules=rules,
        grace=ground.settings.grace,
        clock=_now,
        stopping=ground.stopping,
    )


def _copies(ground: _Ground, people: People) -> CopyPosts:
    database = ground.database
    return CopyPosts(
        Copies(database),
        Tellings(database),
        Shares(database),
        ground.mailboxes,
        mails=MailPosts(ground.messages, ground.renderer),
        judge=Judge(people, _now),
        people=people,
        clock=_now,
    )


def _sweeps(ground: _Ground, slack: SlackClient, people: People, workspace: str) -> list[Sweep]:
    database = ground.database
    withdrawing = Withdrawing(Withdrawals(database), slack, clock=_now, stopping=ground.stopping)
    spreader = Spreader(
        Spreading(database), Copies(database), Grants(database), people, workspace=workspace, clock=_now
    )
    audits = Audits(database)

    async def forget() -> None:
        await audits.purge(_now())

    return [
        Sweep("withdrawals", 1, withdrawing.work),
        Sweep("spreading", SPREAD_SECONDS, spreader.work),
        Sweep("audit", AUDIT_SECONDS, forget),
    ]


def _runner(ground: _Ground, deliverer: Deliverer, zones: ZoneKeeper, sweeps: Sequence[Sweep]) -> Runner:
    return Runner(
        mailboxes=ground.mailboxes,
        messages=ground.messages,
        outbox=ground.outbox,
        holdings=ground.holdings,
        attempts=ground.attempts,
        poller=_poller(ground),
        deliverer=deliverer,
        conversations=ground.conversations,
        zones=zones,
        worker=worker_name(ground.folder),
        interval=ground.settings.poll_interval,
        clock=_now,
        stopping=ground.stopping,
        sweeps=sweeps,
    )


def _desk(
    ground: _Ground, runner: Runner, slack: SlackClient, zones: ZoneKeeper, *, people: People, workspace: str
) -> listeners.Desk:
    hosts, tls = ground.hosts, ground.tls
    registrar = Registrar(
        ground.mailboxes,
        ground.outbox,
        ground.old_mails,
        ground.guard,
        connect=lambda server, on_step: pop3_client.connect(server, hosts=hosts, tls=tls, on_step=on_step),
        submit=lambda server, username, password, on_step: smtp.check_submission(
            server, username, password, hosts=hosts, tls=tls, limits=SUBMISSION_LIMITS, on_step=on_step
        ),
        bounds=ground.bounds,
        clock=_now,
        nudge=runner.nudge,
        holders=Holders(
            people, Grants(ground.database), Audits(ground.database), is_exempt=hosts.is_allowed, clock=_now
        ),
    )
    server_mail = ServerMail(
        ground.mailboxes, Answers(ground.database), bounds=ground.bounds, clock=_now, nudge=runner.nudge
    )
    return listeners.Desk(
        registrar,
        Belongings(ground.mailboxes, ground.holdings, clock=_now),
        slack,
        server_mail,
        Examiner(registrar, ground.messages, ground.outbox, ground.providers),
        ground.providers,
        _discovery(ground),
        TypedPasswords(ground.vault, _now),
        workspace=workspace,
        allows_plain=hosts.is_allowed,
        clock=_now,
        zones=zones,
        reading=_reading(ground, runner),
        muting=Muting(Rules(ground.database, ground.vault), ground.conversations, clock=_now),
    )


def _reception(ground: _Ground, runner: Runner, people: People) -> Reception:
    shares, rules = Shares(ground.database), Rules(ground.database, ground.vault)
    door = Door(shares, Judge(people, _now), Audits(ground.database), clock=_now)
    return Reception(
        door,
        Viewing(
            door,
            shares,
            people,
            copies=Copies(ground.database),
            mailboxes=ground.mailboxes,
            kept=Kept(ground.messages, ground.renderer),
        ),
        Managing(door, ground.mailboxes, rules, bounds=ground.bounds, nudge=runner.nudge),
        Front(shares, Grants(ground.database), people, clock=_now),
    )


def _sharing(ground: _Ground, people: People, workspace: str) -> Sharing:
    database = ground.database
    shares, grants, copies = Shares(database), Grants(database), Copies(database)
    suspending = Suspending(
        workspace=workspace,
        shares=shares,
        grants=grants,
        surveys=Surveys(database, ground.vault),
        suspensions=Suspensions(database),
        people=people,
        clock=_now,
    )
    rechecker = Rechecker(
        workspace=workspace,
        shares=shares,
        grants=grants,
        copies=copies,
        suspending=suspending,
        posts=_copies(ground, people),
        people=people,
        clock=_now,
    )
    return Sharing(
        shares=shares,
        grants=grants,
        copies=copies,
        audits=Audits(database),
        mailboxes=ground.mailboxes,
        people=people,
        rechecker=rechecker,
        clock=_now,
    )


def _sharing_sweeps(sharing: Sharing) -> list[Sweep]:
    return [
        Sweep("shares_ended", SHARE_SECONDS, sharing.tick),
        Sweep("shares_checked", SHARE_SECONDS, sharing.patrol),
    ]


def _office(
    ground: _Ground, people: People, workspace: str, recheck: Callable[..., Awaitable[object]]
) -> Office:
    database, audits = ground.database, Audits(ground.database)
    administrators = Administrators(people, audits, workspace=workspace, clock=_now)
    surveys = Surveys(database, ground.vault)
    grants, shares = Grants(database), Shares(database)
    return Office(
        Administration(administrators, people, grants, shares, surveys, recheck=recheck, clock=_now),
        Inspection(
            administrators,
            surveys=surveys,
            suspensions=Suspensions(database),
            holdings=ground.holdings,
            audits=audits,
            providers=ground.providers,
            clock=_now,
        ),
        GrantDrafts(_now),
    )


def _reading(ground: _Ground, runner: Runner) -> Reading:
    return Reading(
        ground.mailboxes,
        ground.messages,
        Marks(ground.database),
        Originals(ground.database),
        ground.renderer,
        bounds=ground.bounds,
        clock=_now,
        nudge=runner.nudge,
    )


def _discovery(ground: _Ground) -> Discovery:
    resolver = Resolver(ground.settings.mailbox_dns_server)
    fetcher = Fetcher(ground.hosts, ground.tls, resolver.getaddrinfo)
    return Discovery(ground.providers, ground.hosts, resolver, fetcher, _now)


def _hide_memory() -> None:
    """Keep other processes of the same user, the renderer's child first, from reading our memory and environment."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _secrets(settings: Settings) -> list[str]:
    values = [settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret]
    return [value.get_secret_value() for value in values] + settings.master_keys.replace(",", " ").split()


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
