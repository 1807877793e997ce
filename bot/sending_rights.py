"""Use case part: who may send as which mailbox, and answer which message. Asked afresh at every step of a mail.

To answer or forward a message takes the level REPLY on that message, to write a new mail the same level on the mailbox
as a whole. Owners need neither; nothing is sent from a mailbox that is suspended or only receives.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NoReturn

from bot.door import NOT_SHARED, mail_of, may_reach
from bot.errors import NoSuchMailbox, NotKept, NotShown, Suspended
from bot.filled import Sender
from bot.mail import parties
from bot.policy import Reason
from bot.sending_errors import NoOutgoingServer, NoSuchOutgoing
from storage.errors import NotFound
from storage.sending import Source
from storage.sharing import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from bot.door import Door, Visit
    from bot.kept import Kept
    from bot.mail.content import Rendered
    from bot.mail.letters import Original
    from bot.slack.people import People
    from storage.mailboxes import Mailboxes
    from storage.records import Mailbox, Person
    from storage.shares import Shares
    from storage.sharing import Facts, ListedMessage, Mail

SUSPENDED: Final = (
    "This mailbox is suspended, so nothing is sent from it. Please ask a workspace administrator."
)


NOT_READ: Final = (
    "Mailbox cannot read this message any more, so it cannot be answered or passed on: its copy is kept for 30 days. Write a new "
    "e-mail with `/mailbox send`."
)


class Hindrance(StrEnum):
    """Why even an owner's mail is not sent, as the audit has it."""

    ONLY_RECEIVES = "only_receives"


@dataclass(frozen=True, slots=True)
class Passage:
    """Somebody who may send as a mailbox, by what the tables and Slack said when they came.

    Attributes:
        message: what is answered or forwarded; None where they may send whatever they like.
        mail: the same as policy sees it.
        source: the right to the message that is answered or forwarded, where it lies in another mailbox.
    """

    visit: Visit
    mailbox: Mailbox
    message: ListedMessage | None = None
    mail: Mail | None = None
    source: Passage | None = None

    @property
    def actor(self) -> Person:
        """Who sends."""
        return self.visit.viewer

    @property
    def subject(self) -> str:
        """What an audit line about it names."""
        return f"mailbox:{self.mailbox.id}" if self.message is None else f"message:{self.message.id}"

    def permits(self, clock: Callable[[], datetime]) -> Callable[[Facts], bool]:
        """A judge for a store: the same decision by the facts of its transaction."""
        judge = self.visit.permits(Level.REPLY, clock, self.mail)
        return lambda facts: facts.suspension is None and judge(facts)

    def source_permits(self, clock: Callable[[], datetime]) -> Source | None:
        """The same of the message of another mailbox; None without one."""
        source = self.source
        if source is None or source.message is None:
            return None
        return Source(source.message.id, source.permits(clock))


class SendingRights:
    """Who may send."""

    def __init__(
        self, door: Door, shares: Shares, people: People, *, mailboxes: Mailboxes, kept: Kept
    ) -> None:
        self._door = door
        self._shares = shares
        self._people = people
        self._mailboxes = mailboxes
        self._kept = kept
        self.clock = door.clock

    async def of_mailbox(self, actor: Person, mailbox_id: str) -> Passage:
        """The right to send anything as a mailbox.

        Raises:
            NotAllowed: they may not.
            NoOutgoingServer: it only receives.
            Suspended: it is.
        """
        visit = await self._door.to_mailbox(actor, mailbox_id, fresh=True)
        await self._check(visit, None, f"mailbox:{mailbox_id}")
        return Passage(visit, await self._sending(visit))

    async def of_message(self, actor: Person, message_id: str) -> tuple[Passage, Rendered | None]:
        """The right to answer or forward a message, and what was read of it; None where it cannot be read any more.

        Raises as `of_mailbox` does.
        """
        visit, message = await self._door.to_message(actor, message_id)
        await self._check(visit, mail_of(message, ()), f"message:{message_id}")
        mailbox = await self._sending(visit)
        read = await self._read(message_id, mailbox)
        # What was read took its time, and only now its domains are known.
        visit = await self._door.again(visit)
        mail = mail_of(message, None if read is None else read.domains)
        await self._check(visit, mail, f"message:{message_id}")
        return Passage(visit, mailbox, message, mail), read

    async def to(self, passage: Passage, addresses: Iterable[str]) -> Passage:
        """The same right for a mail to these addresses: mail to an excluded domain is its owner's alone.

        What is excluded for the mailbox of the message binds as well as what is for the mailbox that sends.

        Raises:
            NotAllowed: one of them is of such a domain.
        """
        domains = parties.of_addresses(passage.mailbox.profile.address, *addresses)
        source = passage.source and await self._bound(passage.source, domains)
        return replace(await self._bound(passage, domains), source=source)

    async def _bound(self, passage: Passage, domains: frozenset[str]) -> Passage:
        visit = replace(passage.visit, to=domains)
        await self._check(visit, passage.mail, passage.subject)
        return replace(passage, visit=visit)

    async def _read(self, message_id: str, mailbox: Mailbox) -> Rendered | None:
        try:
            return await self._kept.original(message_id, mailbox.profile.address)
        except NotShown:
            return None

    async def allows(self, actor: Person, mailbox_id: str, message_id: str | None) -> bool:
        """Whether somebody may send as a mailbox, for what is only shown while they type: nobody is refused or noted."""
        mails: list[Mail | None] = [None]
        try:
            if message_id is None:
                facts = await self._shares.facts(mailbox_id)
            else:
                facts, message = await self._shares.facts_of_message(message_id)
                # It is not read for this: where domains are excluded, it may be from one of them.
                mails.append(mail_of(message, None))
        except NotFound:
            return False
        if facts.mailbox_id != mailbox_id:
            return await self.allows(actor, mailbox_id, None)
        visit, now = await self._door.visit(actor, facts), self.clock()
        may = any(visit.decision(now, mail).allows(Level.REPLY) for mail in mails)
        return facts.suspension is None and may

    async def senders(self, actor: Person) -> list[Sender]:
        """As whom somebody may write a new mail: their own mailboxes first, those that are fetched before the others."""
        own = [mailbox for mailbox in await self._mailboxes.of(actor) if _sends(mailbox)]
        own.sort(key=lambda mailbox: not mailbox.is_active)
        return [sender_of(mailbox, actor) for mailbox in own] + await self._of_others(actor)

    async def _of_others(self, actor: Person) -> list[Sender]:
        found = [facts for facts in await self._shares.all_facts(actor.workspace) if facts.owner != actor]
        member = await self._people.member(actor) if found else None
        if member is None:
            return []
        by_owner: dict[Person, list[Facts]] = defaultdict(list)
        for facts in found:
            if may_reach(facts, member):
                by_owner[facts.owner].append(facts)
        senders = list[Sender]()
        for owner, owned in by_owner.items():
            shares = tuple(share for facts in owned for share in facts.shares)
            asked = await self._door.visit(actor, replace(owned[0], shares=shares))
            visits = [replace(asked, facts=facts) for facts in owned]
            open_ids = {
                visit.facts.mailbox_id for visit in visits if visit.decision(self.clock()).allows(Level.REPLY)
            }
            mailboxes = await self._mailboxes.of(owner) if open_ids else []
            senders += [sender_of(each, actor) for each in mailboxes if each.id in open_ids and _sends(each)]
        return sorted(senders, key=lambda sender: (sender.owner, sender.name.casefold(), sender.mailbox_id))

    async def refuse(self, passage: Passage) -> NoReturn:
        """Say why a store did not take what a passage led to."""
        for each in filter(None, (passage.source, passage)):
            visit = await self._door.again(each.visit)
            await self._check(visit, each.mail, each.subject)
        # Allowed again by now: whatever stood in the way is over, and the next try finds it so.
        await self._door.refuse(visit.viewer, visit.facts, NOT_SHARED, passage.subject)

    async def refuse_stranger(self, actor: Person, outgoing_id: str) -> NoReturn:
        """Say that a mail is not there, to those as well whose it is not."""
        subject = f"outgoing:{outgoing_id}"
        await self._door.turn_away(actor, None, Reason.NOT_SHARED, subject, NoSuchOutgoing())

    async def refuse_other(self, actor: Person, mailbox_id: str) -> NoReturn:
        """Say that a mailbox is not there, to those as well whose it is not: how it sends is its owner's alone."""
        subject = f"mailbox:{mailbox_id}"
        await self._door.turn_away(actor, None, Reason.NOT_SHARED, subject, NoSuchMailbox())

    async def _check(self, visit: Visit, mail: Mail | None, subject: str) -> None:
        decision = visit.decision(self.clock(), mail)
        if not decision.allows(Level.REPLY):
            await self._door.refuse(visit.viewer, visit.facts, decision, subject)
        if visit.facts.suspension is not None:
            error = Suspended(visit.facts.suspension, sentence=SUSPENDED)
            await self._door.turn_away(visit.viewer, visit.facts, Reason.SUSPENDED, subject, error)

    async def _sending(self, visit: Visit) -> Mailbox:
        """The mailbox, where it sends."""
        facts = visit.facts
        try:
            mailbox = await self._mailboxes.get(facts.owner, facts.mailbox_id)
        except NotFound:
            await self._door.refuse(visit.viewer, None, NOT_SHARED, f"mailbox:{facts.mailbox_id}")
        if mailbox.profile.outgoing is None:
            error = NoOutgoingServer(mailbox.id, facts.owner.user)
            subject = f"mailbox:{mailbox.id}"
            await self._door.turn_away(visit.viewer, facts, Hindrance.ONLY_RECEIVES, subject, error)
        return mailbox


def _sends(mailbox: Mailbox) -> bool:
    return mailbox.profile.outgoing is not None and mailbox.suspension is None


def sender_of(mailbox: Mailbox, actor: Person) -> Sender:
    """A mailbox as the form shows it."""
    profile = mailbox.profile
    return Sender(
        mailbox_id=mailbox.id,
        address=profile.address,
        name=profile.name,
        owner=mailbox.owner.user,
        is_own=mailbox.owner == actor,
        sender_name=profile.sender_name,
        signature=profile.signature,
    )


def original_of(read: Rendered | None) -> Original:
    """What an answer needs of a message that was read.

    Raises:
        NotKept: it cannot be read any more.
    """
    if read is None or read.original is None:
        raise NotKept(sentence=NOT_READ)
    return read.original
