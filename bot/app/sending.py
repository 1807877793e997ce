"""What brings saved mail to its outgoing server, and the posts that say how far it is, put together."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot.app.ground import Ground, now
from bot.clearance import Clearance
from bot.door import Door
from bot.folder import worker_name
from bot.holders import Holders
from bot.judging import Judge
from bot.kept import Kept
from bot.mail import smtp
from bot.outgoing_posts import SentPosts
from bot.runner import Runner, Sweep
from bot.saving import Saving
from bot.sending import Sending
from bot.sending_rights import SendingRights
from bot.slack.mentions import Names
from bot.submitting import Submitter
from storage.audits import Audits
from storage.grants import Grants
from storage.outgoing import Outgoings
from storage.outgoing_posts import OutgoingPosts
from storage.shares import Shares
from storage.submissions import Submissions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.sending_errors import Reply
    from bot.slack.client import SlackClient
    from bot.slack.people import People
    from storage.records import Secret, ServerAddress

TICK_SECONDS: Final = 1
"""How often mail is looked for that is due, and posts that no longer say how far theirs is."""

PURGE_SECONDS: Final = 600
KEEP: Final = timedelta(days=30)
"""What was sent stays this long, for whoever looks at its post or writes on."""


def outgoings_of(ground: Ground) -> Outgoings:
    """The store of mail that is sent."""
    return Outgoings(ground.database, ground.vault)


def sending_of(ground: Ground, runner: Runner, slack: SlackClient, people: People) -> Sending:
    """How people write mail."""
    shares = Shares(ground.database)
    kept = Kept(ground.messages, ground.renderer)
    door = Door(shares, Judge(people, now), Audits(ground.database), clock=now)
    rights = SendingRights(door, shares, people, mailboxes=ground.mailboxes, kept=kept)
    outgoings = outgoings_of(ground)
    saving = Saving(outgoings, ground.attempts, rights, Names(slack, people), nudge=runner.nudge)
    return Sending(rights, saving, outgoings, ground.mailboxes, kept=kept, slack=slack)


def sent_posts_of(ground: Ground, slack: SlackClient) -> SentPosts:
    """The posts about it."""
    posts = OutgoingPosts(ground.database, ground.vault)
    return SentPosts(outgoings_of(ground), posts, ground.mailboxes, slack, clock=now)


def sending_sweeps(ground: Ground, people: People, posts: SentPosts) -> list[Sweep]:
    """What sends what is due, lets the posts follow, and forgets in time."""
    submitter, outgoings = _submitter(ground, people), outgoings_of(ground)

    async def purge() -> None:
        await outgoings.purge(now(), KEEP)

    return [
        Sweep("submissions", TICK_SECONDS, submitter.tick, is_urgent=True, running=submitter.running),
        Sweep("sent_posts", TICK_SECONDS, posts.tell),
        Sweep("outgoing_purge", PURGE_SECONDS, purge),
    ]


def _submitter(ground: Ground, people: People) -> Submitter:
    database, hosts, tls = ground.database, ground.hosts, ground.tls
    shares, judge, audits = Shares(database), Judge(people, now), Audits(database)
    holders = Holders(people, Grants(database), audits, is_exempt=hosts.is_allowed, clock=now)

    def submit(
        server: ServerAddress,
        username: str,
        password: Secret,
        mail: smtp.Submittable,
        *,
        before_dot: Callable[[], Awaitable[None]],
    ) -> Awaitable[tuple[Reply, ...]]:
        return smtp.submit(server, username, password, mail, hosts=hosts, tls=tls, before_dot=before_dot)

    return Submitter(
        Submissions(database, ground.vault),
        ground.mailboxes,
        Clearance(
            shares,
            judge,
            Door(shares, judge, audits, clock=now),
            kept=Kept(ground.messages, ground.renderer),
            holders=holders,
        ),
        ground.guard,
        submit,
        worker=worker_name(ground.folder),
        clock=now,
        stopping=ground.stopping,
        metrics=ground.metrics,
    )
