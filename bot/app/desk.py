"""What the listeners are given, put together."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.app.ground import Ground, now
from bot.app.sending import sending_of
from bot.app.sharing import office_of, reception_of, sharing_of
from bot.belongings import Belongings
from bot.examine import Examiner
from bot.holders import Holders
from bot.mail import pop3_client, smtp
from bot.mail.discovery import Discovery
from bot.mail.fetch import Fetcher
from bot.mail.resolver import Resolver
from bot.mailboxes import UNREACHABLE_SECONDS, Registrar
from bot.reading import Reading
from bot.rules import Muting
from bot.server_mail import ServerMail
from bot.slack import listeners
from bot.typed import TypedPasswords
from storage.answers import Answers
from storage.audits import Audits
from storage.grants import Grants
from storage.marks import Marks
from storage.originals import Originals
from storage.rules import Rules

if TYPE_CHECKING:
    from bot.rechecking import Rechecker
    from bot.runner import Runner
    from bot.slack.client import SlackClient
    from bot.slack.people import People
    from bot.zones import ZoneKeeper

SUBMISSION_LIMITS = smtp.SubmissionLimits(command=timedelta(seconds=UNREACHABLE_SECONDS))


def desk_of(
    ground: Ground,
    runner: Runner,
    slack: SlackClient,
    zones: ZoneKeeper,
    *,
    people: People,
    rechecker: Rechecker,
) -> listeners.Desk:
    """Every use case that a listener calls, and what it needs to answer."""
    registrar = _registrar(ground, runner, people)
    return listeners.Desk(
        registrar=registrar,
        belongings=Belongings(ground.mailboxes, ground.holdings, clock=now),
        slack=slack,
        server_mail=ServerMail(
            ground.mailboxes, Answers(ground.database), bounds=ground.bounds, clock=now, nudge=runner.nudge
        ),
        examiner=Examiner(registrar, ground.messages, ground.outbox, ground.providers),
        providers=ground.providers,
        discovery=_discovery(ground),
        typed=TypedPasswords(ground.vault, now),
        workspace=people.workspace,
        allows_plain=ground.hosts.is_allowed,
        allows_some_plain=ground.hosts.allows_some,
        clock=now,
        zones=zones,
        reading=_reading(ground, runner),
        muting=Muting(Rules(ground.database, ground.vault), ground.conversations, clock=now),
        people=people,
        sharing=sharing_of(ground, people),
        rechecker=rechecker,
        reception=reception_of(ground, runner, people),
        sending=sending_of(ground, runner, slack, people),
        office=office_of(ground, people, rechecker),
    )


def _registrar(ground: Ground, runner: Runner, people: People) -> Registrar:
    hosts, tls = ground.hosts, ground.tls
    return Registrar(
        ground.mailboxes,
        ground.outbox,
        ground.old_mails,
        ground.guard,
        connect=lambda server, on_step: pop3_client.connect(server, hosts=hosts, tls=tls, on_step=on_step),
        submit=lambda server, username, password, on_step: smtp.check_submission(
            server, username, password, hosts=hosts, tls=tls, limits=SUBMISSION_LIMITS, on_step=on_step
        ),
        bounds=ground.bounds,
        clock=now,
        nudge=runner.nudge,
        holders=Holders(
            people, Grants(ground.database), Audits(ground.database), is_exempt=hosts.is_allowed, clock=now
        ),
    )


def _reading(ground: Ground, runner: Runner) -> Reading:
    return Reading(
        ground.mailboxes,
        ground.messages,
        Marks(ground.database),
        Originals(ground.database),
        ground.renderer,
        bounds=ground.bounds,
        clock=now,
        nudge=runner.nudge,
    )


def _discovery(ground: Ground) -> Discovery:
    resolver = Resolver(ground.settings.mailbox_dns_server)
    fetcher = Fetcher(ground.hosts, ground.tls, resolver.getaddrinfo)
    return Discovery(ground.providers, ground.hosts, resolver, fetcher, now)
