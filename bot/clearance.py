"""Use case part: whether a mail may be sent now, by what the tables and Slack say at this moment.

Slack is asked before the transaction; the judge that comes of it decides inside, on the facts that are read there. What
nobody can say now is put off, never refused.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from bot.door import NOT_SHARED, mail_of
from bot.errors import NotAllowed, NotKnown, NotShown, SourceSuspended
from bot.mail import parties
from bot.mail.frames import Mode
from bot.policy import Reason
from storage.errors import NotFound
from storage.records import Security
from storage.sending import Source
from storage.sharing import Level

if TYPE_CHECKING:
    from bot.door import Door
    from bot.holders import Holders
    from bot.judging import Judge, Permits
    from bot.kept import Kept
    from bot.policy import Decision
    from storage.records import Mailbox, Person
    from storage.sending import Outgoing
    from storage.shares import Shares
    from storage.sharing import Facts, ListedMessage, Mail


class Clearance:
    """Who may send as whom."""

    def __init__(self, shares: Shares, judge: Judge, door: Door, *, kept: Kept, holders: Holders) -> None:
        self._shares = shares
        self._judge = judge
        self._door = door
        self._kept = kept
        self._holders = holders

    async def check(self, outgoing: Outgoing, mailbox: Mailbox) -> None:
        """Before anything is asked of the server, so that it hears nothing of what may not be sent.

        Raises:
            NotAllowed: its sender may not, or the server takes no encryption and administrators want it.
            SourceSuspended: the mailbox is whose message it answers or forwards.
            NotKnown: nobody can say now.
            RoleUnknown: the same.
        """
        server = mailbox.profile.outgoing
        if server is not None and server.security is Security.NONE:
            await self._holders.check_sending(mailbox.owner, server)
        await self._check_source(outgoing)
        if outgoing.actor == outgoing.owner:
            return
        facts, mail = await self._read(outgoing)
        decision = await self._judge.decide(outgoing.actor, facts, mail, to=_domains(outgoing))
        if not decision.allows(Level.REPLY):
            await self._refuse(outgoing, facts, decision)

    async def permits(self, outgoing: Outgoing) -> Permits:
        """A judge for the store, of what Slack says now: whether its sender may still send it.

        Raises:
            NotAllowed: the mailbox is gone.
        """
        facts, mail = await self._read(outgoing)
        return await self._judge.permits(
            outgoing.actor, facts, Level.REPLY, mail, fresh=True, to=_domains(outgoing)
        )

    async def source(self, outgoing: Outgoing) -> Source | None:
        """The same for the message that it answers or forwards, where another mailbox than that one sends it."""
        letter = outgoing.letter
        if letter is None or not letter.source:
            return None
        try:
            facts, mail = await self._read_source(outgoing, letter.source)
        except NotFound:
            return Source(letter.source, lambda _: False, letter.is_source_own)
        permits = await self._judge.permits(
            outgoing.actor, facts, Level.REPLY, mail, fresh=True, to=_domains(outgoing)
        )
        return Source(letter.source, permits, letter.is_source_own)

    async def refuse(self, outgoing: Outgoing, permits: Permits) -> None:
        """Note and raise what the last decision of a judge means, unless it allows it; of the source what holds now.

        Raises:
            NotAllowed: it is refused.
            SourceSuspended: as in `check`.
            NotKnown: nobody can say now.
        """
        await self._check_source(outgoing)
        decision = permits.decision
        if decision is not None and not decision.allows(Level.REPLY):
            facts, _ = await self._read(outgoing)
            await self._refuse(outgoing, facts, decision)

    async def _check_source(self, outgoing: Outgoing) -> None:
        """Whoever sends it may still answer or forward the message that it takes from another mailbox."""
        letter = outgoing.letter
        if letter is None or not letter.source:
            return
        try:
            facts, mail = await self._read_source(outgoing, letter.source)
        except NotFound:
            if letter.is_source_own:  # they removed it themselves
                return
            await self._door.refuse(outgoing.actor, None, NOT_SHARED, f"outgoing:{outgoing.id}")
        decision = await self._judge.decide(outgoing.actor, facts, mail, to=_domains(outgoing))
        if not decision.allows(Level.REPLY):
            await self._refuse(outgoing, facts, decision)
        if facts.suspension is not None:
            raise SourceSuspended(facts.suspension)

    async def _read_source(self, outgoing: Outgoing, message_id: str) -> tuple[Facts, Mail]:
        facts, message = await self._shares.facts_of_message(message_id)
        return facts, await self._mail(facts, message, outgoing.actor)

    async def _refuse(self, outgoing: Outgoing, facts: Facts, decision: Decision) -> None:
        if decision.reason is Reason.UNKNOWN:
            raise NotKnown("nobody can say who may send")
        await self._door.refuse(outgoing.actor, facts, decision, f"outgoing:{outgoing.id}")

    async def _read(self, outgoing: Outgoing) -> tuple[Facts, Mail | None]:
        """What a decision stands on.

        Of a message that is gone, or that lies in another mailbox, only what is open of this one as a whole counts.
        """
        if outgoing.answers is not None:
            with suppress(NotFound):
                facts, message = await self._shares.facts_of_message(outgoing.answers)
                if facts.mailbox_id == outgoing.mailbox_id:
                    return facts, await self._mail(facts, message, outgoing.actor)
        try:
            return await self._shares.facts(outgoing.mailbox_id), None
        except NotFound:
            raise NotAllowed("the mailbox is gone") from None

    async def _mail(self, facts: Facts, message: ListedMessage, actor: Person) -> Mail:
        """The message that is answered, as policy sees it; its header is read where domains are excluded."""
        if actor == facts.owner or not any(grant.excluded for grant in facts.grants):
            return mail_of(message, None)
        try:
            read = await self._kept.read(message.id, Mode.LINE)
        except NotShown:
            read = None
        return mail_of(message, None if read is None else read.domains)


def _domains(outgoing: Outgoing) -> frozenset[str]:
    """Those that a mail is from and to."""
    letter = outgoing.letter
    return frozenset() if letter is None else parties.of_addresses(letter.sender, *letter.addresses)
