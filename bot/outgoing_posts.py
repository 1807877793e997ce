"""Use case part: the posts that say how far a mail is that somebody sends.

Such a post is posted once, like any other; afterwards it follows what happens. A change that Slack did not take is made up
for by the next look, one whose post is gone is let be, and no mail waits for any of it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.slack import sent_posts
from bot.slack.client import TryLater, Unknown
from storage.errors import NotFound
from storage.records import Notice

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.mail.content import Rendered
    from bot.slack.client import SlackClient
    from storage.mailboxes import Mailboxes
    from storage.outgoing import Outgoings
    from storage.outgoing_posts import OutgoingPosts
    from storage.records import Entry
    from storage.sending import OutgoingPost

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 10
"""Posts that one look brings up to date."""


class SentPosts:
    """The posts about mail that is sent."""

    def __init__(
        self,
        outgoings: Outgoings,
        posts: OutgoingPosts,
        mailboxes: Mailboxes,
        slack: SlackClient,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._outgoings = outgoings
        self._posts = posts
        self._mailboxes = mailboxes
        self._slack = slack
        self._clock = clock
        self._silent_until: datetime | None = None
        self._last = ""

    async def rendered(self, entry: Entry) -> Rendered:
        """What a post says now.

        Raises:
            NotFound: its mail or its mailbox is gone, or what it would tell of is mended or decided.
        """
        if entry.notice is Notice.OUTGOING_REFUSED:
            assert entry.mailbox_id is not None
            mailbox = await self._mailboxes.get(entry.owner, entry.mailbox_id)
            if mailbox.outgoing_refused_at is None:
                raise NotFound("The password was mended meanwhile.")
            return sent_posts.refused(mailbox)
        outgoing = await self._outgoings.of_entry(entry.id)
        if entry.notice is Notice.OUTGOING_NEWS:
            if not sent_posts.is_news(outgoing):
                raise NotFound("Its sender has done something about it meanwhile.")
            return sent_posts.news(outgoing)
        mailbox = await self._mailboxes.get(outgoing.owner, outgoing.mailbox_id)
        return sent_posts.post(outgoing, mailbox, entry.owner, plain=entry.plain)

    async def tell(self) -> None:
        """Let posts that no longer say how far their mail is say it; some at a time, all in their turn."""
        if self._silent_until is not None and self._clock() < self._silent_until:
            return
        behind, self._last = await self._posts.behind(MOST_AT_ONCE, self._last)
        await asyncio.gather(*map(self._tell, behind))

    async def _tell(self, post: OutgoingPost) -> None:
        try:
            mailbox = await self._mailboxes.get(post.outgoing.owner, post.outgoing.mailbox_id)
        except NotFound:
            return
        is_over = post.is_alarm and mailbox.outgoing_refused_at is None
        if is_over:
            said = sent_posts.mended(mailbox, await self._posts.waiting(mailbox.id))
        elif post.is_alarm:
            said = sent_posts.refused(mailbox)
        else:
            said = sent_posts.post(post.outgoing, mailbox, post.to)
        outcome = await self._slack.update(post.channel, post.ts, said.text, said.blocks)
        if isinstance(outcome, TryLater):
            self._silent_until = self._clock() + timedelta(seconds=outcome.seconds)
        elif isinstance(outcome, Unknown):
            log.info("sent_post_not_told", outcome=repr(outcome))
        else:
            # Also where Slack refuses: the post is gone, or may not be changed any more.
            await self._posts.told(post.entry_id, post.changes, is_over=is_over)
