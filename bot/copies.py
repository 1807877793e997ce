"""Use case part: what copies and tellings post, decided afresh each time they are delivered.

A copy for a viewer is about that viewer; one for a channel about all who read there. What may not be posted is given up;
while nobody can say, because Slack could not be asked, it waits and holds up nothing else.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from bot import channel_policy
from bot.errors import NotAllowed, NotKnown
from bot.policy import Decision, Reason
from bot.slack import copies
from bot.slack.copies import Source
from storage.copied import Copy, TellingKind, is_channel
from storage.database import id_time
from storage.errors import NotFound
from storage.records import EntryState, Notice
from storage.sharing import Level, Mail

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.judging import Judge
    from bot.mail.content import Rendered
    from bot.mail_posts import MailPosts
    from bot.slack.people import People
    from storage.copies import Copies
    from storage.mailboxes import Mailboxes
    from storage.records import Dm, Entry, Person, StoredMessage
    from storage.shares import Shares
    from storage.sharing import Facts, ListedMessage
    from storage.tellings import Tellings

log = structlog.get_logger(__name__)

ASKED_AGAIN: Final = timedelta(minutes=1)
"""After so long a copy is tried again of which nobody could say whether it may be posted."""

WAITS: Final = timedelta(days=1)
"""So long at most; then it is not news any more."""


class CopyPosts:
    """The posts for others than the owner."""

    def __init__(
        self,
        store: Copies,
        tellings: Tellings,
        shares: Shares,
        mailboxes: Mailboxes,
        *,
        mails: MailPosts,
        judge: Judge,
        people: People,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._tellings = tellings
        self._shares = shares
        self._mailboxes = mailboxes
        self._mails = mails
        self._judge = judge
        self._people = people
        self._clock = clock

    async def said(self, entry: Entry) -> Rendered:
        """What the entry of a copy or a telling says; the errors are those of `rendered` and `told`."""
        return await (self.told(entry) if entry.notice is Notice.TOLD else self.rendered(entry))

    async def rendered(self, entry: Entry) -> Rendered:
        """What a copy says, with its files.

        Raises:
            NotFound: it was called back, or its message is gone.
            NotAllowed: it may not be posted, or not any more.
            NotKnown: nobody can say now.
        """
        copy = await self._store.get(entry.id)
        facts, _ = await self._shares.facts_of_message(copy.message_id)
        mailbox = await self._mailboxes.get(facts.owner, copy.mailbox_id)
        # The header first: of a message that may not be posted no more than that is read.
        message, line = await self._mails.line(copy.message_id)
        decision = await self._decide(copy, facts, _mail(message, line))
        if not decision.allows(Level.SEE):
            raise _refusal(decision)
        level = min(decision.level, Level.OPEN)
        if level < copy.level and entry.state is not EntryState.WAITING:
            raise NotAllowed("less is open than may be posted already", sentence=decision.sentence)
        if level is not copy.level:
            await self._store.note_level(entry.id, level)
        source = Source(facts.owner.user, mailbox.profile.name)
        if level is Level.SEE:
            return copies.card(line, source, message.listed_octets or message.octets, plain=entry.plain)
        _, rendered = await self._mails.rendered(mailbox, message.id, mailbox_name=None, plain=entry.plain)
        may_reply = decision.allows(Level.REPLY) and not is_channel(copy.to.user)
        return copies.opened(rendered, source, message.id, may_reply=may_reply)

    async def told(self, entry: Entry) -> Rendered:
        """What a telling says.

        Raises:
            NotFound: it is not true any more.
        """
        mailbox_id, telling = await self._tellings.get(entry.id)
        try:
            facts = await self._shares.facts(mailbox_id)
            mailbox = await self._mailboxes.get(facts.owner, mailbox_id)
        except NotFound:
            source, open_ids = None, frozenset[str]()
        else:
            source = Source(facts.owner.user, mailbox.profile.name)
            open_ids = frozenset(share.id for share in facts.shares)
        is_news = telling.kind is TellingKind.SHARED_WITH_YOU and bool(telling.share_id)
        if is_news and telling.share_id not in open_ids:
            raise NotFound("The share has ended meanwhile.")
        return copies.told(telling, mailbox_id, source, is_channel=is_channel(entry.owner.user))

    async def allows(self, copy: Copy) -> bool | None:
        """Whether a copy may stay as it was posted; None where nobody can say now.

        What Slack said within the hour is enough, but for what events told since. Its header is read for the domains that
        are never shared; one that cannot be read any more counts as unknown.
        """
        try:
            facts, message = await self._shares.facts_of_message(copy.message_id)
            mail = await self._mail(copy, facts, message)
        except NotFound:
            return False
        decision = await self._decide(copy, facts, mail, seen=True)
        if decision.reason is Reason.UNKNOWN:
            return None
        return decision.allows(copy.level)

    async def refuse(self, dm: Dm, entry: Entry, *, is_final: bool) -> None:
        """A copy may not be posted now: call it back, or let it wait where nobody can say.

        Raises:
            LeaseLost: the DM is another's by now.
        """
        now = self._clock()
        if not is_final and now - id_time(entry.id) < WAITS:
            await self._store.put_off(dm, entry, now + ASKED_AGAIN, now)
            return
        log.info("copy_refused", entry=entry.id)
        await self._store.withdraw([entry.id], now)

    async def _mail(self, copy: Copy, facts: Facts, message: ListedMessage) -> Mail:
        if not any(grant.excluded for grant in facts.grants):
            return Mail(message.id, message.received_at, frozenset())
        try:
            _, line = await self._mails.line(copy.message_id)
        except NotFound:
            return Mail(message.id, message.received_at, None)
        return _mail(message, line)

    async def _decide(self, copy: Copy, facts: Facts, mail: Mail, *, seen: bool = False) -> Decision:
        if is_channel(copy.to.user):
            return await self._decide_channel(copy.to, facts, mail, seen=seen)
        return await self._judge.decide(copy.to, facts, mail, seen=seen)

    async def _decide_channel(self, to: Person, facts: Facts, mail: Mail, *, seen: bool) -> Decision:
        channel, owner, roster = await asyncio.gather(
            self._people.channel(to.user, seen=seen),
            self._people.member(facts.owner, seen=seen),
            self._people.roster(),
        )
        readers = None
        if channel is not None and roster is not None:
            readers = [roster[user] for user in channel.members if user in roster]
        return channel_policy.decide_channel(channel, facts, owner, readers, self._clock(), mail=mail)


def _mail(message: StoredMessage, line: Rendered | None) -> Mail:
    domains = None if line is None or line.domains is None else frozenset(line.domains)
    return Mail(message.id, message.received_at, domains)


def _refusal(decision: Decision) -> NotAllowed | NotKnown:
    if decision.reason is Reason.UNKNOWN:
        return NotKnown(decision.reason.value, sentence=decision.sentence)
    return NotAllowed(decision.reason.value, sentence=decision.sentence)
