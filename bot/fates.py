"""What becomes of shares, copies and mailboxes as roles, groups, channels and grants change. Pure.

What is not known ends nothing: it is looked at again, and gives nobody anything meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bot import policy
from storage.sharing import Audience, AudienceKind, Level, Suspension

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from storage.sharing import Channel, Facts, Grant, Member, Share

FIRST_AGAIN: Final = timedelta(seconds=10)
LONGEST_AGAIN: Final = timedelta(minutes=10)
MOST_AGAIN: Final = 12
"""After so many looks, some hour and a half, the nightly one remains."""

KEPT_AFTER: Final = timedelta(days=14)
"""How long the credentials of somebody whose account is deactivated are kept, should they come back."""


@dataclass(frozen=True, slots=True)
class Fates:
    """What becomes of the shares of one mailbox.

    Attributes:
        lowered: those that give more than their owner may open now, with what is left.
        ended: those of which nothing is left.
        is_known: everything that had to be asked of Slack was answered.
    """

    lowered: tuple[tuple[Share, Level], ...] = ()
    ended: tuple[Share, ...] = ()
    is_known: bool = True


def fates(facts: Facts, owner: Member | None, channels: Mapping[str, Channel | None]) -> Fates:
    """What the owner's ceiling leaves of the shares now; those of a deactivated account only rest.

    Args:
        owner: None when Slack could not be asked.
        channels: what Slack says of them; None, or none, when it could not be asked.
    """
    in_force = [share for share in facts.shares if share.ended_at is None]
    if owner is None:
        return Fates(is_known=not in_force)
    if owner.role is None:
        return Fates()
    grants = policy.chain(owner, facts.grants)
    unknown = [share for share in in_force if _is_unknown(share, channels)]
    left = [
        (share, _left(share, grants, channels.get(share.audience.id)))
        for share in in_force
        if share not in unknown
    ]
    return Fates(
        lowered=tuple((share, level) for share, level in left if Level.NONE < level < share.level),
        ended=tuple(share for share, level in left if level is Level.NONE),
        is_known=not unknown,
    )


def _is_unknown(share: Share, channels: Mapping[str, Channel | None]) -> bool:
    return share.audience.kind is AudienceKind.CHANNEL and channels.get(share.audience.id) is None


def _left(share: Share, grants: Sequence[Grant], channel: Channel | None) -> Level:
    if share.audience.kind is AudienceKind.CHANNEL and not policy.as_chosen(share, channel):
        return Level.NONE
    return min(share.level, policy.ceiling(grants, share.audience, channel))


def standing(facts: Facts, owner: Member) -> Suspension | None:
    """Why a mailbox rests by who its owner is now; None where it does not. What administrators suspend is theirs."""
    if owner.role is None:
        return Suspension.DEACTIVATED
    may_hold = policy.allowance(policy.chain(owner, facts.grants)).may_hold
    return None if may_hold else Suspension.ROLE


def again_in(tries: int) -> timedelta | None:
    """How long to wait before what Slack did not answer is asked again; None when it is left to the night.

    Args:
        tries: looks that found out nothing, 1 after the first.
    """
    return None if tries > MOST_AGAIN else min(FIRST_AGAIN * 2 ** (tries - 1), LONGEST_AGAIN)


def audiences(facts: Facts) -> set[Audience]:
    """Whom shares in force and FIXED grants name, whoever these are for."""
    found = {share.audience for share in facts.shares if share.ended_at is None}
    return found | {grant.audience for grant in facts.grants if grant.audience is not None}


def channels_of(found: Iterable[Facts]) -> tuple[str, ...]:
    """The channels among these, sorted."""
    every: set[Audience] = set()
    for facts in found:
        every |= audiences(facts)
    return tuple(sorted(audience.id for audience in every if audience.kind is AudienceKind.CHANNEL))
