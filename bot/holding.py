"""What an owner's grants say to a mailbox that is added, changed or made active, and the words for a no. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bot import policy
from bot.errors import RoleUnknown
from storage.records import Security
from storage.sharing import GUESTS, Room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.records import Profile
    from storage.sharing import Grant, Member


class Obstacle(StrEnum):
    """Why somebody may not add a mailbox, or not this one."""

    UNKNOWN = "unknown"  # Slack could not be asked
    NO_ROLE = "no_role"
    GUEST = "guest"  # a guest, who may not hold one
    MAY_NOT_HOLD = "may_not_hold"
    LIMIT = "limit"
    PLAIN = "plain"
    NONE_ACTIVE = "none_active"


_SENTENCES: Final = {
    Obstacle.UNKNOWN: RoleUnknown.words,
    Obstacle.NO_ROLE: "Your account has no role in this workspace that may use Mailbox.",
    Obstacle.GUEST: "Guests may not have a mailbox in this workspace.",
    Obstacle.MAY_NOT_HOLD: "Your administrators have not opened Mailbox for you.",
    Obstacle.PLAIN: "Your administrators allow no mail server without encryption. Choose TLS or STARTTLS.",
    Obstacle.NONE_ACTIVE: "Your administrators allow you no active mailbox.",
}


def obstacle(
    member: Member | None, grants: Sequence[Grant], held: int | None = None, *, is_plain: bool = False
) -> Obstacle | None:
    """What stands in somebody's way; None for nothing.

    Args:
        held: the mailboxes they have, where one more is wanted.
        is_plain: a server without encryption is wanted, which the operator does not allow for everybody.
    """
    if member is None:
        return Obstacle.UNKNOWN
    if member.role is None:
        return Obstacle.NO_ROLE
    allowance = policy.allowance(policy.chain(member, grants))
    if not allowance.may_hold:
        return Obstacle.GUEST if member.role in GUESTS else Obstacle.MAY_NOT_HOLD
    if held is not None and allowance.mailboxes is not None and held >= allowance.mailboxes:
        return Obstacle.LIMIT
    return Obstacle.PLAIN if is_plain and not allowance.allows_plain else None


def room(
    member: Member | None, grants: Sequence[Grant], held: int | None = None, *, is_plain: bool = False
) -> Room:
    """The same for a store, with how many mailboxes may be active."""
    if obstacle(member, grants, held, is_plain=is_plain) is not None or member is None:
        return Room(may=False, active=0)
    return Room(active=policy.allowance(policy.chain(member, grants)).active)


def sentence(found: Obstacle, most: int | None = None) -> str:
    """What the person is told; `most` is how many mailboxes they may have."""
    if found is Obstacle.LIMIT:
        many = "one mailbox" if most == 1 else f"{most or 0} mailboxes"
        return (
            f"Your administrators allow you {many}, and you have that already. Remove one, or ask for more."
        )
    return _SENTENCES[found]


def plain_hosts(after: Profile, before: Profile | None = None) -> tuple[str, ...]:
    """The hosts that are to be used without encryption, and were not before."""
    known = () if before is None else (before.incoming, before.outgoing)
    return tuple(
        server.host
        for server in (after.incoming, after.outgoing)
        if server is not None and server.security is Security.NONE and server not in known
    )


def is_other_server(after: Profile, before: Profile) -> bool:
    """Whether a change leads to other servers; one that does not asks nobody."""
    return (after.incoming, after.outgoing) != (before.incoming, before.outgoing)
