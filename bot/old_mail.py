"""Use case: say how far old mail is, in the post in whose thread it stands.

That post is news about work that goes on without it: it changes a few times a minute at most, a change that fails is
made up for by the next, and no message waits for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot import backlog
from bot.slack import old_mail
from bot.slack.client import TryLater, Unknown
from storage.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.mail.content import Rendered
    from bot.pace import Pace
    from bot.slack.client import SlackClient
    from storage.mailboxes import Mailboxes
    from storage.old_mail import OldMails
    from storage.records import Bringing, Mailbox

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 8
"""Posts that one look brings up to date: Slack takes some fifty changes a minute, those of forms apart."""


class OldMailPosts:
    """The posts that tell how far old mail is.

    Args:
        bounds: how often a mailbox may be polled.
    """

    def __init__(
        self,
        old_mails: OldMails,
        mailboxes: Mailboxes,
        slack: SlackClient,
        *,
        bounds: Callable[[Mailbox], Pace],
        clock: Callable[[], datetime],
    ) -> None:
        self._old_mails = old_mails
        self._mailboxes = mailboxes
        self._slack = slack
        self._bounds = bounds
        self._clock = clock
        self._last = ""
        self._silent_until: datetime | None = None

    async def rendered(self, entry_id: str) -> Rendered:
        """What the post says now; NotFound when its mailbox is gone."""
        return await self._said(await self._old_mails.get(entry_id))

    async def tell(self) -> None:
        """Let posts that no longer say how far their old mail is say it; some at a time, all in their turn."""
        if self._silent_until is not None and self._clock() < self._silent_until:
            return
        behind = await self._old_mails.behind(self._last, MOST_AT_ONCE)
        self._last = behind[-1].id if len(behind) == MOST_AT_ONCE else ""
        for bringing in behind:
            if not await self._tell(bringing):
                return

    async def _tell(self, bringing: Bringing) -> bool:
        """Bring one post up to date; False when Slack wants no more of that for now."""
        try:
            said = await self._said(bringing)
        except NotFound:
            return True
        assert bringing.channel is not None
        assert bringing.ts is not None
        outcome = await self._slack.update(bringing.channel, bringing.ts, said.text, said.blocks)
        if isinstance(outcome, TryLater):
            self._silent_until = self._clock() + timedelta(seconds=outcome.seconds)
            return False
        if isinstance(outcome, Unknown):
            log.info("progress_not_told", outcome=repr(outcome))
            return True
        # Also where Slack refuses: the post is gone, or may not be changed any more.
        await self._old_mails.told(bringing)
        return True

    async def _said(self, bringing: Bringing) -> Rendered:
        mailbox = await self._mailboxes.get(bringing.owner, bringing.mailbox_id)
        left = backlog.takes(bringing.left, backlog.rest(self._bounds(mailbox)))
        return old_mail.progress(mailbox, bringing, left)
