"""What may be posted into a channel, where everybody in it reads: the least that its share gives any of them. Pure.

A viewer who opens a message is asked about alone; a post is there for all. So a guest who gets no more than a card of what
a channel is shared leaves the channel cards, and one whose sight of shared mail is switched off leaves it nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot import policy
from bot.policy import Decision, Reason
from storage.sharing import Audience, AudienceKind, Circle, Level, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from datetime import datetime

    from storage.sharing import Channel, Facts, Mail, Member


def decide_channel(
    channel: Channel | None,
    facts: Facts,
    owner: Member | None,
    readers: Iterable[Member] | None,
    now: datetime,
    *,
    mail: Mail | None,
) -> Decision:
    """What may be posted into a channel.

    Args:
        channel, owner, readers: None where Slack could not be asked.
        readers: those in the channel who have a role; of others in it, such as apps, the owner chose the channel.
    """
    if channel is None or owner is None or readers is None:
        return Decision(Level.NONE, Reason.UNKNOWN)
    audience = Audience(AudienceKind.CHANNEL, channel.id)
    own = tuple(share for share in facts.shares if share.audience == audience)
    facts = replace(facts, shares=own)
    in_effect = policy.in_effect(policy.chain(owner, facts.grants), facts)
    if not any(share.audience == audience and policy.covers(share, mail) for share in in_effect):
        return Decision(Level.NONE, Reason.NOT_SHARED)
    decisions = [
        policy.decide(reader.person, facts, Circle(owner, reader, {channel.id: channel}), now, mail)
        for reader in _kinds(facts, readers)
    ]
    least = min(decisions, key=lambda decision: decision.level, default=None)
    return least or Decision(Level.NONE, Reason.NOT_SHARED)


def _kinds(facts: Facts, readers: Iterable[Member]) -> Iterable[Member]:
    """One of each kind of reader about whom a decision can differ; the owner reads their own mail anyway."""
    subjects = (grant.subject for grant in facts.grants)
    named = {subject.id for subject in subjects if subject.kind is SubjectKind.PERSON}

    def kind(reader: Member) -> Hashable:
        return reader.role, reader.groups, reader.person.user if reader.person.user in named else ""

    return {kind(reader): reader for reader in readers if reader.person != facts.owner}.values()
