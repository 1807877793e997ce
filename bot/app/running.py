"""What fetches mail, what brings it to Slack, and what runs both, put together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.app.ground import Ground, now
from bot.app.sharing import copies_of
from bot.deliver import Deliverer
from bot.digest import DigestPosts
from bot.floods import Floods
from bot.folder import worker_name
from bot.mail import pop3_client
from bot.old_mail import OldMailPosts
from bot.original_posts import OriginalPosts
from bot.poll import Poller
from bot.runner import Runner, Sweep
from bot.wanted import WantedMail
from bot.watch import Watch
from storage.originals import Originals
from storage.rules import Rules
from storage.submissions import Submissions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from contextlib import AsyncExitStack

    from bot.outgoing_posts import SentPosts
    from bot.slack.client import SlackClient
    from bot.slack.people import People
    from bot.zones import ZoneKeeper
    from storage.records import ServerAddress

MESSAGE_OCTETS = 25 * 1024 * 1024
"""Larger messages become a card; their size and first lines are asked for by TOP."""


async def watch_of(ground: Ground, stack: AsyncExitStack) -> Watch:
    """What is seen from outside; it listens only when asked to, before Slack is, so that waiting can be watched."""
    watch = Watch(
        ground.metrics,
        ground.database,
        ground.outbox,
        ground.mailboxes,
        clock=now,
        stopping=ground.stopping,
        submissions=Submissions(ground.database, ground.vault),
    )
    if ground.settings.mailbox_metrics is not None:
        await stack.enter_async_context(watch.serving(*ground.settings.mailbox_metrics))
    return watch


def _poller(ground: Ground) -> Poller:
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
            clock=now,
            stopping=ground.stopping,
        ),
        floods=Floods(ground.digests, flood=ground.settings.mailbox_flood, clock=now),
        bounds=ground.bounds,
        lists_all=ground.lists_all,
        message_octets=MESSAGE_OCTETS,
        clock=now,
        stopping=ground.stopping,
        metrics=ground.metrics,
    )


def deliverer_of(ground: Ground, slack: SlackClient, people: People, sent_posts: SentPosts) -> Deliverer:
    """What brings the outbox to Slack."""
    rules, flood = Rules(ground.database, ground.vault), ground.settings.mailbox_flood
    read = (ground.digests, ground.mailboxes, ground.renderer)
    return Deliverer(
        ground.outbox,
        ground.messages,
        ground.mailboxes,
        ground.renderer,
        slack,
        conversations=ground.conversations,
        old_mail=OldMailPosts(ground.old_mails, ground.mailboxes, slack, bounds=ground.bounds, clock=now),
        digests=DigestPosts(*read, rules, ground.conversations, flood=flood, clock=now),
        originals=OriginalPosts(Originals(ground.database), ground.messages),
        copies=copies_of(ground, people),
        sent_posts=sent_posts,
        rules=rules,
        grace=ground.settings.grace,
        clock=now,
        stopping=ground.stopping,
    )


def runner_of(ground: Ground, deliverer: Deliverer, zones: ZoneKeeper, sweeps: Sequence[Sweep]) -> Runner:
    """What does everything in its time."""
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
        clock=now,
        stopping=ground.stopping,
        sweeps=sweeps,
    )
