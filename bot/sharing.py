"""Use case: what owners open to others, and how they end it.

Every call asks Slack afresh who the owner is and whom they chose; the store decides once more, on the grants and shares
of the transaction that writes. Ending a share asks nobody: it works while Slack does not answer. What events do to
shares is `bot.rechecking`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from bot import offers, policy
from bot.errors import NoSuchMailbox, NoSuchMessage, NotShared, NotTheirs, TooManyShares
from bot.offers import Known, Offer, Refusal, Seers, Sheet
from storage.errors import NotFound, NotPermitted, TooMany
from storage.records import Person
from storage.sharing import Act, AudienceKind, AuditEntry, Facts, GrantKind, Level, Mail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bot.offers import Wish
    from bot.slack.people import People
    from storage.audits import Audits
    from storage.copies import Copies
    from storage.grants import Grants
    from storage.mailboxes import Mailboxes
    from storage.shares import Shares
    from storage.sharing import Audience, Member, Share

log = structlog.get_logger(__name__)

_ANSWERED: Final = frozenset({
    Refusal.UNKNOWN, Refusal.NOBODY, Refusal.TOO_MANY, Refusal.ONESELF, Refusal.PAST
})  # fmt: skip
"""Refusals of what nobody is forbidden to ask for: no matter for the audit."""

_TRIES: Final = 3


class Sharing:
    """What owners do about sharing."""

    def __init__(
        self,
        *,
        shares: Shares,
        grants: Grants,
        copies: Copies,
        audits: Audits,
        mailboxes: Mailboxes,
        people: People,
        clock: Callable[[], datetime],
    ) -> None:
        self._shares = shares
        self._grants = grants
        self._copies = copies
        self._audits = audits
        self._mailboxes = mailboxes
        self._people = people
        self._clock = clock

    # What is offered

    async def sheet(
        self, owner: Person, mailbox_id: str, message_id: str = "", audiences: Sequence[Audience] = ()
    ) -> Sheet:
        """What somebody may open of their mailbox, or of one message of it, what is open, and who sees it.

        Raises:
            NoSuchMailbox, NoSuchMessage: it is gone.
            NotTheirs: it is somebody else's.
        """
        facts = await self._facts(owner, mailbox_id, message_id)
        mailbox = await self._mailboxes.get(owner, facts.mailbox_id)
        member, groups = await asyncio.gather(self._people.member(owner), self._groups())
        chain = None if member is None else policy.chain(member, facts.grants)
        offer = offers.offer(facts, chain, name=mailbox.profile.name, message_id=message_id)
        sheet = await self._sheet(owner, _with_groups(offer, groups), facts, groups, audiences)
        return replace(sheet, already=await self._already(owner, facts, message_id))

    async def sheet_of_new(self, owner: Person, users: Sequence[str] = ()) -> Sheet:
        """The same of a mailbox that is about to be added."""
        facts = Facts("", owner, None, tuple(await self._grants.all(owner.workspace)), ())
        member, groups = await asyncio.gather(self._people.member(owner), self._groups())
        chain = None if member is None else policy.chain(member, facts.grants)
        audiences = offers.people(users)
        return await self._sheet(owner, offers.offer(facts, chain), facts, groups, audiences)

    async def message_mailbox(self, owner: Person, message_id: str) -> str:
        """The mailbox of a message. Raises as `sheet` does."""
        return (await self._facts(owner, "", message_id)).mailbox_id

    async def _sheet(
        self,
        owner: Person,
        offer: Offer,
        facts: Facts,
        groups: Mapping[str, str],
        audiences: Sequence[Audience],
    ) -> Sheet:
        fixed = offer.fixed
        shown = (fixed.audience,) if fixed is not None else tuple(audiences)
        seers, idle = await asyncio.gather(self._seers(owner, shown, facts), self._idle(offer))
        return Sheet(offer, seers, groups, idle)

    async def _groups(self) -> dict[str, str]:
        """Names of the user groups by id; none where Slack could not be asked."""
        groups = await self._people.groups() or {}
        return {group.id: group.name for group in groups.values()}

    async def _seers(self, owner: Person, audiences: Sequence[Audience], facts: Facts) -> Seers | None:
        if not audiences:
            return None
        reached = await asyncio.gather(*(self._people.reached(audience) for audience in audiences))
        users: set[str] = set()
        for found in reached:
            if found is None:
                return None
            users.update(found)
        named = all(audience.kind is AudienceKind.PERSON for audience in audiences)
        return offers.seers(sorted(users), owner, await self._people.roster(), facts, named=named)

    async def _already(self, owner: Person, facts: Facts, message_id: str) -> Seers | None:
        """Who sees the mailbox, or the message, as things stand."""
        mail = None
        if message_id:
            _, message = await self._shares.facts_of_message(message_id)
            mail = Mail(message.id, message.received_at, None)
        audiences = offers.seeing(facts.shares, mail, self._clock())
        return await self._seers(owner, audiences, facts) if audiences else Seers(())

    async def _idle(self, offer: Offer) -> frozenset[str]:
        """Shares with people who have no role any more."""
        named = [share for share in offer.shares if share.audience.kind is AudienceKind.PERSON]
        roster = await self._people.roster() if named else None
        if roster is None:
            return frozenset()
        return frozenset(share.id for share in named if share.audience.id not in roster)

    # What the owner does

    async def open(self, owner: Person, wish: Wish) -> list[Share]:
        """Open shares, one for each audience, all or none; those that were open already are left as they are.

        Returns:
            Those that this call opened or changed.

        Raises:
            NoSuchMailbox, NoSuchMessage: it is gone.
            NotTheirs: it is somebody else's.
            NotShared: it cannot be had; `reason` says why.
            TooManyShares: there are as many as there may be.
        """
        facts = await self._facts(owner, wish.mailbox_id, wish.message_id or "")
        known = await self._known(owner, wish)
        opened: list[Share] = []
        for _ in range(_TRIES):
            reason = offers.refusal(wish, owner, facts, known, self._clock())
            if reason is not None:
                await self._refuse(owner, facts, reason)
            new = offers.shares_of(wish, facts, known, self._clock())
            try:
                opened = await self._open(owner, wish, known, new)
                break
            except (
                NotPermitted
            ):  # grants or shares changed since they were read: once more, by what holds now
                facts = await self._facts(owner, wish.mailbox_id, wish.message_id or "")
        else:
            raise NotShared(Refusal.UNKNOWN, offers.SENTENCES[Refusal.UNKNOWN])
        await self._send(wish, known)
        log.info("shares_opened", mailbox=wish.mailbox_id, count=len(opened), level=wish.level.name)
        return opened

    async def _open(self, owner: Person, wish: Wish, known: Known, new: Sequence[Share]) -> list[Share]:
        if not new:
            return []
        audiences = {share.audience for share in new}

        def permits(facts: Facts) -> bool:
            is_allowed = offers.refusal(wish, owner, facts, known, self._clock()) is None
            return is_allowed and audiences == set(offers.still_wanted(wish, facts))

        try:
            return await self._shares.open(owner, new, self._clock(), permits)
        except TooMany as error:
            raise TooManyShares from error
        except NotFound as error:
            raise NoSuchMessage if wish.message_id else NoSuchMailbox from error

    async def _send(self, wish: Wish, known: Known) -> None:
        """A channel gets a copy of the message that is shared with it; owed twice, it gets one."""
        channels = {audience.id for audience in wish.audiences if audience.kind is AudienceKind.CHANNEL}
        if wish.message_id is None or not channels:
            return
        facts = await self._shares.facts(wish.mailbox_id)
        for share in facts.shares:
            is_meant = share.message_id == wish.message_id and share.audience.kind is AudienceKind.CHANNEL
            if is_meant and share.audience.id in channels:
                await self._owe(share, known)

    async def _owe(self, share: Share, known: Known) -> None:
        owner = known.owner
        assert owner is not None
        assert share.message_id is not None
        channel = known.channels.get(share.audience.id)

        def permits(facts: Facts) -> bool:
            most = policy.ceiling(policy.chain(owner, facts.grants), share.audience, channel)
            is_in_force = any(each.id == share.id for each in facts.shares)
            return is_in_force and facts.suspension is None and most >= Level.SEE

        to = Person(owner.person.workspace, share.audience.id)
        try:
            await self._copies.owe(
                share.mailbox_id, share.message_id, to, self._clock(), permits, share=share.id
            )
        except (NotPermitted, NotFound):  # it ended, or the message went, within this moment
            log.info("copy_not_owed", share=share.id)

    async def revoke(self, owner: Person, share_id: str) -> bool:
        """End a share now; False when it had ended before, or is gone.

        Raises:
            NotTheirs: it is somebody else's.
        """
        now = self._clock()
        try:
            share = await self._shares.end(
                share_id, owner, now, Act.SHARE_REVOKED, lambda facts: facts.owner == owner
            )
        except NotFound:
            return False
        except NotPermitted as error:
            await self._note_refusal(owner, None, Refusal.NOT_OWNER, f"share:{share_id}")
            raise NotTheirs("share") from error
        return share.ended_at == now

    # Whose it is

    async def _facts(self, owner: Person, mailbox_id: str, message_id: str) -> Facts:
        try:
            if message_id:
                facts, _ = await self._shares.facts_of_message(message_id)
            else:
                facts = await self._shares.facts(mailbox_id)
        except NotFound as error:
            raise NoSuchMessage if message_id else NoSuchMailbox from error
        if facts.owner != owner or (mailbox_id and facts.mailbox_id != mailbox_id):
            subject = f"message:{message_id}" if message_id else f"mailbox:{mailbox_id}"
            await self._note_refusal(owner, facts, Refusal.NOT_OWNER, subject)
            raise NotTheirs("mailbox")
        return facts

    async def _known(self, owner: Person, wish: Wish) -> Known:
        """What Slack says now of the owner and of those they chose."""
        users = [each.id for each in wish.audiences if each.kind is AudienceKind.PERSON]
        ids = [each.id for each in wish.audiences if each.kind is AudienceKind.CHANNEL]
        has_group = any(each.kind is AudienceKind.GROUP for each in wish.audiences)
        member, people, channels, groups = await asyncio.gather(
            self._people.member(owner, fresh=True),
            self._members([Person(owner.workspace, user) for user in users]),
            asyncio.gather(*(self._people.channel(channel, fresh=True) for channel in ids)),
            self._people.groups() if has_group else _none(),
        )
        known_groups = frozenset(groups) if groups is not None else None
        return Known(member, people, known_groups, dict(zip(ids, channels, strict=True)))

    async def _members(self, people: Sequence[Person]) -> dict[str, Member | None]:
        found = await asyncio.gather(*(self._people.member(person) for person in people))
        return {person.user: member for person, member in zip(people, found, strict=True)}

    async def _refuse(self, owner: Person, facts: Facts, reason: Refusal) -> None:
        if reason not in _ANSWERED:
            await self._note_refusal(owner, facts, reason, f"mailbox:{facts.mailbox_id}")
        raise NotShared(reason, offers.SENTENCES[reason])

    async def _note_refusal(self, actor: Person, facts: Facts | None, reason: Refusal, subject: str) -> None:
        entry = AuditEntry(
            at=self._clock(),
            workspace=actor.workspace,
            actor=actor.user,
            act=Act.REFUSED,
            owner=None if facts is None else facts.owner.user,
            mailbox_id=None if facts is None else facts.mailbox_id,
            subject=subject,
            after=f"share: {reason}",
        )
        await self._audits.add(entry)
        log.info("share_refused", reason=reason)


async def _none() -> None:
    return None


def _with_groups(offer: Offer, groups: Mapping[str, str]) -> Offer:
    """Without user groups where there are none to choose from."""
    if groups or AudienceKind.GROUP not in offer.levels:
        return offer
    levels: dict[AudienceKind, Level] = dict(offer.levels)
    del levels[AudienceKind.GROUP]
    kind = offer.kind if levels or offer.kind is not GrantKind.CHOICE else GrantKind.PRIVATE
    return replace(offer, levels=levels, kind=kind)
